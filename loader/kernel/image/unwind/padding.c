/*
 * padding.c - see padding.h.
 *
 * Assemblers fill the gap before an aligned function with no-operations, which differ by
 * machine and, on x86, by assembler and length (gas, i386_generate_nops(); the processor's
 * manual, NOP).
 */
#include "kernel/image/unwind/convention.h"
#include "kernel/image/unwind/padding.h"

#ifndef EM_CSKY
#	define EM_CSKY 252
#endif
#ifndef EM_LOONGARCH
#	define EM_LOONGARCH 258
#endif
#define EF_ARM_CODE_LITTLE 0x00800000 /* EF_ARM_BE8: big-endian data, little-endian code */

static bool is_zero(const struct elf_bytes *elf, uint64_t at, uint64_t length)
{
	for (uint64_t i = 0; i < length; i++)
		if (elf_u8(elf, at + i))
			return false;
	return true;
}

/* The bytes of a ModRM byte and what it asks for: a SIB byte, and a displacement. */
static unsigned modrm_length(const struct elf_bytes *elf, uint64_t at, bool *displaces)
{
	uint8_t modrm = elf_u8(elf, at), mod = modrm >> 6;
	unsigned sib = mod != 3 && (modrm & 7) == 4;
	unsigned displacement = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	*displaces = !is_zero(elf, at + 1 + sib, displacement);
	return 1 + sib + displacement;
}

/* Is the address of a ModRM byte, and its SIB byte, a register, and that the one it goes into?
 */
static bool is_itself(const struct elf_bytes *elf, uint64_t at)
{
	uint8_t modrm = elf_u8(elf, at), sib = elf_u8(elf, at + 1), mod = modrm >> 6;
	bool has_sib = (modrm & 7) == 4;
	unsigned base = has_sib ? sib & 7 : modrm & 7;

	if (mod == 3 || (mod == 0 && base == 5) || (has_sib && (sib >> 3 & 7) != 4))
		return false;
	return base == (modrm >> 3 & 7);
}

/* The length of a no-operation of x86, 0 if there is none. */
static unsigned x86_nop(const struct elf_bytes *elf, uint64_t at)
{
	unsigned prefixes = 0;
	uint8_t op;
	bool displaces;
	unsigned length;

	/* endbr32, endbr64 */
	if ((elf_u32(elf, at) | 0x01000000) == 0xfb1e0ff3)
		return 4;
	/* The operand's size, and segments, which say nothing here. */
	while (prefixes < 12 &&
	       ((op = elf_u8(elf, at + prefixes)) == 0x66 || op == 0x2e || op == 0x3e))
		prefixes++;
	at += prefixes;
	op = elf_u8(elf, at);
	if (op == 0x90 || op == 0xcc) /* nop; int3, which nothing reaches */
		return prefixes + 1;
	if (op == 0x0f && elf_u8(elf, at + 1) == 0x1f)
		return prefixes + 2 + modrm_length(elf, at + 2, &displaces);
	/* lea 0(%esi), %esi, and mov %esi, %esi: before 0f 1f was known everywhere. */
	if (op == 0x8d) {
		length = modrm_length(elf, at + 1, &displaces);
		return displaces || !is_itself(elf, at + 1) ? 0 : prefixes + 1 + length;
	}
	return op == 0x89 && elf_u8(elf, at + 1) == 0xf6 ? prefixes + 2 : 0;
}

static const struct nop {
	uint16_t machine;
	uint8_t length;
	uint32_t code;
} nops[] = {
	{EM_AARCH64, 4, 0xd503201f},   /* nop */
	{EM_AARCH64, 4, 0xd503245f},   /* bti c */
	{EM_ARM, 4, 0xe1a00000},       /* mov r0, r0 */
	{EM_ARM, 4, 0xe320f000},       /* nop */
	{EM_ARM, 2, 0xbf00},           /* nop of Thumb */
	{EM_RISCV, 4, 0x00000013},     /* addi x0, x0, 0 */
	{EM_RISCV, 2, 0x0001},         /* c.nop */
	{EM_RISCV, 2, 0x0013},         /* half of the former: a linker's filling is cut off */
	{EM_LOONGARCH, 4, 0x03400000}, /* andi $r0, $r0, 0 */
	{EM_MIPS, 4, 0x00000000},      /* sll $0, $0, 0 */
	{EM_SH, 2, 0x0009},            /* nop */
	{EM_CSKY, 2, 0x6c03},          /* mov r0, r0 */
	{EM_PPC, 4, 0x60000000},       /* ori 0, 0, 0 */
	{EM_PPC64, 4, 0x60000000},
	{EM_PPC64, 4, 0x60420000}, /* ori 2, 2, 0: where a group ends */
	{EM_PPC64, 4, 0x7c40003c}, /* wait: the end of .text, which nothing fetches beyond */
	{EM_S390, 2, 0x0700},      /* bcr 0, 0 */
	{EM_S390, 2, 0x0707},
	{EM_SPARC, 4, 0x01000000}, /* sethi 0, %g0 */
	{EM_SPARC32PLUS, 4, 0x01000000},
	{EM_SPARCV9, 4, 0x01000000},
	{EM_PARISC, 4, 0x08000240}, /* or %r0, %r0, %r0 */
};

/* Instructions in the order of the code's bytes, which is not that of the data everywhere. */
static struct elf_bytes code_of(const struct elf_bytes *elf)
{
	struct elf_bytes code = *elf;
	uint16_t machine = elf_machine(elf);

	if (machine == EM_AARCH64 || machine == EM_RISCV ||
	    (machine == EM_ARM && elf_header(elf).flags & EF_ARM_CODE_LITTLE))
		code.big = false;
	return code;
}

static unsigned nop_length(const struct elf_bytes *code, uint16_t machine, uint64_t at)
{
	if (machine == EM_X86_64 || machine == EM_386)
		return x86_nop(code, at);
	for (size_t i = 0; i < sizeof(nops) / sizeof(nops[0]); i++)
		if (nops[i].machine == machine &&
		    nops[i].code ==
			    (nops[i].length == 4 ? elf_u32(code, at) : elf_u16(code, at)))
			return nops[i].length;
	return 0;
}

uint64_t padding_least_code(const struct elf_bytes *elf)
{
	return is_x86(elf) ? 1 : 16;
}

bool padding_is_known(const struct elf_bytes *elf)
{
	for (size_t i = 0; i < sizeof(nops) / sizeof(nops[0]); i++)
		if (nops[i].machine == elf_machine(elf))
			return true;
	return is_x86(elf);
}

uint64_t padding_length(const struct elf_bytes *elf, uint64_t offset, uint64_t length)
{
	struct elf_bytes code = code_of(elf);
	uint64_t at = 0;

	while (at < length) {
		unsigned nop = nop_length(&code, elf_machine(elf), offset + at);

		if (!nop && elf_u8(elf, offset + at))
			break;
		/* Its last byte is described: where a signal returns to counts from there. */
		if (nop > length - at)
			return length;
		at += nop ? nop : 1;
	}
	return at;
}
