/*
 * cfi.h - one description of a function in .eh_frame, read as an unwinder reads it.
 */
#ifndef KERNEL_IMAGE_UNWIND_CFI_H
#define KERNEL_IMAGE_UNWIND_CFI_H

#include "kernel/image/check/checked.h"

/* What a whole image may have, and has: some twenty, and three kilobytes. They bound the time.
 */
#define MAX_FRAMES 1024
#define MAX_BYTES  500000

struct frame {
	uint64_t fde;           /* its address */
	uint64_t start, length; /* of the code that it describes */
	bool is_signal;         /* augmentation S: the caller is a signal, not a call */
};

struct cfi {
	unsigned left;        /* of MAX_BYTES */
	uint64_t reported_at; /* the last CIE with a breach: many FDEs share it */
	uint64_t bad_cie;     /* the last one that cannot be read at all */
};

/*
 * Reads the FDE at an address, its CIE, and the instructions of both, and notes what no
 * unwinder could follow. False: not even the code that it describes is known.
 */
bool cfi_read(struct checked *c, struct cfi *cfi, uint64_t fde, struct frame *frame);

#endif
