/*
 * address.c - can the address of the vDSO be guessed? How many pages it is drawn from, and
 * whether each is as likely as any other, beside the kernel's own in the same run.
 *
 * The kernel draws once a start, so this starts itself many times (`address where`). Ours is
 * placed many times in one process, which draws each time, and some times by `uvdso run`.
 * Whether a distribution is even is asked with chi-square, and no luck decides: a fair one is
 * beyond the limit once in a thousand million runs.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/base/page.h"
#include "kernel/map/place.h"
#include "tap.h"

#define DRAWS   20000
#define STARTS  300
#define BY_RUN  24
#define BUCKETS 64
#define FAIR    6.0 /* standard deviations, one side: 1e-9 */

/* More than the kernel's usual ones is asked of nobody (vm.mmap_rnd_bits, SECURITY.md). */
#define BITS_ENOUGH 28.0

static uintptr_t ours[DRAWS], kernels[STARTS], by_run[BY_RUN];
static char uvdso[PATH_MAX + 8], self[PATH_MAX];

static int by_value(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return (x > y) - (x < y);
}

/* The address that a process of this program finds in its vector, started so. */
static uintptr_t found_by(char *const argv[])
{
	uintptr_t where = 0;
	int out[2], status;
	pid_t pid;

	if (pipe(out))
		bail_out("pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		execv(argv[0], argv);
		_exit(99);
	}
	close(out[1]);
	if (pid < 0 || read(out[0], &where, sizeof(where)) != sizeof(where))
		bail_out("%s does not say where its vDSO is", argv[0]);
	close(out[0]);
	waitpid(pid, &status, 0);
	return where;
}

/*
 * As many bits as there are pages from which was drawn: the distance of the outermost, and what
 * is missing of that at both ends on the average.
 */
static double bits(const uintptr_t *sorted, size_t n)
{
	double spread = (double)(sorted[n - 1] - sorted[0]) / (double)page_size();

	return log2(spread * (double)(n + 1) / (double)(n - 1) + 1);
}

/* How much further than FAIR a count of n in BUCKETS is from even; below 0: it is even. */
static double unfairness(const unsigned count[BUCKETS], size_t n)
{
	double chi = 0, want = (double)n / BUCKETS, df = BUCKETS - 1, third;

	for (unsigned i = 0; i < BUCKETS; i++)
		chi += (count[i] - want) * (count[i] - want) / want;
	/* Wilson and Hilferty: its cube root is all but normal. */
	third = cbrt(chi / df);
	return (third - (1 - 2 / (9 * df))) / sqrt(2 / (9 * df)) - FAIR;
}

static void is_fair(const unsigned count[BUCKETS], size_t n, const char *what)
{
	double beyond = unfairness(count, n);

	if (!ok(beyond < 0, "%s", what))
		diag("%.1f standard deviations from even, and %.1f is too far", beyond + FAIR,
		     FAIR);
}

/* In the order in which they were drawn: low digits, neighbours, and then the order itself. */
static void test_ours(void)
{
	unsigned low[BUCKETS] = {0}, high[BUCKETS] = {0}, pairs[BUCKETS] = {0};
	uintptr_t from = UINTPTR_MAX, to = 0, step;
	unsigned same = 0;

	for (size_t i = 0; i < DRAWS; i++) {
		from = ours[i] < from ? ours[i] : from;
		to = ours[i] > to ? ours[i] : to;
	}
	step = (to - from) / BUCKETS + 1;
	for (size_t i = 0; i < DRAWS; i++) {
		low[ours[i] / page_size() % BUCKETS]++;
		high[(ours[i] - from) / step]++;
		if (i % 2)
			pairs[(ours[i] - from) / step / 8 * 8 +
			      (ours[i - 1] - from) / step / 8]++;
	}
	is_fair(low, DRAWS,
		"the last six bits of the page are even: chi-square of 20000 draws");
	is_fair(high, DRAWS, "each 64th of the region is as likely as any other");
	is_fair(pairs, DRAWS / 2, "a draw says nothing of the next one");
	qsort(ours, DRAWS, sizeof(ours[0]), by_value);
	for (size_t i = 1; i < DRAWS; i++)
		same += ours[i] == ours[i - 1];
	/* From 2^28 pages there is one pair at most, as a rule. */
	cmp_ok(same, <=, 20, "hardly any address is drawn twice");
}

int main(int argc, char **argv)
{
	struct image image = image_builtin();
	struct vdso_files files;
	struct placement placed;
	char *where[] = {self, "where", NULL},
	     *run[] = {uvdso, "run", "--", self, "where", NULL};
	struct error error;
	struct vvar vvar;
	double of_kernel, of_ours;
	unsigned inside = 0;
	char *end;

	if (argc > 1) {
		uintptr_t address = getauxval(AT_SYSINFO_EHDR);

		return write(1, &address, sizeof(address)) != sizeof(address);
	}
	(void)argv;
	if (!realpath("/proc/self/exe", self))
		bail_out("/proc/self/exe: %s", strerror(errno));
	snprintf(uvdso, sizeof(uvdso), "%s", self);
	for (int up = 0; up < 3; up++)
		if ((end = strrchr(uvdso, '/')))
			*end = 0;
	strcat(uvdso, "/uvdso");

	if (vvar_create(&vvar) || vvar_map_writable(&vvar) || vvar_seal(&vvar))
		bail_out("no data page");
	/* One file for all: what is drawn is the place. */
	if (vdso_files_open(&files, &image, &vvar, false, &error))
		bail_out("%s", error.why);
	for (size_t i = 0; i < DRAWS; i++) {
		if (vdso_files_place(&process_self, &files, &placed, &error))
			bail_out("%s", error.why);
		ours[i] = placed.ehdr;
		vdso_unplace(&process_self, &placed);
	}
	test_ours();
	for (size_t i = 0; i < STARTS; i++)
		kernels[i] = found_by(where);
	qsort(kernels, STARTS, sizeof(kernels[0]), by_value);
	of_kernel = bits(kernels, STARTS);
	of_ours = bits(ours, DRAWS);
	diag("drawn from 2^%.2f pages; the kernel's from 2^%.2f", of_ours, of_kernel);
	cmp_ok(of_ours, >=, of_kernel < BITS_ENOUGH ? of_kernel : BITS_ENOUGH,
	       "there are as many places as for the kernel's vDSO");
	for (size_t i = 0; i < BY_RUN; i++) {
		by_run[i] = found_by(run);
		inside += by_run[i] >= ours[0] - (1ul << 32) &&
			  by_run[i] <= ours[DRAWS - 1] + (1ul << 32);
	}
	is(inside, BY_RUN, "`uvdso run` draws from the same region");
	qsort(by_run, BY_RUN, sizeof(by_run[0]), by_value);
	cmp_ok(bits(by_run, BY_RUN), >=, of_ours - 2, "... and from all of it");
	vdso_files_close(&files);
	vvar_drop_writable(&vvar);
	vvar_close_fd(&vvar);
	return done_testing();
}
