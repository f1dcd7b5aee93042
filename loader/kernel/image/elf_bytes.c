/*
 * elf_bytes.c - see elf_bytes.h.
 *
 * All reading of image bytes goes through elf_inside() in this file; there is no
 * second place that must be right.
 */
#include <endian.h>
#include <string.h>

#include "kernel/image/elf_bytes.h"

struct elf_bytes elf_bytes_of(const unsigned char *bytes, size_t size)
{
	return (struct elf_bytes){
		.bytes = bytes,
		.size = size,
		.is64 = size > EI_CLASS && bytes[EI_CLASS] == ELFCLASS64,
		.big = size > EI_DATA && bytes[EI_DATA] == ELFDATA2MSB,
	};
}

bool elf_inside(const struct elf_bytes *elf, uint64_t offset, uint64_t len)
{
	/* Not offset + len <= size: the sum could wrap around. */
	return offset <= elf->size && len <= elf->size - offset;
}

/* Inlined, where len is a constant: a load, and a swap for the other byte order. */
static inline __attribute__((always_inline)) uint64_t number(const struct elf_bytes *elf,
							     uint64_t offset, unsigned len)
{
	uint64_t value = 0;

	if (!elf_inside(elf, offset, len))
		return 0;
	memcpy(&value, elf->bytes + offset, len);
	value = le64toh(value);
	return elf->big ? __builtin_bswap64(value) >> (64 - 8 * len) : value;
}

uint8_t elf_u8(const struct elf_bytes *elf, uint64_t offset)
{
	return (uint8_t)number(elf, offset, 1);
}

uint16_t elf_u16(const struct elf_bytes *elf, uint64_t offset)
{
	return (uint16_t)number(elf, offset, 2);
}

uint32_t elf_u32(const struct elf_bytes *elf, uint64_t offset)
{
	return (uint32_t)number(elf, offset, 4);
}

uint64_t elf_u64(const struct elf_bytes *elf, uint64_t offset)
{
	return number(elf, offset, 8);
}

uint64_t elf_word(const struct elf_bytes *elf, uint64_t offset)
{
	return elf->is64 ? number(elf, offset, 8) : number(elf, offset, 4);
}

const char *elf_string(const struct elf_bytes *elf, uint64_t offset, uint64_t end)
{
	uint64_t room;

	if (end > elf->size)
		end = elf->size;
	if (offset >= end)
		return NULL;
	room = end - offset < ELF_NAME_MAX ? end - offset : ELF_NAME_MAX;
	if (!memchr(elf->bytes + offset, '\0', room))
		return NULL;
	return (const char *)elf->bytes + offset;
}

#define AT(type, field) ELF_FIELD(elf, offset, type, field)

struct elf_header elf_header(const struct elf_bytes *elf)
{
	uint64_t offset = 0;

	return (struct elf_header){
		.type = elf_u16(elf, AT(Ehdr, e_type)),
		.machine = elf_u16(elf, AT(Ehdr, e_machine)),
		.version = elf_u32(elf, AT(Ehdr, e_version)),
		.flags = elf_u32(elf, AT(Ehdr, e_flags)),
		.entry = elf_word(elf, AT(Ehdr, e_entry)),
		.phoff = elf_word(elf, AT(Ehdr, e_phoff)),
		.shoff = elf_word(elf, AT(Ehdr, e_shoff)),
		.ehsize = elf_u16(elf, AT(Ehdr, e_ehsize)),
		.phentsize = elf_u16(elf, AT(Ehdr, e_phentsize)),
		.phnum = elf_u16(elf, AT(Ehdr, e_phnum)),
		.shentsize = elf_u16(elf, AT(Ehdr, e_shentsize)),
		.shnum = elf_u16(elf, AT(Ehdr, e_shnum)),
		.shstrndx = elf_u16(elf, AT(Ehdr, e_shstrndx)),
	};
}

struct elf_segment elf_segment(const struct elf_bytes *elf, uint64_t offset)
{
	return (struct elf_segment){
		.at = offset,
		.type = elf_u32(elf, AT(Phdr, p_type)),
		.flags = elf_u32(elf, AT(Phdr, p_flags)),
		.offset = elf_word(elf, AT(Phdr, p_offset)),
		.vaddr = elf_word(elf, AT(Phdr, p_vaddr)),
		.filesz = elf_word(elf, AT(Phdr, p_filesz)),
		.memsz = elf_word(elf, AT(Phdr, p_memsz)),
		.align = elf_word(elf, AT(Phdr, p_align)),
	};
}

struct elf_section elf_section(const struct elf_bytes *elf, uint64_t offset)
{
	return (struct elf_section){
		.at = offset,
		.name = elf_u32(elf, AT(Shdr, sh_name)),
		.type = elf_u32(elf, AT(Shdr, sh_type)),
		.link = elf_u32(elf, AT(Shdr, sh_link)),
		.info = elf_u32(elf, AT(Shdr, sh_info)),
		.flags = elf_word(elf, AT(Shdr, sh_flags)),
		.addr = elf_word(elf, AT(Shdr, sh_addr)),
		.offset = elf_word(elf, AT(Shdr, sh_offset)),
		.size = elf_word(elf, AT(Shdr, sh_size)),
		.entsize = elf_word(elf, AT(Shdr, sh_entsize)),
	};
}

struct elf_symbol elf_symbol(const struct elf_bytes *elf, uint64_t offset)
{
	return (struct elf_symbol){
		.at = offset,
		.name = elf_u32(elf, AT(Sym, st_name)),
		.info = elf_u8(elf, AT(Sym, st_info)),
		.other = elf_u8(elf, AT(Sym, st_other)),
		.shndx = elf_u16(elf, AT(Sym, st_shndx)),
		.value = elf_word(elf, AT(Sym, st_value)),
		.size = elf_word(elf, AT(Sym, st_size)),
	};
}

struct elf_dyn elf_dyn(const struct elf_bytes *elf, uint64_t offset)
{
	return (struct elf_dyn){
		.at = offset,
		.tag = elf_word(elf, AT(Dyn, d_tag)),
		.value = elf_word(elf, AT(Dyn, d_un)),
	};
}

uint16_t elf_machine(const struct elf_bytes *elf)
{
	_Static_assert(offsetof(Elf32_Ehdr, e_machine) == offsetof(Elf64_Ehdr, e_machine), "");
	return elf_u16(elf, offsetof(Elf64_Ehdr, e_machine));
}

/* r_info, by class; 64-bit MIPS has fields of its own in it, with three types in one entry. */
struct elf_relocation elf_relocation(const struct elf_bytes *elf, uint64_t offset)
{
	uint64_t info = AT(Rel, r_info);
	uint32_t type;

	if (!elf->is64)
		type = ELF32_R_TYPE(elf_u32(elf, info));
	else if (elf_machine(elf) == EM_MIPS)
		type = elf_u8(elf, info + 5) << 16 | elf_u8(elf, info + 6) << 8 |
		       elf_u8(elf, info + 7);
	else
		type = (uint32_t)ELF64_R_TYPE(elf_u64(elf, info));
	return (struct elf_relocation){elf_word(elf, AT(Rel, r_offset)), type};
}

unsigned elf_hash_word(const struct elf_bytes *elf)
{
	uint16_t machine = elf_machine(elf);

	return elf->is64 && (machine == EM_S390 || machine == EM_ALPHA) ? 8 : 4;
}

struct elf_section elf_section_at(const struct elf_bytes *elf, uint32_t index)
{
	struct elf_header header = elf_header(elf);

	return elf_section(elf, header.shoff + (uint64_t)index * header.shentsize);
}

bool elf_find_section(const struct elf_bytes *elf, uint32_t type, struct elf_section *section)
{
	unsigned count = elf_header(elf).shnum;

	for (unsigned i = 0; i < count; i++) {
		*section = elf_section_at(elf, i);
		if (section->type == type && elf_inside(elf, section->offset, section->size))
			return true;
	}
	return false;
}

const char *elf_section_name(const struct elf_bytes *elf, const struct elf_section *section)
{
	struct elf_header header = elf_header(elf);
	struct elf_section names = elf_section_at(elf, header.shstrndx);

	if (header.shstrndx >= header.shnum || section->name >= names.size ||
	    !elf_inside(elf, names.offset, names.size))
		return NULL;
	return elf_string(elf, names.offset + section->name, names.offset + names.size);
}

static uint64_t aligned(uint64_t size, uint64_t align)
{
	return (size + align - 1) & ~(align - 1);
}

bool elf_note_at(const struct elf_bytes *elf, const struct elf_segment *s, uint64_t at,
		 struct elf_note *note)
{
	/* 8 only where a segment of its own says so, for .note.gnu.property. */
	uint64_t align = s->align == 8 ? 8 : 4, left = s->offset + s->filesz - at;
	uint64_t header = sizeof(Elf64_Nhdr), desc, next;

	if (left < header)
		return false;
	*note = (struct elf_note){
		.at = at,
		.namesz = elf_u32(elf, at),
		.descsz = elf_u32(elf, at + 4),
		.type = elf_u32(elf, at + 8),
		.owner = elf_string(elf, at + header, at + header + elf_u32(elf, at)),
	};
	if (note->owner && strlen(note->owner) + 1 != note->namesz)
		note->owner = NULL;
	desc = aligned(header + note->namesz, align);
	next = aligned(desc + note->descsz, align);
	note->desc = at + desc;
	note->whole = desc + note->descsz <= left;
	/* The padding of the last one may be missing. */
	note->next = at + (next < left ? next : left);
	return true;
}
