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
 *            version 1 or 3; what it does not know ends the walk, or the program with a
 * message.
 *
 * Whether a row is right is not theirs to know, but decides what happens: unwind/row.h says it.
 */
#include <string.h>

#include "kernel/image/clients/judges.h"
#include "kernel/image/machine.h"
#include "kernel/image/unwind/padding.h"
#include "kernel/image/unwind/row.h"

#define PE_OMIT      0xff
#define PE_INDIRECT  0x80
#define PCREL        0x10
#define DATAREL      0x30
#define TABLE_NORMAL (DATAREL | 0xb)

/* How far into its function a description may begin: before it is only a mark for jumps. */
#define LATE_START 16
/* What is that far from the stack is not on it. */
#define FAR (1 << 20)

enum unwinder { LIBGCC, LLVM };

struct unwinding {
	enum unwinder unwinder;
	struct convention convention;
	uint64_t hdr, table, bias, eh_frame, load_end;
	uint64_t nr; /* entries of the table; 0: there is none */
	uint8_t count_encoding, table_encoding;
	struct elf_section dynsym; /* size 0: none */
	unsigned lost;             /* places without a way back, and the first of them */
	uint64_t first_lost;
	const char *why;
};

/* What an FDE and its CIE say. */
struct description {
	uint64_t fde, start, end;        /* of the code */
	uint64_t cie_rows, cie_rows_end; /* of the CIE's instructions */
	uint64_t rows, rows_end;         /* of the FDE's */
	uint64_t code_align, data_align, return_column;
	unsigned encoding;
	bool augmented, signal_frame;
	bool absolute; /* start is an address that nobody has relocated */
};

/* An abort: of libgcc a silent one, of LLVM's with a message. */
#define aborts(l, u, rule, ...)                                                    \
	look_end(l, (u)->unwinder == LLVM ? CLIENT_REFUSES : CLIENT_CRASHES, rule, \
		 "it aborts " __VA_ARGS__)

/* A number of the unwind data. LLVM's reads it no further than to end, and 64 bits of it. */
static uint64_t read_leb128(struct look *l, struct unwinding *u, uint64_t *at, uint64_t end,
			    bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		if (u->unwinder == LLVM && (*at == end || shift > 63))
			aborts(l, u, "cfi", "on the number at %#llx, which has no end",
			       (unsigned long long)*at);
		byte = look_u8(l, (*at)++);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !l->over);
	if (is_signed && byte & 0x40 && shift < 64)
		value |= -(1ull << shift);
	return value;
}

/*
 * An address or a length (LSB, DW_EH_PE_*), and whether it counts from nothing. datarel is what
 * DATAREL counts from, 0 where LLVM's has no such thing.
 */
static uint64_t read_encoded(struct look *l, struct unwinding *u, unsigned encoding,
			     uint64_t datarel, uint64_t *at, bool *absolute)
{
	uint64_t from = *at, value = 0;

	*absolute = false;
	switch (encoding & 0xf) {
	case 0x0:
		value = look_word(l, *at);
		*at += l->elf.is64 ? 8 : 4;
		break;
	case 0x1:
	case 0x9:
		value = read_leb128(l, u, at, UINT64_MAX, encoding & 8);
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
		aborts(l, u, "eh-frame-hdr", "on an address of encoding %#x", encoding);
		return 0;
	}
	if ((encoding & 0x70) == PCREL)
		value += from;
	else if ((encoding & 0x70) == DATAREL && u->unwinder == LLVM && datarel)
		value += datarel;
	else if ((encoding & 0x70) && u->unwinder == LLVM)
		aborts(l, u, "eh-frame-hdr", "on an address of encoding %#x", encoding);
	else
		*absolute = true;
	if (encoding & PE_INDIRECT && value) {
		if (*absolute)
			look_end(l, CLIENT_CRASHES, "eh-frame-hdr",
				 "it reads at the address %#llx, which is nowhere",
				 (unsigned long long)value);
		value = look_word(l, value);
	}
	return value;
}

static uint64_t read_length(struct look *l, struct unwinding *u, unsigned encoding,
			    uint64_t *at)
{
	bool absolute;

	return read_encoded(l, u, encoding & 0xf, 0, at, &absolute);
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

/* ---- libgcc: descriptions --------------------------------------------------------------- */

/* get_cie_encoding(): how the FDEs of a CIE write addresses. */
static unsigned gcc_encoding(struct look *l, struct unwinding *u, uint64_t cie)
{
	uint64_t letter = cie + 9, at = letter + look_length(l, letter) + 1;
	uint8_t version = look_u8(l, cie + 8);

	if (version >= 4) {
		if (look_u8(l, at) != (l->elf.is64 ? 8 : 4) || look_u8(l, at + 1))
			return PE_OMIT;
		at += 2;
	}
	if (look_u8(l, letter) != 'z')
		return 0;
	read_leb128(l, u, &at, 0, false);
	read_leb128(l, u, &at, 0, true);
	if (version == 1)
		at++;
	else
		read_leb128(l, u, &at, 0, false);
	read_leb128(l, u, &at, 0, false);
	for (letter++; !l->over; letter++) {
		switch (look_u8(l, letter)) {
		case 'R':
			return look_u8(l, at);
		case 'P':
			at++;
			read_length(l, u, look_u8(l, at - 1), &at);
			break;
		case 'L':
		case 'B':
			at++;
			break;
		default:
			return 0;
		}
	}
	return 0;
}

/* extract_cie_info(). False: the walk ends. */
static bool gcc_cie(struct look *l, struct unwinding *u, uint64_t cie, struct description *d)
{
	uint64_t letter = cie + 9, at = letter + look_length(l, letter) + 1, data_end = 0;
	uint8_t version = look_u8(l, cie + 8);

	d->cie_rows_end = cie + 4 + look_u32(l, cie);
	if (look_u8(l, letter) == 'e' && look_u8(l, letter + 1) == 'h') {
		at += l->elf.is64 ? 8 : 4;
		letter += 2;
	}
	if (version >= 4) {
		if (look_u8(l, at) != (l->elf.is64 ? 8 : 4) || look_u8(l, at + 1))
			return false;
		at += 2;
	}
	d->code_align = read_leb128(l, u, &at, 0, false);
	d->data_align = read_leb128(l, u, &at, 0, true);
	d->return_column = version == 1 ? look_u8(l, at++) : read_leb128(l, u, &at, 0, false);
	if (look_u8(l, letter) == 'z') {
		data_end = read_leb128(l, u, &at, 0, false);
		data_end += at;
		d->augmented = true;
		letter++;
	}
	for (; look_u8(l, letter) && !l->over; letter++) {
		uint8_t which = look_u8(l, letter);

		if (which == 'L') {
			at++;
		} else if (which == 'R') {
			d->encoding = look_u8(l, at++);
		} else if (which == 'P') {
			at++;
			read_length(l, u, look_u8(l, at - 1), &at);
		} else if (which == 'S') {
			d->signal_frame = true;
		} else if (which != 'B') {
			d->cie_rows = data_end;
			return d->augmented;
		}
	}
	d->cie_rows = d->augmented ? data_end : at;
	return true;
}

static uint64_t gcc_cie_of(struct look *l, uint64_t fde)
{
	return fde + 4 - (uint64_t)(int64_t)(int32_t)look_u32(l, fde + 4);
}

/* size_of_encoded_value(), which knows no others. */
static unsigned gcc_size(struct look *l, struct unwinding *u, unsigned encoding)
{
	static const uint8_t sizes[8] = {[2] = 2, [3] = 4, [4] = 8};

	if (encoding == PE_OMIT)
		return 0;
	if ((encoding & 7) == 0)
		return l->elf.is64 ? 8 : 4;
	if (!sizes[encoding & 7])
		aborts(l, u, "cfi", "on an address of encoding %#x", encoding);
	return sizes[encoding & 7];
}

/* linear_search_fdes(): where there is no table that it can search. */
static bool gcc_scan(struct look *l, struct unwinding *u, uint64_t pc, struct description *d)
{
	for (uint64_t at = u->eh_frame; !l->over; at += 4 + (uint64_t)look_u32(l, at)) {
		uint64_t begin, where = at + 8, length;
		unsigned encoding;

		if (!look_u32(l, at))
			return false;
		if (!look_u32(l, at + 4))
			continue;
		encoding = gcc_encoding(l, u, gcc_cie_of(l, at));
		begin = read_encoded(l, u, encoding, 0, &where, &d->absolute);
		length = read_length(l, u, encoding, &where);
		if (begin && !d->absolute && pc - begin < length) {
			*d = (struct description){
				.fde = at, .start = begin, .end = begin + length};
			return true;
		}
	}
	return false;
}

static uint64_t entry_start(struct look *l, const struct unwinding *u, uint64_t i)
{
	return u->hdr + (uint64_t)(int64_t)(int32_t)look_u32(l, u->table + 8 * i);
}

/* find_fde_tail() */
static bool gcc_find(struct look *l, struct unwinding *u, uint64_t pc, struct description *d)
{
	uint64_t mid = u->nr - 1, low = 0, high = mid, size, where, length;
	unsigned encoding;

	if (u->count_encoding == PE_OMIT || u->table_encoding != TABLE_NORMAL || u->table & 3)
		return gcc_scan(l, u, pc, d);
	if (!u->nr || pc < entry_start(l, u, 0))
		return false;
	if (pc < entry_start(l, u, mid)) {
		while (low < high && !l->over) {
			mid = (low + high) / 2;
			if (pc < entry_start(l, u, mid))
				high = mid;
			else if (pc >= entry_start(l, u, mid + 1))
				low = mid + 1;
			else
				break;
		}
		if (low >= high)
			aborts(l, u, "eh-frame-hdr", "on a table that is not sorted");
	}
	d->fde = u->hdr + (uint64_t)(int64_t)(int32_t)look_u32(l, u->table + 8 * mid + 4);
	encoding = gcc_encoding(l, u, gcc_cie_of(l, d->fde));
	size = gcc_size(l, u, encoding);
	where = d->fde + 8 + size;
	length = read_length(l, u, encoding, &where);
	d->start = entry_start(l, u, mid);
	d->end = d->start + length;
	return pc < d->end;
}

/* uw_frame_state_for() */
static const char *gcc_read(struct look *l, struct unwinding *u, struct description *d)
{
	uint64_t at;

	if (!gcc_cie(l, u, gcc_cie_of(l, d->fde), d))
		return "its CIE has augmentation data of unknown length";
	at = d->fde + 8 + 2ull * gcc_size(l, u, d->encoding);
	if (d->augmented) {
		uint64_t data = read_leb128(l, u, &at, 0, false);

		at += data;
	}
	d->rows = at;
	d->rows_end = d->fde + 4 + look_u32(l, d->fde);
	return NULL;
}

/* ---- LLVM: descriptions ----------------------------------------------------------------- */

/* A length, which may be of 64 bits; at is moved past it. */
static uint64_t llvm_length(struct look *l, uint64_t *at)
{
	uint64_t length = look_u32(l, *at);

	*at += 4;
	if (length == UINT32_MAX) {
		length = look_there(l, *at, 8) ? elf_u64(&l->elf, *at) : 0;
		*at += 8;
	}
	return length;
}

/* parseCIE(): NULL, or why the FDE is passed over. */
static const char *llvm_cie(struct look *l, struct unwinding *u, uint64_t cie,
			    struct description *d)
{
	uint64_t at = cie, length = llvm_length(l, &at), end = at + length, letter;
	uint8_t version;
	bool absolute;

	if (!length)
		return NULL;
	if (look_u32(l, at))
		return "its CIE has an ID that is not 0";
	version = look_u8(l, at + 4);
	if (version != 1 && version != 3)
		return "its CIE has a version other than 1 and 3";
	letter = at + 5;
	at = letter + look_length(l, letter) + 1;
	d->code_align = (uint32_t)read_leb128(l, u, &at, end, false);
	d->data_align = (uint64_t)(int64_t)(int32_t)read_leb128(l, u, &at, end, true);
	d->return_column =
		version == 1 ? look_u8(l, at++) : (uint8_t)read_leb128(l, u, &at, end, false);
	if (look_u8(l, letter) == 'z') {
		d->augmented = true;
		read_leb128(l, u, &at, end, false);
		/* It goes by the letters, and not by the length. */
		for (letter++; look_u8(l, letter) && !l->over; letter++) {
			uint8_t which = look_u8(l, letter);

			if (which == 'P') {
				at++;
				read_encoded(l, u, look_u8(l, at - 1), 0, &at, &absolute);
			} else if (which == 'L') {
				at++;
			} else if (which == 'R') {
				d->encoding = look_u8(l, at++);
			} else if (which == 'S') {
				d->signal_frame = true;
			}
		}
	}
	d->cie_rows = at;
	d->cie_rows_end = end;
	return NULL;
}

/* decodeFDE() */
static const char *llvm_fde(struct look *l, struct unwinding *u, uint64_t fde,
			    struct description *d)
{
	uint64_t at = fde, length = llvm_length(l, &at), end = at + length, range;
	const char *why;

	*d = (struct description){.fde = fde};
	if (!length)
		return "its FDE has no length";
	if (!look_u32(l, at))
		return "its FDE is a CIE";
	why = llvm_cie(l, u, at - look_u32(l, at), d);
	if (why)
		return why;
	at += 4;
	d->start = read_encoded(l, u, d->encoding, 0, &at, &d->absolute);
	range = read_length(l, u, d->encoding, &at);
	d->end = d->start + range;
	if (d->augmented) {
		uint64_t data = read_leb128(l, u, &at, end, false);

		at += data;
	}
	d->rows = at;
	d->rows_end = end;
	return d->absolute ? "its FDE gives an address that nobody has relocated" : NULL;
}

/*
 * findFDE() of the parser: all of .eh_frame, up to a length of 0. (It takes a range to begin
 * after its first byte; but it looks for the byte before an instruction in any case.)
 */
static bool llvm_scan(struct look *l, struct unwinding *u, uint64_t pc, struct description *d)
{
	uint64_t at = u->eh_frame;

	while (!l->over) {
		uint64_t from = at, length = llvm_length(l, &at);

		if (!length)
			return false;
		if (look_u32(l, at) && at - look_u32(l, at) >= u->eh_frame &&
		    !llvm_fde(l, u, from, d) && d->start <= pc && pc < d->end)
			return true;
		at += length;
	}
	return false;
}

/* getTableEntrySize() */
static unsigned llvm_entry_size(struct look *l, struct unwinding *u)
{
	switch (u->table_encoding & 7) {
	case 2:
		return 4;
	case 3:
		return 8;
	case 4:
		return 16;
	}
	if (u->table_encoding != PE_OMIT)
		aborts(l, u, "eh-frame-hdr", "on a table of encoding %#x", u->table_encoding);
	return 0;
}

/* Both find functions, one after the other. */
static bool llvm_find(struct look *l, struct unwinding *u, uint64_t pc, struct description *d,
		      const char **why)
{
	uint64_t low = 0, at, fde;
	const char *wrong;
	unsigned size;
	bool absolute;

	if (!u->nr)
		return llvm_scan(l, u, pc, d);
	size = llvm_entry_size(l, u);
	for (uint64_t length = u->nr; length > 1 && !l->over;) {
		uint64_t mid = low + length / 2, start;

		at = u->table + mid * size;
		start = read_encoded(l, u, u->table_encoding, u->hdr, &at, &absolute);
		if (start <= pc) {
			low = mid;
			length -= start == pc ? length - 1 : length / 2;
		} else {
			length /= 2;
		}
	}
	at = u->table + low * size;
	read_encoded(l, u, u->table_encoding, u->hdr, &at, &absolute);
	fde = read_encoded(l, u, u->table_encoding, u->hdr, &at, &absolute);
	wrong = llvm_fde(l, u, fde, d);
	if (wrong)
		*why = wrong;
	else if (d->start <= pc && pc < d->end)
		return true;
	return llvm_scan(l, u, pc, d);
}

/* ---- rows ------------------------------------------------------------------------------- */

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

/* What reads the rows of a description. */
struct reader {
	struct look *l;
	struct unwinding *u;
	const struct description *d;
	struct prologue prologue;
	struct row row, initial, stack[16];
	unsigned depth;
	uint64_t at, end, pc;
	bool in_cie, stopped;
};

static uint64_t uleb(struct reader *r)
{
	return read_leb128(r->l, r->u, &r->at, r->end, false);
}

static uint64_t sleb(struct reader *r)
{
	return read_leb128(r->l, r->u, &r->at, r->end, true);
}

/* The walk ends in all of the function. */
static void stop(struct reader *r, const char *why)
{
	lose(r->u, r->pc, why);
	r->stopped = true;
}

static bool is_far(const struct value *v)
{
	return v->kind == VALUE_NUMBER ||
	       (v->kind == VALUE_REGISTER && v->number + FAR > 2ull * FAR);
}

/* A row that is wrong: what comes of it depends on what lies there, unless it is nothing. */
static void go_wrong(struct reader *r, enum row_fault fault, uint64_t pc)
{
	unsigned long long where = pc;

	if (is_far(&r->row.cfa) || (r->row.where == RETURN_AT && is_far(&r->row.back)))
		look_end(r->l, CLIENT_CRASHES, "cfi",
			 "it reads where there is no stack, for the code at %#llx", where);
	else
		lose(r->u, pc,
		     fault == ROW_WRONG_CFA
			     ? "a row says that the frame is elsewhere"
			     : "a row says that the return address is elsewhere");
}

/* On x86 the return address has a register of its own, which nobody saves. */
static void keep_return(struct reader *r, uint64_t pc)
{
	uint64_t column = r->d->return_column;

	if (column == (r->prologue.convention.machine == EM_386 ? 8 : 16))
		look_end(r->l, CLIENT_HANGS, "cfi",
			 "no row says where the return address is: it stays at %#llx for ever",
			 (unsigned long long)pc);
	else
		lose(r->u, pc, "no row says where the return address is");
}

/* The highest register of LLVM's, which it has room for, but cannot always restore. */
static uint64_t llvm_last(const struct convention *c)
{
	return c->machine == EM_X86_64 ? 32 : c->registers - 1u;
}

/* What stepping with this row comes to, for the code from one address to another. */
static void use_row(struct reader *r, uint64_t from, uint64_t to)
{
	const struct convention *c = &r->prologue.convention;
	uint64_t column = r->d->return_column, at;
	enum row_fault fault;

	if (from >= to || r->l->over)
		return;
	fault = row_check(&r->row, &r->prologue, from, to, &at);
	if (r->row.how == CFA_OF_REGISTER && r->row.cfa.reg >= c->registers)
		aborts(r->l, r->u, "cfi", "on register %llu, for the code at %#llx",
		       (unsigned long long)r->row.cfa.reg, (unsigned long long)from);
	else if (fault == ROW_NO_CFA)
		look_end(r->l, CLIENT_CRASHES, "cfi",
			 "no row says where the frame is, for the code at %#llx",
			 (unsigned long long)at);
	else if (column >= c->registers &&
		 (r->u->unwinder == LIBGCC ||
		  (r->row.where == RETURN_KEPT && column <= llvm_last(c))))
		aborts(r->l, r->u, "cfi", "on register %llu, for the return address",
		       (unsigned long long)column);
	else if (column >= c->registers && r->row.where == RETURN_KEPT)
		lose(r->u, at, "no row says where the return address is");
	else if (fault == ROW_RETURN_KEPT)
		keep_return(r, at);
	else if (fault == ROW_RETURN_NOWHERE)
		lose(r->u, at, "a row says that there is no caller");
	else if (fault != ROW_RIGHT)
		go_wrong(r, fault, at);
}

/* Does something come after this instruction? */
static bool has_rows(const struct reader *r)
{
	uint64_t at = r->at;

	while (at < r->end && at < r->l->size && !elf_u8(&r->l->elf, at))
		at++;
	return at < r->end;
}

/* To another location; the row holds for what is before it. */
static void advance(struct reader *r, uint64_t to)
{
	/* LLVM's counts in the CIE, too, and begins again with the FDE. */
	if (r->in_cie && r->u->unwinder == LLVM)
		return;
	if (to < r->pc) {
		stop(r, "a row goes back");
		return;
	}
	use_row(r, r->pc, to < r->d->end ? to : r->d->end);
	if (to > r->d->end && has_rows(r))
		stop(r, "its rows go beyond its end");
	r->pc = to;
}

static void advance_by(struct reader *r, uint64_t distance)
{
	if (distance && !r->d->code_align)
		stop(r, "its rows are all for one address");
	else
		advance(r, r->pc + distance * r->d->code_align);
}

static struct value value_at(uint64_t reg, uint64_t number)
{
	return (struct value){VALUE_REGISTER, reg, number};
}

/* The register of a rule. LLVM's has no room for others, libgcc has no use for them. */
static uint64_t take_register(struct reader *r)
{
	const struct convention *c = &r->prologue.convention;
	uint64_t number = uleb(r);

	if (r->u->unwinder == LLVM && number > llvm_last(c))
		stop(r, "a rule for a register that it does not have");
	return number;
}

static void set_rule(struct reader *r, uint64_t number, unsigned where, struct value back)
{
	const struct convention *c = &r->prologue.convention;

	if (number == r->d->return_column) {
		r->row.where = where;
		r->row.back = back;
	} else if (r->u->unwinder == LLVM && number >= c->registers && where != RETURN_KEPT) {
		stop(r, "a rule for a register that it cannot restore");
	}
}

static void restore_rule(struct reader *r, uint64_t number)
{
	set_rule(r, number, r->initial.where, r->initial.back);
}

/* The block of an expression, which it evaluates when it uses the row. */
static struct value evaluate(struct reader *r, struct value initial)
{
	uint64_t length = uleb(r), where = r->at;
	unsigned left = 100000;
	struct value value = {VALUE_UNKNOWN, 0, 0};
	enum expression_end end;
	unsigned long long pc = r->pc;
	unsigned opcode;

	if (!look_there(r->l, r->at, length < 4096 ? length : 4096))
		return value;
	end = expression_run(&r->l->elf, r->at & r->l->mask, (r->at & r->l->mask) + length,
			     initial, r->prologue.convention.registers, &left, &value, &where);
	r->at += length;
	opcode = elf_u8(&r->l->elf, where);
	if (end == EXPRESSION_ENDLESS)
		look_end(r->l, CLIENT_HANGS, "cfi",
			 "an expression has no end, for the code at %#llx", pc);
	else if (end == EXPRESSION_DIVISION || end == EXPRESSION_ADDRESS ||
		 (end == EXPRESSION_STACK && r->u->unwinder == LLVM))
		look_end(r->l, CLIENT_CRASHES, "cfi",
			 "on the opcode %#x of an expression, for the code at %#llx", opcode,
			 pc);
	/* DW_OP_nop: of the two only libgcc knows it. */
	else if (end == EXPRESSION_OPCODE && opcode == 0x96 && r->u->unwinder == LIBGCC)
		return value;
	else if (end != EXPRESSION_DONE && end != EXPRESSION_CUT)
		aborts(r->l, r->u, "cfi",
		       "on the opcode %#x of an expression, for the code at %#llx", opcode, pc);
	return value;
}

static void rule_of_register(struct reader *r)
{
	const struct convention *c = &r->prologue.convention;
	uint64_t number = take_register(r), other = take_register(r);

	if (other >= c->registers && r->u->unwinder == LIBGCC && number < c->registers)
		aborts(r->l, r->u, "cfi", "on register %llu, for the code at %#llx",
		       (unsigned long long)other, (unsigned long long)r->pc);
	set_rule(r, number, RETURN_IS, value_at(other, 0));
}

static void restore_state(struct reader *r)
{
	if (!r->depth && r->u->unwinder == LIBGCC)
		look_end(r->l, CLIENT_CRASHES, "cfi",
			 "it restores a state that was not remembered, for the code at %#llx",
			 (unsigned long long)r->pc);
	else if (!r->depth)
		stop(r, "it restores a state that was not remembered");
	else if (--r->depth < sizeof(r->stack) / sizeof(r->stack[0]))
		r->row = r->stack[r->depth];
}

static void remember_state(struct reader *r)
{
	if (r->depth < sizeof(r->stack) / sizeof(r->stack[0]))
		r->stack[r->depth] = r->row;
	if (++r->depth > 1000 && r->u->unwinder == LLVM)
		look_end(r->l, CLIENT_HANGS, "cfi",
			 "it takes memory for more than a thousand states, for each step");
}

/* A rule for a register: false for another opcode. */
static bool is_rule(struct reader *r, unsigned opcode)
{
	const struct value unknown = {VALUE_UNKNOWN, 0, 0};
	uint64_t number, align = r->d->data_align;

	switch (opcode) {
	case 0x05: /* offset_extended, its signed form, and the GNU form */
		number = take_register(r);
		set_rule(r, number, RETURN_AT, value_at(VALUE_CFA, uleb(r) * align));
		return true;
	case 0x11:
		number = take_register(r);
		set_rule(r, number, RETURN_AT, value_at(VALUE_CFA, sleb(r) * align));
		return true;
	case 0x2f:
		number = take_register(r);
		set_rule(r, number, RETURN_AT, value_at(VALUE_CFA, -uleb(r) * align));
		return true;
	case 0x14: /* val_offset, and its signed form */
	case 0x15:
		number = take_register(r);
		set_rule(r, number, RETURN_IS,
			 value_at(VALUE_CFA, (opcode == 0x14 ? uleb(r) : sleb(r)) * align));
		if (r->u->unwinder == LLVM)
			aborts(r->l, r->u, "cfi", "on a val_offset, for the code at %#llx",
			       (unsigned long long)r->pc);
		return true;
	case 0x06: /* restore_extended */
		restore_rule(r, take_register(r));
		return true;
	case 0x07: /* undefined */
		set_rule(r, take_register(r), RETURN_NOWHERE, unknown);
		return true;
	case 0x08: /* same_value */
		set_rule(r, take_register(r), RETURN_KEPT, unknown);
		return true;
	case 0x09: /* register */
		rule_of_register(r);
		return true;
	case 0x10: /* expression, val_expression */
	case 0x16:
		number = take_register(r);
		set_rule(r, number, opcode == 0x10 ? RETURN_AT : RETURN_IS,
			 evaluate(r, value_at(VALUE_CFA, 0)));
		return true;
	}
	return false;
}

/* Where the CFA is: false for another opcode. */
static bool is_cfa(struct reader *r, unsigned opcode)
{
	struct row *row = &r->row;
	uint64_t number;

	switch (opcode) {
	case 0x0c: /* def_cfa, and its signed form */
	case 0x12:
		number = take_register(r);
		row->cfa =
			value_at(number, opcode == 0x0c ? uleb(r) : sleb(r) * r->d->data_align);
		row->how = CFA_OF_REGISTER;
		return true;
	case 0x0d: /* def_cfa_register */
		number = take_register(r);
		row->cfa = value_at(number, row->how == CFA_OF_REGISTER ? row->cfa.number : 0);
		row->how = CFA_OF_REGISTER;
		return true;
	case 0x0e: /* def_cfa_offset, and its signed form: of an expression it changes nothing
		    */
	case 0x13:
		number = opcode == 0x0e ? uleb(r) : sleb(r) * r->d->data_align;
		if (row->how == CFA_OF_REGISTER)
			row->cfa.number = number;
		return true;
	case 0x0f: /* def_cfa_expression */
		row->cfa = evaluate(r, (struct value){VALUE_NUMBER, 0, 0});
		row->how = CFA_OF_EXPRESSION;
		return true;
	}
	return false;
}

static bool has_window(const struct reader *r)
{
	uint16_t machine = r->l->header.machine;

	return r->u->unwinder == LIBGCC || machine == EM_AARCH64 || machine == EM_SPARC ||
	       machine == EM_SPARC32PLUS || machine == EM_SPARCV9;
}

static void execute_extended(struct reader *r, unsigned opcode)
{
	uint64_t to;
	bool absolute;

	if (is_rule(r, opcode) || is_cfa(r, opcode))
		return;
	switch (opcode) {
	case 0x00: /* nop */
		return;
	case 0x01: /* set_loc */
		to = read_encoded(r->l, r->u, r->d->encoding, 0, &r->at, &absolute);
		if (r->u->unwinder == LLVM)
			stop(r, "it takes an address for a distance");
		else
			advance(r, to);
		return;
	case 0x02: /* advance_loc1, 2, 4 */
		r->at += 1;
		advance_by(r, look_u8(r->l, r->at - 1));
		return;
	case 0x03:
		r->at += 2;
		advance_by(r, look_u16(r->l, r->at - 2));
		return;
	case 0x04:
		r->at += 4;
		advance_by(r, look_u32(r->l, r->at - 4));
		return;
	case 0x0a:
		remember_state(r);
		return;
	case 0x0b:
		restore_state(r);
		return;
	case 0x2e: /* GNU_args_size */
		uleb(r);
		return;
	case 0x2d: /* GNU_window_save, which is also AARCH64_negate_ra_state */
		if (has_window(r))
			return;
		break;
	case 0x2c: /* AARCH64_negate_ra_state_with_pc, for newer ones */
		if (r->l->header.machine == EM_AARCH64)
			return;
	}
	if (r->u->unwinder == LIBGCC)
		aborts(r->l, r->u, "cfi", "on the instruction %#x, for the code at %#llx",
		       opcode, (unsigned long long)r->pc);
	else
		stop(r, "an instruction that it does not know");
}

/* Executes the rows up to the end of the code, or of them. */
static void execute(struct reader *r, uint64_t at, uint64_t end)
{
	r->at = at;
	r->end = end;
	while (r->at < end && r->pc < r->d->end && !r->stopped && !r->l->over) {
		unsigned opcode = look_u8(r->l, r->at++);

		switch (opcode & 0xc0) {
		case 0x40: /* advance_loc */
			advance_by(r, opcode & 0x3f);
			break;
		case 0x80: /* offset */
			if (r->u->unwinder == LLVM &&
			    (opcode & 0x3f) > llvm_last(&r->prologue.convention))
				stop(r, "a rule for a register that it does not have");
			set_rule(r, opcode & 0x3f, RETURN_AT,
				 value_at(VALUE_CFA, uleb(r) * r->d->data_align));
			break;
		case 0xc0: /* restore */
			restore_rule(r, opcode & 0x3f);
			break;
		default:
			execute_extended(r, opcode);
		}
	}
}

/* Is it called at its first byte? Then an exported symbol is there. */
static bool is_exported(const struct look *l, const struct unwinding *u, uint64_t start)
{
	const struct machine *machine = machine_of(&l->elf);
	uint64_t size = ELF_SIZEOF(&l->elf, Sym);

	for (uint64_t i = 1; i < u->dynsym.size / size && i < 256; i++) {
		struct elf_symbol sym = elf_symbol(&l->elf, u->dynsym.offset + i * size);

		if (ELF64_ST_TYPE(sym.info) == STT_FUNC && sym.shndx != SHN_UNDEF &&
		    machine_code(machine, sym.value) + u->bias == start)
			return true;
	}
	return false;
}

static void follow(struct look *l, struct unwinding *u, const struct description *d)
{
	struct reader r = {.l = l, .u = u, .d = d, .pc = d->start, .in_cie = true};

	r.prologue = prologue_begin(&l->elf, d->start, 0, is_exported(l, u, d->start),
				    d->signal_frame);
	execute(&r, d->cie_rows, d->cie_rows_end);
	r.initial = r.row;
	r.in_cie = false;
	/* Each has its own; LLVM's alone remembers nothing from the CIE. */
	if (u->unwinder == LLVM)
		r.depth = 0;
	execute(&r, d->rows, d->rows_end);
	if (!r.stopped)
		use_row(&r, r.pc, d->end);
}

/* ---- all code --------------------------------------------------------------------------- */

/* The next description's beginning, which nobody asks for but us. */
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
			follow(l, u, &d);
			until = d.end < until ? d.end : until;
		} else if (!l->over && padding_is_known(&l->elf)) {
			until = until < end ? until : end;
			padding = padding_length(&l->elf, pc, until - pc);
			/* After what fills up there may be one that is not in the table. */
			if (padding && padding < until - pc)
				until = pc + padding;
			else if (!padding && until - pc >= padding_least_code(&l->elf))
				lose(u, pc, why);
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
			lose(u, start, why);
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
		walk(l, u, entry_start(l, u, i), entry_start(l, u, i) + 1);
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
	u.eh_frame = read_encoded(l, &u, look_u8(l, u.hdr + 1), u.hdr, &at, &absolute);
	if (u.count_encoding != PE_OMIT)
		u.nr = read_encoded(l, &u, u.count_encoding, u.hdr, &at, &absolute);
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
