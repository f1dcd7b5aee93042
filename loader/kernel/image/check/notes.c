/*
 * notes.c - the notes, and the table for unwinding.
 *
 * A note is an owner, a type and a descriptor, each padded, one behind the other:
 * whoever looks for the second must trust the sizes of the first. Sections of
 * different alignment merged into one have broken that (a page with
 * .note.gnu.property among its notes ends in rubbish). Two of them a page has:
 * "Linux" type 0, the kernel's version, which glibc once went by, and "GNU" type 3,
 * the build id, by which debuggers find the unstripped page.
 *
 * The second half: a signal or a debugger may come while a program is in the
 * page. To walk out of there, unwinders search the table of PT_GNU_EH_FRAME
 * for the function (LSB, .eh_frame_hdr; only one encoding of it is ever searched).
 */
#include <string.h>

#include "kernel/image/check/parts.h"

/* LINUX_VERSION_CODE; elf.h has no name for it. */
#define NT_LINUX_VERSION 0

struct found {
	bool version, build_id;
};

static void check_note(struct check *c, uint64_t at, uint32_t namesz, uint32_t descsz,
		       struct found *found)
{
	const char *owner = elf_string(&c->elf, at + 12, at + 12 + namesz);
	uint32_t type = elf_u32(&c->elf, at + 8);

	if (namesz && (!owner || strlen(owner) + 1 != namesz)) {
		broken(c, RULE_NOTES,
		       "the owner of the note at offset %#llx is no string of %u bytes", X(at),
		       namesz);
		return;
	}
	if (!owner)
		return;
	if (!strcmp(owner, "Linux") && type == NT_LINUX_VERSION) {
		found->version = true;
		if (descsz != 4)
			broken(c, RULE_NOTES,
			       "the Linux note of type 0 has %u bytes, a kernel version has 4",
			       descsz);
	}
	if (!strcmp(owner, "GNU") && type == NT_GNU_BUILD_ID) {
		found->build_id = true;
		if (descsz < 8)
			broken(c, RULE_NOTES,
			       "the build id has %u bytes: too few to tell one page from "
			       "another",
			       descsz);
	}
}

static uint64_t aligned(uint64_t size, uint64_t align)
{
	return (size + align - 1) & ~(align - 1);
}

static void check_note_segment(struct check *c, const struct elf_segment *s,
			       struct found *found)
{
	/* 8 only where a segment of its own says so, for .note.gnu.property. */
	uint64_t align = s->align == 8 ? 8 : 4;
	uint64_t at = s->offset, end;

	if (!elf_inside(&c->elf, s->offset, s->filesz))
		return; /* reported with the program headers */
	end = s->offset + s->filesz;
	while (end - at >= 12) {
		uint32_t namesz = elf_u32(&c->elf, at), descsz = elf_u32(&c->elf, at + 4);
		uint64_t desc = aligned(12ull + namesz, align);
		uint64_t next = aligned(desc + descsz, align);

		if (desc + descsz > end - at) {
			broken(c, RULE_NOTES,
			       "the note at offset %#llx, %u and %u bytes, runs over the end "
			       "of its segment at %#llx",
			       X(at), namesz, descsz, X(end));
			return;
		}
		check_note(c, at, namesz, descsz, found);
		/* The padding of the last one may be missing. */
		at = next < end - at ? at + next : end;
	}
	if (at != end)
		broken(c, RULE_NOTES, "%#llx bytes after the last note, at offset %#llx",
		       X(end - at), X(at));
}

void check_notes(struct check *c)
{
	struct found found = {false, false};

	for (unsigned i = 0; i < c->header.phnum; i++) {
		struct elf_segment s = segment_at(c, i);

		if (s.type == PT_NOTE)
			check_note_segment(c, &s, &found);
	}
	if (!found.version)
		broken(c, RULE_NOTES, "no Linux note of type 0 with the version of the kernel");
	if (!found.build_id)
		broken(c, RULE_NOTES, "no build id: debuggers cannot find the unstripped page");
}

/* The encodings that every linker writes and every unwinder searches (DW_EH_PE_*). */
#define PCREL_SDATA4   0x1b
#define UDATA4         0x03
#define DATAREL_SDATA4 0x3b

struct search_table {
	uint64_t entries; /* file offset: pairs of function and FDE, relative to base */
	uint64_t base;    /* address of .eh_frame_hdr */
	uint32_t nr;
};

/* An address that is stored as its distance from another one; wraps as the class does. */
static uint64_t relative(const struct check *c, uint64_t base, uint64_t offset)
{
	uint64_t sum = base + (uint64_t)(int64_t)(int32_t)elf_u32(&c->elf, offset);

	return c->elf.is64 ? sum : (uint32_t)sum;
}

static uint64_t function_of(const struct check *c, const struct search_table *t, uint32_t i)
{
	return relative(c, t->base, t->entries + 8ull * i);
}

static bool check_search_table(struct check *c, struct search_table *t)
{
	const struct elf_segment *s = &c->eh_frame_hdr;
	const struct elf_bytes *elf = &c->elf;
	uint64_t at;

	if (s->filesz < 12) {
		broken(c, RULE_EH_FRAME,
		       "the PT_GNU_EH_FRAME has %#llx bytes, no table: was it linked without "
		       "--eh-frame-hdr?",
		       X(s->filesz));
		return false;
	}
	if (!address(c, "the PT_GNU_EH_FRAME", s->vaddr, s->filesz, &at))
		return false;
	if (elf_u8(elf, at) != 1 || elf_u8(elf, at + 1) != PCREL_SDATA4 ||
	    elf_u8(elf, at + 2) != UDATA4 || elf_u8(elf, at + 3) != DATAREL_SDATA4) {
		broken(c, RULE_EH_FRAME,
		       "version %u, encodings %#x %#x %#x: unwinders search only version 1 "
		       "with 0x1b 0x3 0x3b",
		       elf_u8(elf, at), elf_u8(elf, at + 1), elf_u8(elf, at + 2),
		       elf_u8(elf, at + 3));
		return false;
	}
	t->base = s->vaddr;
	t->nr = elf_u32(elf, at + 8);
	t->entries = at + 12;
	if (t->nr == 0 || t->nr > (s->filesz - 12) / 8) {
		broken(c, RULE_EH_FRAME, "a table of %u functions in %#llx bytes", t->nr,
		       X(s->filesz));
		return false;
	}
	for (uint32_t i = 1; i < t->nr; i++)
		if (function_of(c, t, i) <= function_of(c, t, i - 1)) {
			broken(c, RULE_EH_FRAME,
			       "the table is not sorted at entry %u: it is searched "
			       "by halving",
			       i);
			return false;
		}
	return true;
}

static void check_unwinds(struct check *c, const struct search_table *t, const char *name,
			  uint64_t pc)
{
	uint32_t low = 0, high = t->nr;
	uint64_t start, fde, at;

	/* The last entry that is not above pc. */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (function_of(c, t, mid) <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0) {
		broken(c, RULE_EH_FRAME, "%s at %#llx is below every entry of the table", name,
		       X(pc));
		return;
	}
	start = function_of(c, t, low - 1);
	/* The FDE: its length, its way to the CIE, where the function begins, how long it is.
	 */
	fde = relative(c, t->base, t->entries + 8ull * (low - 1) + 4);
	if (!address(c, "an FDE of .eh_frame", fde, 16, &at))
		return;
	if (relative(c, fde + 8, at + 8) != start)
		broken(c, RULE_EH_FRAME,
		       "the FDE at %#llx begins at %#llx, the table says %#llx: unwinding goes "
		       "wrong",
		       X(fde), X(relative(c, fde + 8, at + 8)), X(start));
	else if (pc - start >= elf_u32(&c->elf, at + 12))
		broken(c, RULE_EH_FRAME,
		       "%s at %#llx has no FDE: no backtrace, and no exception, gets out of it",
		       name, X(pc));
}

void check_eh_frame(struct check *c)
{
	struct search_table t;

	/* arm64 links its page without: there the debug data unwinds. */
	if (!c->has_eh_frame_hdr && c->header.machine == EM_AARCH64)
		return;
	if (!c->has_eh_frame_hdr) {
		broken(c, RULE_EH_FRAME,
		       "no PT_GNU_EH_FRAME: no backtrace, and no exception, gets out of the "
		       "page");
		return;
	}
	if (!check_search_table(c, &t))
		return;
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = symbol_at(c, i);

		if (is_function(&sym))
			check_unwinds(c, &t, symbol_name(c, i), sym.value);
	}
}
