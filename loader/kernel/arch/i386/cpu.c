/*
 * cpu.c - see arch/cpu.h. i386: the same processors as x86-64, and the same answers.
 */
#include "kernel/arch/x86_64/cpu.c"
