/*
 * end.c - ends as it is told: end STATUS exits with it, end -SIGNAL kills itself.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int how = argc > 1 ? atoi(argv[1]) : 0;

	if (how < 0)
		kill(getpid(), -how);
	return how;
}
