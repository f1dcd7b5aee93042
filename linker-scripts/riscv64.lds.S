/*
 * riscv64.lds.S - the image for riscv64: node LINUX_4.15.
 *
 * Besides the clocks it has what Linux has on no other machine
 * (arch/riscv/kernel/vdso/vdso.lds.S): functions that make newly written code visible and that
 * list the features of the CPUs.
 */
#define VDSO_TEXT_FILL 0x13000000 /* nop, 00000013, in byte order */
#define VDSO_GOT_RESERVED 8

#ifdef VDSO_HAS_time
#	define VDSO_TIME_NAMES       \
		__vdso_gettimeofday;  \
		__vdso_clock_gettime; \
		__vdso_clock_getres;
#else
#	define VDSO_TIME_NAMES
#endif

#ifdef VDSO_HAS_random
#	define VDSO_RANDOM_NAMES __vdso_getrandom;
#else
#	define VDSO_RANDOM_NAMES
#endif

#ifdef VDSO_HAS_signal
#	define VDSO_SIGNAL_NAMES __vdso_rt_sigreturn;
#else
#	define VDSO_SIGNAL_NAMES
#endif

#ifdef VDSO_HAS_calls
#	define VDSO_CALLS_NAMES      \
		__vdso_getcpu;        \
		__vdso_flush_icache;  \
		__vdso_riscv_hwprobe;
#else
#	define VDSO_CALLS_NAMES
#endif

#define VDSO_VERSIONS                   \
	LINUX_4.15 {                    \
	global:                         \
		VDSO_TIME_NAMES         \
		VDSO_RANDOM_NAMES       \
		VDSO_SIGNAL_NAMES       \
		VDSO_CALLS_NAMES        \
	local: *;                       \
	};

OUTPUT_FORMAT("elf64-littleriscv")
OUTPUT_ARCH(riscv)

#include "vdso-layout.lds.h"
