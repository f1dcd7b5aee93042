/*
 * questions.c - an image that gives wrong answers is not taken for one that fits.
 *
 * The images are made here: functions in a section of their own, which read a page below it as
 * the layout says, and each of which is wrong in one way. images.c asks those of kernels, which
 * are right.
 */
#include <string.h>
#include <unistd.h>
#include <machine.h>
#include <vdso/cycles.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/memfd.h"
#include "kernel/base/page.h"
#include "kernel/foreign/mirror.h"
#include "kernel/foreign/questions.h"
#include "tap.h"

#if __SIZEOF_LONG__ == 8

#	define END_MS 1000

/* That of the first kernels that had one for all machines: one page, and no namespaces. */
static const struct foreign_layout layout = {
	.name = "",
	.pages = 1,
	.time = 0,
	.timens = -1,
	.rng = -1,
	.data = 128,
	.size = 240,
	.tz = 224,
	.res = 232,
};

/* A structure of it. */
struct base {
	u32 seq;
	s32 mode;
	u64 last, mask;
	u32 mult, shift;
	struct {
		u64 sec, nsec;
	} clock[VDSO_BASES];
};

struct answer {
	s64 sec, nsec;
};

enum wrong {
	NOTHING,
	SECOND,
	LATER,
	EARLIER,
	OTHER_RATE,
	OTHER_BASE,
	NO_KERNEL,
	NO_WAIT,
	MICROSECOND,
	TIME_LATER,
	NOT_STORED,
	RESOLUTION,
	WRONG,
};

/* ---- the images: nothing in their section may refer to what is outside of it ------------ */

#	define IMAGE  __attribute__((section("image_code"), noinline, used))
#	define INLINE static inline __attribute__((always_inline))

extern const unsigned char __start_image_code[], __stop_image_code[];

/* The first structure. The empty asm is for compilers, which know what lies before a section.
 */
INLINE const unsigned char *first(void)
{
	const unsigned char *at = __start_image_code;

	__asm__("" : "+r"(at));
	return at - VDSO_SMALLEST_PAGE + 128;
}

INLINE u32 number(const struct base *base, enum wrong wrong)
{
	u32 seq = __atomic_load_n(&base->seq, __ATOMIC_ACQUIRE);

	while (seq & 1 && wrong != NO_WAIT)
		seq = __atomic_load_n(&base->seq, __ATOMIC_ACQUIRE);
	return seq;
}

INLINE void tell(s32 clock, struct answer *answer, enum wrong wrong)
{
	const struct base *base =
		(const void *)(first() +
			       (VDSO_BIT(clock) & VDSO_RAW && wrong != OTHER_BASE ? 240 : 0));
	u64 sec, nsec, delta;

	number(base, wrong);
	sec = base->clock[clock].sec;
	nsec = base->clock[clock].nsec;
	if (!(VDSO_BIT(clock) & VDSO_COARSE)) {
		if (base->mode == VDSO_CLOCKMODE_NONE && wrong != NO_KERNEL) {
			arch_syscall2(ARCH_NR_CLOCK_GETTIME, clock, (long)answer);
			return;
		}
		delta = arch_counter() - base->last;
		if ((s64)delta < 0)
			delta = 0;
		nsec = (delta * base->mult * (wrong == OTHER_RATE ? 2 : 1) + nsec) >>
		       base->shift;
		nsec += wrong == LATER;
		nsec -= wrong == EARLIER;
	}
	sec += wrong == SECOND;
	while (nsec >= NSEC_PER_SEC) {
		nsec -= NSEC_PER_SEC;
		sec++;
	}
	answer->sec = (s64)sec;
	answer->nsec = (s64)nsec;
}

/* All functions of one image. */
#	define AN_IMAGE(name, wrong)                                                       \
		static IMAGE int name##_gettime(int clock, struct answer *answer)           \
		{                                                                           \
			tell(clock, answer, wrong);                                         \
			return 0;                                                           \
		}                                                                           \
		static IMAGE int name##_gettimeofday(long tv[2], s32 tz[2])                 \
		{                                                                           \
			struct answer answer;                                               \
                                                                                            \
			tell(VDSO_CLOCK_REALTIME, &answer, wrong);                          \
			tv[0] = answer.sec;                                                 \
			tv[1] = (long)((u64)answer.nsec / 1000) + ((wrong) == MICROSECOND); \
			if (tz)                                                             \
				memcpy(tz, first() + 224, 8);                               \
			return 0;                                                           \
		}                                                                           \
		static IMAGE long name##_time(long *result)                                 \
		{                                                                           \
			const struct base *base = (const void *)first();                    \
			long now = (long)base->clock[VDSO_CLOCK_REALTIME].sec;              \
                                                                                            \
			now += (wrong) == TIME_LATER;                                       \
			if (result && (wrong) != NOT_STORED)                                \
				*result = now;                                              \
			return now;                                                         \
		}                                                                           \
		static IMAGE int name##_getres(int clock, long res[2])                      \
		{                                                                           \
			(void)clock;                                                        \
			res[0] = 0;                                                         \
			res[1] = *(const s32 *)(const void *)(first() + 232) +              \
				 ((wrong) == RESOLUTION);                                   \
			return 0;                                                           \
		}

AN_IMAGE(right, NOTHING)
AN_IMAGE(second, SECOND)
AN_IMAGE(later, LATER)
AN_IMAGE(earlier, EARLIER)
AN_IMAGE(rate, OTHER_RATE)
AN_IMAGE(other, OTHER_BASE)
AN_IMAGE(kernel, NO_KERNEL)
AN_IMAGE(wait, NO_WAIT)
AN_IMAGE(micro, MICROSECOND)
AN_IMAGE(seconds, TIME_LATER)
AN_IMAGE(store, NOT_STORED)
AN_IMAGE(resolution, RESOLUTION)

/* ---- what is asked --------------------------------------------------------------- */

typedef int gettime_fn(int, struct answer *);
typedef int gettimeofday_fn(long[2], s32[2]);
typedef long time_fn(long *);
typedef int getres_fn(int, long[2]);

#	define FUNCTIONS(name) name##_gettime, name##_gettimeofday, name##_time, name##_getres
static const struct {
	const char *what;
	gettime_fn *gettime;
	gettimeofday_fn *gettimeofday;
	time_fn *time;
	getres_fn *getres;
	const char *words;
} images[WRONG] = {
	{"is right in all", FUNCTIONS(right), ""},
	{"is a second ahead", FUNCTIONS(second), "shows"},
	{"is a nanosecond ahead", FUNCTIONS(later), "shows"},
	{"is a nanosecond behind", FUNCTIONS(earlier), "shows"},
	{"is twice as fast", FUNCTIONS(rate), "shows"},
	{"reads RAW where the others are", FUNCTIONS(other), "shows"},
	{"does not ask the kernel", FUNCTIONS(kernel), "shows"},
	{"does not wait", FUNCTIONS(wait), "does not wait"},
	{"is a microsecond ahead in gettimeofday()", FUNCTIONS(micro), "gettimeofday() shows"},
	{"is a second ahead in time()", FUNCTIONS(seconds), "time() shows"},
	{"does not store what time() returns", FUNCTIONS(store), "time() shows"},
	{"has another resolution", FUNCTIONS(resolution), "another resolution"},
};

static uint32_t offset_of(const void *function)
{
	return (uint32_t)((const unsigned char *)function - __start_image_code);
}

static struct answers ask(int which)
{
	size_t size = (size_t)(__stop_image_code - __start_image_code);
	struct answers answers = {.words = "nobody was asked"};
	struct attendant attendant = ATTENDANT_NONE;
	struct questions questions = {
		.layout = &layout,
		.function = {[GETTIME] = offset_of((void *)images[which].gettime),
			     [GETTIMEOFDAY] = offset_of((void *)images[which].gettimeofday),
			     [TIME] = offset_of((void *)images[which].time),
			     [GETRES] = offset_of((void *)images[which].getres)},
		.image_length = page_up(size),
		.image = memfd_sealable("image", page_up(size), MEMFD_CODE),
		.data = memfd_sealable("vvar", MIRROR_PAGES * VDSO_STRIDE, MEMFD_DATA),
	};

	if (pwrite(questions.image, __start_image_code, size, 0) != (ssize_t)size ||
	    questions.data < 0)
		bail_out("no files in memory");
	if (!attendant_start(&attendant, false, questions_ask, &questions)) {
		if (attendant_read(&attendant, &answers, sizeof(answers)))
			strcpy(answers.words, "it has ended the process that asks it");
		attendant_release(&attendant);
		attendant_wait(&attendant, END_MS);
		attendant_end(&attendant);
	}
	descriptor_close(questions.image);
	descriptor_close(questions.data);
	return answers;
}

static void test_all(void)
{
	if (page_size() != VDSO_SMALLEST_PAGE) {
		skip(1, "the images are for pages of 4096 bytes");
		return;
	}
	for (int i = 0; i < WRONG; i++) {
		struct answers answers = ask(i);

		if (!ok(answers.fits == (i == NOTHING) &&
				strstr(answers.words, images[i].words),
			"an image that %s %s", images[i].what,
			i == NOTHING ? "fits" : "does not fit"))
			but_got("%s: '%s'", answers.fits ? "it fits" : "it does not",
				answers.words);
	}
}

#else

static void test_all(void)
{
	skip(1, "the images are for 64 bits");
}

#endif

int main(void)
{
	test_all();
	return done_testing();
}
