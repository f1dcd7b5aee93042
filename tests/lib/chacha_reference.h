/*
 * chacha_reference.h - ChaCha20 as RFC 8439 writes it down: slow, plain, and another opinion.
 *
 * One block after the other, one word after the other, with nothing from the page's source.
 * It is held against the RFC's own numbers (chacha.c) before anything is held against it.
 */
#ifndef CHACHA_REFERENCE_H
#define CHACHA_REFERENCE_H

#include <stdint.h>
#include <string.h>

static uint32_t rfc_rotate(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

/* Section 2.1. */
static void rfc_quarter_round(uint32_t s[16], int a, int b, int c, int d)
{
	s[a] += s[b];
	s[d] = rfc_rotate(s[d] ^ s[a], 16);
	s[c] += s[d];
	s[b] = rfc_rotate(s[b] ^ s[c], 12);
	s[a] += s[b];
	s[d] = rfc_rotate(s[d] ^ s[a], 8);
	s[c] += s[d];
	s[b] = rfc_rotate(s[b] ^ s[c], 7);
}

/* Section 2.3: one block; words 12 to 15 are counter and nonce. */
static void rfc_block(uint8_t out[64], const uint8_t key[32], const uint32_t last_row[4])
{
	uint32_t start[16], s[16];

	memcpy(start, "expand 32-byte k", 16);
	memcpy(start + 4, key, 32);
	memcpy(start + 12, last_row, 16);
	memcpy(s, start, sizeof(s));
	for (int i = 0; i < 10; i++) {
		rfc_quarter_round(s, 0, 4, 8, 12);
		rfc_quarter_round(s, 1, 5, 9, 13);
		rfc_quarter_round(s, 2, 6, 10, 14);
		rfc_quarter_round(s, 3, 7, 11, 15);
		rfc_quarter_round(s, 0, 5, 10, 15);
		rfc_quarter_round(s, 1, 6, 11, 12);
		rfc_quarter_round(s, 2, 7, 8, 13);
		rfc_quarter_round(s, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		s[i] += start[i];
	memcpy(out, s, 64);
}

/* As the page numbers its blocks: a counter of 64 bits, a nonce of zero. */
static uint64_t rfc_blocks(uint8_t *out, const uint8_t key[32], uint64_t counter, size_t blocks)
{
	for (; blocks > 0; blocks--, counter++, out += 64)
		rfc_block(out, key,
			  (uint32_t[4]){(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0});
	return counter;
}

#endif
