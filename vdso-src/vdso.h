/*
 * vdso.h - what the sources of the vDSO share: where the data pages are, and how a function is
 * exported. It also includes machine.h, the port's part.
 */
#ifndef VDSO_VDSO_H
#define VDSO_VDSO_H

#include <machine.h>
#include <vdso/datapage.h>

/*
 * The data pages. The linker script defines these names below the image, inside SECTIONS, so
 * that their distance from the code is a constant.
 *
 * Hidden: a symbol that others could replace is reached through the GOT, which needs a
 * relocation, and nobody relocates the image. (On x86-64 the linker would silently repair the
 * mistake; elsewhere the image would not work.)
 *
 * Not const: the timekeeper changes them, and a compiler may rely on const.
 */
extern struct vdso_data vdso_data[CS_KERNEL + 1] __attribute__((visibility("hidden")));
extern struct vdso_rng_data vdso_rng_data __attribute__((visibility("hidden")));

/*
 * EXPORT(int, clock_gettime, (s32 clock, ...)) declares the function under its exported name
 * and, where the machine has them, its weak alias without a prefix.
 */
#define VDSO_EXPORTED __attribute__((visibility("default")))

/* NOLINTBEGIN(bugprone-macro-parentheses): a type and a list of parameters */
#if VDSO_WEAK_ALIASES
#	define EXPORT(type, name, args)                                           \
		VDSO_EXPORTED type VDSO_PREFIX(name) args;                         \
		VDSO_EXPORTED type name args                                       \
			__attribute__((weak, alias(VDSO_STR(VDSO_PREFIX(name))))); \
		type VDSO_PREFIX(name) args
#else
#	define EXPORT(type, name, args)                   \
		VDSO_EXPORTED type VDSO_PREFIX(name) args; \
		type VDSO_PREFIX(name) args
#endif
/* NOLINTEND(bugprone-macro-parentheses): EXPORT */

#endif
