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

/* LINUX_VERSION_CODE; elf.h has no name for it. */
#define NT_LINUX_VERSION 0

struct found {
	bool version, build_id;
};

static void check_note(struct checked *c, uint64_t at, uint32_t namesz, uint32_t descsz,
		       struct found *found)
{
	const char *owner = elf_string(&c->elf, at + 12, at + 12 + namesz);
	uint32_t type = elf_u32(&c->elf, at + 8);

	if (namesz && (!owner || strlen(owner) + 1 != namesz)) {
		rule_broken_at(&c->report, RULE_NOTES, at,
			       "the owner of the note at offset %#llx is not a string of %u "
			       "bytes",
			       X(at), namesz);
		return;
	}
	if (!owner)
		return;
	if (!strcmp(owner, "Linux") && type == NT_LINUX_VERSION) {
		found->version = true;
		if (descsz != 4)
			rule_broken_at(
				&c->report, RULE_NOTE_VERSION, at,
				"the Linux note of type 0 has %u bytes, a kernel version has 4",
				descsz);
	}
	if (!strcmp(owner, "GNU") && type == NT_GNU_BUILD_ID) {
		found->build_id = true;
		if (descsz < 8)
			rule_broken_at(
				&c->report, RULE_NOTE_BUILD_ID, at,
				"the build id has %u bytes: too few to tell one image from "
				"another",
				descsz);
	}
}

static uint64_t aligned(uint64_t size, uint64_t align)
{
	return (size + align - 1) & ~(align - 1);
}

static void check_note_segment(struct checked *c, const struct elf_segment *s,
			       struct found *found)
{
	/* 8 only where a segment of its own says so, for .note.gnu.property. */
	uint64_t align = s->align == 8 ? 8 : 4;
	uint64_t at = s->offset, end;

	if (!elf_inside(&c->elf, s->offset, s->filesz))
		return; /* reported with the program headers */
	end = s->offset + s->filesz;
	while (end - at >= 12) {
		uint32_t namesz = elf_u32(&c->elf, at), descsz = elf_u32(&c->elf, at + 4);
		uint64_t desc = aligned(12ull + namesz, align);
		uint64_t next = aligned(desc + descsz, align);

		if (desc + descsz > end - at) {
			rule_broken_at(
				&c->report, RULE_NOTES, at,
				"the note at offset %#llx, %u and %u bytes, runs over the end "
				"of its segment at %#llx",
				X(at), namesz, descsz, X(end));
			return;
		}
		check_note(c, at, namesz, descsz, found);
		/* The padding of the last one may be missing. */
		at = next < end - at ? at + next : end;
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
