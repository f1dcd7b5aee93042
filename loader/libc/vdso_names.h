/*
 * vdso_names.h - what this machine's vDSO calls its functions, and in which version.
 *
 * Each machine has a prefix and a version node of its own: the node is that of the kernel in
 * which its vDSO first appeared. Some functions are not on every machine (vdso(7)). A C library
 * has these names built in, as it has the system call numbers.
 */
#ifndef LIBC_VDSO_NAMES_H
#define LIBC_VDSO_NAMES_H

#if defined(__x86_64__)
#	define VDSO_NAME(name)  "__vdso_" name
#	define VDSO_VERSION     "LINUX_2.6"
#	define VDSO_PLAIN_NAMES 1 /* also without the prefix, weak */
#	define VDSO_KNOWS_TIME  1
#	define VDSO_KNOWS_CPU   1
#elif defined(__i386__)
#	define VDSO_NAME(name)    "__vdso_" name
#	define VDSO_VERSION       "LINUX_2.6"
#	define VDSO_OLDER_VERSION "LINUX_2.5" /* of __kernel_*: older than the clocks */
#	define VDSO_PLAIN_NAMES   0
#	define VDSO_KNOWS_TIME    1
#	define VDSO_KNOWS_CPU     1
#elif defined(__aarch64__)
#	define VDSO_NAME(name)  "__kernel_" name
#	define VDSO_VERSION     "LINUX_2.6.39"
#	define VDSO_PLAIN_NAMES 0
#	define VDSO_KNOWS_TIME  0
#	define VDSO_KNOWS_CPU   0
#elif defined(__riscv)
#	define VDSO_NAME(name)  "__vdso_" name
#	define VDSO_VERSION     "LINUX_4.15"
#	define VDSO_PLAIN_NAMES 0
#	define VDSO_KNOWS_TIME  0
#	define VDSO_KNOWS_CPU   1
#else
#	error "name this machine's prefix, node and functions here"
#endif

#endif
