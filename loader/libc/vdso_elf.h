/*
 * vdso_elf.h - a vDSO as a program sees it: an ELF image, names in it, addresses out.
 *
 * A program that wants __vdso_clock_gettime starts from one thing, the address of an ELF
 * header. No dynamic linker has processed the image, and it has no file: the program must
 * find its own way from the name to the address, inside the one loaded segment.
 *
 *	ELF header -> program headers -> PT_LOAD: where the image lies
 *	                              -> PT_DYNAMIC -> DT_GNU_HASH or DT_HASH
 *	                                            -> DT_SYMTAB, DT_STRTAB
 *	                                            -> DT_VERSYM, DT_VERDEF
 *
 * Three calls: vdso_elf_open() once, vdso_elf_symbol() for each name, then the function
 * itself. The kernel's image can be trusted; one under construction, a file, or a dump from
 * another machine cannot. So open checks everything that a lookup will ever touch, and
 * refuses a malformed image. After that a lookup needs no checks and reads nothing
 * outside the image.
 *
 * The rules come from the gABI (chapters 4 and 5: object files, dynamic linking), the LSB's
 * chapter on symbol versioning, and the kernel's Documentation/ABI/stable/vdso: a caller
 * must ask for a name together with its version.
 *
 * The files of this directory stand alone and can be copied into any program as they are:
 * no allocation, no static state, no calls to anything else. vdso_elf.c opens, vdso_lookup.c
 * and vdso_symbol.c find, and vdso_error.c is only needed for its sentences. Everything here
 * may be used from any thread and any signal handler; a struct vdso_elf that is open is only
 * read. It holds pointers into the image and owns nothing: there is no close.
 */
#ifndef LIBC_VDSO_ELF_H
#define LIBC_VDSO_ELF_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An open image. The fields may be read, for instance to show a lookup step by step.
 * All tables lie inside the segment, are aligned, and are as long as stated.
 */
struct vdso_elf {
	const unsigned char *base; /* the ELF header */
	size_t size;               /* bytes that may be read from base on */

	const ElfW(Phdr) * load; /* the one PT_LOAD */
	/*
	 * What turns an address of link time (st_value, d_ptr) into one of this process:
	 * add it, wrapping. base + p_offset - p_vaddr, so it is base itself for an image
	 * linked at 0, and still right for old kernels' prelinked 0xffffffffff700000.
	 */
	uintptr_t load_offset;

	const ElfW(Dyn) * dynamic; /* PT_DYNAMIC's entries ... */
	size_t nr_dynamic;         /* ... up to DT_NULL, which is not counted */

	const char *strtab; /* DT_STRTAB; its last byte is NUL */
	size_t strsz;       /* DT_STRSZ */

	const ElfW(Sym) * symtab; /* DT_SYMTAB; every st_name is below strsz */
	uint32_t nr_symbols;      /* entry 0, the undefined symbol, is counted */

	struct { /* DT_HASH; nbucket is 0 when there is none */
		uint32_t nbucket, nchain;
		const uint32_t *bucket; /* [hash % nbucket]: first symbol, 0 = none */
		const uint32_t *chain;  /* [symbol]: next symbol, 0 = end */
	} hash;

	struct { /* DT_GNU_HASH; nbucket is 0 when there is none */
		uint32_t nbucket;
		uint32_t symoffset;   /* the first symbol that is hashed */
		uint32_t bloom_size;  /* words of the filter, a power of two */
		uint32_t bloom_shift; /* to get the second bit's number */
		const ElfW(Addr) * bloom;
		const uint32_t *bucket; /* [hash % nbucket]: first symbol, 0 = none */
		const uint32_t *chain;  /* [symbol - symoffset]: its hash, bit 0 = end */
	} gnu;

	/* Both or none: without either the image has no versions, and both are NULL. */
	const ElfW(Half) * versym;   /* DT_VERSYM, one per symbol */
	const ElfW(Verdef) * verdef; /* DT_VERDEF, the first of ... */
	uint32_t nr_verdef;          /* ... DT_VERDEFNUM */
};

/* The two parts of a versym entry. <elf.h> has no names for them. */
#define VDSO_VERSYM_INDEX  0x7fff /* which verdef: its vd_ndx */
#define VDSO_VERSYM_HIDDEN 0x8000 /* not the default: found only with its version */

/* Why an image is refused. vdso_elf_error() has a sentence for each. */
enum vdso_elf_error {
	VDSO_ELF_NO_IMAGE = -1,
	VDSO_ELF_UNALIGNED = -2,
	VDSO_ELF_TRUNCATED = -3,
	VDSO_ELF_MAGIC = -4,
	VDSO_ELF_MACHINE = -5, /* EI_CLASS, EI_DATA or e_machine: sound, but not ours */
	VDSO_ELF_HEADER = -6,
	VDSO_ELF_TYPE = -7,
	VDSO_ELF_PHDRS = -8,
	VDSO_ELF_LOADS = -9,
	VDSO_ELF_LOAD_SIZE = -10,
	VDSO_ELF_DYNAMIC = -11,
	VDSO_ELF_STRINGS = -12,
	VDSO_ELF_SYMBOLS = -13,
	VDSO_ELF_NO_HASH = -14,
	VDSO_ELF_HASH = -15,
	VDSO_ELF_GNU_HASH = -16,
	VDSO_ELF_VERSIONS = -17,
};

/*
 * Opens an image that lies in memory as the kernel maps it, or as its file is (the same
 * when PT_LOAD is at offset 0, as it is in every vDSO). image is the address of the ELF
 * header, as AT_SYSINFO_EHDR has it; NULL gives VDSO_ELF_NO_IMAGE.
 *
 * size says how many bytes can be read there; nothing beyond them is touched, whatever the
 * image says. 0 means that the caller has only the vector and does not know: then the first
 * 4096 bytes, the smallest page that Linux has, are assumed to be readable, and after them
 * PT_LOAD's extent up to the end of its last page.
 *
 * Returns 0, or a negative enum vdso_elf_error. After an error *elf is all zero, and a
 * lookup in it finds nothing. The image must stay mapped and unchanged while *elf is used.
 */
int vdso_elf_open(struct vdso_elf *elf, const void *image, size_t size);

/* A sentence, without a full stop and in static storage, for any value of vdso_elf_open(). */
const char *vdso_elf_error(int error);

/*
 * The address in this process of a function that the image exports, or NULL.
 *
 * version is the name of a version node ("LINUX_2.6"): the symbol must belong to the
 * definition of that name, default or not. NULL asks for no version: it finds what is
 * exported as the default, or without any version. In an image without version tables
 * a lookup with a version finds nothing: a version is a promise about what the function
 * does, and such an image makes none.
 *
 * What counts as exported: defined (not SHN_UNDEF, and not SHN_ABS, which is not an
 * address in the image), GLOBAL or WEAK, STT_FUNC or STT_NOTYPE (arm64's
 * __kernel_rt_sigreturn is hand-written and has no type), and inside PT_LOAD.
 *
 * Uses DT_GNU_HASH where the image has it, else DT_HASH.
 */
const void *vdso_elf_symbol(const struct vdso_elf *elf, const char *name, const char *version);

/* One exported symbol. The strings lie in the image. */
struct vdso_elf_entry {
	const char *name;
	const char *version;   /* NULL: without a version, or of the base version */
	const void *address;   /* in this process */
	unsigned char type;    /* STT_* */
	unsigned char binding; /* STB_* */
};

/*
 * The symbol table, entry by entry, for listings: index is from 0 up to the count, exclusive.
 * vdso_elf_symbol_at() is false, and leaves *entry alone, where there is no exported
 * symbol: at index 0, at the node's own name that ld.bfd adds as an absolute object, and
 * at an index that is too large.
 */
unsigned int vdso_elf_symbol_count(const struct vdso_elf *elf);
bool vdso_elf_symbol_at(const struct vdso_elf *elf, unsigned int index,
			struct vdso_elf_entry *entry);

/*
 * The version definition with the given vd_ndx (a versym entry without its hidden bit), or
 * NULL; and the name of a definition that lies in elf.
 */
const ElfW(Verdef) * vdso_elf_verdef(const struct vdso_elf *elf, unsigned int index);
const char *vdso_elf_verdef_name(const struct vdso_elf *elf, const ElfW(Verdef) * verdef);

/*
 * The hash of DT_HASH, which vd_hash uses too (gABI, "Hash Table"), and that of
 * DT_GNU_HASH. Bytes of the string count as unsigned.
 */
uint32_t vdso_elf_hash(const char *name);
uint32_t vdso_gnu_hash(const char *name);

#endif
