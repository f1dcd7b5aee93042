/*
 * chacha.c - the ciphers of the page: the right numbers, and nothing left behind.
 *
 * The very object that is linked into the page is linked into this test. Each of its two
 * ways of doing it, of which a CPU with AVX2 sees only the second in the page, is held against
 * the RFC's numbers, and for everything that the RFC has no numbers for against a slow
 * reference, which has proved itself by the same numbers.
 */
#include <stdint.h>
#include <vdso/alternative.h>

#include "chacha_reference.h"
#include "kernel/arch/cpu.h"
#include "tap.h"

#define MOST 40 /* blocks in one call */

typedef uint64_t cipher_fn(uint8_t *out, const uint8_t key[32], uint64_t counter,
			   size_t blocks);

cipher_fn arch_chacha20_blocks __attribute__((visibility("hidden")));

#ifdef __x86_64__
cipher_fn arch_chacha20_blocks_avx2 __attribute__((visibility("hidden")));
#endif

static const struct cipher {
	const char *name;
	cipher_fn *blocks;
	unsigned needs;     /* of the CPU; 0 is nothing */
	unsigned registers; /* that it uses */
} ciphers[] = {
#ifdef __x86_64__
	{"SSE2", arch_chacha20_blocks, 0, 5},
	{"AVX2", arch_chacha20_blocks_avx2, VDSO_CPU_AVX2, 16},
#else
	{"the only one", arch_chacha20_blocks, 0, 0},
#endif
};
#define NR_CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))
#define POINTS     10 /* that each of them is tested for */

static void from_hex(uint8_t *out, const char *hex)
{
	for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		*out++ = (uint8_t)byte;
}

/* Numbers that are the same in every run, and have no structure (a 64-bit xorshift). */
static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void random_key(uint8_t key[32], uint64_t *seed)
{
	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t)(next(seed) >> 32);
}

/* RFC 8439, section 2.3.2, which has a nonce: for the reference alone. */
static void check_reference(void)
{
	uint8_t key[32], want[64], got[64];

	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t)i;
	from_hex(want, "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
		       "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e");
	rfc_block(got, key, (uint32_t[4]){1, 0x09000000, 0x4a000000, 0});
	ok(!memcmp(got, want, 64), "the reference makes the block of RFC 8439, section 2.3.2");
}

/* RFC 8439, appendix A.1: those whose nonce is zero. */
static void check_vectors(const struct cipher *cipher)
{
	static const struct {
		const char *key;
		uint64_t counter;
		const char *block;
	} vector[] = {
		{"0000000000000000000000000000000000000000000000000000000000000000", 0,
		 "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
		 "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
		{"0000000000000000000000000000000000000000000000000000000000000000", 1,
		 "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
		 "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
		{"0000000000000000000000000000000000000000000000000000000000000001", 1,
		 "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
		 "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"},
		{"00ff000000000000000000000000000000000000000000000000000000000000", 2,
		 "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca"
		 "13b25aa26cb4a648cb9b9d1be65b2c0924a66c54d545ec1b7374f4872e99f096"},
	};

	for (int i = 0; i < 4; i++) {
		uint8_t key[32], want[64], got[64], reference[64];

		from_hex(key, vector[i].key);
		from_hex(want, vector[i].block);
		cipher->blocks(got, key, vector[i].counter, 1);
		rfc_blocks(reference, key, vector[i].counter, 1);
		ok(!memcmp(got, want, 64) && !memcmp(reference, want, 64),
		   "%s: RFC 8439, A.1, test vector %d; and so says the reference", cipher->name,
		   i + 1);
	}
}

/* Each number of blocks, at counters of every kind, to addresses of every alignment. */
static void check_against_reference(const struct cipher *cipher)
{
	static const uint64_t from[] = {
		0,          1,           0xfffffffd,         0xfffffffe,
		0xffffffff, 0x100000000, 0x123456789abcdef0, 0xfffffffffffffffe};
	static uint8_t got[MOST * 64 + 64], want[MOST * 64 + 64];
	uint64_t seed = 0x9e3779b97f4a7c15;
	int wrong = 0, outside = 0, miscounted = 0;
	uint8_t keys[32 + 16];

	for (int round = 0; round < 3000; round++) {
		size_t blocks = (size_t)(round % (MOST + 1)), at = (size_t)(round % 17);
		uint64_t counter = round < 2000 ? from[round % 8] : next(&seed);
		uint8_t *key = keys + round % 16;

		random_key(key, &seed);
		memset(got, 0xa5, sizeof(got));
		memset(want, 0xa5, sizeof(want));
		rfc_blocks(want + at, key, counter, blocks);
		miscounted +=
			cipher->blocks(got + at, key, counter, blocks) != counter + blocks;
		wrong += memcmp(got + at, want + at, blocks * 64) != 0;
		outside += memcmp(got, want, sizeof(got)) != 0;
	}
	ok(!wrong,
	   "%s: 3000 keys, 0 to %d blocks, counters that carry past 2^32 and 2^64: as the "
	   "reference",
	   cipher->name, MOST);
	ok(!outside, "%s: and not a byte is written before or behind the blocks", cipher->name);
	ok(!miscounted, "%s: and the counter of the next block is returned", cipher->name);
}

static void check_splits(const struct cipher *cipher)
{
	static uint8_t whole[128 * 64], split[128 * 64];
	uint64_t seed = 88172645463325252;
	int wrong = 0;
	uint8_t key[32];

	for (int k = 0; k < 8; k++) {
		uint64_t counter = 0xffffffff - 64;

		random_key(key, &seed);
		rfc_blocks(whole, key, counter, 128);
		for (size_t at = 0; at <= 128; at++) {
			uint64_t next = cipher->blocks(split, key, counter, at);

			cipher->blocks(split + at * 64, key, next, 128 - at);
			wrong += memcmp(whole, split, sizeof(whole)) != 0;
		}
	}
	ok(!wrong, "%s: 128 blocks in two calls, cut at every place, are 128 blocks in one",
	   cipher->name);
}

/* As getrandom.c renews its state: the key is the end of what is written. */
static void check_own_key(const struct cipher *cipher)
{
	uint64_t seed = 4711;
	int wrong = 0;

	for (size_t blocks = 1; blocks <= MOST; blocks++) {
		static uint8_t out[MOST * 64], want[MOST * 64];
		uint8_t *key = out + blocks * 64 - 32;

		random_key(key, &seed);
		rfc_blocks(want, key, 7, blocks);
		cipher->blocks(out, key, 7, blocks);
		wrong += memcmp(out, want, blocks * 64) != 0;
	}
	ok(!wrong, "%s: the key may lie in the last 32 bytes of the output: it is read before",
	   cipher->name);
}

#ifdef __x86_64__
/*
 * The vector registers right behind the call, before the compiler can use one. The halves
 * that AVX2 adds can only be looked at where they are.
 */
/* clang-format off: each run of it would find another shape. */
#	define SAVE(op, reg, n, size) op " %%" reg #        n ", " #        n "*" size "(%[to])\n\t"
#	define SAVE_ALL(op, reg, size) \
		SAVE(op, reg, 0, size)  \
		SAVE(op, reg, 1, size)  \
		SAVE(op, reg, 2, size)  \
		SAVE(op, reg, 3, size)  \
		SAVE(op, reg, 4, size)  \
		SAVE(op, reg, 5, size)  \
		SAVE(op, reg, 6, size)  \
		SAVE(op, reg, 7, size)  \
		SAVE(op, reg, 8, size)  \
		SAVE(op, reg, 9, size)  \
		SAVE(op, reg, 10, size) \
		SAVE(op, reg, 11, size) \
		SAVE(op, reg, 12, size) \
		SAVE(op, reg, 13, size) \
		SAVE(op, reg, 14, size) \
		SAVE(op, reg, 15, size)
/* clang-format on */

#	define CALL_AND(save_all)                                                          \
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t" /* the red zone */            \
				 "call *%[cipher]\n\t"                                      \
				 "lea 128(%%rsp), %%rsp\n\t" save_all                       \
				 : "+D"(out), "+S"(key), "+d"(counter), "+c"(count)         \
				 : [to] "b"(after), [cipher] "r"(call)                      \
				 : "rax", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", \
				   "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",  \
				   "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",      \
				   "xmm14", "xmm15")

static void check_registers(const struct cipher *cipher)
{
	static uint8_t stream[4 * 64], some_key[32] = {1, 2, 3}, after[16 * 32];
	unsigned size = cipher->needs ? 32 : 16, dirty = 0;
	cipher_fn *call = cipher->blocks;

	for (size_t blocks = 1; blocks <= 4; blocks++) {
		const uint8_t *key = some_key;
		uint8_t *out = stream;
		uint64_t counter = 5;
		size_t count = blocks;

		if (cipher->needs)
			CALL_AND(SAVE_ALL("vmovdqu", "ymm", "32"));
		else
			CALL_AND(SAVE_ALL("movdqu", "xmm", "16"));
		/* Those that it does not use may hold anything else. */
		for (unsigned i = 0; i < cipher->registers * size; i++)
			dirty += after[i] != 0;
	}
	if (!ok(!dirty, "%s: the vector registers are zero when it returns", cipher->name))
		diag("%u bytes are not: the next signal frame takes them to the stack", dirty);
}
#else
/* Elsewhere the code itself is read, instruction by instruction: machine-code.t. */
static void check_registers(const struct cipher *cipher)
{
	(void)cipher;
}
#endif

int main(void)
{
	check_reference();
	for (size_t i = 0; i < NR_CIPHERS; i++) {
		const struct cipher *cipher = &ciphers[i];

		if (cipher->needs && !cpu_has(cipher->needs)) {
			skip(POINTS, "this CPU has no AVX2");
			continue;
		}
		check_vectors(cipher);
		check_against_reference(cipher);
		check_splits(cipher);
		check_own_key(cipher);
		check_registers(cipher);
	}
	return done_testing();
}
