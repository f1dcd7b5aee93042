/*
 * probe.c - see probe.h; questions.c is the part that runs in the attendant.
 */
#include <errno.h>
#include <host.h>
#include <stdio.h> /* snprintf */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/arch/cpu.h"
#include "kernel/base/attendant.h"
#include "kernel/base/descriptor.h"
#include "kernel/base/memfd.h"
#include "kernel/base/page.h"
#include "kernel/foreign/mirror.h"
#include "kernel/foreign/patch.h"
#include "kernel/foreign/probe.h"
#include "kernel/foreign/questions.h"
#include "kernel/image/exports.h"
#include "kernel/image/identity.h"

#define END_MS 1000

static void find_functions(struct questions *questions, const struct exports *exports)
{
	static const char *const prefix[] = {"__vdso_", "__kernel_"};
	struct export export;
	char name[40];

	memset(questions->function, 0, sizeof(questions->function));
	for (int i = 0; i < QUESTIONS; i++) {
		for (size_t p = 0; p < sizeof(prefix) / sizeof(prefix[0]); p++) {
			snprintf(name, sizeof(name), "%s%s", prefix[p], question_names[i]);
			if (exports_find(exports, name, &export) &&
			    export.symbol.value < exports->elf.size)
				questions->function[i] = (uint32_t) export.symbol.value;
		}
	}
}

static int open_image(const struct questions *questions, const struct image *image)
{
	unsigned char *copy = calloc(1, questions->image_length);
	int fd;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, image->bytes, image->size);
	foreign_patch(copy, image->size, cpu_has);
	fd = memfd_sealed("vdso", copy, questions->image_length, MEMFD_CODE);
	free(copy);
	return fd;
}

/* Its answer; no answer is one, too. */
static int try_layout(struct questions *questions, const struct foreign_layout *layout,
		      struct answers *answers)
{
	struct attendant attendant = ATTENDANT_NONE;
	int err;

	questions->layout = layout;
	err = attendant_start(&attendant, false, questions_ask, questions);
	if (err)
		return err;
	err = attendant_read(&attendant, answers, sizeof(*answers));
	attendant_release(&attendant);
	attendant_wait(&attendant, END_MS);
	attendant_end(&attendant);
	if (!err && answers->err)
		return error_by(answers->call, answers->err);
	if (err != -ECHILD && err != -ETIMEDOUT)
		return err;
	*answers = (struct answers){.fits = false};
	snprintf(answers->words, sizeof(answers->words), "%s",
		 err == -ECHILD ? "it ends the process that asks it"
				: "the process that asks it does not come back");
	return 0;
}

/* The next one of this machine but one; the first one after NULL. */
static const struct foreign_layout *next_layout(const struct foreign_layout *last,
						const struct foreign_layout *but)
{
	const struct foreign_layout *l = last ? last + 1 : foreign_layouts;

	while (l->name && (l->machine != HOST_MACHINE || l == but))
		l++;
	return l->name ? l : NULL;
}

/* The same row without one: always the same one. */
static const struct foreign_layout *without_namespace(const struct foreign_layout *layout)
{
	static struct foreign_layout rows[FOREIGN_LAYOUTS];
	struct foreign_layout *row = &rows[layout - foreign_layouts], without = *layout;

	/* Another thread may be using it: it is only written once. */
	without.timens = -1;
	if (!row->name)
		*row = without;
	return row;
}

/* The layout of the note first, then all others of the machine. */
static int try_all(struct questions *questions, const struct foreign_layout *first,
		   const struct foreign_layout **found, struct answers *answers)
{
	struct answers other;
	const struct foreign_layout *layout = first ? first : next_layout(NULL, NULL);

	for (bool rest = !first; layout;
	     layout = next_layout(rest ? layout : NULL, first), rest = true) {
		int err = try_layout(questions, layout, &other);

		if (err)
			return err;
		if (other.fits) {
			*found = other.no_namespace ? without_namespace(layout) : layout;
			return 0;
		}
		if (!*answers->words)
			*answers = other;
	}
	return -ENOEXEC;
}

static void close_files(const struct questions *questions)
{
	if (questions->image >= 0)
		descriptor_close(questions->image);
	if (questions->data >= 0)
		descriptor_close(questions->data);
}

/* Returns 0, -errno, or -ENOEXEC for an image that has nothing to be asked. */
static int open_files(struct questions *questions, const struct image *image, const char **why)
{
	struct exports exports;
	int err;

	*why = exports_open(&exports, image->bytes, image->size);
	if (*why)
		return -ENOEXEC;
	find_functions(questions, &exports);
	if (!questions->function[GETTIME] && !questions->function[GETTIME64]) {
		*why = "it exports no clock_gettime, so it cannot be asked";
		return -ENOEXEC;
	}
	questions->image_length = page_up(image->size);
	questions->image = open_image(questions, image);
	questions->data = memfd_sealable("vvar", MIRROR_PAGES * VDSO_STRIDE, MEMFD_DATA);
	err = questions->image < 0  ? questions->image
	      : questions->data < 0 ? questions->data
				    : 0;
	if (err)
		close_files(questions);
	return err;
}

int foreign_fits(const struct image *image, const struct foreign_layout *layout,
		 bool *no_namespace)
{
	struct answers answers = {.fits = false};
	struct questions questions = {.image = -1};
	const char *why = NULL;
	int err = open_files(&questions, image, &why);

	if (err)
		return err;
	err = try_layout(&questions, layout, &answers);
	close_files(&questions);
	*no_namespace = answers.no_namespace;
	return err ? err : answers.fits;
}

int foreign_probe(const struct image *image, const struct foreign_layout **layout,
		  struct error *error)
{
	struct image_identity identity = image_identity(image);
	const struct foreign_layout *first =
		identity.has_version ? foreign_layout_of(HOST_MACHINE, identity.version) : NULL;
	struct answers answers = {.fits = false};
	struct questions questions = {.image = -1};
	const char *why = NULL;
	char words[128];
	int err;

	*layout = first;
	image_identity_words(&identity, words, sizeof(words));
	err = open_files(&questions, image, &why);
	if (!err) {
		err = try_all(&questions, first, layout, &answers);
		close_files(&questions);
	}
	if (err && answers.elsewhere)
		*layout = NULL;
	if (err != -ENOEXEC)
		return err ? error_system(error, err, NULL) : 0;
	error_cannot_run(error, NULL, "%s", words);
	if (why)
		error_add(error, "; and %s", why);
	if (*answers.words)
		error_add(error, ", and none that is known fits: on those of Linux %s, %s",
			  first ? first->name : next_layout(NULL, NULL)->name, answers.words);
	return err;
}

int foreign_recognise(const struct image *image, bool force,
		      const struct foreign_layout **layout, struct error *error)
{
	struct image_identity identity = image_identity(image);
	int err;

	*layout = NULL;
	if (!image_is_for_host(image) || identity.has_layout)
		return 0;
	err = foreign_probe(image, layout, error);
	if (err != -ENOEXEC || !force)
		return err;
	*error = (struct error){0};
	return 0;
}
