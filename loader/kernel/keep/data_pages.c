/*
 * data_pages.c - see data_pages.h. The numbers are those of the recipe there.
 */
#include "kernel/base/wait.h"
#include "kernel/keep/data_pages.h"

/* The offsets in the other layout, too. */
static void start_mirror(struct data_pages *pages,
			 const struct timens_offset offset[VDSO_BASES])
{
	const struct foreign_layout *layout = pages->vvar->foreign;
	struct mirror *mirror = &pages->tk.mirror;

	*mirror = (struct mirror){.layout = layout, .pages = vvar_mirror(pages->vvar)};
	mirror_shift(mirror, offset, layout->timens < 0);
	for (int clock = 0; clock < VDSO_BASES; clock++)
		mirror->shifted |= offset[clock].sec || offset[clock].nsec;
	mirror_fill_offsets(layout, &mirror->pages[MIRROR_OFFSETS], offset);
}

/* A rate that does not settle does not keep the program waiting. */
#define GROWING 64

/*
 * Readers of a mirror follow a line until there is another one, also if that is the watchdog's
 * doing (MIRROR_PATIENCE_NS), so the rate should be known for some time. It takes 8 ms.
 */
static void grow_up(struct timekeeper *tk)
{
	for (int i = 0; i < GROWING && timekeeper_period(tk) < TIMELINE_PERIOD_NS; i++) {
		pause_ns(timekeeper_period(tk));
		timekeeper_update(tk);
	}
}

/* Both start at once: the second has been calibrated when the first one is. */
static void start_clocks(struct data_pages *pages, enum counter_choice counter)
{
	struct vdso_data *data = pages->vvar->writable[VDSO_TIME_PAGE].data;
	struct own_clocks clocks;

	timekeeper_start(&pages->tk, data, counter);
	if (!pages->control)
		return;
	timekeeper_start(&pages->wall, &data[CS_WALL], counter);
	control_read(pages->control, &clocks);
	own_start(&pages->tk.bases.own, OWN_STEADY, &clocks);
	own_start(&pages->wall.bases.own, OWN_WALL, &clocks);
}

static void first_clocks(struct data_pages *pages)
{
	timekeeper_first(&pages->tk);
	if (pages->control)
		timekeeper_first(&pages->wall);
}

void data_pages_update(struct data_pages *pages)
{
	struct own_clocks clocks;
	u32 seq = pages->control ? control_read(pages->control, &clocks) : 1;

	if (!(seq & 1)) {
		own_change(&pages->tk.bases.own, &clocks);
		own_change(&pages->wall.bases.own, &clocks);
	}
	timekeeper_update(&pages->tk);
	if (pages->control)
		timekeeper_update(&pages->wall);
	/* Readers have them now, or are sent to the kernel. */
	if (!(seq & 1))
		atomic_store_explicit(&pages->control->published, seq, memory_order_release);
}

void data_pages_clock_was_set(struct data_pages *pages)
{
	timekeeper_clock_was_set(&pages->tk);
	if (pages->control)
		timekeeper_clock_was_set(&pages->wall);
}

u64 data_pages_period(const struct data_pages *pages)
{
	u64 period = timekeeper_period(&pages->tk);
	u64 wall = pages->control ? timekeeper_period(&pages->wall) : period;

	return wall < period ? wall : period;
}

int data_pages_make(struct data_pages *pages, struct vvar *vvar, const struct timens *timens,
		    struct control *control, enum counter_choice counter, int owner,
		    pid_t owner_pid, const char **step)
{
	struct timens_offset offset[VDSO_BASES], kernels[VDSO_BASES];
	int err = vvar_map_writable(vvar); /* 3 */

	pages->vvar = vvar;
	pages->control = control;
	*step = "data page";
	if (err)
		return err;
	timens_offsets(timens, NULL, offset);
	timens_kernels(timens, kernels);
	vvar_set_offsets(vvar, offset, kernels, control ? VDSO_WALL_DISTANCE : 0); /* 4 */
	start_clocks(pages, counter);                                              /* 5 */
	if (vvar->foreign)
		start_mirror(pages, offset);
	rng_start(&pages->tk.rng, &vvar->writable[VDSO_RNG_PAGE].rng); /* 6 */
	*step = "seal of the data page";
	err = vvar_seal(vvar); /* 7 */
	if (err)
		return err;
	*step = "watchdog";
	err = watchdog_start(&pages->watchdog, vvar, &pages->tk, owner, owner_pid); /* 8 */
	if (err)
		return err;
	first_clocks(pages); /* 9 */
	if (vvar->foreign)
		grow_up(&pages->tk);
	return 0;
}
