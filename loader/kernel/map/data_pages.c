/*
 * data_pages.c - see data_pages.h. The numbers are those of the recipe there.
 */
#include <string.h>

#include "kernel/map/data_pages.h"
#include "kernel/time/watchdog.h"

int data_pages_make(struct data_pages *pages, const struct timens *timens, bool use_counter,
		    struct error *error)
{
	struct timens_offset offset[VDSO_BASES];
	struct vvar *vvar = &pages->vvar;
	int err;

	*pages = (struct data_pages)DATA_PAGES_NONE;
	err = vvar_create(vvar); /* 1 */
	if (err)
		return error_system(error, err, "data page");
	timens_offsets(timens, offset);
	vvar_set_offsets(vvar, offset);                                    /* 2 */
	timekeeper_start(&pages->tk, vvar->writable[0].data, use_counter); /* 3 */
	rng_start(&pages->tk.rng, &vvar->writable[VDSO_RNG_PAGE].rng);     /* 4 */
	err = vvar_seal(vvar);                                             /* 5 */
	return err ? error_self(error, err, "data page", "cannot be sealed: %s", strerror(-err))
		   : 0;
}

int data_pages_guard(struct data_pages *pages, struct error *error)
{
	int err;

	pages->watchdog = watchdog_start(pages->vvar.writable); /* 6 */
	if (pages->watchdog < 0)
		return error_system(error, pages->watchdog, "watchdog");
	err = vvar_keep_from_children(&pages->vvar); /* 7 */
	return err ? error_system(error, err, "data page") : 0;
}

void data_pages_end(struct data_pages *pages)
{
	watchdog_stop(pages->watchdog);
	pages->watchdog = -1;
	vvar_drop_writable(&pages->vvar);
	vvar_close_fd(&pages->vvar);
}
