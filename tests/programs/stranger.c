/*
 * stranger.c - a program of a tree with clocks of its own that attacks what such a tree has
 * more than others: slots for deadlines, a tracer that reads and writes where it is told,
 * and the desk at which clocks are changed.
 *
 * A line for each attack, "NAME OUTCOME": tests/attack/own-clocks.t has what they should be.
 * Each is made by a child; then the parent looks at its own clocks and waits:
 *
 *	denied REASON    refused, by the system or at the desk
 *	signal NUMBER    it was the end of the attacker
 *	itself           it worked, and nobody else sees anything of it
 *	everybody        ... and others see it
 *	absent           there is nothing of this kind
 *	jumped           a clock or a wait of the parent was wrong afterwards
 *
 *	stranger           all of them
 *	stranger flood     how much slower the tree gets by "flood": one number
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/clock/request.h"
#include "kernel/ptrace/time/time_calls.h"

#define PAGE  4096
#define SLOTS (512 << 10)
#define NSEC  1000000000ll

static char *slots;
static struct sockaddr_un desk = {.sun_family = AF_UNIX};
static socklen_t desk_length;
static pid_t tracer;
static char path[] = "/tmp/uvdso-stranger-XXXXXX";

static long long ns(const struct timespec *ts)
{
	return ts->tv_sec * NSEC + ts->tv_nsec;
}

static long long now(clockid_t clock)
{
	struct timespec ts = {0};

	clock_gettime(clock, &ts);
	return ns(&ts);
}

static void sleep_until(const struct timespec *deadline)
{
	syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, deadline, NULL);
}

/* A wait by a clock that is shifted, and what a system call says of that clock. */
static bool is_right(void)
{
	long long begin = now(CLOCK_MONOTONIC), until = now(CLOCK_REALTIME) + 20000000, took;
	struct timespec deadline = {until / NSEC, until % NSEC}, ts = {0};

	sleep_until(&deadline);
	took = now(CLOCK_MONOTONIC) - begin;
	if (took < 20000000 || took > 10 * NSEC)
		return false;
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
	return llabs(ns(&ts) - now(CLOCK_REALTIME)) < NSEC;
}

/* ---- the slots --------------------------------------------------------------------------- */
static int store(void)
{
	slots[0] = 1;
	return 0;
}

/* It is its own memory, after all: by what it has written there it is not known again. */
static int make_writable(void)
{
	struct timespec past = {1, 0};

	if (mprotect(slots, SLOTS, PROT_READ | PROT_WRITE))
		return errno;
	memset(slots, 0xff, SLOTS);
	sleep_until(&past);
	return 0;
}

static int unmap(void)
{
	struct timespec past = {1, 0};

	if (munmap(slots, SLOTS))
		return errno;
	sleep_until(&past);
	return 0;
}

/* In their place a file that it may only read: would the tracer write to it? */
static int map_file(int flags)
{
	struct timespec deadline = {1, 0};
	int fd = open(path, O_RDONLY);
	char *at = mmap(slots, SLOTS, PROT_READ, flags | MAP_FIXED, fd, 0);

	if (fd < 0 || at == MAP_FAILED)
		return errno;
	sleep_until(&deadline);
	return 0;
}

static int map_file_shared(void)
{
	return map_file(MAP_SHARED);
}

static int map_file_private(void)
{
	return map_file(MAP_PRIVATE);
}

/* ---- memory that the tracer has, and we have not ----------------------------------------- */
static int find_control(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "/dev/zero") || strstr(line, " rw-s "))
			return 0;
	return ENOENT;
}

/* ---- pointers: what the kernel says without a tracer, it says with one ------------------- */
static const uintptr_t nowhere[] = {
	0, 8, 0x7fffffffe000, 0xffff800000000000, 0xffffffffff600000, UINTPTR_MAX - 7};

static int ask_for_answers(void)
{
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	static const int ids[] = {CLOCK_REALTIME, CLOCK_TAI};
	const char *image = (const char *)getauxval(AT_SYSINFO_EHDR);

	munmap(page + PAGE, PAGE);
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		for (int id = 0; id < 2; id++)
			if (syscall(SYS_clock_gettime, ids[id], nowhere[i]) != -1 ||
			    errno != EFAULT)
				return EPROTO;
	/* Half of it is not there; or it may not be written to. */
	if (syscall(SYS_clock_gettime, CLOCK_REALTIME, page + PAGE - 8) != -1 ||
	    errno != EFAULT || syscall(SYS_clock_gettime, CLOCK_REALTIME, image) != -1 ||
	    errno != EFAULT || syscall(SYS_clock_gettime, CLOCK_REALTIME, slots) != -1 ||
	    errno != EFAULT)
		return EPROTO;
	return EFAULT;
}

static int ask_for_waits(void)
{
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	munmap(page + PAGE, PAGE);
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		if (syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, nowhere[i],
			    NULL) != -1 ||
		    errno != EFAULT)
			return EPROTO;
	if (syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, page + PAGE - 8,
		    NULL) != -1 ||
	    errno != EFAULT)
		return EPROTO;
	return EFAULT;
}

/* A deadline that another thread changes while it is read and converted. */
static struct timespec changing;
static volatile bool done;

static void *change(void *arg)
{
	while (!done) {
		changing.tv_nsec = -1;
		changing.tv_sec = 1;
		changing.tv_nsec = 5;
		changing.tv_sec = -1;
	}
	return arg;
}

static int race(void)
{
	pthread_t thread;
	int wrong = 0;

	if (pthread_create(&thread, NULL, change, NULL))
		return EAGAIN;
	for (int i = 0; i < 100; i++)
		if (syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &changing,
			    NULL) == -1 &&
		    errno != EINVAL)
			wrong = errno;
	done = true;
	pthread_join(thread, NULL);
	return wrong;
}

/*
 * Signals while calls are answered and waits are converted: so many storms for each wait. More
 * of them than a busy machine takes in would never let it go on.
 */
#define STORMS 2

static void ignore(int signal)
{
	(void)signal;
}

static void storm(pid_t victim, const _Atomic(int) *waits)
{
	static const int all[] = {SIGUSR1, SIGUSR1, SIGSTOP, SIGCONT};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int storms = 0;; usleep(100)) {
		if (storms >= STORMS * (*waits + 1))
			continue;
		/* Without a handler in between a wait is restarted. */
		for (size_t i = storms % 2 ? 2 : 0; i < sizeof(all) / sizeof(all[0]); i++)
			kill(victim, all[i]);
		storms++;
	}
}

static int signals(void)
{
	_Atomic(int) *waits =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent = getpid(), child = fork();
	int wrong = 0;

	if (child == 0)
		storm(parent, waits);
	for (; *waits < 50; ++*waits) {
		long long before = now(CLOCK_REALTIME);
		struct timespec ts = {before / NSEC, before % NSEC};

		ts.tv_nsec = ts.tv_nsec > 999800000 ? ts.tv_nsec : ts.tv_nsec + 200000;
		while (syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL) &&
		       errno == EINTR)
			;
		if (now(CLOCK_REALTIME) < ns(&ts))
			wrong = EPROTO;
		if (syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts) || ns(&ts) < before)
			wrong = EPROTO;
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return wrong;
}

/*
 * A filter of its own that stops calls in the name of the tree's: of clocks that are none of
 * the tree's, so that the tracer has no line for them.
 */
static int own_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_settime, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLOCK_REALTIME, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | TIME_CALLS_FILTER),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	static const int none[] = {CLOCK_THREAD_CPUTIME_ID, CLOCK_PROCESS_CPUTIME_ID};
	static const int nonsense[] = {12, 31, 32, 1 << 20, -1};
	struct timespec ts;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return errno;
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (syscall(SYS_clock_gettime, none[i], &ts) || ts.tv_sec < 0 || ts.tv_sec > 9)
			return EBADMSG;
		if (!syscall(SYS_clock_settime, none[i], &ts) || errno != EINVAL)
			return EBADMSG;
	}
	for (unsigned i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
		if (!syscall(SYS_clock_gettime, nonsense[i], &ts) || errno != EINVAL)
			return EBADMSG;
	return 0;
}

/* ---- the desk ---------------------------------------------------------------------------- */
static int visit(bool named)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};
	struct timeval patience = {0, 300000};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (named)
		bind(fd, (struct sockaddr *)&any, sizeof(any.sun_family));
	return fd;
}

/* Its answer: 0, or the error number that it says, or that of having none. */
static int say(int fd, const void *words, size_t size)
{
	int reply[512] = {0};
	ssize_t got;

	if (sendto(fd, words, size, 0, (struct sockaddr *)&desk, desk_length) < 0)
		return errno;
	/* An empty one before it asks whether we still wait. */
	do
		got = recv(fd, reply, sizeof(reply), 0);
	while (got == 0);
	return got < (ssize_t)(2 * sizeof(int)) ? ETIMEDOUT : -reply[1];
}

static int nonsense(void)
{
	static unsigned char bytes[70000];
	int fd = visit(true), lone = visit(false), last = 0;

	if (!desk_length)
		return ENOENT;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37 + 11);
	for (size_t size = 0; size < 400; size += 7)
		sendto(lone, bytes, size, MSG_DONTWAIT, (struct sockaddr *)&desk, desk_length);
	last = say(fd, bytes, 3);
	return last == ETIMEDOUT ? say(fd, bytes, sizeof(bytes)) : EPROTO;
}

/* A rate that no option takes, and a bool that is neither. */
static int nonsense_rates(void)
{
	struct clock_request request = {.version = CLOCK_REQUEST_VERSION};
	int fd = visit(true), first;

	if (!desk_length)
		return ENOENT;
	request.wish.has_rate = true;
	request.wish.rate = 1ull << 62;
	first = say(fd, &request, sizeof(request));
	request.wish.rate = CLOCK_RATE_ONE;
	memset(&request.wish.has_rate, 0xee, 1);
	return first == EINVAL ? say(fd, &request, sizeof(request)) : first;
}

static int forged(void)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control = {0};
	struct iovec part = {path, 8};
	struct msghdr message = {.msg_name = &desk,
				 .msg_namelen = desk_length,
				 .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	const struct ucred root = {getpid(), 0, 0};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (!desk_length)
		return ENOENT;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_CREDENTIALS;
	header->cmsg_len = CMSG_LEN(sizeof(root));
	memcpy(CMSG_DATA(header), &root, sizeof(root));
	return sendmsg(visit(true), &message, 0) < 0 ? errno : 0;
}

static int squat(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!desk_length)
		return ENOENT;
	return bind(fd, (struct sockaddr *)&desk, desk_length) ? errno : 0;
}

static void flood(void)
{
	static char bytes[256];
	int fd = visit(false);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&desk, desk_length);
}

/* Answers in a tenth of a second. */
static unsigned answers(void)
{
	long long end = now(CLOCK_MONOTONIC) + NSEC / 10;
	struct timespec ts;
	unsigned count = 0;

	for (; now(CLOCK_MONOTONIC) < end; count++)
		syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
	return count;
}

static void tell_flood(void)
{
	unsigned before = 0, after = 0, got;
	pid_t child;

	for (int i = 0; i < 5; i++)
		before = (got = answers()) > before ? got : before;
	child = fork();
	if (child == 0)
		flood();
	for (int i = 0; i < 5; i++)
		after = (got = answers()) > after ? got : after;
	kill(child, SIGKILL);
	printf("%.1f\n", after ? (double)before / after : 1e6);
}

/* ---- all of it --------------------------------------------------------------------------- */
static const struct {
	const char *name;
	int (*attack)(void);
} attacks[] = {
	{"slots-store", store},
	{"slots-mprotect", make_writable},
	{"slots-munmap", unmap},
	{"slots-shared-file", map_file_shared},
	{"slots-private-file", map_file_private},
	{"control", find_control},
	{"answer-pointers", ask_for_answers},
	{"deadline-pointers", ask_for_waits},
	{"deadline-race", race},
	{"stop-signals", signals},
	{"own-filter", own_filter},
	{"desk-nonsense", nonsense},
	{"desk-rates", nonsense_rates},
	{"desk-credentials", forged},
	{"desk-name", squat},
};

/* The memory after the image; the tracer by its number, its desk by its title. */
static void find_all(void)
{
	unsigned long image = getauxval(AT_SYSINFO_EHDR), start, end, last = 0;
	FILE *maps = fopen("/proc/self/maps", "re"), *status = fopen("/proc/self/status", "re");
	char line[512], title[256] = "", *at;
	FILE *cmdline;

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		if (start == last && end - start >= SLOTS && strstr(line, " r--p "))
			slots = (char *)start;
		if (start >= image && (start == image || start == last))
			last = end;
	}
	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "TracerPid: %d", &tracer);
	snprintf(line, sizeof(line), "/proc/%d/cmdline", tracer);
	cmdline = fopen(line, "re");
	if (cmdline && !fgets(title, sizeof(title), cmdline))
		title[0] = 0;
	at = strchr(title, '@');
	if (!at)
		return;
	strncpy(desk.sun_path + 1, at + 1, sizeof(desk.sun_path) - 2);
	desk_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(at));
}

static void attack(const char *name, int (*attack)(void))
{
	static const char zero[64];
	char bytes[64] = "";
	pid_t child = fork();
	int status = 0, fd;

	if (child == 0)
		_exit(attack());
	waitpid(child, &status, 0);
	fd = open(path, O_RDONLY);
	printf("%s ", name);
	if (read(fd, bytes, sizeof(bytes)) != sizeof(bytes) ||
	    memcmp(bytes, zero, sizeof(bytes)))
		puts("everybody");
	else if (!is_right())
		puts("jumped");
	else if (WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	else if (WEXITSTATUS(status) == ENOENT)
		puts("absent");
	else if (WEXITSTATUS(status))
		printf("denied %s\n", strerror(WEXITSTATUS(status)));
	else
		puts("itself");
	close(fd);
}

int main(int argc, char **argv)
{
	const struct rlimit none = {0, 0};
	int fd;

	setrlimit(RLIMIT_CORE, &none);
	setlinebuf(stdout);
	signal(SIGUSR1, ignore);
	find_all();
	if (argc > 1 && !strcmp(argv[1], "flood")) {
		tell_flood();
		return 0;
	}
	fd = mkstemp(path);
	if (fd < 0 || !slots || ftruncate(fd, SLOTS))
		return 2;
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
		attack(attacks[i].name, attacks[i].attack);
	unlink(path);
	return 0;
}
