/*
 * filetimes.c - the times of a file, set and asked for in every way there is.
 *
 *	filetimes FILE		makes FILE, and says for each way to ask how many seconds old it
 *				is: "new: WAY AGE". Then, for each way to set the times, what is
 *				shown of them: "WAY ACCESS MODIFICATION"
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

static const char *file;

/* Not every C library comes with the kernel's headers. */
struct own_statx {
	unsigned mask, rest[15];
	struct {
		long long sec;
		unsigned nsec, reserved;
	} time[4]; /* access, birth, change, modification */
	char more[256];
};

static void show(const char *way)
{
	struct stat status;

	if (stat(file, &status))
		printf("%s: %s\n", way, strerror(errno));
	else
		printf("%s %lld.%09ld %lld.%09ld\n", way, (long long)status.st_atim.tv_sec,
		       status.st_atim.tv_nsec, (long long)status.st_mtim.tv_sec,
		       status.st_mtim.tv_nsec);
}

static void show_age(const char *way, int failed, long long sec)
{
	/* The kernel writes the time of its last tick. */
	long long age = time(NULL) - sec;

	if (failed)
		printf("new: %s %s\n", way, strerror(errno));
	else
		printf("new: %s %lld\n", way, age < 0 || age > 20 ? age : 0);
}

/* One after the other: the call fills the structure. */
#define ASK(way, call, field)                            \
	do {                                             \
		int failed = (call);                     \
                                                         \
		show_age((way), failed, s.field.tv_sec); \
	} while (0)

static void ask(int fd)
{
	struct own_statx statx;
	struct stat s;
	int err;

	ASK("stat", stat(file, &s), st_mtim);
	ASK("lstat", lstat(file, &s), st_ctim);
	ASK("fstat", fstat(fd, &s), st_atim);
	ASK("fstatat", fstatat(AT_FDCWD, file, &s, 0), st_mtim);
#ifdef SYS_stat
	ASK("SYS_stat", (int)syscall(SYS_stat, file, &s), st_mtim);
	ASK("SYS_lstat", (int)syscall(SYS_lstat, file, &s), st_mtim);
#endif
	err = (int)syscall(SYS_statx, AT_FDCWD, file, 0, 0xfff, &statx);
	for (int i = 0; i < 4; i++)
		if (i != 1 || statx.mask & 0x800)
			show_age("statx", err, statx.time[i].sec);
	/* A file that was not born, in every kernel so far. */
	err = (int)syscall(SYS_statx, AT_FDCWD, "/proc/self/status", 0, 0xfff, &statx);
	if (!err && !(statx.mask & 0x800))
		printf("unborn: %lld.%09u\n", statx.time[1].sec, statx.time[1].nsec);
}

static void set(int fd)
{
	const struct timespec ns[2] = {{1000000000, 123456789}, {-5, 1}};
	const struct timespec omitted[2] = {{0, UTIME_OMIT}, {1500000000, 0}};
	const struct timespec bad[2] = {{0, 1000000000}, {0, 0}};
	const struct timeval us[2] = {{1100000000, 5}, {1200000000, 6}};
	const struct utimbuf seconds = {1300000000, 1400000000};
	struct stat s;

	utimensat(AT_FDCWD, file, ns, 0);
	show("utimensat");
	futimens(fd, omitted);
	show("omitted");
	printf("bad: %s\n", futimens(fd, bad) ? strerror(errno) : "taken");
	printf("bad address: %s\n",
	       syscall(SYS_utimensat, fd, NULL, (void *)8, 0) ? strerror(errno) : "taken");
	utimes(file, us);
	show("utimes");
	utime(file, &seconds);
	show("utime");
#ifdef SYS_utimes
	syscall(SYS_utimes, file, us);
	show("SYS_utimes");
	syscall(SYS_utime, file, &seconds);
	show("SYS_utime");
	syscall(SYS_futimesat, AT_FDCWD, file, us);
	show("SYS_futimesat");
#endif
	utime(file, NULL);
	ASK("utime", stat(file, &s), st_mtim);
	utimensat(AT_FDCWD, file, NULL, 0);
	ASK("utimensat", stat(file, &s), st_atim);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 2)
		return 2;
	file = argv[1];
	fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return 1;
	ask(fd);
	set(fd);
	return 0;
}
