/*
 * judges.h - one function for each client; they end in a verdict (look_end(), look_conclude()).
 */
#ifndef KERNEL_IMAGE_CLIENTS_JUDGES_H
#define KERNEL_IMAGE_CLIENTS_JUDGES_H

#include "kernel/image/clients/look.h"

typedef void judge(struct look *l);

judge judge_glibc, judge_glibc_2025, judge_glibc_static;                    /* glibc.c */
judge judge_musl, judge_musl_static, judge_zig, judge_bionic, judge_abseil; /* scanners.c */
judge judge_go, judge_rustix, judge_selftest;                               /* parsers.c */
judge judge_criu, judge_gdb;                                                /* others.c */
judge judge_libgcc, judge_libunwind;                                        /* unwinders.c */

#endif
