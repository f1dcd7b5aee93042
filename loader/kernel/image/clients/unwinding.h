/*
 * unwinding.h - what the restated unwinders share: the state of a look at all code, and how
 * numbers of the unwind data are read. unwinders.c says what is restated, and goes through the
 * code; unwinding.c reads; unwinding_gcc.c and unwinding_llvm.c find the description of a
 * function, each in its own way; unwinding_rows.c executes its rows.
 */
#ifndef KERNEL_IMAGE_CLIENTS_UNWINDING_H
#define KERNEL_IMAGE_CLIENTS_UNWINDING_H

#include "kernel/image/clients/judges.h"
#include "kernel/image/machine.h"
#include "kernel/image/unwind/row.h"

#define PE_OMIT      0xff
#define PE_INDIRECT  0x80
#define PCREL        0x10
#define DATAREL      0x30
#define TABLE_NORMAL (DATAREL | 0xb)

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

/* A number, read no further than to end and 64 bits of it by LLVM's; at is moved past it. */
uint64_t unwinding_leb128(struct look *l, struct unwinding *u, uint64_t *at, uint64_t end,
			  bool is_signed);

/*
 * An address or a length (LSB, DW_EH_PE_*), and whether it counts from nothing. datarel is what
 * DATAREL counts from, 0 where LLVM's has no such thing.
 */
uint64_t unwinding_encoded(struct look *l, struct unwinding *u, unsigned encoding,
			   uint64_t datarel, uint64_t *at, bool *absolute);
uint64_t unwinding_length(struct look *l, struct unwinding *u, unsigned encoding, uint64_t *at);

/* A place with no way back: the walk ends there, and with it backtrace, profile or exception.
 */
void unwinding_lose(struct unwinding *u, uint64_t pc, const char *why);

/* Where the function of an entry of the search table begins. */
uint64_t unwinding_entry(struct look *l, const struct unwinding *u, uint64_t i);

/* The description for the code at pc, false if there is none; and all of it. */
bool gcc_find(struct look *l, struct unwinding *u, uint64_t pc, struct description *d);
const char *gcc_read(struct look *l, struct unwinding *u, struct description *d);
bool llvm_find(struct look *l, struct unwinding *u, uint64_t pc, struct description *d,
	       const char **why);

/* Executes the rows of a description, for all of its code. */
void unwinding_follow(struct look *l, struct unwinding *u, const struct description *d);

#endif
