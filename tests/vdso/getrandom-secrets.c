/*
 * getrandom-secrets.c - what has been given out is nowhere any more, and nobody gets it twice.
 *
 * Against each danger there is a control, which does what the vDSO must not do, and is found
 * out by the same means. A search that finds nothing proves nothing without one.
 */
#include <errno.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "getrandom.h"
#include "secrets.h"

#define FILLS     1000
#define FILL_SIZE 1263 /* odd, no multiple of anything, many blocks and a rest */
#define STACK     (256u << 10)

static struct vgetrandom_state *state;

/* ---- the numbers look random ---------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void check_numbers(void)
{
	static uint8_t all[FILLS][FILL_SIZE + 1], pieces[FILLS * (FILL_SIZE / 16)][16];
	size_t count = 0, twice = 0;
	long bits = 0, total = (long)FILLS * FILL_SIZE * 8;
	int short_of = 0, beyond = 0;

	for (int i = 0; i < FILLS; i++) {
		all[i][FILL_SIZE] = 0x77;
		short_of += own.getrandom(all[i], FILL_SIZE, 0, state, STATE_SIZE) != FILL_SIZE;
		beyond += all[i][FILL_SIZE] != 0x77;
		for (int at = 0; at < FILL_SIZE; at++)
			bits += __builtin_popcount(all[i][at]);
		for (int at = 0; at + 16 <= FILL_SIZE; at += 16)
			memcpy(pieces[count++], all[i] + at, 16);
	}
	ok(!short_of && !beyond,
	   "%d requests of %d bytes get all they asked for and not a byte more", FILLS,
	   FILL_SIZE);
	/* Ten million bits: the standard deviation is 1590. Six of them is one in 10^9 runs. */
	if (!cmp_ok(labs(bits - total / 2), <, 6 * 1590, "half of their bits are ones"))
		diag("%ld of %ld", bits, total);
	qsort(pieces, count, 16, by_bytes);
	for (size_t i = 1; i < count; i++)
		twice += memcmp(pieces[i - 1], pieces[i], 16) == 0;
	is(twice, 0, "no sixteen bytes of them come twice");
}

/* ---- nothing stays in the state ------------------------------------------------------- */

static void check_state(void)
{
	uint8_t keys[64][32], out[512];
	int left = 0, same = 0, still = 0;

	set_key(state, 11);
	for (int i = 0; i < 64; i++) {
		memcpy(keys[i], state->key, 32);
		own.getrandom(out, 97 + (size_t)i * 6, 0, state, STATE_SIZE);
		left += is_in((const uint8_t *)state, STATE_SIZE, out, 97 + (size_t)i * 6);
		for (int k = 0; k <= i; k++)
			same += !memcmp(keys[k], state->key, 32);
		still += is_in((const uint8_t *)state, STATE_SIZE, keys[i], 32);
	}
	is(left, 0, "nothing of what was given out is left in the state");
	is(same, 0, "each time the batch is made anew there is a new key");
	is(still, 0, "and nothing of the old one is left");
	set_key(state, 11);
	memcpy(out, state->batch + 50, 40);
	memcpy(out, state->key, 32);
	ok(is_in((const uint8_t *)state, STATE_SIZE, out, 32),
	   "control: what is there is found");
}

/* ---- nothing stays on the stack ------------------------------------------------------- */

static const size_t sizes[] = {4, 8, 13, 96, 97, 300, 4099, 1};
#define NR_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static uint8_t out[NR_SIZES][4099];

/*
 * Runs on a stack that is looked through afterwards: no copies here, and no library. (Not the
 * stack of a thread: when that ends, the C library throws it away, whoever it belongs to.)
 */
static void ask(int careless)
{
	/* Long, so that its beginning lies below what the way back uses of the stack. */
	uint8_t copy[1024];

	for (size_t i = 0; i < NR_SIZES; i++)
		own.getrandom(out[i], sizes[i], 0, state, STATE_SIZE);
	if (careless)
		for (size_t i = 0; i < sizeof(state->key); i++)
			copy[i] = state->key[i];
	/* Somebody might look at it: it may not be left out, nor taken to pieces. */
	__asm__ volatile("" : : "r"(copy) : "memory");
}

static bool leaks(bool careless)
{
	static uint8_t secret[1 << 16];
	struct model model;
	uint8_t *stack =
		mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ucontext_t here, there;
	size_t size = 0;
	bool found;

	set_key(state, 77);
	model = model_of(state);
	memcpy(secret, state->key, 32);
	size = 32;
	if (stack == MAP_FAILED || getcontext(&there))
		bail_out("no stack of its own");
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = STACK;
	there.uc_link = &here;
	makecontext(&there, (void (*)(void))ask, 1, careless);
	swapcontext(&here, &there);
	/* Every key and batch on the way, and all that came out. */
	for (size_t i = 0; i < NR_SIZES; i++) {
		model_getrandom(&model, secret + size, sizes[i]);
		size += sizes[i];
		memcpy(secret + size, model.batch_key, 128);
		memset(secret + size, 0xee, model.pos); /* zeros are no secret */
		size += 128;
	}
	if (memcmp(model.batch_key, state->batch_key, 128))
		bail_out("the model is wrong: getrandom.c tells more");
	found = is_in(stack, STACK, secret, size);
	munmap(stack, STACK);
	return found;
}

/* ---- nobody gets it twice ------------------------------------------------------------- */

/* One request, in a child and in its parent. True if they get different numbers. */
static bool child_differs(struct vgetrandom_state *states, bool *was_wiped)
{
	static const struct vgetrandom_state zeros;
	uint8_t mine[64] = {0}, childs[65] = {0};
	int pipes[2], status;
	pid_t child;

	own.getrandom(mine, 8, 0, states, STATE_SIZE);
	if (pipe(pipes))
		bail_out("no pipe");
	child = fork();
	if (child == 0) {
		childs[64] = !memcmp(states, &zeros, STATE_SIZE);
		own.getrandom(childs, 64, 0, states, STATE_SIZE);
		_exit(write(pipes[1], childs, 65) != 65);
	}
	own.getrandom(mine, 64, 0, states, STATE_SIZE);
	if (child < 0 || read(pipes[0], childs, 65) != 65 ||
	    waitpid(child, &status, 0) != child)
		bail_out("cannot fork");
	close(pipes[0]);
	close(pipes[1]);
	*was_wiped = childs[64];
	return !is_in(mine, 64, childs, 64);
}

static void check_fork(void)
{
	struct vgetrandom_state *droppable = new_states(own.data), *wiped, *shared;
	bool was_wiped;

	if (emulated()) {
		/* Nor does the vDSO call such memory safe: the query says so (getrandom.c). */
		skip(2, "the emulator knows neither MAP_DROPPABLE nor MADV_WIPEONFORK");
		return;
	}
	ok(child_differs(droppable, &was_wiped) && was_wiped,
	   "a forked child finds zeros in the state, and gets other numbers than its parent");
	wiped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (madvise(wiped, PAGE, MADV_WIPEONFORK))
		skip(1, "no MADV_WIPEONFORK here");
	else
		ok(child_differs(wiped, &was_wiped) && was_wiped,
		   "so it does with private memory and MADV_WIPEONFORK");
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ok(!child_differs(shared, &was_wiped), "control: with any other memory both get the "
					       "same, which the query must not suggest");
	munmap(droppable, PAGE);
	munmap(wiped, PAGE);
	munmap(shared, PAGE);
}

/* A reader in another process, which shares nothing with us but the data page. */
static void check_other_process(void)
{
	struct vgetrandom_state *states = new_states(own.data);
	int to[2], from[2], status;
	u64 seen[3];
	char byte = 0;
	pid_t child;

	if (pipe(to) || pipe(from))
		bail_out("no pipe");
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 3; i++) {
			uint8_t number[16];

			if (read(to[0], &byte, 1) != 1)
				_exit(1);
			own.getrandom(number, 16, 0, states, STATE_SIZE);
			seen[i] = states->generation;
			if (write(from[1], &byte, 1) != 1)
				_exit(1);
		}
		_exit(write(from[1], seen, sizeof(seen)) != sizeof(seen));
	}
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			rng_bump(&own.rng);
		if (write(to[1], &byte, 1) != 1 || read(from[0], &byte, 1) != 1)
			bail_out("the reader has gone");
	}
	if (read(from[0], seen, sizeof(seen)) != sizeof(seen) ||
	    waitpid(child, &status, 0) != child)
		bail_out("the reader has gone");
	ok(seen[0] == seen[1] && seen[2] == seen[1] + 1 && seen[2] == own.data->generation,
	   "a reader in another process fetches a new key after the generation has changed");
	for (int i = 0; i < 2; i++) {
		close(to[i]);
		close(from[i]);
	}
	munmap(states, PAGE);
}

static void check_page_protection(void)
{
	uintptr_t page = own.place.start + VDSO_RNG_PAGE * VDSO_STRIDE;

	ok(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES,
	   "a reader cannot make the page of the generation writable");
	is(((volatile struct vdso_rng_data *)page)->generation, own.data->generation,
	   "and reads there what the publisher writes");
}

int main(void)
{
	make_page();
	state = new_states(own.data);
	check_numbers();
	check_state();
	if (!ok(!leaks(false),
		"no eight bytes of keys, batches or numbers are left on the stack"))
		diag("a signal, a core dump or a forked child would have them");
	ok(leaks(true), "control: a key that was copied to the stack is found there");
	check_fork();
	check_other_process();
	check_page_protection();
	return done_testing();
}
