/*
 * types.h - the types that the vDSO and the kernel's part share.
 *
 * The vDSO is freestanding: it has no C library and so no <time.h>. The types that it needs are
 * defined here, with the sizes that the system call interface fixes. The loader includes the
 * same file, so the two sides of a data page cannot disagree about a width.
 */
#ifndef VDSO_TYPES_H
#define VDSO_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define NSEC_PER_SEC  1000000000u
#define NSEC_PER_USEC 1000u

/* The value of a macro as a string. */
#define VDSO_STR(x)  VDSO_STR_(x)
#define VDSO_STR_(x) #x

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#endif
