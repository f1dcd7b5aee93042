/*
 * secrets.h - is a piece of a secret somewhere in memory?
 */
#ifndef TEST_SECRETS_H
#define TEST_SECRETS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Are any eight bytes of secret, up to 64 KiB, in memory? Eight zeros are no secret. */
static bool is_in(const uint8_t *memory, size_t size, const uint8_t *secret, size_t secret_size)
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

#endif
