/*
 * resolver-hostile.c - images that are malformed in every way that comes to mind.
 *
 * The oracle is the same for all of them: the image is refused, or what is found in it
 * lies in it. No crash and no endless loop: the copies lie against guard pages, and each
 * group runs in a child process, which looks whether it gets ahead. The child notes what it is
 * about to try in shared memory, so that after its death the parent can name the change that
 * killed it.
 */
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver.h"

#define STUCK_S 15 /* of CPU time, for one image of thousands in a second */

static struct attempt {
	const char *what;
	size_t offset;
	unsigned long long value;
	unsigned long count, accepted;
	const char *broken; /* set by the child when the oracle is */
	bool stuck;
} * attempt;

static struct image images[2];
static int nr_images;

static bool inside(const struct copy *copy, const void *address)
{
	return (uintptr_t)address - (uintptr_t)copy->image < copy->size;
}

/* Opens what may be anything. size is what open is told: the copy's, or 0. */
static bool survives(const struct copy *copy, size_t size)
{
	static const char *const versions[] = {VERSION, "linux-vdso.so.1", NULL};
	struct vdso_elf_entry entry;
	struct vdso_elf elf;
	const void *got;

	attempt->count++;
	if (vdso_elf_open(&elf, copy->image, size))
		return true;
	attempt->accepted++;
	for (size_t i = 0; i < 2 * NR_NAMES; i++) {
		for (size_t v = 0; v < 3; v++) {
			got = vdso_elf_symbol(&elf, names[i / 2][i % 2], versions[v]);
			attempt->broken = "a lookup gave an address outside of the image";
			if (got && !inside(copy, got))
				return false;
		}
	}
	vdso_elf_symbol(&elf, "absent", VERSION);
	for (unsigned int i = 0; i < vdso_elf_symbol_count(&elf); i++) {
		if (!vdso_elf_symbol_at(&elf, i, &entry))
			continue;
		attempt->broken = "the listing gave an address or a name outside of the image";
		if (!inside(copy, entry.address) ||
		    !inside(copy, entry.name + strlen(entry.name)))
			return false;
		if (entry.version && !inside(copy, entry.version + strlen(entry.version)))
			return false;
	}
	attempt->broken = NULL;
	return true;
}

/* Every second of CPU time: a machine may be slow, but not stay at one image. */
static void on_second(int signal)
{
	static unsigned long last;
	static int stuck;

	(void)signal;
	stuck = attempt->count == last ? stuck + 1 : 0;
	last = attempt->count;
	if (stuck < STUCK_S)
		return;
	attempt->stuck = true;
	_exit(1);
}

/* Runs a group in a child: its crash, its loop and its own verdict end up in one point. */
static void group(bool (*run)(void), const char *sentence)
{
	int status;
	pid_t pid;

	*attempt = (struct attempt){.what = "nothing yet"};
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		bail_out("cannot fork");
	if (pid == 0) {
		const struct itimerval second = {{1, 0}, {1, 0}};

		signal(SIGPROF, on_second);
		setitimer(ITIMER_PROF, &second, NULL);
		_exit(run() ? 0 : 1);
	}
	if (waitpid(pid, &status, 0) != pid)
		bail_out("cannot wait for a child");
	if (ok(status == 0, "%s (%lu images, %lu accepted)", sentence, attempt->count,
	       attempt->accepted))
		return;
	diag("%s at offset %#zx, value %#llx:", attempt->what, attempt->offset, attempt->value);
	if (attempt->stuck)
		diag("no answer within %d s: a program would hang at its start", STUCK_S);
	else if (!WIFSIGNALED(status))
		diag("%s", attempt->broken ? attempt->broken : "a wrong answer");
	else
		diag("signal %d: a program would crash at its start", WTERMSIG(status));
}

static bool try_lengths(void)
{
	for (int i = 0; i < nr_images; i++) {
		struct copy copy = copy_image(images[i], GUARD_BEHIND);
		struct vdso_elf elf;
		int error;

		attempt->what = "length";
		for (size_t size = 1; size < images[i].size; size++) {
			attempt->value = size;
			attempt->count++;
			copy_fill(&copy, GUARD_BEHIND, images[i].bytes, size);
			error = vdso_elf_open(&elf, copy.image, size);
			if (error != VDSO_ELF_TRUNCATED && error != VDSO_ELF_PHDRS) {
				attempt->broken = vdso_elf_error(error);
				return false;
			}
		}
		copy_free(&copy);
	}
	return true;
}

static ElfW(Phdr) * load_of(const struct copy *copy)
{
	const ElfW(Ehdr) *ehdr = (const void *)copy->image;
	ElfW(Phdr) *phdr = (void *)(copy->image + ehdr->e_phoff);

	while (phdr->p_type != PT_LOAD)
		phdr++;
	return phdr;
}

/* A PT_LOAD that is honest about its end: now the tables reach out of it. */
static bool try_segments(void)
{
	struct copy copy = copy_image(images[0], GUARD_BEHIND);
	size_t headers = (size_t)((unsigned char *)(load_of(&copy) + 1) - copy.image);

	attempt->what = "segment size";
	for (size_t size = headers; size <= images[0].size; size++) {
		attempt->value = size;
		copy_fill(&copy, GUARD_BEHIND, images[0].bytes, size);
		load_of(&copy)->p_filesz = load_of(&copy)->p_memsz = size;
		if (!survives(&copy, size))
			return false;
	}
	return true;
}

/* Where the last table ends that a resolver reads; what follows is code and debug data. */
static size_t tables_end(const struct copy *copy)
{
	ElfW(Dyn) *dyn = copy_dynamic(copy, DT_SYMTAB);

	while (dyn->d_tag != DT_NULL)
		dyn++;
	return (size_t)((unsigned char *)(dyn + 1) - copy->image);
}

/*
 * Who does not know the size believes PT_LOAD: a lie there cannot be found out. So the
 * groups that open with size 0 leave the headers alone.
 */
static size_t first_offset(const struct copy *copy, size_t size)
{
	const ElfW(Ehdr) *ehdr = (const void *)copy->image;

	return size ? 0 : ehdr->e_phoff + ehdr->e_phnum * sizeof(ElfW(Phdr));
}

static bool try_words_in(struct copy *copy, size_t size)
{
	const uint64_t s = copy->size;
	const uint64_t values[] = {
		0,
		1,
		2,
		3,
		7,
		8,
		16,
		s - 1,
		s,
		s + 1,
		s - 8,
		s - 16,
		0x7fff,
		0x8000,
		0xffff,
		0x7fffffff,
		0x80000000,
		0xfffffff8,
		0xffffffff,
		0x100000000,
		INT64_MAX,
		1ull << 63,
		-s,
		-8ull,
		-1ull,
		0xffffffffff700000,
		(uintptr_t)copy->image,
	};
	size_t end = tables_end(copy);

	for (size_t width = 2; width <= 8; width *= 2) {
		attempt->what = width == 2   ? "a half word"
				: width == 4 ? "a word"
					     : "a double word";
		for (size_t at = first_offset(copy, size); at + width <= end; at += width) {
			uint64_t was = 0;

			memcpy(&was, copy->image + at, width);
			attempt->offset = at;
			for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
				attempt->value = values[i];
				memcpy(copy->image + at, &values[i], width);
				if (!survives(copy, size))
					return false;
			}
			memcpy(copy->image + at, &was, width);
		}
	}
	return true;
}

/*
 * The three ways to a name: both tables (GNU is taken), DT_GNU_HASH, DT_HASH. False if the
 * image has no such way; some kernels' have one table only.
 */
static bool choose_tables(struct copy *copy, int way)
{
	ElfW(Dyn) *gnu = copy_find_dynamic(copy, DT_GNU_HASH);
	ElfW(Dyn) *hash = copy_find_dynamic(copy, DT_HASH);

	if (way && (!gnu || !hash))
		return false;
	if (way)
		(way == 1 ? hash : gnu)->d_tag = TAG_GONE;
	return true;
}

static bool try_words(void)
{
	for (int way = 0; way < 3; way++) {
		struct copy copy = copy_image(images[0], GUARD_BEHIND);

		choose_tables(&copy, way);
		if (!try_words_in(&copy, copy.size))
			return false;
		copy_fill(&copy, GUARD_BEFORE, images[0].bytes, copy.size);
		choose_tables(&copy, way);
		/* What is found may lie anywhere in the last page then. */
		copy.size = copy.map_size - 2 * COPY_PAGE;
		if (!try_words_in(&copy, 0))
			return false;
		copy_free(&copy);
	}
	return true;
}

/* xorshift64: the same sequence everywhere, so that a failure comes back. */
static uint64_t next_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static bool fuzz(struct copy *copy, size_t size, unsigned int rounds)
{
	size_t first = first_offset(copy, size), end = tables_end(copy);
	unsigned char good[32768];

	memcpy(good, copy->image, end);
	attempt->what = "random bytes, the last";
	while (rounds--) {
		/* Few changes: an image with many does not come past the first checks. */
		for (uint64_t n = 1 + next_random() % 3; n > 0; n--) {
			attempt->offset = first + next_random() % (end - first);
			attempt->value = next_random() >> 56;
			copy->image[attempt->offset] = (unsigned char)attempt->value;
		}
		if (!survives(copy, size))
			return false;
		memcpy(copy->image, good, end);
	}
	return true;
}

static bool try_random(void)
{
	for (int i = 0; i < nr_images; i++) {
		struct copy copy = copy_image(images[i], GUARD_BEHIND);

		for (int way = 0; way < 3; way++) {
			copy_fill(&copy, GUARD_BEHIND, images[i].bytes, images[i].size);
			if (!choose_tables(&copy, way))
				continue;
			if (!fuzz(&copy, copy.size, 30000))
				return false;
			copy_fill(&copy, GUARD_BEFORE, images[i].bytes, images[i].size);
			choose_tables(&copy, way);
			copy.size = copy.map_size - 2 * COPY_PAGE;
			if (!fuzz(&copy, 0, 10000))
				return false;
		}
		copy_free(&copy);
	}
	return true;
}

int main(void)
{
	images[nr_images++] = image_builtin();
	images[nr_images] = kernel_image();
	if (images[nr_images].bytes)
		nr_images++;
	attempt = mmap(NULL, sizeof(*attempt), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (attempt == MAP_FAILED)
		bail_out("no shared memory");

	group(try_lengths, "an image that ends too early is refused as such at every length");
	group(try_segments, "a PT_LOAD of any size is refused or safe");
	group(try_words, "a hostile value in any word of any table is refused or safe");
	group(try_random, "random changes are refused or safe");
	return done_testing();
}
