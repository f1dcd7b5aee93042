/*
 * caller.h - a program that calls a function of the vDSO that no C library knows.
 *
 * caller.c has main() and the measuring. The program brings the rest: it is a part of
 * vdso-src/own.c, for which the Makefile includes this file. Nothing in them is of uvdso: any
 * vDSO can have the function, and the program lives without it.
 */
#ifndef CALLER_H
#define CALLER_H

#include <stdbool.h>

/* course: begin 16-measuring.caller */
/* The function, by name and version; NULL if this vDSO has none. */
void *find(void);

/* Asks the function and, in a way that is known to be right, again. Prints what differs. */
bool is_right(void *function);

/* Prints one answer: of the function, or without it, of whoever else knows. */
void show(void *function);

/* So many answers: of the function; of the best that the C library has; of the kernel. */
void ask_vdso(void *function, long calls);
void ask_libc(long calls);
void ask_kernel(long calls);
/* course: end 16-measuring.caller */

#endif
