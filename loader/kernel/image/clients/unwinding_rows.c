/*
 * unwinding_rows.c - the rows of a description, as both execute them: libgcc by
 * execute_cfa_program() and uw_update_context_1(), LLVM by parseFDEInstructions() and
 * stepWithDwarf().
 */
#include "kernel/image/clients/unwinding.h"

/* What is that far from the stack is not on it. */
#define FAR (1 << 20)

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
	return unwinding_leb128(r->l, r->u, &r->at, r->end, false);
}

static uint64_t sleb(struct reader *r)
{
	return unwinding_leb128(r->l, r->u, &r->at, r->end, true);
}

/* The walk ends in all of the function. */
static void stop(struct reader *r, const char *why)
{
	unwinding_lose(r->u, r->pc, why);
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
		unwinding_lose(r->u, pc,
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
		unwinding_lose(r->u, pc, "no row says where the return address is");
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
		unwinding_lose(r->u, at, "no row says where the return address is");
	else if (fault == ROW_RETURN_KEPT)
		keep_return(r, at);
	else if (fault == ROW_RETURN_NOWHERE)
		unwinding_lose(r->u, at, "a row says that there is no caller");
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
		to = unwinding_encoded(r->l, r->u, r->d->encoding, 0, &r->at, &absolute);
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

void unwinding_follow(struct look *l, struct unwinding *u, const struct description *d)
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
