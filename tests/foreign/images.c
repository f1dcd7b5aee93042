/*
 * images.c - the images of kernels on our data pages: that of the running one, those that `make
 * corpus` has fetched, or those that are named.
 *
 *	images [FILE...]        SANDWICHES=N: so many of each clock
 *
 * Each is the oracle of the other: what the table says of a layout was read in the kernel's
 * sources, and what the image reads is what its compiler has made of them. So the layout must
 * be found whatever the version note says, and with another value in any of its fields it must
 * not be taken for right. Then the image tells the time, and every answer lies between two
 * system calls: while the timekeeper runs, while it is stopped, and after its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <host.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <vdso/rng.h>

#include "kernel/base/auxvec.h"
#include "kernel/base/maps.h"
#include "kernel/foreign/patch.h"
#include "kernel/foreign/probe.h"
#include "kernel/image/elf_bytes.h"
#include "kernel/image/identity.h"
#include "kernel/image/image.h"
#include "tap.h"
#include "uvdso.h"

#define ATTEMPTS 3 /* on a machine that takes all CPUs away for a while */

/* A wait for what is due in milliseconds. */
#define PATIENCE_NS INT64_C(20000000000)

static long sandwiches = 5000;
static const char *name;
static bool has_counter;

#ifdef __aarch64__
#	define FUNCTION(name) "__kernel_" name
#else
#	define FUNCTION(name) "__vdso_" name
#endif

typedef int gettime_fn(clockid_t, int64_t ts[2]);
static gettime_fn *gettime;

static const struct {
	clockid_t id, fine;
	const char *name;
} clocks[] = {
	{CLOCK_REALTIME, -1, "REALTIME"},
	{CLOCK_MONOTONIC, -1, "MONOTONIC"},
	{CLOCK_BOOTTIME, -1, "BOOTTIME"},
	{CLOCK_TAI, -1, "TAI"},
	{CLOCK_MONOTONIC_RAW, -1, "MONOTONIC_RAW"},
	{CLOCK_REALTIME_COARSE, CLOCK_REALTIME, "REALTIME_COARSE"},
	{CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC, "MONOTONIC_COARSE"},
};
#define CLOCKS ((int)(sizeof(clocks) / sizeof(clocks[0])))

static int64_t last[CLOCKS];

static int64_t ns(const int64_t ts[2])
{
	return ts[0] * INT64_C(1000000000) + ts[1];
}

static int64_t system_call(clockid_t clock)
{
	int64_t ts[2] = {0, 0};

#ifdef SYS_clock_gettime64
	syscall(SYS_clock_gettime64, clock, ts);
#else
	syscall(SYS_clock_gettime, clock, ts);
#endif
	return ns(ts);
}

static int64_t ask(int which)
{
	int64_t ts[2] = {0, 0};

	gettime(clocks[which].id, ts);
	return ns(ts);
}

/*
 * How many answers lie outside, or before an earlier one. A coarse clock may be behind by any
 * time; that it goes on is looked at elsewhere.
 */
static int64_t back; /* how far a clock that nobody sets went back at most */

static bool can_be_set(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

static long outside(int which, int64_t shift, long rounds)
{
	clockid_t clock = clocks[which].fine < 0 ? clocks[which].id : clocks[which].fine;
	long wrong = 0;

	while (rounds-- > 0) {
		int64_t before = system_call(clock), answer = ask(which) - shift,
			after = system_call(clock);

		if ((clocks[which].fine < 0 && answer < before) || answer > after ||
		    answer < last[which])
			wrong++;
		if (last[which] - answer > back && !can_be_set(clocks[which].id))
			back = last[which] - answer;
		last[which] = answer;
	}
	return wrong;
}

static void all_inside(const char *when, const int64_t shift[CLOCKS], long rounds)
{
	for (int i = 0; i < CLOCKS; i++) {
		long wrong = 1;

		for (int tries = 0; wrong && tries < ATTEMPTS; tries++)
			wrong = outside(i, shift ? shift[i] : 0, rounds);
		if (!ok(wrong == 0, "%s: %s, %s, %ld sandwiches", name, clocks[i].name, when,
			rounds))
			but_got("%ld answers outside of the system calls around them", wrong);
	}
	/* Not a matter of luck: there is no second try. */
	if (!ok(back == 0, "%s: no clock goes back, %s", name, when))
		but_got("%lld ns", (long long)back);
	back = 0;
}

static bool boot(struct uvdso **vdso, const struct uvdso_options *options)
{
	char why[256];
	/* On i386 the wide one, which every kernel of the table has. */
	const char *wide =
		sizeof(long) == 4 ? FUNCTION("clock_gettime64") : FUNCTION("clock_gettime");

	if (uvdso_boot(vdso, options, why, sizeof(why))) {
		ok(false, "%s is booted", name);
		but_got("%s", why);
		return false;
	}
	gettime = (gettime_fn *)uvdso_symbol(*vdso, wide, NULL);
	memset(last, 0, sizeof(last));
	return ok(gettime != NULL, "%s is booted, and has %s", name, wide);
}

/* ---- the layout ---- */

static const struct foreign_layout *found;

static bool fits(const struct image *image, const struct foreign_layout *layout)
{
	bool no_namespace = false;

	return foreign_fits(image, layout, &no_namespace) == 1 && !no_namespace;
}

static bool has(const struct image *image, const char *function)
{
	return memmem(image->bytes, image->size, function, strlen(function)) != NULL;
}

/* Another value in one field of the layout. */
#define BENT(field, value)                                                            \
	do {                                                                          \
		struct foreign_layout bent = right;                                   \
                                                                                      \
		bent.field = value;                                                   \
		ok(!fits(image, &bent), "%s: another " #field " does not fit", name); \
	} while (0)

static void bend(const struct image *image)
{
	const struct foreign_layout right = *found;

	ok(fits(image, &right), "%s: its layout fits, that of Linux %s", name, right.name);
	BENT(pages, right.pages + 1);
	BENT(pages, right.pages - 1);
	BENT(time, right.time + 1);
	BENT(data, right.data + 8);
	BENT(size, right.size + 8);
	BENT(max_cycles, !right.max_cycles);
	BENT(tz, right.tz + 4);
	BENT(res, right.res + 4);
	if (right.timens >= 0)
		BENT(timens, right.timens + 1);
	if (has(image, FUNCTION("getrandom"))) {
		BENT(rng_data, right.rng_data + 8);
		BENT(rng, right.rng + 1);
		BENT(rng, -1);
	}
}

/* The note says another release; the image is what it is. */
static void misname(const struct image *image)
{
	static const uint32_t releases[] = {5 << 16 | 10 << 8, 6 << 16 | 12 << 8, 99 << 16};
	struct image_identity identity = image_identity(image);
	unsigned char *copy = malloc(image->size), *note;
	struct image other = {copy, image->size};
	struct error error;

	memcpy(copy, image->bytes, image->size);
	note = memmem(copy, image->size, "\4\0\0\0\0\0\0\0Linux\0\0\0", 16);
	if (!ok(note && !memcmp(note + 16, &identity.version, 4), "%s: its note is found",
		name)) {
		free(copy);
		return;
	}
	for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
		const struct foreign_layout *again = NULL;

		memcpy(note + 16, &releases[i], 4);
		ok(foreign_probe(&other, &again, &error) == 0 && again &&
			   !strcmp(again->name, found->name),
		   "%s: the same layout is found where the note says Linux %u.%u", name,
		   releases[i] >> 16, releases[i] >> 8 & 255);
	}
	free(copy);
}

/* ---- alternatives ---- */

static bool has_none(unsigned feature)
{
	(void)feature;
	return false;
}

static bool has_all(unsigned feature)
{
	(void)feature;
	return true;
}

static bool finds(const struct image *image, const char *code)
{
	return memmem(image->bytes, image->size, code, strlen(code)) != NULL;
}

static const char rdpid[] = "\xf3\x0f\xc7\xf8";

/* A section of an image; size 0 if it has none. */
static struct elf_section section_of(unsigned char *bytes, size_t size, const char *wanted)
{
	struct elf_bytes elf = elf_bytes_of(bytes, size);

	for (unsigned i = 0; i < elf_header(&elf).shnum; i++) {
		struct elf_section section = elf_section_at(&elf, i);
		const char *what = elf_section_name(&elf, &section);

		if (what && !strcmp(what, wanted))
			return section;
	}
	return (struct elf_section){0};
}

/* How often RDPID stands in the code; with forget it is taken out: the kernel put it there. */
static int rdpids(unsigned char *bytes, size_t size, bool forget)
{
	struct elf_section text = section_of(bytes, size, ".text");
	int found = 0;

	for (size_t i = 0; i + 4 <= text.size; i++) {
		unsigned char *at = bytes + text.offset + i;

		if (memcmp(at, rdpid, 4))
			continue;
		found++;
		if (forget)
			memset(at, 0x90, 4);
	}
	return found;
}

static void asked_for_cpu(unsigned char *copy, const struct image *image)
{
	memcpy(copy, image->bytes, image->size);
	rdpids(copy, image->size, true);
	foreign_patch(copy, image->size, has_none);
	is(rdpids(copy, image->size, false), 0, "%s: without RDPID no code uses it", name);
	foreign_patch(copy, image->size, has_all);
	is(rdpids(copy, image->size, false) > 0, finds(image, rdpid),
	   "%s: ... and with it some", name);
}

/* The first place of the table is far away. */
static void misdirected(unsigned char *copy, const struct image *image)
{
	struct elf_section table;

	memcpy(copy, image->bytes, image->size);
	table = section_of(copy, image->size, ".altinstructions");
	if (!ok(table.size >= 4, "%s: it has a table of alternatives", name))
		return;
	copy[table.offset + 3] ^= 0x10;
	is(foreign_patch(copy, image->size, has_all), 0,
	   "%s: one that makes no sense is not followed", name);
}

/* A counter that is read out of order is right in nearly every sandwich. */
static void patched(const struct image *image)
{
	unsigned char *copy = malloc(image->size);
	struct image other = {copy, image->size};

	if (HOST_MACHINE != EM_X86_64 && HOST_MACHINE != EM_386) {
		free(copy);
		return;
	}
	memcpy(copy, image->bytes, image->size);
	ok(foreign_patch(copy, image->size, has_none) > 0 &&
		   !finds(&other, "\x0f\x31\x90\x90\x90") &&
		   !finds(&other, "\x0f\x01\xf9\x90\x90") &&
		   !finds(&other, "\x0f\x01\xf9\x66\x90"),
	   "%s: without RDTSCP the counter is read behind a barrier everywhere", name);
	ok(foreign_patch(copy, image->size, has_all) > 0 &&
		   finds(&other, "\x0f\x01\xf9\x90\x90"),
	   "%s: ... and with it by that", name);
	asked_for_cpu(copy, image);
	misdirected(copy, image);
	free(copy);
}

/* ---- the time ---- */

static void random_numbers(const struct uvdso *vdso)
{
	ssize_t (*getrandom)(void *, size_t, unsigned, void *, size_t) =
		(void *)uvdso_symbol(vdso, FUNCTION("getrandom"), NULL);
	struct vgetrandom_opaque_params params = {0};
	static unsigned char state[4096] __attribute__((aligned(4096)));
	struct vgetrandom_state *known = (void *)state;
	unsigned char bytes[2][32] = {{0}};
	bool ready = false;

	if (!getrandom)
		return;
	getrandom(NULL, 0, 0, &params, ~(size_t)0);
	/* It is published with the next update. */
	for (int64_t begin = system_call(CLOCK_MONOTONIC);
	     !ready && system_call(CLOCK_MONOTONIC) - begin < PATIENCE_NS;) {
		memset(state, 0, sizeof(state));
		ready = getrandom(bytes[0], 32, 0, state, params.size_of_opaque_state) == 32 &&
			known->generation != 0;
	}
	ok(ready, "%s: getrandom() has a key of its own", name);
	ok(getrandom(bytes[1], 32, 0, state, params.size_of_opaque_state) == 32 &&
		   memcmp(bytes[0], bytes[1], 32) != 0,
	   "... and gives other bytes each time");
}

/* The slow faces of REALTIME. */
static void seconds(const struct uvdso *vdso, int64_t shift)
{
	long (*time)(long *) = (void *)uvdso_symbol(vdso, FUNCTION("time"), NULL);
	int (*gettimeofday)(void *, struct timezone *) =
		(void *)uvdso_symbol(vdso, FUNCTION("gettimeofday"), NULL);
	long tv[2] = {0, 0};
	struct timezone here = {-1, -1}, kernels = {-2, -2};
	int64_t before = system_call(CLOCK_REALTIME) / 1000000000, after;

	if (gettimeofday) {
		gettimeofday(tv, &here);
		after = system_call(CLOCK_REALTIME) / 1000000000;
		syscall(SYS_gettimeofday, NULL, &kernels);
		ok(before <= tv[0] - shift && tv[0] - shift <= after &&
			   here.tz_minuteswest == kernels.tz_minuteswest,
		   "%s: gettimeofday(), with the zone", name);
	}
	if (time) {
		long t = time(NULL);

		/* It is as old as a coarse clock: another second may have begun. */
		after = system_call(CLOCK_REALTIME) / 1000000000;
		ok(before - 1 <= t - shift && t - shift <= after, "%s: time()", name);
	}
}

/* A coarse clock goes on, without a timekeeper or with one. */
static bool coarse_goes_on(int which)
{
	int64_t from = ask(which), begin = system_call(CLOCK_MONOTONIC);

	while (ask(which) - from < 50000000)
		if (system_call(CLOCK_MONOTONIC) - begin > PATIENCE_NS)
			return false;
	return true;
}

static void both_coarse_go_on(const char *when)
{
	for (int i = 0; i < CLOCKS; i++)
		if (clocks[i].fine >= 0)
			ok(coarse_goes_on(i), "%s: %s goes on, %s", name, clocks[i].name, when);
}

/* Until all fine clocks are system calls: then the answer is the kernel's to the last digit. */
static void rest(void)
{
	nanosleep(&(struct timespec){0, 100000000}, NULL);
}

static void plain(const char *path)
{
	struct uvdso_options options = {.image = path};
	struct uvdso *vdso;
	pid_t timekeeper;

	if (!boot(&vdso, &options))
		return;
	has_counter = !uvdso_why_no_counter(vdso);
	all_inside("as it is", NULL, sandwiches);
	seconds(vdso, 0);
	random_numbers(vdso);
	timekeeper = uvdso_timekeeper(vdso);
	kill(timekeeper, SIGSTOP);
	rest();
	all_inside("its timekeeper is stopped", NULL, 1000);
	both_coarse_go_on("its timekeeper is stopped");
	kill(timekeeper, SIGCONT);
	all_inside("its timekeeper goes on", NULL, 1000);
	both_coarse_go_on("its timekeeper goes on");
	kill(timekeeper, SIGKILL);
	rest();
	all_inside("its timekeeper is gone", NULL, 1000);
	both_coarse_go_on("its timekeeper is gone");
	uvdso_shutdown(vdso);
}

static void shifted(const char *path)
{
	struct uvdso_options options = {.image = path};
	struct uvdso *vdso;
	int64_t shift[CLOCKS];

	/* It is refused: without_counter(). */
	if (!has_counter)
		return;
	options.offset[UVDSO_REALTIME] = 86400;
	options.offset[UVDSO_MONOTONIC] = 1000;
	options.offset[UVDSO_BOOTTIME] = 5000;
	options.offset[UVDSO_TAI] = -3600;
	if (!boot(&vdso, &options))
		return;
	for (int i = 0; i < CLOCKS; i++)
		shift[i] =
			INT64_C(1000000000) *
			(clocks[i].id == CLOCK_REALTIME || clocks[i].id == CLOCK_REALTIME_COARSE
				 ? 86400
			 : clocks[i].id == CLOCK_BOOTTIME ? 5000
			 : clocks[i].id == CLOCK_TAI      ? -3600
							  : 1000);
	all_inside("shifted", shift, 1000);
	seconds(vdso, 86400);
	uvdso_shutdown(vdso);
}

static void without_counter(const char *path)
{
	struct uvdso_options options = {.image = path, .no_counter = true};
	struct uvdso *vdso;
	char why[256] = "";

	if (!boot(&vdso, &options))
		return;
	all_inside("without a counter", NULL, 1000);
	both_coarse_go_on("without a counter");
	uvdso_shutdown(vdso);
	options.offset[UVDSO_REALTIME] = 86400;
	if (!ok(uvdso_boot(&vdso, &options, why, sizeof(why)) == -ENOEXEC &&
			strstr(why, "cannot be shifted"),
		"%s: an offset without a counter is refused", name)) {
		but_got("'%s'", why);
		because("the system calls of this image tell the kernel's time");
	}
}

static void test_image(const char *path)
{
	struct image image;
	struct error error = {0};

	if (image_read(path, &image)) {
		ok(false, "%s can be read", name);
		return;
	}
	if (!ok(foreign_probe(&image, &found, &error) == 0, "%s: a layout is found", name)) {
		but_got("%s", error.why);
		image_free(&image);
		return;
	}
	bend(&image);
	misname(&image);
	patched(&image);
	image_free(&image);
	plain(path);
	shifted(path);
	without_counter(path);
}

/* The running kernel's, as a file. False if there is none. */
static bool test_kernels(void)
{
	uintptr_t at = getauxval(AT_SYSINFO_EHDR);
	static struct maps maps;
	char path[32];
	int fd = memfd_create("kernel", 0);

	if (!at || maps_read(&maps, getpid()))
		return false;
	for (size_t i = 0; i < maps.count; i++)
		if (maps.range[i].start == at) {
			size_t size = maps.range[i].end - at;

			if (write(fd, (void *)at, size) != (ssize_t)size)
				return false;
			snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
			name = "the running kernel";
			test_image(path);
			close(fd);
			return true;
		}
	return false;
}

/* qemu-user has an image, too, and makes system calls in all of its functions. */
static bool is_kernels(const char *path)
{
	struct image_identity identity;
	struct image image;

	if (image_read(path, &image))
		return false;
	identity = image_identity(&image);
	image_free(&image);
	return identity.has_version;
}

static void test_cached(void)
{
	const char *cache = getenv("UVDSO_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
		   *home = getenv("HOME");
	char pattern[4096];
	glob_t files;

	snprintf(pattern, sizeof(pattern), "%s%s/corpus/*/%s.so",
		 cache  ? cache
		 : xdg  ? xdg
		 : home ? home
			: "",
		 cache ? ""
		 : xdg ? "/uvdso"
		       : "/.cache/uvdso",
		 HOST_CLASS == ELFCLASS64 ? HOST_NAME "-64" : HOST_NAME "-32");
	if (glob(pattern, 0, NULL, &files))
		return;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		name = strstr(files.gl_pathv[i], "/corpus/") + 8;
		if (is_kernels(files.gl_pathv[i]))
			test_image(files.gl_pathv[i]);
	}
	globfree(&files);
}

static bool known_machine(void)
{
	for (const struct foreign_layout *l = foreign_layouts; l->name; l++)
		if (l->machine == HOST_MACHINE)
			return true;
	return false;
}

int main(int argc, char *argv[])
{
	if (getenv("SANDWICHES"))
		sandwiches = atol(getenv("SANDWICHES"));
	if (!known_machine()) {
		skip(1, "nothing is known of the kernels of this machine");
		return done_testing();
	}
	for (int i = 1; i < argc; i++) {
		name = argv[i];
		test_image(argv[i]);
	}
	if (argc > 1)
		return done_testing();
	if (!test_kernels())
		skip(1, "the kernel has given us no vDSO");
	test_cached();
	return done_testing();
}
