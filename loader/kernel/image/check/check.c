/*
 * check.c - see check.h: the order in which an image is held against the rules.
 *
 * The rules by name are in report.c, the parts that look for breaches are listed in parts.h.
 */
#include "kernel/image/check/check.h"
#include "kernel/image/check/parts.h"

static void check_everything(struct checked *c)
{
	if (!check_elf_header(c) || !check_segments(c))
		return;
	check_sections(c);
	check_end(c);
	check_notes(c);
	if (!check_dynamic(c))
		return;
	check_relocations(c);
	check_strings(c);
	check_symbols(c);
	check_hashes(c);
	check_versions(c);
	check_repeated(c);
	check_names(c);
	check_replacements(c);
	check_eh_frame(c);
}

unsigned image_check(const struct image *image, image_report_fn *report, void *arg)
{
	struct checked c = {
		.report = {.tell = report, .arg = arg},
		.elf = elf_bytes_of(image->bytes, image->size),
	};

	check_everything(&c);
	return report_count(&c.report);
}
