/*
 * scan.h - which of some addresses does a stopped process have in its memory?
 *
 * A C library keeps what it has looked up in its data, perhaps write-protected since (RELRO),
 * or on the heap. So all private memory is searched that the process has written to: a page of
 * a file that is still as in the file, and one that was never touched, cannot hold an address
 * of this run, and /proc/PID/pagemap says which these are (Linux: admin-guide/mm/pagemap.rst).
 */
#ifndef KERNEL_PTRACE_SCAN_H
#define KERNEL_PTRACE_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct scan {
	const uintptr_t *address; /* 32 at most, in any order */
	unsigned count;
	uint32_t found; /* a bit for each; those that are set already are not looked for */
};

/*
 * Stops when all are found, and at 256 MiB, so that it takes a fraction of a second at most.
 * Small mappings come first. Returns whether what was not found is not there: false if it has
 * not seen everything.
 */
bool scan_memory(struct scan *scan, pid_t pid);

#endif
