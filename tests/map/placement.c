/*
 * placement.c - a thousand vDSOs in one process: where they lie, and over nothing.
 */
#include <host.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/image/alternatives.h"
#include "kernel/arch/cpu.h"
#include "kernel/base/maps.h"
#include "kernel/base/page.h"
#include "kernel/map/place.h"
#include "tap.h"

#define LOADS 1000

/* Where addresses have 32 bits there are 2^16 pages to draw from. */
#define SPREAD_BITS (sizeof(void *) == 4 ? 15 : 24)

static int by_address(const void *a, const void *b)
{
	const struct placement *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* The part of a line of /proc/self/maps that says how the page at address is mapped. */
static bool mapped_as(uintptr_t address, const char *want)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], perms[5] = "";
	unsigned long start, end;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &start, &end, perms) == 3 && start <= address &&
		    address < end)
			break;
	if (maps)
		fclose(maps);
	return !strcmp(perms, want);
}

/* A process of its own: personality(2) says where the kernel may not be random. */
static bool is_fixed(const struct image *image, const struct vvar *vvar)
{
	struct error error;
	struct placement page;
	uintptr_t where[2];
	int out[2], status;

	for (int i = 0; i < 2; i++) {
		if (pipe(out))
			bail_out("no pipe");
		if (fork() == 0) {
			personality(ADDR_NO_RANDOMIZE);
			if (vdso_place(image, vvar, false, false, &page, &error) ||
			    write(out[1], &page.ehdr, sizeof(page.ehdr)) < 0)
				_exit(1);
			_exit(0);
		}
		close(out[1]);
		if (read(out[0], &where[i], sizeof(where[i])) != sizeof(where[i]))
			where[i] = (uintptr_t)i;
		close(out[0]);
		wait(&status);
	}
	return where[0] == where[1];
}

int main(void)
{
	static unsigned char copy[IMAGE_MAX];
	static struct placement page[LOADS];
	struct image image = image_builtin();
	int unaligned = 0, overlaps = 0, changed = 0, apart = 0, broken = 0;
	struct error error;
	static struct maps before, after; /* the stack must not grow between them */
	uintptr_t low, high;
	struct vvar vvar;

	if (vvar_create(&vvar) || vvar_map_writable(&vvar) || vvar_seal(&vvar))
		bail_out("no data page");
	/*
	 * The C library should map nothing for itself between the two looks: its heap, and from
	 * glibc 2.41 on the states of the vDSO's getrandom, at the first call.
	 */
	puts("# four regions a load, all mapped at the same time");
	free(malloc(1 << 16));
	if (getrandom(copy, 1, 0) != 1)
		bail_out("no random numbers");
	if (maps_read(&before, 0))
		bail_out("cannot read /proc/self/maps");
	for (int i = 0; i < LOADS; i++)
		if (vdso_place(&image, &vvar, i % 2, false, &page[i], &error))
			bail_out("load %d: %s", i, error.why);

	memcpy(copy, image.bytes, image.size);
	if (alternatives_apply(copy, image.size, cpu_has) < 0)
		bail_out("the image's table of alternatives is malformed");
	qsort(page, LOADS, sizeof(page[0]), by_address);
	low = page[0].start;
	high = page[LOADS - 1].start;
	for (int i = 0; i < LOADS; i++) {
		unaligned += page[i].start % page_size() || page[i].ehdr % page_size();
		apart += page[i].ehdr != page[i].start + VDSO_NR_DATA_PAGES * VDSO_STRIDE;
		overlaps += i > 0 && page[i].start < page[i - 1].start + page[i - 1].length;
		broken += memcmp((void *)page[i].ehdr, copy, image.size) != 0;
	}
	is(unaligned, 0, "%d loads: every address is the beginning of a page", LOADS);
	is(apart, 0, "%d loads: the image lies right above its data pages", LOADS);
	is(overlaps, 0, "%d loads: none overlaps another", LOADS);
	is(broken, 0, "%d loads: each holds the image, byte for byte, fitted to this CPU",
	   LOADS);
	if (!cmp_ok((high - low) / page_size(), >=, 1u << SPREAD_BITS,
		    "%d loads: spread over at least 2^%d pages", LOADS, (int)SPREAD_BITS))
		because("with so few pages between the lowest and the highest an attacker "
			"could guess");
	/*
	 * A thousand draws of 2^28: the halves of the range get their share, or it is biased.
	 * Not of what was drawn, which can be a part of it.
	 */
	for (int i = 0, below = 0; i < LOADS; i++) {
		below +=
			page[i].start < HOST_PLACE_LOW + (HOST_PLACE_HIGH - HOST_PLACE_LOW) / 2;
		if (i == LOADS - 1)
			ok(below > LOADS / 3 && below < LOADS * 2 / 3,
			   "%d loads: both halves of the range are used alike", LOADS);
	}

	ok(mapped_as(page[0].ehdr, "r-xp"), "the image is readable and executable, private");
	ok(mapped_as(page[0].start + VDSO_TIME_PAGE * VDSO_STRIDE, "r--s"),
	   "the data page is readable and nothing else");
	ok(mapped_as(page[0].start + VDSO_RNG_PAGE * VDSO_STRIDE, "r--s"),
	   "so is that of the random number generator");

	for (int i = 0; i < LOADS; i++)
		vdso_unplace(&process_self, &page[i]);
	if (maps_read(&after, 0))
		bail_out("cannot read /proc/self/maps");
	for (size_t i = 0; i < before.count && i < after.count; i++)
		changed += before.range[i].start != after.range[i].start ||
			   (before.range[i].end != after.range[i].end &&
			    strcmp(before.range[i].name, "[heap]"));
	ok(!changed && before.count == after.count,
	   "nothing that was mapped before has been touched, and nothing is left over");

	ok(is_fixed(&image, &vvar),
	   "without address randomisation (setarch -R) it is always the "
	   "same place");
	ok(vdso_place(&(struct image){image.bytes, image.size - 100}, &vvar, false, false,
		      &page[0], &error) < 0 &&
		   strstr(error.why, "rule"),
	   "an image that breaks a rule is refused, and the rule is named");
	ok(vdso_place(&(struct image){image.bytes, 0}, &vvar, false, true, &page[0], &error) <
			   0 &&
		   strstr(error.why, "empty"),
	   "an empty image is refused, checked or not");
	if (maps_read(&before, 0))
		bail_out("cannot read /proc/self/maps");
	is(before.count, after.count, "a refusal leaves nothing mapped");
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
	return done_testing();
}
