/*
 * unwinding.c - see unwinding.h: numbers of the unwind data.
 */
#include "kernel/image/clients/unwinding.h"

uint64_t unwinding_leb128(struct look *l, struct unwinding *u, uint64_t *at, uint64_t end,
			  bool is_signed)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		if (u->unwinder == LLVM && (*at == end || shift > 63))
			aborts(l, u, "cfi", "on the number at %#llx, which has no end",
			       (unsigned long long)*at);
		byte = look_u8(l, (*at)++);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !l->over);
	if (is_signed && byte & 0x40 && shift < 64)
		value |= -(1ull << shift);
	return value;
}

uint64_t unwinding_encoded(struct look *l, struct unwinding *u, unsigned encoding,
			   uint64_t datarel, uint64_t *at, bool *absolute)
{
	uint64_t from = *at, value = 0;

	*absolute = false;
	switch (encoding & 0xf) {
	case 0x0:
		value = look_word(l, *at);
		*at += l->elf.is64 ? 8 : 4;
		break;
	case 0x1:
	case 0x9:
		value = unwinding_leb128(l, u, at, UINT64_MAX, encoding & 8);
		break;
	case 0x2:
		value = look_u16(l, *at);
		*at += 2;
		break;
	case 0xa:
		value = (uint64_t)(int16_t)look_u16(l, *at);
		*at += 2;
		break;
	case 0x3:
		value = look_u32(l, *at);
		*at += 4;
		break;
	case 0xb:
		value = (uint64_t)(int32_t)look_u32(l, *at);
		*at += 4;
		break;
	case 0x4:
	case 0xc:
		value = look_there(l, *at, 8) ? elf_u64(&l->elf, *at) : 0;
		*at += 8;
		break;
	default:
		aborts(l, u, "eh-frame-hdr", "on an address of encoding %#x", encoding);
		return 0;
	}
	if ((encoding & 0x70) == PCREL)
		value += from;
	else if ((encoding & 0x70) == DATAREL && u->unwinder == LLVM && datarel)
		value += datarel;
	else if ((encoding & 0x70) && u->unwinder == LLVM)
		aborts(l, u, "eh-frame-hdr", "on an address of encoding %#x", encoding);
	else
		*absolute = true;
	if (encoding & PE_INDIRECT && value) {
		if (*absolute)
			look_end(l, CLIENT_CRASHES, "eh-frame-hdr",
				 "it reads at the address %#llx, which is nowhere",
				 (unsigned long long)value);
		value = look_word(l, value);
	}
	return value;
}

uint64_t unwinding_length(struct look *l, struct unwinding *u, unsigned encoding, uint64_t *at)
{
	bool absolute;

	return unwinding_encoded(l, u, encoding & 0xf, 0, at, &absolute);
}

void unwinding_lose(struct unwinding *u, uint64_t pc, const char *why)
{
	if (!u->lost++) {
		u->first_lost = pc;
		u->why = why;
	}
}

uint64_t unwinding_entry(struct look *l, const struct unwinding *u, uint64_t i)
{
	return u->hdr + (uint64_t)(int64_t)(int32_t)look_u32(l, u->table + 8 * i);
}
