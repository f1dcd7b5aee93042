/*
 * binary.h - an ELF program file: what its headers say, and its segments in memory.
 *
 * To execute an ELF file is to do what the kernel's loader does with it (fs/binfmt_elf.c;
 * gABI chapter 5): map the PT_LOAD segments, fill up with zeros what is longer in memory
 * than in the file, and start at the entry; or, if PT_INTERP names an interpreter, load
 * that as well and start at its entry instead.
 */
#ifndef KERNEL_EXEC_BINARY_H
#define KERNEL_EXEC_BINARY_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/base/error.h"

struct binary {
	int fd; /* of the file; close-on-exec; -1 when there is none */
	ElfW(Ehdr) ehdr;
	ElfW(Phdr) * phdr;   /* e_phnum of them, allocated */
	char *interp;        /* from PT_INTERP, allocated, or NULL */
	bool exec_stack;     /* PT_GNU_STACK asks for an executable stack */
	bool has_stack;      /* there is a PT_GNU_STACK */
	uintptr_t low, high; /* the pages that the segments span, before the bias */
	size_t align;        /* the largest p_align */
};

/*
 * Where a binary is mapped. All addresses are final, with the bias added. Where something lies
 * that will be unmapped, its pages are moved bytes further on as yet.
 */
struct mapped_binary {
	uintptr_t bias, start, end, moved;
	uintptr_t entry, phdr;
	uintptr_t start_code, end_code, start_data, end_data, end_bss;
};

/*
 * Takes over fd (it is closed by binary_close(), also after an error) and reads and
 * checks the headers. An interpreter's own PT_INTERP means nothing. path is for messages.
 * Returns 0, or an error number with error filled.
 */
int binary_read(struct binary *bin, int fd, bool is_interpreter, const char *path,
		struct error *error);

/*
 * Maps the segments: at its own addresses if it is not position-independent, else at a
 * random place in the region of programs, or where the kernel puts libraries: an interpreter,
 * and what has none itself, which could be one. Never over something that is mapped. What lies
 * between two segments stays reserved, so that nothing else is mapped there. Returns 0, or an
 * error number with error filled.
 */
int binary_map(const struct binary *bin, bool is_interpreter, struct mapped_binary *map,
	       const char *path, struct error *error);

void binary_close(struct binary *bin);

#endif
