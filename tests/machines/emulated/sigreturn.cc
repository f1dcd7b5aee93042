/*
 * sigreturn.cc - a signal handler that returns through the page, and everything that looks, or
 * jumps, from inside the handler past that place.
 *
 * The kernel (or the emulator) gives a handler another return address than the page's, so
 * the handler is entered by two instructions that put ours there. From then on nothing knows
 * of any other. Prints "check NAME yes" or "no" lines. C++ without its library's headers, to
 * be built by any compiler for any machine.
 */
#include <elf.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

extern "C" {
#include "libc/vdso_elf.h"
}
#include "libc/vdso_names.h"

extern "C" {
/* Our page's rt_sigreturn, where the handler returns to. */
__attribute__((visibility("hidden"))) uintptr_t trampoline;
void enter_handler(int);
__attribute__((visibility("hidden"))) void handler(int signal);
/* Makes the system call kill(pid, signal) with known values in registers. */
void kill_with_registers(long pid, long signal);
extern __attribute__((visibility("hidden"))) const char after_kill[];
}

/* The value that register n has there; its first and last, and those left out. */
#define VALUE(n) (0x5151515100000000ull + (n))

#if defined(__aarch64__)
/* vdso-src/arch/aarch64/sigreturn.S */
static_assert(sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext.regs) == 312, "x0");
static_assert(sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext.sp) == 560, "sp");
static_assert(sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext.pc) == 568, "pc");
static_assert(sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext.__reserved) + 16 == 608,
	      "v0");
#	define FIRST       9
#	define LAST        29
#	define LEFT_OUT(n) ((n) == 18)
__asm__(".text\n"
	".globl enter_handler\n"
	"enter_handler:\n"
	"	adrp x9, trampoline\n"
	"	ldr x30, [x9, :lo12:trampoline]\n"
	"	b handler\n"
	".globl kill_with_registers\n"
	"kill_with_registers:\n"
	"	.cfi_startproc\n"
	"	sub sp, sp, #96\n"
	"	.cfi_adjust_cfa_offset 96\n"
	"	stp x19, x20, [sp]\n	stp x21, x22, [sp, #16]\n	stp x23, x24, [sp, "
	"#32]\n"
	"	stp x25, x26, [sp, #48]\n	stp x27, x28, [sp, #64]\n	str x29, [sp, "
	"#80]\n"
	"	.irp n, 19,20,21,22,23,24,25,26,27,28,29\n"
	"	.cfi_offset x\\n, -96 + 8 * (\\n - 19)\n"
	"	.endr\n"
	"	.irp n, 9,10,11,12,13,14,15,16,17,19,20,21,22,23,24,25,26,27,28,29\n"
	"	mov x\\n, #\\n\n	movk x\\n, #0x5151, lsl #32\n	movk x\\n, #0x5151, "
	"lsl #48\n"
	"	.endr\n"
	"	mov x8, #129\n"
	"	svc #0\n"
	".hidden after_kill\n"
	"after_kill:\n"
	"	ldp x19, x20, [sp]\n	ldp x21, x22, [sp, #16]\n	ldp x23, x24, [sp, "
	"#32]\n"
	"	ldp x25, x26, [sp, #48]\n	ldp x27, x28, [sp, #64]\n	ldr x29, [sp, "
	"#80]\n"
	"	add sp, sp, #96\n"
	"	.cfi_adjust_cfa_offset -96\n"
	"	ret\n"
	"	.cfi_endproc\n");
#	define SIGRETURN "rt_sigreturn"
#elif defined(__riscv)
/* vdso-src/arch/riscv64/sigreturn.S */
static_assert(sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext.__gregs) == 304, "pc");
static_assert(sizeof(siginfo_t) + offsetof(ucontext_t, uc_mcontext.__fpregs) == 560, "f0");
#	define FIRST       5
#	define LAST        31
#	define LEFT_OUT(n) ((n) >= 10 && (n) <= 17) /* the arguments */
__asm__(".text\n"
	".globl enter_handler\n"
	"enter_handler:\n"
	"	lla t0, trampoline\n"
	"	ld ra, 0(t0)\n"
	"	tail handler\n"
	".globl kill_with_registers\n"
	"kill_with_registers:\n"
	"	.cfi_startproc\n"
	"	addi sp, sp, -96\n"
	"	.cfi_adjust_cfa_offset 96\n"
	"	sd s0, 0(sp)\n	sd s1, 8(sp)\n	sd s2, 16(sp)\n	sd s3, 24(sp)\n"
	"	sd s4, 32(sp)\n	sd s5, 40(sp)\n	sd s6, 48(sp)\n	sd s7, 56(sp)\n"
	"	sd s8, 64(sp)\n	sd s9, 72(sp)\n	sd s10, 80(sp)\n	sd s11, 88(sp)\n"
	"	.cfi_offset s0, -96\n	.cfi_offset s1, -88\n"
	"	.irp n, 2,3,4,5,6,7,8,9,10,11\n"
	"	.cfi_offset s\\n, -96 + 8 * \\n\n"
	"	.endr\n"
	"	.irp n, 5,6,7,8,9,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
	"	li x\\n, 0x51515151\n	slli x\\n, x\\n, 32\n	addi x\\n, x\\n, \\n\n"
	"	.endr\n"
	"	li a7, 129\n"
	"	ecall\n"
	".hidden after_kill\n"
	"after_kill:\n"
	"	ld s0, 0(sp)\n	ld s1, 8(sp)\n	ld s2, 16(sp)\n	ld s3, 24(sp)\n"
	"	ld s4, 32(sp)\n	ld s5, 40(sp)\n	ld s6, 48(sp)\n	ld s7, 56(sp)\n"
	"	ld s8, 64(sp)\n	ld s9, 72(sp)\n	ld s10, 80(sp)\n	ld s11, 88(sp)\n"
	"	addi sp, sp, 96\n"
	"	.cfi_adjust_cfa_offset -96\n"
	"	ret\n"
	"	.cfi_endproc\n");
#	define SIGRETURN   "rt_sigreturn"
#endif

static void check(const char *name, bool yes)
{
	printf("check %s %s\n", name, yes ? "yes" : "no");
	fflush(stdout);
}

/* What the handler is to do, and what it saw. */
static enum { RETURN, LOOK, THROW } order;
static volatile int handled;
static bool returns_to_page, saw_page, saw_kill, registers_right, saw_main;

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *)
{
	uintptr_t ip = _Unwind_GetIP(context);

	if (ip == trampoline)
		saw_page = true;
	else if (ip == (uintptr_t)after_kill && saw_page) {
		saw_kill = registers_right = true;
		for (int n = FIRST; n <= LAST; n++)
			if (!LEFT_OUT(n) && _Unwind_GetGR(context, n) != VALUE((unsigned)n)) {
				printf("register %d is %#lx\n", n,
				       (unsigned long)_Unwind_GetGR(context, n));
				registers_right = false;
			}
	} else if (saw_kill) {
		saw_main = true;
	}
	return _URC_NO_REASON;
}

void handler(int)
{
	handled = handled + 1;
	returns_to_page = (uintptr_t)__builtin_return_address(0) == trampoline;
	if (order == LOOK)
		_Unwind_Backtrace(look, nullptr);
	if (order == THROW)
		throw 42;
}

/* Unwinding must run what is in its way. */
struct cleaner {
	int *done;
	~cleaner()
	{
		++*done;
	}
};

static int caught_value;

__attribute__((noinline)) static void throwing(int *done)
{
	cleaner c{done};

	kill_with_registers(getpid(), SIGUSR1);
	caught_value = -1; /* not reached */
}

int main()
{
	vdso_elf elf;
	struct sigaction action;
	int done = 0;

	if (vdso_elf_open(&elf, (const void *)getauxval(AT_SYSINFO_EHDR), 0)) {
		puts("no page");
		return 1;
	}
	trampoline = (uintptr_t)vdso_elf_symbol(&elf, VDSO_NAME(SIGRETURN), VDSO_VERSION);
	check("found", trampoline != 0);
	memset(&action, 0, sizeof(action));
	action.sa_handler = enter_handler;
	action.sa_flags = SA_NODEFER; /* a handler that throws never returns, to unblock it */
	sigaction(SIGUSR1, &action, nullptr);

	order = RETURN;
	kill_with_registers(getpid(), SIGUSR1);
	kill_with_registers(getpid(), SIGUSR1);
	check("handler-has-our-return-address", returns_to_page);
	check("handler-returns-through-the-page", handled == 2);

	order = LOOK;
	kill_with_registers(getpid(), SIGUSR1);
	check("backtrace-passes-the-page", saw_page);
	check("backtrace-finds-the-interrupted-instruction", saw_kill);
	check("registers-of-the-interrupted-code-are-right", registers_right);
	check("backtrace-goes-on-to-the-caller", saw_main);

	order = THROW;
	try {
		throwing(&done);
	} catch (int value) {
		caught_value = value;
	}
	check("exception-is-caught-outside", caught_value == 42);
	check("exception-runs-destructors", done == 1);
	return 0;
}
