/*
 * files.h - the times of files, in a tree that has clocks of its own and wants them to agree.
 *
 * A file system has the kernel's times. A program that compares them with its clock, as make(1)
 * and find(1) do, is shown them by that clock: a file written a second ago is a second old. A
 * time that it sets is read back as it was set, but for the rounding that a rate brings.
 */
#ifndef KERNEL_PTRACE_FILES_H
#define KERNEL_PTRACE_FILES_H

#include "kernel/ptrace/time/time_stop.h"
#include "kernel/ptrace/time/time_value.h"

/*
 * Converts a time of a file into that of a clock, and back. A time before the point of the line
 * is from when the clock had no rate of its own. Both may be before 1970.
 */
s64 file_time_shown(const struct clock_map *map, s64 kernel_ns);
s64 file_time_kernel(const struct clock_map *map, s64 shown_ns);

/* Converts the answer of the kernel, in the program's memory. */
void files_exchange(const struct time_stop *stop);

/*
 * Converts the times that a call is to set. False: there is nothing to convert, or no valid
 * time.
 */
bool files_convert(const struct time_stop *stop, struct time_words *words);

#endif
