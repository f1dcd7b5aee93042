/*
 * riscv64/time_calls.h - the numbers of the system calls that name a time: like aarch64, it has
 * those of the kernel's generic table (asm-generic/unistd.h) and no older ones.
 */
#include "kernel/arch/aarch64/time_calls.h"
