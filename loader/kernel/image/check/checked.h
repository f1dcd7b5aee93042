/*
 * checked.h - the image that is being checked: what is known of it so far.
 *
 * The parts of the checker run in a fixed order (check.c), because each leaves in struct
 * checked what the next ones stand on. Those who read the image do it through the functions
 * here, which know where things are once the earlier parts have found them.
 */
#ifndef KERNEL_IMAGE_CHECK_CHECKED_H
#define KERNEL_IMAGE_CHECK_CHECKED_H

#include "kernel/image/check/report.h"
#include "kernel/image/elf_bytes.h"
#include "kernel/image/machine.h"

/* The entries of .dynamic that a later part looks up again. */
enum tag {
	TAG_HASH,
	TAG_GNU_HASH,
	TAG_STRTAB,
	TAG_STRSZ,
	TAG_SYMTAB,
	TAG_SYMENT,
	TAG_SONAME,
	TAG_VERSYM,
	TAG_VERDEF,
	TAG_VERDEFNUM,
	TAG_FLAGS,
	TAG_FLAGS_1,
	TAG_REL,
	TAG_RELSZ,
	TAG_RELENT,
	TAG_RELA,
	TAG_RELASZ,
	TAG_RELAENT,
	TAG_JMPREL,
	TAG_PLTRELSZ,
	TAG_PLTREL,
	TAG_RELR,
	TAG_RELRSZ,
	TAG_RELRENT,
	NR_TAGS
};

/*
 * Real images have four segments, some twenty sections and symbols, and two or three nodes.
 * The limits bound the time of loops inside loops, whatever is written into a file.
 */
#define MAX_SEGMENTS 64
#define MAX_SECTIONS 256
#define MAX_SYMBOLS  1024
#define MAX_BUCKETS  4096
#define MAX_VERSIONS 16

struct checked {
	struct report report;
	struct elf_bytes elf;
	struct elf_header header;
	const struct machine *machine; /* NULL: none that is known to have a vDSO */

	/* From the program headers. */
	struct elf_segment load, dynamic, eh_frame_hdr;
	bool has_load, has_dynamic, has_eh_frame_hdr;

	/* From the section headers; .dynsym as a file offset and a number of symbols. */
	bool has_sections, has_dynsym;
	struct elf_section dynsym;

	/* From .dynamic. */
	bool has_tag[NR_TAGS];
	uint64_t tag[NR_TAGS];
	uint64_t tag_at[NR_TAGS]; /* the offset of the entry */

	/* The string table and the symbols, as file offsets; 0 symbols when unusable. */
	uint64_t strtab, strtab_end;
	uint64_t symtab;
	uint32_t nr_symbols;

	/* The end of the version definitions, as an address; 0 when they cannot be read. */
	uint64_t verdef_end;
};

/*
 * The file offset of len bytes at an address of the image. False, and load-covers
 * broken in the name of what, when the PT_LOAD does not hold all of them.
 */
bool checked_offset(struct checked *c, const char *what, uint64_t vaddr, uint64_t len,
		    uint64_t *offset);

/* Is an address, or an offset in the file, a multiple of align? Else alignment is broken. */
bool checked_aligned(struct checked *c, const char *what, uint64_t vaddr, unsigned align);

struct elf_segment checked_segment(const struct checked *c, unsigned index);
struct elf_section checked_section(const struct checked *c, unsigned index);
/* Are these addresses all in one section of code? */
bool checked_is_code(const struct checked *c, uint64_t vaddr, uint64_t length);
bool section_is_code(const struct elf_section *s);
struct elf_symbol checked_symbol(const struct checked *c, uint32_t index);

/* A string of DT_STRTAB: NULL when it is outside, or too long. */
const char *checked_string(const struct checked *c, uint64_t name);
/* The name of a symbol, for messages: "?" instead of NULL. */
const char *checked_name(const struct checked *c, uint32_t index);

/* Does a client see this symbol: bound GLOBAL or WEAK, and defined? */
bool symbol_is_exported(const struct elf_symbol *sym);
/* An exported one with an address in the image, so not ld.bfd's name of a version node. */
bool symbol_is_function(const struct elf_symbol *sym);

#endif
