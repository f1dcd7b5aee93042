/*
 * x86_64.lds.S - the image for x86-64.
 *
 * The version node is part of the contract with the C library, which asks for each function by
 * name and version, and refuses others (vdso(7); kernel arch/x86/entry/vdso).
 *
 * Every name listed here must exist, or newer linkers refuse the script. So the names of a part
 * that is not built (VDSO_PARTS in port.mk) are not listed.
 */
#define VDSO_TEXT_FILL 0x90909090
#define VDSO_GOT_RESERVED 0

/* course: begin 03-versions */
#ifdef VDSO_HAS_time
#	define VDSO_TIME_NAMES         \
		clock_gettime;          \
		__vdso_clock_gettime;   \
		gettimeofday;           \
		__vdso_gettimeofday;    \
		getcpu;                 \
		__vdso_getcpu;          \
		time;                   \
		__vdso_time;            \
		clock_getres;           \
		__vdso_clock_getres;
#else
#	define VDSO_TIME_NAMES
#endif

#ifdef VDSO_HAS_random
#	define VDSO_RANDOM_NAMES       \
		getrandom;              \
		__vdso_getrandom;
#else
#	define VDSO_RANDOM_NAMES
#endif

#define VDSO_VERSIONS                   \
	LINUX_2.6 {                     \
	global:                         \
		VDSO_TIME_NAMES         \
		VDSO_RANDOM_NAMES       \
	local: *;                       \
	};
/* course: end 03-versions */

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)

#include "vdso-layout.lds.h"
