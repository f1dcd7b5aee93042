/*
 * steps.c - from every instruction of every clock function the stack can be unwound.
 *
 * To be run on the page. A signal may come anywhere, and a debugger may stop anywhere: from
 * there the way out leads over unwind data that says, for this very instruction, where the
 * caller's registers are. With the trap flag set the processor stops behind each instruction;
 * there libgcc's unwinder must find the caller, its stack pointer and the four registers that
 * a function has to keep. (It also must when the page makes a system call. Only, behind an
 * INT the processor does not stop.)
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unwind.h>

#include "i386.h"

/* What the caller has in the registers while it calls. */
#define EBX 0x0b0b0b0b
#define ESI 0x05050505
#define EDI 0x0d0d0d0d
#define EBP 0x0e0e0e0e

static uintptr_t image, image_end;

/* Calls function(a, b, c) with the trap flag set; sp_of_call gets its stack pointer. */
long call_stepwise(uintptr_t function, long a, const void *b, const void *c);
extern const char behind_call[];
uintptr_t sp_of_call;
__asm__("	.text\n"
	"	.type call_stepwise, @function\n"
	"call_stepwise:\n"
	"	.cfi_startproc\n"
	"	push	%ebp\n"
	"	.cfi_def_cfa_offset 8\n"
	"	.cfi_offset ebp, -8\n"
	"	push	%ebx\n"
	"	.cfi_def_cfa_offset 12\n"
	"	.cfi_offset ebx, -12\n"
	"	push	%esi\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset esi, -16\n"
	"	push	%edi\n"
	"	.cfi_def_cfa_offset 20\n"
	"	.cfi_offset edi, -20\n"
	"	mov	20(%esp), %eax\n"
	"	push	32(%esp)\n"
	"	.cfi_def_cfa_offset 24\n"
	"	push	32(%esp)\n"
	"	.cfi_def_cfa_offset 28\n"
	"	push	32(%esp)\n"
	"	.cfi_def_cfa_offset 32\n"
	"	call	1f\n"
	"1:	pop	%ecx\n"
	"	lea	sp_of_call - 1b(%ecx), %ecx\n"
	"	mov	%esp, (%ecx)\n"
	"	mov	$0x0b0b0b0b, %ebx\n"
	"	mov	$0x05050505, %esi\n"
	"	mov	$0x0d0d0d0d, %edi\n"
	"	mov	$0x0e0e0e0e, %ebp\n"
	"	pushf\n"
	"	orl	$0x100, (%esp)\n"
	"	popf\n"
	"	call	*%eax\n"
	"behind_call:\n"
	"	pushf\n"
	"	andl	$~0x100, (%esp)\n"
	"	popf\n"
	"	add	$12, %esp\n"
	"	.cfi_def_cfa_offset 20\n"
	"	pop	%edi\n"
	"	.cfi_def_cfa_offset 16\n"
	"	pop	%esi\n"
	"	.cfi_def_cfa_offset 12\n"
	"	pop	%ebx\n"
	"	.cfi_def_cfa_offset 8\n"
	"	pop	%ebp\n"
	"	.cfi_def_cfa_offset 4\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size call_stepwise, . - call_stepwise\n");

static long steps, wrong;
static uintptr_t first_wrong;

struct search {
	bool in_page, found;
	bool registers; /* are they asked for, too? */
};

/*
 * A function that returns takes its registers from the stack, one after the other, and clang
 * (14 to 19) does not say of each when it is back. Its place is then below the stack pointer.
 * On x86-64 nobody writes there; here the signal frame does.
 */
static bool registers_are_found(uintptr_t pc)
{
#ifdef __clang__
	unsigned char opcode = *(const unsigned char *)pc;

	return !(opcode >= 0x58 && opcode <= 0x5f) && opcode != 0xc3; /* pop, ret */
#else
	(void)pc;
	return true;
#endif
}

static _Unwind_Reason_Code look_at(struct _Unwind_Context *context, void *arg)
{
	struct search *s = arg;
	int before;
	uintptr_t pc = _Unwind_GetIPInfo(context, &before);

	if (pc >= image && pc < image_end) {
		s->in_page = true;
		return _URC_NO_REASON;
	}
	if (!s->in_page)
		return _URC_NO_REASON; /* the handler, and its trampoline */
	s->found = pc == (uintptr_t)behind_call && _Unwind_GetCFA(context) == sp_of_call &&
		   (!s->registers ||
		    (_Unwind_GetGR(context, 3) == EBX && _Unwind_GetGR(context, 5) == EBP &&
		     _Unwind_GetGR(context, 6) == ESI && _Unwind_GetGR(context, 7) == EDI));
	return _URC_END_OF_STACK;
}

static void on_step(int signal, siginfo_t *info, void *context)
{
	uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_EIP];
	struct search search = {false, false, registers_are_found(pc)};

	(void)signal;
	(void)info;
	if (pc < image || pc >= image_end)
		return;
	steps++;
	_Unwind_Backtrace(look_at, &search);
	if (!search.found && !wrong++)
		first_wrong = pc;
}

static void test(const char *name, const char *version, const char *what, long a, const void *b,
		 const void *c)
{
	uintptr_t at = (uintptr_t)vdso_elf_symbol(&page, name, version);

	steps = wrong = 0;
	if (at)
		call_stepwise(at, a, b, c);
	if (!ok(at && steps > 3 && wrong == 0, "%s%s: from every instruction on its way", name,
		what))
		diag("%ld of %ld steps do not lead back, the first at +%#lx of the image",
		     wrong, steps, (long)(first_wrong - image));
	printf("# %s%s: %ld instructions\n", name, what, steps);
}

int main(void)
{
	static const struct {
		clockid_t id;
		const char *what;
	} clocks[] = {{CLOCK_MONOTONIC, "(MONOTONIC)"},
		      {CLOCK_MONOTONIC_RAW, "(MONOTONIC_RAW)"},
		      {CLOCK_REALTIME_COARSE, "(REALTIME_COARSE)"},
		      {CLOCK_PROCESS_CPUTIME_ID, "(PROCESS_CPUTIME_ID)"},
		      {-1, "(-1)"}};
	char out[2][64];

	alarm(30);
	function("__kernel_vsyscall");
	image = (uintptr_t)page.base;
	image_end = image + page.size;
	handle(SIGTRAP, on_step, SA_SIGINFO, function("__kernel_rt_sigreturn"));
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		test("__vdso_clock_gettime", "LINUX_2.6", clocks[i].what, clocks[i].id, out[0],
		     NULL);
		test("__vdso_clock_gettime64", "LINUX_2.6", clocks[i].what, clocks[i].id,
		     out[0], NULL);
		test("__vdso_clock_getres", "LINUX_2.6", clocks[i].what, clocks[i].id, out[0],
		     NULL);
	}
	test("__vdso_gettimeofday", "LINUX_2.6", "", (long)out[0], out[1], NULL);
	test("__vdso_time", "LINUX_2.6", "", (long)out[0], NULL, NULL);
	test("__vdso_getcpu", "LINUX_2.6", "", (long)out[0], out[1], NULL);
	return done_testing();
}
