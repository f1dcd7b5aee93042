/*
 * vdso.h - what the files of the page share: how to export, where the data is.
 */
#ifndef VDSO_VDSO_H
#define VDSO_VDSO_H

#include <machine.h>
#include <vdso/datapage.h>

/*
 * The data pages. The linker script defines these names below the image, inside
 * SECTIONS, so that their distance from the code is a constant.
 *
 * Hidden, because a symbol that others could replace is reached through the GOT,
 * and the GOT needs a relocation, and nobody relocates this page. (On x86-64 the
 * linker would repair the mistake quietly; elsewhere the page would not work.)
 *
 * Not const: the objects do change, only not by our hand, and a compiler may
 * believe in const.
 */
extern struct vdso_data vdso_data[CS_BASES] __attribute__((visibility("hidden")));
extern struct vdso_rng_data vdso_rng_data __attribute__((visibility("hidden")));

/*
 * EXPORT(int, clock_gettime, (s32 clock, ...)) declares the function under its
 * exported name and, where the machine has them, the weak plain alias.
 */
#define VDSO_EXPORTED __attribute__((visibility("default")))

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

#endif
