/*
 * parts.h - the parts of the checker, in the order in which check.c calls them.
 *
 *   segments.c     ELF header, program headers   -> where the bytes lie
 *   sections.c     section headers               -> .dynsym, what is code
 *   ends.c         what comes after all of it
 *   notes.c        notes
 *   dynamic.c      .dynamic                      -> the addresses of the tables
 *   relocations.c  what is left to relocate
 *   symbols.c      string table and symbols      -> the names
 *   hash.c         both hash tables
 *   versions.c     version nodes; are the names those that clients ask for with a version?
 *   replacements.c alternatives for the CPU
 *   ../unwind/     the table for unwinding: eh_frame.c; cfi.c reads one description
 *
 * Each notes its breaches in c->report, and may use the parts above it. One that returns
 * false has found nothing on which the later ones could stand.
 */
#ifndef KERNEL_IMAGE_CHECK_PARTS_H
#define KERNEL_IMAGE_CHECK_PARTS_H

#include "kernel/image/check/checked.h"

bool check_elf_header(struct checked *c);
bool check_segments(struct checked *c);
void check_sections(struct checked *c);
void check_repeated(struct checked *c); /* after the dynamic tags */
void check_end(struct checked *c);
void check_notes(struct checked *c);
bool check_dynamic(struct checked *c);
void check_relocations(struct checked *c);
void check_strings(struct checked *c);
void check_symbols(struct checked *c);
void check_hashes(struct checked *c);
void check_versions(struct checked *c);
void check_names(struct checked *c);
void check_replacements(struct checked *c);
void check_eh_frame(struct checked *c);

/* Reports relocations in a table of the file, which the sections may name as well. */
void check_relocation_table(struct checked *c, const char *what, uint64_t offset, uint64_t size,
			    bool has_addend);

/* Is the DT_SONAME one that a vDSO can have? */
void check_soname(struct checked *c, const char *soname);

/* The hash of DT_HASH, which a version's name has as well (gABI). */
uint32_t sysv_hash(const char *name);

#endif
