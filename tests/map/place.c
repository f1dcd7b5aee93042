/*
 * place.c - a vDSO is placed: where, over what, and what may be done with it there.
 *
 * The rules one by one, in the order in which a loader is written. What a kernel answers
 * only on a bad day is answered here by a process of our own making (process.h): its calls
 * are this one's, but for those that take addresses, which the test refuses or bends.
 * placement.c does it a thousand times, and protection.c tries all ways to write.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>

#include "kernel/base/maps.h"
#include "kernel/map/place.h"
#include "tap.h"

#define LOADS     8
#define MANY_ASKS 1000 /* more than anybody should need before giving up */

#ifdef SYS_mmap2 /* as in process.h */
#	define MMAP SYS_mmap2
#else
#	define MMAP SYS_mmap
#endif

/* A kernel's answers to who takes addresses, for these few: */
static struct {
	bool not_random; /* personality(2) says that randomisation is off */
	unsigned full;   /* so often: there is something already */
	bool refuses;    /* there is no memory, and will not be */
	unsigned old;    /* so often: an address of its own; MAP_FIXED_NOREPLACE is not known */

	unsigned asked;       /* how often it was asked for addresses */
	unsigned bent;        /* ... and gave others */
	unsigned back;        /* how many of those were unmapped again */
	uintptr_t other[8];   /* they themselves */
	uintptr_t taken, end; /* what it gave last */
	unsigned outside;     /* how often something was put elsewhere */
} kernel;

/* Asks the real one. Taken are addresses without rights; what is put over others must be there.
 */
static long ask(long nr, const long arg[6])
{
	uintptr_t at = (uintptr_t)arg[0], end = at + (uintptr_t)arg[1];
	long got;

	if (nr == MMAP && arg[2] != PROT_NONE && arg[3] & MAP_FIXED)
		kernel.outside += at < kernel.taken || end > kernel.end;
	got = process_self.call(&process_self, nr, arg);
	if (nr == MMAP && arg[2] == PROT_NONE && !process_failed(got)) {
		kernel.taken = (uintptr_t)got;
		kernel.end = kernel.taken + (uintptr_t)arg[1];
	}
	return got;
}

static long call(struct process *process, long nr, const long arg[6])
{
	long bent[6], got;

	(void)process;
	if (nr == SYS_personality && kernel.not_random)
		return ADDR_NO_RANDOMIZE;
	/* It may well give the same one again. */
	for (unsigned i = 0; nr == SYS_munmap && i < kernel.bent; i++) {
		if ((uintptr_t)arg[0] == kernel.other[i]) {
			kernel.back++;
			break;
		}
	}
	if (nr != MMAP || arg[2] != PROT_NONE || !(arg[3] & MAP_ANONYMOUS))
		return ask(nr, arg);
	if (++kernel.asked > MANY_ASKS)
		return -ENOMEM; /* so that this test comes to an end */
	if (!(arg[3] & MAP_FIXED_NOREPLACE))
		return ask(nr, arg);
	if (kernel.refuses)
		return -ENOMEM;
	if (kernel.asked <= kernel.full)
		return -EEXIST;
	if (kernel.asked > kernel.old)
		return ask(nr, arg);
	memcpy(bent, arg, sizeof(bent));
	bent[0] = 0;
	bent[3] &= ~MAP_FIXED_NOREPLACE;
	got = ask(nr, bent);
	kernel.other[kernel.bent++] = (uintptr_t)got;
	return got;
}

static struct process process = {.call = call};
static struct image image;
static struct vvar vvar;
static struct vdso_files files;

static struct error error; /* why there is no vDSO in this point, if there is none */

static int place(struct placement *page)
{
	return vdso_files_place(&process, &files, page, &error);
}

static void begin(void)
{
	memset(&kernel, 0, sizeof(kernel));
	error.why[0] = 0;
}

/* In the place of what else was got: true, and said, if there is no vDSO to speak of. */
static bool not_placed(void)
{
	if (error.why[0])
		but_got("no vDSO: %s", error.why);
	return error.why[0];
}

/* How the memory at an address is mapped, as /proc/self/maps says it. */
static const char *mapped_as(uintptr_t address)
{
	static char perms[5];
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	char line[512];

	strcpy(perms, "none");
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &start, &end, perms) == 3 && start <= address &&
		    address < end)
			break;
	if (maps)
		fclose(maps);
	return perms;
}

/* May it be written to, if one insists? 0 or the error. */
static int insist(uintptr_t address)
{
	return mprotect((void *)address, VDSO_STRIDE, PROT_READ | PROT_WRITE) ? errno : 0;
}

static void test_data(void)
{
	static const unsigned pages[] = {VDSO_TIME_PAGE, VDSO_RNG_PAGE};
	struct placement page;

	begin();
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		char perms[5] = "none";
		int err = 0;

		if (!place(&page)) {
			uintptr_t at = page.start + pages[i] * VDSO_STRIDE;

			strcpy(perms, mapped_as(at));
			err = insist(at);
			vdso_unplace(&process, &page);
		}
		if (!strcmp(perms, "r--s") && err == EACCES)
			continue;
		ok(false, "the data pages can be read, and written by no reader");
		expected("r--s, and that mprotect(2) refuses to make it writable");
		if (!not_placed())
			but_got("%s, and mprotect(2) says: %s", perms,
				err ? strerror(err) : "it is writable now");
		because("%s",
			!strcmp(perms, "---p")
				? "that is what reserve() has taken. The page goes over it, "
				  "with "
				  "MAP_FIXED: there it is right, since what it replaces is ours"
			: perms[3] == 'p'
				? "a private mapping is a copy as soon as somebody writes, or "
				  "asks to: then its clock stands still. What one process "
				  "writes and all others see is a shared mapping"
				: "one process keeps the time for all. Who may write here "
				  "tells the time to others");
		return;
	}
	ok(true, "the data pages can be read, and written by no reader");
}

static void test_image(void)
{
	char perms[5] = "none";
	struct placement page;
	bool whole = false;

	begin();
	if (!place(&page)) {
		strcpy(perms, mapped_as(page.ehdr));
		whole = page.ehdr == page.start + VDSO_NR_DATA_PAGES * VDSO_STRIDE &&
			!memcmp((void *)page.ehdr, image.bytes, 4);
		vdso_unplace(&process, &page);
	}
	if (ok(whole && !strcmp(perms, "r-xp"), "the image can be executed, and not written"))
		return;
	expected("r-xp, right above the data");
	if (!not_placed())
		but_got("%s, %s", perms,
			whole ? "right above the data" : "not where it belongs");
	because("%s",
		perms[1] == 'w'
			? "with memory that is writable and executable, one wrong store of a "
			  "program is enough to have it execute what somebody else has written"
		: perms[3] == 's'
			? "all processes would share it, so a debugger could not put a "
			  "breakpoint into one of them. A private mapping gives it a copy of "
			  "that page; the file is sealed, so nobody else can change it"
		: perms[2] != 'x'
			? "code that may not be executed is a SIGSEGV at its first call"
			: "at is the place of the image: right above the data");
}

static void test_seen(void)
{
	struct placement page = {0};
	unsigned seen = 0;

	begin();
	vvar.writable[0].data[0].mult = 0;
	if (!place(&page)) {
		vvar.writable[0].data[0].mult = 4711;
		seen = ((volatile struct vdso_data *)page.start)->mult;
		vdso_unplace(&process, &page);
	}
	if (is(seen, 4711, "what the timekeeper writes, a reader sees"))
		return;
	not_placed();
	because("the clock of a reader who does not see it stands still");
}

static void test_random(void)
{
	struct placement page[LOADS];
	unsigned different = 0;

	begin();
	for (unsigned i = 0; i < LOADS; i++) {
		bool new = true;

		if (place(&page[i]))
			break;
		/* Away before the next: nothing is in the way. */
		vdso_unplace(&process, &(struct placement){.start = page[i].start,
							   .length = page[i].length});
		for (unsigned j = 0; j < i; j++)
			new &= page[j].start != page[i].start;
		different += new;
	}
	if (cmp_ok(different, >=, LOADS - 2, "%d loads lie in at least %d places", LOADS,
		   LOADS - 2))
		return;
	if (!not_placed())
		diag("the last was at %#lx", (unsigned long)page[LOADS - 1].start);
	because("an attack that makes a program jump must know an address to jump to. Here is "
		"code, in every process, with system calls in it");
}

static void test_occupied(void)
{
	struct placement first = {0}, second = {0}, third = {0};
	bool alone = false, again = false;
	char *house;

	begin();
	/* Not at random, so that it is known where the next one wants to be. */
	kernel.not_random = true;
	if (!place(&first)) {
		struct placement where = first;

		vdso_unplace(&process, &first);
		house = mmap((void *)where.start, where.length, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		house[0] = 'x';
		if (!place(&second)) {
			alone = !strcmp(mapped_as(where.start), "rw-p") && house[0] == 'x' &&
				second.start != where.start;
			vdso_unplace(&process, &second);
		}
		munmap(house, where.length);
		if (!place(&third)) {
			again = third.start == where.start;
			vdso_unplace(&process, &third);
		}
	}
	if (ok(alone && again && !kernel.outside,
	       "what is mapped already is left alone, and another place found"))
		return;
	expected("a second place, and after the first is free again, the first");
	if (!not_placed())
		but_got("%s", !alone   ? "the vDSO, on top of what was there: it is lost"
			      : !again ? "a third place"
				       : "data or image outside of what reserve() has taken");
	because("%s",
		kernel.asked > MANY_ASKS ? "the same place was asked for again and again: "
					   "without randomness draw() "
					   "goes by the turn"
		: !alone ? "the library, the heap or the thread's stack that was there belongs "
			   "to "
			   "a program that crashes later, far from here"
		: again  ? "MAP_FIXED replaces whatever is there. That is right where *start "
			   "and "
			   "the length are what was taken, and nowhere else"
			 : "where setarch -R asks for no randomness (personality(2)), two runs "
			   "of a program must look alike");
}

static void test_old(void)
{
	struct placement page = {0};
	bool right;

	begin();
	kernel.old = 3;
	right = !place(&page) && kernel.asked == 4 && kernel.bent == 3 && kernel.back == 3;
	if (page.length)
		vdso_unplace(&process, &page);
	if (ok(right, "a kernel that gives another address gets it back, and is asked again"))
		return;
	expected("asked 4 times; of 3 other addresses, 3 given back");
	but_got("asked %u times; of %u other addresses, %u given back", kernel.asked,
		kernel.bent, kernel.back);
	because("before Linux 4.17, and in qemu-user, MAP_FIXED_NOREPLACE is not known and the "
		"address a mere wish. What comes back is then no error, and not yours");
}

static void test_full(void)
{
	struct placement page = {0};
	int err;

	begin();
	kernel.full = MANY_ASKS;
	err = place(&page);
	if (page.length)
		vdso_unplace(&process, &page);
	if (ok(err < 0 && kernel.asked < MANY_ASKS,
	       "where nothing is free, it says so after a while"))
		return;
	expected("an error, below 0, after asking less than %d times", MANY_ASKS);
	but_got("%s, after asking %u times", err ? strerror(-err) : "a vDSO", kernel.asked);
	because("%s",
		kernel.asked < MANY_ASKS
			? "0 says that *start is a place that is ours"
			: "a loop that ends when it is lucky is one that hangs when it is not");
}

static void test_refused(void)
{
	struct placement page = {0};
	int err;

	begin();
	kernel.refuses = true;
	err = place(&page);
	if (page.length)
		vdso_unplace(&process, &page);
	if (ok(err < 0 && kernel.asked == 1,
	       "an error other than \"something is there\" is the end"))
		return;
	expected("an error, after asking once");
	but_got("%s, after asking %u times", err ? strerror(-err) : "a vDSO", kernel.asked);
	because("where the kernel has no memory, or forbids it, it is no use to ask for "
		"another "
		"address. Only EEXIST means this place alone");
}

int main(void)
{
	image = image_builtin();
	if (vvar_create(&vvar) || vvar_map_writable(&vvar) || vvar_seal(&vvar))
		bail_out("no data page");
	if (vdso_files_open(&files, &image, &vvar, false, &error))
		bail_out("%s", error.why);
	test_data();
	test_image();
	test_seen();
	test_random();
	test_occupied();
	test_old();
	test_full();
	test_refused();
	vdso_files_close(&files);
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
	return done_testing();
}
