/*
 * auxvec.c - see auxvec.h.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kernel/base/auxvec.h"
#include "kernel/base/error.h"
#include "kernel/base/proc.h"

int auxvec_read(struct auxvec *vec, pid_t pid)
{
	ssize_t got = proc_read(pid, "auxv", vec->pair, sizeof(vec->pair));

	if (got < 0)
		return (int)got;
	for (size_t i = 0; i < (size_t)got / sizeof(vec->pair[0]); i++) {
		if (vec->pair[i].a_type == AT_NULL) {
			vec->count = i + 1;
			return 0;
		}
	}
	return -EINVAL;
}

int auxvec_set(struct auxvec *vec, unsigned long type, unsigned long value)
{
	for (size_t i = 0; i + 1 < vec->count; i++) {
		if (vec->pair[i].a_type == type) {
			vec->pair[i].a_un.a_val = value;
			return 0;
		}
	}
	if (vec->count == AUXVEC_MAX)
		return -ENOSPC;
	memmove(vec->pair + 1, vec->pair, vec->count * sizeof(vec->pair[0]));
	vec->pair[0].a_type = type;
	vec->pair[0].a_un.a_val = value;
	vec->count++;
	return 0;
}

void auxvec_remove(struct auxvec *vec, unsigned long type)
{
	for (size_t i = 0; i + 1 < vec->count; i++) {
		if (vec->pair[i].a_type == type) {
			vec->count--;
			memmove(vec->pair + i, vec->pair + i + 1,
				(vec->count - i) * sizeof(vec->pair[0]));
			return;
		}
	}
}

unsigned long auxvec_get(const struct auxvec *vec, unsigned long type)
{
	for (size_t i = 0; i + 1 < vec->count; i++)
		if (vec->pair[i].a_type == type)
			return vec->pair[i].a_un.a_val;
	return 0;
}
