/*
 * calls.h - the calls whose cost is measured, and who can answer one.
 */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include "bench.h"

/* Whom to ask. state is for getrandom alone: each vDSO keeps its generator in one. */
struct target {
	void *fn; /* NULL: there is nobody */
	void *state;
	size_t state_size;
};

/* Makes so many calls of one function, through a pointer. argument is a clock or a length. */
typedef void loop_fn(const struct target *target, long argument, long calls);

struct call {
	const char *name;   /* in the CSV file */
	const char *title;  /* in the table */
	const char *symbol; /* in a vDSO */
	loop_fn *loop;
	long argument;
	void *system_call;
	bool counter; /* reads the counter, if there is one: has a floor */
};

/* A call and whom it goes to, for measure(): make_calls(struct asked *, how many). */
struct asked {
	const struct call *call;
	const struct target *target;
};
void make_calls(const void *asked, long calls);

extern const struct call plain_calls[], shifted_calls[], random_calls[];
extern const size_t nr_plain_calls, nr_shifted_calls, nr_random_calls;

/* A function of a vDSO. For getrandom this maps a state, which is kept to the end. */
struct target target_in(const struct vdso_elf *vdso, const struct call *call);
struct target target_system_call(const struct call *call);

/* The counter read by itself, as the vDSO reads it on this CPU. */
struct target target_floor(void);
const char *floor_instruction(void);

/* A clock by the system call, whatever the C library does. */
int64_t in_ns(struct timespec ts);
int64_t kernel_ns(clockid_t clock);

/* A function that does nothing: what it costs to call one in this loop. */
struct target target_empty(void);

#endif
