/*
 * memory.c - uses the memory that a program may count on: a stack that grows to its limit,
 * a heap that grows at its end, and, with the argument "code", code on the stack. Prints
 * what it managed; where something is missing it dies.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Six of the usual eight megabytes, in steps of 4 KiB so that no page is leapt over. */
__attribute__((noinline)) static unsigned deep(unsigned steps)
{
	volatile unsigned char frame[4096];

	frame[0] = (unsigned char)steps;
	return (steps ? deep(steps - 1) : 0) + frame[0];
}

/* Does the mapping that is called [heap] hold this address? */
static int in_heap(uintptr_t address)
{
	FILE *file = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	char line[512];
	int found = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, "[heap]") && sscanf(line, "%lx-%lx", &start, &end) == 2)
			found |= start <= address && address < end;
	if (file)
		fclose(file);
	return found;
}

int main(int argc, char **argv)
{
	enum { BLOCKS = 100000 };
	static unsigned *block[BLOCKS];
	char *old, *more;

	if (argc > 1 && !strcmp(argv[1], "code")) {
#if defined(__aarch64__) /* mov w0, #42; ret */
		volatile uint32_t code[] = {0x52800540, 0xd65f03c0};
#elif defined(__riscv) /* li a0, 42; ret */
		volatile uint32_t code[] = {0x02a00513, 0x00008067};
#else                  /* mov $42, %eax; ret */
		volatile unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
#endif

		__builtin___clear_cache((char *)code, (char *)code + sizeof(code));

		printf("code on the stack gives %d\n", ((int (*)(void))(void *)code)());
		return 0;
	}
	deep(6 * 256);
	puts("stack");
	for (unsigned i = 0; i < BLOCKS; i++) {
		block[i] = malloc(32);
		*block[i] = i;
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		if (*block[i] != i)
			abort();
	puts("blocks");
	if (in_heap((uintptr_t)block[0]) && in_heap((uintptr_t)block[BLOCKS - 1]))
		puts("blocks in [heap]");
	old = sbrk(1 << 20);
	if (old == (char *)-1)
		abort();
	memset(old, 1, 1 << 20);
	more = sbrk(0);
	if (more - old == 1 << 20)
		puts("brk");
	return 0;
}
