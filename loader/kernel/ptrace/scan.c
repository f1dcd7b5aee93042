/*
 * scan.c - see scan.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/page.h"
#include "kernel/base/proc.h"
#include "kernel/ptrace/scan.h"
#include "kernel/ptrace/traced.h"

/* The most that is read, and the most that is asked of pagemap: 16 GiB. */
#define MEMORY_MAX (256ul << 20)
#define PAGES_MAX  (4ul << 20)

/* What a C library keeps its addresses in is smaller. */
#define SMALL (16ul << 20)

/* An entry of pagemap. */
#define PRESENT     (1ull << 63)
#define SWAPPED     (1ull << 62)
#define OF_THE_FILE (1ull << 61) /* or shared */

struct walk {
	struct scan *scan;
	pid_t pid;
	int pagemap; /* or -errno, then every page may have been written */
	uintptr_t first, last;
	size_t memory, pages; /* what is left of the limits */
	bool complete;
};

static bool found_all(const struct scan *scan)
{
	return scan->found == (1ull << scan->count) - 1;
}

static void look_at_words(struct walk *walk, const uintptr_t *word, size_t words)
{
	struct scan *scan = walk->scan;

	for (size_t i = 0; i < words; i++) {
		if (word[i] < walk->first || word[i] > walk->last)
			continue;
		for (unsigned n = 0; n < scan->count; n++)
			if (word[i] == scan->address[n])
				scan->found |= 1u << n;
	}
}

/* What cannot be read at all (guard pages of stacks) does not hold anything. */
static void read_memory(struct walk *walk, uintptr_t start, size_t size)
{
	static uintptr_t word[8192];
	size_t unit = sizeof(word);

	while (size && !found_all(walk->scan)) {
		size_t part = size < unit ? size : unit;
		int err = part > walk->memory ? -E2BIG
					      : traced_read(walk->pid, start, word, part);

		if (err == -EFAULT && unit > page_size()) {
			unit = page_size(); /* some of its pages can */
			continue;
		}
		if (err && err != -EFAULT) {
			walk->complete = false;
			return;
		}
		if (!err)
			look_at_words(walk, word, part / sizeof(word[0]));
		walk->memory -= part;
		start += part;
		size -= part;
	}
}

/* Reads what has been written of so many pages, in as few pieces as there are. */
static void read_written(struct walk *walk, uintptr_t start, const uint64_t *entry,
			 size_t pages)
{
	size_t from = 0;

	for (size_t i = 0; i <= pages; i++) {
		if (i < pages && entry[i] & (PRESENT | SWAPPED) && !(entry[i] & OF_THE_FILE))
			continue;
		if (i > from)
			read_memory(walk, start + from * page_size(), (i - from) * page_size());
		from = i + 1;
	}
}

static void look_at_mapping(struct walk *walk, uintptr_t start, uintptr_t end)
{
	static uint64_t entry[4096];

	if (walk->pagemap < 0) {
		read_memory(walk, start, end - start);
		return;
	}
	while (start < end && !found_all(walk->scan)) {
		size_t most = sizeof(entry) / sizeof(entry[0]);
		size_t pages = (end - start) / page_size();
		off_t at = (off_t)(start / page_size() * sizeof(entry[0]));
		ssize_t got;

		if (pages > most)
			pages = most;
		got = pages > walk->pages
			      ? 0
			      : pread(walk->pagemap, entry, pages * sizeof(entry[0]), at);
		if (got < (ssize_t)sizeof(entry[0])) {
			walk->complete = false;
			return;
		}
		pages = (size_t)got / sizeof(entry[0]);
		read_written(walk, start, entry, pages);
		walk->pages -= pages;
		start += pages * page_size();
	}
}

/* All mappings that are small, or all that are not. Returns false if there is no list. */
static bool look_at_mappings(struct walk *walk, bool small)
{
	unsigned long start, end;
	char *line = NULL, kind[5];
	size_t size = 0;
	int fd = proc_open(walk->pid, "maps");
	FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");
	bool any = false;

	while (maps && getline(&line, &size, maps) > 0) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, kind) != 3)
			continue;
		any = true;
		if (kind[0] == 'r' && kind[3] == 'p' && (end - start <= SMALL) == small)
			look_at_mapping(walk, start, end);
	}
	free(line);
	if (maps)
		fclose(maps);
	else if (fd >= 0)
		descriptor_close(fd);
	return any;
}

bool scan_memory(struct scan *scan, pid_t pid)
{
	struct walk walk = {scan, pid, -1, UINTPTR_MAX, 0, MEMORY_MAX, PAGES_MAX, true};

	if (found_all(scan))
		return true;
	for (unsigned n = 0; n < scan->count; n++) {
		if (scan->address[n] < walk.first)
			walk.first = scan->address[n];
		if (scan->address[n] > walk.last)
			walk.last = scan->address[n];
	}
	walk.pagemap = proc_open(pid, "pagemap");
	/* The list of a process that has been killed is empty. */
	if (!look_at_mappings(&walk, true) || !look_at_mappings(&walk, false))
		walk.complete = false;
	if (walk.pagemap >= 0)
		descriptor_close(walk.pagemap);
	return walk.complete || found_all(scan);
}
