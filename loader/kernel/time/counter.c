/*
 * counter.c - see counter.h. What a machine's counter is called is in arch/ARCH/cpu.c.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kernel/arch/cpu.h"
#include "kernel/time/counter.h"

/* The kernel's present clocksource; empty where /sys does not tell. */
static void read_clocksource(char name[32])
{
	int fd = open(CLOCKSOURCE_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	if (fd >= 0) {
		got = read(fd, name, 31);
		close(fd);
	}
	name[got > 0 ? got : 0] = 0;
	name[strcspn(name, "\n")] = 0;
}

bool counter_usable(const char **why)
{
	char name[32];

	*why = cpu_counter_fault();
	if (*why)
		return false;
	read_clocksource(name);
	for (size_t i = 0; cpu_clocksources[i]; i++)
		if (!strcmp(name, cpu_clocksources[i]))
			return true;
	*why = "the kernel does not keep time with this counter (see " CLOCKSOURCE_PATH ")";
	return false;
}
