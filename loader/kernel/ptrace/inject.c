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
#include "kernel/ptrace/kernel_vdso.h"
#include "kernel/ptrace/row.h"

/* How far into an image to look for an instruction: the kernel's have 4 or 8 KiB. */
#define LOOK_MAX 32768

/* Its stack ends this close to the top of what a program can have, if it is not random. */
#define STACK_TOP_SPAN 16384

/* Of all programs. */
static struct kernel_vdso known;

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
	int pair[2]; /* sockets that are open there, or -1 */
	unsigned how;
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
	int err = HOST_ENTRY_TYPE == AT_NULL || t->how & INJECT_KEEP
			  ? 0
			  : inject_rewrite_entry(pid, t->vector, &t->vec, HOST_ENTRY_TYPE,
						 vdso->entry);

	if (err)
		return err;
	return inject_rewrite_entry(pid, t->vector, &t->vec, AT_SYSINFO_EHDR, vdso->ehdr);
}

static struct mm_map describe(const struct target *t)
{
	const unsigned long *field = t->stat;
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

	return map;
}

/*
 * The kernel keeps a copy of the vector for /proc/PID/auxv and PR_GET_AUXV. It can only be
 * changed together with all else that the kernel records of a process; /proc/PID/stat shows
 * the rest.
 */
static int tell_kernel(const struct target *t)
{
	struct traced *traced = t->traced;
	struct mm_map map = describe(t);
	uintptr_t at = traced_room(traced);
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

static void note_unmapped(struct injection *injection, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		injection->range[injection->unmapped++] =
			kernel_vdso_range(&known, i, injection->kernel_vdso);
}

/* Mappings that lie side by side are unmapped by one call. */
static struct map_range group(const struct injection *injection, unsigned first, unsigned end)
{
	struct map_range range = kernel_vdso_range(&known, first, injection->kernel_vdso);

	range.end = kernel_vdso_range(&known, end - 1, injection->kernel_vdso).end;
	return range;
}

static void unmap(const struct target *t, unsigned first, unsigned end)
{
	struct map_range range = group(t->injection, first, end);

	/* It can fail where the kernel has sealed its vDSO (mseal(2)). */
	if (!process_call(&t->traced->process, SYS_munmap, (long)range.start,
			  (long)(range.end - range.start)))
		note_unmapped(t->injection, first, end);
}

/*
 * The calls are made from the kernel's vDSO. It may be unmapped all the same, if it goes last:
 * at the end of that call the process is inside the kernel, and continues elsewhere.
 */
static void unmap_kernel_vdso(const struct target *t)
{
	unsigned last = 0, last_end = 0;

	for (unsigned i = 0, end; i < known.count; i = end) {
		if (kernel_vdso_group(&known, i, &end)) {
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
	uintptr_t image = t->injection->kernel_vdso, instruction;
	int err = 0;

	if (t->traced->instruction)
		return 0;
	if (!known.instruction) {
		instruction = inject_find_syscall(t->traced->pid, image, &err);
		if (err)
			return error_self(error, err, NULL, "cannot read its memory: %s",
					  error_words(err));
		if (!instruction)
			return error_self(error, -ENOEXEC, NULL, "the kernel gave it no vDSO");
		known.instruction = instruction - image;
	}
	err = traced_ready(t->traced, image + known.instruction);
	return err ? error_self(error, err, NULL, "%s", error_words(err)) : 0;
}

/* What it does not have yet it is sent. */
static int send_files(struct target *t, const struct vdso_files *files, struct error *error)
{
	bool inherited = t->how & INJECT_INHERITED;
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

static void close_sockets(struct target *t)
{
	for (int i = 0; i < 2; i++) {
		if (t->pair[i] >= 0)
			process_close(&t->traced->process, t->pair[i]);
		t->pair[i] = -1;
	}
}

static void close_files(struct target *t)
{
	for (unsigned i = 0; i < t->opened; i++)
		process_close(&t->traced->process, t->open[i]);
	close_sockets(t);
}

#if HOST_CALLS

/* Fills the list. Returns 0, or -errno if something for it is missing. */
static int make_list(struct target *t, struct row *row, const struct vdso_files *files,
		     unsigned *needed)
{
	struct traced *traced = t->traced;
	const struct row_block *there = (const void *)row->at;
	struct error error;
	int err;

	row_begin(traced, row);
	err = vdso_files_place(&traced->process, files, &t->injection->vdso, &error);
	if (err)
		return err;
	row->block.map = describe(t);
	err = (int)process_call(&traced->process, SYS_prctl, PR_SET_MM, PR_SET_MM_MAP,
				(long)&there->map, (long)mm_map_fit(&row->block.map));
	*needed = row->count;
	for (unsigned i = 0; i < t->opened; i++)
		process_close(&traced->process, t->open[i]);
	for (int i = 0; i < 2 && t->pair[i] >= 0; i++)
		process_close(&traced->process, t->pair[i]);
	if (row->sends)
		row_clear(row, traced_room(traced), TRACED_MESSAGE);
	return err;
}

/* The rest of the steps, which may fail. */
static void finish_one_by_one(struct target *t)
{
	close_files(t);
	clear_room(t);
	unmap_kernel_vdso(t);
}

/* Leaves the process as it was, so that its calls can be made one by one. */
static void undo(const struct target *t, int made)
{
	struct injection *injection = t->injection;
	struct error error;

	inject_rewrite_entry(t->traced->pid, t->vector, &t->vec, AT_SYSINFO_EHDR,
			     injection->kernel_vdso);
	if (made > 0 && injection->vdso.length && !ready(t, &error))
		vdso_unplace(&t->traced->process, &injection->vdso);
	injection->vdso = (struct placement){0};
}

/* Is it known to be one mapping after the other, of which the image is one? */
static bool is_one_group(void)
{
	unsigned end;

	return known.count && kernel_vdso_group(&known, 0, &end) && end == known.count;
}

/*
 * The row is ready: is the process left to itself, or are we there to see it through? Returns
 * 0, or -errno, and everything is as it was.
 */
static int run_list(struct target *t, struct row *row, unsigned needed)
{
	struct injection *injection = t->injection;
	struct map_range range = group(injection, 0, known.count);
	size_t size = range.end - range.start;
	int made;

	if (t->how & INJECT_LEAVE && known.goes && injection->vdso.landing &&
	    !row_leave(t->traced, row, &injection->vdso, range.start, size)) {
		note_unmapped(injection, 0, known.count);
		return 0;
	}
	made = row_run(t->traced, row);
	if (made == (int)row->count &&
	    row_last(t->traced, row, SYS_munmap,
		     (const long[6]){(long)range.start, (long)size}) == 0) {
		known.goes = true;
		note_unmapped(injection, 0, known.count);
	}
	row_end(t->traced, row, known.page);
	if (t->traced->gone)
		return -ESRCH;
	if (made == (int)row->count)
		return 0;
	if (made >= (int)needed && !ready(t, &(struct error){0}))
		finish_one_by_one(t);
	else
		undo(t, made);
	return made >= (int)needed ? 0 : -EAGAIN;
}

/*
 * All calls in a row, from the place of the kernel's vDSO, which goes with the last one.
 * Returns 0, or -errno, and everything is as it was: one by one they say what the matter is.
 */
static int place_in_a_row(struct target *t, const struct vdso_files *files)
{
	struct traced *traced = t->traced;
	static struct row row;
	int own[TRACED_FDS], err;
	bool inherited = t->how & INJECT_INHERITED;
	unsigned needed;

	if (t->how & INJECT_KEEP || t->stat[33] & 1ul << (SIGTRAP - 1) || !is_one_group())
		return -ENOTSUP;
	err = row_open(traced, &row, t->injection->kernel_vdso);
	if (err)
		return err;
	row.own = own;
	row.random = t->stat[51] && t->stat[51] + STACK_TOP_SPAN < HOST_USER_TOP;
	if (inherited) {
		const int all[] = {files->data, files->image, files->counters};

		for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
			if (all[i] >= 0)
				own[row.owned++] = t->open[t->opened++] = all[i];
	}
	if (!inherited || files->offsets >= 0) {
		err = row_make_sockets(traced, &row, traced_room(traced));
		if (!err)
			memcpy(t->pair, row.block.pair, sizeof(t->pair));
	}
	if (!err)
		err = make_list(t, &row, files, &needed);
	if (!err && row.sends)
		err = row_send(traced, &row, traced_room(traced));
	if (!err)
		err = rewrite_vector(t);
	if (!err)
		return run_list(t, &row, needed);
	row_end(traced, &row, known.page);
	undo(t, 0);
	return err;
}

#else

static int place_in_a_row(struct target *t, const struct vdso_files *files)
{
	(void)t;
	(void)files;
	return -ENOTSUP;
}

#endif

static int place_one_by_one(struct target *t, const struct vdso_files *files,
			    struct error *error)
{
	struct traced *traced = t->traced;
	int err = ready(t, error);

	if (err)
		return err;
	close_sockets(t);
	t->opened = 0;
	err = send_files(t, files, error);
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
	if (!(t->how & INJECT_KEEP) && !HOST_KERNEL_VDSO_STAYS)
		unmap_kernel_vdso(t);
	if (traced->process.broken)
		return error_self(error, traced->error, NULL, "%s(2): %s",
				  traced->process.broken, strerror(-traced->error));
	return 0;
}

/* The vector, from the stack of a program that has not begun. */
static int read_vector(struct target *t, struct error *error)
{
	uintptr_t sp = traced_sp(t->traced), word;
	pid_t pid = t->traced->pid;
	size_t pairs = AUXVEC_MAX;
	int err = 0;

	t->vector = find_vector(pid, sp);
	if (!t->vector) {
		/* Is it not there, or can nothing be read? */
		err = traced_read(pid, sp, &word, sizeof(word));
		err = err ? err : -ENOENT;
		return error_self(error, err, NULL, "its vector cannot be changed: %s",
				  error_words(err));
	}
	/* After it come some strings, and then perhaps nothing. */
	while (pairs &&
	       (err = traced_read(pid, t->vector, t->vec.pair, pairs * sizeof(t->vec.pair[0]))))
		pairs--;
	if (err)
		return error_self(error, err, NULL, "its vector cannot be read: %s",
				  error_words(err));
	while (t->vec.count < pairs)
		if (t->vec.pair[t->vec.count++].a_type == AT_NULL)
			return 0;
	return error_self(error, -EINVAL, NULL, "its vector has no end");
}

/* What must be known of a program that has just been started. */
static int look(struct target *t, struct error *error)
{
	struct injection *injection = t->injection;
	pid_t pid = t->traced->pid;
	int err = read_vector(t, error);

	if (err)
		return err;
	err = proc_stat(pid, t->stat);
	if (err)
		return error_self(error, err, NULL, "/proc/%d: %s", pid, error_words(err));
	injection->interp = auxvec_get(&t->vec, AT_BASE);
	if (injection->kernel_vdso)
		return 0;
	injection->kernel_vdso = auxvec_get(&t->vec, AT_SYSINFO_EHDR);
	if (!injection->kernel_vdso)
		return error_self(error, -ENOEXEC, NULL, "its vector names no vDSO");
	err = kernel_vdso_learn(&known, pid, injection->kernel_vdso);
	return err ? error_self(error, err, NULL, "/proc/%d: %s", pid, error_words(err)) : 0;
}

#if HOST_CALLS

bool inject_has_stopped(pid_t pid)
{
	static struct row_block block;
	uintptr_t at;

	return row_find(pid, &block, &at) >= 0;
}

/* One that has been left to itself, and has come back: it is as if it had only been started. */
static int take_back(struct target *t)
{
	static struct row_block block;
	static struct row row;
	struct traced *traced = t->traced;
	struct error error;
	int made = row_find(traced->pid, &block, &t->injection->kernel_vdso), err;

	if (made < 0)
		return -ESRCH;
	err = traced_take_over(traced, traced->pid, &block.saved, block.mask);
	if (!err)
		err = row_open(traced, &row, t->injection->kernel_vdso);
	if (err)
		return err;
	row_end(traced, &row, known.page);
	memcpy(t->pair, block.pair, sizeof(t->pair));
	t->injection->vdso = block.vdso;
	err = look(t, &error);
	if (!err)
		undo(t, made);
	return err;
}

#else

bool inject_has_stopped(pid_t pid)
{
	(void)pid;
	return false;
}

static int take_back(struct target *t)
{
	(void)t;
	return -ENOTSUP;
}

#endif

static int take(struct target *t, struct error *error)
{
	pid_t pid = t->traced->pid;
	int err = t->how & INJECT_AGAIN ? take_back(t) : traced_take(t->traced, pid);

	if (err)
		return error_self(error, err, NULL, "%s",
				  err == -ENOEXEC ? "a program of another machine"
						  : error_words(err));
	return t->how & INJECT_AGAIN ? 0 : look(t, error);
}

int inject_vdso(struct traced *traced, pid_t pid, const struct vdso_files *files, unsigned how,
		struct injection *injection, struct error *error)
{
	static struct target t;
	int err;

	*injection = (struct injection){.kernel_vdso = 0};
	*traced = (struct traced){.pid = pid};
	t = (struct target){
		.traced = traced,
		.injection = injection,
		.pair = {-1, -1},
		.how = how,
	};
	err = take(&t, error);
	if (!err && (how & INJECT_AGAIN || place_in_a_row(&t, files)))
		err = traced->gone ? -ESRCH : place_one_by_one(&t, files, error);
	/* Else it has not been taken over. */
	if (traced->process.call)
		traced_release(traced);
	injection->left = traced->left;
	return err;
}
