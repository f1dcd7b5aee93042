/*
 * image_copy.h - a copy of an image that may be changed, between two guard pages.
 *
 * A parser that reads one byte too far gets away with it nearly always: there is some
 * memory there. Here there is none. The bytes lie against a page that may not be touched,
 * in front or behind, so that the first byte outside of the image is a SIGSEGV.
 *
 *	GUARD_BEFORE:	[guard] image............. zeros [guard]
 *	GUARD_BEHIND:	[guard] 0xff...... image [guard]
 */
#ifndef IMAGE_COPY_H
#define IMAGE_COPY_H

#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "kernel/base/page.h"
#include "kernel/image/image.h"
#include "tap.h"

#define COPY_PAGE page_size()

enum guard { GUARD_BEFORE, GUARD_BEHIND };

struct copy {
	unsigned char *image; /* aligned as an ELF header must be */
	size_t size;
	unsigned char *map;
	size_t map_size;
};

/* Puts the bytes back as they were; of GUARD_BEHIND only, size may also have changed. */
__attribute__((unused)) static void copy_fill(struct copy *copy, enum guard guard,
					      const void *bytes, size_t size)
{
	unsigned char *from = copy->map + COPY_PAGE;
	size_t room = copy->map_size - 2 * COPY_PAGE;

	copy->image = guard == GUARD_BEFORE ? from : from + room - ((size + 7) & ~(size_t)7);
	copy->size = size;
	memset(from, guard == GUARD_BEFORE ? 0 : 0xff, room);
	memcpy(copy->image, bytes, size);
}

__attribute__((unused)) static struct copy copy_image(struct image image, enum guard guard)
{
	size_t room = (image.size + COPY_PAGE - 1) & ~(size_t)(COPY_PAGE - 1);
	struct copy copy = {.map_size = room + 2 * COPY_PAGE};

	copy.map = mmap(NULL, copy.map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy.map == MAP_FAILED ||
	    mprotect(copy.map + COPY_PAGE, room, PROT_READ | PROT_WRITE) < 0)
		bail_out("no memory for a copy of an image");
	copy_fill(&copy, guard, image.bytes, image.size);
	return copy;
}

__attribute__((unused)) static void copy_free(struct copy *copy)
{
	munmap(copy->map, copy->map_size);
}

/* The running kernel's vDSO up to the end of its PT_LOAD; bytes is NULL without one. */
__attribute__((unused)) static struct image kernel_image(void)
{
	struct image image = {(const void *)getauxval(AT_SYSINFO_EHDR), 0};
	const ElfW(Ehdr) *ehdr = (const void *)image.bytes;
	const ElfW(Phdr) *phdr = (const void *)(image.bytes + (ehdr ? ehdr->e_phoff : 0));

	for (int i = 0; ehdr && i < ehdr->e_phnum; i++)
		if (phdr[i].p_type == PT_LOAD)
			image.size = phdr[i].p_offset + phdr[i].p_filesz;
	return image;
}

/* The first entry with a tag of PT_DYNAMIC, or NULL. */
__attribute__((unused)) static ElfW(Dyn) * copy_find_dynamic(const struct copy *copy, long tag)
{
	const ElfW(Ehdr) *ehdr = (const void *)copy->image;
	const ElfW(Phdr) *phdr = (const void *)(copy->image + ehdr->e_phoff);
	ElfW(Dyn) *dyn = NULL;

	for (int i = 0; i < ehdr->e_phnum; i++)
		if (phdr[i].p_type == PT_DYNAMIC)
			dyn = (void *)(copy->image + phdr[i].p_offset);
	if (!dyn)
		bail_out("the image has no PT_DYNAMIC");
	for (; dyn->d_tag != DT_NULL; dyn++)
		if (dyn->d_tag == tag)
			return dyn;
	return NULL;
}

/* The same, to be changed, where the image must have it. */
__attribute__((unused)) static ElfW(Dyn) * copy_dynamic(const struct copy *copy, long tag)
{
	ElfW(Dyn) *dyn = copy_find_dynamic(copy, tag);

	if (!dyn)
		bail_out("the image has no dynamic tag %#lx", tag);
	return dyn;
}

/* What a tag points to, in the copy of an image that is linked at 0. */
__attribute__((unused)) static void *copy_table(const struct copy *copy, long tag)
{
	return copy->image + copy_dynamic(copy, tag)->d_un.d_ptr;
}

/* A tag that no reader knows: the entry is as good as gone, and the others stay. */
#define TAG_GONE 0x6000000e

#endif
