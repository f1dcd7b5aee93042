/*
 * parts.h - what the files of the image checker share.
 *
 * One file for each part of an image, called in the order of this list, because
 * each leaves in struct check what the next ones stand on:
 *
 *   segments.c   ELF header, program headers   -> where the bytes lie
 *   sections.c   section headers               -> .dynsym, what is code
 *   dynamic.c    .dynamic, relocations         -> the addresses of the tables
 *   symbols.c    symbols                       -> the names
 *   hash.c       both hash tables
 *   versions.c   version nodes
 *   notes.c      notes, unwind table
 */
#ifndef KERNEL_IMAGE_CHECK_PARTS
#define KERNEL_IMAGE_CHECK_PARTS

#include "kernel/image/elf_bytes.h"
#include "kernel/image/check/check.h"

/* In the order of image_rules[]. */
enum rule {
	RULE_ELF,
	RULE_TRUNCATED,
	RULE_SEGMENTS,
	RULE_NO_INTERP,
	RULE_NO_TLS,
	RULE_NO_RELRO,
	RULE_ONE_LOAD,
	RULE_LOAD_AT_ZERO,
	RULE_LOAD_FLAGS,
	RULE_LOAD_SIZES,
	RULE_LOAD_ALIGN,
	RULE_LOAD_COVERS,
	RULE_SECTION_HEADERS,
	RULE_NO_WRITABLE_DATA,
	RULE_DYNAMIC,
	RULE_DYNAMIC_READ_ONLY,
	RULE_DYNAMIC_TAGS,
	RULE_NO_RELOCATIONS,
	RULE_NO_TEXTREL,
	RULE_NO_DEPENDENCIES,
	RULE_STRTAB,
	RULE_SONAME,
	RULE_SYMBOLS,
	RULE_HASH,
	RULE_VERSIONS,
	RULE_NOTES,
	RULE_EH_FRAME,
	NR_RULES
};

/* The entries of .dynamic that somebody here looks up again. */
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
	TAG_RELA,
	TAG_RELASZ,
	TAG_JMPREL,
	TAG_PLTRELSZ,
	TAG_PLTREL,
	TAG_RELR,
	TAG_RELRSZ,
	NR_TAGS
};

/*
 * Real pages have four segments, some twenty sections and symbols, and two or
 * three nodes. The limits bound the time of loops inside loops, whatever somebody
 * writes into a file.
 */
#define MAX_SEGMENTS 64
#define MAX_SECTIONS 256
#define MAX_SYMBOLS  1024
#define MAX_BUCKETS  4096
#define MAX_VERSIONS 16

struct check {
	struct elf_bytes elf;
	struct elf_header header;

	/* From the program headers. */
	struct elf_segment load, dynamic, eh_frame_hdr;
	bool has_load, has_dynamic, has_eh_frame_hdr;

	/* From the section headers; .dynsym as a file offset and a number of symbols. */
	bool has_sections, has_dynsym;
	struct elf_section dynsym;

	/* From .dynamic. */
	bool has_tag[NR_TAGS];
	uint64_t tag[NR_TAGS];

	/* The string table and the symbols, as file offsets; 0 symbols when unusable. */
	uint64_t strtab, strtab_end;
	uint64_t symtab;
	uint32_t nr_symbols;

	image_report_fn *report;
	void *arg;
	unsigned char reported[NR_RULES];
	bool broken[NR_RULES];
};

/* Notes a breach and reports it. */
__attribute__((format(printf, 3, 4))) void broken(struct check *c, enum rule rule,
						  const char *fmt, ...);

/* How a number and an address of the image are printed. */
#define X(number) ((unsigned long long)(number))

/*
 * The file offset of len bytes at an address of the image. False, and load-covers
 * broken in the name of what, when the PT_LOAD does not hold all of them.
 */
bool address(struct check *c, const char *what, uint64_t vaddr, uint64_t len, uint64_t *offset);

/* Rounded up to whole pages: what the kernel maps of an image. Saturates. */
uint64_t page_round(uint64_t size);

struct elf_segment segment_at(const struct check *c, unsigned index);
struct elf_section section_at(const struct check *c, unsigned index);
struct elf_symbol symbol_at(const struct check *c, uint32_t index);

/* A string of DT_STRTAB: NULL when it is outside, or too long. */
const char *dynamic_string(const struct check *c, uint64_t name);
/* The same for messages: "?" instead of NULL. */
const char *symbol_name(const struct check *c, uint32_t index);

/* Does a client see this symbol: bound GLOBAL or WEAK, and defined? */
bool is_exported(const struct elf_symbol *sym);
/* An exported one with an address in the page, so not ld.bfd's name of a version node. */
bool is_function(const struct elf_symbol *sym);

/* The hash of DT_HASH and of version names (gABI), and the one of DT_GNU_HASH. */
uint32_t sysv_hash(const char *name);
uint32_t gnu_hash(const char *name);

/* The parts. False: nothing that comes after can be looked at. */
bool check_elf_header(struct check *c);
bool check_segments(struct check *c);
void check_sections(struct check *c);
bool check_dynamic(struct check *c);
void check_relocations(struct check *c);
void check_strings(struct check *c);
void check_symbols(struct check *c);
void check_hashes(struct check *c);
void check_versions(struct check *c);
void check_notes(struct check *c);
void check_eh_frame(struct check *c);

/* Reports relocations in a table of the file; see dynamic.c. */
void check_relocation_table(struct check *c, const char *what, uint64_t offset, uint64_t size,
			    bool has_addend);

#endif
