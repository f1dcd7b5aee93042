/*
 * getrandom-core.c - what a core dump of a program that draws numbers gives away: nothing.
 *
 * A core dump has the memory of a process and the registers of its threads. This test is the
 * parent of the process that draws, stops it with ptrace(2) and reads the same: every byte that
 * it has mapped, and every set of registers. It searches them for what must not be there, any
 * eight bytes in a row: each key that was ever used, each batch, each number, and the state of
 * the cipher as the last round leaves it, from which the key could be calculated. They are made
 * here, with the reference (chacha_reference.h), after the process was cloned: it has no copy.
 *
 * The process clears the buffer of a request, as a careful program does. Each place in which
 * the search has to look is shown to be looked at: there, a control leaves a copy of the key.
 *
 * One thing may be left: eight bytes of the last number given out, in a register through which
 * the batch was copied, as after every copy. Whoever saves registers next writes them to the
 * stack: a signal, or the dynamic linker's lazy binding. So registers are searched for all but
 * numbers, and nothing is bound late here.
 */
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "getrandom.h"
#include "secrets.h"

#ifndef NT_X86_XSTATE
#	define NT_X86_XSTATE 0x202
#endif

static const size_t sizes[] = {16, 4, 97, 300, 4099, 13, 96, 96, 640, 1, 250, 8};
#define NR_SIZES (sizeof(sizes) / sizeof(sizes[0]))
#define STEPPED \
	3 /* the request that is looked at step by step: four blocks, and two for the state */

enum place { NOWHERE, STACK, HEAP, DATA, OTHER_PAGE, REGISTER, PLACES };
static const char *const place_name[PLACES] = {
	"",
	"on the stack",
	"in memory of malloc()",
	"in a variable",
	"in the state's page",
	"in a vector register",
};

/* Shared with the process: the state, in a page of its own, whose key the test puts in. */
static struct vgetrandom_state *state;
static uint8_t *page;    /* that page */
static uintptr_t *frame; /* in it: where in the process the stack of the requests begins */

static struct secrets secrets, given;

static void add_secret(const void *bytes, size_t size)
{
	if (!secret_add(&secrets, bytes, size) || !secret_add(&given, bytes, size))
		bail_out("more secrets than there is room for");
}

/* Block and initial state give what was there before the two were added up. */
static void add_cipher_state(const uint8_t key[32], uint64_t counter)
{
	uint8_t block[64];
	uint32_t last[16], start[16] = {0};

	rfc_blocks(block, key, counter, 1);
	memcpy(last, block, sizeof(last));
	memcpy(start, "expand 32-byte k", 16);
	memcpy(start + 4, key, 32);
	memcpy(start + 12, &counter, 8);
	for (int i = 0; i < 16; i++)
		last[i] -= start[i];
	add_secret(last, sizeof(last));
}

/* What the process will have had in its hands after all its requests. */
static void make_secrets(void)
{
	struct model model = model_of(state);
	static uint8_t out[4099];

	memset(&secrets, 0, sizeof(secrets));
	memset(&given, 0, sizeof(given));
	for (size_t i = 0; i < NR_SIZES; i++) {
		struct model before = model;
		const uint8_t *key = before.batch_key + 96;

		model_getrandom(&model, out, sizes[i]);
		if (!secret_add(&given, out, sizes[i]))
			bail_out("more numbers than there is room for");
		if (!memcmp(key, model.batch_key + 96, 32))
			continue;
		add_secret(key, 32);
		for (uint64_t block = 0; block < 2 + sizes[i] / 64; block++)
			add_cipher_state(key, block);
		/* Not the zeros before it, and a byte: many a number looks like that. */
		add_secret(model.batch_key + model.pos, 96 - model.pos);
	}
	/* What comes next: in the state and nowhere else. */
	add_secret(model.batch_key + 96, 32);
}

/* ---- the process ----------------------------------------------------------------------- */

static uint8_t variable[64], numbers[4099];

#if defined(__x86_64__)
#	define LEAVE_IN_REGISTER(at) __asm__ volatile("movdqu %0, %%xmm9" : : "m"(*(at)))
#elif defined(__aarch64__)
#	define LEAVE_IN_REGISTER(at) __asm__ volatile("ldr q9, %0" : : "m"(*(at)))
#endif

/* Stops the process with all registers as they are. */
#if defined(__x86_64__) || defined(__i386__)
#	define BREAKPOINT() __asm__ volatile("int3")
#elif defined(__aarch64__)
#	define BREAKPOINT() __asm__ volatile("brk #0")
#elif defined(__riscv)
#	define BREAKPOINT() __asm__ volatile("ebreak")
#endif

/*
 * Draws, and leaves the key where the control wants it. The stop comes right after the last
 * request, without another call that would write over what is left.
 */
static __attribute__((noinline)) void draw_and_stop(enum place place, uint8_t *heap)
{
	uint8_t copy[64];
	const uint8_t *key = state->key;

	*frame = (uintptr_t)__builtin_frame_address(0);
	explicit_bzero(numbers, sizeof(numbers)); /* bound from now on */
	raise(SIGSTOP);
	for (size_t i = 0; i < NR_SIZES; i++) {
		if (i == STEPPED)
			BREAKPOINT();
		own.getrandom(numbers, sizes[i], 0, state, STATE_SIZE);
		if (i == STEPPED)
			BREAKPOINT();
		explicit_bzero(numbers, sizeof(numbers));
	}
	uint8_t *to = place == STACK        ? copy
		      : place == HEAP       ? heap + 1000
		      : place == DATA       ? variable
		      : place == OTHER_PAGE ? page + 2048
					    : NULL;
	/* Its second half, by bytes: so that no register has it. */
	for (int i = 0; to && i < 16; i++)
		((volatile uint8_t *)to)[i] = key[16 + i];
	__asm__ volatile("" : : "r"(copy) : "memory");
#ifdef LEAVE_IN_REGISTER
	if (place == REGISTER)
		LEAVE_IN_REGISTER((const uint8_t(*)[16])(key + 16));
#endif
	__asm__ volatile("" : : : "memory");
	BREAKPOINT();
}

/* ---- its parent ------------------------------------------------------------------------ */

/* Up to the next stop. False if it has ended. */
static bool go_on(pid_t pid, int expected_signal)
{
	int status;

	if (ptrace(PTRACE_CONT, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid)
		return false;
	return WIFSTOPPED(status) && WSTOPSIG(status) == expected_signal;
}

/* Registers, as the notes of a core dump have them. Returns their sizes' sum. */
static size_t search_registers(pid_t pid, bool *found)
{
	static const unsigned notes[] = {NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE};
	static uint8_t set[32 << 10];
	size_t all = 0;

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		struct iovec iov = {set, sizeof(set)};

		if (ptrace(PTRACE_GETREGSET, pid, (void *)(uintptr_t)notes[i], &iov))
			continue;
		all += iov.iov_len;
		*found = *found || secret_in(&secrets, set, iov.iov_len);
	}
	return all;
}

/* All that is mapped, but the state itself. Says in where, what it is, if anything is found. */
static size_t search_memory(pid_t pid, bool *found, char *where, size_t size)
{
	static uint8_t piece[(1 << 20) + 8];
	char path[64], line[512];
	size_t all = 0;
	FILE *maps;
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (mem < 0 || !maps)
		bail_out("cannot read the memory of a child");
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		for (unsigned long at = start; at < end; at += 1 << 20) {
			/* Eight more, for what begins in this piece and ends in the next. */
			size_t len = end - at < sizeof(piece) ? end - at : sizeof(piece);
			ssize_t got = pread(mem, piece, len, (off_t)at);

			if (got <= 0)
				continue;
			if (at <= (unsigned long)state &&
			    (unsigned long)state - at < (size_t)got)
				memset(piece + ((unsigned long)state - at), 0, STATE_SIZE);
			all += (size_t)got;
			if (!secret_in(&given, piece, (size_t)got))
				continue;
			*found = true;
			line[strcspn(line, "\n")] = '\0';
			snprintf(where, size, "%s", line);
		}
	}
	fclose(maps);
	close(mem);
	return all;
}

/*
 * Every instruction of one request. In its middle the cipher's registers have the key: that the
 * search finds it there shows that it looks. The stack may never have it, since nobody clears
 * that.
 */
static struct steps {
	unsigned all, in_registers, on_stack;
} steps;

#define BELOW 8192

static bool step_through(pid_t pid)
{
	static uint8_t stack[BELOW];
	char path[64];
	int mem, status;

	memset(&steps, 0, sizeof(steps));
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	for (;;) {
		bool found = false;
		siginfo_t info;

		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) ||
		    waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
		    ptrace(PTRACE_GETSIGINFO, pid, NULL, &info))
			break;
		if (info.si_code != TRAP_TRACE)
			break;
		steps.all++;
		search_registers(pid, &found);
		steps.in_registers += found;
		if (pread(mem, stack, BELOW, (off_t)(*frame - BELOW)) != BELOW)
			break;
		steps.on_stack += secret_in(&secrets, stack, BELOW);
	}
	close(mem);
	return WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

/* The whole of it once. True if a secret was found. */
static bool gives_away(enum place place, size_t *memory, size_t *registers, char *where,
		       size_t size)
{
	uint8_t *heap = malloc(4096);
	bool in_memory = false, in_registers = false;
	pid_t pid;
	int status;

	memset(page, 0, PAGE);
	frame = (uintptr_t *)(page + 3072);
	memset(variable, 0, sizeof(variable));
	pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(1);
		draw_and_stop(place, heap);
		_exit(0);
	}
	free(heap);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		bail_out("cannot fork");
	if (!WIFSTOPPED(status)) {
		puts("1..0 # SKIP ptrace is denied here");
		exit(0);
	}
	set_key(state, (uint8_t)(40 + place));
	make_secrets();
	if (!go_on(pid, SIGTRAP) || (place ? !go_on(pid, SIGTRAP) : !step_through(pid)) ||
	    !go_on(pid, SIGTRAP))
		bail_out("the process has ended before its last request");
	*registers = search_registers(pid, &in_registers);
	*memory = search_memory(pid, &in_memory, where, size);
	if (in_registers)
		snprintf(where, size, "the registers");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return in_memory || in_registers;
}

/* Whether the kernel leaves the memory of states out of a core dump: VmFlags, dd. */
static void check_left_out(void)
{
	struct vgetrandom_state *states = new_states(own.data);
	FILE *smaps = fopen("/proc/self/smaps", "re");
	bool here = false, left_out = false, wiped = false;
	char line[512];

	if (!own.data->state_mmap_flags || !smaps) {
		skip(1, "this kernel has no MAP_DROPPABLE");
	} else {
		while (fgets(line, sizeof(line), smaps)) {
			unsigned long start, end;

			if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
				here = (uintptr_t)states >= start && (uintptr_t)states < end;
			if (here && !strncmp(line, "VmFlags:", 8)) {
				left_out = strstr(line, " dd");
				wiped = strstr(line, " wf");
			}
		}
		if (!ok(left_out && wiped,
			"the kernel leaves states out of a core dump, and wipes a child's"))
			diag("VmFlags of such memory should have dd and wf (proc(5))");
	}
	if (smaps)
		fclose(smaps);
	munmap(states, PAGE);
}

int main(void)
{
	size_t memory, registers;
	char where[512] = "";

	make_page();
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		bail_out("no page to share");
	state = (struct vgetrandom_state *)page;
	if (emulated()) {
		skip(PLACES + 2, "the emulator has no ptrace(2)");
		check_left_out();
		return done_testing();
	}
	if (!ok(!gives_away(NOWHERE, &memory, &registers, where, sizeof(where)),
		"no key, batch, number or state of the cipher is in memory or in registers"))
		diag("found in %s", where);
	diag("searched: %zu bytes of memory, %zu of registers", memory, registers);
	diag("%u steps of one request: the key in registers after %u of them, on the stack "
	     "after %u",
	     steps.all, steps.in_registers, steps.on_stack);
	ok(steps.all > 500 && !steps.on_stack,
	   "nor is anything of it on the stack after any instruction of a request");
	cmp_ok(steps.in_registers, >, 100, "control: where the cipher has it, it is found");
	for (enum place place = STACK; place < PLACES; place++) {
#ifndef LEAVE_IN_REGISTER
		if (place == REGISTER) {
			skip(1, "no vector registers that everybody has");
			continue;
		}
#endif
		ok(gives_away(place, &memory, &registers, where, sizeof(where)),
		   "control: half a key %s is found", place_name[place]);
	}
	check_left_out();
	return done_testing();
}
