/*
 * replacements.c - alternatives: a table of instructions that are written over the code.
 *
 * Whoever maps the image goes through it first, and believes every entry: a kernel at boot,
 * this project's loader before each program. An entry that points elsewhere is a way to write
 * anywhere. Kernels' entries have changed in size, and no field says which it is; so the
 * table is right if it is in one of the forms that its machine has had
 * (arch/ARCH/include/asm/alternative.h, by git log). Ours: vdso/alternative.h.
 */
#include <string.h>
#include <vdso/alternative.h>

#include "kernel/image/check/parts.h"

/* An entry begins with the place of the code, as the distance from the entry itself. */
static const struct form {
	uint16_t machine; /* EM_NONE: any */
	const char *section;
	uint8_t size, length_at, with_at; /* of the replaced code, and of the new; 0: unsaid */
	uint8_t most;                     /* bytes of new code, if they are in the entry */
} forms[] = {
	{EM_NONE, VDSO_ALTERNATIVES, sizeof(struct vdso_alternative),
	 offsetof(struct vdso_alternative, length), offsetof(struct vdso_alternative, with),
	 VDSO_ALTERNATIVE_CODE},
	{EM_X86_64, ".altinstructions", 14, 12, 13, UINT8_MAX}, /* Linux 6.3 */
	{EM_X86_64, ".altinstructions", 12, 10, 11, UINT8_MAX},
	{EM_X86_64, ".altinstructions", 13, 10, 11, UINT8_MAX}, /* 4.0 to 5.12 */
	{EM_386, ".altinstructions", 14, 12, 13, UINT8_MAX},
	{EM_386, ".altinstructions", 12, 10, 11, UINT8_MAX},
	{EM_386, ".altinstructions", 13, 10, 11, UINT8_MAX},
	{EM_AARCH64, ".altinstructions", 12, 10, 11, UINT8_MAX},
	{258, ".altinstructions", 12, 10, 11, UINT8_MAX},    /* LoongArch */
	{EM_S390, ".altinstructions", 13, 12, 0, UINT8_MAX}, /* 6.11 */
	{EM_S390, ".altinstructions", 12, 10, 11, UINT8_MAX},
	{EM_S390, ".altinstructions", 11, 10, 0, UINT8_MAX},
	{EM_RISCV, ".alternative", 16, 10, 0, UINT8_MAX}, /* 6.4 */
	{EM_RISCV, ".alternative", 40, 24, 0, UINT8_MAX},
};

/* The offset in the table of the first entry that is wrong in this form; its size if none is.
 */
static uint64_t first_wrong(const struct checked *c, const struct elf_section *s,
			    const struct form *form)
{
	const struct elf_bytes *elf = &c->elf;
	uint64_t at = 0;

	for (; at + form->size <= s->size; at += form->size) {
		uint64_t entry = s->offset + at;
		uint64_t place = s->addr + at + (uint64_t)(int64_t)(int32_t)elf_u32(elf, entry);
		uint8_t length = elf_u8(elf, entry + form->length_at);
		uint8_t with = form->with_at ? elf_u8(elf, entry + form->with_at) : 0;

		if (!checked_is_code(c, c->elf.is64 ? place : (uint32_t)place, length) ||
		    with > length || with > form->most)
			return at;
	}
	/* What is left over is no entry. */
	return at;
}

static void check_table(struct checked *c, const char *name, const struct elf_section *s)
{
	uint64_t best = 0;
	bool is_known = false;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct form *form = &forms[i];
		uint64_t good;

		if ((form->machine != EM_NONE && form->machine != c->header.machine) ||
		    strcmp(form->section, name))
			continue;
		good = first_wrong(c, s, form);
		if (good == s->size)
			return;
		best = good > best ? good : best;
		is_known = true;
	}
	if (is_known)
		rule_broken_at(
			&c->report, RULE_ALTERNATIVES, s->offset + best,
			"the entry at %#llx of %s does not lead to code, or to less than "
			"it writes: whoever applies it writes over something else",
			X(s->addr + best), name);
}

void check_replacements(struct checked *c)
{
	if (!c->has_sections)
		return;
	for (unsigned i = 1; i < c->header.shnum; i++) {
		struct elf_section s = checked_section(c, i);
		const char *name = checked_section_name(c, &s);

		if (name && s.size && s.flags & SHF_ALLOC &&
		    elf_inside(&c->elf, s.offset, s.size))
			check_table(c, name, &s);
	}
}
