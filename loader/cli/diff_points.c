/*
 * diff_points.c - see diff_points.h: what clients look at, and two numbers that tell whether
 * the files are the same.
 */
#include <elf.h>
#include <stdio.h> /* snprintf: to memory; diff.c prints */
#include <string.h>

#include "diff_points.h"
#include "kernel/image/identity.h"

/* What the elf.h of glibc 2.31 lacks. */
#ifndef EF_RISCV_RVE
#	define EF_RISCV_RVE 8
#endif
#ifndef EF_LARCH_ABI_MODIFIER_MASK
#	define EF_LARCH_ABI_MODIFIER_MASK 7
#endif

#define SHOW(...)        snprintf(answer->shown, sizeof(answer->shown), __VA_ARGS__)
#define FOR_CLIENTS(...) snprintf(answer->for_clients, sizeof(answer->for_clients), __VA_ARGS__)

static void tell_machine(const struct side *side, struct answer *answer)
{
	const char *order = side->exports.elf.big ? "big-endian" : "little-endian";

	if (side->machine)
		SHOW("%s, %s", side->machine->name, order);
	else
		SHOW("e_machine %u, %d bits, %s", side->exports.header.machine,
		     side->exports.elf.is64 ? 64 : 32, order);
	FOR_CLIENTS("%s", answer->shown);
}

/*
 * Which of the calling conventions, where a machine has several: the bits of e_flags that say
 * so (the machines' psABIs). The others, like the oldest processor, are no client's business.
 */
static uint32_t abi_bits(uint16_t machine)
{
	switch (machine) {
	case EM_ARM:
		return EF_ARM_EABIMASK;
	case EM_MIPS:
		return EF_MIPS_ABI2;
	case EM_PPC64:
		return EF_PPC64_ABI;
	case EM_RISCV:
		return EF_RISCV_FLOAT_ABI | EF_RISCV_RVE;
	case EM_LOONGARCH:
		return EF_LARCH_ABI_MODIFIER_MASK;
	}
	return 0;
}

static void tell_flags(const struct side *side, struct answer *answer)
{
	const struct elf_header *header = &side->exports.header;

	SHOW("%#x", header->flags);
	FOR_CLIENTS("%#x", header->flags & abi_bits(header->machine));
}

static void tell_size(const struct side *side, struct answer *answer)
{
	SHOW("%zu", side->image.size);
}

/* FNV-1a: enough to see whether they are the same. */
static void tell_contents(const struct side *side, struct answer *answer)
{
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < side->image.size; i++)
		sum = (sum ^ side->image.bytes[i]) * 16777619u;
	SHOW("%08x", sum);
}

static void tell_soname(const struct side *side, struct answer *answer)
{
	SHOW("%s", side->exports.soname ? side->exports.soname : "none");
	FOR_CLIENTS("%s", answer->shown);
}

static void tell_segments(const struct side *side, struct answer *answer)
{
	SHOW("%u", side->exports.header.phnum);
}

static void flags_of(const struct elf_segment *s, char text[4])
{
	snprintf(text, 4, "%c%c%c", s->flags & PF_R ? 'R' : '-', s->flags & PF_W ? 'W' : '-',
		 s->flags & PF_X ? 'X' : '-');
}

static void tell_load(const struct side *side, struct answer *answer)
{
	const struct elf_segment *load = &side->exports.load;

	char flags[4];

	flags_of(load, flags);
	SHOW("at %#llx, %s, %llu bytes%s", (unsigned long long)load->vaddr, flags,
	     (unsigned long long)load->memsz, side->exports.nr_loads > 1 ? ", and more" : "");
	FOR_CLIENTS("%s %u %d", flags, side->exports.nr_loads, load->offset != 0);
}

static void tell_dynamic(const struct side *side, struct answer *answer)
{
	char flags[4];

	flags_of(&side->exports.dynamic, flags);
	SHOW("%s", flags);
	FOR_CLIENTS("%d", flags[1] == 'W');
}

static void tell_hash(const struct side *side, struct answer *answer)
{
	if (side->exports.hash)
		SHOW("%u buckets", side->exports.nr_buckets);
	else
		SHOW("none");
	FOR_CLIENTS("%d", side->exports.hash != 0);
}

static void tell_gnu_hash(const struct side *side, struct answer *answer)
{
	if (side->exports.gnu_hash)
		SHOW("%u buckets, %u words", side->exports.nr_gnu_buckets,
		     side->exports.gnu_filter_words);
	else
		SHOW("none");
	/* A client that knows this one knows DT_HASH as well. */
	FOR_CLIENTS("%d", side->exports.hash || side->exports.gnu_hash);
}

static void tell_versions(const struct side *side, struct answer *answer)
{
	size_t used = 0;
	const char *name;
	bool base;

	for (uint32_t i = 0; i < side->exports.nr_verdef; i++) {
		name = exports_version(&side->exports, i, &base);
		if (!name)
			break;
		if (!base && used < sizeof(answer->shown))
			used += (size_t)snprintf(answer->shown + used,
						 sizeof(answer->shown) - used, "%s%s",
						 used ? ", " : "", name);
	}
	if (!used)
		SHOW("none");
	FOR_CLIENTS("%s", answer->shown);
}

/* The number of bytes in the sections of a name. */
static uint64_t section_size(const struct side *side, const char *name)
{
	const struct elf_bytes *elf = &side->exports.elf;
	const struct elf_header *header = &side->exports.header;
	uint64_t sum = 0;

	for (unsigned i = 0; i < header->shnum; i++) {
		struct elf_section s = elf_section_at(elf, i);
		const char *is = elf_section_name(elf, &s);

		if (is && !strcmp(is, name))
			sum += s.size;
	}
	return sum;
}

static void tell_sections(const struct side *side, struct answer *answer)
{
	const struct elf_header *header = &side->exports.header;
	struct elf_section dynsym;
	bool there = header->shoff && header->shnum &&
		     elf_find_section(&side->exports.elf, SHT_DYNSYM, &dynsym);

	if (there)
		SHOW("%u", header->shnum);
	else
		SHOW("none, or no .dynsym");
	FOR_CLIENTS("%d", there);
}

static void tell_text(const struct side *side, struct answer *answer)
{
	SHOW("%llu", (unsigned long long)section_size(side, ".text"));
}

/* Unwinders go by the segment, and without an entry in it find nothing. */
static bool has_unwind_table(const struct side *side)
{
	const struct elf_header *header = &side->exports.header;

	for (unsigned i = 0; i < header->phnum; i++) {
		struct elf_segment s = elf_segment(
			&side->exports.elf, header->phoff + (uint64_t)i * header->phentsize);

		if (s.type == PT_GNU_EH_FRAME && s.filesz > 8)
			return true;
	}
	return false;
}

static void tell_unwind(const struct side *side, struct answer *answer)
{
	bool there = has_unwind_table(side);

	SHOW("%llu%s", (unsigned long long)section_size(side, ".eh_frame"),
	     there ? "" : ", without a table");
	FOR_CLIENTS("%d", there);
}

static void tell_alternatives(const struct side *side, struct answer *answer)
{
	SHOW("%llu", (unsigned long long)(section_size(side, ".altinstructions") +
					  section_size(side, ".cpu_alt") +
					  section_size(side, ".alternative")));
}

/* Clients never see them: for the timekeeper, which writes them. */
static void tell_data_pages(const struct side *side, struct answer *answer)
{
	struct image_identity identity = image_identity(&side->image);

	if (identity.has_layout)
		SHOW("%u, layout %08x", identity.nr_pages, identity.layout);
	else if (identity.has_version)
		SHOW("those of Linux %u.%u", identity.version >> 16,
		     identity.version >> 8 & 0xff);
	else
		SHOW("not said");
}

static void tell_entry(const struct side *side, struct answer *answer)
{
	bool is_asked = side->exports.header.machine == EM_386;

	if (side->exports.header.entry)
		SHOW("%#llx", (unsigned long long)side->exports.header.entry);
	else
		SHOW("none");
	FOR_CLIENTS("%d", is_asked && side->exports.header.entry);
}

const struct point diff_points[] = {
	{"machine", tell_machine,
	 "everybody: a program of the one machine cannot call what is made for the other",
	 NULL},
	{"e_flags", tell_flags,
	 "everybody: programs of the two pass arguments in different ways",
	 "the calling convention is the same, and no client looks at the rest"},
	{"file, bytes", tell_size, NULL,
	 "whole pages are mapped, and the rest of the last one is zeros"},
	{"file, checksum", tell_contents, NULL,
	 "it says whether the two are the same; what functions answer is not compared"},
	{"DT_SONAME", tell_soname,
	 "dlopen() by that name (vdsotest, the kernel's selftests), the sanitizers, and\n"
	 "      programs of glibc if a library has the same one",
	 NULL},
	{"program headers", tell_segments, NULL, "each is looked for by its type"},
	{"PT_LOAD", tell_load,
	 "glibc before December 2025, CRIU and gdb, which want one PT_LOAD, to rustix,\n"
	 "      which wants it R-X, and to everybody if it does not begin with the file",
	 "addresses count from where it is, and sizes are rounded to pages"},
	{"PT_DYNAMIC", tell_dynamic,
	 "glibc from 2.35 on: where it may be written (W) every program dies before main",
	 "only whether it may be written counts"},
	{"DT_HASH", tell_hash,
	 "musl and zig: without it they find nothing, and fall back to system calls",
	 "tables of any size are searched"},
	{"DT_GNU_HASH, bloom filter", tell_gnu_hash,
	 "everybody: without any hash table nothing is found",
	 "its clients can use DT_HASH as well, and tables of any size"},
	{"version definitions", tell_versions,
	 "musl, Go and rustix, which take functions of the machine's version alone; Go\n"
	 "      dies at start if there is none",
	 NULL},
	{"section headers", tell_sections,
	 "bionic, which finds no symbol without them, and gdb, which gets no backtrace",
	 "each is looked for by its type or name"},
	{".text, bytes", tell_text, NULL, "each function is called by its own address"},
	{".eh_frame, bytes", tell_unwind,
	 "unwinders (libgcc, LLVM, gdb): without it nothing gets out of a signal handler\n"
	 "      that interrupts a call",
	 "only what it says of each function counts: see `uvdso check`"},
	{"alternatives, bytes", tell_alternatives, NULL,
	 "the one that starts the image puts them in, before any program sees it"},
	{"data pages", tell_data_pages, NULL,
	 "the one that starts an image brings its pages: a kernel, or uvdso run --image"},
	{"entry", tell_entry,
	 "glibc and musl on i386: AT_SYSINFO, through which every system call goes",
	 "it is told to programs on i386 alone, as the address that it is"},
};
const unsigned diff_nr_points = sizeof(diff_points) / sizeof(diff_points[0]);
