/*
 * settle.c - see settle.h.
 */
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <regs.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <vdso/once.h>
#include <vdso/seqcount.h>

#include "kernel/base/wait.h"
#include "kernel/map/vvar.h"
#include "kernel/ptrace/settle.h"

/* By this we know the stops of our filter from those of a filter of the program's own. */
#define OUR_FILTER 0x5e77

/* How long to wait for the data page, and how far it may be off. Coarse clocks are read for it,
 * which without a counter are some microseconds apart. */
#define PAUSE_NS    20000
#define PATIENCE_NS 20000000
#define CLOSE_NS    20000

static const long setters[] = {
	SYS_clock_settime,   SYS_settimeofday,    SYS_adjtimex, SYS_clock_adjtime,
#ifdef SYS_stime
	SYS_stime,
#endif
#ifdef SYS_clock_settime64 /* machines of 32 bits */
	SYS_clock_settime64, SYS_clock_adjtime64,
#endif
};
#define NR_SETTERS (sizeof(setters) / sizeof(setters[0]))

bool settle_is_needed(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint32_t both = 1u << CAP_SYS_TIME | 1u << CAP_SYS_ADMIN;

	return !syscall(SYS_capget, &header, data) && (data[0].effective & both) == both;
}

void settle_filter(void)
{
	struct sock_filter code[NR_SETTERS + 6];
	struct sock_fprog program = {.filter = code};
	unsigned short n = 0;

	/* Calls in another machine's numbering do not concern us: they are not on our vDSO. */
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REGS_AUDIT_ARCH, 0,
						 NR_SETTERS + 1);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < NR_SETTERS; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (unsigned)setters[i],
							 (unsigned char)(NR_SETTERS - i), 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | OUR_FILTER);
	program.len = n;
	/* Without the flag old kernels slow down the whole program (seccomp(2)). */
	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
}

bool settle_is_ours(pid_t pid)
{
	unsigned long filter;

	return !ptrace(PTRACE_GETEVENTMSG, pid, NULL, &filter) && filter == OUR_FILTER;
}

static int64_t kernel_ns(clockid_t clock)
{
	struct timespec ts = {0, 0};

#ifdef SYS_clock_gettime64
	syscall(SYS_clock_gettime64, clock, &ts);
#else
	syscall(SYS_clock_gettime, clock, &ts);
#endif
	return ts.tv_sec * (int64_t)NSEC_PER_SEC + ts.tv_nsec;
}

static int64_t coarse_ns(const struct vdso_data *vd, int clock)
{
	return (int64_t)(read_once64(&vd->basetime[clock].sec) * NSEC_PER_SEC +
			 read_once64(&vd->basetime[clock].nsec));
}

/* By the distance of REALTIME from MONOTONIC, which only changes when a clock is set; and the
 * zone. */
static bool is_settled(const struct vdso_data *vd)
{
	struct timezone zone = {0, 0};
	int64_t before, real, after, distance;
	u32 seq = vdso_read_begin(vd);

	if (seq & 1)
		return read_once_s32(&vd->clock_mode) == VDSO_CLOCKMODE_ABANDONED;
	distance = coarse_ns(vd, VDSO_CLOCK_REALTIME_COARSE) -
		   coarse_ns(vd, VDSO_CLOCK_MONOTONIC_COARSE);
	if (vdso_read_retry(vd, seq))
		return false;
	before = kernel_ns(CLOCK_MONOTONIC);
	real = kernel_ns(CLOCK_REALTIME);
	after = kernel_ns(CLOCK_MONOTONIC);
	syscall(SYS_gettimeofday, NULL, &zone);
	return distance >= real - after - CLOSE_NS && distance <= real - before + CLOSE_NS &&
	       read_once_s32(&vd->tz_minuteswest) == zone.tz_minuteswest &&
	       read_once_s32(&vd->tz_dsttime) == zone.tz_dsttime;
}

void settle_wait(int data)
{
	const int64_t end = kernel_ns(CLOCK_MONOTONIC) + PATIENCE_NS;
	union vdso_data_store *page =
		mmap(NULL, sizeof(*page), PROT_READ, MAP_SHARED, data, VVAR_FILE_TIME);

	if (page == MAP_FAILED)
		return;
	/* By turns as well, where no clock goes on. */
	for (int turn = 0; turn < PATIENCE_NS / PAUSE_NS && kernel_ns(CLOCK_MONOTONIC) < end &&
			   !is_settled(page->data);
	     turn++)
		pause_ns(PAUSE_NS);
	munmap(page, sizeof(*page));
}
