/*
 * walks.cc - from how many instructions of the vDSO does an unwinder find its way back?
 *
 * Some functions are called with a trap after every instruction. Each time the unwinder walks
 * from the handler over the vDSO, and is back when it comes to main(). Prints "ways lost", two
 * numbers. Unlike unwind.cc it asks for nothing else, so that any unwinder can be put in
 * (LD_PRELOAD), and images on which one crashes.
 */
#include <cstdint>
#include <cstdio>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

static constexpr greg_t TRAP_FLAG = 0x100; /* of EFLAGS */
static constexpr unsigned char INT3 = 0xcc;
static constexpr std::uintptr_t PAGES = 8192; /* as long as the image is at most */

static const std::uintptr_t image = getauxval(AT_SYSINFO_EHDR);
static long ways, lost;
static std::uintptr_t caller; /* main(), by where its frame ends */

struct walk {
	bool inside, back;
};

static _Unwind_Reason_Code on_frame(_Unwind_Context *frame, void *arg)
{
	auto &state = *static_cast<walk *>(arg);
	bool inside = _Unwind_GetIP(frame) - image < PAGES;

	/* After the vDSO come the C library, if it has a frame, and main(). */
	state.back = state.inside && !inside && _Unwind_GetCFA(frame) == caller;
	state.inside |= inside;
	return state.back ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static _Unwind_Reason_Code on_first_frame(_Unwind_Context *frame, void *)
{
	caller = _Unwind_GetCFA(frame);
	return _URC_END_OF_STACK;
}

/* The program's own int3 turns stepping on and off. */
static void on_trap(int, siginfo_t *, void *context)
{
	auto &regs = static_cast<ucontext_t *>(context)->uc_mcontext.gregs;
	auto at = static_cast<std::uintptr_t>(regs[REG_RIP]);
	walk state = {};

	if (at - image >= PAGES) {
		if (*reinterpret_cast<unsigned char *>(at - 1) == INT3)
			regs[REG_EFL] ^= TRAP_FLAG;
		return;
	}
	ways++;
	_Unwind_Backtrace(on_frame, &state);
	lost += !state.back;
}

static int (*volatile gettime)(clockid_t, timespec *) = clock_gettime;
static int (*volatile getres)(clockid_t, timespec *) = clock_getres;
static int (*volatile cpu)(unsigned *, unsigned *) = getcpu;

int main()
{
	struct sigaction action = {};
	timespec ts;
	unsigned which, node;

	action.sa_sigaction = on_trap;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGTRAP, &action, nullptr);
	/* Who started it may have a shorter limit. */
	if (unsigned limit = alarm(20))
		alarm(limit);
	_Unwind_Backtrace(on_first_frame, nullptr);
	/* What libraries load at the first use does not belong between the traps. */
	gettime(CLOCK_REALTIME, &ts);
	getres(CLOCK_REALTIME, &ts);
	cpu(&which, &node);
	__asm__ volatile("int3");
	gettime(CLOCK_REALTIME, &ts);
	gettime(CLOCK_MONOTONIC_COARSE, &ts);
	gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	getres(CLOCK_REALTIME, &ts);
	cpu(&which, &node);
	__asm__ volatile("int3");
	std::printf("%ld %ld\n", ways, lost);
	return 0;
}
