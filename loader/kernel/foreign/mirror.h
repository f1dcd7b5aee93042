/*
 * mirror.h - the data pages of a kernel's image, kept from the state of our own.
 *
 * The timekeeper writes our data page as always, and then what it says in the layout of another
 * one. Both show the same line, so that no reader of either is told a time before one that any
 * reader has been told; the rules for that are timeline.h's. For this the mirror's numbers are
 * odd before the end of the old line is chosen (mirror_begin()), until the new one is written.
 *
 * What is different: the readers in a kernel's image wait for the end of an update for ever,
 * since a kernel's timekeeper cannot die, and they believe a line for as long as it is there.
 * So the watchdog not only takes the counter away from them (mode NONE: they make system calls
 * for fine clocks) but ends the update, too, and as long as nobody else does it keeps the
 * coarse clocks, which ask the kernel in no mode at all.
 *
 * The head of a structure, number and mode in one, is changed as ours are: a writer that finds
 * another one than it has left has lost, and writes nothing more. What is left: one that is
 * stopped for as long as a watchdog waits, in the nanosecond between that look and the two
 * stores of a clock, makes these after others have written.
 */
#ifndef KERNEL_FOREIGN_MIRROR_H
#define KERNEL_FOREIGN_MIRROR_H

#include <vdso/datapage.h>

#include "kernel/foreign/layout.h"

/* The pages of a mirror, wherever the layout wants them. */
enum mirror_page {
	MIRROR_TIME,
	MIRROR_OFFSETS,
	MIRROR_RNG,
	MIRROR_ZEROS, /* what is the machine's alone */
	MIRROR_PAGES,
};

/* No type but bytes: what they are says the layout. */
union mirror_store {
	u64 word[VDSO_STRIDE / 8];
	unsigned char page[VDSO_STRIDE];
};

struct mirror {
	const struct foreign_layout *layout; /* NULL: there is no mirror */
	union mirror_store *pages; /* MIRROR_PAGES of them, writable, zeroed at first */
	struct timens_offset shift[VDSO_BASES]; /* added to a clock here */
	u64 head[CS_BASES];                     /* as mirror_begin() has left them */
	bool shifted; /* is any clock, here or by the page of offsets? */
};

/*
 * For so long readers may follow a line, if the watchdog has to end it: two of its looks
 * (WATCHDOG_PERIOD_MS). So a line is slewed no faster than is right for that time.
 */
#define MIRROR_PATIENCE_NS 40000000

/*
 * Which of the offsets are the page of offsets' (mirror_fill_offsets()) and which are added to
 * the clocks themselves: a kernel shifts MONOTONIC and BOOTTIME only, and its time() knows of
 * no offset at all. All of them if the image knows no namespaces.
 */
void mirror_shift(struct mirror *mirror, const struct timens_offset offset[VDSO_BASES],
		  bool no_namespace);
void mirror_fill_offsets(const struct foreign_layout *layout, union mirror_store *page,
			 const struct timens_offset offset[VDSO_BASES]);

/* Sends readers away until mirror_end(): to be called before the end of the old line is chosen.
 */
void mirror_begin(struct mirror *mirror);

/*
 * Writes what our own bases say, with the mode for each, and lets readers go on. False if it
 * was abandoned meanwhile: they have been told the kernel's time.
 */
bool mirror_end(struct mirror *mirror, const struct vdso_data from[CS_BASES],
		const s32 mode[CS_BASES]);

/*
 * Nobody keeps the time, or there is none to keep: sends readers to the kernel. May be called
 * at any time, and again and again. They wait until mirror_stand_in() has given the coarse
 * clocks as they are, looked at after the former: another one may have written them meanwhile.
 */
void mirror_abandon(struct mirror *mirror, u64 head[CS_BASES]);
void mirror_stand_in(struct mirror *mirror, const u64 head[CS_BASES], u64 real_ns, u64 mono_ns);

/*
 * The other way round: what a time page of that layout says, a kernel's for instance, in the
 * form of ours. Returns how often it had to be read again because of an update. In a page of
 * offsets the numbers are odd for ever, and the mode says so (VDSO_CLOCKMODE_TIMENS).
 */
unsigned mirror_read(const struct foreign_layout *layout, const void *page,
		     struct vdso_data to[CS_BASES]);

/* Random numbers as our own page says, or not any more. */
void mirror_rng(struct mirror *mirror, const struct vdso_rng_data *from);
void mirror_abandon_rng(struct mirror *mirror);

#endif
