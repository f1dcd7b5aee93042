/*
 * stack.h - the first stack of a program: arguments, environment, vector.
 *
 * What a program finds at its very first instruction (System V ABI AMD64, 3.4.1
 * "Initial Stack and Register State"; kernel create_elf_tables()):
 *
 *   sp -> | argc                     |  sp is a multiple of 16
 *         | argv[0] .. argv[n], NULL |
 *         | envp[0] .. envp[m], NULL |
 *         | the vector .. AT_NULL    |
 *         | 16 random bytes, names   |  what the vector points to
 *         |   (up to 8 KiB, random)  |
 *         | strings of argv          |  in this order and without gaps: programs that
 *         | strings of envp          |  change their title rely on it
 *         | the program's path       |
 *  top -> | 8 bytes of zero          |
 *
 * It is put together in a buffer, for the address that it will be copied to later: there
 * is still the stack of the program that is building it.
 */
#ifndef KERNEL_EXEC_STACK_H
#define KERNEL_EXEC_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/base/auxvec.h"
#include "kernel/base/error.h"

struct first_stack {
	unsigned char *bytes; /* size of them, allocated by mmap(2) */
	size_t size;
	uintptr_t sp; /* where bytes[0] belongs */
	uintptr_t arg_start, arg_end, env_start, env_end;
	uintptr_t auxv; /* where the vector begins, also in the new stack */
	size_t auxv_size;
};

/*
 * Builds the stack below top. The entries of vec that point into the stack (AT_RANDOM,
 * AT_EXECFN, AT_PLATFORM, AT_BASE_PLATFORM) are made anew here; all others are taken as
 * they are. Returns 0, or an error number with error filled: too many or too long arguments,
 * out of memory.
 */
int stack_build(struct first_stack *stack, uintptr_t top, char **argv, char **envp,
		const char *execfn, struct auxvec *vec, struct error *error);

#endif
