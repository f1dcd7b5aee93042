/*
 * data_pages.c - see data_pages.h. The numbers are those of the recipe there.
 */
#include "kernel/keep/data_pages.h"

int data_pages_make(struct data_pages *pages, struct vvar *vvar, const struct timens *timens,
		    enum counter_choice counter, int owner, pid_t owner_pid, const char **step)
{
	struct timens_offset offset[VDSO_BASES];
	int err = vvar_map_writable(vvar); /* 3 */

	pages->vvar = vvar;
	*step = "data page";
	if (err)
		return err;
	timens_offsets(timens, NULL, offset);
	vvar_set_offsets(vvar, offset);                                /* 4 */
	timekeeper_start(&pages->tk, vvar->writable[0].data, counter); /* 5 */
	rng_start(&pages->tk.rng, &vvar->writable[VDSO_RNG_PAGE].rng); /* 6 */
	*step = "seal of the data page";
	err = vvar_seal(vvar); /* 7 */
	if (err)
		return err;
	*step = "watchdog";
	err = watchdog_start(&pages->watchdog, vvar, owner, owner_pid); /* 8 */
	if (!err)
		timekeeper_first(&pages->tk); /* 9 */
	return err;
}
