/*
 * files.c - hostile programs and interpreters: what the kernel's exec makes of a file with bent
 * headers, uvdso's makes of it as well, by the kernel and by hand.
 *
 * Each mutant is one of the programs of tests/programs/small.c with one to three changes in its
 * ELF header, its program headers or its length, or has such an interpreter. It follows from
 * its number alone:
 *
 *	files                 a sample, as `make test` does
 *	files 2000            that many, as `make attacks N=2000` does; from ATTACK_FIRST on
 *	files -k FILE 17      writes the mutant with that number to FILE, says what was changed
 *
 * What may differ is said in one place, the table reasons[]; each difference that is none of
 * these fails.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

#define SAMPLE    60
#define FILE_MAX  (256 << 10)
#define WAIT_MS   60000 /* for one start; a busy machine needs some of it */
#define CPU_LIMIT 2     /* seconds, for a mutant that goes round in circles */

#define EHDR_FIELD(name) #name, offsetof(ElfW(Ehdr), name), sizeof(((ElfW(Ehdr) *)0)->name)
#define PHDR_FIELD(name) #name, offsetof(ElfW(Phdr), name), sizeof(((ElfW(Phdr) *)0)->name)

static const struct field {
	const char *name;
	size_t at, size;
} ehdr_fields[] =
	{
		{EHDR_FIELD(e_type)},
		{EHDR_FIELD(e_machine)},
		{EHDR_FIELD(e_version)},
		{EHDR_FIELD(e_entry)},
		{EHDR_FIELD(e_phoff)},
		{EHDR_FIELD(e_shoff)},
		{EHDR_FIELD(e_flags)},
		{EHDR_FIELD(e_ehsize)},
		{EHDR_FIELD(e_phentsize)},
		{EHDR_FIELD(e_phnum)},
		{EHDR_FIELD(e_shnum)},
		{"e_ident[EI_CLASS]", EI_CLASS, 1},
		{"e_ident[EI_DATA]", EI_DATA, 1},
},
  phdr_fields[] = {
	  {PHDR_FIELD(p_type)},  {PHDR_FIELD(p_flags)}, {PHDR_FIELD(p_offset)},
	  {PHDR_FIELD(p_vaddr)}, {PHDR_FIELD(p_paddr)}, {PHDR_FIELD(p_filesz)},
	  {PHDR_FIELD(p_memsz)}, {PHDR_FIELD(p_align)},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A file in memory, and what was done to it. */
struct mutant {
	unsigned char bytes[FILE_MAX];
	size_t size;
	char what[1024];
	bool in_interpreter;
};

static struct {
	unsigned char bytes[FILE_MAX];
	size_t size;
} of_static, of_pie, of_static_pie;

/* ---- the mutants ------------------------------------------------------------------------ */
static uint64_t state;

/* xorshift64* */
static uint64_t draw(uint64_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull >> 16) % below;
}

__attribute__((format(printf, 2, 3))) static void note(struct mutant *m, const char *format,
						       ...)
{
	size_t length = strlen(m->what);
	va_list ap;

	va_start(ap, format);
	vsnprintf(m->what + length, sizeof(m->what) - length, format, ap);
	va_end(ap);
}

/* Values that have been somebody's mistake. */
static uint64_t odd_value(uint64_t was, uint64_t file_size)
{
	const uint64_t values[] = {
		0,
		1,
		2,
		3,
		7,
		8,
		16,
		0xff,
		0xfff,
		0x1000,
		0x1001,
		0x10000,
		was + 1,
		was - 1,
		was + 8,
		was - 8,
		was + 0x1000,
		was - 0x1000,
		was * 2,
		was / 2,
		file_size,
		file_size + 1,
		file_size - 1,
		file_size + 0x1000,
		1ull << 21,
		1ull << 30,
		1ull << 31,
		1ull << 32,
		1ull << 40,
		1ull << 46,
		(1ull << 47) - 0x1000,
		(1ull << 47) - 1,
		1ull << 47,
		1ull << 62,
		1ull << 63,
		-1ull,
		was ^ 1ull << draw(64),
		was ^ 1ull << draw(16),
		was ^ 1ull << draw(8),
		draw(1ull << 16),
		draw(1ull << 47),
	};

	return values[draw(COUNT(values))];
}

static void bend(struct mutant *m, size_t at, size_t size, const char *name)
{
	uint64_t was = 0, is;

	memcpy(&was, m->bytes + at, size);
	is = odd_value(was, m->size);
	memcpy(m->bytes + at, &is, size);
	is = 0;
	memcpy(&is, m->bytes + at, size);
	note(m, "%s %#" PRIx64 " -> %#" PRIx64 "; ", name, was, is);
}

static void change(struct mutant *m)
{
	const ElfW(Ehdr) *ehdr = (void *)m->bytes;
	static const unsigned types[] = {PT_NULL,      PT_LOAD,         PT_DYNAMIC,
					 PT_INTERP,    PT_NOTE,         PT_PHDR,
					 PT_GNU_STACK, PT_GNU_PROPERTY, PT_GNU_EH_FRAME};
	size_t headers = ehdr->e_phoff, number = ehdr->e_phnum, which;
	unsigned kind = (unsigned)draw(20);
	char name[64];

	if (kind < 4 || headers + number * sizeof(ElfW(Phdr)) > m->size || !number) {
		const struct field *field = &ehdr_fields[draw(COUNT(ehdr_fields))];

		bend(m, field->at, field->size, field->name);
		return;
	}
	which = draw(number);
	if (kind < 15) {
		const struct field *field = &phdr_fields[draw(COUNT(phdr_fields))];

		snprintf(name, sizeof(name), "%zu.%s", which, field->name);
		bend(m, headers + which * sizeof(ElfW(Phdr)) + field->at, field->size, name);
	} else if (kind < 17) {
		unsigned type = types[draw(COUNT(types))];

		memcpy(m->bytes + headers + which * sizeof(ElfW(Phdr)), &type, 4);
		note(m, "%zu.p_type = %#x; ", which, type);
	} else if (kind == 17) {
		size_t other = draw(number);
		ElfW(Phdr) a;

		memcpy(&a, m->bytes + headers + which * sizeof(a), sizeof(a));
		memcpy(m->bytes + headers + other * sizeof(a), &a, sizeof(a));
		note(m, "header %zu = header %zu; ", other, which);
	} else if (kind == 18) {
		m->size = draw(2) ? draw(m->size) : draw(m->size / 4096) * 4096;
		note(m, "%zu bytes long; ", m->size);
	} else {
		size_t at = draw(headers + number * sizeof(ElfW(Phdr)));

		bend(m, at, 1, "a byte");
	}
}

static void make_mutant(struct mutant *m, unsigned long seed)
{
	unsigned kind;

	state = seed * 0x9e3779b97f4a7c15ull + 1;
	for (int i = 0; i < 8; i++)
		draw(2);
	kind = (unsigned)draw(10);
	m->what[0] = 0;
	m->in_interpreter = kind >= 7;
	if (kind < 3) {
		m->size = of_static.size;
		memcpy(m->bytes, of_static.bytes, m->size);
		note(m, "static: ");
	} else if (kind < 5) {
		m->size = of_pie.size;
		memcpy(m->bytes, of_pie.bytes, m->size);
		note(m, "pie: ");
	} else {
		m->size = of_static_pie.size;
		memcpy(m->bytes, of_static_pie.bytes, m->size);
		note(m, m->in_interpreter ? "interpreter: " : "static-pie: ");
	}
	for (uint64_t changes = 1 + draw(3); changes > 0; changes--)
		change(m);
}

/* ---- a start and its outcome ------------------------------------------------------------ */
enum way { NATIVE, BY_KERNEL, BY_HAND, WAYS };
static const char *const way_name[] = {"the kernel", "uvdso --exec=kernel",
				       "uvdso --exec=hand"};

struct outcome {
	enum { REFUSED, RUN, SIGNAL, ODD } kind;
	bool started;    /* the kernel's: the program has begun */
	int number;      /* errno, exit status or signal */
	char said[4096]; /* what the program said, or uvdso */
};

static char uvdso[PATH_MAX + 8];

static void into(const char *name, const void *bytes, size_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || close(fd))
		bail_out("cannot write %s: %s", name, strerror(errno));
}

static size_t read_back(const char *name, char *bytes, size_t size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, bytes, size - 1);

	if (fd >= 0)
		close(fd);
	bytes[got > 0 ? got : 0] = 0;
	return got > 0 ? (size_t)got : 0;
}

static _Noreturn void become(enum way way, volatile int *failed)
{
	static char *argv[] = {"./program", "one", NULL}, *envp[] = {"A=b", NULL};
	const struct rlimit cpu = {CPU_LIMIT, CPU_LIMIT + 1}, none = {0, 0};
	const struct itimerval late = {.it_value.tv_sec = WAIT_MS / 2000};

	dup2(open("/dev/null", O_RDONLY), 0);
	dup2(open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
	dup2(open("err", O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_CPU, &cpu);
	/* One that waits for what never comes: it outlives execve(2). */
	setitimer(ITIMER_REAL, &late, NULL);
	if (way == NATIVE) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execve(argv[0], argv, envp);
		*failed = errno;
	} else {
		char *by[] = {
			"uvdso", "run",   way == BY_HAND ? "--exec=hand" : "--exec=kernel",
			"--",    argv[0], argv[1],
			NULL};

		execve(uvdso, by, envp);
		*failed = errno;
	}
	_exit(99);
}

/* Its end, or -1 after too long a time: it is killed. */
static int wait_for(pid_t pid, struct outcome *outcome, enum way way)
{
	static const struct timespec pause = {0, 200000};
	int status;

	for (long waited = 0;; waited++) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid && WIFSTOPPED(status)) {
			/* The first stop is the end of execve(2). */
			if (way == NATIVE && !outcome->started && WSTOPSIG(status) == SIGTRAP) {
				outcome->started = true;
				ptrace(PTRACE_DETACH, pid, 0, 0);
			} else {
				ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status));
			}
			continue;
		}
		if (got == pid)
			return status;
		if (got < 0 && errno != EINTR)
			bail_out("waitpid: %s", strerror(errno));
		if (waited > WAIT_MS * 5l) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
}

static struct outcome start(enum way way)
{
	static volatile int *failed;
	struct outcome outcome = {.kind = ODD};
	char err[4096];
	int status;
	pid_t pid;

	if (!failed)
		failed = mmap(NULL, sizeof(*failed), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*failed = 0;
	pid = fork();
	if (pid == 0)
		become(way, failed);
	if (pid < 0)
		bail_out("fork: %s", strerror(errno));
	status = wait_for(pid, &outcome, way);
	read_back("out", outcome.said, sizeof(outcome.said));
	read_back("err", err, sizeof(err));
	if (status < 0) {
		snprintf(outcome.said, sizeof(outcome.said), "it did not end");
	} else if (way == NATIVE && *failed) {
		outcome.kind = REFUSED;
		outcome.number = *failed;
	} else if (*failed) {
		bail_out("%s: %s", uvdso, strerror(*failed));
	} else if (WIFSIGNALED(status)) {
		outcome.kind = SIGNAL;
		outcome.number = WTERMSIG(status);
	} else if (way != NATIVE && *err) {
		/* A refusal is one sentence and its status; all else uvdso has no business to
		 * say. */
		outcome.number = WEXITSTATUS(status);
		if ((outcome.number == 126 || outcome.number == 127) && !*outcome.said &&
		    !strncmp(err, "uvdso: ", 7) && strchr(err, '\n') == err + strlen(err) - 1)
			outcome.kind = REFUSED;
		memcpy(outcome.said, err, sizeof(err));
	} else {
		outcome.kind = RUN;
		outcome.number = WEXITSTATUS(status);
	}
	return outcome;
}

static const char *words(struct outcome *o)
{
	static char text[2][4300];
	static int turn;
	char *t = text[turn ^= 1];

	for (char *end = o->said; (end = strchr(end, '\n'));)
		*end = ',';

	if (o->kind == SIGNAL)
		snprintf(t, sizeof(text[0]), "%s (%s)",
			 o->started ? "it starts and dies of a signal" : "a signal",
			 strsignal(o->number));
	else if (o->kind == REFUSED)
		snprintf(t, sizeof(text[0]), "refused: %s",
			 *o->said ? o->said : strerror(o->number));
	else
		snprintf(t, sizeof(text[0]), "status %d: %s", o->number, o->said);
	return t;
}

/* ---- what may differ -------------------------------------------------------------------- */
static bool late(const struct outcome *native, const struct outcome *ours)
{
	return native->kind == SIGNAL && !native->started && ours->kind == REFUSED;
}

static bool empty(const struct outcome *native, const struct outcome *ours)
{
	return native->kind == SIGNAL && native->started && native->number == SIGSEGV &&
	       ours->kind == REFUSED && strstr(ours->said, "no segment to load");
}

/* How a wild access ends depends on what else lies there. */
static bool wild(const struct outcome *native, const struct outcome *ours)
{
	return native->kind == SIGNAL && native->started && ours->kind == SIGNAL &&
	       (native->number == SIGSEGV || native->number == SIGBUS) &&
	       (ours->number == SIGSEGV || ours->number == SIGBUS);
}

static struct reason {
	const char *why;
	bool (*holds)(const struct outcome *native, const struct outcome *ours);
	unsigned long seen;
} reasons[] = {
	{"the kernel finds out after the old program is gone, and kills the process; uvdso "
	 "looks "
	 "at the file first, and says what is wrong with it",
	 late, 0},
	{"the kernel starts a program of which nothing is mapped, and its first instruction is "
	 "a "
	 "SIGSEGV; uvdso says that it has no segment",
	 empty, 0},
	{"both start it, and it dies of a wild access, of SIGSEGV or SIGBUS: the kernel's own "
	 "vvar "
	 "may lie in a hole between two segments, and ours lies elsewhere",
	 wild, 0},
};

static bool same(const struct outcome *a, const struct outcome *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == REFUSED)
		return true;
	return a->number == b->number && !strcmp(a->said, b->said);
}

static bool explained(const struct outcome *native, const struct outcome *ours)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].holds(native, ours)) {
			reasons[i].seen++;
			return true;
		}
	return false;
}

/* ---- all of them ------------------------------------------------------------------------ */
static struct {
	unsigned long refused, run, other, signal, late, differ[WAYS];
} seen;

/* A program that says the same as ever, or something else? */
static char usual[3][4096];

static void count(const struct outcome *native)
{
	if (native->kind == REFUSED)
		seen.refused++;
	else if (native->kind == SIGNAL && !native->started)
		seen.late++;
	else if (native->kind == SIGNAL)
		seen.signal++;
	else if (!strcmp(native->said, usual[0]) || !strcmp(native->said, usual[1]) ||
		 !strcmp(native->said, usual[2]))
		seen.run++;
	else
		seen.other++;
}

static void try(unsigned long seed)
{
	static struct mutant m;
	struct outcome native, ours;

	make_mutant(&m, seed);
	if (m.in_interpreter) {
		into("program", of_pie.bytes, of_pie.size);
		into("interpreter", m.bytes, m.size);
	} else {
		into("program", m.bytes, m.size);
		into("interpreter", of_static_pie.bytes, of_static_pie.size);
	}
	native = start(NATIVE);
	if (native.kind == ODD)
		bail_out("mutant %lu hangs in the kernel's hands: %s", seed, m.what);
	count(&native);
	for (enum way way = BY_KERNEL; way < WAYS; way++) {
		ours = start(way);
		if (same(&native, &ours) || explained(&native, &ours))
			continue;
		seen.differ[way]++;
		diag("mutant %lu, %s\n  %s: %s\n  %s: %s", seed, m.what, way_name[NATIVE],
		     words(&native), way_name[way], words(&ours));
	}
}

static void load(const char *build, const char *kind, unsigned char *bytes, size_t *size)
{
	char path[PATH_MAX + 64];
	int fd;
	ssize_t got;

	snprintf(path, sizeof(path), "%s/tests/programs/small.%s", build, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, bytes, FILE_MAX);
	if (got <= 0 || got == FILE_MAX)
		bail_out("cannot read %s", path);
	close(fd);
	*size = (size_t)got;
}

static void unmutated(void)
{
	static const char *const name[] = {"static", "pie", "static-pie"};

	for (int i = 0; i < 3; i++) {
		struct outcome outcome[WAYS];

		if (i == 0)
			into("program", of_static.bytes, of_static.size);
		else if (i == 1)
			into("program", of_pie.bytes, of_pie.size);
		else
			into("program", of_static_pie.bytes, of_static_pie.size);
		into("interpreter", of_static_pie.bytes, of_static_pie.size);
		for (enum way way = NATIVE; way < WAYS; way++)
			outcome[way] = start(way);
		memcpy(usual[i], outcome[NATIVE].said, sizeof(usual[i]));
		if (!ok(outcome[NATIVE].kind == RUN &&
				same(&outcome[NATIVE], &outcome[BY_KERNEL]) &&
				same(&outcome[NATIVE], &outcome[BY_HAND]),
			"%s, as it is, says the same three times", name[i]))
			for (enum way way = NATIVE; way < WAYS; way++)
				diag("%s: %s", way_name[way], words(&outcome[way]));
	}
}

static char directory[PATH_MAX];

static void leave(void)
{
	static const char *const names[] = {"program", "interpreter", "out", "err"};

	for (size_t i = 0; i < COUNT(names); i++)
		unlink(names[i]);
	if (!chdir("/"))
		rmdir(directory);
}

int main(int argc, char **argv)
{
	const char *first = getenv("ATTACK_FIRST"), *tmp = getenv("TMPDIR");
	unsigned long from = first ? strtoul(first, NULL, 0) : 1, number = SAMPLE;
	char self[PATH_MAX], *end;

	if (!realpath("/proc/self/exe", self))
		bail_out("/proc/self/exe: %s", strerror(errno));
	for (int up = 0; up < 3; up++)
		if ((end = strrchr(self, '/')))
			*end = 0;
	snprintf(uvdso, sizeof(uvdso), "%s/uvdso", self);
	load(self, "static", of_static.bytes, &of_static.size);
	load(self, "pie", of_pie.bytes, &of_pie.size);
	load(self, "static-pie", of_static_pie.bytes, &of_static_pie.size);
	if (argc == 4 && !strcmp(argv[1], "-k")) {
		static struct mutant m;

		make_mutant(&m, strtoul(argv[3], NULL, 0));
		into(argv[2], m.bytes, m.size);
		printf("%s\n", m.what);
		return 0;
	}
	if (argc > 1)
		number = strtoul(argv[1], NULL, 0);
	snprintf(directory, sizeof(directory), "%s/uvdso-attack-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(directory) || chdir(directory))
		bail_out("%s: %s", directory, strerror(errno));
	atexit(leave);

	unmutated();
	for (unsigned long seed = from; seed < from + number; seed++)
		try(seed);
	for (enum way way = BY_KERNEL; way < WAYS; way++)
		is(seen.differ[way], 0, "%lu mutants end with %s as with the kernel", number,
		   way_name[way]);
	diag("the kernel refuses %lu, kills %lu at the start; %lu run as ever, %lu otherwise, "
	     "%lu die "
	     "of a signal",
	     seen.refused, seen.late, seen.run, seen.other, seen.signal);
	for (size_t i = 0; i < COUNT(reasons); i++)
		diag("%lu times: %s", reasons[i].seen, reasons[i].why);
	return done_testing();
}
