/*
 * clock.c - a program that boots a vDSO of its own and asks it for the time.
 *
 *	cc clock.c $(pkg-config --cflags --libs libuvdso) -o clock && ./clock
 *
 * The second line shows the same clock through a second vDSO, a thousand days ahead.
 */
#include <err.h>
#include <stdio.h>
#include <time.h>
#include <uvdso.h>
#include <uvdso/vdso_names.h> /* what this machine calls it, vdso(7) */

static void show(const char *whose, const struct uvdso_options *options)
{
	int (*gettime)(clockid_t, struct timespec *);
	struct timespec now;
	struct uvdso *vdso;
	char why[256], text[64];

	if (uvdso_boot(&vdso, options, why, sizeof(why)))
		errx(1, "%s", why);
	gettime = uvdso_symbol(vdso, VDSO_NAME("clock_gettime"), VDSO_VERSION);
	if (!gettime || gettime(CLOCK_REALTIME, &now))
		errx(1, "the function is missing, or fails");
	strftime(text, sizeof(text), "%F %T UTC", gmtime(&now.tv_sec));
	printf("%-18s %s, answered at %p\n", whose, text, (void *)gettime);
	uvdso_shutdown(vdso);
}

int main(void)
{
	struct uvdso_options later = {.offset = {[UVDSO_REALTIME] = 1000 * 86400}};

	show("now", NULL);
	show("in a thousand days", &later);
	return 0;
}
