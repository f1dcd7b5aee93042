/*
 * start.c - what a program finds when it starts, as "key value" lines: a test compares
 * those of a plain start with those of a start by uvdso.
 *
 * An address differs from start to start, so what can be said of one is checked here and
 * printed as a verdict (check NAME yes). Lines of the kinds map, auxv and random are raw.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef PR_GET_AUXV
#	define PR_GET_AUXV 0x41555856
#endif

extern char **environ;

static void check(const char *name, int yes)
{
	printf("check %s %s\n", name, yes ? "yes" : "no");
}

/* A file of /proc, its NUL bytes as |. */
static void print_file(const char *key, const char *path)
{
	FILE *file = fopen(path, "re");
	int c;

	printf("%s ", key);
	while (file && (c = getc(file)) != EOF)
		putchar(c == 0 ? '|' : c == '\n' ? ' ' : c);
	putchar('\n');
	if (file)
		fclose(file);
}

static void print_lines(const char *key, const char *path, const char *prefix)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0)
		if (!strncmp(line, prefix, strlen(prefix)))
			printf("%s %s", key, line);
	free(line);
	if (file)
		fclose(file);
}

static void print_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char target[512];
		ssize_t length;

		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = 0;
		printf("fd %s %s\n", entry->d_name, target);
	}
	if (dir)
		closedir(dir);
}

/* The vector itself lies behind the environment. */
static const ElfW(auxv_t) * find_vector(char **env)
{
	while (*env)
		env++;
	return (const ElfW(auxv_t) *)(void *)(env + 1);
}

static void check_vector(const ElfW(auxv_t) * vector)
{
	ElfW(auxv_t) other[64];
	size_t size = 0;
	ssize_t got;
	int same = 1, fd;

	while (vector[size].a_type != AT_NULL) {
		const ElfW(auxv_t) *pair = &vector[size++];

		printf("auxv %lu %lx\n", (unsigned long)pair->a_type,
		       (unsigned long)pair->a_un.a_val);
		/* glibc answers these from its own knowledge of the CPU. */
		if (pair->a_type != AT_HWCAP && pair->a_type != AT_HWCAP2 &&
		    pair->a_type != AT_PLATFORM)
			same &= getauxval(pair->a_type) == pair->a_un.a_val;
	}
	size = (size + 1) * sizeof(*vector);
	check("getauxval-is-the-stack's", same);

	memset(other, 0, sizeof(other));
	fd = open("/proc/self/auxv", O_RDONLY | O_CLOEXEC);
	got = read(fd, other, sizeof(other));
	close(fd);
	check("proc-auxv-is-the-stack's", got == (ssize_t)size && !memcmp(other, vector, size));

	memset(other, 0, sizeof(other));
	got = prctl(PR_GET_AUXV, other, sizeof(other), 0, 0);
	if (got < 0)
		puts("check prctl-auxv-is-the-stack's unsupported");
	else
		check("prctl-auxv-is-the-stack's", !memcmp(other, vector, size));
}

/* AT_PHDR, AT_PHNUM, AT_ENTRY and AT_BASE against the file that AT_EXECFN names. */
static void check_headers(void)
{
	const ElfW(Phdr) *phdr = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	int fd = open((const char *)getauxval(AT_EXECFN), O_RDONLY | O_CLOEXEC);
	const char *base = (const char *)getauxval(AT_BASE);
	size_t count = getauxval(AT_PHNUM);
	unsigned long bias, has_interp = 0;
	ElfW(Phdr) file[32];
	ElfW(Ehdr) ehdr;

	memset(&ehdr, 0, sizeof(ehdr));
	memset(file, 0, sizeof(file));
	if (pread(fd, &ehdr, sizeof(ehdr), 0) == sizeof(ehdr) && ehdr.e_phnum <= 32)
		count = pread(fd, file, sizeof(file[0]) * ehdr.e_phnum, (off_t)ehdr.e_phoff) > 0
				? count
				: 0;
	close(fd);
	check("phnum-is-the-file's", count == ehdr.e_phnum);
	check("phdr-is-the-file's",
	      count == ehdr.e_phnum && !memcmp(phdr, file, count * sizeof(file[0])));
	bias = (unsigned long)phdr - ehdr.e_phoff;
	for (size_t i = 0; i < count && i < 32; i++) {
		if (file[i].p_type == PT_LOAD && file[i].p_offset == 0)
			bias -= file[i].p_vaddr;
		has_interp |= file[i].p_type == PT_INTERP;
	}
	check("bias-is-whole-pages", bias % (unsigned long)sysconf(_SC_PAGESIZE) == 0 &&
					     (ehdr.e_type == ET_DYN || bias == 0));
	check("entry-is-the-file's", getauxval(AT_ENTRY) == ehdr.e_entry + bias);
	check("base-is-the-interpreter's",
	      has_interp ? base && !memcmp(base, ELFMAG, SELFMAG) : !base);
}

static void print_limits(void)
{
	static const int resources[] = {RLIMIT_STACK, RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_AS};

	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
		struct rlimit limit = {0, 0};

		getrlimit(resources[i], &limit);
		printf("limit %d %llx %llx\n", resources[i], (unsigned long long)limit.rlim_cur,
		       (unsigned long long)limit.rlim_max);
	}
}

#ifdef __GLIBC__
extern const unsigned int __rseq_size __attribute__((weak));

static void check_rseq(void)
{
	if (&__rseq_size)
		check("glibc-registered-rseq", __rseq_size > 0);
}
#else
static void check_rseq(void)
{
}
#endif

int main(int argc, char **argv)
{
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	const char *image = (const char *)getauxval(AT_SYSINFO_EHDR);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char name[16] = "";
	void *volatile block = malloc(64); /* so that there is a heap */

	printf("argc %d\n", argc);
	for (int i = 0; i < argc; i++)
		printf("argv %s\n", argv[i]);
	check("argv-ends", argv[argc] == NULL);
	for (char **env = environ; *env; env++)
		printf("env %s\n", *env);

	check_vector(find_vector(environ));
	check_headers();
	printf("execfn %s\n", (const char *)getauxval(AT_EXECFN));
	printf("platform %s\n", (const char *)getauxval(AT_PLATFORM));
	check("page-size", getauxval(AT_PAGESZ) == (unsigned long)sysconf(_SC_PAGESIZE));
	check("ids", getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid() &&
			     getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
	check("not-secure", getauxval(AT_SECURE) == 0);
	check("image-is-elf", image && !memcmp(image, ELFMAG, SELFMAG));
	/* Right below: the last of our data pages; of the kernel's vDSO one of [vvar...]. */
	check("data-cannot-be-made-writable",
	      image && mprotect((void *)(image - page), page, PROT_READ | PROT_WRITE) < 0);
	printf("random ");
	for (int i = 0; i < 16; i++)
		printf("%02x", random[i]);
	putchar('\n');

	check_rseq();
	check("getcpu", sched_getcpu() >= 0);
	prctl(PR_GET_NAME, name, 0, 0, 0);
	printf("name %s\n", name);
	printf("prctl dumpable %d, slack %d, no-new-privileges %d, scheduler %d\n",
	       prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0),
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), sched_getscheduler(0));
	print_file("comm", "/proc/self/comm");
	print_file("cmdline", "/proc/self/cmdline");
	print_file("environ", "/proc/self/environ");
	/* Not SigQ, which counts the whole user's. */
	print_lines("signals", "/proc/self/status", "SigPnd");
	print_lines("signals", "/proc/self/status", "SigBlk");
	print_lines("signals", "/proc/self/status", "SigIgn");
	print_lines("signals", "/proc/self/status", "SigCgt");
	print_lines("signals", "/proc/self/status", "ShdPnd");
	print_lines("threads", "/proc/self/status", "Threads");
	print_limits();
	print_descriptors();
	printf("exe %s\n", realpath("/proc/self/exe", NULL));
	prctl(PR_SET_NAME, "renamed", 0, 0, 0);
	print_file("renamed", "/proc/self/comm");
	print_lines("map", "/proc/self/maps", "");
	free(block);
	return 0;
}
