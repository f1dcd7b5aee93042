/*
 * clocksource.c - may the counter be trusted? By what the kernel keeps time with, and by the
 * CPUs.
 *
 * Most machines of the list are not here. What /sys and /proc/cpuinfo say on them was noted
 * where they are common, and is fed to the decision, which is a function of just that. The
 * counters of two CPUs are compared for real, and once more with a counter that is bent on all
 * CPUs but one.
 */
#include <errno.h>
#include <machine.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/arch/cpu.h"
#include "kernel/time/counter.h"
#include "kernel/time/warp.h"
#include "tap.h"

#ifdef __x86_64__
static const struct {
	const char *machine, *clocksource;
	bool invariant; /* nonstop_tsc in /proc/cpuinfo */
	enum counter_trust trust;
} recorded[] = {
	{"a desktop", "tsc", true, COUNTER_BELIEVED},
	{"a CPU of 2006, or an emulated one: the kernel has watched it", "tsc", false,
	 COUNTER_BELIEVED},
	{"a guest of KVM (clouds, VirtualBox)", "kvm-clock", true, COUNTER_TO_BE_TESTED},
	{"one whose hypervisor promises nothing", "kvm-clock", false, COUNTER_REFUSED},
	{"WSL2, Azure", "hyperv_clocksource_tsc_page", true, COUNTER_TO_BE_TESTED},
	{"... without an invariant counter", "hyperv_clocksource_tsc_page", false,
	 COUNTER_REFUSED},
	{"an old Hyper-V, which is asked each time", "hyperv_clocksource_msr", true,
	 COUNTER_REFUSED},
	{"a guest of Xen", "xen", true, COUNTER_TO_BE_TESTED},
	{"a laptop whose firmware sets the counters", "hpet", true, COUNTER_REFUSED},
	{"an old VirtualBox", "acpi_pm", true, COUNTER_REFUSED},
	{"a machine in its first second", "refined-jiffies", true, COUNTER_REFUSED},
	{"a sandbox without /sys", "", true, COUNTER_REFUSED},
	{"a name that only begins like one", "tsc-early", true, COUNTER_REFUSED},
};

static void decisions(void)
{
	for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		const char *why, *doubt = recorded[i].invariant ? NULL : "it promises nothing";
		enum counter_trust trust = counter_trust(recorded[i].clocksource, doubt, &why);

		if (!ok(trust == recorded[i].trust && (trust == COUNTER_REFUSED) == !!why,
			"%s: '%s'%s is %s", recorded[i].machine, recorded[i].clocksource,
			recorded[i].invariant ? "" : ", not invariant,",
			recorded[i].trust == COUNTER_BELIEVED  ? "believed"
			: recorded[i].trust == COUNTER_REFUSED ? "refused, with a reason"
							       : "to be tested"))
			diag("got %d, %s", trust, why ? why : "no reason");
	}
}
#else
static void decisions(void)
{
	const char *why;

	is(counter_trust(cpu_clocksources[0], NULL, &why), COUNTER_BELIEVED, "'%s' is believed",
	   cpu_clocksources[0]);
	is(counter_trust("jiffies", NULL, &why), COUNTER_REFUSED, "'jiffies' is refused");
}
#endif

static void choices(void)
{
	struct counter counter = {.choice = COUNTER_NEVER};
	const char *why;

	ok(!counter_usable(&counter, &why) && !strcmp(why, "switched off"),
	   "with --counter=never it is not used, and that is the reason");
	counter.choice = COUNTER_ALWAYS;
	ok(counter_usable(&counter, &why) && !why,
	   "with --counter=always it is, whatever the kernel keeps time with");
	ok(!counter_changed(&counter), "... and whatever it changes to");
	counter = (struct counter){.choice = COUNTER_AUTO};
	counter_usable(&counter, &why);
	ok(!counter_changed(&counter), "the clocksource is the one that was seen");
	counter.clocksource[0] ^= 1;
	ok(counter_changed(&counter), "... and another one is noticed");
}

/* No file can be opened, as where descriptors have run out. Each is a child's exit status. */
static int unreadable(struct counter counter)
{
	const char *why;
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		bool changed, usable;
		struct rlimit none = {0, 0};

		if (setrlimit(RLIMIT_NOFILE, &none))
			_exit(99);
		changed = counter_changed(&counter);
		usable = counter_usable(&counter, &why);
		_exit(changed | usable << 1 | (counter.err == -EMFILE) << 2 |
		      (counter.call && !strcmp(counter.call, "open")) << 3);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static void without_sys(void)
{
	struct counter counter = {.choice = COUNTER_AUTO};

	is(unreadable(counter), 4 | 8,
	   "where /sys cannot be read the counter is not used, and the call is known");
	strcpy(counter.clocksource, cpu_clocksources[0]);
	is(unreadable(counter), 2,
	   "where it cannot be any more, it is used on: that is no other clocksource");
}

static unsigned this_cpu(void)
{
	unsigned cpu = 0;

	syscall(SYS_getcpu, &cpu, NULL, NULL);
	return cpu;
}

static unsigned straight_cpu;

/* As if the other CPUs had been started later, by 2^20 counts. */
static u64 bent(void)
{
	return arch_counter() - (this_cpu() == straight_cpu ? 0 : 1 << 20);
}

/* Those that the process may take, kept to some of them or not. */
static int cpus_there_are(void)
{
	cpu_set_t before, all;

	sched_getaffinity(0, sizeof(before), &before);
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	sched_getaffinity(0, sizeof(all), &all);
	sched_setaffinity(0, sizeof(before), &before);
	return CPU_COUNT(&all);
}

static void cpus(void)
{
	struct counter counter = {.choice = COUNTER_AUTO};
	cpu_set_t before, after, one;
	const char *why, *agree = warp_test(arch_counter);

	sched_getaffinity(0, sizeof(before), &before);
	if (agree && !counter_usable(&counter, &why))
		diag("a counter that this kernel does not trust: %s", agree);
	else
		is(agree, (const char *)NULL, "the counters of this machine's CPUs agree");
	for (straight_cpu = 0; !CPU_ISSET(straight_cpu, &before); straight_cpu++)
		;
	why = warp_test(bent);
	is(why && strstr(why, "is behind that of another one"), cpus_there_are() > 1,
	   "one that is behind on other CPUs is found, where there are others");
	sched_getaffinity(0, sizeof(after), &after);
	ok(CPU_EQUAL(&before, &after), "the process may use the CPUs of before");
	CPU_ZERO(&one);
	CPU_SET(straight_cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	warp_test(bent);
	sched_getaffinity(0, sizeof(after), &after);
	ok(CPU_EQUAL(&one, &after), "... also one that keeps to a single CPU");
}

int main(void)
{
	decisions();
	choices();
	without_sys();
	if (emulated())
		diag("the emulator has one counter, and no clone(2) to compare it with");
	else
		cpus();
	return done_testing();
}
