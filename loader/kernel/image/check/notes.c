/*
 * notes.c - the notes.
 *
 * A note is an owner, a type and a descriptor, each padded, one after the other: to
 * find the second, a reader must trust the sizes of the first. Sections of different
 * alignment merged into one have broken that (an image with .note.gnu.property among
 * its notes ends in rubbish). A vDSO has two: "Linux" type 0, the kernel's version,
 * which glibc once went by, and "GNU" type 3, the build id, by which debuggers find
 * the unstripped image.
 */
#include <string.h>

#include "kernel/image/check/parts.h"
#include "kernel/image/identity.h"

struct found {
	bool version, build_id;
};

static void check_note(struct checked *c, const struct elf_note *note, struct found *found)
{
	const char *owner = note->owner;

	if (note->namesz && !owner)
		rule_broken_at(&c->report, RULE_NOTES, note->at,
			       "the owner of the note at offset %#llx is not a string of %u "
			       "bytes",
			       X(note->at), note->namesz);
	if (!owner)
		return;
	if (!strcmp(owner, "Linux") && note->type == NT_LINUX_VERSION) {
		found->version = true;
		if (note->descsz != 4)
			rule_broken_at(
				&c->report, RULE_NOTE_VERSION, note->at,
				"the Linux note of type 0 has %u bytes, a kernel version has 4",
				note->descsz);
	}
	if (!strcmp(owner, "GNU") && note->type == NT_GNU_BUILD_ID) {
		found->build_id = true;
		if (note->descsz < 8)
			rule_broken_at(
				&c->report, RULE_NOTE_BUILD_ID, note->at,
				"the build id has %u bytes: too few to tell one image from "
				"another",
				note->descsz);
	}
}

static void check_note_segment(struct checked *c, const struct elf_segment *s,
			       struct found *found)
{
	uint64_t at = s->offset, end = s->offset + s->filesz;
	struct elf_note note;

	if (!elf_inside(&c->elf, s->offset, s->filesz))
		return; /* reported with the program headers */
	for (; elf_note_at(&c->elf, s, at, &note); at = note.next) {
		if (!note.whole) {
			rule_broken_at(
				&c->report, RULE_NOTES, at,
				"the note at offset %#llx, %u and %u bytes, runs over the end "
				"of its segment at %#llx",
				X(at), note.namesz, note.descsz, X(end));
			return;
		}
		check_note(c, &note, found);
	}
	if (at != end)
		rule_broken_at(&c->report, RULE_NOTES, at,
			       "%#llx bytes after the last note, at offset %#llx", X(end - at),
			       X(at));
}

/* Not what is in the note, but what it says of the image. */
static void check_layout(struct checked *c)
{
	struct image image = {.bytes = c->elf.bytes, .size = c->elf.size};
	struct image_identity identity = image_identity(&image);
	char words[128];

	if (!image_reads_our_data(&identity))
		rule_broken(&c->report, RULE_NOTE_LAYOUT, "%s",
			    image_identity_words(&identity, words, sizeof(words)));
}

void check_notes(struct checked *c)
{
	struct found found = {false, false};

	for (unsigned i = 0; i < c->header.phnum; i++) {
		struct elf_segment s = checked_segment(c, i);

		if (s.type == PT_NOTE)
			check_note_segment(c, &s, &found);
	}
	/* What comes after one that is malformed cannot be told from rubbish. */
	if (c->report.broken[RULE_NOTES])
		return;
	if (!found.version)
		rule_broken(&c->report, RULE_NOTE_VERSION,
			    "no Linux note of type 0 with the version of the kernel");
	if (!found.build_id)
		rule_broken(&c->report, RULE_NOTE_BUILD_ID,
			    "no build id: debuggers cannot find the unstripped image");
	check_layout(c);
}
