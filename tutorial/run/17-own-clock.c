/*
 * 17-own-clock.c - a timekeeper of one's own, and a program that lives in its time.
 *
 *	17-own-clock RATE[,RATE...] PROGRAM [ARG...]
 *
 * Each rate holds for half a second, and the last one for good; 0 stops the clock. The program
 * is started by hand (exec/exec.h) on the image that is built in, with data pages that this
 * process writes. Only the program itself has them, and only its clocks go by them.
 */
#include <err.h>
#include <machine.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "kernel/arch/cpu.h"
#include "kernel/exec/exec.h"
#include "kernel/time/sampler.h"
#include "shown_line.h"

/*
 * A reader that finds the number odd waits some microseconds for us, and then asks the kernel:
 * which clock would jump. So we are seldom there.
 */
#define PAUSE_NS 50000000
#define HOLD_NS  500000000

struct own_clock {
	struct vdso_data *data;
	struct timeline kernel;   /* the line of its MONOTONIC */
	s64 ahead[TIMENS_CLOCKS]; /* by how much its clocks are ahead of that */
	struct clock_map map[TIMENS_CLOCKS];
};

static struct clocks_look look(void)
{
	static const struct clocks_ahead none;
	struct clocks_look now;

	sampler_look(&now, &none, 8);
	return now;
}

/* The counter's rate is measured over a hundredth of a second. All clocks begin as the
 * kernel's.
 */
static void begin(struct own_clock *own)
{
	struct clocks_look first, second = look();

	do {
		first = second;
		nanosleep(&(struct timespec){0, 10000000}, NULL);
		second = look();
	} while (!timeline_start(&own->kernel, cpu_counter_mask(), first.mono, second.mono));
	own->kernel.followed_ns = PAUSE_NS;
	own->ahead[TIMENS_REALTIME] = second.real.low;
	own->ahead[TIMENS_BOOTTIME] = second.boot.low;
	own->ahead[TIMENS_TAI] = second.tai.low;
	for (int clock = 0; clock < TIMENS_CLOCKS; clock++)
		own->map[clock] = clock_map_shift(0);
}

static void set_base(struct vdso_data *vd, int clock, u64 ns, u64 frac, u32 shift)
{
	write_once64(&vd->basetime[clock].sec, ns / NSEC_PER_SEC);
	write_once64(&vd->basetime[clock].nsec, ns % NSEC_PER_SEC << shift | frac);
}

/*
 * All clocks, in either base: MONOTONIC_RAW goes with MONOTONIC here. A base has one slope, and
 * so all of them have one rate.
 *
 * Past max_cycles readers ask the kernel, who knows nothing of our clocks: so that is as far as
 * 64 bits reach, which is some seconds.
 */
static void write_base(struct own_clock *own, struct vdso_data *vd)
{
	static const struct {
		int id, coarse;
	} clocks[TIMENS_CLOCKS] = {
		[TIMENS_REALTIME] = {VDSO_CLOCK_REALTIME, VDSO_CLOCK_REALTIME_COARSE},
		[TIMENS_MONOTONIC] = {VDSO_CLOCK_MONOTONIC, VDSO_CLOCK_MONOTONIC_COARSE},
		[TIMENS_BOOTTIME] = {VDSO_CLOCK_BOOTTIME, 0},
		[TIMENS_TAI] = {VDSO_CLOCK_TAI, 0},
	};
	struct shown_line line = {0};

	for (int clock = 0; clock < TIMENS_CLOCKS; clock++) {
		line = shown_line(&own->kernel, own->ahead[clock], &own->map[clock]);
		set_base(vd, clocks[clock].id, line.ns, line.frac, line.shift);
		if (clocks[clock].coarse)
			set_base(vd, clocks[clock].coarse, line.ns, 0, 0);
		if (clock == TIMENS_MONOTONIC)
			set_base(vd, VDSO_CLOCK_MONOTONIC_RAW, line.ns, line.frac, line.shift);
	}
	own->kernel.max_cycles = (own->kernel.mask >> 1) / (line.mult + 1ull);
	write_once64(&vd->cycle_last, own->kernel.cycle_last);
	write_once64(&vd->max_cycles, own->kernel.max_cycles);
	write_once64(&vd->mask, own->kernel.mask);
	write_once32(&vd->mult, line.mult);
	write_once32(&vd->shift, line.shift);
}

/* The same clocks at another rate, from where the line begins. */
static void set_rate(struct own_clock *own, u64 rate)
{
	for (int clock = 0; clock < TIMENS_CLOCKS; clock++)
		own->map[clock] =
			other_rate(&own->kernel, own->ahead[clock], &own->map[clock], rate);
}

/* The old line ends where the new one begins, and there it may get another rate. */
static void publish(struct own_clock *own, const u64 *rate)
{
	timeline_steer(&own->kernel, look().mono);
	for (int cs = 0; cs < CS_BASES; cs++) {
		struct vdso_data *vd = &own->data[cs];
		union vdso_head head = vdso_write_begin(vd);

		timeline_advance(&own->kernel, arch_counter());
		if (rate && cs == 0)
			set_rate(own, *rate);
		write_base(own, vd);
		vdso_write_end(vd, head, VDSO_CLOCKMODE_COUNTER);
	}
}

/* Until the program ends; its status. */
static int keep(struct own_clock *own, pid_t program, char *rates)
{
	static const struct timespec pause = {0, PAUSE_NS};
	u64 due = own->kernel.ns + HOLD_NS;
	sigset_t ended;
	int status;

	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ended, NULL);
	while (waitpid(program, &status, WNOHANG) == 0) {
		sigtimedwait(&ended, NULL, &pause);
		if (*rates == ',' && own->kernel.ns >= due) {
			u64 rate = (u64)(strtod(rates + 1, &rates) * CLOCK_RATE_ONE);

			publish(own, &rate);
			due += HOLD_NS;
		} else {
			publish(own, NULL);
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The child. It has the data pages as a reader only, and does not outlive their writer. */
static _Noreturn void become(char **argv, struct vvar *vvar, int go)
{
	struct image image = image_builtin();
	static const struct events none;
	struct placement vdso;
	struct program program;
	struct exec_request request = {.program = &program,
				       .envp = environ,
				       .vdso = &vdso,
				       .events = &none,
				       .close = {go, -1}};
	static struct error error;
	sigset_t all;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(go, &byte, 1) != 1)
		_exit(125);
	if (!program_open(&program, argv, &error) &&
	    !vdso_place(&image, vvar, false, false, &vdso, &error)) {
		vvar_close_readers(vvar);
		vvar_close_fd(vvar);
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, &request.mask);
		exec_program(&request, &error);
	}
	warnx("%s: %s", error.what, error.why);
	_exit(error.status);
}

int main(int argc, char **argv)
{
	static struct own_clock own;
	struct vvar vvar = VVAR_NONE;
	char *rates = argv[1];
	pid_t program;
	int go[2];
	u64 rate;

	if (argc < 3)
		errx(125, "usage: 17-own-clock RATE[,RATE...] PROGRAM [ARG...]");
	if (vvar_create(&vvar) || pipe(go))
		err(125, "data pages");
	program = fork();
	if (program == 0) {
		close(go[1]);
		become(argv + 2, &vvar, go[0]);
	}
	if (program < 0 || vvar_map_writable(&vvar))
		err(125, "data pages");
	own.data = vvar.writable[0].data;
	begin(&own);
	rate = (u64)(strtod(rates, &rates) * CLOCK_RATE_ONE);
	publish(&own, &rate);
	if (vvar_seal(&vvar) || write(go[1], "", 1) != 1)
		err(125, "data pages");
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	return keep(&own, program, rates);
}
