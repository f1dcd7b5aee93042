/*
 * elf_bytes.h - the fields of an ELF file, read one by one out of its bytes.
 *
 * A C library casts the image to structs and follows its pointers: it trusts the
 * kernel. A checker must not. Here nothing is cast: every read names an offset, is
 * held against the size of the file, and gives zero outside of it, so that no image
 * whatever can make a reader touch other memory. The bytes are put together in the byte order
 * that the file names, and need no alignment, so that an image of any machine reads the same on
 * any other.
 *
 * The two ELF classes hold the same fields in different places and sizes
 * (gABI, chapters 4 and 5; elf(5)); the structs below are the common, wide form.
 */
#ifndef KERNEL_IMAGE_ELF_BYTES_H
#define KERNEL_IMAGE_ELF_BYTES_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_bytes {
	const unsigned char *bytes;
	size_t size;
	bool is64; /* ELFCLASS64; else the narrow fields and structs of ELFCLASS32 */
	bool big;  /* ELFDATA2MSB; else the least significant byte comes first */
};

/*
 * The bytes of a file, in the class and byte order that it names; where it names neither of the
 * two, or is too short for that, it is narrow and little-endian.
 */
struct elf_bytes elf_bytes_of(const unsigned char *bytes, size_t size);

/* Are len bytes at offset all inside the file? Right for any two numbers. */
bool elf_inside(const struct elf_bytes *elf, uint64_t offset, uint64_t len);

/* One field at an offset; 0 where the file has no such bytes. */
uint8_t elf_u8(const struct elf_bytes *elf, uint64_t offset);
uint16_t elf_u16(const struct elf_bytes *elf, uint64_t offset);
uint32_t elf_u32(const struct elf_bytes *elf, uint64_t offset);
uint64_t elf_u64(const struct elf_bytes *elf, uint64_t offset);
/* An address, an offset or a size: four or eight bytes, by class. */
uint64_t elf_word(const struct elf_bytes *elf, uint64_t offset);

/*
 * The string at offset, which must end before offset end and within ELF_NAME_MAX
 * bytes; NULL if it does not. It lies in the file's own bytes.
 */
#define ELF_NAME_MAX 256
const char *elf_string(const struct elf_bytes *elf, uint64_t offset, uint64_t end);

struct elf_header {
	uint16_t type, machine;
	uint32_t version, flags;
	uint64_t entry, phoff, shoff;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
/* at: the offset of the struct itself. */
struct elf_segment {
	uint64_t at;
	uint32_t type, flags;
	uint64_t offset, vaddr, filesz, memsz, align;
};
struct elf_section {
	uint64_t at;
	uint32_t name, type, link, info;
	uint64_t flags, addr, offset, size, entsize;
};
struct elf_symbol {
	uint64_t at;
	uint32_t name;
	uint8_t info, other;
	uint16_t shndx;
	uint64_t value, size;
};
struct elf_dyn {
	uint64_t at;
	uint64_t tag, value;
};
struct elf_relocation {
	uint64_t offset;
	uint32_t type; /* 0 is the one that does nothing, R_*_NONE, on every machine */
};

/* Each reads the struct whose first byte is at offset. */
struct elf_header elf_header(const struct elf_bytes *elf);
struct elf_segment elf_segment(const struct elf_bytes *elf, uint64_t offset);
struct elf_section elf_section(const struct elf_bytes *elf, uint64_t offset);
struct elf_symbol elf_symbol(const struct elf_bytes *elf, uint64_t offset);
struct elf_dyn elf_dyn(const struct elf_bytes *elf, uint64_t offset);
struct elf_relocation elf_relocation(const struct elf_bytes *elf, uint64_t offset);

/*
 * A note, at a file offset: its owner, NULL if that is no string of namesz bytes; where its
 * descriptor is, and the note after it. It is not whole where it runs over the segment's end.
 */
struct elf_note {
	uint64_t at, desc, next;
	uint32_t namesz, descsz, type;
	const char *owner;
	bool whole;
};

/*
 * The note at a file offset of a PT_NOTE whose bytes are all in the file: s.offset for the
 * first one, then next. False at the end, where less than the header of a note is left.
 */
bool elf_note_at(const struct elf_bytes *elf, const struct elf_segment *s, uint64_t at,
		 struct elf_note *note);

/* LINUX_VERSION_CODE, of owner "Linux"; elf.h has no name for it. */
#define NT_LINUX_VERSION 0

/* e_machine, which is at the same place in both classes. */
uint16_t elf_machine(const struct elf_bytes *elf);

/*
 * The size of a word of DT_HASH: 4 bytes, in spite of the gABI also in 64-bit files, but 8 on
 * s390x and alpha (elf.h says so in the name of Elf64_Word, binutils in hash_entry_size).
 */
unsigned elf_hash_word(const struct elf_bytes *elf);

/* The section of that number; and the first one of a type, false if there is none. */
struct elf_section elf_section_at(const struct elf_bytes *elf, uint32_t index);
bool elf_find_section(const struct elf_bytes *elf, uint32_t type, struct elf_section *section);

/* Its name in the table that e_shstrndx says, NULL if that has none for it. */
const char *elf_section_name(const struct elf_bytes *elf, const struct elf_section *section);

/* Where a field of the struct at offset lies: the struct of the file's class says so. */
#define ELF_FIELD(elf, offset, type, field) \
	((offset) +                         \
	 ((elf)->is64 ? offsetof(Elf64_##type, field) : offsetof(Elf32_##type, field)))

/* What sizeof would say for the file's class. */
#define ELF_SIZEOF(elf, type) ((elf)->is64 ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

#endif
