/*
 * exec.c - see exec.h. The story, from top to bottom:
 *
 *   map the program and its interpreter          binary.c
 *   write the new vector and the new stack       auxvec.c, stack.c
 *   forget what the C library told the kernel    (rseq, robust list, thread id)
 *   list everything that must go                 maps.c, unmap.c
 *   jump: unmap it, copy the stack, be gone      jump.S
 *
 * Until the jump nothing is lost and every step can fail; after it nothing can fail.
 */
#include <elf.h>
#include <errno.h>
#include <host.h>
#include <inttypes.h>
#include <linux/prctl.h>
#include <linux/rseq.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/arch/jump.h"
#include "kernel/base/auxvec.h"
#include "kernel/base/descriptor.h"
#include "kernel/base/maps.h"
#include "kernel/base/memfd.h"
#include "kernel/base/mm_map.h"
#include "kernel/base/newer.h"
#include "kernel/base/page.h"
#include "kernel/base/random.h"
#include "kernel/exec/exec.h"
#include "kernel/exec/layout.h"
#include "kernel/exec/stack.h"
#include "kernel/exec/unmap.h"

#define JUMP_AT(field, at) _Static_assert(offsetof(struct jump, field) == (at), "jump.h")
JUMP_AT(stack_to, JUMP_STACK_TO);
JUMP_AT(stack_from, JUMP_STACK_FROM);
JUMP_AT(stack_size, JUMP_STACK_SIZE);
JUMP_AT(sp, JUMP_SP);
JUMP_AT(entry, JUMP_ENTRY);
JUMP_AT(landing, JUMP_LANDING);
JUMP_AT(self, JUMP_SELF);
JUMP_AT(self_size, JUMP_SELF_SIZE);
JUMP_AT(frame, JUMP_FRAME);
JUMP_AT(call, JUMP_CALLS);
_Static_assert(sizeof(struct jump_call) == CALL_SIZE, "jump.S shifts by 6");
_Static_assert(offsetof(struct jump_call, skip) == CALL_SKIP, "jump.h");

/* The mapping that the jump runs from: code, list and what the list points to. */
struct jump_area {
	struct jump jump;
	struct mm_map mm, mm_with_exe;
	size_t mm_size;
	uint64_t mask; /* as the kernel has it: 64 signals */
	struct host_frame frame;
	unsigned char code[JUMP_CODE_SIZE] __attribute__((aligned(16)));
};

/* Read twice; a process does this only once. */
static struct maps maps;

static const struct map_range *find_stack(void)
{
	for (size_t i = 0; i < maps.count; i++)
		if (!strcmp(maps.range[i].name, "[stack]"))
			return &maps.range[i];
	return NULL;
}

/*
 * A program from before there were executable permissions: all that it can read it can execute
 * (arch/x86/include/asm/elf.h, elf_read_implies_exec()).
 */
static bool reads_imply_exec(const struct binary *bin)
{
	return HOST_OLD_PROGRAMS_EXEC && !bin->has_stack;
}

/* Does the kernel's own vDSO stay mapped? On some machines it must (host.h). */
static bool keeps_kernel_vdso(const struct exec_request *request)
{
	return request->keep_kernel_vdso || HOST_KERNEL_VDSO_STAYS;
}

/*
 * The C library of this program has registered addresses in its own memory with the
 * kernel, for this thread. The memory goes away, and the next C library must find the
 * registrations free: glibc's rseq(2) fails if there is one already. A restartable sequence
 * that stays is deadly, since the kernel writes to its area. Returns 0 or -errno.
 */
static int forget_registrations(void)
{
#ifdef RSEQ_SIG
	if (__rseq_size) {
		char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
		/* The size must be the one at registration; glibc 2.35 to 2.39 say 32. */
		size_t size = __rseq_size < 32 ? 32 : __rseq_size;

		if (syscall(SYS_rseq, area, size, RSEQ_FLAG_UNREGISTER, RSEQ_SIG))
			return error_from("rseq");
	}
#endif
	syscall(SYS_set_robust_list, NULL, 3 * sizeof(long));
	syscall(SYS_set_tid_address, NULL);
	return 0;
}

static int write_vector(struct auxvec *vec, const struct exec_request *request,
			const struct mapped_binary *program, const struct mapped_binary *interp,
			struct error *error)
{
	const struct binary *bin = &request->program->bin;
	int err = auxvec_read(vec, 0);

	if (err)
		return error_system(error, err, "/proc/self/auxv");
	err = auxvec_set(vec, AT_PHDR, program->phdr) |
	      auxvec_set(vec, AT_PHENT, sizeof(ElfW(Phdr))) |
	      auxvec_set(vec, AT_PHNUM, bin->ehdr.e_phnum) |
	      auxvec_set(vec, AT_BASE, interp->bias) |
	      auxvec_set(vec, AT_ENTRY, program->entry) | auxvec_set(vec, AT_FLAGS, 0) |
	      auxvec_set(vec, AT_SECURE, 0) |
	      /* Last, because new entries come first, which is where the kernel has it. */
	      auxvec_set(vec, AT_SYSINFO_EHDR, request->vdso->ehdr);
	/*
	 * With the kernel's vDSO its entry stays: system calls are faster there (host.h).
	 * Without an entry in our image the program must not call the old one; it has another
	 * way, too.
	 */
	if (HOST_ENTRY_TYPE == AT_NULL || request->keep_kernel_vdso)
		; /* nothing to change */
	else if (request->vdso->entry)
		err |= auxvec_set(vec, HOST_ENTRY_TYPE, request->vdso->entry);
	else
		auxvec_remove(vec, HOST_ENTRY_TYPE);
	return err ? error_self(error, -ENOSPC, "run", "the vector is full") : 0;
}

/*
 * Where the heap begins: after the program's data, and a page further on so that it is another
 * mapping; at random. What lies among the libraries would leave it no room there.
 */
static uintptr_t find_brk(const struct binary *bin, const struct mapped_binary *program)
{
	bool among_libraries = bin->ehdr.e_type == ET_DYN && !bin->interp;
	uintptr_t brk = among_libraries ? page_down(HOST_PIE_LOW) + page_size()
					: page_up(program->end_bss);
	uint64_t random = 0;

	if (!layout_is_random(2) || random_bytes(&random, sizeof(random)))
		return brk;
	return brk + (among_libraries ? 0 : page_size()) + page_down(random % HOST_BRK_RANDOM);
}

/*
 * What the kernel records of a process (proc(5): cmdline, environ, auxv, the heap's beginning).
 * Changing it needs no privilege since Linux 3.18, but a kernel that was built with
 * CHECKPOINT_RESTORE; changing the exe link needs a privilege.
 */
static struct mm_map describe_process(const struct binary *bin,
				      const struct mapped_binary *program,
				      const struct first_stack *stack)
{
	uintptr_t brk = find_brk(bin, program);

	return (struct mm_map){
		.start_code = program->start_code,
		.end_code = program->end_code,
		.start_data = program->start_data,
		.end_data = program->end_data,
		.start_brk = brk,
		.brk = brk,
		.start_stack = stack->sp,
		.arg_start = stack->arg_start,
		.arg_end = stack->arg_end,
		.env_start = stack->env_start,
		.env_end = stack->env_end,
		.auxv = stack->auxv,
		.auxv_size = (uint32_t)stack->auxv_size,
		.exe_fd = (uint32_t)-1,
	};
}

static void tell(const struct exec_request *request, const struct mapped_binary *program,
		 const struct mapped_binary *interp)
{
	const struct events *events = request->events;
	const struct placement *vdso = request->vdso;

	event_verbose(events, EVENT_PROGRAM, .start = program->start, .end = program->end,
		      .what = request->program->path);
	if (request->program->bin.interp)
		event_verbose(events, EVENT_INTERPRETER, .start = interp->start,
			      .end = interp->end, .what = request->program->bin.interp);
	event_verbose(events, EVENT_PLACED, .start = vdso->start, .ehdr = vdso->ehdr,
		      .end = vdso->start + vdso->length);
	event_verbose(events, EVENT_VECTOR, .was = getauxval(AT_SYSINFO_EHDR),
		      .ehdr = vdso->ehdr);
	for (size_t i = 0; i < maps.count && !keeps_kernel_vdso(request); i++)
		if (maps_is_kernel_vdso(&maps.range[i]))
			event_verbose(events, EVENT_UNMAPPED, .start = maps.range[i].start,
				      .end = maps.range[i].end, .what = maps.range[i].name);
}

/* What is mapped now, and which of it is the stack. */
static int read_maps(const struct map_range **stack, struct error *error)
{
	int err = maps_read(&maps, 0);

	*stack = err ? NULL : find_stack();
	if (*stack)
		return 0;
	if (err)
		return error_system(error, err, "/proc/self/maps");
	return error_self(error, -ENOENT, "/proc/self/maps", "shows no stack");
}

/*
 * Is something where one of the two must lie that is not unmapped before it is moved there?
 * That may be the other one. Returns it, or NULL.
 */
static const struct mapped_binary *in_the_way(const struct exec_request *request,
					      const struct mapped_binary *program,
					      const struct mapped_binary *interp,
					      const struct jump_area *area)
{
	const struct placement *vdso = request->vdso;
	static struct pieces stay;

	stay.count = 0;
	pieces_add(&stay, vdso->start, vdso->start + vdso->length);
	pieces_add(&stay, (uintptr_t)area, (uintptr_t)(area + 1));
	pieces_add(&stay, interp->start + interp->moved, interp->end + interp->moved);
	pieces_add(&stay, program->start + program->moved, program->end + program->moved);
	for (size_t i = 0; i < maps.count; i++)
		if (!strcmp(maps.range[i].name, "[stack]") ||
		    (keeps_kernel_vdso(request) && maps_is_kernel_vdso(&maps.range[i])))
			pieces_add(&stay, maps.range[i].start, maps.range[i].end);
	if (program->moved && pieces_overlap(&stay, program->start, program->end))
		return program;
	if (interp->moved && (pieces_overlap(&stay, interp->start, interp->end) ||
			      (interp->start < program->end && program->start < interp->end)))
		return interp;
	return NULL;
}

/* To where it must lie, once what was there is unmapped. */
static bool move_back(struct jump *jump, size_t *at, const struct binary *bin,
		      const struct mapped_binary *map)
{
	static struct pieces move;

	move.count = 0;
	return !map->moved || (pieces_add_segments(&move, bin, map->bias + map->moved) &&
			       jump_add_moves(jump, at, &maps, &move, map->moved));
}

/* As descriptor_close(), nearly. */
static void add_close(struct jump *jump, size_t *at, int fd)
{
	if (fd < 0)
		return;
	jump_add_call(jump, at, 1, SYS_close, (uint64_t)fd, 0, 0, 0);
	jump_add_call(jump, at, 0, SYS_close_range, (uint64_t)fd, (uint64_t)fd, 0, 0);
}

/*
 * The list of what the jump does, in order. The mask comes last: a pending signal meets the new
 * program, not a half-made one.
 */
static bool write_list(struct jump_area *area, const struct exec_request *request,
		       const struct mapped_binary *program, const struct mapped_binary *interp,
		       const struct map_range *stack)
{
	const struct placement *vdso = request->vdso;
	const struct program *target = request->program;
	uintptr_t stack_size = stack->end - stack->start;
	static struct pieces stay;
	struct jump *jump = &area->jump;
	size_t at = 0;

	/* A fresh stack is empty below what is written to it. */
	jump_add_call(jump, &at, 0, SYS_madvise, stack->start, stack_size, MADV_DONTNEED, 0);
	if (target->bin.exec_stack || reads_imply_exec(&target->bin))
		jump_add_call(jump, &at, 0, SYS_mprotect, stack->start, stack_size,
			      PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN, 0);
	jump_add_call(jump, &at, 0, CALL_COPY_STACK, 0, 0, 0, 0);
	stay.count = 0;
	if (!pieces_add(&stay, vdso->start, vdso->start + vdso->length) ||
	    !pieces_add(&stay, (uintptr_t)area, (uintptr_t)(area + 1)) ||
	    !pieces_add_segments(&stay, &target->bin, program->bias + program->moved) ||
	    !pieces_add_segments(&stay, &target->interp, interp->bias + interp->moved) ||
	    !jump_add_unmaps(jump, &at, &maps, &stay, keeps_kernel_vdso(request)))
		return false;
	if (!move_back(jump, &at, &target->bin, program) ||
	    !move_back(jump, &at, &target->interp, interp))
		return false;
	/* With the exe link if we may; that needs the old program unmapped already. */
	jump_add_call(jump, &at, 1, SYS_prctl, PR_SET_MM, PR_SET_MM_MAP,
		      (uintptr_t)&area->mm_with_exe, area->mm_size);
	jump_add_call(jump, &at, 0, SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, (uintptr_t)&area->mm,
		      area->mm_size);
	add_close(jump, &at, target->bin.fd);
	add_close(jump, &at, target->interp.fd);
	for (int i = 0; i < 2; i++)
		add_close(jump, &at, request->close[i]);
	host_forget_thread(jump, &at);
	jump_add_call(jump, &at, 0, SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&area->mask, 0,
		      sizeof(area->mask));
	jump_add_call(jump, &at, 0, CALL_END, 0, 0, 0, 0);
	return true;
}

/*
 * As a file of its own: memory that has been written to may not become executable where
 * PR_SET_MDWE or a security module is against it.
 */
static int make_executable(struct jump_area *area)
{
	int fd = memfd_sealed("jump", area, sizeof(*area), MEMFD_CODE), err = 0;

	if (fd < 0)
		return fd;
	if (mmap(area, sizeof(*area), PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
	    MAP_FAILED)
		err = error_from("mmap");
	descriptor_close(fd);
	return err;
}

int exec_program(const struct exec_request *request, struct error *error)
{
	const struct program *target = request->program;
	const char *name = strrchr(target->path, '/');
	struct mapped_binary program, interp = {0};
	const struct mapped_binary *misplaced;
	const struct map_range *old_stack;
	struct first_stack stack;
	struct jump_area *area;
	uintptr_t top;
	struct auxvec vec;
	int err;

	if (reads_imply_exec(&target->bin))
		personality(personality(0xffffffff) | READ_IMPLIES_EXEC);
	err = binary_map(&target->bin, false, &program, target->path, error);
	if (!err && target->bin.interp)
		err = binary_map(&target->interp, true, &interp, target->bin.interp, error);
	if (!err)
		err = write_vector(&vec, request, &program, &interp, error);
	/* The new stack takes the place of the old one, which keeps its name and its limit. */
	if (!err)
		err = read_maps(&old_stack, error);
	if (err)
		return err;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): or it was an error, never 0 */
	top = old_stack->end; /* fanalyzer: likewise */
	err = stack_build(&stack, top, target->argv, request->envp, target->path, &vec, error);
	if (err)
		return err;
	area = mmap(NULL, sizeof(*area), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (area == MAP_FAILED)
		return error_system(error, error_from("mmap"), "run");
	err = forget_registrations();
	if (err)
		return error_system(error, err, "run");
	tell(request, &program, &interp);
	prctl(PR_SET_NAME, name ? name + 1 : target->path, 0, 0, 0);

	/* From here on nothing may be mapped or unmapped except by the list. */
	err = read_maps(&old_stack, error);
	if (err)
		return err;
	misplaced = in_the_way(request, &program, &interp, area);
	if (misplaced)
		return error_cannot_run(
			error, misplaced == &program ? target->path : target->bin.interp,
			"must lie at 0x%" PRIxPTR ", but something is there", misplaced->start);
	area->jump = (struct jump){
		.stack_to = stack.sp,
		.stack_from = (uintptr_t)stack.bytes,
		.stack_size = top - stack.sp,
		.sp = stack.sp,
		.entry = target->bin.interp ? interp.entry : program.entry,
		.landing = request->vdso->landing,
		.self = (uintptr_t)area,
		.self_size = sizeof(*area),
	};
	area->jump.frame = host_fill_frame(&area->frame, &area->jump, &request->mask);
	area->mm = area->mm_with_exe = describe_process(&target->bin, &program, &stack);
	area->mm_with_exe.exe_fd = (uint32_t)target->bin.fd;
	mm_map_fit(&area->mm_with_exe);
	area->mm_size = mm_map_fit(&area->mm);
	memcpy(&area->mask, &request->mask, sizeof(area->mask));
	if (!write_list(area, request, &program, &interp, old_stack))
		return error_self(error, -E2BIG, "run", "more mappings than can be undone");
	memcpy(area->code, jump_code_start, sizeof(area->code));
	err = make_executable(area);
	if (err)
		return error_system(error, err, "run");
	((void (*)(struct jump *))(void *)area->code)(&area->jump);
	__builtin_unreachable();
}
