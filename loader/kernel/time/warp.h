/*
 * warp.h - do the counters of all CPUs agree?
 *
 * Each CPU has a counter of its own, and a thread that moves from one to another must not find
 * an earlier count there. So two CPUs throw a ball to each other: who catches it reads the
 * counter, which must not be behind what the thrower has read, and throws it back. That finds
 * what a program could find, whose way from CPU to CPU is no shorter. The kernel looks in the
 * same way when it starts a CPU (arch/x86/kernel/tsc_sync.c).
 */
#ifndef KERNEL_TIME_WARP_H
#define KERNEL_TIME_WARP_H

#include <vdso/types.h>

/*
 * Compares one CPU's counter with that of each other one that this process may use. Returns
 * NULL if none is behind, else a constant sentence. Takes some 50 microseconds a CPU, and an
 * end in any case. For a process without threads that blocks signals; its CPUs are as before
 * afterwards.
 */
const char *warp_test(u64 (*counter)(void));

#endif
