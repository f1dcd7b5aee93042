/*
 * getrandom-repeats.c - nothing is given out twice: to threads, forked children, signal
 * handlers.
 *
 *	getrandom-repeats           10^7 bytes, a test
 *	RANDOM_BYTES=1e9 ...        as many as that (make random)
 *	getrandom-repeats stream    bytes without end to standard output, for batteries of tests
 *	getrandom-repeats spoilt    the same with a small fault, which a battery must find
 *
 * All that comes out is searched for pieces that came before, at whatever place: two states
 * with one key cut the same stream differently. To keep every piece would take sixteen times
 * the bytes. So a piece is kept if its first bytes say so, which they say of its twin as well:
 * one of 2^RARITY, chosen by what it is and not by where it lies. Kept are 64 bits of each.
 * That two different pieces have the same is expected n^2 / 2^65 times: for 10^9 bytes once in
 * 40,000 runs.
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "getrandom.h"

#define RARITY   5
#define PIECE    16
#define STREAM   (64u << 10) /* bytes that are looked through at once */
#define THREADS  3
#define CHILDREN 2 /* of each thread, one after the other, and one of each of these */
#define PARTS    (THREADS * (1 + CHILDREN * 2) + 1)

/* What each part draws from: a request's size. All ways through generate() (getrandom.c). */
static const size_t sizes[] = {16, 4, 96, 97, 32, 1, 300, 8, 63, 64, 4099, 33, 128, 256, 7};

/* One who draws: a thread, or a child. Its fingerprints are in memory that all share. */
struct part {
	struct vgetrandom_state *state;
	uint64_t *kept, *kept_by_handler;
	size_t count, handler_count, room, handler_room;
	uint64_t bytes, interrupted; /* in the middle of a request */
	uint8_t stream[STREAM];
};

static uint64_t bytes_each;
static struct part *parts;
static __thread struct part *mine;

static uint64_t word_at(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Two words into one, so that each bit of both counts. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	a = (a ^ a >> 31) * 0xbf58476d1ce4e5b9 + b;
	a = (a ^ a >> 29) * 0x94d049bb133111eb;
	return a ^ a >> 32;
}

static void keep(uint64_t *kept, size_t *count, size_t room, const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at + PIECE <= size; at++) {
		uint64_t word = word_at(bytes + at);

		if ((word & ((1u << RARITY) - 1)) == 0 && *count < room)
			kept[(*count)++] = mix(word, word_at(bytes + at + 8));
	}
}

/* Interrupts anything, also a request with the same state. */
static void on_signal(int signal)
{
	uint8_t out[48];
	int saved = errno;

	(void)signal;
	if (mine) {
		mine->interrupted += mine->state->in_use;
		if (own.getrandom(out, sizeof(out), 0, mine->state, STATE_SIZE) ==
		    (long)sizeof(out))
			keep(mine->kept_by_handler, &mine->handler_count, mine->handler_room,
			     out, sizeof(out));
	}
	errno = saved;
}

static void draw(struct part *part, uint64_t bytes)
{
	size_t size = 0, next = 0;

	for (uint64_t done = 0; done < bytes;) {
		size_t len = sizes[next++ % (sizeof(sizes) / sizeof(sizes[0]))];

		if (size + len > STREAM) {
			keep(part->kept, &part->count, part->room, part->stream, size);
			size = 0;
		}
		if (own.getrandom(part->stream + size, len, 0, part->state, STATE_SIZE) !=
		    (long)len)
			_exit(1);
		size += len;
		done += len;
		part->bytes += len;
	}
	keep(part->kept, &part->count, part->room, part->stream, size);
}

/* A child goes on with its parent's state, of which it finds zeros, and has a child itself. */
static void draw_in_child(struct part *part, struct vgetrandom_state *state, int generations)
{
	static const struct itimerval often = {{0, 200}, {0, 200}};
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		if (emulated()) /* it knows no memory that a child finds empty */
			memset(state, 0, STATE_SIZE);
		part->state = state;
		mine = part;
		setitimer(ITIMER_REAL, &often, NULL);
		draw(part, bytes_each / 2);
		if (generations > 1)
			draw_in_child(part + 1, state, generations - 1);
		draw(part, bytes_each - bytes_each / 2);
		_exit(0);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			break;
	if (child < 0 || status)
		bail_out("a child has not drawn its numbers");
}

static atomic_int threads_left;

static void *draw_in_thread(void *arg)
{
	struct part *part = arg;

	part->state = new_states(own.data);
	mine = part;
	for (int i = 0; i < CHILDREN; i++) {
		draw(part, bytes_each / (CHILDREN + 1));
		draw_in_child(part + 1 + 2 * i, part->state, 2);
	}
	draw(part, bytes_each / (CHILDREN + 1));
	mine = NULL;
	atomic_fetch_sub(&threads_left, 1);
	return NULL;
}

static struct part *make_parts(void)
{
	size_t room = (size_t)(bytes_each >> RARITY), size;

	/* Ten standard deviations above what is expected. */
	room += 10 * (size_t)sqrt((double)room) + 64;
	size = PARTS * (sizeof(struct part) + (room + room / 8 + 4096) * 8);
	parts = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (parts == MAP_FAILED)
		bail_out("no memory for %zu bytes of fingerprints", size);
	for (int i = 0; i < PARTS; i++) {
		uint64_t *kept = (uint64_t *)(parts + PARTS) + i * (room + room / 8 + 4096);

		parts[i].kept = kept;
		parts[i].room = room;
		parts[i].kept_by_handler = kept + room;
		parts[i].handler_room = room / 8 + 4096;
	}
	return parts;
}

/* Sorts by eleven bits at a time: qsort() would take most of the time of the long run. */
static void sort(uint64_t *words, uint64_t *other, size_t count)
{
	static size_t place[2048];

	for (int shift = 0; shift < 66; shift += 11) {
		size_t sum = 0;
		uint64_t *from = words;

		memset(place, 0, sizeof(place));
		for (size_t i = 0; i < count; i++)
			place[words[i] >> shift & 2047]++;
		for (size_t i = 0; i < 2048; i++) {
			size_t here = place[i];

			place[i] = sum;
			sum += here;
		}
		for (size_t i = 0; i < count; i++)
			other[place[words[i] >> shift & 2047]++] = words[i];
		words = other;
		other = from;
	}
}

static uint64_t *all, *room_to_sort;
static size_t count_all;

static size_t repeats(void)
{
	size_t twice = 0;

	sort(all, room_to_sort, count_all);
	for (size_t i = 1; i < count_all; i++)
		twice += all[i] == all[i - 1];
	return twice;
}

static void gather(void)
{
	size_t room = 4096;

	for (int i = 0; i < PARTS; i++)
		room += parts[i].count + parts[i].handler_count;
	all = malloc(room * sizeof(*all));
	room_to_sort = malloc(room * sizeof(*all));
	if (!all || !room_to_sort)
		bail_out("no memory for %zu fingerprints", room);
	for (int i = 0; i < PARTS; i++) {
		memcpy(all + count_all, parts[i].kept, parts[i].count * 8);
		count_all += parts[i].count;
		memcpy(all + count_all, parts[i].kept_by_handler, parts[i].handler_count * 8);
		count_all += parts[i].handler_count;
	}
}

/* The same key in two states: what the search must find. */
static void plant_a_twin(void)
{
	struct part *part = &parts[PARTS - 1];
	struct vgetrandom_state *one = new_states(own.data), *other = new_states(own.data);
	size_t room = count_all + 4096;

	part->state = one;
	draw(part, 100);
	memcpy(other, one, STATE_SIZE);
	own.getrandom(part->stream, 4096, 0, one, STATE_SIZE);
	keep(all, &count_all, room, part->stream, 4096);
	/* The twin's requests have other sizes. */
	own.getrandom(part->stream, 33, 0, other, STATE_SIZE);
	own.getrandom(part->stream + 33, 2000, 0, other, STATE_SIZE);
	keep(all, &count_all, room, part->stream, 2033);
}

static int stream(bool spoilt)
{
	static uint8_t out[STREAM];
	struct vgetrandom_state *state = new_states(own.data);

	for (size_t next = 0;;) {
		size_t size = 0;

		while (size + 4099 < STREAM) {
			size_t len = sizes[next++ % (sizeof(sizes) / sizeof(sizes[0]))];

			if (own.getrandom(out + size, len, 0, state, STATE_SIZE) != (long)len)
				return 1;
			size += len;
		}
		/* One bit of two thousand is 1 more often than it should be. */
		for (size_t at = 0; spoilt && at < size; at += 256)
			out[at] |= 1;
		size -= size % 4;
		for (size_t done = 0; done < size;) {
			ssize_t put = write(STDOUT_FILENO, out + done, size - done);

			if (put < 0)
				return 0; /* it has enough */
			done += (size_t)put;
		}
	}
}

int main(int argc, char **argv)
{
	const char *wanted = getenv("RANDOM_BYTES");
	double bytes = wanted ? strtod(wanted, NULL) : (double)rounds(10000000);
	const struct timespec pause = {0, 200000};
	uint64_t drawn = 0, interrupted = 0, handled = 0;
	pthread_t thread[THREADS];

	make_page();
	if (argc > 1) {
		signal(SIGPIPE, SIG_IGN);
		return stream(!strcmp(argv[1], "spoilt"));
	}
	if (!(bytes >= 1e5 && bytes <= 1e12))
		bail_out("RANDOM_BYTES=%s: from 1e5 to 1e12", wanted);
	bytes_each = (uint64_t)bytes / (THREADS * (1 + CHILDREN * 2)) + 1;
	make_parts();
	signal(SIGUSR1, on_signal);
	signal(SIGALRM, on_signal);
	atomic_store(&threads_left, THREADS);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, draw_in_thread,
				   &parts[i * (1 + CHILDREN * 2)]))
			bail_out("no thread");
	/* Signals to threads: a thread stays there until it is joined. */
	for (int i = 0; atomic_load(&threads_left); i++) {
		pthread_kill(thread[i % THREADS], SIGUSR1);
		if (i % 8 == 0)
			nanosleep(&pause, NULL);
		else
			sched_yield();
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < PARTS; i++) {
		drawn += parts[i].bytes;
		interrupted += parts[i].interrupted;
		handled += parts[i].handler_count;
	}
	gather();
	diag("%llu bytes, %zu pieces kept, %llu of them from signal handlers; %llu requests "
	     "interrupted in the middle",
	     (unsigned long long)drawn, count_all, (unsigned long long)handled,
	     (unsigned long long)interrupted);
	cmp_ok((double)drawn, >=, bytes,
	       "%d threads, each with %d children and grandchildren, have drawn all they "
	       "should",
	       THREADS, CHILDREN);
	/* Of so many pieces, one of 32 is kept: within ten standard deviations. */
	cmp_ok(fabs((double)count_all - (double)drawn / 32), <,
	       10 * sqrt((double)drawn / 32) + (double)handled + 1000,
	       "the search looks at as many pieces as it should");
	is(repeats(), 0, "no piece of it has come twice, to whomever");
	plant_a_twin();
	cmp_ok(repeats(), >, 0, "control: 2033 bytes of a state with a twin are found");
	return done_testing();
}
