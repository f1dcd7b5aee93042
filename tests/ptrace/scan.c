/*
 * scan.c - which of some addresses are found in a process that does not exist.
 *
 * Its list of mappings, its page map and its memory are what a test says: open(2) leads to the
 * former two, and traced_read() is the one here. trace-counts.t does it with real programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/base/page.h"
#include "kernel/ptrace/scan.h"
#include "kernel/ptrace/traced.h"
#include "tap.h"

#define NOBODY 1234567
#define BASE   0x10000000ul
#define MIB    (1ul << 20)

/* Of an entry of the page map. */
#define PRESENT     (1ull << 63)
#define SWAPPED     (1ull << 62)
#define OF_THE_FILE (1ull << 61)

/* What is looked for, and one that is nowhere. */
static const uintptr_t wanted[2] = {0x7f345678, 0x7f000010};

static struct {
	char maps[256];
	bool no_page_map;
	uint64_t entry; /* of all pages of the first mapping but one ... */
	size_t other;   /* ... which is this one, and has another */
	uint64_t other_entry;
	uintptr_t at;    /* where wanted[0] is */
	uintptr_t guard; /* a page that cannot be read, or 0 */
	int err;         /* what all reads fail with */
	size_t reads;
} p;

static int file_of(const char *text, size_t size, off_t at)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	if (fd < 0 || pwrite(fd, text, size, at) != (ssize_t)size)
		bail_out("no file in memory");
	return fd;
}

static int page_map(void)
{
	static uint64_t entries[8192];
	size_t count = sizeof(entries) / sizeof(entries[0]);
	int fd;

	for (size_t i = 0; i < count; i++)
		entries[i] = i == p.other ? p.other_entry : p.entry;
	fd = file_of((const char *)entries, sizeof(entries),
		     (off_t)(BASE / page_size() * sizeof(entries[0])));
	/* The rest was never touched. */
	if (ftruncate(fd, (off_t)(1ull << (sizeof(off_t) == 8 ? 40 : 30))))
		bail_out("no file in memory");
	return fd;
}

int open(const char *path, int flags, ...)
{
	char name[32] = "";
	va_list ap;
	int pid = 0, mode;

	if (sscanf(path, "/proc/%d/%31s", &pid, name) == 2 && pid == NOBODY) {
		if (!strcmp(name, "maps"))
			return file_of(p.maps, strlen(p.maps), 0);
		if (!strcmp(name, "pagemap") && !p.no_page_map)
			return page_map();
		errno = ENOENT;
		return -1;
	}
	va_start(ap, flags);
	mode = va_arg(ap, int);
	va_end(ap);
	return openat(AT_FDCWD, path, flags, mode);
}

int traced_read(pid_t pid, uintptr_t from, void *to, size_t size)
{
	if (pid != NOBODY)
		return -ESRCH;
	p.reads++;
	if (p.err)
		return p.err;
	if (p.guard && p.guard < from + size && p.guard + page_size() > from)
		return -EFAULT;
	memset(to, 0, size);
	if (p.at >= from && p.at - from < size)
		memcpy((char *)to + (p.at - from), &wanted[0], sizeof(wanted[0]));
	return 0;
}

static void one_mapping(size_t size, const char *kind)
{
	memset(&p, 0, sizeof(p));
	p.entry = p.other_entry = PRESENT;
	snprintf(p.maps, sizeof(p.maps), "%lx-%lx %s 00000000 00:00 0 [heap]\n", BASE,
		 BASE + size, kind);
}

static unsigned seen_all;

static unsigned scanned(unsigned count)
{
	struct scan scan = {.address = wanted, .count = count};

	seen_all = scan_memory(&scan, NOBODY);
	return scan.found;
}

/* The address is in a word of a page; other_entry is that page's. */
static bool finds_in_page(size_t page, size_t word, uint64_t entry)
{
	p.other = page;
	p.other_entry = entry;
	p.at = BASE + page * page_size() + word * sizeof(uintptr_t);
	return scanned(2) == 1;
}

static void test_words(void)
{
	size_t last = page_size() / sizeof(uintptr_t) - 1;

	one_mapping(64 * page_size(), "rw-p");
	ok(finds_in_page(0, 0, PRESENT), "the first word of a mapping is looked at");
	ok(finds_in_page(63, last, PRESENT) && seen_all, "... and the last");
	p.at = BASE + 65536 - sizeof(uintptr_t);
	is(scanned(1), 1, "... and the last one of what is read at once, for one address");
	p.at = 0;
	ok(scanned(2) == 0 && seen_all, "what is nowhere is not found, and that is known");
}

static void test_pages(void)
{
	one_mapping(64 * page_size(), "rw-p");
	ok(finds_in_page(7, 3, SWAPPED), "a page in swap is read");
	ok(!finds_in_page(7, 3, 0) && seen_all, "one that was never touched is not");
	ok(!finds_in_page(7, 3, PRESENT | OF_THE_FILE) && seen_all, "... or is as in its file");
	p.no_page_map = true;
	ok(finds_in_page(7, 3, 0), "without a page map all are read");
	one_mapping(64 * page_size(), "r--p");
	ok(finds_in_page(7, 3, PRESENT), "what is write-protected by now is read");
	one_mapping(64 * page_size(), "rw-s");
	ok(!finds_in_page(7, 3, PRESENT), "shared memory is not");
	one_mapping(64 * page_size(), "---p");
	ok(!finds_in_page(7, 3, PRESENT), "... and neither is what the program cannot read");
	one_mapping(64 * page_size(), "rw-p");
	p.guard = BASE + 5 * page_size();
	ok(finds_in_page(7, 3, PRESENT), "a guard page does not end the search");
	p.at = 0;
	ok(scanned(2) == 0 && seen_all, "... and holds nothing that was not seen");
}

static void test_limits(void)
{
	size_t size = 17 * MIB;

	one_mapping(size, "rw-p");
	ok(finds_in_page(size / page_size() - 1, 3, PRESENT), "large mappings are searched");
	one_mapping(300 * MIB, "rw-p");
	p.no_page_map = true;
	ok(scanned(2) == 0 && !seen_all, "... but not more than 256 MiB");
	snprintf(p.maps + strlen(p.maps), sizeof(p.maps) - strlen(p.maps),
		 "%lx-%lx rw-p 00000000 00:00 0\n", BASE + 400 * MIB, BASE + 401 * MIB);
	p.at = BASE + 400 * MIB;
	is(scanned(2), 1, "... and small ones before them");
	p.reads = 0;
	scanned(1);
	is(p.reads, 1, "... no further than to the last address");
	one_mapping(17ul << 30, "rw-p");
	p.entry = p.other_entry = 0;
	ok(scanned(2) == 0 && !seen_all, "of more than 16 GiB not even the page map");
}

static void test_failures(void)
{
	one_mapping(64 * page_size(), "rw-p");
	p.err = -EPERM;
	ok(scanned(2) == 0 && !seen_all, "what may not be read was not seen");
	p.maps[0] = 0;
	ok(scanned(2) == 0 && !seen_all, "a process that is gone was not seen");
}

int main(void)
{
	test_words();
	test_pages();
	if (sizeof(long) == 8)
		test_limits();
	test_failures();
	return done_testing();
}
