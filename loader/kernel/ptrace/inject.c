/*
 * inject.c - see inject.h.
 */
#include <elf.h>
#include <errno.h>
#include <host.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/base/auxvec.h"
#include "kernel/ptrace/inject.h"
#include "kernel/base/mm_map.h"
#include "kernel/base/proc.h"
#include "kernel/ptrace/row.h"

/* How far into an image to look for an instruction: the kernel's have 4 or 8 KiB. */
#define LOOK_MAX 32768

/* One process is dealt with at a time. */
static struct maps maps;

/* What is known of a fresh program, and where its vDSO comes from. */
struct target {
	struct traced *traced;
	struct injection *injection;
	struct auxvec vec;
	uintptr_t vector; /* its address there */
	unsigned long stat[PROC_STAT_FIELDS];
	struct vdso_files files; /* with its own descriptors */
	int open[TRACED_FDS];    /* those that are to be closed there */
	unsigned opened;
	bool keep_kernel_vdso;
};

uintptr_t inject_find_syscall(pid_t pid, uintptr_t image, int *err)
{
	static unsigned char bytes[LOOK_MAX];
	size_t size = sizeof(bytes);

	/* As much of it as there is, whatever the kernel takes for a page. */
	while (size && (*err = traced_read(pid, image, bytes, size)))
		size -= VDSO_SMALLEST_PAGE;
	/* Other bytes may look like one. The image begins at a page, so i is aligned as well.
	 */
	for (size_t i = 0; i + sizeof(traced_instruction) <= size; i += TRACED_ALIGN)
		if (!memcmp(bytes + i, traced_instruction, sizeof(traced_instruction)))
			return image + i;
	return 0;
}

/* course: begin 10b-inject */
/*
 * Where the vector is on a stack: after the arguments, their NULL, the environment and its
 * NULL. Returns 0 if it is not within what execve(2) accepts.
 */
static uintptr_t find_vector(pid_t pid, uintptr_t sp)
{
	uintptr_t word[512];
	uintptr_t at = sp;
	unsigned nulls = 0;

	/* The count of arguments could be anything; so count the NULLs. */
	for (at += sizeof(word[0]); at - sp < 64ul << 20;) {
		size_t words = sizeof(word) / sizeof(word[0]);

		while (words && traced_read(pid, at, word, words * sizeof(word[0])))
			words /= 2;
		if (!words)
			return 0;
		for (size_t i = 0; i < words; i++, at += sizeof(word[0]))
			if (word[i] == 0 && ++nulls == 2)
				return at + sizeof(word[0]);
	}
	return 0;
}

int inject_rewrite_entry(pid_t pid, uintptr_t vector, const struct auxvec *vec,
			 unsigned long type, uintptr_t value)
{
	for (size_t i = 0; i + 1 < vec->count; i++) {
		ElfW(auxv_t) pair;
		uintptr_t at = vector + i * sizeof(pair);
		int err = traced_read(pid, at, &pair, sizeof(pair));

		if (err)
			return err;
		if (pair.a_type != type)
			continue;
		/* An image without an entry: AT_SYSINFO goes, the program knows another way. */
		if (!value)
			pair.a_type = AT_IGNORE;
		pair.a_un.a_val = value;
		return traced_write(pid, at, &pair, sizeof(pair));
	}
	return -ENOENT;
}
/* course: end 10b-inject */

static int rewrite_vector(const struct target *t)
{
	const struct placement *vdso = &t->injection->vdso;
	pid_t pid = t->traced->pid;
	int err = HOST_ENTRY_TYPE == AT_NULL || t->keep_kernel_vdso
			  ? 0
			  : inject_rewrite_entry(pid, t->vector, &t->vec, HOST_ENTRY_TYPE,
						 vdso->entry);

	if (err)
		return err;
	return inject_rewrite_entry(pid, t->vector, &t->vec, AT_SYSINFO_EHDR, vdso->ehdr);
}

/*
 * The kernel keeps a copy of the vector for /proc/PID/auxv and PR_GET_AUXV. It can only be
 * changed together with all else that the kernel records of a process; /proc/PID/stat shows
 * the rest.
 */
static int tell_kernel(const struct target *t)
{
	struct traced *traced = t->traced;
	const unsigned long *field = t->stat;
	uintptr_t at = traced_room(traced);
	/* A fresh heap is empty: it ends where it starts. */
	struct mm_map map = {
		.start_code = field[26],
		.end_code = field[27],
		.start_stack = field[28],
		.start_data = field[45],
		.end_data = field[46],
		.start_brk = field[47],
		.brk = field[47],
		.arg_start = field[48],
		.arg_end = field[49],
		.env_start = field[50],
		.env_end = field[51],
		.auxv = t->vector,
		.auxv_size = (uint32_t)(t->vec.count * sizeof(t->vec.pair[0])),
		.exe_fd = (uint32_t)-1,
	};
	size_t size = mm_map_fit(&map);
	long result = traced_write(traced->pid, at, &map, size);

	if (!result)
		result = process_call(&traced->process, SYS_prctl, PR_SET_MM, PR_SET_MM_MAP,
				      (long)at, (long)size);
	/*
	 * Before Linux 5.15 not if the heap lies below the data, where a static-pie has it. For
	 * CAP_SYS_RESOURCE the vector alone can be changed.
	 */
	if (result == -EINVAL)
		result = process_call(&traced->process, SYS_prctl, PR_SET_MM, PR_SET_MM_AUXV,
				      (long)t->vector,
				      (long)(t->vec.count * sizeof(t->vec.pair[0])));
	return result < 0 ? process_error(&traced->process, "prctl", result) : 0;
}

/* Below a fresh stack there are only zeros. */
static void clear_room(const struct target *t)
{
	static const char nothing[sizeof(struct mm_map)];

	traced_write(t->traced->pid, traced_room(t->traced), nothing, sizeof(nothing));
}

static void note_unmapped(struct injection *injection, size_t first, size_t end)
{
	for (size_t i = first; i < end && injection->unmapped < INJECT_RANGES; i++)
		injection->range[injection->unmapped++] = maps.range[i];
}

static void unmap(const struct target *t, size_t first, size_t end)
{
	uintptr_t start = maps.range[first].start;

	/* It can fail where the kernel has sealed its vDSO (mseal(2)). */
	if (!process_call(&t->traced->process, SYS_munmap, (long)start,
			  (long)(maps.range[end - 1].end - start)))
		note_unmapped(t->injection, first, end);
}

/* The next mappings of the kernel's vDSO that lie side by side, from *first on. */
static bool find_group(size_t *first, size_t *end)
{
	while (*first < maps.count && !maps_is_kernel_vdso(&maps.range[*first]))
		++*first;
	for (*end = *first;
	     *end < maps.count && maps_is_kernel_vdso(&maps.range[*end]) &&
	     (*end == *first || maps.range[*end].start == maps.range[*end - 1].end);)
		++*end;
	return *end > *first;
}

static bool has_vdso(const struct target *t, size_t first, size_t end)
{
	return maps.range[first].start <= t->injection->kernel_vdso &&
	       t->injection->kernel_vdso < maps.range[end - 1].end;
}

/*
 * What lies side by side goes with one call. The calls are made from the kernel's vDSO. It may
 * be unmapped all the same, if it goes last: at the end of that call the process is inside the
 * kernel, and continues elsewhere.
 */
static void unmap_kernel_vdso(const struct target *t)
{
	size_t last = 0, last_end = 0;

	for (size_t i = 0, end; find_group(&i, &end); i = end) {
		if (has_vdso(t, i, end)) {
			last = i;
			last_end = end;
		} else {
			unmap(t, i, end);
		}
	}
	if (last_end)
		unmap(t, last, last_end);
}

/* From here on its calls can be made one by one. */
static int ready(const struct target *t, struct error *error)
{
	uintptr_t instruction;
	int err = 0;

	if (t->traced->instruction)
		return 0;
	instruction = inject_find_syscall(t->traced->pid, t->injection->kernel_vdso, &err);
	if (err)
		return error_self(error, err, NULL, "cannot read its memory: %s",
				  error_words(err));
	if (!instruction)
		return error_self(error, -ENOEXEC, NULL, "the kernel gave it no vDSO");
	err = traced_ready(t->traced, instruction);
	return err ? error_self(error, err, NULL, "%s", error_words(err)) : 0;
}

/* What it does not have yet it is sent. */
static int send_files(struct target *t, const struct vdso_files *files, bool inherited,
		      struct error *error)
{
	int *const all[TRACED_FDS] = {&t->files.data, &t->files.image, &t->files.counters,
				      &t->files.offsets};
	int *sent[TRACED_FDS], ours[TRACED_FDS], fd[TRACED_FDS], err;
	unsigned count = 0;

	t->files = *files;
	for (unsigned i = 0; i < TRACED_FDS; i++) {
		if (*all[i] < 0)
			continue;
		if (inherited && all[i] != &t->files.offsets) {
			t->open[t->opened++] = *all[i];
		} else {
			ours[count] = *all[i];
			sent[count++] = all[i];
		}
	}
	if (!count)
		return 0;
	err = ready(t, error);
	if (err)
		return err;
	err = traced_send_fds(t->traced, traced_room(t->traced), ours, fd, count);
	if (err)
		return error_self(error, err, NULL, "cannot send it descriptors: %s",
				  error_words(err));
	for (unsigned i = 0; i < count; i++)
		*sent[i] = t->open[t->opened++] = fd[i];
	return 0;
}

static void close_files(const struct target *t)
{
	for (unsigned i = 0; i < t->opened; i++)
		process_close(&t->traced->process, t->open[i]);
}

#if HOST_CALLS

/* One group, and the vDSO in it: the call that ends a row. */
static bool is_one_group(const struct target *t, size_t *first, size_t *end)
{
	size_t more, more_end;

	*first = 0;
	if (!find_group(first, end) || !has_vdso(t, *first, *end))
		return false;
	more = *end;
	return !find_group(&more, &more_end);
}

/* The list as far as it goes. Returns how many of needed calls have been made, or -errno. */
static int make_row(const struct target *t, struct row *row, unsigned *needed)
{
	struct traced *traced = t->traced;
	struct error error;
	int err = vdso_files_place(&traced->process, &t->files, &t->injection->vdso, &error);

	if (!err)
		err = rewrite_vector(t);
	*needed = row->count;
	close_files(t);
	if (!err)
		err = tell_kernel(t);
	if (!err)
		err = row_run(traced);
	clear_room(t);
	return err;
}

/*
 * All calls in a row, from the place of the kernel's vDSO, which goes with the last one.
 * Returns 0, or -errno, and everything is as it was: one by one they say what the matter is.
 */
static int place_in_a_row(const struct target *t)
{
	struct traced *traced = t->traced;
	struct injection *injection = t->injection;
	static struct row row;
	struct error error;
	size_t first, end;
	unsigned needed;
	int err, made;

	if (t->keep_kernel_vdso || t->stat[33] & 1ul << (SIGTRAP - 1) ||
	    !is_one_group(t, &first, &end))
		return -ENOTSUP;
	err = row_begin(traced, &row, injection->kernel_vdso);
	if (err)
		return err;
	made = make_row(t, &row, &needed);
	if (made == (int)row.count) {
		uintptr_t start = maps.range[first].start;

		if (row_last(traced, &row, SYS_munmap,
			     (const long[6]){(long)start,
					     (long)(maps.range[end - 1].end - start)}) == 0)
			note_unmapped(injection, first, end);
		row_end(traced, &row);
		return traced->gone ? -ESRCH : 0;
	}
	row_end(traced, &row);
	if (traced->gone)
		return -ESRCH;
	/* What is left can fail. */
	if (made >= (int)needed && !ready(t, &error)) {
		close_files(t);
		injection->vector_in_kernel = tell_kernel(t);
		clear_room(t);
		unmap_kernel_vdso(t);
		return 0;
	}
	inject_rewrite_entry(traced->pid, t->vector, &t->vec, AT_SYSINFO_EHDR,
			     injection->kernel_vdso);
	if (made > 0 && !ready(t, &error))
		vdso_unplace(&traced->process, &injection->vdso);
	injection->vdso = (struct placement){0};
	return -EAGAIN;
}

#else

static int place_in_a_row(const struct target *t)
{
	(void)t;
	return -ENOTSUP;
}

#endif

static int place_one_by_one(const struct target *t, struct error *error)
{
	struct traced *traced = t->traced;
	int err = ready(t, error);

	if (err)
		return err;
	err = vdso_files_place(&traced->process, &t->files, &t->injection->vdso, error);
	close_files(t);
	if (err)
		return err;
	err = rewrite_vector(t);
	if (err) {
		vdso_unplace(&traced->process, &t->injection->vdso);
		return error_self(error, err, NULL, "its vector cannot be changed: %s",
				  error_words(err));
	}
	t->injection->vector_in_kernel = tell_kernel(t);
	clear_room(t);
	if (!t->keep_kernel_vdso && !HOST_KERNEL_VDSO_STAYS)
		unmap_kernel_vdso(t);
	if (traced->process.broken)
		return error_self(error, traced->error, NULL, "%s(2): %s",
				  traced->process.broken, strerror(-traced->error));
	return 0;
}

static int place(struct target *t, const struct vdso_files *files, bool inherited,
		 struct error *error)
{
	uintptr_t sp = traced_sp(t->traced), word;
	int err;

	t->vector = find_vector(t->traced->pid, sp);
	if (!t->vector) {
		/* Is it not there, or can nothing be read? */
		err = traced_read(t->traced->pid, sp, &word, sizeof(word));
		err = err ? err : -ENOENT;
		return error_self(error, err, NULL, "its vector cannot be changed: %s",
				  error_words(err));
	}
	err = send_files(t, files, inherited, error);
	if (err)
		return err;
	if (!place_in_a_row(t))
		return 0;
	return t->traced->gone ? -ESRCH : place_one_by_one(t, error);
}

int inject_vdso(struct traced *traced, pid_t pid, const struct vdso_files *files,
		bool inherited, bool keep_kernel_vdso, struct injection *injection,
		struct error *error)
{
	static struct target t;
	int err;

	*injection = (struct injection){.kernel_vdso = 0};
	*traced = (struct traced){.pid = pid};
	t = (struct target){
		.traced = traced,
		.injection = injection,
		.keep_kernel_vdso = keep_kernel_vdso,
	};
	err = traced_check_machine(pid);
	if (err)
		return error_self(error, err, NULL, "%s",
				  err == -ENOEXEC ? "a program of another machine"
						  : error_words(err));
	err = auxvec_read(&t.vec, pid);
	if (!err)
		err = maps_read(&maps, pid);
	if (!err)
		err = proc_stat(pid, t.stat);
	if (err)
		return error_self(error, err, NULL, "/proc/%d: %s", pid, error_words(err));
	injection->kernel_vdso = auxvec_get(&t.vec, AT_SYSINFO_EHDR);
	injection->interp = auxvec_get(&t.vec, AT_BASE);
	if (!injection->kernel_vdso)
		return error_self(error, -ENOEXEC, NULL, "the kernel gave it no vDSO");
	err = traced_take(traced, pid);
	if (err)
		error_self(error, err, NULL, "%s", error_words(err));
	else
		err = place(&t, files, inherited, error);
	traced_release(traced);
	return err;
}
