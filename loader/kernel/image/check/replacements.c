/*
 * replacements.c - alternatives: a table of instructions that are written over the code.
 *
 * The one that maps the image goes through it first, and believes every entry: a kernel at
 * boot, this project's loader before each program. An entry that points elsewhere is a way to
 * write anywhere. Kernels' entries have changed in size, and no field says which it is; so the
 * table is right if it is in one of the forms that its machine has had
 * (arch/ARCH/include/asm/alternative.h, by git log). Ours: vdso/alternative.h.
 */
#include <string.h>
#include <vdso/alternative.h>

#include "kernel/image/check/parts.h"

/* Real images have a dozen entries; each is looked up in every section, and in every symbol. */
#define MAX_BYTES 8192

/* An entry begins with the place of the code, as the distance from the entry itself. */
static const struct form {
	const char *section;
	uint16_t machine;                 /* EM_NONE: any */
	uint8_t size, length_at, with_at; /* of the replaced code, and of the new; 0: unsaid */
	uint8_t most;                     /* bytes of new code, if they are in the entry */
	bool elsewhere; /* the new code: a distance from the second word of the entry */
} forms[] = {
	{VDSO_ALTERNATIVES, EM_NONE, sizeof(struct vdso_alternative),
	 offsetof(struct vdso_alternative, length), offsetof(struct vdso_alternative, with),
	 VDSO_ALTERNATIVE_CODE, false},
	{".altinstructions", EM_X86_64, 14, 12, 13, UINT8_MAX, true}, /* Linux 6.3 */
	{".altinstructions", EM_X86_64, 12, 10, 11, UINT8_MAX, true},
	{".altinstructions", EM_X86_64, 13, 10, 11, UINT8_MAX, true}, /* 4.0 to 5.12 */
	{".altinstructions", EM_386, 14, 12, 13, UINT8_MAX, true},
	{".altinstructions", EM_386, 12, 10, 11, UINT8_MAX, true},
	{".altinstructions", EM_386, 13, 10, 11, UINT8_MAX, true},
	{".altinstructions", EM_AARCH64, 12, 10, 11, UINT8_MAX, true},
	{".altinstructions", EM_LOONGARCH, 12, 10, 11, UINT8_MAX, true},
	{".altinstructions", EM_S390, 13, 12, 0, UINT8_MAX, true}, /* 6.11 */
	{".altinstructions", EM_S390, 12, 10, 11, UINT8_MAX, true},
	{".altinstructions", EM_S390, 11, 10, 0, UINT8_MAX, true},
	{".alternative", EM_RISCV, 16, 10, 0, UINT8_MAX, true}, /* 6.4 */
	{".alternative", EM_RISCV, 40, 24, 0, UINT8_MAX, true},
};

/* The address that a word of an entry leads to, by its distance. */
static uint64_t led_to(const struct checked *c, const struct elf_section *s, uint64_t at)
{
	uint64_t to =
		s->addr + at + (uint64_t)(int64_t)(int32_t)elf_u32(&c->elf, s->offset + at);

	return c->elf.is64 ? to : (uint32_t)to;
}

/* Does a range that begins in an exported function end in it? */
static bool is_of_one_function(const struct checked *c, uint64_t vaddr, uint64_t length)
{
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);
		uint64_t start = machine_code(c->machine, sym.value);

		if (symbol_is_function(&sym) && vaddr >= start && vaddr - start < sym.size &&
		    length > sym.size - (vaddr - start))
			return false;
	}
	return true;
}

static bool is_right(const struct checked *c, const struct elf_section *s,
		     const struct form *form, uint64_t at)
{
	const struct elf_bytes *elf = &c->elf;
	uint64_t entry = s->offset + at, place = led_to(c, s, at);
	uint8_t length = elf_u8(elf, entry + form->length_at);
	uint8_t with = form->with_at ? elf_u8(elf, entry + form->with_at) : 0;
	/* Where the entry does not say how long the new code is, it is as long as the old. */
	uint64_t new_length = form->with_at ? with : length, new_at = led_to(c, s, at + 4);

	if (!checked_is_code(c, place, length) || !is_of_one_function(c, place, length) ||
	    with > length || with > form->most)
		return false;
	return !form->elsewhere || !new_length ||
	       (new_at >= c->load.vaddr && new_at - c->load.vaddr <= c->load.filesz &&
		new_length <= c->load.filesz - (new_at - c->load.vaddr));
}

/* The offset in the table of the first entry that is wrong in this form; its size if none is.
 */
static uint64_t first_wrong(const struct checked *c, const struct elf_section *s,
			    const struct form *form)
{
	uint64_t at = 0;

	for (; at + form->size <= s->size; at += form->size)
		if (!is_right(c, s, form, at))
			return at;
	/* What is left over is no entry. */
	return at;
}

/* How many of the bytes that may be looked at are left then. */
static uint64_t check_table(struct checked *c, const char *name, const struct elf_section *s,
			    uint64_t left)
{
	uint64_t best = 0;
	bool is_known = false;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct form *form = &forms[i];
		uint64_t good;

		if ((form->machine != EM_NONE && form->machine != c->header.machine) ||
		    strcmp(form->section, name))
			continue;
		if (s->size > left) {
			rule_broken_at(&c->report, RULE_ALTERNATIVES, s->at,
				       "more than %u bytes of alternatives, an image has some "
				       "hundreds",
				       MAX_BYTES);
			return 0;
		}
		good = first_wrong(c, s, form);
		if (good == s->size)
			return left - s->size;
		best = good > best ? good : best;
		is_known = true;
	}
	if (is_known)
		rule_broken_at(
			&c->report, RULE_ALTERNATIVES, s->offset + best,
			"the entry at %#llx of %s does not lead to code, or to less than "
			"it writes, or takes what it writes from outside: the one that applies "
			"it writes over something else",
			X(s->addr + best), name);
	return is_known ? left - s->size : left;
}

void check_replacements(struct checked *c)
{
	uint64_t left = MAX_BYTES;

	if (!c->has_sections)
		return;
	for (unsigned i = 1; i < c->header.shnum; i++) {
		struct elf_section s = checked_section(c, i);
		const char *name = elf_section_name(&c->elf, &s);

		if (name && s.size && s.flags & SHF_ALLOC &&
		    elf_inside(&c->elf, s.offset, s.size))
			left = check_table(c, name, &s, left);
	}
}
