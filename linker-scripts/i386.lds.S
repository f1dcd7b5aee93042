/*
 * i386.lds.S - the image for i386: nodes LINUX_2.6 and, for the older functions, LINUX_2.5.
 *
 * LINUX_2.5 has what the vDSO was first made for, before it had clocks (kernel
 * arch/x86/entry/vdso/vdso32): a system call, and two ways back from a signal. Neither node
 * inherits from the other; one local: * is enough for both.
 *
 * The entry point in the ELF header is the address for AT_SYSINFO.
 */
#define VDSO_TEXT_FILL 0x90909090
#define VDSO_GOT_RESERVED 0

#ifdef VDSO_HAS_time
#	define VDSO_TIME_NAMES         \
		__vdso_clock_gettime;   \
		__vdso_clock_gettime64; \
		__vdso_gettimeofday;    \
		__vdso_getcpu;          \
		__vdso_time;            \
		__vdso_clock_getres;
#else
#	define VDSO_TIME_NAMES
#endif

#ifdef VDSO_HAS_signal
#	define VDSO_SIGNAL_NODE                \
		LINUX_2.5 {                     \
		global:                         \
			__kernel_vsyscall;      \
			__kernel_sigreturn;     \
			__kernel_rt_sigreturn;  \
		};

ENTRY(__kernel_vsyscall)
#else
#	define VDSO_SIGNAL_NODE
#endif

#define VDSO_VERSIONS                   \
	LINUX_2.6 {                     \
	global:                         \
		VDSO_TIME_NAMES         \
	local: *;                       \
	};                              \
	VDSO_SIGNAL_NODE

#undef i386 /* compilers define it as 1 */
OUTPUT_FORMAT("elf32-i386")
OUTPUT_ARCH(i386)

#include "vdso-layout.lds.h"
