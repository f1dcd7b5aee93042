/*
 * 05-resolve.c - a program without a C library tells the time, by what a resolver has found.
 *
 * The resolver is loader/libc/vdso_lookup.c. With an argument it has to do without DT_GNU_HASH,
 * as on an image that has only the older table.
 */
#include "bare.h"
#include "libc/auxv.h"
#include "libc/vdso_elf.h"

static const char *const names[][2] = {
	{"__vdso_clock_gettime", "LINUX_2.6"},
	{"__vdso_gettimeofday", "LINUX_2.6"},
	{"__vdso_time", "LINUX_2.6"},
	{"__vdso_getcpu", "LINUX_2.6"},
	{"clock_gettime", NULL},
	{"__vdso_clock_gettime", "LINUX_2.5"},
	{"__vdso_tell_the_future", "LINUX_2.6"},
};

static void say_padded(const char *text, int width)
{
	say(text);
	while (*text++)
		width--;
	while (width-- > 0)
		say(" ");
}

int bare_main(const void *sp)
{
	const void *ehdr = vdso_auxv_ehdr(vdso_auxv_from_stack(sp));
	int (*gettime)(clockid_t, struct timespec *) = NULL;
	long (*getcpu)(unsigned *, unsigned *, void *) = NULL;
	unsigned cpu, node;
	struct vdso_elf elf;
	struct timespec ts;

	if (!ehdr || vdso_elf_open(&elf, ehdr, 0)) {
		say("This program was started without a vDSO.\n");
		return 0;
	}
	say("The vDSO lies at ");
	say_address(ehdr);
	if (*(const uintptr_t *)sp > 1) {
		elf.gnu.nbucket = 0;
		say(", and only DT_HASH is used");
	}
	say("\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const void *at = vdso_elf_symbol(&elf, names[i][0], names[i][1]);

		say("  ");
		say_padded(names[i][0], 24);
		say_padded(names[i][1] ? names[i][1] : "any version", 12);
		if (at) {
			say("+0x");
			say_number((uint64_t)((const char *)at - (const char *)ehdr), 16, 1);
		} else {
			say("not there");
		}
		say("\n");
	}
	*(const void **)&gettime = vdso_elf_symbol(&elf, "__vdso_clock_gettime", "LINUX_2.6");
	*(const void **)&getcpu = vdso_elf_symbol(&elf, "__vdso_getcpu", "LINUX_2.6");
	if (!gettime || gettime(CLOCK_REALTIME, &ts)) {
		say("No clock was found.\n");
		return 1;
	}
	say("It is ");
	say_time(&ts);
	if (getcpu && !getcpu(&cpu, &node, NULL)) {
		say(", on CPU ");
		say_number(cpu, 10, 1);
	}
	say(".\n");
	return 0;
}
