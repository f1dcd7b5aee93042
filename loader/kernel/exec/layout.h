/*
 * layout.h - is the address space of a new program laid out at random?
 */
#ifndef KERNEL_EXEC_LAYOUT_H
#define KERNEL_EXEC_LAYOUT_H

#include <stdbool.h>

/*
 * False after setarch -R (personality(2), ADDR_NO_RANDOMIZE), and where the administrator says
 * so (randomize_va_space in proc_sys_kernel(5)): level 1 is stack, libraries and programs,
 * level 2 the heap.
 */
bool layout_is_random(int level);

#endif
