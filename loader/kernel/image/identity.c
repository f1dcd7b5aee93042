/*
 * identity.c - see identity.h.
 */
#include <stdio.h> /* snprintf */
#include <string.h>
#include <vdso/identity.h>

#include "kernel/image/elf_bytes.h"
#include "kernel/image/identity.h"
#include "kernel/image/machine.h"

/* Images have four segments; whatever the header says, this takes no long time. */
#define MAX_SEGMENTS 64

static void read_note(struct image_identity *identity, const struct elf_bytes *elf,
		      const struct elf_note *note)
{
	if (!note->owner)
		return;
	if (!strcmp(note->owner, VDSO_NOTE_OWNER) && note->type == VDSO_NOTE_LAYOUT &&
	    note->descsz >= 8) {
		/* An image that says two things has said nothing. */
		identity->nr_layouts++;
		identity->has_layout = identity->nr_layouts == 1;
		identity->layout = elf_u32(elf, note->desc);
		identity->nr_pages = elf_u32(elf, note->desc + 4);
	}
	if (!strcmp(note->owner, "Linux") && note->type == NT_LINUX_VERSION &&
	    note->descsz == 4) {
		identity->has_version = true;
		identity->version = elf_u32(elf, note->desc);
	}
}

static void read_notes(struct image_identity *identity, const struct elf_bytes *elf,
		       const struct elf_segment *s)
{
	struct elf_note note;

	for (uint64_t at = s->offset; elf_note_at(elf, s, at, &note) && note.whole;
	     at = note.next)
		read_note(identity, elf, &note);
}

/* Our images for two machines differ by the stride, which is the largest page (datapage.h). */
static uint32_t our_layout(const struct elf_bytes *elf)
{
	const struct machine *machine = machine_of(elf);

	return (uint32_t)VDSO_HASH(VDSO_L_FIELDS,
				   machine ? machine->largest_page : VDSO_STRIDE);
}

struct image_identity image_identity(const struct image *image)
{
	struct elf_bytes elf = elf_bytes_of(image->bytes, image->size);
	struct elf_header header = elf_header(&elf);
	struct image_identity identity = {.has_layout = false};

	if (!image_machine(image))
		return identity;
	identity.ours = our_layout(&elf);
	for (unsigned i = 0; i < header.phnum && i < MAX_SEGMENTS; i++) {
		uint64_t offset = header.phoff + (uint64_t)i * header.phentsize;
		struct elf_segment s = elf_segment(&elf, offset);

		if (s.type == PT_NOTE && elf_inside(&elf, s.offset, s.filesz))
			read_notes(&identity, &elf, &s);
	}
	return identity;
}

bool image_reads_our_data(const struct image_identity *identity)
{
	return identity->has_layout && identity->layout == identity->ours &&
	       identity->nr_pages == VDSO_NR_DATA_PAGES;
}

const char *image_identity_words(const struct image_identity *identity, char *text, size_t size)
{
	if (image_reads_our_data(identity))
		snprintf(text, size, "an image of uvdso: %u data pages, layout %08x",
			 identity->nr_pages, identity->layout);
	else if (identity->has_layout)
		snprintf(text, size,
			 "an image of another uvdso: %u data pages, layout %08x; ours are %u, "
			 "layout %08x",
			 identity->nr_pages, identity->layout, VDSO_NR_DATA_PAGES,
			 identity->ours);
	else if (identity->has_version && !identity->version)
		snprintf(text, size,
			 "a kernel's image, of no stated version: it reads that kernel's data "
			 "pages");
	else if (identity->has_version)
		snprintf(text, size,
			 "a kernel's image, Linux %u.%u: it reads that kernel's data pages",
			 identity->version >> 16, identity->version >> 8 & 0xff);
	else if (identity->nr_layouts)
		snprintf(text, size,
			 "an image with %u notes about its data pages: which of them counts?",
			 identity->nr_layouts);
	else
		snprintf(
			text, size,
			"an image without a note of whose it is: nothing says which data pages "
			"it reads");
	return text;
}
