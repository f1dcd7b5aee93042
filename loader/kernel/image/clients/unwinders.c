/*
 * unwinders.c - libgcc's unwinder and LLVM's: is there a way back from every instruction?
 *
 * Both find the description of a function (an FDE) by the search table of PT_GNU_EH_FRAME, take
 * from its CIE how to read it, and execute its rows up to the instruction in question. They
 * differ in what they ask of all that, and in what they do when it is wrong:
 *
 *   libgcc   unwind-dw2-fde-dip.c find_fde_tail(), unwind-dw2.c extract_cie_info() and
 *            execute_cfa_program(). Asks little; what it does not know ends in abort().
 *   LLVM     EHHeaderParser::findFDE(), CFI_Parser::decodeFDE() and parseFDEInstructions().
 *            Asks for a CIE of version 1 or 3; what it does not know ends the walk.
 */
#include <string.h>

#include "kernel/image/clients/judges.h"
#include "kernel/image/unwind/padding.h"

#define PE_OMIT 0xff
#define PCREL   0x10
#define DATAREL 0x30

enum unwinder { LIBGCC, LLVM };

struct unwinding {
	enum unwinder unwinder;
	uint64_t hdr, table, bias;
	uint32_t nr;
	unsigned lost; /* places without a way back, and the first of them */
	uint64_t first_lost;
	const char *why;
};

/* What an FDE and its CIE say. */
struct description {
	uint64_t start, end;             /* of the code */
	uint64_t cie_rows, cie_rows_end; /* of the CIE's instructions */
	uint64_t rows, rows_end;         /* of the FDE's */
	uint64_t code_align;
	unsigned encoding;
	uint64_t return_column;
	bool signal_frame;
};

static uint64_t leb128(struct look *l, uint64_t *at, bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = look_u8(l, (*at)++);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !l->over);
	if (is_signed && byte & 0x40 && shift < 64)
		value |= -(1ull << shift);
	return value;
}

static void malformed(struct look *l, unsigned encoding)
{
	look_end(l, CLIENT_CRASHES, "eh-frame", "it aborts on an address of encoding %#x",
		 encoding);
}

/* An address or a length of the unwind data (LSB, DW_EH_PE_*). */
static uint64_t encoded(struct look *l, unsigned encoding, uint64_t hdr, uint64_t *at)
{
	uint64_t from = *at, value = 0;

	switch (encoding & 0xf) {
	case 0x0:
		value = look_word(l, *at);
		*at += l->elf.is64 ? 8 : 4;
		break;
	case 0x1:
	case 0x9:
		value = leb128(l, at, encoding & 8);
		break;
	case 0x2:
		value = look_u16(l, *at);
		*at += 2;
		break;
	case 0xa:
		value = (uint64_t)(int16_t)look_u16(l, *at);
		*at += 2;
		break;
	case 0x3:
		value = look_u32(l, *at);
		*at += 4;
		break;
	case 0xb:
		value = (uint64_t)(int32_t)look_u32(l, *at);
		*at += 4;
		break;
	case 0x4:
	case 0xc:
		value = look_there(l, *at, 8) ? elf_u64(&l->elf, *at) : 0;
		*at += 8;
		break;
	default:
		malformed(l, encoding);
		return 0;
	}
	switch (encoding & 0x70) {
	case 0:
		return value;
	case PCREL:
		return value + from;
	case DATAREL:
		return value + hdr;
	}
	malformed(l, encoding);
	return 0;
}

/* A place with no way back: the walk ends there, and with it backtrace, profile or exception.
 */
static void lose(struct unwinding *u, uint64_t pc, const char *why)
{
	if (!u->lost++) {
		u->first_lost = pc;
		u->why = why;
	}
}

/* Reads the CIE. NULL, or why there is no going on. */
static const char *read_cie(struct look *l, struct unwinding *u, uint64_t cie,
			    struct description *d)
{
	uint64_t length = look_u32(l, cie), letters = cie + 9, at, data_end = 0;
	uint8_t version = look_u8(l, cie + 8), letter;

	d->cie_rows_end = cie + 4 + length;
	if (u->unwinder == LLVM && look_u32(l, cie + 4))
		return "its CIE has an ID that is not 0";
	if (u->unwinder == LLVM && version != 1 && version != 3)
		return "its CIE has a version other than 1 and 3";
	at = letters + look_length(l, letters) + 1;
	if (u->unwinder == LIBGCC && version >= 4) {
		if (look_u8(l, at) != (l->elf.is64 ? 8 : 4) || look_u8(l, at + 1)) {
			look_end(l, CLIENT_CRASHES, "eh-frame",
				 "it aborts on a CIE of version %u", version);
			return "a CIE of an unknown version";
		}
		at += 2;
	}
	d->encoding = 0;
	d->code_align = leb128(l, &at, false);
	leb128(l, &at, true);
	if (version == 1)
		d->return_column = look_u8(l, at++);
	else
		d->return_column = leb128(l, &at, false);
	if (look_u8(l, letters) != 'z') {
		/* Without it nothing says where unknown data ends. */
		d->cie_rows = at;
		return look_u8(l, letters) && u->unwinder == LIBGCC
			       ? "its CIE has augmentation data of unknown length"
			       : NULL;
	}
	data_end = leb128(l, &at, false);
	data_end += at;
	for (letters++; (letter = look_u8(l, letters)) && !l->over; letters++) {
		if (letter == 'R')
			d->encoding = look_u8(l, at++);
		else if (letter == 'L')
			at++;
		else if (letter == 'S')
			d->signal_frame = true;
		else if (letter == 'P') {
			unsigned how = look_u8(l, at++);

			encoded(l, how & 0x7f, u->hdr, &at);
		} else if (u->unwinder == LIBGCC && letter != 'B')
			break;
	}
	d->cie_rows = data_end;
	return NULL;
}

static const char *read_fde(struct look *l, struct unwinding *u, uint64_t fde, uint64_t start,
			    struct description *d)
{
	uint32_t length = look_u32(l, fde), distance = look_u32(l, fde + 4);
	uint64_t at = fde + 8, begin, range, cie;
	const char *why;

	if (u->unwinder == LLVM && !length)
		return "its FDE has no length";
	if (u->unwinder == LLVM && !distance)
		return "its FDE is a CIE";
	/* As signed, and as unsigned: for a distance that is too large both end up outside. */
	cie = u->unwinder == LIBGCC ? fde + 4 - (uint64_t)(int64_t)(int32_t)distance
				    : fde + 4 - distance;
	why = read_cie(l, u, cie, d);
	if (why)
		return why;
	if (u->unwinder == LIBGCC) {
		unsigned size = d->encoding & 7;

		if (d->encoding != PE_OMIT && size != 0 && size != 2 && size != 3 &&
		    size != 4) {
			malformed(l, d->encoding);
			return "an unknown encoding";
		}
	}
	begin = encoded(l, d->encoding, u->hdr, &at);
	range = encoded(l, d->encoding & 0xf, u->hdr, &at);
	if (u->unwinder == LIBGCC)
		begin = start; /* as the table says */
	else if (!(d->encoding & 0x70))
		return "its FDE gives an address that nobody has relocated";
	d->start = begin;
	d->end = begin + range;
	/* The augmentation data of an FDE is there when that of the CIE is. */
	d->rows = at;
	if (look_u8(l, cie + 9) == 'z') {
		uint64_t data = leb128(l, &at, false);

		d->rows = at + data;
	}
	d->rows_end = fde + 4 + length;
	return NULL;
}

/* How the frame's address and the return address are known; those of a row. */
struct row {
	enum { CFA_UNKNOWN, CFA_REGISTER, CFA_EXPRESSION } cfa;
	bool returns;
};

static void unknown_instruction(struct look *l, struct unwinding *u, unsigned opcode,
				uint64_t pc)
{
	if (u->unwinder == LIBGCC)
		look_end(l, CLIENT_CRASHES, "eh-frame",
			 "it aborts on the instruction %#x, for the code at %#llx", opcode,
			 (unsigned long long)pc);
	else
		lose(u, pc, "an instruction that it does not know");
}

/*
 * Executes the rows from at to end, for the code up to last. False when it stops. at the
 * beginning of a row what was known before holds for the code up to there.
 */
static bool execute(struct look *l, struct unwinding *u, const struct description *d,
		    uint64_t at, uint64_t end, uint64_t *pc, uint64_t last, struct row *row,
		    bool look_at_rows)
{
	struct row stack[16];
	unsigned depth = 0;

	while (at < end && *pc <= last && !l->over) {
		unsigned opcode = look_u8(l, at++);
		uint64_t from = *pc, number;

		switch (opcode & 0xc0) {
		case 0x40: /* advance_loc */
			*pc += (opcode & 0x3f) * d->code_align;
			break;
		case 0x80: /* offset */
			leb128(l, &at, false);
			row->returns |= (opcode & 0x3f) == d->return_column;
			break;
		case 0xc0: /* restore */
			break;
		default:
			switch (opcode) {
			case 0x00: /* nop */
				break;
			case 0x01: /* set_loc */
				*pc = encoded(l, d->encoding, u->hdr, &at);
				break;
			case 0x02: /* advance_loc1, 2, 4 */
				*pc += look_u8(l, at) * d->code_align;
				at += 1;
				break;
			case 0x03:
				*pc += look_u16(l, at) * d->code_align;
				at += 2;
				break;
			case 0x04:
				*pc += look_u32(l, at) * d->code_align;
				at += 4;
				break;
			case 0x05: /* offset_extended, and its signed form */
			case 0x11:
			case 0x14: /* val_offset, and its signed form */
			case 0x15:
			case 0x2f: /* GNU_negative_offset_extended */
				number = leb128(l, &at, false);
				leb128(l, &at, false);
				row->returns |= number == d->return_column;
				break;
			case 0x06: /* restore_extended */
			case 0x08: /* same_value */
			case 0x2e: /* GNU_args_size */
				leb128(l, &at, false);
				break;
			case 0x07: /* undefined */
				number = leb128(l, &at, false);
				if (number == d->return_column)
					row->returns = false;
				break;
			case 0x09: /* register */
				number = leb128(l, &at, false);
				leb128(l, &at, false);
				row->returns |= number == d->return_column;
				break;
			case 0x0a: /* remember_state */
				if (depth < sizeof(stack) / sizeof(stack[0]))
					stack[depth++] = *row;
				break;
			case 0x0b: /* restore_state */
				if (depth)
					*row = stack[--depth];
				else if (u->unwinder == LIBGCC)
					look_end(l, CLIENT_CRASHES, "eh-frame",
						 "it restores a state that was not remembered, "
						 "for the code at %#llx",
						 (unsigned long long)*pc);
				else
					return false;
				break;
			case 0x0c: /* def_cfa, and its signed form */
			case 0x12:
				leb128(l, &at, false);
				leb128(l, &at, false);
				row->cfa = CFA_REGISTER;
				break;
			case 0x0d: /* def_cfa_register */
				leb128(l, &at, false);
				row->cfa = CFA_REGISTER;
				break;
			case 0x0e: /* def_cfa_offset, and its signed form */
			case 0x13:
				leb128(l, &at, false);
				break;
			case 0x0f: /* def_cfa_expression */
				number = leb128(l, &at, false);
				at += number;
				row->cfa = CFA_EXPRESSION;
				break;
			case 0x10: /* expression, val_expression */
			case 0x16:
				number = leb128(l, &at, false);
				row->returns |= number == d->return_column;
				number = leb128(l, &at, false);
				at += number;
				break;
			default:
				/* AARCH64_negate_ra_state, which is also GNU_window_save. */
				if (opcode == 0x2d)
					break;
				unknown_instruction(l, u, opcode, *pc);
				return false;
			}
		}
		/* The code between from and *pc has the row as it was. */
		if (look_at_rows && *pc > from && row->cfa == CFA_UNKNOWN)
			return true;
	}
	return !l->over;
}

static void follow(struct look *l, struct unwinding *u, const struct description *d)
{
	bool x86 = l->header.machine == EM_X86_64 || l->header.machine == EM_386;
	struct row row = {CFA_UNKNOWN, !x86};
	uint64_t pc = 0;

	if (!execute(l, u, d, d->cie_rows, d->cie_rows_end, &pc, UINT64_MAX, &row, false)) {
		if (!l->over && !u->lost)
			lose(u, d->start, "its rows end too early");
		return;
	}
	pc = d->start;
	if (!execute(l, u, d, d->rows, d->rows_end, &pc, d->end - 1, &row, true)) {
		if (!l->over && !u->lost)
			lose(u, pc, "its rows end too early");
		return;
	}
	if (row.cfa == CFA_UNKNOWN)
		look_end(l, CLIENT_CRASHES, "eh-frame",
			 "it aborts: no row says where the frame is, for the code at %#llx",
			 (unsigned long long)d->start);
	else if (!row.returns)
		lose(u, d->start, "no row says where the return address is");
}

static uint64_t entry_start(struct look *l, const struct unwinding *u, uint32_t i)
{
	return u->hdr + (uint64_t)(int64_t)(int32_t)look_u32(l, u->table + 8ull * i);
}

/*
 * LLVM looks through all of .eh_frame for what it did not find by the table, up to a length of
 * 0. (It takes a range there to begin after its first byte; but from the first instruction of a
 * function it loses its way in any case, for it looks for one byte less.)
 */
static bool scan(struct look *l, struct unwinding *u, uint64_t eh_frame, uint64_t pc,
		 struct description *d)
{
	uint64_t at = eh_frame;

	for (;;) {
		uint32_t length = look_u32(l, at);
		struct description found = {0};

		if (!length || l->over)
			return false;
		if (look_u32(l, at + 4) && !read_fde(l, u, at, 0, &found) &&
		    found.start <= pc && pc < found.end) {
			*d = found;
			return true;
		}
		at += 4 + (uint64_t)length;
	}
}

/*
 * The description for the code at pc; false without one. until is where it stops to hold.
 */
static bool find_description(struct look *l, struct unwinding *u, uint64_t eh_frame,
			     uint64_t pc, struct description *d, uint64_t *until,
			     const char **why)
{
	uint32_t low = 0, high = u->nr;

	/* The last entry that does not begin after pc; what is not sorted is not found. */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (entry_start(l, u, mid) <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	*until = low < u->nr ? entry_start(l, u, low) : UINT64_MAX;
	*why = "no description";
	*d = (struct description){0};
	if (low > 0) {
		uint64_t start = entry_start(l, u, low - 1);
		uint64_t entry = u->table + 8ull * (low - 1);
		const char *wrong = read_fde(
			l, u, u->hdr + (uint64_t)(int64_t)(int32_t)look_u32(l, entry + 4),
			start, d);

		if (wrong)
			*why = wrong;
		if (!wrong && !l->over && pc >= d->start && pc < d->end) {
			if (d->end < *until)
				*until = d->end;
			return true;
		}
	}
	return u->unwinder == LLVM && !l->over && scan(l, u, eh_frame, pc, d);
}

/* A size that is too large reaches into what stands between functions, which nobody runs. */
static bool is_filling(struct look *l, uint64_t pc, uint64_t end)
{
	return elf_inside(&l->elf, pc, end - pc) &&
	       padding_length(&l->elf, pc, end - pc) == end - pc;
}

/* All of a function, one description after the other. */
static void walk(struct look *l, struct unwinding *u, uint64_t eh_frame, uint64_t start,
		 uint64_t end)
{
	uint64_t pc = start;

	/*
	 * A signal at the first instruction: LLVM takes its address for that of a return, looks
	 * for one byte less, and finds nothing there. That is fine where the descriptions have
	 * an end.
	 */
	if (u->unwinder == LLVM) {
		struct description before;
		const char *why;
		uint64_t until;

		find_description(l, u, eh_frame, start - 1, &before, &until, &why);
	}
	while (pc < end && !l->over) {
		struct description d;
		const char *why;
		uint64_t until;

		if (find_description(l, u, eh_frame, pc, &d, &until, &why))
			follow(l, u, &d);
		else if (pc == start || !is_filling(l, pc, until < end ? until : end))
			lose(u, pc, why);
		if (until <= pc)
			break;
		pc = until;
	}
}

/*
 * The functions that are exported, of which the sections know: unwinders themselves have only
 * their own table. And where one description ends long before the next begins.
 */
static void walk_all(struct look *l, struct unwinding *u, uint64_t eh_frame)
{
	struct elf_section text, dynsym = {0};
	uint64_t size = ELF_SIZEOF(&l->elf, Sym);

	if (!elf_find_section(&l->elf, SHT_DYNSYM, &dynsym))
		dynsym.size = 0;
	for (uint64_t i = 1; i < dynsym.size / size && i < 256 && !l->over; i++) {
		struct elf_symbol sym = elf_symbol(&l->elf, dynsym.offset + i * size);
		uint64_t start = sym.value + u->bias;

		if (ELF64_ST_TYPE(sym.info) != STT_FUNC || sym.shndx == SHN_UNDEF ||
		    sym.shndx >= SHN_LORESERVE || start < ELF_SIZEOF(&l->elf, Ehdr) ||
		    start >= l->size)
			continue;
		walk(l, u, eh_frame, start,
		     start + (sym.size && sym.size < l->size ? sym.size : 1));
	}
	for (uint32_t i = 0; i < u->nr && !l->over; i++) {
		struct description d;
		const char *why;
		uint64_t start = entry_start(l, u, i), until;

		if (!find_description(l, u, eh_frame, start, &d, &until, &why)) {
			lose(u, start, why);
			continue;
		}
		follow(l, u, &d);
		/* Between functions is padding, of less than a cache line. */
		if (i + 1 < u->nr && entry_start(l, u, i + 1) > until + 63)
			lose(u, until, "no description");
	}
	/* So is the end of the code, if sections say where that is. */
	for (unsigned i = 0; i < l->header.shnum && i < 64 && !l->over; i++) {
		text = elf_section_at(&l->elf, i);
		if (text.type == SHT_PROGBITS && text.flags & SHF_EXECINSTR && u->nr &&
		    entry_start(l, u, 0) > text.addr + u->bias + 63 &&
		    entry_start(l, u, 0) < text.addr + u->bias + text.size)
			lose(u, text.addr + u->bias, "no description");
	}
}

static void judge_unwinder(struct look *l, enum unwinder unwinder)
{
	struct segments s = look_segments(l, ELF_SIZEOF(&l->elf, Phdr));
	struct unwinding u = {.unwinder = unwinder};
	uint8_t version, ptr_encoding, count_encoding, table_encoding;
	uint64_t at, eh_frame;

	if (!s.nr_load || !s.has_eh_frame_hdr) {
		look_end(l, CLIENT_FALLS_BACK, "eh-frame",
			 "there is no PT_GNU_EH_FRAME: no way leads out of the vDSO");
		return;
	}
	/* Linker scripts that throw .eh_frame_hdr away leave that: its address is the ELF
	 * header's. */
	if (!s.eh_frame_hdr.filesz) {
		look_end(l, CLIENT_FALLS_BACK, "eh-frame",
			 "the PT_GNU_EH_FRAME is empty: no way leads out of the vDSO");
		return;
	}
	u.bias = -s.first_load.vaddr;
	u.hdr = s.eh_frame_hdr.vaddr + u.bias;
	l->part = PART_UNWIND;
	version = look_u8(l, u.hdr);
	ptr_encoding = look_u8(l, u.hdr + 1);
	count_encoding = look_u8(l, u.hdr + 2);
	table_encoding = look_u8(l, u.hdr + 3);
	if (version != 1)
		look_end(l, CLIENT_FALLS_BACK, "eh-frame",
			 "the PT_GNU_EH_FRAME has version %u: no way leads out of the vDSO",
			 version);
	at = u.hdr + 4;
	eh_frame = encoded(l, ptr_encoding, u.hdr, &at);
	if (count_encoding != PE_OMIT && table_encoding == (DATAREL | 0xb)) {
		u.nr = (uint32_t)encoded(l, count_encoding, u.hdr, &at);
		u.table = at;
	}
	/* LLVM goes on without. */
	if (!l->over && !u.nr && unwinder == LIBGCC)
		look_end(l, CLIENT_FALLS_BACK, "eh-frame",
			 "the PT_GNU_EH_FRAME has no search table: no way leads out of the "
			 "vDSO");
	walk_all(l, &u, eh_frame);
	if (l->over)
		return;
	if (u.lost)
		look_end(l, CLIENT_FALLS_BACK, "eh-frame",
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
