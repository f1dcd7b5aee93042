/*
 * inject.c - see inject.h.
 */
#include <elf.h>
#include <errno.h>
#include <host.h>
#include <linux/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/base/auxvec.h"
#include "kernel/ptrace/inject.h"
#include "kernel/base/mm_map.h"
#include "kernel/base/proc.h"

/* How far into an image to look for an instruction: the kernel's have 4 or 8 KiB. */
#define LOOK_MAX 32768

/* Some ten kilobytes; one process is dealt with at a time. */
static struct maps maps;

uintptr_t inject_find_syscall(pid_t pid, uintptr_t image, int *err)
{
	static unsigned char bytes[LOOK_MAX];
	size_t size = sizeof(bytes);

	/* As much of it as there is. */
	while (size && (*err = traced_read(pid, image, bytes, size)))
		size -= VDSO_PAGE_SIZE;
	for (size_t i = 0; i + sizeof(traced_instruction) <= size; i++)
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

static int rewrite_vector(pid_t pid, uintptr_t vector, const struct auxvec *vec,
			  const struct placement *vdso, bool keep_kernel_vdso)
{
	int err =
		HOST_ENTRY_TYPE == AT_NULL || keep_kernel_vdso
			? 0
			: inject_rewrite_entry(pid, vector, vec, HOST_ENTRY_TYPE, vdso->entry);

	if (err)
		return err;
	return inject_rewrite_entry(pid, vector, vec, AT_SYSINFO_EHDR, vdso->ehdr);
}

/*
 * The kernel keeps a copy of the vector for /proc/PID/auxv and PR_GET_AUXV. It can only be
 * changed together with all else that the kernel records of a process; /proc/PID/stat shows
 * the rest.
 */
static int tell_kernel(struct traced *traced, uintptr_t vector, const struct auxvec *vec)
{
	uintptr_t at = traced_room(traced);
	static const char nothing[sizeof(struct mm_map)];
	unsigned long field[PROC_STAT_FIELDS];
	struct mm_map map;
	long result = proc_stat(traced->pid, field);

	if (result)
		return (int)result;
	/* A fresh heap is empty: it ends where it starts. */
	map = (struct mm_map){
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
		.auxv = vector,
		.auxv_size = (uint32_t)(vec->count * sizeof(vec->pair[0])),
		.exe_fd = (uint32_t)-1,
	};
	result = traced_write(traced->pid, at, &map, sizeof(map));
	if (!result)
		result = process_call(&traced->process, SYS_prctl, PR_SET_MM, PR_SET_MM_MAP,
				      (long)at, sizeof(map));
	/* Below a fresh stack there are only zeros. */
	traced_write(traced->pid, at, nothing, sizeof(nothing));
	return result < 0 ? process_error(&traced->process, "prctl", result) : 0;
}

static void unmap(struct traced *traced, struct injection *injection, size_t first, size_t end)
{
	uintptr_t start = maps.range[first].start;

	/* It can fail where the kernel has sealed its vDSO (mseal(2)). */
	if (process_call(&traced->process, SYS_munmap, (long)start,
			 (long)(maps.range[end - 1].end - start)))
		return;
	for (size_t i = first; i < end && injection->unmapped < INJECT_RANGES; i++)
		injection->range[injection->unmapped++] = maps.range[i];
}

/*
 * What lies side by side goes with one call. The calls are made from the kernel's vDSO. It may
 * be unmapped all the same, if it goes last: at the end of that call the process is inside the
 * kernel, and continues elsewhere.
 */
static void unmap_kernel_vdso(struct traced *traced, struct injection *injection)
{
	size_t last = 0, last_end = 0;

	for (size_t i = 0, end; i < maps.count; i = end) {
		bool has_vdso = false;

		for (end = i; end < maps.count && maps_is_kernel_vdso(&maps.range[end]) &&
			      (end == i || maps.range[end].start == maps.range[end - 1].end);
		     end++)
			has_vdso |= maps.range[end].start == injection->kernel_vdso;
		if (has_vdso) {
			last = i;
			last_end = end;
		} else if (end > i) {
			unmap(traced, injection, i, end);
		}
		end += end == i;
	}
	if (last_end)
		unmap(traced, injection, last, last_end);
}

static int place(struct traced *traced, const struct vdso_files *files, bool inherited,
		 bool keep_kernel_vdso, const struct auxvec *vec, struct injection *injection,
		 struct error *error)
{
	struct vdso_files theirs = *files;
	int *const all[TRACED_FDS] = {&theirs.data, &theirs.image, &theirs.counters,
				      &theirs.offsets};
	int *sent[TRACED_FDS], ours[TRACED_FDS], fd[TRACED_FDS], open[TRACED_FDS], err = 0;
	unsigned count = 0, opened = 0;
	uintptr_t vector;

	for (unsigned i = 0; i < TRACED_FDS; i++) {
		if (*all[i] < 0)
			continue;
		if (inherited && all[i] != &theirs.offsets) {
			open[opened++] = *all[i];
		} else {
			ours[count] = *all[i];
			sent[count++] = all[i];
		}
	}
	if (count)
		err = traced_send_fds(traced, traced_room(traced), ours, fd, count);
	for (unsigned i = 0; !err && i < count; i++)
		*sent[i] = open[opened++] = fd[i];
	if (err)
		return error_self(error, err, NULL, "cannot send it descriptors: %s",
				  error_words(err));
	err = vdso_files_place(&traced->process, &theirs, &injection->vdso, error);
	for (unsigned i = 0; i < opened; i++)
		process_call(&traced->process, SYS_close, open[i]);
	if (err)
		return err;
	vector = find_vector(traced->pid, traced_sp(traced));
	err = vector ? rewrite_vector(traced->pid, vector, vec, &injection->vdso,
				      keep_kernel_vdso)
		     : -ENOENT;
	if (err) {
		vdso_unplace(&traced->process, &injection->vdso);
		return error_self(error, err, NULL, "its vector cannot be changed: %s",
				  error_words(err));
	}
	injection->vector_in_kernel = tell_kernel(traced, vector, vec);
	if (!keep_kernel_vdso && !HOST_KERNEL_VDSO_STAYS)
		unmap_kernel_vdso(traced, injection);
	if (traced->process.broken)
		return error_self(error, traced->error, NULL, "%s(2): %s",
				  traced->process.broken, strerror(-traced->error));
	return 0;
}

int inject_vdso(struct traced *traced, pid_t pid, const struct vdso_files *files,
		bool inherited, bool keep_kernel_vdso, struct injection *injection,
		struct error *error)
{
	struct auxvec vec;
	uintptr_t instruction;
	int err;

	*injection = (struct injection){.kernel_vdso = 0};
	*traced = (struct traced){.pid = pid};
	err = traced_check_machine(pid);
	if (err)
		return error_self(error, err, NULL, "%s",
				  err == -ENOEXEC ? "a program of another machine"
						  : error_words(err));
	err = auxvec_read(&vec, pid);
	if (!err)
		err = maps_read(&maps, pid);
	if (err)
		return error_self(error, err, NULL, "/proc/%d: %s", pid, error_words(err));
	injection->kernel_vdso = auxvec_get(&vec, AT_SYSINFO_EHDR);
	injection->interp = auxvec_get(&vec, AT_BASE);
	instruction = injection->kernel_vdso
			      ? inject_find_syscall(pid, injection->kernel_vdso, &err)
			      : 0;
	if (err)
		return error_self(error, err, NULL, "cannot read its memory: %s",
				  error_words(err));
	if (!instruction)
		return error_self(error, -ENOEXEC, NULL, "the kernel gave it no vDSO");
	err = traced_take(traced, pid, instruction);
	if (err)
		error_self(error, err, NULL, "%s", error_words(err));
	else
		err = place(traced, files, inherited, keep_kernel_vdso, &vec, injection, error);
	traced_release(traced);
	return err;
}
