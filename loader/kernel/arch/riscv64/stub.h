/*
 * riscv64/stub.h - the stub of a function whose calls are counted (image/counted.h): not
 * written yet.
 *
 * stub_write() writes it. All three places are offsets into the image: the stub, the counter
 * of 64 bits that it adds one to, and the function that it goes on to. It returns false where
 * there is no such code, as here.
 */
#ifndef KERNEL_ARCH_STUB_H
#define KERNEL_ARCH_STUB_H

#include <stdbool.h>
#include <stdint.h>

#define STUB_SIZE 16 /* bytes at most, a multiple of 16 */

static inline bool stub_write(unsigned char *bytes, uint64_t stub, uint64_t counter,
			      uint64_t function)
{
	(void)bytes, (void)stub, (void)counter, (void)function;
	return false;
}

#endif
