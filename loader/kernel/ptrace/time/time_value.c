/*
 * time_value.c - see time_value.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vdso/once.h>

#include "kernel/base/error.h"
#include "kernel/clock/clock_map.h"
#include "kernel/ptrace/time/time_value.h"
#include "kernel/ptrace/traced.h"

struct time_words time_words_of(enum time_layout layout, enum time_form form)
{
	bool is_long = layout == LAYOUT_TIMEVAL || layout == LAYOUT_ITIMERVAL ||
		       layout == LAYOUT_ZONE || layout == LAYOUT_SECONDS ||
		       layout == LAYOUT_UTIMES || layout == LAYOUT_UTIMBUF;
	bool two = layout == LAYOUT_ITIMERSPEC || layout == LAYOUT_ITIMERVAL ||
		   layout == LAYOUT_UTIMENS || layout == LAYOUT_UTIMES;
	bool small = form == FORM_32 || (form == FORM_32_TIME64 && is_long);

	return (struct time_words){
		.count = layout == LAYOUT_SECONDS ? 1
			 : two                    ? 4
						  : 2,
		.parts = is_long ? 1000000 : 1000000000,
		.size = small ? 4 : 8,
		.padded = form == FORM_32_TIME64 && !is_long,
	};
}

size_t time_words_bytes(const struct time_words *words, unsigned char bytes[TIME_VALUE_MAX])
{
	for (unsigned i = 0; i < words->count; i++) {
		s64 word = words->word[i];
		s32 half = word > INT32_MAX ? INT32_MAX : (s32)word;

		memcpy(bytes + i * words->size,
		       words->size == 4 ? (const void *)&half : (const void *)&word,
		       words->size);
	}
	return (size_t)words->count * words->size;
}

int time_words_read(struct time_words *words, pid_t pid, uintptr_t at)
{
	unsigned char bytes[TIME_VALUE_MAX];
	size_t size = (size_t)words->count * words->size;
	int err = traced_read(pid, at, bytes, size);

	/* EFAULT is the program's mistake. Any other error is ours, and may be gone already. */
	if (err && err != -EFAULT)
		err = traced_read(pid, at, bytes, size);
	for (unsigned i = 0; !err && i < words->count; i++) {
		s32 half;

		memcpy(&words->word[i], bytes + i * words->size, words->size);
		if (words->padded && i % 2)
			words->word[i] &= UINT32_MAX;
		if (words->size == 8)
			continue;
		memcpy(&half, bytes + i * words->size, sizeof(half));
		words->word[i] = half;
	}
	return err;
}

int time_words_write(const struct time_words *words, pid_t pid, uintptr_t at)
{
	unsigned char bytes[TIME_VALUE_MAX];
	size_t size = time_words_bytes(words, bytes);

	return traced_write(pid, at, bytes, size);
}

bool time_words_valid(const struct time_words *words, unsigned pair)
{
	const s64 *word = &words->word[2 * pair];

	return word[0] >= 0 && word[1] >= 0 && word[1] < words->parts;
}

s64 time_words_ns(const struct time_words *words, unsigned pair)
{
	const s64 *word = &words->word[2 * pair];
	s64 ns;

	if (__builtin_mul_overflow(word[0], (s64)NSEC_PER_SEC, &ns) ||
	    __builtin_add_overflow(ns, word[1] * ((s64)NSEC_PER_SEC / words->parts), &ns))
		return CLOCK_LATEST_NS;
	return ns;
}

void time_words_set(struct time_words *words, unsigned pair, s64 ns)
{
	words->word[2 * pair] = ns / (s64)NSEC_PER_SEC;
	words->word[2 * pair + 1] = ns % (s64)NSEC_PER_SEC / ((s64)NSEC_PER_SEC / words->parts);
}

int kernel_clock(clockid_t clock, s64 *ns)
{
	s64 time[2] = {0, 0};
#ifdef SYS_clock_gettime64
	int err = (int)syscall(SYS_clock_gettime64, clock, time);
#else
	int err = (int)syscall(SYS_clock_gettime, clock, time);
#endif
	if (err)
		return error_from("clock_gettime");
	*ns = time[0] * (s64)NSEC_PER_SEC + time[1];
	return 0;
}
