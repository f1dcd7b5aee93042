/*
 * symbols.c - uvdso symbols: what an image exports, as vdso(7) prints it.
 *
 * One row for each function, its name and its version, sorted by name. The list is made
 * with the C library's part alone, so it is what a program can find: the weak plain names
 * as well as the prefixed ones, but not the name of the version node, which ld.bfd exports
 * and ld.lld does not. An image of another machine, which no program here can open, is
 * read field by field (kernel/image/exports.h), and the list has the same.
 *
 * Two lines of heading, then rows of exactly two words, so that a script can read it, too:
 *
 *	uvdso symbols | awk 'NR > 2 { print $1 "@" $2 }'
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "cli.h"
#include "kernel/image/exports.h"
#include "kernel/image/image.h"
#include "libc/vdso_elf.h"

/* Stands for the version of a function that has none. */
#define NO_VERSION "-"

struct row {
	const char *name, *version;
};

static int by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->version, y->version);
}

static void print_rule(int width)
{
	while (width-- > 0)
		putchar('-');
	putchar('\n');
}

/* Names come from the image: what would split the row or steer a terminal becomes '?'. */
static void print_word(const char *word, int width)
{
	if (!*word)
		word = "?";
	for (; *word; word++, width--)
		putchar(*word > ' ' && *word < 0x7f ? *word : '?');
	while (width-- > 0)
		putchar(' ');
}

static int print_table(struct row *rows, unsigned count)
{
	int name_width = (int)strlen("symbol"), version_width = (int)strlen("version");

	for (unsigned i = 0; i < count; i++) {
		if (!rows[i].version)
			rows[i].version = NO_VERSION;
		if ((int)strlen(rows[i].name) > name_width)
			name_width = (int)strlen(rows[i].name);
		if ((int)strlen(rows[i].version) > version_width)
			version_width = (int)strlen(rows[i].version);
	}
	qsort(rows, count, sizeof(*rows), by_name);

	printf("%-*s   version\n", name_width, "symbol");
	print_rule(name_width + 3 + version_width);
	for (unsigned i = 0; i < count; i++) {
		print_word(rows[i].name, name_width + 3);
		print_word(rows[i].version, 0);
		putchar('\n');
	}
	return STATUS_OK;
}

static unsigned rows_of_ours(const struct vdso_elf *elf, struct row *rows)
{
	unsigned count = 0;
	struct vdso_elf_entry entry;

	for (unsigned i = 0; i < vdso_elf_symbol_count(elf); i++)
		if (vdso_elf_symbol_at(elf, i, &entry))
			rows[count++] = (struct row){entry.name, entry.version};
	return count;
}

static unsigned rows_of_other(const struct exports *exports, struct row *rows)
{
	unsigned count = 0;
	struct export export;

	for (unsigned i = 0; i < exports->nr_symbols; i++)
		if (exports_at(exports, i, &export))
			rows[count++] = (struct row){export.name, export.version};
	return count;
}

static int print_image(const char *what, const void *bytes, size_t size)
{
	struct vdso_elf elf;
	struct exports exports = {0};
	int error = vdso_elf_open(&elf, bytes, size), status;
	const char *why = error ? vdso_elf_error(error) : NULL;
	unsigned most = vdso_elf_symbol_count(&elf);
	struct row *rows;

	/* Sound, but not for a program on this machine. */
	if (error == VDSO_ELF_MACHINE && size) {
		why = exports_open(&exports, bytes, size);
		most = exports.nr_symbols;
	}
	if (why) {
		complain(what, "%s", why);
		return STATUS_BROKEN;
	}
	rows = calloc(most ? most : 1, sizeof(*rows));
	if (!rows) {
		complain("symbols", "out of memory");
		return STATUS_USAGE;
	}
	status = print_table(rows,
			     error ? rows_of_other(&exports, rows) : rows_of_ours(&elf, rows));
	free(rows);
	return status;
}

static int print_file(const char *path)
{
	struct image image;
	int status, error = image_read(path, &image);

	if (error) {
		complain(path, "cannot read: %s", strerror(-error));
		return STATUS_USAGE;
	}
	if (image.size == 0) {
		complain(path, "the file is empty");
		status = STATUS_BROKEN;
	} else {
		status = print_image(path, image.bytes, image.size);
	}
	image_free(&image);
	return status;
}

static int print_kernel(void)
{
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);

	return print_image("the kernel's vDSO", image, 0);
}

static bool kernel;

static const struct option_row options[] = {
	{0, "kernel", NULL, set_flag, &kernel,
	 "the running kernel's own vDSO, as it lies in this\n"
	 "process"},
	{0},
};

static int symbols(int argc, char **argv);

const struct command command_symbols = {
	.name = "symbols",
	.summary = "list the functions that an image exports, each with its version",
	.operands = "[FILE]",
	.max = 1,
	.options = options,
	.failure = STATUS_USAGE,
	.about = "Lists the functions that the image in FILE exports, each with its version,\n"
		 "sorted by name. FILE may be for any machine. Without it, those of the "
		 "built-in\n"
		 "image.\n",
	.ends = "  0    listed\n"
		"  1    the image is malformed, or this process has no vDSO of the kernel\n"
		"  2    wrong usage, or a file that cannot be read\n",
	.run = symbols,
};

static int symbols(int argc, char **argv)
{
	struct image builtin = image_builtin();

	if (kernel && argc)
		return refuse(&command_symbols, argv[0], "not expected with --kernel");
	if (kernel)
		return print_kernel();
	if (argc)
		return print_file(argv[0]);
	return print_image("built-in image", builtin.bytes, builtin.size);
}
