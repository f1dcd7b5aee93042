/*
 * mapped.c - images that lie in memory, each as a vDSO does, for a debugger to look at.
 *
 *	mapped FILE...
 *
 * The debugger stops in ready(), where at[] has the addresses.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST 256

const void *at[MOST];

__attribute__((noinline)) static void ready(void)
{
	__asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc && i <= MOST; i++) {
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		struct stat st;

		if (fd < 0 || fstat(fd, &st)) {
			perror(argv[i]);
			return 1;
		}
		at[i - 1] = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE,
				 fd, 0);
		if (at[i - 1] == MAP_FAILED) {
			perror(argv[i]);
			return 1;
		}
		close(fd);
	}
	ready();
	return 0;
}
