/*
 * auxvec.h - the auxiliary vector: how a new program is told where the page is.
 *
 * The vector is a list of (type, value) pairs behind the environment on the stack
 * of a new program, closed by AT_NULL (System V ABI, "Process Initialization";
 * getauxval(3)). We do not invent one: ours is the one that the kernel gave this
 * process, with the entries replaced that speak of the program and of the page.
 */
#ifndef KERNEL_BASE_AUXVEC
#define KERNEL_BASE_AUXVEC

#include <link.h>
#include <stddef.h>
#include <sys/types.h>

/* The kernel's own limit is below 50 pairs; more is not a vector. */
#define AUXVEC_MAX 64

struct auxvec {
	ElfW(auxv_t) pair[AUXVEC_MAX];
	size_t count; /* with AT_NULL */
};

/*
 * Reads the vector of a process from /proc/PID/auxv; pid 0 is this process. Returns 0 or
 * -errno: what open(2) says, -EINVAL if it has no end.
 */
int auxvec_read(struct auxvec *vec, pid_t pid);

/*
 * Gives an entry a new value; one that is not there is put first, where the kernel has
 * those of its vDSO. Returns 0, or -ENOSPC when the vector is full.
 */
int auxvec_set(struct auxvec *vec, unsigned long type, unsigned long value);

/* Takes an entry out, if it is there. */
void auxvec_remove(struct auxvec *vec, unsigned long type);

/* The value of an entry, or 0. */
unsigned long auxvec_get(const struct auxvec *vec, unsigned long type);

#endif
