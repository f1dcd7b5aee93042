/*
 * time_value.h - times as they lie in a program's memory, in the form of its machine.
 */
#ifndef KERNEL_PTRACE_TIME_VALUE_H
#define KERNEL_PTRACE_TIME_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <vdso/types.h>

#include "kernel/ptrace/time/time_calls.h"

/* The largest is an interval and a value, of two words of 64 bits each. */
#define TIME_VALUE_MAX 32

/* Two words, or four: seconds and a part of one, as they are there. */
struct time_words {
	s64 word[4];
	unsigned count;
	unsigned parts; /* so many are one second: nanoseconds, or microseconds */
	unsigned size;  /* of a word there */
	bool padded;    /* of the parts the kernel reads only the lower half */
};

/* How a time of this layout looks in this form. Not for LAYOUT_IN_..., TIMEX and SYSINFO. */
struct time_words time_words_of(enum time_layout layout, enum time_form form);

/* Return 0 or -errno. */
int time_words_read(struct time_words *words, pid_t pid, uintptr_t at);
int time_words_write(const struct time_words *words, pid_t pid, uintptr_t at);

/* Writes the bytes as they are to lie there, and returns how many. A time that is too large
 * becomes the largest.
 */
size_t time_words_bytes(const struct time_words *words, unsigned char bytes[TIME_VALUE_MAX]);

/* Is the time, a pair of words, one that the kernel would take? */
bool time_words_valid(const struct time_words *words, unsigned pair);

/* In nanoseconds: CLOCK_LATEST_NS if it is later. And back. */
s64 time_words_ns(const struct time_words *words, unsigned pair);
void time_words_set(struct time_words *words, unsigned pair, s64 ns);

/* What the kernel's clock says, by system call; -errno if there is none. */
int kernel_clock(clockid_t clock, s64 *ns);

#endif
