/*
 * unwinding_gcc.c - how libgcc finds and reads the description of a function
 * (unwind-dw2-fde-dip.c, unwind-dw2-fde.c, unwind-dw2.c).
 */
#include "kernel/image/clients/unwinding.h"

/* get_cie_encoding(): how the FDEs of a CIE write addresses. */
static unsigned gcc_encoding(struct look *l, struct unwinding *u, uint64_t cie)
{
	uint64_t letter = cie + 9, at = letter + look_length(l, letter) + 1;
	uint8_t version = look_u8(l, cie + 8);

	if (version >= 4) {
		if (look_u8(l, at) != (l->elf.is64 ? 8 : 4) || look_u8(l, at + 1))
			return PE_OMIT;
		at += 2;
	}
	if (look_u8(l, letter) != 'z')
		return 0;
	unwinding_leb128(l, u, &at, 0, false);
	unwinding_leb128(l, u, &at, 0, true);
	if (version == 1)
		at++;
	else
		unwinding_leb128(l, u, &at, 0, false);
	unwinding_leb128(l, u, &at, 0, false);
	for (letter++; !l->over; letter++) {
		switch (look_u8(l, letter)) {
		case 'R':
			return look_u8(l, at);
		case 'P':
			at++;
			unwinding_length(l, u, look_u8(l, at - 1), &at);
			break;
		case 'L':
		case 'B':
			at++;
			break;
		default:
			return 0;
		}
	}
	return 0;
}

/* extract_cie_info(). False: the walk ends. */
static bool gcc_cie(struct look *l, struct unwinding *u, uint64_t cie, struct description *d)
{
	uint64_t letter = cie + 9, at = letter + look_length(l, letter) + 1, data_end = 0;
	uint8_t version = look_u8(l, cie + 8);

	d->cie_rows_end = cie + 4 + look_u32(l, cie);
	if (look_u8(l, letter) == 'e' && look_u8(l, letter + 1) == 'h') {
		at += l->elf.is64 ? 8 : 4;
		letter += 2;
	}
	if (version >= 4) {
		if (look_u8(l, at) != (l->elf.is64 ? 8 : 4) || look_u8(l, at + 1))
			return false;
		at += 2;
	}
	d->code_align = unwinding_leb128(l, u, &at, 0, false);
	d->data_align = unwinding_leb128(l, u, &at, 0, true);
	d->return_column =
		version == 1 ? look_u8(l, at++) : unwinding_leb128(l, u, &at, 0, false);
	if (look_u8(l, letter) == 'z') {
		data_end = unwinding_leb128(l, u, &at, 0, false);
		data_end += at;
		d->augmented = true;
		letter++;
	}
	for (; look_u8(l, letter) && !l->over; letter++) {
		uint8_t which = look_u8(l, letter);

		if (which == 'L') {
			at++;
		} else if (which == 'R') {
			d->encoding = look_u8(l, at++);
		} else if (which == 'P') {
			at++;
			unwinding_length(l, u, look_u8(l, at - 1), &at);
		} else if (which == 'S') {
			d->signal_frame = true;
		} else if (which != 'B') {
			d->cie_rows = data_end;
			return d->augmented;
		}
	}
	d->cie_rows = d->augmented ? data_end : at;
	return true;
}

static uint64_t gcc_cie_of(struct look *l, uint64_t fde)
{
	return fde + 4 - (uint64_t)(int64_t)(int32_t)look_u32(l, fde + 4);
}

/* size_of_encoded_value(), which knows no others. */
static unsigned gcc_size(struct look *l, struct unwinding *u, unsigned encoding)
{
	static const uint8_t sizes[8] = {[2] = 2, [3] = 4, [4] = 8};

	if (encoding == PE_OMIT)
		return 0;
	if ((encoding & 7) == 0)
		return l->elf.is64 ? 8 : 4;
	if (!sizes[encoding & 7])
		aborts(l, u, "cfi", "on an address of encoding %#x", encoding);
	return sizes[encoding & 7];
}

/* linear_search_fdes(): where there is no table that it can search. */
static bool gcc_scan(struct look *l, struct unwinding *u, uint64_t pc, struct description *d)
{
	for (uint64_t at = u->eh_frame; !l->over; at += 4 + (uint64_t)look_u32(l, at)) {
		uint64_t begin, where = at + 8, length;
		unsigned encoding;

		if (!look_u32(l, at))
			return false;
		if (!look_u32(l, at + 4))
			continue;
		encoding = gcc_encoding(l, u, gcc_cie_of(l, at));
		begin = unwinding_encoded(l, u, encoding, 0, &where, &d->absolute);
		length = unwinding_length(l, u, encoding, &where);
		if (begin && !d->absolute && pc - begin < length) {
			*d = (struct description){
				.fde = at, .start = begin, .end = begin + length};
			return true;
		}
	}
	return false;
}

/* find_fde_tail() */
bool gcc_find(struct look *l, struct unwinding *u, uint64_t pc, struct description *d)
{
	uint64_t mid = u->nr - 1, low = 0, high = mid, size, where, length;
	unsigned encoding;

	if (u->count_encoding == PE_OMIT || u->table_encoding != TABLE_NORMAL || u->table & 3)
		return gcc_scan(l, u, pc, d);
	if (!u->nr || pc < unwinding_entry(l, u, 0))
		return false;
	if (pc < unwinding_entry(l, u, mid)) {
		while (low < high && !l->over) {
			mid = (low + high) / 2;
			if (pc < unwinding_entry(l, u, mid))
				high = mid;
			else if (pc >= unwinding_entry(l, u, mid + 1))
				low = mid + 1;
			else
				break;
		}
		if (low >= high)
			aborts(l, u, "eh-frame-hdr", "on a table that is not sorted");
	}
	d->fde = u->hdr + (uint64_t)(int64_t)(int32_t)look_u32(l, u->table + 8 * mid + 4);
	encoding = gcc_encoding(l, u, gcc_cie_of(l, d->fde));
	size = gcc_size(l, u, encoding);
	where = d->fde + 8 + size;
	length = unwinding_length(l, u, encoding, &where);
	d->start = unwinding_entry(l, u, mid);
	d->end = d->start + length;
	return pc < d->end;
}

/* uw_frame_state_for() */
const char *gcc_read(struct look *l, struct unwinding *u, struct description *d)
{
	uint64_t at;

	if (!gcc_cie(l, u, gcc_cie_of(l, d->fde), d))
		return "its CIE has augmentation data of unknown length";
	at = d->fde + 8 + 2ull * gcc_size(l, u, d->encoding);
	if (d->augmented) {
		uint64_t data = unwinding_leb128(l, u, &at, 0, false);

		at += data;
	}
	d->rows = at;
	d->rows_end = d->fde + 4 + look_u32(l, d->fde);
	return NULL;
}
