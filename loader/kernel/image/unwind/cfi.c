/*
 * cfi.c - call frame information: how to get from an instruction to the caller's frame.
 *
 *	CIE   length, 0, version, augmentation, factors, return address, instructions
 *	FDE   length, distance to its CIE, where code begins, its length, instructions
 *
 * The instructions make a table: for a range of addresses, the CFA (the stack pointer before
 * the call) and where each register was saved. Unwinders are small interpreters that trust
 * what a compiler wrote. libgcc's calls abort() for an opcode that it does not know, and runs
 * in the program: a C++ exception, pthread_cancel() or backtrace() then ends it. So all that
 * they read is read here, and run from the first instruction to the last (DWARF 5, 6.4; LSB,
 * "DWARF Extensions"; gcc, libgcc/unwind-dw2.c; LLVM, libunwind/src/DwarfParser.hpp).
 */
#include <stdarg.h>
#include <stdio.h> /* vsnprintf */
#include <string.h>

#include "kernel/image/unwind/cfi.h"
#include "kernel/image/unwind/row.h"

/* How an address is written (DW_EH_PE_*): a format, and what it counts from. */
enum { FORMAT_ABSPTR, FORMAT_UDATA2 = 2, FORMAT_UDATA4, FORMAT_UDATA8 };
#define FORMAT_SIGNED 8
#define FORMAT(enc)   ((enc)&0x0f)
#define BASE(enc)     ((enc)&0xf0)
#define BASE_PCREL    0x10

#define AUGMENTATION_MAX 8
#define REMEMBERED_MAX   16

/* The opcodes. The upper two bits of a byte are one of three, or say that the rest is. */
enum {
	CFA_ADVANCE_LOC = 0x40,
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0,
	CFA_NOP = 0,
	CFA_SET_LOC,
	CFA_ADVANCE_LOC1,
	CFA_ADVANCE_LOC2,
	CFA_ADVANCE_LOC4,
	CFA_OFFSET_EXTENDED,
	CFA_RESTORE_EXTENDED,
	CFA_UNDEFINED,
	CFA_SAME_VALUE,
	CFA_REGISTER,
	CFA_REMEMBER_STATE,
	CFA_RESTORE_STATE,
	CFA_DEF_CFA,
	CFA_DEF_CFA_REGISTER,
	CFA_DEF_CFA_OFFSET,
	CFA_DEF_CFA_EXPRESSION,
	CFA_EXPRESSION,
	CFA_OFFSET_EXTENDED_SF,
	CFA_DEF_CFA_SF,
	CFA_DEF_CFA_OFFSET_SF,
	CFA_VAL_OFFSET,
	CFA_VAL_OFFSET_SF,
	CFA_VAL_EXPRESSION,
	CFA_NEGATE_RA_STATE_WITH_PC = 0x2c, /* aarch64 */
	CFA_WINDOW_SAVE,                    /* sparc; aarch64: negate_ra_state */
	CFA_GNU_ARGS_SIZE,
	CFA_GNU_NEGATIVE_OFFSET_EXTENDED,
};

/* A place in the file, and the end of the record that it is in. */
struct cursor {
	const struct elf_bytes *elf;
	uint64_t at, end;
	unsigned *left; /* of MAX_BYTES */
	bool over;      /* read beyond the end, which gives zeros */
};

static uint64_t take(struct cursor *in, unsigned size)
{
	uint64_t at = in->at;

	if (size > in->end - at || size > *in->left) {
		in->over = true;
		in->at = in->end;
		return 0;
	}
	in->at += size;
	*in->left -= size;
	return size == 1   ? elf_u8(in->elf, at)
	       : size == 2 ? elf_u16(in->elf, at)
	       : size == 4 ? elf_u32(in->elf, at)
			   : elf_u64(in->elf, at);
}

static uint8_t next_of(void *from)
{
	return (uint8_t)take(from, 1);
}

static uint64_t uleb(struct cursor *in)
{
	return leb128(next_of, in, false);
}

static uint64_t sleb(struct cursor *in)
{
	return leb128(next_of, in, true);
}

static unsigned format_size(const struct checked *c, uint8_t encoding)
{
	switch (FORMAT(encoding) & ~FORMAT_SIGNED) {
	case FORMAT_ABSPTR:
		return c->elf.is64 ? 8 : 4;
	case FORMAT_UDATA2:
		return 2;
	case FORMAT_UDATA4:
		return 4;
	case FORMAT_UDATA8:
		return 8;
	}
	return 0;
}

/* An address in this encoding, which must be of a known size. vaddr is that of the cursor. */
static uint64_t encoded(const struct checked *c, struct cursor *in, uint8_t encoding,
			uint64_t vaddr)
{
	unsigned size = format_size(c, encoding);
	uint64_t value = take(in, size);

	if (encoding & FORMAT_SIGNED && size && size < 8)
		value = (value ^ 1ull << (8 * size - 1)) - (1ull << (8 * size - 1));
	if (BASE(encoding) == BASE_PCREL)
		value += vaddr;
	return c->elf.is64 ? value : (uint32_t)value;
}

struct cie {
	uint64_t vaddr, code_factor, data_factor, return_column;
	struct cursor instructions;
	uint8_t encoding;
	bool augmented, is_signal;
};

struct interpreter {
	struct checked *c;
	struct cfi *cfi;
	const struct cie *cie;
	struct frame *frame;
	uint64_t location, shift; /* shift: from a file offset to an address */
	struct convention convention;
	struct prologue prologue;
	struct row row, initial; /* initial: after the CIE */
	struct row remembered[REMEMBERED_MAX];
	unsigned depth;
	/* What is wrong with an instruction, and for a text about a register its number. */
	const char *wrong;
	uint64_t number;
};

/* A length and a file position: the record's cursor. False: reported. */
static bool open_record(struct checked *c, struct cfi *cfi, struct cursor *in, const char *what,
			uint64_t vaddr, uint64_t *shift)
{
	uint64_t at;
	uint32_t length;

	if (!checked_offset(c, what, vaddr, 8, &at))
		return false;
	length = elf_u32(&c->elf, at);
	if (length == UINT32_MAX || length < 4 ||
	    length > c->load.offset + c->load.filesz - at - 4) {
		rule_broken_at(&c->report, RULE_CFI, at,
			       "%s at %#llx is %#x bytes long: libgcc reads on until it faults",
			       what, X(vaddr), length);
		return false;
	}
	*in = (struct cursor){
		.elf = &c->elf, .at = at + 4, .end = at + 4 + length, .left = &cfi->left};
	*shift = vaddr - at;
	return true;
}

/* The letters after z say what the augmentation data are. False: nothing can follow. */
static bool read_augmentation(struct checked *c, struct cie *cie, struct cursor *in,
			      const char *letters)
{
	uint64_t length, end;

	if (!*letters)
		return true;
	if (*letters != 'z')
		return false;
	length = uleb(in);
	if (length > in->end - in->at)
		return false;
	end = in->at + length;
	cie->augmented = true;
	while (*++letters) {
		if (*letters == 'R')
			cie->encoding = (uint8_t)take(in, 1);
		else if (*letters == 'L')
			take(in, 1);
		else if (*letters == 'P') {
			uint8_t encoding = (uint8_t)take(in, 1);

			if (!format_size(c, encoding))
				return false;
			take(in, format_size(c, encoding));
		} else if (*letters == 'S')
			cie->is_signal = true;
		/* aarch64: signed with key B, and tagged memory. */
		else if (c->header.machine != EM_AARCH64 || !strchr("BG", *letters))
			return false;
	}
	if (in->at > end)
		return false;
	in->at = end;
	return true;
}

/* A breach of many FDEs, since they share the CIE, is told once. */
__attribute__((format(printf, 4, 5))) static void
cie_broken(struct checked *c, struct cfi *cfi, const struct cie *cie, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	if (cfi->reported_at == cie->vaddr)
		return;
	cfi->reported_at = cie->vaddr;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	rule_broken_at(&c->report, RULE_CFI, cie->vaddr - c->load.vaddr + c->load.offset,
		       "the CIE at %#llx has %s", X(cie->vaddr), what);
}

/* From version 4 on the sizes of an address and of a segment come after the augmentation. */
static bool has_sizes(const struct checked *c, const struct cursor *in)
{
	struct cursor sizes = *in;

	while (take(&sizes, 1))
		continue;
	return take(&sizes, 1) == (c->elf.is64 ? 8 : 4) && take(&sizes, 1) == 0;
}

static bool read_cie(struct checked *c, struct cfi *cfi, struct cie *cie)
{
	char letters[AUGMENTATION_MAX] = "";
	struct cursor in;
	uint64_t shift;
	unsigned version, n = 0, registers = convention_of(&c->elf).registers;

	if (!open_record(c, cfi, &in, "a CIE", cie->vaddr, &shift))
		return false;
	if (take(&in, 4) != 0) {
		cie_broken(c, cfi, cie, "another number than 0 where a CIE has 0: it is none");
		return false;
	}
	version = (unsigned)take(&in, 1);
	if (version != 1 && version != 3) {
		cie_broken(c, cfi, cie, "version %u: LLVM's unwinder knows 1 and 3 alone%s",
			   version,
			   version > 3 && !has_sizes(c, &in) ? ", and libgcc aborts the program"
							     : "");
		return false;
	}
	while (n < sizeof(letters) && (letters[n] = (char)take(&in, 1)))
		n++;
	if (n == sizeof(letters)) {
		letters[n - 1] = '\0';
		cie_broken(c, cfi, cie, "an augmentation without an end, %s...", letters);
		return false;
	}
	cie->code_factor = uleb(&in);
	cie->data_factor = sleb(&in);
	cie->return_column = version == 1 ? take(&in, 1) : uleb(&in);
	if (!read_augmentation(c, cie, &in, letters) || in.over) {
		cie_broken(c, cfi, cie, "the augmentation %s: what comes after is not known",
			   letters);
		return false;
	}
	if (BASE(cie->encoding) != BASE_PCREL || !format_size(c, cie->encoding)) {
		cie_broken(c, cfi, cie,
			   "addresses encoded as %#x, not counted from themselves: nothing "
			   "relocates them",
			   cie->encoding);
		return false;
	}
	if (!cie->code_factor || !cie->data_factor)
		cie_broken(c, cfi, cie,
			   "an alignment factor of 0: all rows are for one address, or all "
			   "registers at one place");
	if (cie->return_column >= registers)
		cie_broken(c, cfi, cie, "a return address in register %llu, of %u",
			   X(cie->return_column), registers);
	cie->instructions = in;
	return true;
}

/* What comes of an expression that does not end well. */
static const char *const expression_texts[] = {
	[EXPRESSION_OPCODE] = "an opcode that not all unwinders know: they abort the program",
	[EXPRESSION_REGISTER] =
		"a register that unwinders have no room for: they abort the program",
	/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one text in two lines */
	[EXPRESSION_STACK] = "an operand that is not there, or too many: libgcc aborts the "
			     "program, LLVM's unwinder takes what lies there",
	[EXPRESSION_DIVISION] = "a division by 0, which ends the program",
	[EXPRESSION_CUT] = "an operand that runs over the end: unwinders take what comes next",
	[EXPRESSION_ADDRESS] = "a read at a fixed address, which ends the program",
	[EXPRESSION_ENDLESS] = "no end: the program hangs",
};

/* False: reported. */
static bool read_expression(struct interpreter *m, struct cursor *in, struct value initial,
			    struct value *result)
{
	uint64_t length = uleb(in), where = in->at;
	enum expression_end ended;

	if (in->over || length > in->end - in->at) {
		in->over = true;
		return true; /* said by the caller */
	}
	ended = expression_run(in->elf, in->at, in->at + length, initial,
			       m->convention.registers, &m->cfi->left, result, &where);
	in->at += length;
	if (ended == EXPRESSION_DONE)
		return true;
	rule_broken_at(&m->c->report, RULE_CFI, where,
		       "the FDE at %#llx has an expression with opcode %#x: %s",
		       X(m->frame->fde), elf_u8(in->elf, where), expression_texts[ended]);
	return false;
}

static void row_broken(struct interpreter *m, enum row_fault fault, uint64_t pc)
{
	static const char *const texts[] = {
		[ROW_NO_CFA] =
			"gives no CFA for %#llx: no unwinder finds the caller from there",
		[ROW_WRONG_CFA] =
			"has another CFA for %#llx than the one that is there: the walk "
			"goes wrong, or crashes",
		[ROW_RETURN_KEPT] = "does not say where the return address is at %#llx: "
				    "unwinders stay there for ever",
		[ROW_RETURN_NOWHERE] = "says that there is no caller at %#llx: the walk ends "
				       "there",
		[ROW_RETURN_ELSEWHERE] =
			"says that the return address at %#llx is where no call "
			"leaves it: the walk goes wrong, or crashes",
	};
	char text[160];

	snprintf(text, sizeof(text), texts[fault], X(pc));
	rule_broken_at(&m->c->report, RULE_CFI, m->frame->fde - m->shift, "the FDE at %#llx %s",
		       X(m->frame->fde), text);
}

/* The rows up to a new location are done: were they right? */
static bool advance(struct interpreter *m, uint64_t to)
{
	enum row_fault fault;
	uint64_t at;

	if (to < m->location || to > m->frame->start + m->frame->length) {
		rule_broken_at(&m->c->report, RULE_CFI, m->frame->fde - m->shift,
			       "the FDE at %#llx goes to %#llx, outside of its code",
			       X(m->frame->fde), X(to));
		return false;
	}
	if (to > m->location) {
		fault = row_check(&m->row, &m->prologue, m->location, to, &at);
		if (fault != ROW_RIGHT) {
			row_broken(m, fault, at);
			return false;
		}
	}
	m->location = to;
	return true;
}

/* A register that a rule names. LLVM's unwinder ends the walk at one that it does not have. */
static uint64_t take_register(struct interpreter *m, uint64_t number)
{
	if (number >= m->convention.registers) {
		m->wrong =
			"names register %llu, which unwinders have no room for: LLVM's loses "
			"its way, and libgcc aborts the program when it needs it";
		m->number = number;
	}
	return number;
}

static void set_rule(struct interpreter *m, uint64_t number, unsigned where, struct value back)
{
	if (number == m->cie->return_column) {
		m->row.where = where;
		m->row.back = back;
	}
}

static void restore_rule(struct interpreter *m, uint64_t number)
{
	set_rule(m, number, m->initial.where, m->initial.back);
}

static struct value value_at(uint64_t reg, uint64_t number)
{
	return (struct value){VALUE_REGISTER, reg, number};
}

static void set_cfa(struct interpreter *m, uint64_t reg, uint64_t offset)
{
	m->row.how = CFA_OF_REGISTER;
	m->row.cfa = value_at(take_register(m, reg), offset);
}

static void set_cfa_offset(struct interpreter *m, uint64_t offset)
{
	if (m->row.how != CFA_OF_REGISTER)
		m->wrong = "has no register to count from";
	m->row.cfa.number = offset;
}

/* False: reported. Else what is wrong, if something is, is in m->wrong. */
static bool run_extended(struct interpreter *m, struct cursor *in, unsigned op)
{
	const struct value nothing = {VALUE_UNKNOWN, 0, 0};
	uint16_t machine = m->c->header.machine;
	struct value value = nothing;
	uint64_t number;

	switch (op) {
	case CFA_NOP:
		return true;
	case CFA_OFFSET_EXTENDED:
	case CFA_OFFSET_EXTENDED_SF:
	case CFA_GNU_NEGATIVE_OFFSET_EXTENDED:
	case CFA_VAL_OFFSET:
	case CFA_VAL_OFFSET_SF: {
		bool is_signed = op == CFA_OFFSET_EXTENDED_SF || op == CFA_VAL_OFFSET_SF;
		bool is_value = op == CFA_VAL_OFFSET || op == CFA_VAL_OFFSET_SF;
		uint64_t offset;

		number = take_register(m, uleb(in));
		offset = (is_signed ? sleb(in) : uleb(in)) * m->cie->data_factor;
		if (op == CFA_GNU_NEGATIVE_OFFSET_EXTENDED)
			offset = -offset;
		/* s390's kernel has them, and LLVM's may know them there. */
		if (is_value && is_x86(in->elf))
			m->wrong =
				"is a val_offset, on which LLVM's unwinder aborts the program";
		set_rule(m, number, is_value ? RETURN_IS : RETURN_AT,
			 value_at(VALUE_CFA, offset));
		return true;
	}
	case CFA_REGISTER:
		number = take_register(m, uleb(in));
		set_rule(m, number, RETURN_IS, value_at(take_register(m, uleb(in)), 0));
		return true;
	case CFA_EXPRESSION:
	case CFA_VAL_EXPRESSION:
		number = take_register(m, uleb(in));
		if (!read_expression(m, in, value_at(VALUE_CFA, 0), &value))
			return false;
		set_rule(m, number, op == CFA_EXPRESSION ? RETURN_AT : RETURN_IS, value);
		return true;
	case CFA_RESTORE_EXTENDED:
		restore_rule(m, take_register(m, uleb(in)));
		return true;
	case CFA_UNDEFINED:
		set_rule(m, take_register(m, uleb(in)), RETURN_NOWHERE, nothing);
		return true;
	case CFA_SAME_VALUE:
		set_rule(m, take_register(m, uleb(in)), RETURN_KEPT, nothing);
		return true;
	case CFA_REMEMBER_STATE:
		if (m->depth == REMEMBERED_MAX)
			m->wrong = "is there too often: unwinders take memory for each, and no "
				   "compiler needs more than a few";
		else
			m->remembered[m->depth++] = m->row;
		return true;
	case CFA_RESTORE_STATE:
		if (m->depth == 0)
			m->wrong = "restores what nothing remembered: libgcc crashes, LLVM's "
				   "unwinder loses its way";
		else
			m->row = m->remembered[--m->depth];
		return true;
	case CFA_DEF_CFA:
	case CFA_DEF_CFA_SF:
		number = uleb(in);
		set_cfa(m, number,
			op == CFA_DEF_CFA ? uleb(in) : sleb(in) * m->cie->data_factor);
		return true;
	case CFA_DEF_CFA_REGISTER:
		set_cfa(m, uleb(in), m->row.how == CFA_OF_REGISTER ? m->row.cfa.number : 0);
		return true;
	case CFA_DEF_CFA_OFFSET:
		set_cfa_offset(m, uleb(in));
		return true;
	case CFA_DEF_CFA_OFFSET_SF:
		set_cfa_offset(m, sleb(in) * m->cie->data_factor);
		return true;
	case CFA_DEF_CFA_EXPRESSION:
		m->row.how = CFA_OF_EXPRESSION;
		return read_expression(m, in, (struct value){VALUE_NUMBER, 0, 0}, &m->row.cfa);
	case CFA_GNU_ARGS_SIZE:
		uleb(in);
		return true;
	case CFA_WINDOW_SAVE:
		if (machine != EM_AARCH64 && machine != EM_SPARC && machine != EM_SPARC32PLUS &&
		    machine != EM_SPARCV9)
			m->wrong = "is another machine's: LLVM's unwinder loses its way";
		return true;
	case CFA_NEGATE_RA_STATE_WITH_PC:
		if (machine == EM_AARCH64)
			return true;
	}
	m->wrong = "no unwinder knows: libgcc aborts the program, LLVM's loses its way";
	return true;
}

static bool run_advance(struct interpreter *m, struct cursor *in, unsigned op, bool *is_advance)
{
	uint64_t distance;

	*is_advance = true;
	switch (op) {
	case CFA_SET_LOC:
		m->wrong = "is an address, which LLVM's unwinder takes for a distance";
		return advance(m, encoded(m->c, in, m->cie->encoding, in->at + m->shift));
	case CFA_ADVANCE_LOC1:
		distance = take(in, 1);
		break;
	case CFA_ADVANCE_LOC2:
		distance = take(in, 2);
		break;
	case CFA_ADVANCE_LOC4:
		distance = take(in, 4);
		break;
	default:
		if ((op & 0xc0) != CFA_ADVANCE_LOC) {
			*is_advance = false;
			return true;
		}
		distance = op & 0x3f;
	}
	if (in->over)
		return true;
	return advance(m, m->location + distance * m->cie->code_factor);
}

/* False: reported, and nothing can follow. */
static bool run(struct interpreter *m, struct cursor in)
{
	while (in.at < in.end) {
		uint64_t at = in.at;
		unsigned op = (unsigned)take(&in, 1);
		bool is_advance;
		char wrong[160];

		m->wrong = NULL;
		if (!run_advance(m, &in, op, &is_advance))
			return false;
		if ((op & 0xc0) == CFA_OFFSET) {
			uint64_t offset = uleb(&in) * m->cie->data_factor;

			set_rule(m, take_register(m, op & 0x3f), RETURN_AT,
				 value_at(VALUE_CFA, offset));
		} else if ((op & 0xc0) == CFA_RESTORE) {
			restore_rule(m, take_register(m, op & 0x3f));
		} else if (!is_advance && !run_extended(m, &in, op)) {
			return false;
		}
		if (!m->cfi->left)
			return false;
		if (in.over)
			m->wrong = "runs over the end: unwinders read on in what comes next";
		if (!m->wrong)
			continue;
		snprintf(wrong, sizeof(wrong), m->wrong, X(m->number));
		rule_broken_at(&m->c->report, RULE_CFI, at,
			       "the FDE at %#llx has the opcode %#x, which %s",
			       X(m->frame->fde), op, wrong);
		return false;
	}
	return true;
}

/* Both programs, from the first byte of the code to its last. */
static void run_all(struct interpreter *m, const struct cursor *instructions)
{
	if (!run(m, m->cie->instructions))
		return;
	m->initial = m->row;
	m->depth = 0;
	if (run(m, *instructions))
		advance(m, m->frame->start + m->frame->length);
}

/* Does an exported function begin there? Then there are calls to it. */
static bool is_called(const struct checked *c, uint64_t pc)
{
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);

		if (symbol_is_function(&sym) && machine_code(c->machine, sym.value) == pc)
			return true;
	}
	return false;
}

bool cfi_read(struct checked *c, struct cfi *cfi, uint64_t fde, struct frame *frame)
{
	struct cie cie = {.encoding = FORMAT_ABSPTR};
	struct interpreter m = {.c = c,
				.cfi = cfi,
				.cie = &cie,
				.frame = frame,
				.convention = convention_of(&c->elf)};
	struct cursor in;
	uint64_t distance, length;

	frame->fde = fde;
	if (!open_record(c, cfi, &in, "an FDE", fde, &m.shift))
		return false;
	distance = take(&in, 4);
	if (distance == 0 || distance > fde + 4 - c->load.vaddr) {
		rule_broken_at(&c->report, RULE_CFI, fde - m.shift,
			       "the FDE at %#llx has its CIE %#llx bytes before it, where none "
			       "is: libgcc aborts the program, or faults",
			       X(fde), X(distance));
		return false;
	}
	cie.vaddr = fde + 4 - distance;
	if (cfi->bad_cie == cie.vaddr)
		return false;
	if (!read_cie(c, cfi, &cie)) {
		cfi->bad_cie = cie.vaddr;
		return false;
	}
	frame->start = encoded(c, &in, cie.encoding, in.at + m.shift);
	/* The length is no address: it counts from nothing, and has no sign. */
	frame->length = take(&in, format_size(c, cie.encoding));
	frame->is_signal = cie.is_signal;
	length = cie.augmented ? uleb(&in) : 0;
	if (in.over || length > in.end - in.at) {
		rule_broken_at(&c->report, RULE_CFI, fde - m.shift,
			       "the FDE at %#llx ends in the middle", X(fde));
		return false;
	}
	in.at += length;
	m.location = frame->start;
	m.prologue = prologue_begin(&c->elf, frame->start, c->load.vaddr - c->load.offset,
				    is_called(c, frame->start), frame->is_signal);
	run_all(&m, &in);
	return true;
}
