/*
 * secrets.h - is a piece of a secret somewhere in memory?
 */
#ifndef TEST_SECRETS_H
#define TEST_SECRETS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Are any eight bytes of secret, up to 64 KiB, in memory? Eight zeros are no secret. */
__attribute__((unused)) static bool is_in(const uint8_t *memory, size_t size,
					  const uint8_t *secret, size_t secret_size)
{
	static uint64_t needle[1 << 16];
	static uint8_t seen[1 << 16];
	size_t needles = secret_size < 8 ? 0 : secret_size - 7;

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < needles; i++) {
		memcpy(&needle[i], secret + i, 8);
		seen[needle[i] & 0xffff] = 1;
	}
	for (size_t at = 0; at + 8 <= size; at++) {
		uint64_t here;

		memcpy(&here, memory + at, 8);
		if (!here || !seen[here & 0xffff])
			continue;
		for (size_t i = 0; i < needles; i++)
			if (here == needle[i])
				return true;
	}
	return false;
}

/*
 * Many secrets, and much memory: a table of all eight bytes in a row, made once. For the
 * process that searches, which is never the one that is searched.
 */
#define SECRET_SLOTS (1u << 16)

struct secrets {
	uint64_t slot[SECRET_SLOTS]; /* 0: free */
	unsigned count;
};

__attribute__((unused)) static uint64_t *secret_slot(struct secrets *secrets, uint64_t word)
{
	unsigned at = (unsigned)(word * 0x9e3779b97f4a7c15u >> 48);

	while (secrets->slot[at] && secrets->slot[at] != word)
		at = (at + 1) % SECRET_SLOTS;
	return &secrets->slot[at];
}

/* False when there is no more room. */
__attribute__((unused)) static bool secret_add(struct secrets *secrets, const void *bytes,
					       size_t size)
{
	for (size_t at = 0; at + 8 <= size; at++) {
		uint64_t word, *slot;

		memcpy(&word, (const uint8_t *)bytes + at, 8);
		slot = secret_slot(secrets, word);
		if (!word || *slot)
			continue;
		if (secrets->count == SECRET_SLOTS / 2)
			return false;
		*slot = word;
		secrets->count++;
	}
	return true;
}

__attribute__((unused)) static bool secret_in(struct secrets *secrets, const uint8_t *memory,
					      size_t size)
{
	for (size_t at = 0; at + 8 <= size; at++) {
		uint64_t word;

		memcpy(&word, memory + at, 8);
		if (word && *secret_slot(secrets, word))
			return true;
	}
	return false;
}

#endif
