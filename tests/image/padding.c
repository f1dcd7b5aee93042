/*
 * padding.c - what fills up between functions is known, in the byte order of the code.
 *
 * Code is little-endian on some machines whose data are not: who reads no-operations as data
 * takes them for code that has no description.
 */
#include <elf.h>
#include <string.h>

#include "kernel/image/unwind/padding.h"
#include "tap.h"

#define EF_ARM_BE8 0x00800000

static const struct {
	const char *name;
	uint16_t machine;
	unsigned char order;
	uint32_t flags;
	unsigned char code[4];
} cases[] = {
	{"x86-64", EM_X86_64, ELFDATA2LSB, 0, {0x0f, 0x1f, 0x40, 0x00}},
	{"aarch64", EM_AARCH64, ELFDATA2LSB, 0, {0x1f, 0x20, 0x03, 0xd5}},
	{"aarch64, big-endian data", EM_AARCH64, ELFDATA2MSB, 0, {0x1f, 0x20, 0x03, 0xd5}},
	{"arm", EM_ARM, ELFDATA2LSB, 0, {0x00, 0xf0, 0x20, 0xe3}},
	{"arm, big-endian", EM_ARM, ELFDATA2MSB, 0, {0xe3, 0x20, 0xf0, 0x00}},
	{"arm, BE8", EM_ARM, ELFDATA2MSB, EF_ARM_BE8, {0x00, 0xf0, 0x20, 0xe3}},
	{"mips", EM_MIPS, ELFDATA2MSB, 0, {0, 0, 0, 0}},
	{"s390", EM_S390, ELFDATA2MSB, 0, {0x07, 0x07, 0x07, 0x00}},
	{"sh", EM_SH, ELFDATA2LSB, 0, {0x09, 0x00, 0x09, 0x00}},
};

static const unsigned char work[4] = {0x12, 0x34, 0x56, 0x78}; /* no machine's no-operation */

/* A header of 32 bits, two no-operations, and an instruction. */
static struct elf_bytes image_of(unsigned char *bytes, size_t i)
{
	bool big = cases[i].order == ELFDATA2MSB;
	uint32_t flags = big ? __builtin_bswap32(cases[i].flags) : cases[i].flags;
	uint16_t machine = big ? __builtin_bswap16(cases[i].machine) : cases[i].machine;

	memset(bytes, 0, 64);
	memcpy(bytes, ELFMAG, SELFMAG);
	bytes[EI_CLASS] = ELFCLASS32;
	bytes[EI_DATA] = cases[i].order;
	memcpy(bytes + offsetof(Elf32_Ehdr, e_machine), &machine, sizeof(machine));
	memcpy(bytes + offsetof(Elf32_Ehdr, e_flags), &flags, sizeof(flags));
	memcpy(bytes + 52, cases[i].code, 4);
	memcpy(bytes + 56, cases[i].code, 4);
	memcpy(bytes + 60, work, 4);
	return elf_bytes_of(bytes, 64);
}

int main(void)
{
	unsigned char bytes[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct elf_bytes elf = image_of(bytes, i);

		ok(padding_is_known(&elf), "%s: its no-operations are known", cases[i].name);
		is(padding_length(&elf, 52, 12), 8ull,
		   "%s: two of them fill up, and code does not", cases[i].name);
	}
	return done_testing();
}
