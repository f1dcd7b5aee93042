/*
 * segments.c - the ELF header and the program headers.
 *
 * An image has one PT_LOAD, R+X, from the first byte of the file at address 0.
 * Each word of that has its client (all observed, or read in their source):
 *
 *   one       otherwise glibc before its fix of December 2025 (bug 32583) computes a
 *             wrong base, CRIU refuses the image, and gdb sees only one mapping
 *   R+X       rustix refuses a first PT_LOAD that lacks one of them
 *   offset 0  the address in the vector is where clients read the ELF header
 *   all file  nothing would clear a .bss
 *
 * The other segments only point into it.
 */
#include <string.h>

#include "kernel/base/newer.h"
#include "kernel/image/check/parts.h"

#ifndef PT_GNU_SFRAME
#	define PT_GNU_SFRAME 0x6474e554
#endif

/* The magic number, and the class that says how to read all the rest. */
static bool check_ident(struct checked *c)
{
	const struct elf_bytes *elf = &c->elf;
	size_t magic = elf->size < SELFMAG ? elf->size : SELFMAG;

	if (magic && memcmp(elf->bytes, ELFMAG, magic)) {
		rule_broken_at(&c->report, RULE_ELF, 0,
			       "not an ELF file: it does not begin with \\x7fELF");
		return false;
	}
	if (!elf_inside(elf, 0, EI_NIDENT)) {
		rule_broken(&c->report, RULE_TRUNCATED,
			    "%#llx bytes, which is less than an ELF header", X(elf->size));
		return false;
	}
	if (elf->bytes[EI_CLASS] != ELFCLASS64 && elf->bytes[EI_CLASS] != ELFCLASS32) {
		rule_broken_at(&c->report, RULE_ELF, EI_CLASS,
			       "EI_CLASS is %u, neither 32 nor 64 bit", elf->bytes[EI_CLASS]);
		return false;
	}
	if (elf->bytes[EI_DATA] != ELFDATA2LSB && elf->bytes[EI_DATA] != ELFDATA2MSB) {
		rule_broken_at(&c->report, RULE_ELF, EI_DATA,
			       "EI_DATA is %u, neither little- nor big-endian",
			       elf->bytes[EI_DATA]);
		return false;
	}
	if (elf->bytes[EI_VERSION] != EV_CURRENT)
		rule_broken_at(&c->report, RULE_ELF, EI_VERSION,
			       "EI_VERSION is %u, there is only version 1",
			       elf->bytes[EI_VERSION]);
	/* Linkers for PA-RISC write LINUX, and CRIU does not run there. */
	if (elf->bytes[EI_OSABI] != ELFOSABI_SYSV &&
	    (elf->bytes[EI_OSABI] != ELFOSABI_LINUX || elf_header(elf).machine != EM_PARISC))
		rule_broken_at(
			&c->report, RULE_ELF, EI_OSABI,
			"EI_OSABI is %u, it must be 0 (SYSV): CRIU refuses all else, and "
			"rustix all but SYSV and LINUX",
			elf->bytes[EI_OSABI]);
	if (elf->bytes[EI_ABIVERSION] != 0)
		rule_broken_at(&c->report, RULE_ELF, EI_ABIVERSION,
			       "EI_ABIVERSION is %u, it must be 0: rustix refuses it",
			       elf->bytes[EI_ABIVERSION]);
	for (unsigned i = EI_PAD; i < EI_NIDENT; i++)
		if (elf->bytes[i]) {
			rule_broken_at(&c->report, RULE_ELF, i,
				       "the padding of e_ident is not zero: CRIU compares all "
				       "sixteen bytes, and refuses the image");
			break;
		}
	return true;
}

static void check_machine(struct checked *c)
{
	const struct machine *machine = c->machine = machine_of(&c->elf);

	if (!machine)
		rule_broken_at(&c->report, RULE_ELF, ELF_FIELD(&c->elf, 0, Ehdr, e_machine),
			       "e_machine is %u in a %d-bit file: no such machine is known to "
			       "have a vDSO, and its names and version cannot be held against "
			       "anything",
			       c->header.machine, c->elf.is64 ? 64 : 32);
	else if (machine->order != ELFDATANONE && machine->order != c->elf.bytes[EI_DATA])
		rule_broken_at(&c->report, RULE_ELF, EI_DATA, "EI_DATA is %u: %s is %s-endian",
			       c->elf.bytes[EI_DATA], machine->name,
			       machine->order == ELFDATA2LSB ? "little" : "big");
}

bool check_elf_header(struct checked *c)
{
	struct elf_header *h = &c->header;

	if (!check_ident(c))
		return false;
	if (!elf_inside(&c->elf, 0, ELF_SIZEOF(&c->elf, Ehdr))) {
		rule_broken(&c->report, RULE_TRUNCATED,
			    "%#llx bytes, which is less than an ELF header", X(c->elf.size));
		return false;
	}
	*h = elf_header(&c->elf);
	if (h->type != ET_DYN)
		rule_broken_at(
			&c->report, RULE_ELF, ELF_FIELD(&c->elf, 0, Ehdr, e_type),
			"e_type is %u, not ET_DYN: the image must be able to lie anywhere",
			h->type);
	check_machine(c);
	if (h->version != EV_CURRENT)
		rule_broken_at(&c->report, RULE_ELF, ELF_FIELD(&c->elf, 0, Ehdr, e_version),
			       "e_version is %u, there is only version 1", h->version);
	if (h->ehsize != ELF_SIZEOF(&c->elf, Ehdr))
		rule_broken_at(&c->report, RULE_ELF, ELF_FIELD(&c->elf, 0, Ehdr, e_ehsize),
			       "e_ehsize is %u, an ELF header has %zu bytes", h->ehsize,
			       ELF_SIZEOF(&c->elf, Ehdr));
	if (h->phentsize != ELF_SIZEOF(&c->elf, Phdr)) {
		rule_broken_at(&c->report, RULE_ELF, ELF_FIELD(&c->elf, 0, Ehdr, e_phentsize),
			       "e_phentsize is %u, a program header has %zu bytes",
			       h->phentsize, ELF_SIZEOF(&c->elf, Phdr));
		return false;
	}
	if (h->phoff < ELF_SIZEOF(&c->elf, Ehdr))
		rule_broken_at(&c->report, RULE_ELF, ELF_FIELD(&c->elf, 0, Ehdr, e_phoff),
			       "e_phoff is %#llx, inside the ELF header: rustix refuses it",
			       X(h->phoff));
	if (!elf_inside(&c->elf, h->phoff, (uint64_t)h->phnum * h->phentsize)) {
		rule_broken_at(&c->report, RULE_TRUNCATED, ELF_FIELD(&c->elf, 0, Ehdr, e_phoff),
			       "%u program headers at %#llx are not in a file of %#llx bytes",
			       h->phnum, X(h->phoff), X(c->elf.size));
		return false;
	}
	checked_aligned(c, "e_phoff", h->phoff, c->elf.is64 ? 8 : 4);
	/* Not a house rule: nothing more is looked at, so the image must not be good. */
	if (h->phnum > MAX_SEGMENTS) {
		rule_broken_at(&c->report, RULE_ELF, ELF_FIELD(&c->elf, 0, Ehdr, e_phnum),
			       "%u program headers, an image has about four", h->phnum);
		return false;
	}
	return true;
}

static void check_load(struct checked *c)
{
	const struct elf_segment *load = &c->load;
	uint32_t page = c->machine ? c->machine->largest_page : MACHINE_PAGE_MAX;
	uint64_t headers;

	if (load->offset != 0)
		rule_broken_at(
			&c->report, RULE_LOAD_OFFSET,
			ELF_FIELD(&c->elf, load->at, Phdr, p_offset),
			"the PT_LOAD has offset %#llx: the address in the vector must be that "
			"of the ELF header",
			X(load->offset));
	if (load->vaddr != 0)
		rule_broken_at(&c->report, RULE_LOAD_AT_ZERO,
			       ELF_FIELD(&c->elf, load->at, Phdr, p_vaddr),
			       "the PT_LOAD has address %#llx: symbols do not count from the "
			       "start of the image",
			       X(load->vaddr));
	if (load->flags != (PF_R | PF_X))
		rule_broken_at(
			&c->report, RULE_LOAD_FLAGS,
			ELF_FIELD(&c->elf, load->at, Phdr, p_flags),
			"p_flags of the PT_LOAD is %c%c%c, it must be R-X: rustix refuses the "
			"image without R or X, and nobody may write to it",
			load->flags & PF_R ? 'R' : '-', load->flags & PF_W ? 'W' : '-',
			load->flags & PF_X ? 'X' : '-');
	if (load->memsz != load->filesz)
		rule_broken_at(
			&c->report, RULE_LOAD_SIZES,
			ELF_FIELD(&c->elf, load->at, Phdr, p_memsz),
			"p_memsz is %#llx and p_filesz %#llx: there is a .bss, and nothing to "
			"clear it",
			X(load->memsz), X(load->filesz));
	if (!elf_inside(&c->elf, load->offset, load->filesz))
		rule_broken_at(
			&c->report, RULE_LOAD_SIZES,
			ELF_FIELD(&c->elf, load->at, Phdr, p_filesz),
			"the PT_LOAD, %#llx bytes at offset %#llx, is not in a file of %#llx "
			"bytes: reading the rest would be a bus error",
			X(load->filesz), X(load->offset), X(c->elf.size));
	/* 0 and 1 mean none. Less than a page is fine: arm64 links its image with -n. */
	if (load->align & (load->align - 1) || load->align > page)
		rule_broken_at(
			&c->report, RULE_LOAD_ALIGN,
			ELF_FIELD(&c->elf, load->at, Phdr, p_align),
			"p_align of the PT_LOAD is %#llx, it must be a power of two up to "
			"%#x: the image is mapped at any page",
			X(load->align), page);

	headers = c->header.phoff + (uint64_t)c->header.phnum * c->header.phentsize;
	if (load->offset == 0 && headers > load->filesz)
		rule_broken_at(
			&c->report, RULE_LOAD_COVERS,
			ELF_FIELD(&c->elf, load->at, Phdr, p_filesz),
			"the program headers end at %#llx and the PT_LOAD at %#llx: every "
			"client begins there",
			X(headers), X(load->filesz));
}

/* A segment that only points into the PT_LOAD: is it in there, with the same bytes? */
static void check_covered(struct checked *c, const char *what, const struct elf_segment *s)
{
	uint64_t offset;

	if (!elf_inside(&c->elf, s->offset, s->filesz))
		rule_broken_at(&c->report, RULE_TRUNCATED,
			       ELF_FIELD(&c->elf, s->at, Phdr, p_offset),
			       "%s, %#llx bytes at offset %#llx, is not in the file", what,
			       X(s->filesz), X(s->offset));
	else if (c->has_load && checked_offset(c, what, s->vaddr, s->memsz, &offset) &&
		 offset != s->offset)
		rule_broken_at(
			&c->report, RULE_LOAD_COVERS, ELF_FIELD(&c->elf, s->at, Phdr, p_vaddr),
			"%s is at offset %#llx of the file and at %#llx of the mapped image: "
			"readers of the two see different things",
			what, X(s->offset), X(offset));
}

static void check_other(struct checked *c, const struct elf_segment *s)
{
	switch (s->type) {
	case PT_NULL:
	case PT_LOAD:
		return;
	case PT_DYNAMIC:
		check_covered(c, "the PT_DYNAMIC", s);
		return;
	case PT_NOTE:
		check_covered(c, "a PT_NOTE", s);
		return;
	case PT_GNU_EH_FRAME:
		check_covered(c, "the PT_GNU_EH_FRAME", s);
		return;
	case PT_GNU_PROPERTY:
		check_covered(c, "the PT_GNU_PROPERTY", s);
		return;
	/* The program headers themselves: QEMU's images have it. */
	case PT_PHDR:
		check_covered(c, "the PT_PHDR", s);
		return;
	case PT_GNU_SFRAME:
		check_covered(c, "the PT_GNU_SFRAME", s);
		return;
	case PT_GNU_STACK:
		if (s->flags & PF_X)
			rule_broken_at(
				&c->report, RULE_SEGMENTS,
				ELF_FIELD(&c->elf, s->at, Phdr, p_flags),
				"PT_GNU_STACK has PF_X: the image asks for an executable "
				"stack");
		return;
	case PT_INTERP:
		rule_broken_at(&c->report, RULE_NO_INTERP, s->at,
			       "there is a PT_INTERP: rustix refuses the image");
		return;
	case PT_TLS:
		rule_broken_at(
			&c->report, RULE_NO_TLS, s->at,
			"there is a PT_TLS: nothing gives a vDSO thread-local storage, and "
			"glibc stops with an assertion");
		return;
	case PT_GNU_RELRO:
		rule_broken_at(&c->report, RULE_NO_RELRO, s->at,
			       "there is a PT_GNU_RELRO: rustix refuses the image");
		return;
	}
	if (machine_has_segment(c->header.machine, s->type))
		return;
	rule_broken_at(&c->report, RULE_SEGMENTS, s->at,
		       "a segment of type %#x, which no vDSO has: nothing handles it", s->type);
}

bool check_segments(struct checked *c)
{
	unsigned nr_load = 0, nr_dynamic = 0, nr_eh_frame_hdr = 0;

	for (unsigned i = 0; i < c->header.phnum; i++) {
		struct elf_segment s = checked_segment(c, i);

		if (s.type == PT_LOAD && nr_load++ == 0)
			c->load = s;
		if (s.type == PT_DYNAMIC && nr_dynamic++ == 0)
			c->dynamic = s;
		if (s.type == PT_GNU_EH_FRAME && nr_eh_frame_hdr++ == 0)
			c->eh_frame_hdr = s;
	}
	c->has_load = nr_load > 0;
	c->has_dynamic = nr_dynamic > 0;
	c->has_eh_frame_hdr = nr_eh_frame_hdr > 0;

	if (nr_load != 1)
		rule_broken_at(
			&c->report, RULE_ONE_LOAD, ELF_FIELD(&c->elf, 0, Ehdr, e_phnum),
			"%u PT_LOAD segments, there must be one: glibc before December 2025 "
			"falls back to system calls, CRIU and gdb go by one mapping",
			nr_load);
	if (nr_dynamic != 1)
		rule_broken_at(
			&c->report, RULE_DYNAMIC, ELF_FIELD(&c->elf, 0, Ehdr, e_phnum),
			"%u PT_DYNAMIC segments, there must be one: it is how every libc finds "
			"the symbols",
			nr_dynamic);
	if (nr_eh_frame_hdr > 1)
		rule_broken_at(&c->report, RULE_EH_FRAME, ELF_FIELD(&c->elf, 0, Ehdr, e_phnum),
			       "%u PT_GNU_EH_FRAME segments, there can be only one",
			       nr_eh_frame_hdr);
	if (c->has_load)
		check_load(c);
	for (unsigned i = 0; i < c->header.phnum; i++) {
		struct elf_segment s = checked_segment(c, i);

		check_other(c, &s);
	}
	return c->has_load;
}
