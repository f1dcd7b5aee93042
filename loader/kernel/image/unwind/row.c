/*
 * row.c - see row.h. The encodings of instructions are those of the processor's manual.
 */
#include "kernel/image/unwind/row.h"

struct prologue prologue_begin(const struct elf_bytes *elf, uint64_t at, uint64_t shift,
			       bool sure, bool signal_frame)
{
	struct prologue p = {.elf = *elf,
			     .convention = convention_of(elf),
			     .at = at,
			     .shift = shift,
			     .sure = sure,
			     .signal_frame = signal_frame};

	p.known = p.convention.known && !signal_frame;
	p.cfa = p.convention.cfa;
	return p;
}

static uint8_t code(const struct prologue *p, unsigned index)
{
	return elf_u8(&p->elf, p->at - p->shift + index);
}

/* sub $imm, %rsp: its length, or 0. */
static unsigned subtraction(struct prologue *p, unsigned prefix)
{
	uint32_t bytes;

	if (code(p, prefix + 1) != 0xec)
		return 0;
	if (code(p, prefix) == 0x83 && code(p, prefix + 2) < 0x80) {
		p->cfa += code(p, prefix + 2);
		return prefix + 3;
	}
	bytes = elf_u32(&p->elf, p->at - p->shift + prefix + 2);
	if (code(p, prefix) == 0x81 && bytes <= INT32_MAX) {
		p->cfa += bytes;
		return prefix + 6;
	}
	return 0;
}

/* Between two registers, of which the one that is written is not the stack's or the frame's. */
static unsigned move(struct prologue *p, unsigned prefix, uint8_t rex)
{
	uint8_t op = code(p, prefix), modrm = code(p, prefix + 1);
	unsigned reg = (modrm >> 3 & 7) | (rex & 4 ? 8 : 0),
		 rm = (modrm & 7) | (rex & 1 ? 8 : 0);
	unsigned written;

	if (modrm >> 6 != 3)
		return 0;
	if (op == 0x89 || op == 0x31) /* mov, xor */
		written = rm;
	else if (op == 0x8b || op == 0x33)
		written = reg;
	else if (op == 0x85 || op == 0x39) /* test, cmp */
		written = 0;
	else
		return 0;
	/* The instruction encodes the stack pointer as 4 and the frame pointer as 5. */
	if (written == 5 && (op == 0x89 ? reg : rm) == 4 && (op == 0x89 || op == 0x8b)) {
		p->frame_cfa = p->cfa;
		return prefix + 2;
	}
	return written == 4 || written == 5 ? 0 : prefix + 2;
}

/* One instruction further, if it is one of those that are known here. */
static void next(struct prologue *p)
{
	unsigned length = 0, prefix = 0;
	uint8_t rex = 0;

	if (!p->convention.pushes) {
		p->known = false;
		return;
	}
	if ((elf_u32(&p->elf, p->at - p->shift) | 0x01000000) == 0xfb1e0ff3)
		length = 4; /* endbr64, endbr32 */
	if (p->convention.machine == EM_X86_64 && code(p, 0) >> 4 == 4) {
		rex = code(p, 0);
		prefix = 1;
	}
	if (!length && code(p, prefix) >> 3 == 0x50 >> 3) { /* push */
		p->cfa += p->convention.pushes;
		length = prefix + 1;
	}
	if (!length && (rex == 0x48 || p->convention.machine == EM_386))
		length = subtraction(p, prefix);
	if (!length)
		length = move(p, prefix, rex);
	p->known = length;
	p->at += length;
}

/* How far something is above the CFA. False: not known. */
static bool from_cfa(const struct row *row, const struct value *v, uint64_t *distance)
{
	if (v->kind != VALUE_REGISTER && v->kind != VALUE_MEMORY)
		return false;
	*distance = v->number;
	if (v->reg == VALUE_CFA)
		return true;
	*distance -= row->cfa.number;
	return row->cfa.kind == VALUE_REGISTER && row->cfa.reg == v->reg;
}

/* The return address is where the call has pushed it; true also where that is not known. */
static bool is_pushed(const struct row *row, const struct convention *conv)
{
	const struct value *v = &row->back;
	uint64_t distance, mask = conv->machine == EM_386 ? UINT32_MAX : UINT64_MAX;
	bool at = row->where == RETURN_AT;

	/* Memory to be read, or what has been read from it already. */
	if (v->kind == (at ? VALUE_REGISTER : VALUE_MEMORY))
		return !from_cfa(row, v, &distance) || !((distance + conv->pushes) & mask);
	return v->kind == VALUE_UNKNOWN || (at && v->kind == VALUE_MEMORY);
}

static bool is_cfa(const struct row *row, const struct prologue *p)
{
	const struct value *v = &row->cfa;

	if (v->kind != VALUE_REGISTER)
		return v->kind != VALUE_NUMBER;
	if (v->reg == p->convention.stack)
		return v->number == p->cfa;
	if (p->convention.frame && v->reg == p->convention.frame)
		return p->frame_cfa && v->number == p->frame_cfa;
	/* Some other register may have been set, but not before the first instruction. */
	return p->cfa != p->convention.cfa;
}

enum row_fault row_check(const struct row *row, struct prologue *p, uint64_t from, uint64_t to,
			 uint64_t *at)
{
	const struct convention *conv = &p->convention;

	*at = from;
	if (row->how == CFA_NONE)
		return ROW_NO_CFA;
	if (row->where == RETURN_NOWHERE)
		return ROW_RETURN_NOWHERE;
	if (conv->pushes && row->where == RETURN_KEPT)
		return ROW_RETURN_KEPT;
	if (p->signal_frame)
		return ROW_RIGHT;
	if (conv->pushes && !is_pushed(row, conv))
		return ROW_RETURN_ELSEWHERE;
	if (row->cfa.kind == VALUE_NUMBER)
		return ROW_WRONG_CFA;
	/* All that is pushed are words. */
	if (conv->pushes && row->cfa.kind == VALUE_REGISTER && row->cfa.reg == conv->stack &&
	    row->cfa.number % conv->pushes)
		return ROW_WRONG_CFA;
	if (!p->sure) {
		p->sure = true;
		p->known = p->known && is_cfa(row, p);
	}
	while (p->known && p->at < to) {
		*at = p->at;
		if (p->at >= from && !is_cfa(row, p))
			return ROW_WRONG_CFA;
		next(p);
	}
	return ROW_RIGHT;
}
