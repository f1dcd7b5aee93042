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
	bool over; /* read beyond the end, which gives zeros */
};

static uint64_t take(struct cursor *in, unsigned size)
{
	uint64_t at = in->at;

	if (size > in->end - at) {
		in->over = true;
		in->at = in->end;
		return 0;
	}
	in->at += size;
	return size == 1   ? elf_u8(in->elf, at)
	       : size == 2 ? elf_u16(in->elf, at)
	       : size == 4 ? elf_u32(in->elf, at)
			   : elf_u64(in->elf, at);
}

/* A number in groups of seven bits, the lowest first. 64 bits of it count. */
static uint64_t leb128(struct cursor *in, bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)take(in, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && byte & 0x40 && shift < 64)
		value |= ~0ull << shift;
	return value;
}

static uint64_t uleb(struct cursor *in)
{
	return leb128(in, false);
}

static uint64_t sleb(struct cursor *in)
{
	return leb128(in, true);
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

	if (encoding & FORMAT_SIGNED && size < 8)
		value = (value ^ 1ull << (8 * size - 1)) - (1ull << (8 * size - 1));
	if (BASE(encoding) == BASE_PCREL)
		value += vaddr;
	return c->elf.is64 ? value : (uint32_t)value;
}

struct cie {
	uint64_t vaddr, code_factor, return_column;
	struct cursor instructions;
	uint8_t encoding;
	bool augmented, is_signal;
};

/* What is the table's row at the instruction that has been reached? */
struct row {
	bool cfa;          /* is it known, ... */
	bool cfa_register; /* as a register and an offset */
	bool return_known; /* is there a rule for the return address */
};

struct interpreter {
	struct checked *c;
	struct cfi *cfi;
	const struct cie *cie;
	struct frame *frame;
	uint64_t location, shift; /* shift: from a file offset to an address */
	struct row row, initial;  /* initial: after the CIE */
	struct row remembered[REMEMBERED_MAX];
	unsigned depth;
};

/* How many registers libgcc has room for; it asserts that the CFA's is one of them. */
static uint64_t nr_registers(const struct checked *c)
{
	return c->header.machine == EM_X86_64 || c->header.machine == EM_386 ? 17 : 256;
}

/* On x86 a call puts the return address on the stack; elsewhere it is in a register. */
static bool returns_by_stack(const struct checked *c)
{
	return c->header.machine == EM_X86_64 || c->header.machine == EM_386;
}

/* A length and a file position: the record's cursor. False: reported. */
static bool open_record(struct checked *c, struct cursor *in, const char *what, uint64_t vaddr,
			uint64_t *shift)
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
	*in = (struct cursor){.elf = &c->elf, .at = at + 4, .end = at + 4 + length};
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

static bool read_cie(struct checked *c, struct cfi *cfi, struct cie *cie)
{
	char letters[AUGMENTATION_MAX] = "";
	struct cursor in;
	uint64_t shift;
	unsigned version, n = 0;

	if (!open_record(c, &in, "a CIE", cie->vaddr, &shift))
		return false;
	if (take(&in, 4) != 0) {
		cie_broken(c, cfi, cie, "another number than 0 where a CIE has 0: it is none");
		return false;
	}
	version = (unsigned)take(&in, 1);
	if (version != 1 && version != 3) {
		cie_broken(c, cfi, cie,
			   "version %u: libgcc aborts the program, and LLVM's unwinder knows 1 "
			   "and 3 alone",
			   version);
		return false;
	}
	do
		letters[n] = (char)take(&in, 1);
	while (letters[n] && ++n < sizeof(letters));
	if (n == sizeof(letters)) {
		letters[n - 1] = '\0';
		cie_broken(c, cfi, cie, "an augmentation without an end, %s...", letters);
		return false;
	}
	cie->code_factor = uleb(&in);
	sleb(&in);
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
	if (cie->return_column >= nr_registers(c))
		cie_broken(c, cfi, cie, "a return address in register %llu, of %llu",
			   X(cie->return_column), X(nr_registers(c)));
	cie->instructions = in;
	return true;
}

/* The opcodes of DWARF expressions that libgcc knows, by the operands that follow. */
static bool read_operation(const struct checked *c, struct cursor *in)
{
	unsigned op = (unsigned)take(in, 1);

	if (op >= 0x30 && op <= 0x6f) /* lit, reg */
		return true;
	if (op >= 0x70 && op <= 0x8f) { /* breg */
		sleb(in);
		return true;
	}
	switch (op) {
	case 0x03: /* addr */
		take(in, c->elf.is64 ? 8 : 4);
		return true;
	case 0x08: /* const1u, const1s, pick, deref_size */
	case 0x09:
	case 0x15:
	case 0x94:
		take(in, 1);
		return true;
	case 0x0a: /* const2u, const2s, bra, skip */
	case 0x0b:
	case 0x28:
	case 0x2f:
		take(in, 2);
		return true;
	case 0x0c: /* const4u, const4s */
	case 0x0d:
		take(in, 4);
		return true;
	case 0x0e: /* const8u, const8s */
	case 0x0f:
		take(in, 8);
		return true;
	case 0x10: /* constu, plus_uconst, regx */
	case 0x23:
	case 0x90:
		uleb(in);
		return true;
	case 0x11: /* consts */
		sleb(in);
		return true;
	case 0x92: /* bregx */
		uleb(in);
		sleb(in);
		return true;
	case 0x06: /* deref, nop */
	case 0x96:
		return true;
	}
	/* dup, drop, over; swap to not; or to xor; and the comparisons */
	return op >= 0x12 && op <= 0x2e && op != 0x18;
}

static bool read_expression(struct interpreter *m, struct cursor *in)
{
	uint64_t length = uleb(in);
	struct cursor block = *in;

	if (length > in->end - in->at) {
		in->over = true;
		return true; /* said by the caller */
	}
	block.end = in->at += length;
	while (block.at < block.end) {
		uint64_t at = block.at;

		if (!m->cfi->left || !m->cfi->left--)
			return true;
		if (read_operation(m->c, &block) && !block.over)
			continue;
		rule_broken_at(&m->c->report, RULE_CFI, at,
			       "the FDE at %#llx has an expression with opcode %#x: libgcc "
			       "aborts the program",
			       X(m->frame->fde), elf_u8(in->elf, at));
		return false;
	}
	return true;
}

/* The rows up to a new location are done: did each have a CFA? */
static bool advance(struct interpreter *m, uint64_t to)
{
	struct report *report = &m->c->report;
	uint64_t at = m->frame->fde - m->shift;

	if (to < m->location || to > m->frame->start + m->frame->length) {
		rule_broken_at(report, RULE_CFI, at,
			       "the FDE at %#llx goes to %#llx, outside of its code",
			       X(m->frame->fde), X(to));
		return false;
	}
	if (to > m->location && !m->row.cfa) {
		rule_broken_at(report, RULE_CFI, at,
			       "the FDE at %#llx gives no CFA for %#llx: no unwinder finds the "
			       "caller from there",
			       X(m->frame->fde), X(m->location));
		return false;
	}
	if (to > m->location && returns_by_stack(m->c) && !m->row.return_known) {
		rule_broken_at(report, RULE_CFI, at,
			       "the FDE at %#llx does not say where the return address is at "
			       "%#llx",
			       X(m->frame->fde), X(m->location));
		return false;
	}
	m->location = to;
	return true;
}

static void set_register(struct interpreter *m, uint64_t number, bool known)
{
	if (number == m->cie->return_column)
		m->row.return_known = known;
}

static bool set_cfa(struct interpreter *m, uint64_t number)
{
	m->row.cfa = m->row.cfa_register = true;
	return number < nr_registers(m->c);
}

/* The instructions that change the CFA, and others of which each has its operands. False: bad.
 */
static bool run_extended(struct interpreter *m, struct cursor *in, unsigned op)
{
	switch (op) {
	case CFA_NOP:
		return true;
	case CFA_OFFSET_EXTENDED:
	case CFA_VAL_OFFSET:
	case CFA_REGISTER:
	case CFA_GNU_NEGATIVE_OFFSET_EXTENDED:
		set_register(m, uleb(in), true);
		uleb(in);
		return true;
	case CFA_OFFSET_EXTENDED_SF:
	case CFA_VAL_OFFSET_SF:
		set_register(m, uleb(in), true);
		sleb(in);
		return true;
	case CFA_EXPRESSION:
	case CFA_VAL_EXPRESSION:
		set_register(m, uleb(in), true);
		return read_expression(m, in);
	case CFA_RESTORE_EXTENDED:
		set_register(m, uleb(in), m->initial.return_known);
		return true;
	case CFA_UNDEFINED: /* of the return address: there is no caller, and here is one */
		return uleb(in) != m->cie->return_column;
	case CFA_SAME_VALUE:
		set_register(m, uleb(in), true);
		return true;
	case CFA_REMEMBER_STATE:
		if (m->depth == REMEMBERED_MAX)
			return false;
		m->remembered[m->depth++] = m->row;
		return true;
	case CFA_RESTORE_STATE:
		if (m->depth == 0)
			return false;
		m->row = m->remembered[--m->depth];
		return true;
	case CFA_DEF_CFA: {
		uint64_t number = uleb(in);

		uleb(in);
		return set_cfa(m, number);
	}
	case CFA_DEF_CFA_SF: {
		uint64_t number = uleb(in);

		sleb(in);
		return set_cfa(m, number);
	}
	case CFA_DEF_CFA_REGISTER:
		return set_cfa(m, uleb(in));
	case CFA_DEF_CFA_OFFSET:
		uleb(in);
		return m->row.cfa_register;
	case CFA_DEF_CFA_OFFSET_SF:
		sleb(in);
		return m->row.cfa_register;
	case CFA_DEF_CFA_EXPRESSION:
		m->row.cfa = true;
		m->row.cfa_register = false;
		return read_expression(m, in);
	case CFA_GNU_ARGS_SIZE:
		uleb(in);
		return true;
	case CFA_WINDOW_SAVE:
		return m->c->header.machine == EM_AARCH64 || m->c->header.machine == EM_SPARC ||
		       m->c->header.machine == EM_SPARC32PLUS ||
		       m->c->header.machine == EM_SPARCV9;
	case CFA_NEGATE_RA_STATE_WITH_PC:
		return m->c->header.machine == EM_AARCH64;
	}
	return false;
}

static bool run_advance(struct interpreter *m, struct cursor *in, unsigned op, bool *is_advance)
{
	uint64_t distance;

	*is_advance = true;
	switch (op) {
	case CFA_SET_LOC:
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
	return advance(m, m->location + distance * m->cie->code_factor);
}

/* False: reported, and nothing can follow. */
static bool run(struct interpreter *m, struct cursor in)
{
	while (in.at < in.end) {
		uint64_t at = in.at;
		unsigned op = (unsigned)take(&in, 1);
		bool is_advance, good = true;

		if (!m->cfi->left)
			return false;
		m->cfi->left--;
		if (!run_advance(m, &in, op, &is_advance))
			return false;
		if ((op & 0xc0) == CFA_OFFSET) {
			set_register(m, op & 0x3f, true);
			uleb(&in);
		} else if ((op & 0xc0) == CFA_RESTORE) {
			set_register(m, op & 0x3f, m->initial.return_known);
		} else if (!is_advance) {
			good = run_extended(m, &in, op);
		}
		if (good && !in.over)
			continue;
		rule_broken_at(&m->c->report, RULE_CFI, at,
			       "the FDE at %#llx has the opcode %#x, which %s: libgcc aborts "
			       "the program, or unwinds with what was there before",
			       X(m->frame->fde), op,
			       in.over                    ? "runs over the end"
			       : op == CFA_UNDEFINED      ? "says that there is no caller"
			       : op == CFA_REMEMBER_STATE ? "is there too often"
			       : op == CFA_RESTORE_STATE  ? "restores what nothing remembered"
			       : op == CFA_DEF_CFA_OFFSET || op == CFA_DEF_CFA_OFFSET_SF
				       ? "has no register to count from"
			       : op == CFA_DEF_CFA || op == CFA_DEF_CFA_SF ||
					       op == CFA_DEF_CFA_REGISTER
				       ? "names no register"
				       : "no unwinder knows");
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

bool cfi_read(struct checked *c, struct cfi *cfi, uint64_t fde, struct frame *frame)
{
	struct cie cie = {.encoding = FORMAT_ABSPTR};
	struct interpreter m = {.c = c, .cfi = cfi, .cie = &cie, .frame = frame};
	struct cursor in;
	uint64_t distance, length;

	frame->fde = fde;
	if (!open_record(c, &in, "an FDE", fde, &m.shift))
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
	run_all(&m, &in);
	return true;
}
