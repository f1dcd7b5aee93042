/*
 * convention.h - how functions of a machine are called, in the numbers of its CFI.
 *
 * Before the first instruction of a function it is known where everything is: that is what the
 * caller and the callee have agreed on (the psABI of the machine; DWARF's numbers of registers
 * are in it, too).
 */
#ifndef KERNEL_IMAGE_UNWIND_CONVENTION_H
#define KERNEL_IMAGE_UNWIND_CONVENTION_H

#include "kernel/image/elf_bytes.h"

struct convention {
	uint16_t machine;
	uint16_t registers;   /* that unwinders have room for; rules name the ones below */
	uint8_t stack, frame; /* the registers that point there; frame: x86 alone */
	uint8_t pushes;       /* bytes of the return address on the stack; 0: in a register */
	uint8_t cfa, cfa32;   /* at the first instruction, above the stack pointer */
	bool known;           /* false: nothing of this is, but registers is large enough */
};

struct convention convention_of(const struct elf_bytes *elf);

/* Is the machine x86, of which instructions can be read here? */
bool is_x86(const struct elf_bytes *elf);

#endif
