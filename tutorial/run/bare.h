/*
 * bare.h - a program without a C library: where it begins, and how it says something.
 *
 * All that it has is the stack pointer that the kernel has left: bare_main() gets it as it was.
 */
#ifndef BARE_H
#define BARE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

__asm__("	.globl _start\n"
	"_start:\n"
	"	xor	%ebp, %ebp\n"
	"	mov	%rsp, %rdi\n"
	"	and	$-16, %rsp\n"
	"	call	bare_main\n"
	"	mov	%eax, %edi\n"
	"	mov	$60, %eax\n" /* exit(2) */
	"	syscall\n");

/* Returns the exit status. */
__attribute__((used)) int bare_main(const void *sp);

/* Compilers call these by themselves. */
void *memset(void *to, int byte, size_t size);
void *memset(void *to, int byte, size_t size)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(size) : "a"(byte) : "memory");
	return to;
}

void *memcpy(void *to, const void *from, size_t size);
void *memcpy(void *to, const void *from, size_t size)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
	return to;
}

__attribute__((unused)) static void say(const char *text)
{
	size_t size = 0;
	long ret;

	while (text[size])
		size++;
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(SYS_write), "D"(1), "S"(text), "d"(size)
			 : "rcx", "r11", "memory");
}

/* A number, with zeros before it up to a width. */
__attribute__((unused)) static void say_number(uint64_t number, unsigned base, int width)
{
	char text[32];
	int at = sizeof(text) - 1;

	text[at] = 0;
	do {
		text[--at] = "0123456789abcdef"[number % base];
		number /= base;
		width--;
	} while (number || width > 0);
	say(text + at);
}

__attribute__((unused)) static void say_address(const void *address)
{
	say("0x");
	say_number((uintptr_t)address, 16, 1);
}

/* The date and the time of the day, UTC. */
__attribute__((unused)) static void say_time(const struct timespec *ts)
{
	uint64_t seconds = (uint64_t)ts->tv_sec, day = seconds / 86400;
	/* Years that begin in March, and 400 of them at a time: then leap days come last. */
	uint64_t since = day + 719468, era = since / 146097, of_era = since % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * of_year + 2) / 153;

	say_number(year + era * 400 + (month >= 10), 10, 4);
	say("-");
	say_number(month < 10 ? month + 3 : month - 9, 10, 2);
	say("-");
	say_number(of_year - (153 * month + 2) / 5 + 1, 10, 2);
	say(" ");
	say_number(seconds / 3600 % 24, 10, 2);
	say(":");
	say_number(seconds / 60 % 60, 10, 2);
	say(":");
	say_number(seconds % 60, 10, 2);
	say(".");
	say_number((uint64_t)ts->tv_nsec, 10, 9);
	say(" UTC");
}

#endif
