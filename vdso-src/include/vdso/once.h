/*
 * once.h - reading and writing memory that somebody else changes meanwhile.
 *
 * Every field of the data page is read while the timekeeper may be writing it.
 * A plain access would allow the compiler to read it twice, to tear it into
 * pieces or to keep it in a register over a loop; a relaxed atomic access may
 * do none of these, and costs nothing: on the machines that we build for it is
 * one ordinary load or store.
 *
 * Where the machine word is 32 bits wide, a 64-bit field is read in two halves.
 * That is allowed only under the sequence counter, which throws away what was
 * read while a writer was at work; nothing outside it may rely on a 64-bit
 * field being of one piece. (A test may ask for halves where it would not be so.)
 */
#ifndef VDSO_ONCE_H
#define VDSO_ONCE_H

#include <vdso/types.h>

/*
 * Said before each load of shared memory, here and in seqcount.h. It is nothing, and no
 * instruction comes of it, unless the machine has defined it: the one made for tests lets
 * a writer act there (arch/fake/machine.h). A machine that does so must be included first.
 */
#ifndef VDSO_LOAD_HOOK
#	define VDSO_LOAD_HOOK(p) ((void)(p))
#endif

static inline __attribute__((always_inline)) u32 read_once32(const u32 *p)
{
	VDSO_LOAD_HOOK(p);
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline __attribute__((always_inline)) s32 read_once_s32(const s32 *p)
{
	VDSO_LOAD_HOOK(p);
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline __attribute__((always_inline)) void write_once32(u32 *p, u32 v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline __attribute__((always_inline)) void write_once_s32(s32 *p, s32 v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

#if __SIZEOF_POINTER__ == 8 && !defined(VDSO_ONCE_HALVES)
static inline __attribute__((always_inline)) u64 read_once64(const u64 *p)
{
	VDSO_LOAD_HOOK(p);
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline __attribute__((always_inline)) void write_once64(u64 *p, u64 v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/* What a long holds of a 64-bit field: one load, everywhere. */
static inline __attribute__((always_inline)) long read_once_long(const u64 *p)
{
	return (long)read_once64(p);
}
#else
/* may_alias: the halves of a u64 are not u32 objects in the eyes of C11 6.5p7. */
typedef u32 __attribute__((may_alias)) once_half;

static inline __attribute__((always_inline)) u64 read_once64(const u64 *p)
{
	const once_half *half = (const once_half *)p;
	u32 low, high;

	VDSO_LOAD_HOOK(half);
	low = __atomic_load_n(half, __ATOMIC_RELAXED);
	VDSO_LOAD_HOOK(half + 1);
	high = __atomic_load_n(half + 1, __ATOMIC_RELAXED);
	return (u64)high << 32 | low;
}

static inline __attribute__((always_inline)) void write_once64(u64 *p, u64 v)
{
	once_half *half = (once_half *)p;

	__atomic_store_n(half, (u32)v, __ATOMIC_RELAXED);
	__atomic_store_n(half + 1, (u32)(v >> 32), __ATOMIC_RELAXED);
}

static inline __attribute__((always_inline)) long read_once_long(const u64 *p)
{
	VDSO_LOAD_HOOK(p);
	return (long)__atomic_load_n((const once_half *)p, __ATOMIC_RELAXED);
}
#endif

static inline __attribute__((always_inline)) s64 read_once_s64(const s64 *p)
{
	return (s64)read_once64((const u64 *)p);
}

static inline __attribute__((always_inline)) void write_once_s64(s64 *p, s64 v)
{
	write_once64((u64 *)p, (u64)v);
}

#endif
