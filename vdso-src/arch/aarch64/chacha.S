/*
 * chacha.S - blocks of the ChaCha20 key stream, without a trace of the key. aarch64.
 *
 *	u64 arch_chacha20_blocks(u8 *out, const u8 key[32], u64 counter, size_t blocks);
 *	    x0                   x0       x1                x2           x3
 *
 * arch/x86_64/chacha.S explains the cipher and why it is in assembly. Here, too, a row of the
 * state is one vector register, which Linux requires of every aarch64; one block at a time.
 * Only registers that a function need not preserve are used, so nothing is saved, and all
 * that held a secret are cleared before the return.
 *
 * out and key need no alignment. The last 32 bytes of out may be the key itself, which is read
 * once, before anything is written.
 */
#define OUT     x0
#define KEY     x1
#define COUNTER x2
#define BLOCKS  x3
#define RESULT  x4

/* The rows, and one for rotating. The initial rows are in v16 to v19. */
#define A v0
#define B v1
#define C v2
#define D v3
#define T v4

/* to = (to ^ from) rotated to the left by n bits. */
#define XOR_ROTATE(to, from, n)                 \
	eor	T.16b, to.16b, from.16b;         \
	shl	to.4s, T.4s, #(n);               \
	sri	to.4s, T.4s, #(32 - (n))

/* By 16: swaps the halves of each word. */
#define XOR_ROTATE_16(to, from)                 \
	eor	to.16b, to.16b, from.16b;        \
	rev32	to.8h, to.8h

/* Four quarter rounds, one in each column (RFC 8439, 2.1). */
#define QUARTER_ROUNDS                                           \
	add	A.4s, A.4s, B.4s;	XOR_ROTATE_16(D, A);      \
	add	C.4s, C.4s, D.4s;	XOR_ROTATE(B, C, 12);     \
	add	A.4s, A.4s, B.4s;	XOR_ROTATE(D, A, 8);      \
	add	C.4s, C.4s, D.4s;	XOR_ROTATE(B, C, 7)

/* The words of a row, n places to the left. */
#define LEFT(row, n) ext row.16b, row.16b, row.16b, #(4 * (n))

	.section .rodata
	.balign 16
.Lconstant:
	.ascii "expand 32-byte k"

	.text
	.balign 16
	.globl arch_chacha20_blocks
	.hidden arch_chacha20_blocks
	.type arch_chacha20_blocks, %function
arch_chacha20_blocks:
	.cfi_startproc
	add	RESULT, COUNTER, BLOCKS
	cbz	BLOCKS, .Lreturn
	adr	x5, .Lconstant
	ld1	{v16.16b}, [x5]
	ld1	{v17.16b, v18.16b}, [KEY]

.Lblock:
	fmov	d19, COUNTER		/* words 14 and 15 become zero */
	mov	A.16b, v16.16b
	mov	B.16b, v17.16b
	mov	C.16b, v18.16b
	mov	D.16b, v19.16b

	mov	w6, #10
.Ltwo_rounds:
	QUARTER_ROUNDS
	LEFT(B, 1)			/* the diagonals become columns */
	LEFT(C, 2)
	LEFT(D, 3)
	QUARTER_ROUNDS
	LEFT(B, 3)
	LEFT(C, 2)
	LEFT(D, 1)
	subs	w6, w6, #1
	b.ne	.Ltwo_rounds

	add	A.4s, A.4s, v16.4s
	add	B.4s, B.4s, v17.4s
	add	C.4s, C.4s, v18.4s
	add	D.4s, D.4s, v19.4s
	st1	{v0.16b, v1.16b, v2.16b, v3.16b}, [OUT], #64
	add	COUNTER, COUNTER, #1
	sub	BLOCKS, BLOCKS, #1
	cbnz	BLOCKS, .Lblock

	movi	v0.2d, #0
	movi	v1.2d, #0
	movi	v2.2d, #0
	movi	v3.2d, #0
	movi	v4.2d, #0
	movi	v17.2d, #0
	movi	v18.2d, #0
	movi	v19.2d, #0
.Lreturn:
	mov	x0, RESULT
	ret
	.cfi_endproc
	.size arch_chacha20_blocks, . - arch_chacha20_blocks

	.section .note.GNU-stack, "", %progbits
