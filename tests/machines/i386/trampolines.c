/*
 * trampolines.c - out of a signal handler, over the two trampolines, as libgcc unwinds it.
 *
 * For those who write arch/i386/sigreturn.S: only that object is linked in, so no image and no
 * vDSO takes part. Code is interrupted at the first instruction of a function, with a known
 * value in each register. From the handler, and then from each instruction of the trampoline,
 * the unwinder goes back, and what it finds is compared with what the kernel has saved.
 * sigreturn.c does all this on the vDSO itself.
 *
 * Unwind data that is wrong may lead anywhere, so each case is a process of its own.
 */
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "tap.h"

#define PATIENCE 5
#define FRAMES   24
#define NOBODY   (-1)

#define STACK_WORDS 128
#define UD2         2 /* its length */

extern const char __kernel_sigreturn[], __kernel_rt_sigreturn[];

struct dwarf_eh_bases {
	void *tbase, *dbase, *func;
};
const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *bases);

/* By DWARF's numbers, and without esp, which is 4. */
#define REGISTERS 7
#define ESP       4
static const char *const names[REGISTERS] = {"eax", "ecx", "edx", "ebx", "ebp", "esi", "edi"};
static const int numbers[REGISTERS] = {0, 1, 2, 3, 5, 6, 7};
static const uintptr_t values[REGISTERS] = {0x0a0a0a0a, 0x0c0c0c0c, 0x0d0d0d0d, 0x0b0b0b0b,
					    0x1b1b1b1b, 0x05050505, 0x0d1d1d1d};

/* A stack as the unwinder sees it. */
struct frame {
	uintptr_t pc, sp, registers[REGISTERS];
	bool known[REGISTERS];
	int before; /* pc is an instruction still to come, not one after a call */
	bool is_main;
};

struct walk {
	uintptr_t from; /* the instruction of the trampoline, from its beginning */
	int frames;
	struct frame frame[FRAMES];
};

/* What a case leaves behind: from the handler, then from each step. */
static struct result {
	uintptr_t interrupted_sp, goes_on_at;
	uintptr_t saved_at;                     /* where the kernel has put struct sigcontext */
	uintptr_t stack_at, stack[STACK_WORDS]; /* what the trampoline finds on the stack */
	uintptr_t after[REGISTERS];
	bool came_back, lost;
	uintptr_t lost_at;
	int walks;
	struct walk walk[8];
	int ended; /* its wait status */
} * result;

int main(void);

/* A register of which nothing has been said so far: libgcc loads it from address 0. */
static sigjmp_buf not_known;
static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(not_known, 1);
}

/* Also with unwind data that leads anywhere. */
static bool read_register(struct _Unwind_Context *context, int number, uintptr_t *value)
{
	struct sigaction fault = {.sa_handler = on_fault}, old[2];
	bool known = false;

	sigaction(SIGSEGV, &fault, &old[0]);
	sigaction(SIGBUS, &fault, &old[1]);
	if (!sigsetjmp(not_known, 1)) {
		*value = _Unwind_GetGR(context, number);
		known = true;
	}
	sigaction(SIGSEGV, &old[0], NULL);
	sigaction(SIGBUS, &old[1], NULL);
	return known;
}

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *arg)
{
	struct walk *walk = arg;
	struct frame *frame = &walk->frame[walk->frames];

	if (walk->frames == FRAMES)
		return _URC_END_OF_STACK;
	frame->pc = _Unwind_GetIPInfo(context, &frame->before);
	/* esp may have a rule of its own; else it is the CFA. */
	if (!read_register(context, ESP, &frame->sp))
		frame->sp = _Unwind_GetCFA(context);
	for (int i = 0; i < REGISTERS; i++)
		frame->known[i] = read_register(context, numbers[i], &frame->registers[i]);
	frame->is_main = _Unwind_FindEnclosingFunction((void *)frame->pc) == (void *)main;
	walk->frames++;
	return _URC_NO_REASON;
}

/*
 * libgcc looks for a known trampoline where there is no unwind data, and the address may be
 * none.
 */
static void on_lost(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	result->lost = true;
	result->lost_at = (uintptr_t)info->si_addr;
	_exit(1);
}

static void walk_from(uintptr_t from)
{
	struct sigaction lost = {.sa_sigaction = on_lost, .sa_flags = SA_SIGINFO};
	struct walk *walk = &result->walk[result->walks];

	if (result->walks == sizeof(result->walk) / sizeof(result->walk[0]))
		return;
	walk->from = from;
	result->walks++;
	sigaction(SIGSEGV, &lost, NULL);
	_Unwind_Backtrace(add_frame, walk);
}

/* ---- the code that is interrupted, and its handlers ---- */

/*
 * Sets all registers and calls interrupted(), whose first instruction is no instruction:
 * SIGILL. What stands before it is another function, with more on its stack.
 */
void call_interrupted(uintptr_t *sp, uintptr_t *after);
extern const char interrupted[], behind_call[];
__asm__("	.text\n"
	"	.type call_interrupted, @function\n"
	"call_interrupted:\n"
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
	"	lea	-4(%esp), %ecx\n" /* with the return address */
	"	mov	%ecx, (%eax)\n"
	"	mov	$0x0a0a0a0a, %eax\n"
	"	mov	$0x0c0c0c0c, %ecx\n"
	"	mov	$0x0d0d0d0d, %edx\n"
	"	mov	$0x0b0b0b0b, %ebx\n"
	"	mov	$0x1b1b1b1b, %ebp\n"
	"	mov	$0x05050505, %esi\n"
	"	mov	$0x0d1d1d1d, %edi\n"
	"	call	interrupted\n"
	"behind_call:\n"
	"	push	%ebp\n"
	"	.cfi_adjust_cfa_offset 4\n"
	"	mov	28(%esp), %ebp\n"
	"	mov	%eax, (%ebp)\n"
	"	mov	%ecx, 4(%ebp)\n"
	"	mov	%edx, 8(%ebp)\n"
	"	mov	%ebx, 12(%ebp)\n"
	"	mov	%esi, 20(%ebp)\n"
	"	mov	%edi, 24(%ebp)\n"
	"	pop	16(%ebp)\n"
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
	"	.size call_interrupted, . - call_interrupted\n"
	"before_interrupted:\n"
	"	.cfi_startproc\n"
	"	.cfi_def_cfa_offset 68\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	"interrupted:\n"
	"	.cfi_startproc\n"
	"	ud2\n"
	"	ret\n"
	"	.cfi_endproc\n");

static uintptr_t trampoline;
static enum way { LOOK, STEP, RETURN } way;

/* Looks from here; or goes back to behind UD2, with a stop after every instruction. */
static void handled(uintptr_t returns_to, const struct sigcontext *saved, const void *arguments)
{
	if (returns_to != trampoline)
		_exit(3);
	result->saved_at = (uintptr_t)saved;
	result->stack_at = (uintptr_t)arguments;
	memcpy(result->stack, arguments, sizeof(result->stack));
	result->goes_on_at = saved->eip;
	if (way == STEP)
		result->goes_on_at += UD2;
	if (way == LOOK)
		walk_from(0);
	((volatile struct sigcontext *)saved)->eip = (uintptr_t)interrupted + UD2;
}

#define STEP_FROM_HERE()                                                       \
	do {                                                                   \
		if (way == STEP)                                               \
			__asm__ volatile("pushf; orl $0x100, (%%esp); popf" :: \
						 : "memory", "cc");            \
	} while (0)

static void on_signal(int signal, struct sigcontext saved)
{
	(void)signal;
	handled((uintptr_t)__builtin_return_address(0), &saved,
		(char *)__builtin_frame_address(0) + 8);
	STEP_FROM_HERE();
}

static void on_signal_info(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	handled((uintptr_t)__builtin_return_address(0),
		(struct sigcontext *)&((ucontext_t *)context)->uc_mcontext,
		(char *)__builtin_frame_address(0) + 8);
	STEP_FROM_HERE();
}

static void on_step(int signal, siginfo_t *info, void *context)
{
	uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_EIP];

	(void)signal;
	(void)info;
	if (pc >= trampoline && pc < trampoline + 8)
		walk_from(pc - trampoline);
}

/* sigaction(2) as the kernel takes it; without a restorer it is the kernel's own vDSO's. */
static void handle(int signal, void *handler, unsigned long flags, uintptr_t restorer)
{
	struct {
		void *handler;
		unsigned long flags;
		uintptr_t restorer;
		unsigned long mask[2];
	} action = {handler, flags | (restorer ? 0x04000000 : 0), restorer, {0, 0}};

	if (syscall(SYS_rt_sigaction, signal, &action, NULL, sizeof(action.mask)))
		bail_out("rt_sigaction");
}

enum { PLAIN, RT };
static struct result *run(int layout, enum way how)
{
	struct result *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (shared == MAP_FAILED || (pid = fork()) < 0)
		bail_out("mmap, fork");
	if (!pid) {
		result = shared;
		way = how;
		trampoline =
			(uintptr_t)(layout == RT ? __kernel_rt_sigreturn : __kernel_sigreturn);
		alarm(PATIENCE);
		handle(SIGTRAP, on_step, SA_SIGINFO, 0);
		if (layout == RT)
			handle(SIGILL, on_signal_info, SA_SIGINFO, trampoline);
		else
			handle(SIGILL, on_signal, 0, trampoline);
		call_interrupted(&result->interrupted_sp, result->after);
		result->came_back = true;
		_exit(0);
	}
	waitpid(pid, &shared->ended, 0);
	return shared;
}

/* ---- what is asked of it ---- */

/* libgcc knows both by their bytes as well: not everybody does, so unwind data is asked for. */
static const unsigned char *fde_of(const char *at)
{
	struct dwarf_eh_bases bases = {NULL, NULL, NULL};
	const void *fde = _Unwind_Find_FDE((void *)(at - 1), &bases);

	/* And not that of a function that happens to end there. */
	return fde == _Unwind_Find_FDE((void *)at, &bases) ? fde : NULL;
}

static bool has_fde(const char *at)
{
	return fde_of(at) != NULL;
}

/* An "S" in what the FDE shares with others: its CIE, whose distance is the second word. */
static bool is_marked(const char *at)
{
	const unsigned char *fde = fde_of(at);
	int32_t back;

	if (!fde)
		return false;
	memcpy(&back, fde + 4, sizeof(back));
	return strchr((const char *)fde + 4 - back + 9, 'S') != NULL;
}

static const char *trampoline_of(int layout)
{
	return layout == RT ? __kernel_rt_sigreturn : __kernel_sigreturn;
}

static const char *name_of(int layout)
{
	return layout == RT ? "__kernel_rt_sigreturn" : "__kernel_sigreturn";
}

/* The frame of the interrupted code, which comes after the trampoline's; NULL if none does. */
static const struct frame *after_trampoline(int layout, const struct walk *walk)
{
	for (int i = 0; i + 1 < walk->frames; i++)
		if (walk->frame[i].pc == (uintptr_t)trampoline_of(layout) + walk->from)
			return &walk->frame[i + 1];
	return NULL;
}

/* Where in the signal's frame is the word that was taken for another one? */
static void tell_word(const struct result *r, uintptr_t word, size_t field)
{
	long best = 0;

	for (int i = 0; i < STACK_WORDS; i++) {
		uintptr_t at = r->stack_at + (uintptr_t)i * 4;
		long off = (long)(at - r->saved_at - field);

		if (r->stack[i] == word && (!best || labs(off) < labs(best)))
			best = off;
	}
	if (best)
		diag("          which lies %ld bytes %s the word that the kernel saved it in",
		     labs(best), best < 0 ? "below" : "above");
	if (word == r->stack[0])
		diag("          and is the signal's number, on top of the stack: "
		     ".cfi_startproc by itself takes it for a return address");
}

/* Nothing was found because there was nothing to find it by: true if this was said. */
static bool said_why_not(int layout, const struct result *r, const struct walk *walk)
{
	if (!walk->from && !has_fde(trampoline_of(layout))) {
		expected("unwind data for %s", name_of(layout));
		but_got("none for the byte before it, where unwinders look");
	} else if (!after_trampoline(layout, walk) && r->lost) {
		expected("eip %#lx, the instruction that was interrupted", (long)r->goes_on_at);
		but_got("eip %#lx, where there is no memory", (long)r->lost_at);
		tell_word(r, r->lost_at, offsetof(struct sigcontext, eip));
	} else if (!after_trampoline(layout, walk)) {
		expected("a frame after that of %s+%ld", name_of(layout), (long)walk->from);
		if (WIFSIGNALED(r->ended))
			but_got("%s in the unwinder%s", strsignal(WTERMSIG(r->ended)),
				WTERMSIG(r->ended) != SIGABRT ? ""
				: walk->from                  ? ": no rule for the CFA?"
					     : ": no rule for the CFA at the byte before the "
					       "label?");
		else
			but_got("the end of the backtrace: its unwind data does not say that "
				"far");
	} else {
		return false;
	}
	return true;
}

static bool goes_to_interrupted(const struct result *r, const struct frame *f)
{
	return f && f->pc == r->goes_on_at && f->sp == r->interrupted_sp;
}

static void tell_frame(int layout, const struct result *r, const struct walk *walk)
{
	const struct frame *f = after_trampoline(layout, walk);

	if (said_why_not(layout, r, walk) || goes_to_interrupted(r, f))
		return;
	if (f->pc != r->goes_on_at) {
		expected("eip %#lx, the instruction that was interrupted", (long)r->goes_on_at);
		but_got("eip %#lx", (long)f->pc);
		tell_word(r, f->pc, offsetof(struct sigcontext, eip));
	} else {
		expected("esp %#lx", (long)r->interrupted_sp);
		but_got("esp %#lx", (long)f->sp);
		tell_word(r, f->sp, offsetof(struct sigcontext, esp));
	}
}

static const size_t saved_in[REGISTERS] = {
	offsetof(struct sigcontext, eax), offsetof(struct sigcontext, ecx),
	offsetof(struct sigcontext, edx), offsetof(struct sigcontext, ebx),
	offsetof(struct sigcontext, ebp), offsetof(struct sigcontext, esi),
	offsetof(struct sigcontext, edi)};

static int wrong_register(const struct frame *f)
{
	for (int i = 0; f && i < REGISTERS; i++)
		if (!f->known[i] || f->registers[i] != values[i])
			return i;
	return NOBODY;
}

static bool has_registers(const struct frame *f)
{
	return f && wrong_register(f) == NOBODY;
}

static void tell_register(int layout, const struct result *r, const struct walk *walk)
{
	const struct frame *f = after_trampoline(layout, walk);
	int i = wrong_register(f);

	if (said_why_not(layout, r, walk) || i == NOBODY)
		return;
	expected("%s %#lx", names[i], (long)values[i]);
	if (!f->known[i]) {
		but_got("nothing: the unwind data does not say where it is");
		return;
	}
	but_got("%s %#lx", names[i], (long)f->registers[i]);
	tell_word(r, f->registers[i], saved_in[i]);
}

/* All of it, from one instruction. */
static bool is_right(int layout, const struct walk *walk, const struct result *r)
{
	const struct frame *f = after_trampoline(layout, walk);

	return (walk->from || has_fde(trampoline_of(layout))) && goes_to_interrupted(r, f) &&
	       has_registers(f);
}

static void tell_all(int layout, const struct result *r, const struct walk *walk)
{
	if (goes_to_interrupted(r, after_trampoline(layout, walk)))
		tell_register(layout, r, walk);
	else
		tell_frame(layout, r, walk);
}

static void test_covered(void)
{
	bool rt = has_fde(__kernel_rt_sigreturn), plain = has_fde(__kernel_sigreturn);

	if (!ok(rt && plain, "the unwind data of both begins one byte before the label")) {
		diag("%s", name_of(plain ? RT : PLAIN));
		expected("that unwind data covers the byte before the label");
		but_got("none there");
		because("an unwinder looks one byte before a return address, to be sure to "
			"find the call. Here nobody has called, and before the label is the "
			"end "
			"of something else");
	}
}

static void test_marked(void)
{
	bool rt = is_marked(__kernel_rt_sigreturn), plain = is_marked(__kernel_sigreturn);
	int layout = plain ? RT : PLAIN;

	if (ok(rt && plain, "both are marked as signal frames"))
		return;
	expected("an S in the augmentation of %s's unwind data", name_of(layout));
	but_got("%s", has_fde(trampoline_of(layout)) ? "none" : "no unwind data");
	because("without it the address that is found is taken for a return address, and the "
		"function looked for one byte before it. But what was interrupted may be the "
		"first instruction of a function, and that byte another one's");
}

static void test_rt(const struct result *r)
{
	const struct walk *walk = &r->walk[0];
	const struct frame *f = after_trampoline(RT, walk);
	bool fde = has_fde(__kernel_rt_sigreturn);

	if (!ok(fde && goes_to_interrupted(r, f), "rt_sigreturn: the way out leads to the "
						  "interrupted instruction and its stack")) {
		tell_frame(RT, r, walk);
		because("a debugger shows another place, and an exception is caught by nobody");
	}
	if (!ok(fde && has_registers(f), "rt_sigreturn: every register is found")) {
		tell_register(RT, r, walk);
		because("all of them are the interrupted code's, not only those that a "
			"function "
			"must preserve: it has called nobody");
	}
}

static void test_plain(const struct result *r)
{
	if (!ok(is_right(PLAIN, &r->walk[0], r),
		"sigreturn: the way out leads to the same place, with every register")) {
		tell_all(PLAIN, r, &r->walk[0]);
		because("this layout has neither siginfo nor ucontext, only the registers");
	}
}

/* From each further instruction; without them, the steps did not get there. */
static const struct walk *wrong_step(int layout, const struct result *r)
{
	for (int i = 0; i < r->walks; i++)
		if (!is_right(layout, &r->walk[i], r))
			return &r->walk[i];
	return NULL;
}

static void test_steps(int layout, const struct result *r, const char *what, const char *why)
{
	const struct walk *wrong = wrong_step(layout, r);

	if (ok(r->came_back && r->walks > 1 && !wrong, "%s", what))
		return;
	if (wrong) {
		diag("from %s+%ld", name_of(layout), (long)wrong->from);
		tell_all(layout, r, wrong);
	} else {
		expected("a walk from each instruction, and the end of the handler");
		but_got("%d of them", r->walks);
	}
	because("%s", why);
}

static void test_main(const struct result *from[2])
{
	for (int layout = RT; layout >= PLAIN; layout--) {
		const struct walk *walk = &from[layout]->walk[0];
		const struct frame *f = after_trampoline(layout, walk);
		bool found = false;

		for (int i = 0; f && i < walk->frames; i++)
			found |= &walk->frame[i] > f && walk->frame[i].is_main;
		if (found && has_fde(trampoline_of(layout)))
			continue;
		ok(false, "from both the backtrace goes on to main()");
		if (!said_why_not(layout, from[layout], walk)) {
			expected("main() among the callers of what %s returns to",
				 name_of(layout));
			but_got("%d frames without it", walk->frames);
		}
		because("a wrong stack pointer or return address here hides all that is above");
		return;
	}
	ok(true, "from both the backtrace goes on to main()");
}

/* The two are recognised by these bytes, too. */
static void test_code(void)
{
	static const struct {
		const unsigned char bytes[8];
		int size;
	} known[2] = {[PLAIN] = {{0x58, 0xb8, 119, 0, 0, 0, 0xcd, 0x80}, 8},
		      [RT] = {{0xb8, 173, 0, 0, 0, 0xcd, 0x80}, 7}};
	char want[32], have[32];

	for (int layout = PLAIN; layout <= RT; layout++) {
		const unsigned char *code = (const unsigned char *)trampoline_of(layout);

		if (!memcmp(code, known[layout].bytes, (size_t)known[layout].size))
			continue;
		for (int i = 0; i < known[layout].size; i++) {
			snprintf(want + 3 * i, 4, " %02x", known[layout].bytes[i]);
			snprintf(have + 3 * i, 4, " %02x", code[i]);
		}
		ok(false, "the instructions are those that debuggers know");
		diag("%s, from its label", name_of(layout));
		expected("%s", want + 1);
		but_got("%s", have + 1);
		because("where there is no unwind data they recognise a trampoline by them");
		return;
	}
	ok(true, "the instructions are those that debuggers know");
}

static void test_returns(int layout, const struct result *r)
{
	if (!ok(r->came_back && !memcmp(r->after, values, sizeof(values)),
		"%s: the handler returns, and every register is as it was",
		layout == RT ? "rt_sigreturn" : "sigreturn"))
		because("the frame is the kernel's; the trampoline only makes the system call");
}

int main(void)
{
	const struct result *from[2] = {run(PLAIN, LOOK), run(RT, LOOK)};
	const struct result *steps[2] = {run(PLAIN, STEP), run(RT, STEP)};
	const struct result *back[2] = {run(PLAIN, RETURN), run(RT, RETURN)};

	test_code();
	test_covered();
	test_marked();
	test_rt(from[RT]);
	test_plain(from[PLAIN]);
	test_steps(
		PLAIN, steps[PLAIN], "sigreturn: from the instructions after its pop, too",
		"a signal, or a debugger, may stop between any two instructions. The pop has "
		"moved the stack pointer, and nothing else");
	test_steps(RT, steps[RT], "rt_sigreturn: from each of its instructions",
		   "a signal, or a debugger, may stop between any two instructions");
	test_main(from);
	for (int layout = PLAIN; layout <= RT; layout++)
		test_returns(layout, back[layout]);
	return done_testing();
}
