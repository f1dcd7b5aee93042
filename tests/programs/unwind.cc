/*
 * unwind.cc - is there a way back from every instruction of the vDSO?
 *
 * A signal may interrupt a program anywhere, so also in the vDSO. Its handler may ask for a
 * backtrace, or throw: then the unwinder walks from the handler over the vDSO to main(), by
 * the vDSO's .eh_frame alone. It must be right for each instruction, not just for the calls.
 *
 *	unwind backtrace	a trap after every instruction; each time backtrace()
 *	unwind throw		the call again and again; each time an exception from the
 *				next instruction on, caught by the caller of the function
 *
 * Prints "NAME ways lost ways", where a way starts at an instruction in the vDSO. It is lost
 * if it does not lead to main(), or if the caller would not have its registers back.
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <execinfo.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

static constexpr greg_t TRAP_FLAG = 0x100; /* of EFLAGS */
static constexpr unsigned char INT3 = 0xcc;
static constexpr std::uintptr_t PAGES = 8192; /* as long as the image is at most */

static const std::uintptr_t image = getauxval(AT_SYSINFO_EHDR);
static bool throws;
static long inside, lost;  /* instructions in the vDSO; those with no way back */
static long throw_at = -1; /* at which of them, if any */

/* What a function must give back to its caller, by DWARF's numbers: rbx, rbp, r12 to r15. */
static constexpr int kept[] = {3, 6, 12, 13, 14, 15};
static constexpr int kept_in_frame[] = {REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15};
static constexpr std::size_t NR_KEPT = sizeof(kept) / sizeof(kept[0]);
static greg_t at_entry[NR_KEPT];

int main(int argc, char **argv);

static bool main_is_found()
{
	void *addresses[64];
	int count = backtrace(addresses, 64);

	return std::any_of(addresses, addresses + count, [](void *address) {
		/* One back: a return address may be behind the end of its function. */
		return _Unwind_FindEnclosingFunction(static_cast<char *>(address) - 1) ==
		       reinterpret_cast<void *>(main);
	});
}

enum class walk { handler, page, caller_as_it_was, caller_damaged };

/* Handler and signal frame come first, then one or more frames of the vDSO, then the caller. */
static _Unwind_Reason_Code on_frame(_Unwind_Context *frame, void *arg)
{
	auto &state = *static_cast<walk *>(arg);

	if (_Unwind_GetIP(frame) - image < PAGES)
		state = walk::page;
	else if (state == walk::page) {
		state = walk::caller_as_it_was;
		for (std::size_t i = 0; i < NR_KEPT; i++)
			if (_Unwind_GetGR(frame, kept[i]) !=
			    static_cast<_Unwind_Word>(at_entry[i]))
				state = walk::caller_damaged;
		return _URC_END_OF_STACK;
	}
	return _URC_NO_REASON;
}

static bool caller_is_intact()
{
	walk state = walk::handler;

	_Unwind_Backtrace(on_frame, &state);
	return state == walk::caller_as_it_was;
}

/*
 * The program's own int3 turns stepping on and off: the trap flag that is in the flags on
 * the signal's frame when the handler returns is what the program goes on with.
 */
static void on_trap(int, siginfo_t *, void *context)
{
	auto &regs = static_cast<ucontext_t *>(context)->uc_mcontext.gregs;
	auto at = static_cast<std::uintptr_t>(regs[REG_RIP]);

	if (at - image >= PAGES) {
		/* When stepping comes upon int3, the instruction has not been executed yet. */
		if (*reinterpret_cast<unsigned char *>(at - 1) == INT3)
			regs[REG_EFL] ^= TRAP_FLAG;
		return;
	}
	if (throws) {
		if (inside++ == throw_at)
			throw at;
		return;
	}
	/* Before its first instruction the function has not touched anything. */
	if (!inside++)
		for (std::size_t i = 0; i < NR_KEPT; i++)
			at_entry[i] = regs[kept_in_frame[i]];
	lost += !main_is_found() || !caller_is_intact();
}

template <typename Call> static void step(Call call)
{
	__asm__ volatile("int3");
	call();
	__asm__ volatile("int3");
}

/* From the handler the way must lead here, and nowhere else; this frame must be intact. */
template <typename Call> static bool caught(Call call)
{
	volatile unsigned long canary = 0x5ca1ab1e;

	try {
		step(call);
	} catch (std::uintptr_t) {
		return canary == 0x5ca1ab1e;
	}
	return false;
}

/*
 * stride: of a long function only every so manieth instruction is thrown from. How many
 * there are differs from call to call, because a reader of the data page may have to read
 * again; the end is where none is left to throw from.
 */
template <typename Call> static void look(const char *name, Call call, long stride = 1)
{
	long ways = 0;

	lost = 0;
	if (throws) {
		for (throw_at = 0;; throw_at += stride, ways++) {
			inside = 0;
			bool back = caught(call);
			if (inside <= throw_at)
				break;
			lost += !back;
		}
	} else {
		inside = 0;
		step(call);
		ways = inside;
	}
	std::printf("%s %ld lost %ld\n", name, ways, lost);
	std::fflush(stdout);
}

/* A pointer without noexcept: for a call of clock_gettime() no way back would be written. */
static int (*volatile gettime)(clockid_t, timespec *) = clock_gettime;
static int (*volatile getres)(clockid_t, timespec *) = clock_getres;
static int (*volatile timeofday)(timeval *, void *) = gettimeofday;
static time_t (*volatile seconds)(time_t *) = time;
static int (*volatile cpu)(unsigned *, unsigned *) = getcpu;

#ifdef __PIE__
/* Debian 12's C library does not call it, so the dynamic linker is asked for it. */
static void look_at_getrandom()
{
	using function = ssize_t(void *, size_t, unsigned, void *, size_t);
	struct {
		std::uint32_t size, prot, flags, reserved[13];
	} params = {};
	void *handle = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
	auto getrandom = handle ? reinterpret_cast<function *>(
					  dlvsym(handle, "__vdso_getrandom", "LINUX_2.6"))
				: nullptr;
	unsigned char bytes[100];
	void *state;

	if (!getrandom || getrandom(nullptr, 0, 0, &params, ~size_t(0))) {
		std::puts("getrandom has no memory for states");
		return;
	}
	state = mmap(nullptr, 4096, static_cast<int>(params.prot),
		     static_cast<int>(params.flags), -1, 0);
	if (state == MAP_FAILED)
		return;
	/* An exception leaves the state in the middle of a call. */
	auto call = [&] {
		std::memset(state, 0, params.size);
		getrandom(bytes, sizeof(bytes), 0, state, params.size);
	};
	look("getrandom", call, 37);
}
#else
static void look_at_getrandom()
{
}
#endif

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		clockid_t id;
	} clocks[] = {
		{"realtime", CLOCK_REALTIME},
		{"monotonic", CLOCK_MONOTONIC},
		{"raw", CLOCK_MONOTONIC_RAW},
		{"boottime", CLOCK_BOOTTIME},
		{"tai", CLOCK_TAI},
		{"realtime-coarse", CLOCK_REALTIME_COARSE},
		{"monotonic-coarse", CLOCK_MONOTONIC_COARSE},
		{"cputime", CLOCK_PROCESS_CPUTIME_ID},
		{"no-clock", 99},
	};
	struct sigaction action = {};
	void *some[4];
	struct timespec ts;
	struct timezone zone;
	struct timeval tv;
	unsigned which, node;
	time_t t;

	throws = argc > 1 && !std::strcmp(argv[1], "throw");
	/* The first one loads a library, which does not belong into a handler. */
	backtrace(some, 4);
	action.sa_sigaction = on_trap;
	/* Not blocked in the handler, which an exception leaves without a return. */
	action.sa_flags = SA_SIGINFO | SA_NODEFER;
	sigaction(SIGTRAP, &action, nullptr);
	alarm(60);

	for (auto &clock : clocks)
		look(clock.name, [&] { gettime(clock.id, &ts); });
	look("getres", [&] { getres(CLOCK_MONOTONIC, &ts); });
	look("getres-coarse", [&] { getres(CLOCK_REALTIME_COARSE, &ts); });
	look("getres-no-clock", [&] { getres(99, &ts); });
	look("gettimeofday", [&] { timeofday(&tv, &zone); });
	look("gettimeofday-zone", [&] { timeofday(nullptr, &zone); });
	look("time", [&] { seconds(&t); });
	look("time-null", [&] { seconds(nullptr); });
	look("getcpu", [&] { cpu(&which, &node); });
	look_at_getrandom();
	return 0;
}
