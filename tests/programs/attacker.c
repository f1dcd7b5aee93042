/*
 * attacker.c - a program that attacks the vDSO it runs on, and the processes that keep it.
 *
 * A line for each attack, "NAME OUTCOME": tests/attack/program.t has what they should be. Each
 * is made by a child, since some end with a signal; then the parent looks at its own mapping,
 * which is of the same memory:
 *
 *	denied REASON    the system refused
 *	signal NUMBER    it was the end of the attacker
 *	itself           it worked, and nobody else sees anything of it
 *	everybody        it worked, and others see it
 *	absent           there is nothing of this kind
 *	possible         it worked on one of the attendants, which goes on
 *	its end          ... or does not
 *
 * Attacks on the timekeeper and the watchdog come after those on memory, the deadly ones last.
 * After each of these the clocks are held against the system call.
 */
#include <asm/unistd.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_COLD
#	define MADV_COLD    20
#	define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_WRITE
#	define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#	define MADV_COLLAPSE 25
#endif
#ifndef MADV_GUARD_INSTALL
#	define MADV_GUARD_INSTALL 102
#endif
#ifndef SYS_process_madvise
#	define SYS_process_madvise 440
#endif
#ifndef SYS_pidfd_getfd
#	define SYS_pidfd_getfd 438
#endif
#ifndef SYS_pidfd_open
#	define SYS_pidfd_open 434
#endif

#define PAGE 4096
#define MARK 16 /* bytes that an attack writes, */
#define WHERE                                                                           \
	4000 /* here in a page: all pages are zero there, or code that is never reached \
	      */
#define DESCRIPTORS 64

/* What is attacked: a page of data, or one of the image. */
static struct target {
	const char *name;
	char *at;
	size_t length; /* of its mapping */
	char before[MARK];
} targets[] = {{.name = "data"}, {.name = "image"}};

static pid_t keeper, watchdog;
static const char mark[MARK] = "written by me...";

/* ---- attacks on memory: 0, or an error number ------------------------------------------- */
static int put(char *at)
{
	memcpy(at + WHERE, mark, MARK);
	return 0;
}

static int store(char *at, size_t length)
{
	(void)length;
	return put(at);
}

static int make_writable(char *at, size_t length)
{
	return mprotect(at, length, PROT_READ | PROT_WRITE) ? errno : put(at);
}

/* Data that could be executed, or code that is not sealed. */
static int make_code(char *at, size_t length)
{
	return mprotect(at, length, PROT_READ | PROT_EXEC) ? errno : 0;
}

static int make_executable(char *at, size_t length)
{
	return mprotect(at, length, PROT_READ | PROT_WRITE | PROT_EXEC) ? errno : put(at);
}

static int pkey(char *at, size_t length)
{
	return syscall(SYS_pkey_mprotect, at, length, PROT_READ | PROT_WRITE, -1) ? errno
										  : put(at);
}

static int move(char *at, size_t length)
{
	char *to = mremap(at, length, length, MREMAP_MAYMOVE);

	return to == MAP_FAILED ? errno : 0;
}

/* mremap(2) of 0 bytes makes a second mapping of shared memory. */
static int duplicate(char *at, size_t length)
{
	(void)length;
	char *to = mremap(at, 0, PAGE, MREMAP_MAYMOVE);

	if (to == MAP_FAILED)
		return errno;
	return mprotect(to, PAGE, PROT_READ | PROT_WRITE) ? errno : put(to);
}

static int grow(char *at, size_t length)
{
	char *to = mremap(at, length, length + 64 * PAGE, MREMAP_MAYMOVE);

	if (to == MAP_FAILED)
		return errno;
	return mprotect(to, PAGE, PROT_READ | PROT_WRITE) ? errno : put(to);
}

static int replace(char *at, size_t length)
{
	if (munmap(at, length))
		return errno;
	return mmap(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		    -1, 0) == MAP_FAILED
		       ? errno
		       : put(at);
}

static int map_over(char *at, size_t length)
{
	return mmap(at, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
		    -1, 0) == MAP_FAILED
		       ? errno
		       : put(at);
}

static int remap_pages(char *at, size_t length)
{
	(void)length;
	if (syscall(SYS_remap_file_pages, at, PAGE, 0, 1, 0))
		return errno;
	return 0;
}

static int proc_mem(char *at, size_t length)
{
	(void)length;
	int fd = open("/proc/self/mem", O_RDWR);

	return fd < 0 || pwrite(fd, mark, MARK, (off_t)(uintptr_t)(at + WHERE)) != MARK ? errno
											: 0;
}

static int map_files(char *at, size_t length)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)at,
		 (unsigned long)at + length);
	fd = open(path, O_RDWR);
	if (fd < 0)
		return errno;
	if (pwrite(fd, mark, MARK, WHERE) == MARK)
		return 0;
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return at == MAP_FAILED ? errno : put(at);
}

static int vm_write(char *at, size_t length)
{
	(void)length;
	struct iovec from = {(void *)(uintptr_t)mark, MARK}, to = {at + WHERE, MARK};

	return process_vm_writev(getpid(), &from, 1, &to, 1, 0) == MARK ? 0 : errno;
}

/* The parent's, from outside. */
static int vm_write_parent(char *at, size_t length)
{
	(void)length;
	struct iovec from = {(void *)(uintptr_t)mark, MARK}, to = {at + WHERE, MARK};

	return process_vm_writev(getppid(), &from, 1, &to, 1, 0) == MARK ? 0 : errno;
}

/* A child of its own is traced, which has the same mapping. */
static int poke(char *at, size_t length)
{
	(void)length;
	pid_t child = fork();
	int err = 0, status;
	long word;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, &status, 0);
	memcpy(&word, mark, sizeof(word));
	if (ptrace(PTRACE_POKEDATA, child, at + WHERE, word))
		err = errno;
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return err;
}

static int read_into(char *at, size_t length)
{
	(void)length;
	int fd = open("/proc/self/exe", O_RDONLY);

	return read(fd, at + WHERE, MARK) == MARK ? 0 : errno;
}

static int direct_read_into(char *at, size_t length)
{
	(void)length;
	int fd = open("/proc/self/exe", O_RDONLY | O_DIRECT);

	return fd < 0 || read(fd, at, PAGE) <= 0 ? errno : 0;
}

static int kernel_writes(char *at, size_t length)
{
	(void)length;
	return syscall(SYS_getrandom, at + WHERE, MARK, 0) == MARK ? 0 : errno;
}

static int futex_writes(char *at, size_t length)
{
	(void)length;
	uint32_t word = 0;

	return syscall(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1, at + WHERE,
		       FUTEX_OP(FUTEX_OP_SET, 77, FUTEX_OP_CMP_EQ, 0)) < 0
		       ? errno
		       : 0;
}

static int user_faults(char *at, size_t length)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {
		{(uintptr_t)at, length}, UFFDIO_REGISTER_MODE_MISSING, 0};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */);
	struct uffdio_copy copy = {.dst = (uintptr_t)at, .src = (uintptr_t)mark, .len = PAGE};

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		return errno;
	return ioctl(fd, UFFDIO_COPY, &copy) ? errno : 0;
}

static int advise(char *at, size_t length, int advice)
{
	return madvise(at, length, advice) ? errno : 0;
}

#define ADVICE(name, advice)                       \
	static int name(char *at, size_t length)   \
	{                                          \
		return advise(at, length, advice); \
	}
ADVICE(advise_remove, MADV_REMOVE)
ADVICE(advise_dontneed, MADV_DONTNEED)
ADVICE(advise_free, MADV_FREE)
ADVICE(advise_wipe, MADV_WIPEONFORK)
ADVICE(advise_dontfork, MADV_DONTFORK)
ADVICE(advise_cold, MADV_COLD)
ADVICE(advise_pageout, MADV_PAGEOUT)
ADVICE(advise_populate, MADV_POPULATE_WRITE)
ADVICE(advise_collapse, MADV_COLLAPSE)
ADVICE(advise_merge, MADV_MERGEABLE)
ADVICE(advise_guard, MADV_GUARD_INSTALL)

/* ---- descriptors that have been forgotten ------------------------------------------------ */
/* A file in memory that is ours to write; any that leads there counts. */
static int forgotten(char *at, size_t length)
{
	char path[64], to[256];

	(void)at;
	(void)length;
	for (int fd = 0; fd < 1024; fd++) {
		ssize_t got;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		got = readlink(path, to, sizeof(to) - 1);
		to[got > 0 ? got : 0] = 0;
		if (strstr(to, "memfd:"))
			return 0;
	}
	return EBADF;
}

/* ---- attacks on the processes that keep it
 * -------------------------------------------------------- */
static int open_of(pid_t pid, const char *what, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	return open(path, flags | O_CLOEXEC);
}

static int keeper_mem(pid_t pid)
{
	return open_of(pid, "mem", O_RDWR) < 0 ? errno : 0;
}

static int keeper_maps(pid_t pid)
{
	char byte;
	int fd = open_of(pid, "maps", O_RDONLY);

	return fd < 0 || read(fd, &byte, 1) != 1 ? errno : 0;
}

/* Its descriptors, opened again: those of the data pages for writing. */
static int keeper_files(pid_t pid)
{
	char path[64];
	int last = EBADF;

	for (int n = 0; n < DESCRIPTORS; n++) {
		char to[256];
		ssize_t got;
		void *map;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, n);
		got = readlink(path, to, sizeof(to) - 1);
		to[got > 0 ? got : 0] = 0;
		if (got < 0 && errno != ENOENT)
			last = errno;
		if (!strstr(to, "memfd:"))
			continue;
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0) {
			last = errno;
			continue;
		}
		if (pwrite(fd, mark, MARK, WHERE) == MARK || !ftruncate(fd, 0) ||
		    !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE) ||
		    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) >= 0)
			return 0;
		map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			return put(map);
		last = errno;
	}
	return last;
}

static int keeper_getfd(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), last = EBADF;

	for (int n = 3; pidfd >= 0 && n < DESCRIPTORS; n++) {
		int fd = (int)syscall(SYS_pidfd_getfd, pidfd, n, 0);
		void *map;

		if (fd < 0) {
			if (errno != EBADF)
				last = errno;
			continue;
		}
		map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			return put(map);
		last = errno;
	}
	return last;
}

static int keeper_map_files(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	int last = ENOENT;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/map_files", pid);
	dir = opendir(path);
	if (!dir)
		return errno;
	while ((entry = readdir(dir))) {
		char to[256], file[512];
		ssize_t got;
		void *map;
		int fd;

		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		got = readlink(file, to, sizeof(to) - 1);
		to[got > 0 ? got : 0] = 0;
		if (got < 0 && errno != EINVAL)
			last = errno;
		if (!strstr(to, "memfd:vvar"))
			continue;
		fd = open(file, O_RDWR | O_CLOEXEC);
		map = fd < 0 ? MAP_FAILED
			     : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			return put(map);
		last = errno;
	}
	closedir(dir);
	return last;
}

static int keeper_trace(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0))
		return errno;
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	waitpid(pid, &status, __WALL);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return 0;
}

/* That an address is not mapped there is said only to a process that may look. */
static int keeper_read(pid_t pid)
{
	char byte;
	struct iovec to = {&byte, 1}, from = {&byte, 1};

	return process_vm_readv(pid, &to, 1, &from, 1, 0) < 0 && errno != EFAULT ? errno : 0;
}

static int keeper_write(pid_t pid)
{
	char byte = 0;
	struct iovec from = {&byte, 1}, to = {NULL, 1};

	return process_vm_writev(pid, &from, 1, &to, 1, 0) < 0 && errno != EFAULT ? errno : 0;
}

static int keeper_advise(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct iovec range = {NULL, 0};

	return syscall(SYS_process_madvise, pidfd, &range, 1, MADV_PAGEOUT, 0) < 0 ? errno : 0;
}

static int keeper_move_pages(pid_t pid)
{
	void *page = NULL;
	int status;

	return syscall(SYS_move_pages, pid, 1, &page, NULL, &status, 0) < 0 ? errno : 0;
}

static int keeper_compare(pid_t pid)
{
	return syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0) < 0 ? errno : 0;
}

static int keeper_count(pid_t pid)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_CPU_CLOCK};

	return syscall(SYS_perf_event_open, &attr, pid, -1, -1, 0) < 0 ? errno : 0;
}

static int keeper_oom(pid_t pid)
{
	int fd = open_of(pid, "oom_score_adj", O_WRONLY);

	return fd < 0 || write(fd, "0", 1) != 1 ? errno : 0;
}

static int keeper_group(pid_t pid)
{
	return setpgid(pid, getpgrp()) ? errno : 0;
}

static int keeper_wait(pid_t pid)
{
	int status;

	return waitpid(pid, &status, WNOHANG | __WALL) < 0 ? errno : 0;
}

/* What any process of the same user may do to another. */
static int keeper_limit(pid_t pid)
{
	struct rlimit none = {0, RLIM_INFINITY};

	for (int limit = 0; limit < RLIM_NLIMITS; limit++)
		if (limit != RLIMIT_CPU) {
			struct rlimit was;

			if (prlimit(pid, limit, NULL, &was))
				return errno;
			none.rlim_max = was.rlim_max;
			if (prlimit(pid, limit, &none, NULL))
				return errno;
		}
	return 0;
}

static int keeper_idle(pid_t pid)
{
	struct sched_param param = {0};
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	setpriority(PRIO_PROCESS, (id_t)pid, 19);
	if (sched_setaffinity(pid, sizeof(one), &one))
		return errno;
	return sched_setscheduler(pid, SCHED_IDLE, &param) ? errno : 0;
}

/* All signals that can be blocked, each many times. */
static int keeper_signals(pid_t pid)
{
	for (int turn = 0; turn < 20; turn++)
		for (int sig = 1; sig <= SIGRTMAX; sig++)
			if (sig != SIGKILL && sig != SIGSTOP && kill(pid, sig) &&
			    errno != EINVAL && errno != EAGAIN)
				return errno;
	return 0;
}

static int keeper_stop(pid_t pid)
{
	return kill(pid, SIGSTOP) ? errno : 0;
}

static int keeper_go_on(pid_t pid)
{
	return kill(pid, SIGCONT) ? errno : 0;
}

static int keeper_kill(pid_t pid)
{
	return kill(pid, SIGKILL) ? errno : 0;
}

/* CPU time that has been used up: SIGXCPU is blocked, and the hard limit is SIGKILL. */
static int keeper_cpu(pid_t pid)
{
	struct rlimit none = {0, 0};

	return prlimit(pid, RLIMIT_CPU, &none, NULL) ? errno : 0;
}

/* ---- the clocks after that --------------------------------------------------------------- */
static const clockid_t clocks[] = {
	CLOCK_REALTIME, CLOCK_MONOTONIC,       CLOCK_BOOTTIME,        CLOCK_MONOTONIC_RAW,
	CLOCK_TAI,      CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE};
#define CLOCKS    (sizeof(clocks) / sizeof(clocks[0]))
#define FINE      5        /* the first ones */
#define FINE_NS   100000   /* REALTIME is read twice, and may be slewed */
#define COARSE_NS 60000000 /* some ticks */
#define PATIENCE  8000

static int64_t by_vdso(clockid_t clock)
{
	struct timespec ts = {0};

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int64_t by_kernel(clockid_t clock)
{
	struct timespec ts = {0};

	syscall(SYS_clock_gettime, clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

/*
 * The fine clocks are always between two answers of the kernel. A coarse clock may be behind
 * for as long as timekeeper and watchdog wait for a CPU; one that stays behind stands still.
 * None goes back.
 */
static const char *clocks_now(int patience_ms)
{
	int64_t last[CLOCKS] = {0}, begin = by_kernel(CLOCK_MONOTONIC);
	static char wrong[64];
	bool late = true;

	for (int64_t now = begin; late || now < begin + 30000000;
	     now = by_kernel(CLOCK_MONOTONIC)) {
		late = false;
		for (size_t i = 0; i < CLOCKS; i++) {
			/* A coarse clock may be all that the fine one is, and no more. */
			clockid_t fine = i == FINE  ? CLOCK_REALTIME
					 : i > FINE ? CLOCK_MONOTONIC
						    : clocks[i];
			int64_t low = by_kernel(fine), got = by_vdso(clocks[i]),
				high = by_kernel(fine);
			bool is_late = got < low - (i < FINE ? FINE_NS : COARSE_NS);

			late |= i >= FINE && is_late;
			if (got >= last[i] && got <= high + FINE_NS &&
			    (i >= FINE || !is_late) &&
			    (!is_late || now < begin + patience_ms * 1000000ll)) {
				last[i] = got;
				continue;
			}
			snprintf(wrong, sizeof(wrong), "clock %d %s", (int)clocks[i],
				 got < last[i]    ? "goes back"
				 : !is_late       ? "is early"
				 : got == last[i] ? "stands still"
						  : "is late");
			return wrong;
		}
		usleep(1000);
	}
	return "right";
}

/* ---- all of it --------------------------------------------------------------------------- */
static const struct {
	const char *name;
	int (*attack)(char *at, size_t length);
	bool on_image; /* also there */
} on_memory[] = {
	{"store", store, true},
	{"mprotect", make_writable, true},
	{"mprotect-exec", make_executable, true},
	{"mprotect-read-exec", make_code, true},
	{"pkey_mprotect", pkey, true},
	{"mremap", move, true},
	{"mremap-duplicate", duplicate, true},
	{"mremap-grow", grow, true},
	{"munmap-mmap", replace, true},
	{"mmap-over", map_over, true},
	{"remap_file_pages", remap_pages, true},
	{"proc-mem", proc_mem, true},
	{"map_files", map_files, true},
	{"process_vm_writev", vm_write, true},
	{"process_vm_writev-parent", vm_write_parent, true},
	{"ptrace-poke", poke, true},
	{"read-into", read_into, true},
	{"direct-read-into", direct_read_into, true},
	{"getrandom-into", kernel_writes, true},
	{"futex-op", futex_writes, true},
	{"userfaultfd", user_faults, true},
	{"MADV_REMOVE", advise_remove, true},
	{"MADV_DONTNEED", advise_dontneed, true},
	{"MADV_FREE", advise_free, true},
	{"MADV_WIPEONFORK", advise_wipe, true},
	{"MADV_DONTFORK", advise_dontfork, true},
	{"MADV_COLD", advise_cold, true},
	{"MADV_PAGEOUT", advise_pageout, true},
	{"MADV_POPULATE_WRITE", advise_populate, true},
	{"MADV_COLLAPSE", advise_collapse, true},
	{"MADV_MERGEABLE", advise_merge, true},
	{"MADV_GUARD_INSTALL", advise_guard, true},
	{"descriptor", forgotten, false},
};

static const struct {
	const char *name;
	int (*attack)(pid_t pid);
	bool itself; /* by the program, of which it may be a child */
	bool halts;
} on_keepers[] = {
	{"mem", keeper_mem, false, false},
	{"maps", keeper_maps, false, false},
	{"fd", keeper_files, false, false},
	{"map_files", keeper_map_files, false, false},
	{"pidfd_getfd", keeper_getfd, false, false},
	{"process_vm_readv", keeper_read, false, false},
	{"process_vm_writev", keeper_write, false, false},
	{"process_madvise", keeper_advise, false, false},
	{"move_pages", keeper_move_pages, false, false},
	{"kcmp", keeper_compare, false, false},
	{"perf_event_open", keeper_count, false, false},
	{"oom_score_adj", keeper_oom, false, false},
	{"setpgid", keeper_group, true, false},
	{"wait", keeper_wait, true, false},
	{"ptrace", keeper_trace, false, false},
	{"signals", keeper_signals, false, false},
	{"sched", keeper_idle, false, true},
	{"stop", keeper_stop, false, true},
	{"cont", keeper_go_on, false, true},
};

static void find_targets(void)
{
	char *image = (char *)getauxval(AT_SYSINFO_EHDR), line[512];
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end;

	if (!image || !maps)
		exit(2);
	targets[1].at = image;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		if ((char *)start == image)
			targets[1].length = end - start;
		if (targets[0].at || (!strstr(line, "memfd:vvar") && !strstr(line, "[vvar]")))
			continue;
		targets[0].at = (char *)start;
		targets[0].length = end - start;
	}
	fclose(maps);
	if (!targets[0].at)
		exit(3);
	for (int i = 0; i < 2; i++)
		memcpy(targets[i].before, targets[i].at + WHERE, MARK);
}

static pid_t find(const char *name)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char want[64];
	pid_t pid = 0;

	snprintf(want, sizeof(want), "%s of %d", name, getpid());
	for (int turn = 0; !pid && turn < 4000; turn++, usleep(5000)) {
		rewinddir(proc);
		while (!pid && (entry = readdir(proc))) {
			char title[64] = "";
			int fd = open_of(atoi(entry->d_name), "cmdline", O_RDONLY);
			ssize_t got = fd < 0 ? -1 : read(fd, title, sizeof(title) - 1);

			if (fd >= 0)
				close(fd);
			title[got > 0 ? got : 0] = 0;
			/* The tracer's says where it can be asked, too. */
			if (!strncmp(title, want, strlen(want)) &&
			    strchr(" ", title[strlen(want)]))
				pid = atoi(entry->d_name);
		}
		/* On the kernel's vDSO there are none. */
		if (!pid && !strcmp(name, "uvdso-keeper") && !getenv("ATTACK_KEEPERS"))
			break;
	}
	closedir(proc);
	return pid;
}

static void tell(const char *of, const char *name, int status, bool changed)
{
	printf("%s-%s ", of, name);
	if (changed)
		puts("everybody");
	else if (WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		printf("denied %s\n", strerror(WEXITSTATUS(status)));
	else
		puts("itself");
	fflush(stdout);
}

static bool lives(pid_t pid)
{
	char state[256] = "";
	int fd = open_of(pid, "stat", O_RDONLY);
	ssize_t got = fd < 0 ? -1 : read(fd, state, sizeof(state) - 1);

	if (fd >= 0)
		close(fd);
	return got > 0 && !strstr(state, ") Z");
}

static bool is_changed(void)
{
	bool changed = false;

	for (int i = 0; i < 2; i++)
		changed |= memcmp(targets[i].before, targets[i].at + WHERE, MARK) != 0;
	return changed;
}

static void attack_memory(void)
{
	for (size_t i = 0; i < sizeof(on_memory) / sizeof(on_memory[0]); i++)
		for (int which = 0; which <= on_memory[i].on_image; which++) {
			pid_t child = fork();
			int status;

			if (child == 0)
				_exit(on_memory[i].attack(targets[which].at,
							  targets[which].length));
			waitpid(child, &status, 0);
			tell(targets[which].name, on_memory[i].name, status, is_changed());
		}
}

static void attack_keeper(pid_t pid, const char *of)
{
	for (size_t i = 0; i < sizeof(on_keepers) / sizeof(on_keepers[0]); i++) {
		int status = 0;
		pid_t child;

		if (!pid) {
			printf("%s-%s absent\n", of, on_keepers[i].name);
			continue;
		}
		/* A tracer that stands still is waited for by whoever forks. */
		if (on_keepers[i].halts && !strcmp(of, "follow"))
			continue;
		if (on_keepers[i].itself) {
			status = on_keepers[i].attack(pid) << 8;
		} else {
			child = fork();
			if (child == 0)
				_exit(on_keepers[i].attack(pid));
			waitpid(child, &status, 0);
		}
		if (is_changed())
			printf("%s-%s everybody\n", of, on_keepers[i].name);
		else if (!lives(keeper) || !lives(watchdog))
			printf("%s-%s its end\n", of, on_keepers[i].name);
		else if (status)
			printf("%s-%s denied %s\n", of, on_keepers[i].name,
			       strerror(WEXITSTATUS(status)));
		else
			printf("%s-%s possible\n", of, on_keepers[i].name);
		printf("clocks-after-%s-%s %s\n", of, on_keepers[i].name, clocks_now(PATIENCE));
	}
}

/*
 * Both at once leave nobody who could tell the readers: what stands still has done so for some
 * time, and there is no need to be patient.
 */
static void end_with(const char *name, int (*attack)(pid_t), pid_t first, pid_t second)
{
	if (!first) {
		printf("%s absent\n", name);
		return;
	}
	printf("%s %s\n", name,
	       attack(first) || (second && attack(second)) ? "denied" : "possible");
	if (second)
		usleep(200000);
	printf("clocks-after-%s %s\n", name,
	       clocks_now(second && attack != keeper_go_on ? 300 : PATIENCE));
}

/* Descriptors, processes and memory to their limits; the children hold the vDSO alive. */
static void flood(void)
{
	struct rlimit files = {4096, 4096}, processes = {200, 200}, memory = {1 << 30, 1 << 30};
	static pid_t child[100];
	unsigned forked = 0, opened = 0;
	size_t mapped = 0;

	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_NPROC, &processes);
	setrlimit(RLIMIT_AS, &memory);
	while (forked < 100 && (child[forked] = fork()) >= 0) {
		if (child[forked++])
			continue;
		while (dup(1) >= 0)
			;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	while (opened < 5000 && eventfd(0, 0) >= 0)
		opened++;
	while (mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) != MAP_FAILED &&
	       mapped < 256)
		mapped++;
	/* Processes are counted for the whole user, who may have as many already. */
	printf("flood %s\n", opened && mapped ? "possible" : "denied");
	printf("clocks-after-flood %s\n", clocks_now(PATIENCE));
	close(3);
	printf("keeper-after-flood %s\n", lives(keeper) && lives(watchdog) ? "lives" : "ended");
	for (unsigned i = 0; i < forked; i++)
		kill(child[i], SIGKILL);
}

/*
 * A hostile parent: while uvdso starts it tries again and again to open the data pages and to
 * map them writable. The attempts that were made in vain are said, too.
 */
static void be_parent(char **argv)
{
	unsigned won = 0, tried = 0, status_bad = 0;

	for (int turn = 0; turn < 8; turn++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			execv(argv[0], argv);
			_exit(99);
		}
		while (waitpid(child, &status, WNOHANG) == 0)
			for (int n = 3; n < 16; n++) {
				char path[64], to[128];
				ssize_t got;
				void *map;
				int fd;

				snprintf(path, sizeof(path), "/proc/%d/fd/%d", child, n);
				got = readlink(path, to, sizeof(to) - 1);
				to[got > 0 ? got : 0] = 0;
				tried += got < 0 && errno == EACCES;
				if (!strstr(to, "memfd:vvar"))
					continue;
				tried++;
				fd = open(path, O_RDWR | O_CLOEXEC);
				map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
					   0);
				won += map != MAP_FAILED;
				if (map != MAP_FAILED)
					munmap(map, PAGE);
				close(fd);
			}
		status_bad += status != 0;
	}
	printf("parent-fd %s\n", won ? "everybody" : tried ? "denied" : "absent");
	printf("parent-status %u\n", status_bad);
}

/* An environment that no shell would make. */
static void be_strange(char **argv)
{
	static char huge[100000], many[500][16];
	static char *envp[520] = {
		"A=1",
		"A=2",
		"",
		"=x",
		"no equals",
		"UVDSO_RUN=--follow",
		"UVDSO_IMAGE=/",
		"LD_BIND_NOW=1",
		"LD_PRELOAD=",
		"LD_PRELOAD=",
		"LD_AUDIT=",
		"LD_LIBRARY_PATH=/nowhere",
		"TZ=",
		"GLIBC_TUNABLES=",
	};
	size_t n = 14;

	memset(huge, 'x', sizeof(huge) - 1);
	memcpy(huge, "HUGE=", 5);
	envp[n++] = huge;
	for (int i = 0; i < 500; i++) {
		snprintf(many[i], sizeof(many[i]), "MANY%d=%d", i / 2, i);
		envp[n++] = many[i];
	}
	execve(argv[0], argv, envp);
	_exit(99);
}

/* What has arrived of it: FNV-1a over all bytes in their order. */
static void tell_environment(void)
{
	extern char **environ;
	uint64_t hash = 0xcbf29ce484222325ull;
	unsigned count = 0;

	for (; environ[count]; count++)
		for (const char *at = environ[count];; at++) {
			hash = (hash ^ (unsigned char)*at) * 0x100000001b3ull;
			if (!*at)
				break;
		}
	printf("environment %u %llx\n", count, (unsigned long long)hash);
}

int main(int argc, char **argv)
{
	const char *end = argc > 1 ? argv[1] : "";
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	if (!strcmp(end, "parent")) {
		be_parent(argv + 2);
		return 0;
	}
	if (!strcmp(end, "strange"))
		be_strange(argv + 2);
	if (!strcmp(end, "environment")) {
		tell_environment();
		return 0;
	}
	find_targets();
	keeper = find("uvdso-keeper");
	watchdog = keeper ? find("uvdso-watchdog") : 0;
	printf("clocks %s\n", clocks_now(PATIENCE));
	if (!strcmp(end, "kill")) {
		end_with("kill", keeper_kill, keeper, 0);
	} else if (!strcmp(end, "kill-watchdog")) {
		end_with("kill-watchdog", keeper_kill, watchdog, 0);
	} else if (!strcmp(end, "kill-both")) {
		end_with("kill-both", keeper_kill, watchdog, keeper);
	} else if (!strcmp(end, "cpu")) {
		end_with("cpu", keeper_cpu, keeper, 0);
	} else if (!strcmp(end, "prlimit")) {
		end_with("prlimit", keeper_limit, keeper, 0);
	} else if (!strcmp(end, "flood")) {
		flood();
	} else if (!strcmp(end, "follow")) {
		attack_keeper(find("uvdso-follow"), "follow");
	} else if (!strcmp(end, "stop-both")) {
		end_with("stop-both", keeper_stop, watchdog, keeper);
		end_with("cont-both", keeper_go_on, watchdog, keeper);
	} else {
		attack_memory();
		attack_keeper(keeper, "keeper");
		attack_keeper(watchdog, "watchdog");
	}
	return 0;
}
