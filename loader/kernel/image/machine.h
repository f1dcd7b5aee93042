/*
 * machine.h - every machine whose kernel has a vDSO, and what is different there.
 *
 * What a program must know to use a vDSO is the same for all machines but for some words: the
 * names of the functions, their version, the name of the image. They are in a table here, as
 * kernels have them (vdso(7), and the linker scripts of arch/ in the kernel). A machine that is
 * not in it has no vDSO that we know of.
 *
 * Not to be confused with kernel/arch/, which is about the machine that we run on.
 */
#ifndef KERNEL_IMAGE_MACHINE_H
#define KERNEL_IMAGE_MACHINE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/image/elf_bytes.h"

/* What the elf.h of glibc 2.31 lacks. */
#ifndef EM_LOONGARCH
#	define EM_LOONGARCH 258
#endif

/* More functions than any machine has. */
#define MACHINE_FUNCTIONS 16

/* For a machine that is not known: the largest page that any has. */
#define MACHINE_PAGE_MAX (256 * 1024u)

struct machine {
	uint16_t number; /* EM_* */
	uint8_t bits;    /* 32 or 64 */
	uint8_t order;   /* ELFDATA2LSB or ELFDATA2MSB; ELFDATANONE: there are both */
	const char *name;
	const char *soname; /* DT_SONAME of the kernel's image */
	const char *node;   /* the version of its functions */
	const char
		*older_node; /* of what is older than the clocks (i386), or of older kernels */
	uint32_t largest_page;   /* of the kernels for it; they are mapped at multiples of it */
	bool rel;                /* relocations without an addend, if DT_PLTREL does not say */
	bool thumb;              /* bit 0 of a function's address is a mode of the processor */
	bool no_unwind_table;    /* the kernel's image has no PT_GNU_EH_FRAME */
	const char *asserted[3]; /* those without which rustix panics; NULL ends */
	const char *functions[MACHINE_FUNCTIONS]; /* whole names, of all kernels; NULL ends */
};

/* For walking through all: count of them, and the one of a number below that. */
extern const struct machine image_machines[];
extern const unsigned image_nr_machines;

/* The machine of an ELF file, by e_machine and class; NULL if none with a vDSO is known. */
const struct machine *machine_of(const struct elf_bytes *elf);

/* Has the kernel's vDSO a function of this name there, in some version of the kernel? */
bool machine_has_function(const struct machine *machine, const char *name);

/* Is it one of the machine's version nodes? */
bool machine_has_node(const struct machine *machine, const char *node);

/* Is a segment of this type one that the machine's linkers write beside the usual ones? */
bool machine_has_segment(uint16_t number, uint32_t type);

/* Where the code of a function begins, from the value of its symbol. */
uint64_t machine_code(const struct machine *machine, uint64_t value);

/* A function's name without __vdso_ or __kernel_; itself if it has neither. */
const char *machine_plain_name(const char *name);

/*
 * Which C libraries, languages and tools look for the function by its name, on a machine that
 * has it: "glibc, musl and Go". NULL: none is known. They look for the machine's version.
 */
const char *machine_clients(const char *name);

#endif
