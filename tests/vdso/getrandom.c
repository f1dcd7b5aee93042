/*
 * getrandom.c - what the vDSO's getrandom answers, and when it asks the kernel.
 *
 * A seccomp filter sends every getrandom(2) of this process to a signal handler, which plays
 * the kernel: it counts the calls, gives out numbers that the test knows, and now and then
 * does to the state or to the generation what in real life happens seldom, at the worst
 * moment. So each fallback is seen, as is that there is none; and everything that comes out
 * is compared with a model of the protocol (getrandom.h), byte by byte.
 *
 * `getrandom client` is the program that the test runs on the vDSO with `uvdso run`.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

#ifndef GRND_INSECURE /* glibc 2.32 */
#	define GRND_INSECURE 4
#endif

#include "getrandom.h"
#include "kernel/time/timekeeper.h"

#define PART_OF_2GIB (2u << 20)
#define MAX_RW_COUNT (0x80000000ul - PAGE) /* INT_MAX in whole pages */

/* The kernel, played: what was asked last, what it will do, and its numbers. */
static struct {
	int calls;
	void *buffer;
	size_t len;
	unsigned flags;
	long fails_with;                /* instead of serving; once */
	int bumps;                      /* how many of the next calls a reseed follows */
	struct vgetrandom_state *wipes; /* what becomes zeros behind the next call */
	struct vgetrandom_state
		*reenter; /* a signal handler asks for numbers, with this state */
	long reentered;   /* what it got */
	uint8_t inner[48];
	uint8_t next;
} kernel;

static struct vgetrandom_state *state;
static uint8_t got[4096], want[4096];

static long play_kernel(void *buffer, size_t len, unsigned flags)
{
	kernel.calls++;
	kernel.buffer = buffer;
	kernel.len = len;
	kernel.flags = flags;
	if (kernel.fails_with) {
		long error = kernel.fails_with;

		kernel.fails_with = 0;
		return error;
	}
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buffer)[i] = kernel.next++;
	if (kernel.bumps) {
		kernel.bumps--;
		rng_bump(&own.rng);
	}
	if (kernel.wipes) {
		memset(kernel.wipes, 0, STATE_SIZE);
		kernel.wipes = NULL;
	}
	if (kernel.reenter) {
		struct vgetrandom_state *same = kernel.reenter;

		kernel.reenter = NULL;
		kernel.reentered =
			own.getrandom(kernel.inner, sizeof(kernel.inner), 0, same, STATE_SIZE);
		/* What is reported is the call that was interrupted. */
		kernel.buffer = buffer;
		kernel.len = len;
	}
	return (long)len;
}

/* Where a system call's three arguments and its result are in what a handler gets. */
#if defined(__x86_64__)
#	define AT_ARG(at, n) ((at)->gregs[(n) == 0 ? REG_RDI : (n) == 1 ? REG_RSI : REG_RDX])
#	define AT_RESULT(at) ((at)->gregs[REG_RAX])
#	define CONTEXT_WORD  greg_t
#elif defined(__aarch64__)
#	define AT_ARG(at, n) ((at)->regs[n])
#	define AT_RESULT(at) ((at)->regs[0])
#	define CONTEXT_WORD  uint64_t
#elif defined(__riscv)
#	define AT_ARG(at, n) ((at)->__gregs[REG_A0 + (n)])
#	define AT_RESULT(at) ((at)->__gregs[REG_A0])
#	define CONTEXT_WORD  unsigned long
#endif

static void on_getrandom(int signal, siginfo_t *info, void *context)
{
	mcontext_t *at = &((ucontext_t *)context)->uc_mcontext;

	(void)signal;
	(void)info;
	AT_RESULT(at) = (CONTEXT_WORD)play_kernel((void *)AT_ARG(at, 0), (size_t)AT_ARG(at, 1),
						  (unsigned)AT_ARG(at, 2));
}

/* From now on getrandom(2) meets the action. False where there is no seccomp. */
static bool filter(unsigned action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static void forget_calls(void)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.next = 100;
}

/* A request that must be served without the kernel, and be what the model says. */
static bool serves(size_t len)
{
	struct model model = model_of(state);
	int calls = kernel.calls;
	bool zeroed = true;

	model_getrandom(&model, want, len);
	memset(got, 0x5a, len + 1);
	if (own.getrandom(got, len, 0, state, STATE_SIZE) != (long)len)
		return false;
	for (unsigned i = 0; i < state->pos; i++)
		zeroed = zeroed && state->batch[i] == 0;
	return kernel.calls == calls && !memcmp(got, want, len) && got[len] == 0x5a && zeroed &&
	       state->pos == model.pos && !state->in_use &&
	       !memcmp(state->batch_key, model.batch_key, 128);
}

/* A request that must go to the kernel, all of it, with the arguments as they were. */
static void falls_back(size_t len, unsigned flags, size_t state_size, const char *what)
{
	struct vgetrandom_state before = *state;
	long ret;

	forget_calls();
	ret = own.getrandom(got, len, flags, state, state_size);
	if (!ok(ret == (long)len && kernel.calls == 1 && kernel.buffer == got &&
			kernel.len == len && kernel.flags == flags &&
			!memcmp(&before, state, sizeof(before)),
		"%s: one system call with the same arguments, and the state is left alone",
		what))
		diag("returned %ld; %d calls, the last for %zu bytes to %p with flags %u", ret,
		     kernel.calls, kernel.len, kernel.buffer, kernel.flags);
}

static void check_query(void)
{
	struct vgetrandom_opaque_params params, theirs;
	getrandom_fn *kernels = find_getrandom((const void *)getauxval(AT_SYSINFO_EHDR));
	u32 flags = own.data->state_mmap_flags;
	int others = 0;

	memset(&params, 0xff, sizeof(params));
	own.data->state_mmap_flags = 0x28;
	ok(own.getrandom(NULL, 0, 0, &params, ~0ul) == 0 &&
		   params.size_of_opaque_state == STATE_SIZE &&
		   params.mmap_prot == (PROT_READ | PROT_WRITE) && params.mmap_flags == 0x28,
	   "the query answers: 144 bytes, to read and write, droppable and anonymous");
	for (int i = 0; i < 13; i++)
		others += params.reserved[i] != 0;
	is(others, 0, "and zeros what is reserved");
	own.data->state_mmap_flags = 0;
	memset(&params, 0xff, sizeof(params));
	if (!ok(own.getrandom(NULL, 0, 0, &params, ~0ul) == -ENOSYS && params.mmap_flags == ~0u,
		"on a kernel without such memory the query says ENOSYS, and nothing else"))
		diag("a C library would make states that a forked child shares");
	own.data->state_mmap_flags = flags;

	if (!kernels || kernels(NULL, 0, 0, &theirs, ~0ul)) {
		skip(1, "this kernel has no vDSO getrandom");
	} else {
		long ret = own.getrandom(NULL, 0, 0, &params, ~0ul);

		ok(ret == 0 && !memcmp(&params, &theirs, sizeof(params)),
		   "on this kernel: the answer is the one of the kernel's own vDSO");
	}
}

/* Odd arguments to the kernel's own vDSO and to ours. */
static void check_like_kernel(void)
{
	getrandom_fn *kernels = find_getrandom((const void *)getauxval(AT_SYSINFO_EHDR));
	const struct {
		size_t len;
		unsigned flags;
		size_t at, state_size;
		const char *what;
	} odd[] = {
		{16, 0, 0, 144, "an ordinary request"},
		{0, 0, 0, 144, "no bytes"},
		{16, 7 & ~GRND_INSECURE, 0, 144, "GRND_RANDOM and GRND_NONBLOCK"},
		{16, 8, 0, 144, "an unknown flag"},
		{0, 8, 0, 144, "an unknown flag and no bytes"},
		{16, 0, 0, 143, "a state that is too small"},
		{16, 0, 0, 0, "a state of no size"},
		{16, 0, 0, ~0ul, "the size of a query, and a buffer"},
		{16, 0, PAGE - 144, 144, "a state at the end of a page"},
		{16, 0, PAGE - 136, 144, "a state in two pages"},
		{16, 8, PAGE - 136, 7, "a state in two pages, and other mistakes"},
		{0, 0, PAGE - 136, 144, "a state in two pages, and no bytes"},
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		uint8_t *ours = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		uint8_t *theirs = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		long mine = own.getrandom(got, odd[i].len, odd[i].flags, ours + odd[i].at,
					  odd[i].state_size);

		if (!kernels) {
			skip(1, "this kernel has no vDSO getrandom");
		} else {
			long its = kernels(want, odd[i].len, odd[i].flags, theirs + odd[i].at,
					   odd[i].state_size);

			is(mine, its, "%s: %ld, as from the kernel's own vDSO", odd[i].what,
			   its);
		}
		munmap(ours, 2 * PAGE);
		munmap(theirs, 2 * PAGE);
	}
}

/* The same two MiB a thousand times over, and behind the last a page that must not be met. */
static void check_cap(void)
{
	size_t size = MAX_RW_COUNT / PART_OF_2GIB * PART_OF_2GIB, rest = MAX_RW_COUNT - size;
	int fd = memfd_create("part", MFD_CLOEXEC);
	uint8_t *at = mmap(NULL, MAX_RW_COUNT + PAGE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (fd < 0 || ftruncate(fd, PART_OF_2GIB) || at == MAP_FAILED)
		bail_out("no memory to fill");
	for (size_t done = 0; done < MAX_RW_COUNT; done += PART_OF_2GIB)
		if (mmap(at + done, done < size ? PART_OF_2GIB : rest, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			bail_out("no memory to fill");
	if (own.getrandom(at, MAX_RW_COUNT + PAGE, 0, new_states(own.data), STATE_SIZE) !=
	    (long)MAX_RW_COUNT)
		ok(false, "a request for 2 GiB gets 2 GiB less a page");
	else
		ok(true, "a request for 2 GiB gets 2 GiB less a page, as of every system call");
	munmap(at, MAX_RW_COUNT + PAGE);
	close(fd);
}

static void check_publisher(void)
{
	static struct vdso_data data[CS_BASES];
	static struct vdso_rng_data page;
	struct timekeeper tk;
	struct rng rng;
	u64 first, due;

	rng_start(&rng, &page);
	first = page.generation;
	due = rng.due;
	ok(page.is_ready == 1 && first,
	   "the publisher says ready, and a generation that is not 0");
	rng_publish(&rng);
	is(page.generation, first, "within a minute the generation stays");
	rng.due = 0;
	rng_publish(&rng);
	is(page.generation, first + 1, "after a minute it is the next one");
	ok(rng.due >= due && rng.due - due < 60, "... which is good for a minute, too");
	rng_publish(&rng);
	is(page.generation, first + 1, "and stays again");
	page.generation = ~0ull;
	rng_bump(&rng);
	is(page.generation, 1, "0, which is what a wiped state says of itself, is left out");

	timekeeper_start(&tk, data, COUNTER_NEVER);
	timekeeper_first(&tk);
	timekeeper_update(&tk);
	ok(true, "a timekeeper without a data page for it does not mind");
	rng_start(&tk.rng, &page);
	tk.rng.due = 0;
	first = page.generation;
	timekeeper_update(&tk);
	ok(page.generation != first, "the timekeeper's update does it");
}

static void check_model(void)
{
	uint64_t seed = 1;
	int wrong = 0;

	forget_calls();
	set_key(state, 1);
	for (size_t len = 1; len <= 300; len++)
		wrong += !serves(len);
	is(wrong, 0,
	   "requests of 1 to 300 bytes are what the model says, and so is the state after "
	   "each");
	for (int i = 0; i < 3000; i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		wrong += !serves((size_t)(seed >> 33) % (i % 3 ? 40 : 3000));
	}
	is(wrong, 0, "so are 3000 requests of any size, one after the other");

	/* 300 bytes in two pieces, and each piece in the middle of a batch, too. */
	for (size_t cut = 0; cut <= 300; cut++)
		for (unsigned pos = 0; pos <= 96; pos += 13) {
			set_key(state, (uint8_t)cut);
			memcpy(state->batch, want + 1000, sizeof(state->batch));
			memset(state->batch, 0, pos);
			state->pos = (u8)pos;
			wrong += !serves(cut) || !serves(300 - cut);
		}
	is(wrong, 0, "and 300 bytes in two pieces, cut at every place");
	is(kernel.calls, 0, "none of all these made a system call");
	for (int i = 0; i < 8; i++) {
		set_key(state, (uint8_t)i);
		own.getrandom(got + i, 100, 0, state, STATE_SIZE);
		set_key(state, (uint8_t)i);
		own.getrandom(want + 8, 100, 0, state, STATE_SIZE);
		wrong += memcmp(got + i, want + 8, 100) != 0;
	}
	is(wrong, 0, "the buffer may lie anywhere");
}

static void check_fallbacks(void)
{
	set_key(state, 3);
	falls_back(33, 0, 143, "a state of another size");
	falls_back(33, 0, ~0ul, "a buffer, and the size of a query");
	falls_back(33, 8, STATE_SIZE, "an unknown flag");
	falls_back(33, GRND_RANDOM | GRND_INSECURE, STATE_SIZE,
		   "flags that exclude each other");
	own.data->is_ready = 0;
	falls_back(33, GRND_NONBLOCK, STATE_SIZE, "the kernel's pool is not ready");
	own.data->is_ready = 1;
	state->in_use = true;
	falls_back(33, 0, STATE_SIZE, "the state is in use");
	state->in_use = false;

	forget_calls();
	kernel.fails_with = -EAGAIN;
	ok(own.getrandom(got, 33, 8, state, STATE_SIZE) == -EAGAIN && kernel.calls == 1,
	   "what the kernel answers is returned as it is");
	forget_calls();
	ok(own.getrandom(NULL, 0, 0, state, STATE_SIZE) == 0 && !kernel.calls,
	   "no bytes are served at once, to no buffer");
	for (unsigned flags = 0; flags < 6; flags++)
		if (own.getrandom(got, 1, flags, state, STATE_SIZE) != 1)
			flags = 100;
	is(kernel.calls, 0,
	   "the flags of getrandom(2) that may be together make no system call");
}

/* The first 96 bytes of a stream whose key the played kernel made of first, first + 1, ... */
static bool is_stream_of(const uint8_t *bytes, size_t len, uint8_t first)
{
	uint8_t key[32], stream[128];

	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t)(first + i);
	rfc_blocks(stream, key, 0, 2);
	return !memcmp(bytes, stream, len);
}

static bool asked_for_key(int calls)
{
	bool yes = kernel.calls == calls && kernel.buffer == state->key && kernel.len == 32 &&
		   kernel.flags == 0;

	if (yes)
		return true;
	expected("%d system calls, the last for 32 bytes without flags", calls);
	but_got("%d, the last for %zu bytes with flags %u", kernel.calls, kernel.len,
		kernel.flags);
	return false;
}

static void check_generations(void)
{
	long ret;

	memset(state, 0, sizeof(*state));
	forget_calls();
	ret = own.getrandom(got, 40, 0, state, STATE_SIZE);
	ok(ret == 40 && asked_for_key(1) && is_stream_of(got, 40, 100),
	   "a new state: one system call, for 32 bytes, which are the key");
	is(state->generation, own.data->generation, "and the state is of this generation");
	for (int i = 0; i < 1000; i++)
		own.getrandom(got, 16, 0, state, STATE_SIZE);
	is(kernel.calls, 1, "a thousand requests later there has been no other call");

	rng_bump(&own.rng);
	forget_calls();
	ret = own.getrandom(got, 40, 0, state, STATE_SIZE);
	ok(ret == 40 && asked_for_key(1) && is_stream_of(got, 40, 100),
	   "after a reseed the next request fetches a new key, and what was left of the batch "
	   "is "
	   "not used");
	memset(got, 0, 40);
	ret = own.getrandom(got, 40, 0, state, STATE_SIZE);
	ok(ret == 40 && kernel.calls == 1, "and the one after does not");

	rng_bump(&own.rng);
	forget_calls();
	kernel.bumps = 1;
	ret = own.getrandom(got, 40, 0, state, STATE_SIZE);
	ok(ret == 40 && asked_for_key(2) && is_stream_of(got, 40, 132) &&
		   state->generation == own.data->generation,
	   "a reseed in the middle of a request: it starts anew, with a newer key");

	rng_bump(&own.rng);
	forget_calls();
	kernel.bumps = 2;
	ret = own.getrandom(got, 40, 0, state, STATE_SIZE);
	ok(ret == 40 && kernel.calls == 3 && kernel.buffer == got && kernel.len == 40 &&
		   got[0] == 164 && got[39] == 203 && !state->in_use,
	   "two reseeds in the middle: the system call serves all of it");

	memset(state, 0, sizeof(*state));
	forget_calls();
	kernel.wipes = state;
	ret = own.getrandom(got, 40, 0, state, STATE_SIZE);
	if (!ok(ret == 40 && asked_for_key(2) && is_stream_of(got, 40, 132),
		"a state that turns into zeros in the middle is noticed"))
		diag("the numbers are those of a key of zeros, which everybody knows");

	rng_bump(&own.rng);
	forget_calls();
	kernel.fails_with = -EINTR;
	ret = own.getrandom(got, 40, 0, state, STATE_SIZE);
	ok(ret == 40 && kernel.calls == 2 && kernel.buffer == got && got[0] == 100 &&
		   state->generation == 0 && !state->in_use,
	   "no key to be had: the system call serves, and the state is of no generation");
	forget_calls();
	kernel.fails_with = 31;
	ret = own.getrandom(got, 40, 0, state, STATE_SIZE);
	ok(ret == 40 && kernel.calls == 2 && kernel.buffer == got && state->generation == 0,
	   "31 bytes of a key are no key");

	memset(state, 0, sizeof(*state));
	forget_calls();
	kernel.reenter = state;
	ret = own.getrandom(got, 40, 0, state, STATE_SIZE);
	ok(ret == 40 && kernel.calls == 2 && is_stream_of(got, 40, 100),
	   "a signal handler in the middle of a request does not disturb it");
	ok(kernel.reentered == 48 && kernel.inner[0] == 132 && kernel.inner[47] == 179,
	   "and is served by a system call itself");

	set_key(state, 9);
	own.getrandom(got, 4, 0, state, STATE_SIZE);
	forget_calls();
	madvise(state, PAGE, MADV_DONTNEED);
	ret = own.getrandom(got, 40, 0, state, STATE_SIZE);
	ok(ret == 40 && asked_for_key(1) && is_stream_of(got, 40, 100),
	   "a state whose memory was dropped fetches a new key");
}

/* What the program does that is run on the vDSO: no system call but the first one. */
static int client(void)
{
	getrandom_fn *getrandom = find_getrandom((const void *)getauxval(AT_SYSINFO_EHDR));
	struct vgetrandom_opaque_params params;
	struct vgetrandom_state *states;
	bool told;

	if (!getrandom)
		return 2;
	told = !getrandom(NULL, 0, 0, &params, ~0ul);
	states = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      told ? (int)params.mmap_flags : MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (states == MAP_FAILED || getrandom(got, 16, 0, states, STATE_SIZE) != 16)
		return 3;
	if (!filter(SECCOMP_RET_ERRNO | EPERM))
		return 4;
	for (int i = 0; i < 1000; i++)
		if (getrandom(got, 300, GRND_NONBLOCK, states, STATE_SIZE) != 300)
			return 5;
	return syscall(SYS_getrandom, got, 16, 0) == -1 && errno == EPERM ? 0 : 6;
}

static void check_run(const char *self, const char *offset, const char *what)
{
	/* The command lies two directories above its tests. */
	const char *name = strrchr(self, '/');
	char uvdso[4096];
	int status;
	pid_t child;

	snprintf(uvdso, sizeof(uvdso), "%.*s/../../uvdso", (int)(name ? name - self : 0), self);
	child = fork();
	if (child == 0) {
		if (offset)
			execl(uvdso, "uvdso", "run", "--offset", offset, self, "client",
			      (char *)NULL);
		else
			execl(uvdso, "uvdso", "run", self, "client", (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		bail_out("cannot fork");
	if (!is(status, 0, "%s: a thousand requests without a system call", what))
		diag("client() says which step that is");
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = on_getrandom,
				   .sa_flags = SA_SIGINFO | SA_NODEFER};

	if (argc > 1)
		return client();
	make_page();
	state = new_states(own.data);
	check_query();
	check_like_kernel();
	check_publisher();
	if (slow_machine())
		skip(1, "2 GiB take half a minute in an emulator");
	else
		check_cap();
	if (emulated()) {
		skip(2, "an emulated program cannot start another one");
	} else {
		check_run(argv[0], NULL, "a program on the vDSO");
		check_run(argv[0], "monotonic=+1d", "in a time namespace");
	}

	sigaction(SIGSYS, &action, NULL);
	if (!filter(SECCOMP_RET_TRAP)) {
		skip(27, "no seccomp: system calls cannot be watched from inside");
		return done_testing();
	}
	check_model();
	check_fallbacks();
	check_generations();
	return done_testing();
}
