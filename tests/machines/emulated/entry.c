/*
 * entry.c - says which registers are not zero at the first instruction: their names, and a
 * count of the bytes of floating point registers. There is no C library.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#define REGISTERS 32

/* clang-format off */
#if defined(__aarch64__)
#	define FP_BYTES 512
__asm__("	.pushsection .text\n"
	"	.globl _start\n"
	"_start:\n"
	"	stp	x0, x1, [sp, #-256]!\n"
	"	.irp n, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28\n"
	"	str	x\\n, [sp, #8 * \\n]\n"
	"	.endr\n"
	"	.irp n, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 30\n"
	"	str	x\\n, [sp, #8 * \\n]\n"
	"	.endr\n"
	"	str	xzr, [sp, #8 * 31]\n"
	"	mov	x0, sp\n"
	"	sub	sp, sp, #512\n"
	"	mov	x1, sp\n"
	"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	str	q\\n, [x1, #16 * \\n]\n"
	"	.endr\n"
	"	.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
	"	str	q\\n, [x1, #16 * \\n]\n"
	"	.endr\n"
	"	bl	report\n"
	"	.popsection\n");

static void call(long nr, long a, long b, long c)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
}
#else
#	define FP_BYTES 256
__asm__("	.pushsection .text\n"
	"	.globl _start\n"
	"_start:\n"
	"	addi	sp, sp, -256\n"
	"	sd	zero, 16(sp)\n" /* sp itself */
	"	sd	zero, 0(sp)\n"
	"	sd	x1, 8(sp)\n"
	"	.irp n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17\n"
	"	sd	x\\n, 8 * \\n(sp)\n"
	"	.endr\n"
	"	.irp n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
	"	sd	x\\n, 8 * \\n(sp)\n"
	"	.endr\n"
	"	mv	a0, sp\n"
	"	addi	sp, sp, -256\n"
	"	mv	a1, sp\n"
	"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	fsd	f\\n, 8 * \\n(sp)\n"
	"	.endr\n"
	"	.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
	"	fsd	f\\n, 8 * \\n(sp)\n"
	"	.endr\n"
	"	call	report\n"
	"	.popsection\n");

static void call(long nr, long a, long b, long c)
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
}
#endif
/* clang-format on */

__attribute__((used, noreturn)) void report(const uint64_t *registers, const unsigned char *fp);
void report(const uint64_t *registers, const unsigned char *fp)
{
	char text[256];
	size_t at = 0;
	unsigned bytes = 0;

	for (unsigned i = 0; i < REGISTERS; i++)
		if (registers[i]) {
			text[at++] = 'x';
			if (i > 9)
				text[at++] = (char)('0' + i / 10);
			text[at++] = (char)('0' + i % 10);
			text[at++] = ' ';
		}
	for (size_t i = 0; i < FP_BYTES; i++)
		bytes += fp[i] != 0;
	text[at++] = bytes ? 'f' : '.';
	text[at++] = '\n';
	call(SYS_write, 1, (long)text, (long)at);
	call(SYS_exit_group, 0, 0, 0);
	__builtin_unreachable();
}
