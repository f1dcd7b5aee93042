/*
 * expression.c - see expression.h. DWARF 5, 2.5.1; the opcodes are those that both libgcc's
 * execute_stack_op() and LLVM's evaluateExpression() know.
 */
#include "kernel/image/unwind/expression.h"

#define STACK_MAX 64   /* libgcc's; LLVM's has 100 */
#define STEPS_MAX 1000 /* real ones have some ten */

enum {
	OP_ADDR = 0x03,
	OP_DEREF = 0x06,
	OP_CONST1U = 0x08,
	OP_CONST1S,
	OP_CONST2U,
	OP_CONST2S,
	OP_CONST4U,
	OP_CONST4S,
	OP_CONST8U,
	OP_CONST8S,
	OP_CONSTU,
	OP_CONSTS,
	OP_DUP,
	OP_DROP,
	OP_OVER,
	OP_PICK,
	OP_SWAP,
	OP_ROT,
	OP_ABS = 0x19,
	OP_AND,
	OP_DIV,
	OP_MINUS,
	OP_MOD,
	OP_MUL,
	OP_NEG,
	OP_NOT,
	OP_OR,
	OP_PLUS,
	OP_PLUS_UCONST,
	OP_SHL,
	OP_SHR,
	OP_SHRA,
	OP_XOR,
	OP_BRA,
	OP_EQ,
	OP_GE,
	OP_GT,
	OP_LE,
	OP_LT,
	OP_NE,
	OP_SKIP,
	OP_LIT0,
	OP_REG0 = 0x50,
	OP_BREG0 = 0x70,
	OP_REGX = 0x90,
	OP_BREGX = 0x92,
	OP_DEREF_SIZE = 0x94,
	OP_NOP = 0x96, /* of the two only libgcc has it */
};

uint64_t leb128(next_byte *next, void *from, bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = next(from);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && byte & 0x40 && shift < 64)
		value |= ~0ull << shift;
	return value;
}

struct machine_state {
	const struct elf_bytes *elf;
	uint64_t at, end;
	unsigned *left;
	uint64_t nr_registers;
	struct value stack[STACK_MAX];
	unsigned depth;
	enum expression_end ended;
	bool has_nop;
	uint64_t nop_at;
};

static uint8_t next_of(void *from)
{
	struct machine_state *m = from;

	if (m->at >= m->end || !*m->left) {
		m->ended = m->at >= m->end ? EXPRESSION_CUT : EXPRESSION_ENDLESS;
		return 0;
	}
	(*m->left)--;
	return elf_u8(m->elf, m->at++);
}

static uint64_t operand(struct machine_state *m, unsigned size, bool is_signed)
{
	unsigned char bytes[8] = {0};
	struct elf_bytes word = {bytes, sizeof(bytes), .big = m->elf->big};
	uint64_t value;

	for (unsigned i = 0; i < size; i++)
		bytes[i] = next_of(m);
	value = size == 1   ? elf_u8(&word, 0)
		: size == 2 ? elf_u16(&word, 0)
		: size == 4 ? elf_u32(&word, 0)
			    : elf_u64(&word, 0);
	if (is_signed && size < 8)
		value = (value ^ 1ull << (8 * size - 1)) - (1ull << (8 * size - 1));
	return value;
}

static struct value number(uint64_t value)
{
	return (struct value){VALUE_NUMBER, 0, value};
}

static const struct value unknown = {VALUE_UNKNOWN, 0, 0};

/* The stack is of the machine's words. */
static void push(struct machine_state *m, struct value value)
{
	if (!m->elf->is64)
		value.number = (uint32_t)value.number;
	if (m->depth == STACK_MAX)
		m->ended = EXPRESSION_STACK;
	else
		m->stack[m->depth++] = value;
}

static struct value pop(struct machine_state *m)
{
	if (!m->depth) {
		m->ended = EXPRESSION_STACK;
		return unknown;
	}
	return m->stack[--m->depth];
}

/* One that was pushed: 0 is the top. */
static void pick(struct machine_state *m, unsigned index)
{
	if (index >= m->depth)
		m->ended = EXPRESSION_STACK;
	else
		push(m, m->stack[m->depth - 1 - index]);
}

static void push_register(struct machine_state *m, uint64_t reg, uint64_t offset)
{
	if (reg >= m->nr_registers)
		m->ended = EXPRESSION_REGISTER;
	push(m, (struct value){VALUE_REGISTER, reg, offset});
}

static void read_memory(struct machine_state *m, unsigned size)
{
	struct value at = pop(m);
	bool whole = size == (m->elf->is64 ? 8 : 4);

	if (at.kind == VALUE_NUMBER)
		m->ended = EXPRESSION_ADDRESS;
	push(m, at.kind == VALUE_REGISTER && whole
			? (struct value){VALUE_MEMORY, at.reg, at.number}
			: unknown);
}

static struct value two_numbers(struct machine_state *m, unsigned op, uint64_t a, uint64_t b)
{
	bool is64 = m->elf->is64;
	int64_t sa = is64 ? (int64_t)a : (int32_t)a, sb = is64 ? (int64_t)b : (int32_t)b;
	unsigned bits = is64 ? 64 : 32;

	switch (op) {
	case OP_AND:
		return number(a & b);
	case OP_OR:
		return number(a | b);
	case OP_XOR:
		return number(a ^ b);
	case OP_MUL:
		return number(a * b);
	case OP_PLUS:
		return number(a + b);
	case OP_MINUS:
		return number(a - b);
	case OP_SHL:
		return b < bits ? number(a << b) : unknown;
	case OP_SHR:
		return b < bits ? number(a >> b) : unknown;
	case OP_EQ:
		return number(a == b);
	case OP_NE:
		return number(a != b);
	case OP_GE:
		return number(sa >= sb);
	case OP_GT:
		return number(sa > sb);
	case OP_LE:
		return number(sa <= sb);
	case OP_LT:
		return number(sa < sb);
	case OP_DIV:
	case OP_MOD:
		if (!b)
			m->ended = EXPRESSION_DIVISION;
		return unknown;
	}
	return unknown; /* shra: differs with the width */
}

static void two_operands(struct machine_state *m, unsigned op)
{
	struct value b = pop(m), a = pop(m);

	if (op == OP_PLUS && a.kind == VALUE_NUMBER) {
		struct value swap = a;

		a = b;
		b = swap;
	}
	if (a.kind == VALUE_NUMBER && b.kind == VALUE_NUMBER) {
		push(m, two_numbers(m, op, a.number, b.number));
	} else if (a.kind == VALUE_REGISTER && b.kind == VALUE_NUMBER &&
		   (op == OP_PLUS || op == OP_MINUS)) {
		a.number = op == OP_PLUS ? a.number + b.number : a.number - b.number;
		push(m, a);
	} else {
		if (b.kind == VALUE_NUMBER && !b.number && (op == OP_DIV || op == OP_MOD))
			m->ended = EXPRESSION_DIVISION;
		push(m, unknown);
	}
}

static void jump(struct machine_state *m, bool always, bool *undecided)
{
	uint64_t distance = operand(m, 2, true), to = m->at + distance;
	struct value condition = always ? number(1) : pop(m);

	/* What it is on either way is not for us to say. */
	if (condition.kind != VALUE_NUMBER)
		*undecided = true;
	else if (!condition.number)
		return;
	/* Beyond the end is the end; the kernel of ppc64 shares what is before the beginning.
	 */
	m->at = to;
}

/* dup to rot; false: another opcode. */
static bool on_stack(struct machine_state *m, unsigned op)
{
	struct value a, b, c;

	switch (op) {
	case OP_DUP:
		pick(m, 0);
		return true;
	case OP_DROP:
		pop(m);
		return true;
	case OP_OVER:
		pick(m, 1);
		return true;
	case OP_PICK:
		pick(m, next_of(m));
		return true;
	case OP_SWAP:
		a = pop(m);
		b = pop(m);
		push(m, a);
		push(m, b);
		return true;
	case OP_ROT:
		a = pop(m);
		b = pop(m);
		c = pop(m);
		push(m, a);
		push(m, c);
		push(m, b);
		return true;
	}
	return false;
}

/* Those that push a number; false: another opcode. */
static bool is_literal(struct machine_state *m, unsigned op)
{
	if (op >= OP_LIT0 && op < OP_REG0) {
		push(m, number(op - OP_LIT0));
		return true;
	}
	switch (op) {
	case OP_ADDR:
		push(m, number(operand(m, m->elf->is64 ? 8 : 4, false)));
		return true;
	case OP_CONST1U:
	case OP_CONST1S:
	case OP_CONST2U:
	case OP_CONST2S:
	case OP_CONST4U:
	case OP_CONST4S:
	case OP_CONST8U:
	case OP_CONST8S:
		push(m, number(operand(m, 1u << (op - OP_CONST1U) / 2, op & 1)));
		return true;
	case OP_CONSTU:
	case OP_CONSTS:
		push(m, number(leb128(next_of, m, op == OP_CONSTS)));
		return true;
	}
	return false;
}

static bool is_negative(const struct machine_state *m, struct value a)
{
	return a.number >> (m->elf->is64 ? 63 : 31);
}

static void step(struct machine_state *m, bool *undecided)
{
	unsigned op = next_of(m), size;
	uint64_t reg;
	struct value a;

	if (is_literal(m, op) || on_stack(m, op))
		return;
	if (op >= OP_REG0 && op < OP_BREG0) {
		push_register(m, op - OP_REG0, 0);
		return;
	}
	if (op >= OP_BREG0 && op < OP_REGX) {
		push_register(m, op - OP_BREG0, leb128(next_of, m, true));
		return;
	}
	switch (op) {
	case OP_REGX:
		push_register(m, leb128(next_of, m, false), 0);
		return;
	case OP_BREGX:
		reg = leb128(next_of, m, false);
		push_register(m, reg, leb128(next_of, m, true));
		return;
	case OP_DEREF:
		read_memory(m, m->elf->is64 ? 8 : 4);
		return;
	case OP_DEREF_SIZE:
		size = next_of(m);
		if (size == 1 || size == 2 || size == 4 || size == 8)
			read_memory(m, size);
		else
			m->ended = EXPRESSION_OPCODE; /* both abort */
		return;
	case OP_ABS:
	case OP_NEG:
	case OP_NOT:
		a = pop(m);
		push(m, a.kind != VALUE_NUMBER              ? unknown
			: op == OP_NOT                      ? number(~a.number)
			: op == OP_NEG || is_negative(m, a) ? number(-a.number)
							    : a);
		return;
	case OP_PLUS_UCONST:
		a = pop(m);
		a.number += leb128(next_of, m, false);
		push(m, a.kind == VALUE_MEMORY ? unknown : a);
		return;
	case OP_NOP:
		m->has_nop = true;
		m->nop_at = m->at - 1;
		return;
	case OP_SKIP:
	case OP_BRA:
		jump(m, op == OP_SKIP, undecided);
		return;
	}
	if (op >= OP_AND && op <= OP_NE)
		two_operands(m, op);
	else
		m->ended = EXPRESSION_OPCODE;
}

enum expression_end expression_run(const struct elf_bytes *elf, uint64_t at, uint64_t end,
				   struct value initial, uint64_t nr_registers, unsigned *left,
				   struct value *result, uint64_t *where)
{
	struct machine_state m = {
		.elf = elf, .at = at, .end = end, .left = left, .nr_registers = nr_registers};
	bool undecided = false;

	*result = unknown;
	push(&m, initial);
	for (unsigned steps = 0; m.at < m.end && !m.ended && !undecided; steps++) {
		*where = m.at;
		if (steps == STEPS_MAX)
			return EXPRESSION_ENDLESS;
		step(&m, &undecided);
	}
	if (m.ended || undecided)
		return m.ended;
	*result = pop(&m);
	if (!m.ended && m.has_nop) {
		*where = m.nop_at;
		return EXPRESSION_OPCODE;
	}
	return m.ended;
}
