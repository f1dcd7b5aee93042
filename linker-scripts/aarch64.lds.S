/*
 * aarch64.lds.S - the image for aarch64: node LINUX_2.6.39, and names of its own.
 *
 * The prefix is __kernel_, not __vdso_, and there is no getcpu and no time: these are the names
 * of the kernel (arch/arm64/kernel/vdso/vdso.lds.S), and C libraries ask for them.
 */
#define VDSO_TEXT_FILL 0x1f2003d5 /* nop, d503201f, in byte order */
#define VDSO_GOT_RESERVED 8

#ifdef VDSO_HAS_time
#	define VDSO_TIME_NAMES         \
		__kernel_gettimeofday;  \
		__kernel_clock_gettime; \
		__kernel_clock_getres;
#else
#	define VDSO_TIME_NAMES
#endif

#ifdef VDSO_HAS_random
#	define VDSO_RANDOM_NAMES __kernel_getrandom;
#else
#	define VDSO_RANDOM_NAMES
#endif

#ifdef VDSO_HAS_signal
#	define VDSO_SIGNAL_NAMES __kernel_rt_sigreturn;
#else
#	define VDSO_SIGNAL_NAMES
#endif

/* course: begin 03-versions.aarch64 */
#define VDSO_VERSIONS                   \
	LINUX_2.6.39 {                  \
	global:                         \
		VDSO_TIME_NAMES         \
		VDSO_RANDOM_NAMES       \
		VDSO_SIGNAL_NAMES       \
	local: *;                       \
	};
/* course: end 03-versions.aarch64 */

/* course: begin 02-image.aarch64 */
OUTPUT_FORMAT("elf64-littleaarch64")
OUTPUT_ARCH(aarch64)

#include "vdso-layout.lds.h"
/* course: end 02-image.aarch64 */
