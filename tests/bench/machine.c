/*
 * machine.c - on what machine this is.
 *
 * A latency without its machine says nothing, and one from a busy machine says little. So
 * the table begins with what can be found out about both. How much the rest of the machine
 * disturbed is seen in the table itself: noise only ever adds, and where best and median
 * lie far apart there was much of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"
#include "calls.h"

#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

static void first_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	if (!file || !fgets(line, (int)size, file))
		snprintf(line, size, "unknown");
	line[strcspn(line, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* Finds "model name" and, among the flags, whether there is a hypervisor below us. */
static void cpu_model(char *model, size_t size, bool *virtual)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	size_t room = 0;

	snprintf(model, size, "unknown CPU");
	*virtual = false;
	while (file && getline(&line, &room, file) > 0 && line[0] != '\n') {
		const char *value = strstr(line, ": ");

		line[strcspn(line, "\n")] = '\0';
		if (!value)
			continue;
		if (!strncmp(line, "model name", 10))
			snprintf(model, size, "%s", value + 2);
		if (!strncmp(line, "flags", 5) && strstr(value, " hypervisor"))
			*virtual = true;
	}
	free(line);
	if (file)
		fclose(file);
}

void machine_print(const struct bench *bench)
{
	const char *why = uvdso_why_no_counter(bench->plain);
	char model[56], clocksource[32];
	struct utsname name;
	double load[3];
	bool virtual;

	cpu_model(model, sizeof(model), &virtual);
	first_line(CLOCKSOURCE, clocksource, sizeof(clocksource));
	uname(&name);
	printf("%sThis machine%s\n", bench->bold, bench->off);
	printf("  CPU          %s\n", model);
	printf("  CPUs         %ld online%s\n", sysconf(_SC_NPROCESSORS_ONLN),
	       virtual ? ", in a virtual machine" : "");
	printf("  kernel       %s %.50s\n", name.sysname, name.release);
	printf("  clocksource  %s\n", clocksource);
	if (why)
		printf("  counter      none is used: %.62s\n"
		       "               Our vDSO makes a system call for each fine clock.\n",
		       bench->no_counter ? "--no-counter" : why);
	else
		printf("  counter      read with %s\n", floor_instruction());
	if (getloadavg(load, 3) == 3)
		printf("  load         %.2f %.2f %.2f in the last 1, 5 and 15 minutes\n",
		       load[0], load[1], load[2]);
	printf("  It may be shared with other work. What is compared took turns, in batches "
	       "of\n"
	       "  some 150 microseconds; of all batches the best and the median are shown.\n");
}
