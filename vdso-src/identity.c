/*
 * identity.c - the note that says which data pages this image reads (vdso/identity.h).
 *
 * In C, because the compiler knows where the fields are. It stands beside the two notes that
 * every image has, that of note.S and the build id, in the same form: the lengths of owner and
 * descriptor, the type, and both, each filled up to a multiple of four bytes.
 */
#include <vdso/identity.h>

struct identity_note {
	u32 namesz, descsz, type;
	char owner[(sizeof(VDSO_NOTE_OWNER) + 3) / 4 * 4];
	u32 layout, nr_pages;
};
_Static_assert(sizeof(struct identity_note) == 28, "a note has no gaps");

/* Nothing refers to it. The name of the section makes it a note, and const read-only. */
__attribute__((used, section(".note.uvdso"),
	       aligned(4))) static const struct identity_note identity = {
	.namesz = sizeof(VDSO_NOTE_OWNER),
	.descsz = 2 * sizeof(u32),
	.type = VDSO_NOTE_LAYOUT,
	.owner = VDSO_NOTE_OWNER,
	.layout = VDSO_LAYOUT,
	.nr_pages = VDSO_NR_DATA_PAGES,
};
