/*
 * small.c - a program that fits into a few pages: what it finds of itself, in one line.
 *
 * tests/attack/files.c bends its headers. It is its own interpreter, too: linked as static-pie
 * it says who it is, and that is all. All addresses are said as distances, so that two starts
 * say the same.
 */
#include <asm/unistd.h>
#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "bare_call.h"

#define MANY 3000

extern void _start(void);
extern const char __ehdr_start[];

static volatile unsigned data[MANY] = {1, [MANY - 1] = 2};
static volatile unsigned bss[MANY];
static const volatile unsigned rodata[MANY] = {3, [MANY - 1] = 4};

static char text[1024];
static size_t said;

static void say(const char *name, unsigned long long value)
{
	int shift = 60;

	while (*name)
		text[said++] = *name++;
	text[said++] = ' ';
	while (shift && !(value >> shift & 15))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		text[said++] = "0123456789abcdef"[value >> shift & 15];
	text[said++] = '\n';
}

static unsigned sum(const volatile unsigned *words)
{
	unsigned all = 0;

	for (unsigned i = 0; i < MANY; i++)
		all += words[i];
	return all;
}

__attribute__((used, noreturn)) void small(const uintptr_t *sp);
void small(const uintptr_t *sp)
{
	const uintptr_t *at = sp + 1 + *sp + 1;
	static uintptr_t vector[64]; /* no call of memset() */

	while (*at++)
		;
	for (; *at != AT_NULL; at += 2)
		if (*at < 64)
			vector[*at] = at[1];
	say("interpreter", vector[AT_ENTRY] != (uintptr_t)_start);
	say("base", vector[AT_BASE] ? vector[AT_BASE] - (uintptr_t)__ehdr_start : 1);
	say("headers", vector[AT_PHDR] - vector[AT_ENTRY]);
	say("number", vector[AT_PHNUM]);
	say("size", vector[AT_PHENT]);
	say("flags", vector[AT_FLAGS]);
	say("arguments", *sp);
	say("stack", (uintptr_t)sp % 16);
	say("data", sum(data));
	say("bss", sum(bss));
	say("rodata", sum(rodata));
	data[MANY - 1] = bss[MANY - 1] = 5;
	say("written", sum(data) + sum(bss));
	call6(__NR_write, 1, (long)text, (long)said, 0, 0, 0);
	call6(__NR_exit_group, 7, 0, 0, 0, 0, 0);
	__builtin_unreachable();
}

BARE_ENTRY(small);
