/*
 * counted.c - an image that counts its calls (kernel/image/counted.h): each call is counted, in
 * every thread, and passes its arguments on.
 *
 * The data pages are zeroed. So there is no counter, and what needs one makes the system call.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "kernel/image/counted.h"
#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"
#include "tap.h"

/* As much as an image and its data pages can need, on either side. */
#define ROOM (1 << 20)

#define THREADS 4
#define CALLS   20000

typedef int gettime_fn(clockid_t, struct timespec *);
typedef int gettimeofday_fn(struct timeval *, struct timezone *);

static struct counted counted;
static const volatile uint64_t *counters;
static gettime_fn *getres;

/* The place in the table of what a function of that name is; -1 if it is not there. */
static int number_of(const struct vdso_elf *elf, const char *name)
{
	const char *at = (const char *)vdso_elf_symbol(elf, name, VDSO_VERSION);

	for (size_t i = 0; at && i < counted.count; i++)
		if (at == (const char *)elf->base + counted.function[i].stub)
			return (int)i;
	return -1;
}

static void *ask(void *unused)
{
	struct timespec ts;

	for (int i = 0; i < CALLS; i++)
		getres(CLOCK_MONOTONIC, &ts);
	return unused;
}

int main(void)
{
	char *room = mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct image image = image_builtin();
	struct timespec resolution = {-1, -1}, before, now = {-1, -1}, after;
	struct timeval tv = {-1, -1};
	struct timezone tz = {-1, -1}, same = {-2, -2};
	int n_getres, n_gettime, n_timeofday;
	pthread_t thread[THREADS];
	struct vdso_elf elf;
	gettime_fn *gettime;

	if (room == MAP_FAILED)
		bail_out("no memory");
	if (counted_open(&counted, &image))
		bail_out("our image cannot be counted");
	room += ROOM - (uintptr_t)room % 65536;
	memcpy(room, counted.image.bytes, counted.image.size);
	__builtin___clear_cache(room, room + counted.image.size);
	counters = (const uint64_t *)(room + counted.image.size);
	if (vdso_elf_open(&elf, room, counted.image.size))
		bail_out("the counted image cannot be opened");

	n_getres = number_of(&elf, VDSO_NAME("clock_getres"));
	n_gettime = number_of(&elf, VDSO_NAME("clock_gettime"));
	n_timeofday = number_of(&elf, VDSO_NAME("gettimeofday"));
	if (!ok(n_getres >= 0 && n_gettime >= 0 && n_timeofday >= 0,
		"the functions are found where their stubs are"))
		return done_testing();
	for (size_t i = 0; i < counted.count; i++)
		if (strstr(counted.function[i].name, "sigreturn") ||
		    strstr(counted.function[i].name, "vsyscall"))
			bail_out("%s is counted", counted.function[i].name);

	getres = (gettime_fn *)vdso_elf_symbol(&elf, VDSO_NAME("clock_getres"), VDSO_VERSION);
	gettime = (gettime_fn *)vdso_elf_symbol(&elf, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	is(getres(CLOCK_MONOTONIC, &resolution), 0, "a function gets its arguments");
	is(resolution.tv_nsec, 0, "... and its answer is from the data page");
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &before);
	is(gettime(CLOCK_MONOTONIC, &now), 0, "another one gets its own");
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &after);
	ok(now.tv_sec >= before.tv_sec && now.tv_sec <= after.tv_sec, "... with its answer");
	is(gettime(-1000, NULL), -EINVAL, "an error is handed through");
	syscall(SYS_gettimeofday, NULL, &same);
	is(((gettimeofday_fn *)vdso_elf_symbol(&elf, VDSO_NAME("gettimeofday"), VDSO_VERSION))(
		   &tv, &tz),
	   0, "both arguments of gettimeofday() arrive");
	ok(tv.tv_sec > 1500000000 && tz.tz_dsttime == same.tz_dsttime, "... at their places");
	is(counters[n_getres], 1, "one call of the first is counted");
	is(counters[n_gettime], 2, "... two of the second");
	is(counters[n_timeofday], 1, "... and one of the third");

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, ask, NULL))
			bail_out("no thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	if (!is(counters[n_getres], 1 + THREADS * CALLS, "threads lose no count"))
		because("two may add to the counter at a time");

	/* On i386 a half has 32 bits, and the carry goes to the other. */
	*(volatile uint64_t *)&counters[n_getres] = 0xffffffff;
	getres(CLOCK_MONOTONIC, &resolution);
	ok(counters[n_getres] == 0x100000000, "it counts further than 2^32");
	counted_free(&counted);
	return done_testing();
}
