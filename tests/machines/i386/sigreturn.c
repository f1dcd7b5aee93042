/*
 * sigreturn.c - handlers that return through our vDSO, and unwinding from every instruction.
 *
 * To be run on the vDSO. The kernel's own way back would be its own vDSO's, so here each
 * handler asks for ours (SA_RESTORER), in both layouts of a signal frame. Then, with the
 * trap flag set, the processor stops after every instruction of the vDSO's functions, and
 * from each of these places libgcc's unwinder must find the way out to main().
 */
#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unwind.h>

#include "i386.h"

#define PATIENCE  20
#define TRAP_FLAG 0x100

struct dwarf_eh_bases {
	void *tbase, *dbase, *func;
};
const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *bases);

static uintptr_t vsyscall, old_return, rt_return;

/* A stack as the unwinder sees it: in each frame the instruction and the stack pointer. */
#define FRAMES 32
struct trace {
	uintptr_t pc[FRAMES], sp[FRAMES];
	long ebx[FRAMES], ebp[FRAMES];
	int frames;
};

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *arg)
{
	struct trace *t = arg;
	int before;

	if (t->frames == FRAMES)
		return _URC_END_OF_STACK;
	t->pc[t->frames] = _Unwind_GetIPInfo(context, &before);
	t->sp[t->frames] = _Unwind_GetCFA(context);
	t->ebx[t->frames] = (long)_Unwind_GetGR(context, 3);
	t->ebp[t->frames] = (long)_Unwind_GetGR(context, 5);
	t->frames++;
	return _URC_NO_REASON;
}

static int find_pc(const struct trace *t, uintptr_t pc)
{
	for (int i = 0; i < t->frames; i++)
		if (t->pc[i] == pc)
			return i;
	return -1;
}

static void show(const struct trace *t)
{
	for (int i = 0; i < t->frames; i++)
		diag("  #%d %#lx, stack %#lx", i, (long)t->pc[i], (long)t->sp[i]);
}

/* ---- a handler returns through our vDSO -------------------------------- */

static struct trace in_handler;
static uintptr_t returns_to;
static int backtrace_frames;
static void *backtrace_pc[FRAMES];

static void look_around(uintptr_t return_address)
{
	returns_to = return_address;
	in_handler.frames = 0;
	_Unwind_Backtrace(add_frame, &in_handler);
	backtrace_frames = backtrace(backtrace_pc, FRAMES);
}

static void on_trap(int signal)
{
	(void)signal;
	look_around((uintptr_t)__builtin_return_address(0));
}

static void on_trap_info(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
	look_around((uintptr_t)__builtin_return_address(0));
}

struct registers {
	long eax, ebx, ecx, edx, esi, edi, ebp, flags;
};

/* Sets all registers, stops at a breakpoint, and says what is left of them afterwards. */
void interrupt_me(struct registers *r);
extern const char after_breakpoint[], interrupt_me_end[];
__asm__("	.text\n"
	"	.type interrupt_me, @function\n"
	"interrupt_me:\n"
	"	.cfi_startproc\n"
	"	push	%ebp\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	.cfi_rel_offset ebp, 0\n"
	"	push	%ebx\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	.cfi_rel_offset ebx, 0\n"
	"	push	%esi\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	.cfi_rel_offset esi, 0\n"
	"	push	%edi\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	.cfi_rel_offset edi, 0\n"
	"	mov	20(%esp), %eax\n"
	"	mov	4(%eax), %ebx\n"
	"	mov	8(%eax), %ecx\n"
	"	mov	12(%eax), %edx\n"
	"	mov	16(%eax), %esi\n"
	"	mov	20(%eax), %edi\n"
	"	mov	24(%eax), %ebp\n"
	"	mov	(%eax), %eax\n"
	"	stc\n"
	"	int3\n"
	"after_breakpoint:\n"
	"	pushf\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	push	%ebp\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	mov	28(%esp), %ebp\n"
	"	mov	%eax, (%ebp)\n"
	"	mov	%ebx, 4(%ebp)\n"
	"	mov	%ecx, 8(%ebp)\n"
	"	mov	%edx, 12(%ebp)\n"
	"	mov	%esi, 16(%ebp)\n"
	"	mov	%edi, 20(%ebp)\n"
	"	pop	24(%ebp)\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	pop	28(%ebp)\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	pop	%edi\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	pop	%esi\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	pop	%ebx\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	pop	%ebp\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size interrupt_me, . - interrupt_me\n");

static void test_handler(const char *what, void *handler, unsigned long flags,
			 uintptr_t restorer)
{
	const struct registers want = {0x0a0a0a0a, 0x0b0b0b0b, 0x0c0c0c0c, 0x0d0d0d0d,
				       0x01010101, 0x02020202, 0x03030303, 0};
	struct registers r = want;
	uintptr_t here = (uintptr_t)after_breakpoint;
	int at, at_trampoline;

	handle(SIGTRAP, handler, flags, restorer);
	returns_to = 0;
	interrupt_me(&r);
	is(returns_to, restorer, "%s: the handler returns to our vDSO", what);
	if (!ok(!memcmp(&r, &want, sizeof(r) - sizeof(r.flags)),
		"%s: all registers are as they were", what))
		diag("eax %lx ebx %lx ecx %lx edx %lx esi %lx edi %lx ebp %lx", r.eax, r.ebx,
		     r.ecx, r.edx, r.esi, r.edi, r.ebp);
	ok(r.flags & 1, "%s: ... the flags, too", what);

	at_trampoline = find_pc(&in_handler, restorer);
	at = find_pc(&in_handler, here);
	if (!ok(at_trampoline > 0 && at == at_trampoline + 1,
		"%s: libgcc unwinds from the handler to the interrupted instruction", what))
		show(&in_handler);
	if (!ok(at > 0 && in_handler.ebx[at] == want.ebx && in_handler.ebp[at] == want.ebp,
		"%s: ... with the registers that it had", what) &&
	    at > 0)
		diag("ebx %lx, ebp %lx", in_handler.ebx[at], in_handler.ebp[at]);
	if (!ok(at > 0 && in_handler.frames > at + 2, "%s: ... and on to main()", what))
		show(&in_handler);
	at = -1;
	for (int i = 0; i < backtrace_frames; i++)
		if ((uintptr_t)backtrace_pc[i] == here)
			at = i;
	cmp_ok(at, >, 0, "%s: backtrace(3) shows it", what);
}

/* ---- from every instruction --------------------------------------------- */

#define STEPS 64
static struct step {
	uintptr_t pc;
	struct trace trace;
} steps[STEPS];
static int nr_steps;

static bool in_page_function(uintptr_t pc)
{
	return (pc >= vsyscall && pc < vsyscall + 3) ||
	       (pc >= old_return && pc < old_return + 8) ||
	       (pc >= rt_return && pc < rt_return + 7);
}

/* After each instruction while the trap flag is set. */
static void on_step(int signal, siginfo_t *info, void *context)
{
	uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_EIP];

	(void)signal;
	(void)info;
	if (!in_page_function(pc) || nr_steps == STEPS)
		return;
	steps[nr_steps].pc = pc;
	steps[nr_steps].trace.frames = 0;
	_Unwind_Backtrace(add_frame, &steps[nr_steps].trace);
	nr_steps++;
}

/* Each step unwinds to the place where it should, with the stack pointer of that place. */
static void test_steps(const char *what, const uintptr_t *pc, int nr, uintptr_t caller,
		       uintptr_t caller_sp)
{
	bool same = nr_steps == nr;

	for (int i = 0; i < nr && same; i++)
		same = steps[i].pc == pc[i];
	if (!ok(same, "%s: the process is seen at each of its %d instructions", what, nr))
		for (int i = 0; i < nr_steps; i++)
			diag("step %d at %#lx", i, (long)steps[i].pc);
	for (int i = 0; i < nr_steps; i++) {
		const struct trace *t = &steps[i].trace;
		int at = find_pc(t, steps[i].pc);
		bool right = at > 0 && at + 1 < t->frames && t->pc[at + 1] == caller &&
			     t->sp[at + 1] == caller_sp;

		if (!ok(right, "%s: from +%ld the backtrace is right", what,
			(long)(steps[i].pc - pc[0]))) {
			diag("frame %d should be followed by %#lx with the stack %#lx", at,
			     (long)caller, (long)caller_sp);
			show(t);
		}
	}
}

/*
 * kill(pid, SIGUSR1) through our vDSO with the trap flag set; *sp gets the stack pointer
 * before the call. The processor does not stop behind an INT, but the signal comes there.
 */
void step_through_vsyscall(uintptr_t function, uintptr_t *sp, int pid);
extern const char after_vsyscall[];
__asm__("	.text\n"
	"	.type step_through_vsyscall, @function\n"
	"step_through_vsyscall:\n"
	"	.cfi_startproc\n"
	"	push	%ebx\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	.cfi_rel_offset ebx, 0\n"
	"	mov	12(%esp), %edx\n"
	"	mov	%esp, (%edx)\n"
	"	mov	8(%esp), %edx\n"
	"	mov	16(%esp), %ebx\n"
	"	mov	$10, %ecx\n" /* SIGUSR1 */
	"	mov	$37, %eax\n" /* kill */
	"	pushf\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	orl	$0x100, (%esp)\n"
	"	popf\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	call	*%edx\n"
	"after_vsyscall:\n"
	"	pushf\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	andl	$~0x100, (%esp)\n"
	"	popf\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	pop	%ebx\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	.cfi_restore ebx\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size step_through_vsyscall, . - step_through_vsyscall\n");

static void test_step_vsyscall(void)
{
	uintptr_t pc[] = {vsyscall, vsyscall + 2}, sp;

	handle(SIGTRAP, on_step, SA_SIGINFO, rt_return);
	handle(SIGUSR1, on_step, SA_SIGINFO, rt_return);
	nr_steps = 0;
	step_through_vsyscall(vsyscall, &sp, getpid());
	test_steps("__kernel_vsyscall", pc, 2, (uintptr_t)after_vsyscall, sp);
}

/*
 * The second handler below the first: this one only sets the trap flag, and returns through
 * the vDSO with it. What it interrupted is where the way back leads to.
 */
void return_step_by_step(int signal);
__asm__("	.text\n"
	"	.type return_step_by_step, @function\n"
	"return_step_by_step:\n"
	"	.cfi_startproc\n"
	"	pushf\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	orl	$0x100, (%esp)\n"
	"	popf\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size return_step_by_step, . - return_step_by_step\n");

uintptr_t raise_here(int pid);
extern const char after_raise[];
__asm__("	.text\n"
	"	.type raise_here, @function\n"
	"raise_here:\n"
	"	.cfi_startproc\n"
	"	push	%ebx\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	.cfi_rel_offset ebx, 0\n"
	"	mov	8(%esp), %ebx\n"
	"	mov	$10, %ecx\n" /* SIGUSR1 */
	"	mov	$37, %eax\n" /* kill */
	"	mov	%esp, %edx\n"
	"	int	$0x80\n"
	"after_raise:\n"
	"	mov	%edx, %eax\n"
	"	pop	%ebx\n"
	"	.cfi_adjust_cfa_offset -4\n"
	"	.cfi_restore ebx\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size raise_here, . - raise_here\n");

static void test_step_sigreturn(void)
{
	uintptr_t plain[] = {old_return, old_return + 1, old_return + 6};
	uintptr_t with_info[] = {rt_return, rt_return + 5};
	uintptr_t sp;

	handle(SIGTRAP, on_step, SA_SIGINFO, 0);
	handle(SIGUSR1, return_step_by_step, 0, old_return);
	nr_steps = 0;
	sp = raise_here(getpid());
	test_steps("__kernel_sigreturn", plain, 3, (uintptr_t)after_raise, sp);
	handle(SIGUSR1, return_step_by_step, SA_SIGINFO, rt_return);
	nr_steps = 0;
	sp = raise_here(getpid());
	test_steps("__kernel_rt_sigreturn", with_info, 2, (uintptr_t)after_raise, sp);
}

/* libgcc knows the trampolines by their bytes as well; the vDSO has real unwind data. */
static void test_unwind_data(void)
{
	static const struct {
		const char *name;
		unsigned before;
	} functions[] = {{"__kernel_vsyscall", 0},
			 {"__kernel_sigreturn", 1},
			 {"__kernel_rt_sigreturn", 1}};

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		uintptr_t at = function(functions[i].name) - functions[i].before;
		struct dwarf_eh_bases bases = {NULL, NULL, NULL};
		const void *fde = _Unwind_Find_FDE((void *)at, &bases);

		if (!ok(fde && (uintptr_t)bases.func == at, "%s has unwind data%s",
			functions[i].name,
			functions[i].before ? ", from the byte before it on" : ""))
			diag("at %#lx there is %p, of a function at %p", (long)at, fde,
			     bases.func);
	}
}

int main(void)
{
	alarm(PATIENCE);
	vsyscall = function("__kernel_vsyscall");
	old_return = function("__kernel_sigreturn");
	rt_return = function("__kernel_rt_sigreturn");
	test_unwind_data();
	test_handler("sigreturn", on_trap, 0, old_return);
	test_handler("rt_sigreturn", on_trap_info, SA_SIGINFO, rt_return);
	test_step_vsyscall();
	test_step_sigreturn();
	return done_testing();
}
