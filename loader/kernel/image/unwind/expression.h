/*
 * expression.h - DWARF expressions, and the numbers that they are written with.
 *
 * An expression computes an address from registers and memory, neither of which is here. What
 * it comes to is known all the same where it is a number, or a register and a number.
 */
#ifndef KERNEL_IMAGE_UNWIND_EXPRESSION_H
#define KERNEL_IMAGE_UNWIND_EXPRESSION_H

#include "kernel/image/elf_bytes.h"

/* The next byte of something: a record of the file, or memory as a client sees it. */
typedef uint8_t next_byte(void *from);

/*
 * A number in groups of seven bits, the lowest first (DWARF 5, 7.6). 64 bits of it count. Who
 * has no more bytes gives zeros.
 */
uint64_t leb128(next_byte *next, void *from, bool is_signed);

/* The value of a register that is none: the CFA. */
#define VALUE_CFA 0x10000

struct value {
	enum {
		VALUE_NUMBER,
		VALUE_REGISTER, /* reg + number */
		VALUE_MEMORY,   /* the word there */
		VALUE_UNKNOWN
	} kind;
	uint64_t reg, number;
};

enum expression_end {
	EXPRESSION_DONE,
	EXPRESSION_OPCODE,   /* one that is none, or that not all unwinders know */
	EXPRESSION_REGISTER, /* a register that unwinders have no room for */
	EXPRESSION_STACK,    /* operands that are not there, or too many */
	EXPRESSION_DIVISION, /* by 0 */
	EXPRESSION_CUT,      /* an operand that is not all in it */
	EXPRESSION_ADDRESS,  /* reads at a fixed address, where nothing of the image can be */
	EXPRESSION_ENDLESS,
};

/*
 * Evaluates the bytes from an offset of the file to end, with initial on the stack, for a
 * machine with so many registers. left bounds the time: what is left of it in bytes. result is
 * unknown if it is not done, but for a DW_OP_nop, which not all know; where is the offset of
 * the opcode at which it ended.
 */
enum expression_end expression_run(const struct elf_bytes *elf, uint64_t at, uint64_t end,
				   struct value initial, uint64_t nr_registers, unsigned *left,
				   struct value *result, uint64_t *where);

#endif
