/*
 * vdso_error.c - why an image is refused, in a sentence. See vdso_elf.h.
 *
 * Kept apart from the parser, so that a program that only asks whether the vDSO is usable
 * can leave the text out. Each sentence says what was found and, where it helps, what the
 * rule is for.
 */
#include "vdso_elf.h"

static const char *const sentences[] = {
	[0] = "nothing is wrong",
	[-VDSO_ELF_NO_IMAGE] = "there is no vDSO: the auxiliary vector has no AT_SYSINFO_EHDR",
	[-VDSO_ELF_UNALIGNED] = "the ELF header does not lie at an aligned address",
	[-VDSO_ELF_TRUNCATED] = "the image ends before its headers or its PT_LOAD segment do",
	[-VDSO_ELF_MAGIC] = "not an ELF image: it does not begin with \\x7f E L F",
	[-VDSO_ELF_MACHINE] = "made for another machine (EI_CLASS, EI_DATA or e_machine)",
	[-VDSO_ELF_HEADER] = "the ELF header has a wrong version or a wrong size",
	[-VDSO_ELF_TYPE] = "not a shared object: e_type is not ET_DYN",
	[-VDSO_ELF_PHDRS] =
		"the program headers are misaligned, out of the image or of a wrong size",
	[-VDSO_ELF_LOADS] = "there is not exactly one PT_LOAD segment",
	[-VDSO_ELF_LOAD_SIZE] = "PT_LOAD is smaller in memory than in the file",
	[-VDSO_ELF_DYNAMIC] = "the dynamic section is missing, doubled, outside of PT_LOAD or "
			      "without DT_NULL",
	[-VDSO_ELF_STRINGS] = "the string table (DT_STRTAB, DT_STRSZ) is missing, outside of "
			      "PT_LOAD or not ended by NUL",
	[-VDSO_ELF_SYMBOLS] = "the symbol table (DT_SYMTAB, DT_SYMENT) is missing, misshapen "
			      "or outside of PT_LOAD",
	[-VDSO_ELF_NO_HASH] =
		"there is neither DT_GNU_HASH nor DT_HASH, so no name can be found",
	[-VDSO_ELF_HASH] = "the hash table DT_HASH is misshapen or reaches out of PT_LOAD",
	[-VDSO_ELF_GNU_HASH] = "the hash table DT_GNU_HASH is misshapen, reaches out of "
			       "PT_LOAD or contradicts DT_HASH",
	[-VDSO_ELF_VERSIONS] = "the version tables (DT_VERSYM, DT_VERDEF, DT_VERDEFNUM) are "
			       "misshapen or reach out of PT_LOAD",
};

const char *vdso_elf_error(int error)
{
	/* Compared before the sign changes: -INT_MIN overflows. */
	if (error > 0 || error <= -(int)(sizeof(sentences) / sizeof(sentences[0])))
		return "an error that vdso_elf_open() does not know";
	return sentences[-error];
}
