/*
 * chacha.S - blocks of the ChaCha20 key stream, without a trace of the key. riscv64.
 *
 *	u64 arch_chacha20_blocks(u8 *out, const u8 key[32], u64 counter, size_t blocks);
 *	    a0                   a0       a1                a2           a3
 *
 * arch/x86_64/chacha.S explains the cipher and why it is in assembly. Not every CPU has
 * vectors, but there are many general registers: they hold the whole state of sixteen words,
 * one block at a time. Those that a function must preserve are saved on the stack first, and
 * nothing else goes there: the caller's words, not ours. All that held a secret are
 * overwritten before the return.
 *
 * out and key need no alignment (on Linux, user code may load and store unaligned words, though
 * some CPUs are slow at it). The last 32 bytes of out may be the key itself, which is last read
 * before the last block is written.
 */
#define OUT     a0
#define KEY     a1
#define COUNTER a2
#define BLOCKS  a3

/* The words of the state, one register for counting and one for rotating. */
#define X0  a4
#define X1  a5
#define X2  a6
#define X3  a7
#define X4  t0
#define X5  t1
#define X6  t2
#define X7  t3
#define X8  t4
#define X9  t5
#define X10 t6
#define X11 s0
#define X12 s1
#define X13 s2
#define X14 s3
#define X15 s4
#define N   s5
#define T   s6

/* "expand 32-byte k" */
#define WORD_0 0x61707865
#define WORD_1 0x3320646e
#define WORD_2 0x79622d32
#define WORD_3 0x6b206574

/* to = (to ^ from) rotated to the left by n bits. */
#define XOR_ROTATE(to, from, n)         \
	xor	to, to, from;            \
	slliw	T, to, n;                \
	srliw	to, to, 32 - n;          \
	or	to, to, T

/* RFC 8439, 2.1. */
#define QUARTER_ROUND(a, b, c, d)                       \
	addw	a, a, b;	XOR_ROTATE(d, a, 16);    \
	addw	c, c, d;	XOR_ROTATE(b, c, 12);    \
	addw	a, a, b;	XOR_ROTATE(d, a, 8);     \
	addw	c, c, d;	XOR_ROTATE(b, c, 7)

/* word += its initial value, which is in the key or a constant. */
#define ADD_KEY(word, at)               \
	lw	T, at(KEY);              \
	addw	word, word, T
#define ADD(word, constant)             \
	li	T, constant;             \
	addw	word, word, T

	.text
	.option norelax /* gcc 10 does not pass -mno-relax on */
	.balign 4
	.globl arch_chacha20_blocks
	.hidden arch_chacha20_blocks
	.type arch_chacha20_blocks, @function
arch_chacha20_blocks:
	.cfi_startproc
	beqz	BLOCKS, .Lreturn
	addi	sp, sp, -64
	.cfi_def_cfa_offset 64
	sd	s0, 0(sp)
	sd	s1, 8(sp)
	sd	s2, 16(sp)
	sd	s3, 24(sp)
	sd	s4, 32(sp)
	sd	s5, 40(sp)
	sd	s6, 48(sp)
	.cfi_offset s0, -64
	.cfi_offset s1, -56
	.cfi_offset s2, -48
	.cfi_offset s3, -40
	.cfi_offset s4, -32
	.cfi_offset s5, -24
	.cfi_offset s6, -16

.Lblock:
	li	X0, WORD_0
	li	X1, WORD_1
	li	X2, WORD_2
	li	X3, WORD_3
	lw	X4, 0(KEY)
	lw	X5, 4(KEY)
	lw	X6, 8(KEY)
	lw	X7, 12(KEY)
	lw	X8, 16(KEY)
	lw	X9, 20(KEY)
	lw	X10, 24(KEY)
	lw	X11, 28(KEY)
	sext.w	X12, COUNTER
	srai	X13, COUNTER, 32
	li	X14, 0
	li	X15, 0

	li	N, 10
.Ltwo_rounds:
	QUARTER_ROUND(X0, X4, X8, X12)
	QUARTER_ROUND(X1, X5, X9, X13)
	QUARTER_ROUND(X2, X6, X10, X14)
	QUARTER_ROUND(X3, X7, X11, X15)
	QUARTER_ROUND(X0, X5, X10, X15)
	QUARTER_ROUND(X1, X6, X11, X12)
	QUARTER_ROUND(X2, X7, X8, X13)
	QUARTER_ROUND(X3, X4, X9, X14)
	addi	N, N, -1
	bnez	N, .Ltwo_rounds

	ADD(X0, WORD_0)
	ADD(X1, WORD_1)
	ADD(X2, WORD_2)
	ADD(X3, WORD_3)
	ADD_KEY(X4, 0)
	ADD_KEY(X5, 4)
	ADD_KEY(X6, 8)
	ADD_KEY(X7, 12)
	ADD_KEY(X8, 16)
	ADD_KEY(X9, 20)
	ADD_KEY(X10, 24)
	ADD_KEY(X11, 28)
	addw	X12, X12, COUNTER
	srai	T, COUNTER, 32
	addw	X13, X13, T
	sw	X0, 0(OUT)
	sw	X1, 4(OUT)
	sw	X2, 8(OUT)
	sw	X3, 12(OUT)
	sw	X4, 16(OUT)
	sw	X5, 20(OUT)
	sw	X6, 24(OUT)
	sw	X7, 28(OUT)
	sw	X8, 32(OUT)
	sw	X9, 36(OUT)
	sw	X10, 40(OUT)
	sw	X11, 44(OUT)
	sw	X12, 48(OUT)
	sw	X13, 52(OUT)
	sw	X14, 56(OUT)
	sw	X15, 60(OUT)
	addi	OUT, OUT, 64
	addi	COUNTER, COUNTER, 1
	addi	BLOCKS, BLOCKS, -1
	bnez	BLOCKS, .Lblock

	ld	s0, 0(sp)
	ld	s1, 8(sp)
	ld	s2, 16(sp)
	ld	s3, 24(sp)
	ld	s4, 32(sp)
	ld	s5, 40(sp)
	ld	s6, 48(sp)
	.irp reg, s0, s1, s2, s3, s4, s5, s6
	.cfi_restore \reg
	.endr
	addi	sp, sp, 64
	.cfi_def_cfa_offset 0
	li	a4, 0
	li	a5, 0
	li	a6, 0
	li	a7, 0
	li	t0, 0
	li	t1, 0
	li	t2, 0
	li	t3, 0
	li	t4, 0
	li	t5, 0
	li	t6, 0
.Lreturn:
	mv	a0, COUNTER
	ret
	.cfi_endproc
	.size arch_chacha20_blocks, . - arch_chacha20_blocks

	.section .note.GNU-stack, "", @progbits
