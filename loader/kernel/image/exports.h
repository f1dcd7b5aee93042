/*
 * exports.h - what an image exports, of whatever machine it is.
 *
 * The C library's part (libc/vdso_elf.h) reads images of the machine that it runs on, as a
 * program does, and refuses all that a look-up could trip over. To list and compare images of
 * other machines takes less and more: only what is there, but in any class and byte order. So
 * this goes through elf_bytes.h, reads no byte outside of the file, and takes what makes sense.
 * Of an image that both can open they say the same.
 */
#ifndef KERNEL_IMAGE_EXPORTS_H
#define KERNEL_IMAGE_EXPORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/image/elf_bytes.h"

struct exports {
	struct elf_bytes elf;
	struct elf_header header;
	struct elf_segment load; /* the first PT_LOAD; there should be no other */
	unsigned nr_loads;
	struct elf_segment dynamic; /* type 0: there is no PT_DYNAMIC */

	/* File offsets; 0 where there is none. */
	uint64_t strtab, strtab_end;
	uint64_t symtab;
	uint64_t hash, gnu_hash;
	uint64_t versym, verdef;

	uint32_t nr_symbols; /* the undefined symbol, number 0, is counted */
	uint32_t nr_verdef;
	uint32_t nr_buckets, nr_gnu_buckets, gnu_filter_words;
	const char *soname; /* or NULL */
};

/*
 * Finds the tables. NULL, or why nothing can be listed: a sentence without a full stop. The
 * bytes must stay while *exports is used. Whatever they are, the time is bounded.
 */
const char *exports_open(struct exports *exports, const unsigned char *bytes, size_t size);

struct export
{
	const char *name;    /* in the image */
	const char *version; /* in the image; NULL: without one, or of the base version */
	struct elf_symbol symbol;
};

/*
 * The symbol of a number, if a program can find and call it: defined in a PT_LOAD, GLOBAL or
 * WEAK, FUNC or NOTYPE. False, and *export is left alone, if it is not.
 */
bool exports_at(const struct exports *exports, uint32_t index, struct export *export);

/* The first one of a name; false if there is none. */
bool exports_find(const struct exports *exports, const char *name, struct export *export);

/* The name of a version definition, by its place in the list; NULL after the last. */
const char *exports_version(const struct exports *exports, uint32_t place, bool *base);

#endif
