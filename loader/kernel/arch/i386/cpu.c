/*
 * cpu.c - see cpu.h. i386: the same processors, asked the same questions.
 */
#include "kernel/arch/x86_64/cpu.c"
