/*
 * getrandom.h - what the tests of getrandom share: a vDSO of their own, whose generation they
 * hold in their own hands, and memory for states.
 */
#ifndef TEST_GETRANDOM_H
#define TEST_GETRANDOM_H

#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vdso/rng.h>

#include "chacha_reference.h"
#include "kernel/base/page.h"
#include "kernel/map/place.h"
#include "kernel/time/rng.h"
#include "libc/vdso_elf.h"
#include "libc/vdso_names.h"
#include "tap.h"

#define PAGE       page_size()
#define STATE_SIZE sizeof(struct vgetrandom_state)

typedef long getrandom_fn(void *buffer, size_t len, unsigned flags, void *state,
			  size_t state_size);

/* From the vDSO at ehdr; NULL if it has none. */
static getrandom_fn *find_getrandom(const void *ehdr)
{
	struct vdso_elf elf;

	if (!ehdr || vdso_elf_open(&elf, ehdr, 0))
		return NULL;
	return (getrandom_fn *)vdso_elf_symbol(&elf, VDSO_NAME("getrandom"), VDSO_VERSION);
}

__attribute__((unused)) static struct own_page {
	struct vvar vvar;
	struct placement place;
	struct rng rng;             /* ours to bump */
	struct vdso_rng_data *data; /* the writable page */
	getrandom_fn *getrandom;
} own;

/* Without a timekeeper: nothing changes but by this test. */
__attribute__((unused)) static void make_page(void)
{
	struct image image = image_builtin();
	struct error error;

	if (vvar_create(&own.vvar) || vvar_map_writable(&own.vvar))
		bail_out("no data page");
	own.data = &own.vvar.writable[VDSO_RNG_PAGE].rng;
	rng_start(&own.rng, own.data);
	if (vvar_seal(&own.vvar) ||
	    vdso_place(&image, &own.vvar, false, false, &own.place, &error))
		bail_out("no vDSO");
	own.getrandom = find_getrandom((const void *)own.place.ehdr);
	if (!own.getrandom)
		bail_out("the vDSO has no " VDSO_NAME("getrandom"));
}

/* A page of memory for states: droppable, or at least forgotten by a forked child. */
__attribute__((unused)) static struct vgetrandom_state *
new_states(const struct vdso_rng_data *rng)
{
	u32 flags = rng && rng->state_mmap_flags ? rng->state_mmap_flags
						 : MAP_PRIVATE | MAP_ANONYMOUS;
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, (int)flags, -1, 0);

	if (page == MAP_FAILED)
		bail_out("no memory for a state");
	madvise(page, PAGE, MADV_WIPEONFORK);
	return page;
}

/* Puts a known key into a state, with nothing of its batch left. */
__attribute__((unused)) static void set_key(struct vgetrandom_state *state, uint8_t first)
{
	memset(state, 0, sizeof(*state));
	for (int i = 0; i < CHACHA_KEY_SIZE; i++)
		state->key[i] = (u8)(first + 7 * i);
	state->generation = own.data->generation;
	state->pos = sizeof(state->batch);
}

/*
 * What a state and its output must be, worked out with the reference: requests are served
 * from the batch, what it lacks from blocks of the key, and then the next 128 bytes of the
 * key's stream are the new batch and the new key. What was given out is zero.
 */
struct model {
	uint8_t batch_key[128];
	unsigned pos;
};

__attribute__((unused)) static struct model model_of(const struct vgetrandom_state *state)
{
	struct model model = {.pos = state->pos};

	memcpy(model.batch_key, state->batch_key, sizeof(model.batch_key));
	return model;
}

__attribute__((unused)) static void model_take(struct model *model, uint8_t *out, size_t len)
{
	memcpy(out, model->batch_key + model->pos, len);
	memset(model->batch_key + model->pos, 0, len);
	model->pos += (unsigned)len;
}

__attribute__((unused)) static void model_getrandom(struct model *model, uint8_t *out,
						    size_t len)
{
	size_t have = 96 - model->pos, blocks;
	uint8_t key[32];
	uint64_t counter;

	if (len <= have) {
		model_take(model, out, len);
		return;
	}
	model_take(model, out, have);
	out += have;
	len -= have;
	blocks = len / 64;
	memcpy(key, model->batch_key + 96, 32);
	counter = rfc_blocks(out, key, 0, blocks);
	rfc_blocks(model->batch_key, key, counter, 2);
	model->pos = 0;
	model_take(model, out + blocks * 64, len % 64);
}

#endif
