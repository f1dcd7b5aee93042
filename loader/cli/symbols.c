/*
 * symbols.c - uvdso symbols: what an image exports, as vdso(7) prints it.
 *
 * One row a function, its name and its version, sorted by name. The list is made with the
 * C library's part alone: what stands here is what a program can find, no less (the weak
 * plain names are listed beside the prefixed ones) and no more (ld.bfd also exports the
 * name of the version node, which is no function; ld.lld does not).
 *
 * Two lines of heading, then rows of exactly two words, so that a script can read it too:
 *
 *	uvdso symbols | awk 'NR > 2 { print $1 "@" $2 }'
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "cli.h"
#include "kernel/image/image.h"
#include "libc/vdso_elf.h"

/* In the place of the version of a function that has none. */
#define NO_VERSION "-"

static int by_name(const void *a, const void *b)
{
	const struct vdso_elf_entry *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->version, y->version);
}

static void print_rule(int width)
{
	while (width-- > 0)
		putchar('-');
	putchar('\n');
}

/* Names come from the image: what would split the word or steer a terminal becomes '?'. */
static void print_word(const char *word, int width)
{
	if (!*word)
		word = "?";
	for (; *word; word++, width--)
		putchar(*word > ' ' && *word < 0x7f ? *word : '?');
	while (width-- > 0)
		putchar(' ');
}

static int print_table(const struct vdso_elf *elf)
{
	unsigned int most = vdso_elf_symbol_count(elf), count = 0;
	struct vdso_elf_entry *entries = calloc(most ? most : 1, sizeof(*entries));
	int name_width = (int)strlen("symbol"), version_width = (int)strlen("version");

	if (!entries) {
		complain("symbols", "out of memory");
		return STATUS_SELF;
	}
	for (unsigned int i = 0; i < most; i++) {
		struct vdso_elf_entry *entry = &entries[count];

		if (!vdso_elf_symbol_at(elf, i, entry))
			continue;
		if (!entry->version)
			entry->version = NO_VERSION;
		if ((int)strlen(entry->name) > name_width)
			name_width = (int)strlen(entry->name);
		if ((int)strlen(entry->version) > version_width)
			version_width = (int)strlen(entry->version);
		count++;
	}
	qsort(entries, count, sizeof(*entries), by_name);

	printf("%-*s   version\n", name_width, "symbol");
	print_rule(name_width + 3 + version_width);
	for (unsigned int i = 0; i < count; i++) {
		print_word(entries[i].name, name_width + 3);
		print_word(entries[i].version, 0);
		putchar('\n');
	}
	free(entries);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		complain("standard output", "cannot write the table: %s", strerror(errno));
		return STATUS_USAGE;
	}
	return STATUS_OK;
}

static int print_image(const char *what, const void *bytes, size_t size)
{
	struct vdso_elf elf;
	int error = vdso_elf_open(&elf, bytes, size);

	if (!error)
		return print_table(&elf);
	complain(what, "%s", vdso_elf_error(error));
	/* Nothing is wrong with an image of another machine, but it cannot be read here. */
	return error == VDSO_ELF_MACHINE ? STATUS_USAGE : STATUS_BROKEN;
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

static void help(void)
{
	fputs("uvdso symbols [FILE | --kernel]\n\n"
	      "Lists the functions that an image exports, each with its version, sorted by\n"
	      "name. Without an argument: the page that is built into uvdso.\n\n"
	      "  FILE      a page as a file, such as build/x86_64/vdso.so\n"
	      "  --kernel  the running kernel's own page, as it lies in this process\n\n"
	      "Status: 0 listed, 1 the image is malformed, 2 it cannot be read.\n",
	      stdout);
}

static int print_kernel(void)
{
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);

	return print_image("the kernel's vDSO", image, 0);
}

int cmd_symbols(int argc, char **argv)
{
	static const struct option options[] = {
		{"kernel", no_argument, NULL, 'k'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct image builtin = image_builtin();
	bool kernel = false;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'k':
			kernel = true;
			break;
		case 'h':
			help();
			return STATUS_OK;
		default:
			complain(argv[optind - 1],
				 "no such option; try `uvdso symbols --help`");
			return STATUS_USAGE;
		}
	}
	if (argc - optind + kernel > 1) {
		complain("symbols", "one image at a time: a FILE or --kernel");
		return STATUS_USAGE;
	}
	if (kernel)
		return print_kernel();
	if (optind < argc)
		return print_file(argv[optind]);
	return print_image("the built-in image", builtin.bytes, builtin.size);
}
