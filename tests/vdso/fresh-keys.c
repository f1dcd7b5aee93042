/*
 * fresh-keys.c - what a state of getrandom() must go through, step by step.
 *
 * The vDSO's C on the machine made for tests: the cipher, the kernel and the generation are
 * this test's. So each request is a row of steps, a call of the kernel or a run of the cipher,
 * and between any two of them the kernel can reseed, or the state turn into zeros. Which bytes
 * are given out is not asked, only what must not be among them: there is more than one right
 * way to cut a stream into pieces. (getrandom.c holds the one that we have against a model.)
 */
#include <machine.h>
#include <vdso/rng.h>

#include "chacha_reference.h"
#include "secrets.h"
#include "tap.h"

long fake_getrandom(void *buffer, size_t len, u32 flags, void *state, size_t state_size);
u64 arch_chacha20_blocks(u8 *to, const u8 key[CHACHA_KEY_SIZE], u64 counter, size_t blocks);

/* The data page; the vDSO only reads it. */
struct vdso_rng_data vdso_rng_data = {.generation = 7, .is_ready = 1, .page_size = 4096};

#define LARGEST  4099
#define MANY     1000 /* steps: more than any request needs */
#define MAX_RUNS 64
#define NEVER    (~0u)
#define ALWAYS   (~0u - 1)

static union {
	struct vgetrandom_state state;
	u8 page[4096];
} memory __attribute__((aligned(4096)));
static struct vgetrandom_state *const state = &memory.state;

static u8 out[LARGEST + 1];
static size_t wanted;

/* A run of the cipher. The key is bad if others have it, or it was fetched too early. */
struct run {
	u8 key[CHACHA_KEY_SIZE];
	const u8 *made;
	size_t size;
	bool bad;
};

static struct {
	/* The test sets these. */
	unsigned moment; /* 2 n: before step n; 2 n + 1: after it */
	void (*act)(void);
	long answer; /* of the first call for a key, instead of 32 */

	/* What the vDSO has done in this request. */
	unsigned steps, keys, whole, others, nr_runs;
	struct run runs[MAX_RUNS];
	u8 made[8192];
	size_t made_size;
	u8 before[128]; /* batch and key before anything happened */
	bool happened;
	char log[64];
} world;

static void note(char what)
{
	size_t length = strlen(world.log);

	if (length < sizeof(world.log) - 1)
		world.log[length] = what;
}

static void tell_steps(const char *what)
{
	diag("the steps of the request: %s", *world.log ? world.log : "none");
	diag("(K asks the kernel, C runs the cipher%s%s)", *what ? ", ! is " : "", what);
}

static void reseed(void)
{
	atomic_fetch_add(&vdso_rng_data.generation, 1);
}

static void wipe(void)
{
	memset(state, 0, sizeof(*state));
}

/* Between two steps. What was made up to now must not be given out. */
static void between(unsigned moment)
{
	if (!world.act || (world.moment != moment && world.moment != ALWAYS))
		return;
	note('!');
	for (unsigned i = 0; i < world.nr_runs; i++)
		world.runs[i].bad = true;
	world.happened = true;
	world.act();
}

static void begin_step(char what)
{
	between(2 * world.steps);
	note(what);
	if (world.steps < MANY)
		return;
	ok(false, "each request comes to an end");
	expected("some steps");
	but_got("%u, and no end; they begin with %.40s", world.steps, world.log);
	because("a kernel may reseed at any moment, and memory be scarce for long. If each try "
		"can fail, all can");
	exit(done_testing());
}

static void end_step(void)
{
	between(2 * world.steps + 1);
	world.steps++;
}

static bool has_zeros(const u8 *bytes, size_t size)
{
	static const u8 zeros[8];

	for (size_t at = 0; at + 8 <= size; at++)
		if (!memcmp(bytes + at, zeros, 8))
			return true;
	return false;
}

static bool is_bad_key(const u8 *key)
{
	if (has_zeros(key, CHACHA_KEY_SIZE))
		return true;
	if (world.happened && is_in(world.before, sizeof(world.before), key, CHACHA_KEY_SIZE))
		return true;
	for (unsigned i = 0; i < world.nr_runs; i++)
		if (world.runs[i].bad &&
		    is_in(world.runs[i].made, world.runs[i].size, key, CHACHA_KEY_SIZE))
			return true;
	return false;
}

/* Somewhere between these two? */
static bool within(const u8 *at, size_t size, const u8 *start, size_t length)
{
	return at >= start && at + size <= start + length;
}

u64 arch_chacha20_blocks(u8 *to, const u8 key[CHACHA_KEY_SIZE], u64 counter, size_t blocks)
{
	size_t size = blocks * CHACHA_BLOCK_SIZE;
	struct run *run = &world.runs[world.nr_runs];

	begin_step('C');
	if (blocks > LARGEST / CHACHA_BLOCK_SIZE ||
	    (!within(to, size, out, wanted) &&
	     !within(to, size, state->batch_key, sizeof(state->batch_key)))) {
		ok(false, "the cipher writes into the buffer and into the state");
		expected("a place in one of them for %zu blocks", blocks);
		but_got("%s",
			within(to, 1, out, wanted)
				? "a place in the buffer, and its end is nearer than that"
				: "neither; the state has two blocks, batch and key together");
		if (within(to, 1, out, wanted))
			because("whole blocks go into the buffer as long as they fit, the rest "
				"comes "
				"through the batch");
		else
			because("whatever has been on the stack stays there, for a core dump "
				"to "
				"find");
		exit(done_testing());
	}
	if (world.nr_runs < MAX_RUNS && world.made_size + size <= sizeof(world.made)) {
		memcpy(run->key, key, CHACHA_KEY_SIZE);
		run->bad = is_bad_key(key);
		run->made = world.made + world.made_size;
		run->size = size;
		rfc_blocks(world.made + world.made_size, run->key, counter, blocks);
		memcpy(to, run->made, size);
		world.made_size += size;
		world.nr_runs++;
	} else {
		u8 copy[CHACHA_KEY_SIZE];

		memcpy(copy, key, sizeof(copy));
		rfc_blocks(to, copy, counter, blocks);
	}
	end_step();
	return counter + blocks;
}

/* The kernel. Its numbers are none that the cipher makes. */
static u64 seed = 1;

long fake_syscall3(long nr, long buffer, long len, long flags)
{
	u8 *to = (u8 *)buffer;
	long answer = len;

	begin_step('K');
	if (nr == ARCH_NR_GETRANDOM && to == state->key && len == CHACHA_KEY_SIZE && !flags) {
		world.keys++;
		if (world.answer) {
			answer = world.answer;
			world.answer = 0;
		}
	} else if (nr == ARCH_NR_GETRANDOM && to == out && (size_t)len == wanted) {
		world.whole++;
	} else {
		world.others++;
	}
	for (long i = 0; i < answer; i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		to[i] = (u8)(seed >> 56);
	}
	end_step();
	return answer;
}

/* Only the order of steps is looked at, not that of loads. */
void fake_load(const volatile void *address)
{
	(void)address;
}

void fake_store(const volatile void *address)
{
	(void)address;
}

/* One request. Returns true if it got all of what it asked for, and not a byte more. */
static bool ask(size_t len)
{
	void (*act)(void) = world.act;
	unsigned moment = world.moment;
	long answer = world.answer;

	memset(&world, 0, sizeof(world));
	world.act = act;
	world.moment = moment;
	world.answer = answer;
	memcpy(world.before, state->batch_key, sizeof(world.before));
	memset(out, 0x5a, sizeof(out));
	wanted = len;
	return fake_getrandom(out, len, 0, state, sizeof(*state)) == (long)len &&
	       out[len] == 0x5a && !world.others;
}

/* A state of this generation, with a key and left bytes of its batch. */
static void give_key(unsigned left)
{
	world.act = NULL;
	world.answer = 0;
	memset(state, 0, sizeof(*state));
	for (unsigned i = 0; i < sizeof(state->batch_key); i++)
		state->batch_key[i] = (u8)(199 * i * i + 83 * i + 11);
	state->pos = (u8)(sizeof(state->batch) - left);
	memset(state->batch, 0, state->pos);
	state->generation = atomic_load(&vdso_rng_data.generation);
}

/* What must not be among the bytes that were given out; NULL if nothing of it is. */
static const char *leak(void)
{
	if (has_zeros(out, wanted))
		return "zeros, which everybody can guess";
	if (world.happened && is_in(out, wanted, world.before, sizeof(world.before)))
		return "bytes of the batch that was there before";
	for (unsigned i = 0; i < world.nr_runs; i++) {
		const struct run *run = &world.runs[i];

		if (is_in(out, wanted, run->key, sizeof(run->key)))
			return "a key";
		if (run->bad && is_in(out, wanted, run->made, run->size))
			return has_zeros(run->key, sizeof(run->key))
				       ? "numbers made with a key of zeros"
				       : "numbers made with the old key";
	}
	return is_in(out, wanted, state->key, sizeof(state->key)) ? "the next key" : NULL;
}

static void test_new(void)
{
	unsigned keys = 0, whole = 0, others = 0, number;
	const char *found = NULL;
	bool got = true;

	world.act = NULL;
	wipe();
	for (number = 0; number < 1000 && got && !found; number++) {
		got = ask(16);
		found = leak();
		keys += world.keys;
		whole += world.whole;
		others += world.others;
	}
	if (ok(got && !found && keys == 1 && !whole,
	       "a new state fetches a key, once, and a thousand numbers are made of it"))
		return;
	diag("the state is new: zeros, and so is its generation. That of the kernel is 7");
	expected("1 system call for 32 bytes at state->key, without flags, and no other");
	but_got("%u of them, %u for the whole request, %u others, after %u numbers", keys,
		whole, others, number);
	if (!got && !others)
		diag("number %u did not get 16 bytes, or also a byte behind them", number);
	else if (found)
		diag("among number %u are %s", number, found);
	if (others)
		because("a key has 32 bytes and goes to its place at once: what was on the "
			"stack stays there. No other request needs the kernel");
	else if (!keys && !whole)
		because("generation 0 is that of no key. Key and batch of such a state are "
			"zeros");
	else if (keys > 1 || whole)
		because("a key is good until the kernel reseeds. How much of a batch has been "
			"given out is state->pos, and in a new one it is nothing");
	else if (found && number == 1)
		because("a new key comes to a state whose batch is of no key, or of an old "
			"one. "
			"state->pos can say that nothing of it is left");
	else
		because("state->pos bytes of the batch were given out and are zero, and up to "
			"%zu there are others. take() looks at no limit",
			sizeof(state->batch));
}

/* All bytes of many requests, and to which request each belongs. */
static u8 given[120000];
static unsigned short request[sizeof(given)];

static int by_bytes(const void *a, const void *b)
{
	return memcmp(given + *(const unsigned *)a, given + *(const unsigned *)b, 8);
}

static void test_once(void)
{
	static unsigned order[sizeof(given)];
	unsigned size = 0, count = 0, twice = 0, whole = 0;
	const char *found = NULL;
	bool got = true;
	size_t len = 0;

	give_key(0);
	for (unsigned i = 1; got && !found && !whole && i <= 420; i++) {
		/* 1 to 400, in another order, then large ones. */
		len = i <= 400 ? i * 171 % 401 : 200 * i - 79901;
		if (len > LARGEST)
			len = LARGEST;
		if (size + len > sizeof(given))
			break;
		got = ask(len);
		found = leak();
		whole += world.whole;
		memcpy(given + size, out, len);
		for (size_t k = 0; k < len; k++)
			request[size + k] = (unsigned short)len;
		size += (unsigned)len;
	}
	for (unsigned at = 0; at + 8 <= size; at++)
		order[count++] = at;
	qsort(order, count, sizeof(*order), by_bytes);
	for (unsigned i = 1; i < count && !twice; i++)
		if (!memcmp(given + order[i - 1], given + order[i], 8))
			twice = i;
	if (ok(got && !found && !whole && !twice,
	       "whatever is asked for, no byte is given out twice"))
		return;
	if (whole) {
		diag("a request for %zu bytes; there is a key, and the batch has no more", len);
		expected("no system call");
		but_got("%u for the whole request", world.whole);
		because("a key makes as many numbers as anybody wants, until the kernel "
			"reseeds");
	} else if (!got) {
		expected("%zu bytes, and the one behind them untouched", len);
		but_got("more or less; state->pos is %u of %zu", state->pos,
			sizeof(state->batch));
	} else if (found) {
		diag("among %zu bytes are %s", len, found);
		because("a batch ends where the key begins. And of a key's blocks some are "
			"given "
			"out, others become the next batch and key; the counter keeps them "
			"apart");
	} else {
		diag("a request for %u bytes and one for %u (or the same) have eight bytes in "
		     "common",
		     request[order[twice - 1]], request[order[twice]]);
		because("the cipher makes the same of the same key and the same counter, "
			"always. "
			"It says with which counter to go on");
	}
}

static void test_erased(void)
{
	const char *what = NULL;
	unsigned runs = 0;
	size_t len;

	give_key(0);
	for (len = 8; !what && len <= 400; len += 7) {
		bool got = ask(len);

		runs += world.nr_runs;
		if (!got)
			what = "another number of bytes";
		else if (is_in((const u8 *)state, sizeof(*state), out, len))
			what = "bytes that have been given out";
		for (unsigned i = 0; i < world.nr_runs; i++)
			if (is_in((const u8 *)state, sizeof(*state), world.runs[i].key,
				  CHACHA_KEY_SIZE))
				what = "the key that made what has been given out";
	}
	if (ok(!what && runs,
	       "what was given out, and each key that made it, is nowhere in the state"))
		return;
	if (!runs) {
		diag("the cipher was not run: there is nothing to erase yet");
		return;
	}
	diag("after a request for %zu bytes the state has", len - 7);
	diag("%s", what);
	because("who gets the state later, from a core dump or by a bug, must not learn what "
		"was said before. Two blocks are a new batch and a new key");
	tell_steps("");
}

/* After a reseed: does any byte of the old batch, or of the old key, make a difference? */
static bool old_bytes_matter(void)
{
	u64 start = seed;
	u8 first[40];

	for (int i = 0; i < 2; i++) {
		give_key(56);
		for (unsigned k = state->pos; k < sizeof(state->batch_key); k++)
			state->batch_key[k] ^= (u8)(0x55 * i);
		reseed();
		seed = start;
		ask(sizeof(first));
		if (i == 0)
			memcpy(first, out, sizeof(first));
	}
	return memcmp(first, out, sizeof(first)) != 0;
}

/* A state that has come from elsewhere, with its process. */
static bool is_newer_noticed(void)
{
	give_key(96);
	state->generation += 5;
	/* The kernel may answer the first one, but not each that follows. */
	return ask(40) && world.keys + world.whole > 0 && ask(40) && !world.whole;
}

static void test_reseed(void)
{
	const char *found;
	unsigned keys, later;
	bool got, newer = true;

	give_key(0);
	ask(40);
	world.act = reseed;
	world.moment = NEVER;
	reseed();
	got = ask(40);
	world.happened = true;
	found = leak();
	keys = world.keys;
	ask(40);
	later = world.keys + world.whole;
	if (!found && keys == 1 && !later) {
		if (old_bytes_matter())
			found = "some of the old batch";
		newer = is_newer_noticed();
	}
	if (ok(got && !found && keys == 1 && !later && newer,
	       "after a reseed a new key is fetched, and the rest of the batch is not used"))
		return;
	if (!newer) {
		diag("the generation of the state is 5 more than the kernel's");
		expected("a new key, and from then on no system call");
		but_got("%s", world.whole ? "a system call for each request" : "the old key");
		because("a process and its state may come from another machine, whose kernel "
			"has counted further. Whatever differs is not the kernel's");
		return;
	}
	diag("40 of 96 bytes of a batch were given out; then the kernel's generation has "
	     "changed");
	expected("the next 40 bytes from a new key, the 40 after them from the same");
	but_got("%u new keys, then %u more", keys, later);
	if (found)
		diag("among the bytes are %s", found);
	because("a kernel reseeds when what it has given out may be known, for instance after "
		"a copy of the whole machine was started");
}

/* An event at every moment of a request. Returns what was wrong, or NULL. */
static const char *interrupted(void (*act)(void), size_t len, bool fresh, unsigned *runs)
{
	for (unsigned moment = 0;; moment++) {
		const char *found;
		unsigned steps;

		give_key(50);
		if (fresh)
			wipe();
		world.act = NULL;
		if (moment == 0) {
			/* First without one. Nothing is interrupted if the cipher does not run.
			 */
			ask(len);
			*runs += world.nr_runs;
			give_key(50);
			if (fresh)
				wipe();
		}
		world.act = act;
		world.moment = moment;
		if (!ask(len))
			return "another number of bytes";
		found = leak();
		if (found)
			return found;
		steps = world.steps;
		if (!world.happened || moment > 2 * steps)
			return NULL;
	}
}

static void test_interrupted(void (*act)(void), const char *event, const char *name,
			     const char *why)
{
	static const size_t sizes[] = {40, 97, 300};
	const char *found = NULL;
	unsigned runs = 0, i;

	for (i = 0; i < 6 && !found; i++)
		found = interrupted(act, sizes[i / 2], i % 2, &runs);
	world.act = NULL;
	if (ok(!found && runs, "%s", name))
		return;
	if (!found) {
		diag("the cipher was not run: there is nothing to come in between yet");
		return;
	}
	diag("a request for %zu bytes, %s:", sizes[(i - 1) / 2],
	     (i - 1) % 2 ? "to a new state" : "with 50 bytes in the batch");
	expected("none of what was there before %s", event);
	but_got("%s", found);
	because("%s", why);
	tell_steps(event);
}

static void test_no_key(void)
{
	static const long answers[] = {-4, 31};
	bool right = true, got = false, again = false;
	const char *found = NULL;
	unsigned i, whole = 0;

	for (i = 0; i < 2 && right; i++) {
		world.act = NULL;
		wipe();
		world.answer = answers[i];
		got = ask(40) && world.keys == 1;
		whole = world.whole;
		world.answer = 0;
		again = ask(40) && (world.keys == 1 || world.whole == 1);
		found = leak();
		right = got && whole == 1 && again && !found;
	}
	world.answer = 0;
	if (ok(right,
	       "if there is no key to be had the kernel answers, and is asked again next time"))
		return;
	diag("the call for a key %s",
	     answers[i - 1] < 0 ? "has failed, with EINTR" : "has got 31 bytes of 32");
	expected("1 system call for all 40 bytes; at the next request one for a key");
	but_got("%u, then %s", whole, again ? "one" : "none");
	if (found)
		diag("among the bytes of that request are %s", found);
	because("whoever writes down a generation says that there is a key of it");
}

static void test_endless(void)
{
	unsigned runs;
	bool got;

	give_key(0);
	ask(100);
	runs = world.nr_runs;
	give_key(0);
	world.act = reseed;
	world.moment = ALWAYS;
	got = ask(100);
	world.act = NULL;
	if (ok(got && world.whole == 1 && runs,
	       "a kernel that reseeds without end: the request ends with a system call"))
		return;
	if (!runs) {
		diag("the cipher was not run: there is nothing to come in between yet");
		return;
	}
	expected("some tries, then 1 system call for all 100 bytes");
	but_got("%u steps, %u such calls", world.steps, world.whole);
	because("every doubt ends in the system call");
	tell_steps("a reseed");
}

int main(void)
{
	test_new();
	test_once();
	test_erased();
	test_reseed();
	test_interrupted(
		reseed, "the reseed",
		"a reseed in the middle of a request: what the old key made is "
		"thrown away",
		"the generation was right when the request began. Whether it still is, "
		"says only a look after everything else");
	test_interrupted(
		wipe, "the zeros", "a state that turns into zeros in the middle is noticed",
		"a forked child finds its state like this, and so does everybody when memory "
		"is scarce. With a key of zeros all get the same; and what was made before, "
		"the parent has, too");
	test_no_key();
	test_endless();
	return done_testing();
}
