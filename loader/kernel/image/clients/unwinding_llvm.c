/*
 * unwinding_llvm.c - how LLVM's unwinder does it (EHHeaderParser.hpp, DwarfParser.hpp).
 */
#include "kernel/image/clients/unwinding.h"

/* A length, which may be of 64 bits; at is moved past it. */
static uint64_t llvm_length(struct look *l, uint64_t *at)
{
	uint64_t length = look_u32(l, *at);

	*at += 4;
	if (length == UINT32_MAX) {
		length = look_there(l, *at, 8) ? elf_u64(&l->elf, *at) : 0;
		*at += 8;
	}
	return length;
}

/* parseCIE(): NULL, or why the FDE is passed over. */
static const char *llvm_cie(struct look *l, struct unwinding *u, uint64_t cie,
			    struct description *d)
{
	uint64_t at = cie, length = llvm_length(l, &at), end = at + length, letter;
	uint8_t version;
	bool absolute;

	if (!length)
		return NULL;
	if (look_u32(l, at))
		return "its CIE has an ID that is not 0";
	version = look_u8(l, at + 4);
	if (version != 1 && version != 3)
		return "its CIE has a version other than 1 and 3";
	letter = at + 5;
	at = letter + look_length(l, letter) + 1;
	d->code_align = (uint32_t)unwinding_leb128(l, u, &at, end, false);
	d->data_align = (uint64_t)(int64_t)(int32_t)unwinding_leb128(l, u, &at, end, true);
	d->return_column = version == 1 ? look_u8(l, at++)
					: (uint8_t)unwinding_leb128(l, u, &at, end, false);
	if (look_u8(l, letter) == 'z') {
		d->augmented = true;
		unwinding_leb128(l, u, &at, end, false);
		/* It goes by the letters, and not by the length. */
		for (letter++; look_u8(l, letter) && !l->over; letter++) {
			uint8_t which = look_u8(l, letter);

			if (which == 'P') {
				at++;
				unwinding_encoded(l, u, look_u8(l, at - 1), 0, &at, &absolute);
			} else if (which == 'L') {
				at++;
			} else if (which == 'R') {
				d->encoding = look_u8(l, at++);
			} else if (which == 'S') {
				d->signal_frame = true;
			}
		}
	}
	d->cie_rows = at;
	d->cie_rows_end = end;
	return NULL;
}

/* decodeFDE() */
static const char *llvm_fde(struct look *l, struct unwinding *u, uint64_t fde,
			    struct description *d)
{
	uint64_t at = fde, length = llvm_length(l, &at), end = at + length, range;
	const char *why;

	*d = (struct description){.fde = fde};
	if (!length)
		return "its FDE has no length";
	if (!look_u32(l, at))
		return "its FDE is a CIE";
	why = llvm_cie(l, u, at - look_u32(l, at), d);
	if (why)
		return why;
	at += 4;
	d->start = unwinding_encoded(l, u, d->encoding, 0, &at, &d->absolute);
	range = unwinding_length(l, u, d->encoding, &at);
	d->end = d->start + range;
	if (d->augmented) {
		uint64_t data = unwinding_leb128(l, u, &at, end, false);

		at += data;
	}
	d->rows = at;
	d->rows_end = end;
	return d->absolute ? "its FDE gives an address that nobody has relocated" : NULL;
}

/*
 * findFDE() of the parser: all of .eh_frame, up to a length of 0. (It takes a range to begin
 * after its first byte; but it looks for the byte before an instruction in any case.)
 */
static bool llvm_scan(struct look *l, struct unwinding *u, uint64_t pc, struct description *d)
{
	uint64_t at = u->eh_frame;

	while (!l->over) {
		uint64_t from = at, length = llvm_length(l, &at);

		if (!length)
			return false;
		if (look_u32(l, at) && at - look_u32(l, at) >= u->eh_frame &&
		    !llvm_fde(l, u, from, d) && d->start <= pc && pc < d->end)
			return true;
		at += length;
	}
	return false;
}

/* getTableEntrySize() */
static unsigned llvm_entry_size(struct look *l, struct unwinding *u)
{
	switch (u->table_encoding & 7) {
	case 2:
		return 4;
	case 3:
		return 8;
	case 4:
		return 16;
	}
	if (u->table_encoding != PE_OMIT)
		aborts(l, u, "eh-frame-hdr", "on a table of encoding %#x", u->table_encoding);
	return 0;
}

/* Both find functions, one after the other. */
bool llvm_find(struct look *l, struct unwinding *u, uint64_t pc, struct description *d,
	       const char **why)
{
	uint64_t low = 0, at, fde;
	const char *wrong;
	unsigned size;
	bool absolute;

	if (!u->nr)
		return llvm_scan(l, u, pc, d);
	size = llvm_entry_size(l, u);
	for (uint64_t length = u->nr; length > 1 && !l->over;) {
		uint64_t mid = low + length / 2, start;

		at = u->table + mid * size;
		start = unwinding_encoded(l, u, u->table_encoding, u->hdr, &at, &absolute);
		if (start <= pc) {
			low = mid;
			length -= start == pc ? length - 1 : length / 2;
		} else {
			length /= 2;
		}
	}
	at = u->table + low * size;
	unwinding_encoded(l, u, u->table_encoding, u->hdr, &at, &absolute);
	fde = unwinding_encoded(l, u, u->table_encoding, u->hdr, &at, &absolute);
	wrong = llvm_fde(l, u, fde, d);
	if (wrong)
		*why = wrong;
	else if (d->start <= pc && pc < d->end)
		return true;
	return llvm_scan(l, u, pc, d);
}
