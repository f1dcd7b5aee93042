/*
 * eh_frame.c - the table for unwinding.
 *
 * A signal or a debugger may come while a program is inside the vDSO. To walk out of there,
 * unwinders search the table of PT_GNU_EH_FRAME for the function (LSB, .eh_frame_hdr; only one
 * encoding of it is ever searched).
 */
#include "kernel/image/check/parts.h"

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
static uint64_t relative(const struct checked *c, uint64_t base, uint64_t offset)
{
	uint64_t sum = base + (uint64_t)(int64_t)(int32_t)elf_u32(&c->elf, offset);

	return c->elf.is64 ? sum : (uint32_t)sum;
}

static uint64_t function_of(const struct checked *c, const struct search_table *t, uint32_t i)
{
	return relative(c, t->base, t->entries + 8ull * i);
}

static bool check_search_table(struct checked *c, struct search_table *t)
{
	const struct elf_segment *s = &c->eh_frame_hdr;
	const struct elf_bytes *elf = &c->elf;
	uint64_t at;

	if (s->filesz < 12) {
		rule_broken(
			&c->report, RULE_EH_FRAME,
			"the PT_GNU_EH_FRAME has %#llx bytes, no table: was it linked without "
			"--eh-frame-hdr?",
			X(s->filesz));
		return false;
	}
	if (!checked_offset(c, "the PT_GNU_EH_FRAME", s->vaddr, s->filesz, &at))
		return false;
	if (elf_u8(elf, at) != 1 || elf_u8(elf, at + 1) != PCREL_SDATA4 ||
	    elf_u8(elf, at + 2) != UDATA4 || elf_u8(elf, at + 3) != DATAREL_SDATA4) {
		rule_broken(
			&c->report, RULE_EH_FRAME,
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
		rule_broken(&c->report, RULE_EH_FRAME, "a table of %u functions in %#llx bytes",
			    t->nr, X(s->filesz));
		return false;
	}
	for (uint32_t i = 1; i < t->nr; i++)
		if (function_of(c, t, i) <= function_of(c, t, i - 1)) {
			rule_broken(&c->report, RULE_EH_FRAME,
				    "the table is not sorted at entry %u: it is searched "
				    "by halving",
				    i);
			return false;
		}
	return true;
}

static void check_unwinds(struct checked *c, const struct search_table *t, const char *name,
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
		rule_broken(&c->report, RULE_EH_FRAME,
			    "%s at %#llx is below every entry of the table", name, X(pc));
		return;
	}
	start = function_of(c, t, low - 1);
	/*
	 * The FDE: its length, the distance to its CIE, where the function begins, its length.
	 */
	fde = relative(c, t->base, t->entries + 8ull * (low - 1) + 4);
	if (!checked_offset(c, "an FDE of .eh_frame", fde, 16, &at))
		return;
	if (relative(c, fde + 8, at + 8) != start)
		rule_broken(&c->report, RULE_EH_FRAME,
			    "the FDE at %#llx begins at %#llx, the table says %#llx: unwinding "
			    "goes "
			    "wrong",
			    X(fde), X(relative(c, fde + 8, at + 8)), X(start));
	else if (pc - start >= elf_u32(&c->elf, at + 12))
		rule_broken(&c->report, RULE_EH_FRAME,
			    "%s at %#llx has no FDE: no backtrace, and no exception, gets out "
			    "of it",
			    name, X(pc));
}

void check_eh_frame(struct checked *c)
{
	struct search_table t;

	/* arm and arm64 link their images without: there the debug data unwinds. */
	if (!c->has_eh_frame_hdr && c->machine && c->machine->no_unwind_table)
		return;
	if (!c->has_eh_frame_hdr) {
		rule_broken(
			&c->report, RULE_EH_FRAME,
			"no PT_GNU_EH_FRAME: no backtrace, and no exception, gets out of the "
			"vDSO");
		return;
	}
	if (!check_search_table(c, &t))
		return;
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);

		if (symbol_is_function(&sym))
			check_unwinds(c, &t, checked_name(c, i),
				      machine_code(c->machine, sym.value));
	}
}
