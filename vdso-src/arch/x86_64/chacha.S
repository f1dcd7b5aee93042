/*
 * chacha.S - blocks of the ChaCha20 key stream, without a trace of the key.
 *
 *	u64 arch_chacha20_blocks(u8 *out, const u8 key[32], u64 counter, size_t blocks);
 *	    rax                  rdi      rsi               rdx          rcx
 *
 * Why assembly: a compiler may spill a register to the stack at any time. From there the key
 * would get into core dumps and into every child of fork(2), whose random numbers would then
 * be the parent's. This code writes to out and nowhere else. It takes a pointer to the key,
 * not the key, and clears the vector registers before it returns, since the next signal frame
 * would contain them.
 *
 * out and key need no alignment. The last 32 bytes of out may be the key itself, which is last
 * read before they are written.
 */

/*
 * The cipher is RFC 8439, section 2.3, with the counter of the original ChaCha: 64 bits in
 * words 12 and 13, and a nonce of zero. A block is the state below, mixed for twenty rounds,
 * plus the state itself.
 *
 *	row a    "expand 32-byte k"          words  0 to  3
 *	row b    key, first half             words  4 to  7
 *	row c    key, second half            words  8 to 11
 *	row d    counter, 0, 0               words 12 to 15
 *
 * A row is one vector register, so that a quarter round works on all four columns at once.
 * There are two versions:
 *
 *   SSE2   one block at a time. Every x86-64 has it. Each step waits for the one before it,
 *          so most of the CPU is idle
 *   AVX2   four blocks in the time of one: a register holds the same row of two blocks, and
 *          the steps of two such pairs alternate. If fewer blocks are wanted, the others are
 *          discarded; mixing fewer would not be faster
 *
 * The image is built with the first, and with room for a jump to the second, which the loader
 * writes on a CPU that has AVX2 (vdso/alternative.h).
 */
#include <vdso/alternative.h>

#define OUT     %rdi
#define KEY     %rsi
#define COUNTER %rdx
#define BLOCKS  %rcx

/* pshufd: the words of a row, one, two or three places to the left. */
#define LEFT_1 $0x39
#define LEFT_2 $0x4e
#define LEFT_3 $0x93

	.section .rodata
	.balign 16
.Lconstant:
	.ascii "expand 32-byte k"
.Lrotate_16:
	.byte 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13
.Lrotate_8:
	.byte 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14

	.text

/* ---- SSE2 ------------------------------------------------------------------- */

#define a %xmm0
#define b %xmm1
#define c %xmm2
#define d %xmm3
#define t %xmm4

#define ROTATE(row, n)          \
	movdqa row, t;          \
	pslld $(n), row;        \
	psrld $(32 - (n)), t;   \
	por t, row

/* By 16: swaps the halves of each word. */
#define ROTATE_16(row)          \
	pshuflw $0xb1, row, row; \
	pshufhw $0xb1, row, row

/* Four quarter rounds, one in each column (RFC 8439, 2.1). */
#define QUARTER_ROUNDS                         \
	paddd b, a; pxor a, d; ROTATE_16(d);   \
	paddd d, c; pxor c, b; ROTATE(b, 12);  \
	paddd b, a; pxor a, d; ROTATE(d, 8);   \
	paddd d, c; pxor c, b; ROTATE(b, 7)

	.balign 16
	.globl arch_chacha20_blocks
	.hidden arch_chacha20_blocks
	.type arch_chacha20_blocks, @function
arch_chacha20_blocks:
	.cfi_startproc
.Ljump:
	.byte 0x0f, 0x1f, 0x44, 0, 0	/* nop, as long as the jump */
.Ljump_end:
	lea (COUNTER, BLOCKS), %rax
	test BLOCKS, BLOCKS
	jz .Lreturn

.Lblock:
	movdqa .Lconstant(%rip), a
	movdqu (KEY), b
	movdqu 16(KEY), c
	movq COUNTER, d

	mov $10, %r10d
.Ltwo_rounds:
	QUARTER_ROUNDS
	/* The diagonals become columns. Row b, which is ready last, stays in place. */
	pshufd LEFT_3, a, a
	pshufd LEFT_1, c, c
	pshufd LEFT_2, d, d
	QUARTER_ROUNDS
	pshufd LEFT_1, a, a
	pshufd LEFT_3, c, c
	pshufd LEFT_2, d, d
	dec %r10d
	jnz .Ltwo_rounds

	paddd .Lconstant(%rip), a
	movdqu (KEY), t
	paddd t, b
	movdqu 16(KEY), t
	paddd t, c
	movq COUNTER, t
	paddd t, d
	movdqu a, (OUT)
	movdqu b, 16(OUT)
	movdqu c, 32(OUT)
	movdqu d, 48(OUT)
	add $64, OUT
	inc COUNTER
	dec BLOCKS
	jnz .Lblock

	pxor a, a
	pxor b, b
	pxor c, c
	pxor d, d
	pxor t, t
.Lreturn:
	ret
	.cfi_endproc
	.size arch_chacha20_blocks, . - arch_chacha20_blocks

/* The entry of the table: struct vdso_alternative. */
	.pushsection VDSO_ALTERNATIVES, "a", @progbits
	.balign 4
	.long .Ljump - .
	.short VDSO_CPU_AVX2
	.byte .Ljump_end - .Ljump, 5
	.byte 0xe9			/* jmp, relative to its end */
	.long .Lavx2 - .Ljump_end
	.byte 0, 0, 0
	.popsection

/* ---- AVX2 ------------------------------------------------------------------- */

#undef a
#undef b
#undef c
#undef d
#undef t

/* The rows of blocks 0 and 1, those of blocks 2 and 3, and one each for rotating. */
#define a0 %ymm0
#define b0 %ymm1
#define c0 %ymm2
#define d0 %ymm3
#define a1 %ymm4
#define b1 %ymm5
#define c1 %ymm6
#define d1 %ymm7
#define t0 %ymm8
#define t1 %ymm9

/* Byte patterns for rotating, and the initial rows except the first. */
#define BYTES_16 %ymm10
#define BYTES_8  %ymm11
#define START_B  %ymm12
#define START_C  %ymm13
#define START_D0 %ymm14
#define START_D1 %ymm15

/* to = to op from, and row = op(row, how), for both pairs. */
#define BOTH(op, from, to)     op from##0, to##0, to##0; op from##1, to##1, to##1
#define BOTH_BY(op, how, row)  op how, row##0, row##0; op how, row##1, row##1

#define ROTATE_BOTH(row, n)                                            \
	vpslld $(n), row##0, t0; vpslld $(n), row##1, t1;              \
	BOTH_BY(vpsrld, $(32 - (n)), row);                             \
	BOTH(vpor, t, row)

#define QUARTER_ROUNDS_BOTH                                                             \
	BOTH(vpaddd, b, a); BOTH(vpxor, a, d); BOTH_BY(vpshufb, BYTES_16, d);           \
	BOTH(vpaddd, d, c); BOTH(vpxor, c, b); ROTATE_BOTH(b, 12);                      \
	BOTH(vpaddd, b, a); BOTH(vpxor, a, d); BOTH_BY(vpshufb, BYTES_8, d);            \
	BOTH(vpaddd, d, c); BOTH(vpxor, c, b); ROTATE_BOTH(b, 7)

	.balign 16
	.globl arch_chacha20_blocks_avx2
	.hidden arch_chacha20_blocks_avx2
	.type arch_chacha20_blocks_avx2, @function
arch_chacha20_blocks_avx2:
.Lavx2:
	.cfi_startproc
	lea (COUNTER, BLOCKS), %rax
	test BLOCKS, BLOCKS
	jz .Lreturn_avx2
	vbroadcasti128 .Lrotate_16(%rip), BYTES_16
	vbroadcasti128 .Lrotate_8(%rip), BYTES_8
	vbroadcasti128 (KEY), START_B
	vbroadcasti128 16(KEY), START_C

.Lfour_blocks:
	/* A counter for each half, added in general registers: the carry must reach word 13. */
	lea 1(COUNTER), %r8
	lea 2(COUNTER), %r9
	lea 3(COUNTER), %r10
	vmovq COUNTER, %xmm14
	vmovq %r8, %xmm8
	vmovq %r9, %xmm15
	vmovq %r10, %xmm9
	vinserti128 $1, %xmm8, START_D0, START_D0
	vinserti128 $1, %xmm9, START_D1, START_D1
	vbroadcasti128 .Lconstant(%rip), a0
	vmovdqa a0, a1
	vmovdqa START_B, b0
	vmovdqa START_B, b1
	vmovdqa START_C, c0
	vmovdqa START_C, c1
	vmovdqa START_D0, d0
	vmovdqa START_D1, d1

	mov $10, %r8d
.Ltwo_rounds_avx2:
	QUARTER_ROUNDS_BOTH
	BOTH_BY(vpshufd, LEFT_3, a)
	BOTH_BY(vpshufd, LEFT_1, c)
	BOTH_BY(vpshufd, LEFT_2, d)
	QUARTER_ROUNDS_BOTH
	BOTH_BY(vpshufd, LEFT_1, a)
	BOTH_BY(vpshufd, LEFT_3, c)
	BOTH_BY(vpshufd, LEFT_2, d)
	dec %r8d
	jnz .Ltwo_rounds_avx2

	vbroadcasti128 .Lconstant(%rip), t0
	vpaddd t0, a0, a0
	vpaddd t0, a1, a1
	BOTH_BY(vpaddd, START_B, b)
	BOTH_BY(vpaddd, START_C, c)
	BOTH(vpaddd, START_D, d)

	/* The first half of each register is the first block of the pair. */
	vmovdqu %xmm0, (OUT)
	vmovdqu %xmm1, 16(OUT)
	vmovdqu %xmm2, 32(OUT)
	vmovdqu %xmm3, 48(OUT)
	dec BLOCKS
	jz .Lclear_avx2
	vextracti128 $1, a0, 64(OUT)
	vextracti128 $1, b0, 80(OUT)
	vextracti128 $1, c0, 96(OUT)
	vextracti128 $1, d0, 112(OUT)
	dec BLOCKS
	jz .Lclear_avx2
	sub $-128, OUT			/* add $128 would be three bytes longer */
	vmovdqu %xmm4, (OUT)
	vmovdqu %xmm5, 16(OUT)
	vmovdqu %xmm6, 32(OUT)
	vmovdqu %xmm7, 48(OUT)
	dec BLOCKS
	jz .Lclear_avx2
	vextracti128 $1, a1, 64(OUT)
	vextracti128 $1, b1, 80(OUT)
	vextracti128 $1, c1, 96(OUT)
	vextracti128 $1, d1, 112(OUT)
	sub $-128, OUT
	add $4, COUNTER
	dec BLOCKS
	jnz .Lfour_blocks

.Lclear_avx2:
	vzeroall
.Lreturn_avx2:
	ret
	.cfi_endproc
	.size arch_chacha20_blocks_avx2, . - arch_chacha20_blocks_avx2

	.section .note.GNU-stack, "", @progbits
