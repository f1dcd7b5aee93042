/*
 * convention.c - see convention.h.
 */
#include "kernel/image/unwind/convention.h"

#ifndef EM_LOONGARCH
#	define EM_LOONGARCH 258
#endif

/*
 * The registers are those of LLVM's unwinder (libunwind.h, _LIBUNWIND_HIGHEST_DWARF_REGISTER),
 * which ends the walk for others; on x86 those that it and libgcc can restore. Of i386 libgcc
 * has more, but calls abort() for the value of one. 96 of aarch64 is libgcc's, where a signal
 * returns to; LLVM's knows that frame without.
 */
static const struct convention conventions[] = {
	{EM_X86_64, 17, 7, 6, 8, 8, 8, true},   {EM_386, 9, 4, 5, 4, 4, 4, true},
	{EM_AARCH64, 97, 31, 0, 0, 0, 0, true}, {EM_ARM, 288, 13, 0, 0, 0, 0, true},
	{EM_RISCV, 65, 2, 0, 0, 0, 0, true},    {EM_LOONGARCH, 65, 3, 0, 0, 0, 0, true},
	{EM_PPC, 113, 1, 0, 0, 0, 0, true},     {EM_PPC64, 117, 1, 0, 0, 0, 0, true},
	{EM_S390, 84, 15, 0, 0, 160, 96, true}, {EM_MIPS, 66, 29, 0, 0, 0, 0, true},
};

struct convention convention_of(const struct elf_bytes *elf)
{
	uint16_t machine = elf_machine(elf);

	for (size_t i = 0; i < sizeof(conventions) / sizeof(conventions[0]); i++)
		if (conventions[i].machine == machine && (machine != EM_386 || !elf->is64)) {
			struct convention found = conventions[i];

			if (!elf->is64)
				found.cfa = found.cfa32;
			return found;
		}
	return (struct convention){.machine = machine, .registers = 256};
}

bool is_x86(const struct elf_bytes *elf)
{
	return convention_of(elf).pushes;
}
