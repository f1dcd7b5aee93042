/*
 * unwinders.c - libgcc's unwinder and LLVM's: is there a way back from every instruction?
 *
 * Both find the description of a function (an FDE) by the search table of PT_GNU_EH_FRAME, take
 * from its CIE how to read it, and execute its rows up to the instruction in question. They
 * differ in what they ask of all that, and in what they do when it is wrong:
 *
 *   libgcc   unwind-dw2-fde-dip.c find_fde_tail(), unwind-dw2-fde.c linear_search_fdes(),
 *            unwind-dw2.c extract_cie_info(), execute_cfa_program() and
 *            uw_update_context_1(). Asks little; what it does not know ends in abort().
 *   LLVM     EHHeaderParser::findFDE(), CFI_Parser::decodeFDE(), findFDE() and
 *            parseFDEInstructions(), DwarfInstructions::stepWithDwarf(). Asks for a CIE of
 *            version 1 or 3; what it does not know ends the walk, or, with a message, the
 *            program.
 *
 * unwinding.h says where each of that is; here all code is gone through. Whether a row is right
 * is not theirs to know, but decides what happens: unwind/row.h says it.
 */
#include <string.h>

#include "kernel/image/clients/unwinding.h"
#include "kernel/image/unwind/padding.h"

/* How far into its function a description may begin: before it is only a mark for jumps. */
#define LATE_START 16

/* The description for the code at pc, all of it; false, and why there is none. */
static bool find_description(struct look *l, struct unwinding *u, uint64_t pc,
			     struct description *d, const char **why)
{
	const char *wrong = NULL;
	bool found;

	*why = "no description";
	*d = (struct description){0};
	if (pc >= u->load_end) {
		*why = "it is outside of the PT_LOAD";
		return false;
	}
	found = u->unwinder == LIBGCC ? gcc_find(l, u, pc, d) : llvm_find(l, u, pc, d, why);
	if (found && u->unwinder == LIBGCC)
		wrong = gcc_read(l, u, d);
	if (wrong)
		*why = wrong;
	return found && !wrong && !l->over;
}

/* The next description's beginning, which only we ask for. */
static uint64_t next_start(struct look *l, struct unwinding *u, uint64_t pc)
{
	uint64_t next = UINT64_MAX;

	for (uint64_t i = 0; i < u->nr && i < 1024 && u->table_encoding == TABLE_NORMAL; i++) {
		uint64_t start =
			u->hdr + (uint64_t)(int64_t)(int32_t)elf_u32(&l->elf, u->table + 8 * i);

		if (start > pc && start < next)
			next = start;
	}
	return next;
}

static void walk(struct look *l, struct unwinding *u, uint64_t pc, uint64_t end)
{
	/*
	 * At the first instruction LLVM's looks for one byte less, and goes through all of
	 * .eh_frame. That is fine where that has an end.
	 */
	struct description d;
	const char *why;

	if (u->unwinder == LLVM)
		find_description(l, u, pc - 1, &d, &why);
	while (pc < end && !l->over) {
		uint64_t until = next_start(l, u, pc), padding;

		if (find_description(l, u, pc, &d, &why)) {
			unwinding_follow(l, u, &d);
			until = d.end < until ? d.end : until;
		} else if (!l->over && padding_is_known(&l->elf)) {
			until = until < end ? until : end;
			padding = padding_length(&l->elf, pc, until - pc);
			/* After what fills up there may be one that is not in the table. */
			if (padding && padding < until - pc)
				until = pc + padding;
			else if (!padding && until - pc >= padding_least_code(&l->elf))
				unwinding_lose(u, pc, why);
		}
		if (until <= pc)
			break;
		pc = until;
	}
}

/* The functions that are exported: from the first byte on, or from what follows a mark. */
static void walk_exported(struct look *l, struct unwinding *u)
{
	uint64_t size = ELF_SIZEOF(&l->elf, Sym);

	for (uint64_t i = 1; i < u->dynsym.size / size && i < 256 && !l->over; i++) {
		struct elf_symbol sym = elf_symbol(&l->elf, u->dynsym.offset + i * size);
		uint64_t start = machine_code(machine_of(&l->elf), sym.value) + u->bias, next;
		struct description d;
		const char *why;

		if (ELF64_ST_TYPE(sym.info) != STT_FUNC || sym.shndx == SHN_UNDEF ||
		    sym.shndx >= SHN_LORESERVE || start < ELF_SIZEOF(&l->elf, Ehdr) ||
		    start >= l->size || find_description(l, u, start, &d, &why))
			continue;
		next = next_start(l, u, start);
		if (next - start > LATE_START ||
		    padding_length(&l->elf, start, next - start) < next - start)
			unwinding_lose(u, start, why);
	}
}

static void walk_all(struct look *l, struct unwinding *u)
{
	bool has_code = false;

	walk_exported(l, u);
	/* What is written over other code is never run where it stands, and has no description.
	 */
	for (unsigned i = 0; i < l->header.shnum && i < 64 && !l->over; i++) {
		struct elf_section s = elf_section_at(&l->elf, i);
		uint64_t at = s.addr + u->bias;

		if (s.type != SHT_PROGBITS || !(s.flags & SHF_ALLOC) ||
		    !(s.flags & SHF_EXECINSTR) || at >= l->size || s.size > l->size - at)
			continue;
		has_code = true;
		if (next_start(l, u, at - 1) < at + s.size || !u->nr)
			walk(l, u, at, at + s.size);
	}
	for (uint64_t i = 0; i < u->nr && !has_code && !l->over; i++)
		walk(l, u, unwinding_entry(l, u, i), unwinding_entry(l, u, i) + 1);
}

/* Both take the first one. LLVM's goes on to the next if it is not of version 1. */
static bool find_hdr(struct look *l, struct unwinding *u, struct elf_segment *hdr)
{
	unsigned stride = ELF_SIZEOF(&l->elf, Phdr);
	bool found = false;

	for (unsigned i = 0; i < l->header.phnum && !l->over; i++) {
		struct elf_segment s = look_segment(l, l->header.phoff + (uint64_t)i * stride);

		if (s.type != PT_GNU_EH_FRAME)
			continue;
		if (!found)
			*hdr = s;
		found = true;
		if (u->unwinder == LIBGCC || elf_u8(&l->elf, s.vaddr + u->bias) == 1) {
			*hdr = s;
			break;
		}
	}
	return found;
}

static void judge_unwinder(struct look *l, enum unwinder unwinder)
{
	struct segments s = look_segments(l, ELF_SIZEOF(&l->elf, Phdr));
	struct elf_segment hdr = {0};
	struct unwinding u = {.unwinder = unwinder, .convention = convention_of(&l->elf)};
	uint64_t at;
	bool absolute;

	u.bias = -s.first_load.vaddr;
	if (!s.nr_load || !find_hdr(l, &u, &hdr)) {
		look_end(l, CLIENT_FALLS_BACK, "eh-frame",
			 "there is no PT_GNU_EH_FRAME: no way leads out of the vDSO");
		return;
	}
	/* Linker scripts that throw .eh_frame_hdr away leave that: its address is the ELF
	 * header's. */
	if (!hdr.filesz) {
		look_end(l, CLIENT_FALLS_BACK, "eh-frame",
			 "the PT_GNU_EH_FRAME is empty: no way leads out of the vDSO");
		return;
	}
	u.load_end = s.last_load.vaddr + s.last_load.memsz + u.bias;
	u.hdr = hdr.vaddr + u.bias;
	l->part = PART_UNWIND;
	if (look_u8(l, u.hdr) != 1)
		look_end(l, CLIENT_FALLS_BACK, "eh-frame-hdr",
			 "the PT_GNU_EH_FRAME has version %u: no way leads out of the vDSO",
			 look_u8(l, u.hdr));
	u.count_encoding = look_u8(l, u.hdr + 2);
	u.table_encoding = look_u8(l, u.hdr + 3);
	at = u.hdr + 4;
	u.eh_frame = unwinding_encoded(l, &u, look_u8(l, u.hdr + 1), u.hdr, &at, &absolute);
	if (u.count_encoding != PE_OMIT)
		u.nr = unwinding_encoded(l, &u, u.count_encoding, u.hdr, &at, &absolute);
	u.table = at;
	if (!elf_find_section(&l->elf, SHT_DYNSYM, &u.dynsym))
		u.dynsym.size = 0;
	walk_all(l, &u);
	if (l->over)
		return;
	if (u.lost)
		look_end(l, CLIENT_FALLS_BACK,
			 !strcmp(u.why, "no description") ? "eh-frame" : "cfi",
			 "no way back from the code at %#llx: %s%s",
			 (unsigned long long)u.first_lost, u.why,
			 u.lost > 1 ? ", and from other code" : "");
	else
		look_end(l, CLIENT_OURS, NULL, "%s", "");
}

void judge_libgcc(struct look *l)
{
	judge_unwinder(l, LIBGCC);
}

void judge_libunwind(struct look *l)
{
	judge_unwinder(l, LLVM);
}
