/*
 * once.h - access to memory that another process may change at the same time.
 *
 * Readers read the data page while the timekeeper may be writing it. The compiler may do a
 * plain access twice, tear it into pieces or keep the value in a register across a loop. It may
 * not do so with a relaxed atomic access, which costs nothing: on all our machines it is one
 * ordinary load or store.
 *
 * A 32-bit machine reads a 64-bit field in two halves. Only the sequence counter makes that
 * right, since it discards what was read during an update: outside it, no code may rely on a
 * whole 64-bit field. (VDSO_ONCE_HALVES lets a test have halves on a 64-bit machine, too.)
 */
#ifndef VDSO_ONCE_H
#define VDSO_ONCE_H

#include <vdso/types.h>

/*
 * Called before each load of shared memory, here and in seqcount.h. It is empty unless the
 * machine has defined it: on the one made for tests, a writer acts there
 * (arch/fake/machine.h). Such a machine.h must be included first.
 */
#ifndef VDSO_LOAD_HOOK
#	define VDSO_LOAD_HOOK(p) ((void)(p))
#endif

/* The same before each store, for a reader that comes in the middle of an update. */
#ifndef VDSO_STORE_HOOK
#	define VDSO_STORE_HOOK(p) ((void)(p))
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
	VDSO_STORE_HOOK(p);
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline __attribute__((always_inline)) void write_once_s32(s32 *p, s32 v)
{
	VDSO_STORE_HOOK(p);
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
	VDSO_STORE_HOOK(p);
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/* As much of a 64-bit field as a long can hold: one load on every machine. */
static inline __attribute__((always_inline)) long read_once_long(const u64 *p)
{
	return (long)read_once64(p);
}
#else
/* may_alias: to C11 6.5p7, the halves of a u64 are not u32 objects. */
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

	VDSO_STORE_HOOK(half);
	__atomic_store_n(half, (u32)v, __ATOMIC_RELAXED);
	VDSO_STORE_HOOK(half + 1);
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
