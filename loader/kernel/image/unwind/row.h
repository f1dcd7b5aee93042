/*
 * row.h - a row of the table that CFI is, held against the code.
 *
 * A row says for some instructions where the caller's frame is (the CFA: the stack pointer
 * before the call) and how to get the return address. Most of that cannot be known without
 * running the code. But at the first instruction of a function the calling convention says it;
 * on x86 every push and sub that comes right after it can be counted along; and a return
 * address that a call has pushed stays where it is.
 */
#ifndef KERNEL_IMAGE_UNWIND_ROW_H
#define KERNEL_IMAGE_UNWIND_ROW_H

#include "kernel/image/unwind/convention.h"
#include "kernel/image/unwind/expression.h"

struct row {
	enum { CFA_NONE, CFA_OF_REGISTER, CFA_OF_EXPRESSION } how;
	struct value cfa;
	enum {
		RETURN_KEPT,   /* no rule: in its register, the same as in the caller */
		RETURN_AT,     /* in memory there, */
		RETURN_IS,     /* or this itself */
		RETURN_NOWHERE /* undefined: there is no caller */
	} where;
	struct value back; /* may count from VALUE_CFA */
};

enum row_fault {
	ROW_RIGHT,
	ROW_NO_CFA,
	ROW_WRONG_CFA,
	ROW_RETURN_KEPT, /* on x86: the walk stays where it is */
	ROW_RETURN_NOWHERE,
	ROW_RETURN_ELSEWHERE,
};

/* The first instructions of a function, one after the other. */
struct prologue {
	struct elf_bytes elf;
	struct convention convention;
	uint64_t at,
		shift; /* the next one's address; from there to a file offset, to subtract */
	bool sure;     /* that it is called at its first byte */
	bool signal_frame;  /* its caller is a signal, which agreed on nothing */
	bool known;         /* else it is not known any more where things are */
	uint64_t cfa;       /* that far above the stack pointer, */
	uint64_t frame_cfa; /* and above the frame pointer: 0 before it is set */
};

/* If it is not sure that there is a call to at, the first row shows whether there may be. */
struct prologue prologue_begin(const struct elf_bytes *elf, uint64_t at, uint64_t shift,
			       bool sure, bool signal_frame);

/*
 * What is wrong with a row from one address to another; at is where. The addresses grow from
 * one call to the next.
 */
enum row_fault row_check(const struct row *row, struct prologue *p, uint64_t from, uint64_t to,
			 uint64_t *at);

#endif
