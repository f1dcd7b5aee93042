/*
 * hash.c - both hash tables, walked to every end.
 *
 * A vDSO needs both: musl and zig know only DT_HASH and fall back to system calls
 * without a word when it is missing; glibc, Go and rustix take DT_GNU_HASH first.
 * A table can also be there and wrong: a toolchain once wrote a bad DT_HASH into a
 * distribution's kernel, and every musl program on it crashed (moby #23378).
 *
 *   DT_HASH       nbucket nchain | bucket[] -> symbol | chain[symbol] -> symbol, 0 ends
 *   DT_GNU_HASH   nbuckets symoffset bloom_size bloom_shift | bloom[] |
 *                 bucket[] -> first symbol | hash[symbol - symoffset], odd = last
 *
 * In the second the symbols of a bucket follow each other, and a bloom filter in
 * front rejects most names that are not there.
 */
#include "kernel/image/check/parts.h"

uint32_t sysv_hash(const char *name)
{
	uint32_t hash = 0;

	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		hash = (hash << 4) + *p;
		/* The top four bits come in again at the bottom, and are cleared. */
		hash ^= hash >> 24 & 0xf0;
		hash &= 0x0fffffff;
	}
	return hash;
}

/* The hash of DT_GNU_HASH. */
static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		hash = hash * 33 + *p;
	return hash;
}

struct table {
	uint64_t buckets, chains; /* file offsets */
	uint32_t nr_buckets;
	unsigned word; /* of buckets and chains, in bytes */
	/* DT_GNU_HASH only: the first symbol that it knows, and its filter. */
	uint32_t symoffset, bloom_size, bloom_shift;
	uint64_t bloom;
};

/* A number that does not fit is no symbol's: it becomes the largest, which is none either. */
static uint32_t word_at(const struct checked *c, const struct table *t, uint64_t offset)
{
	uint64_t value = t->word == 8 ? elf_u64(&c->elf, offset) : elf_u32(&c->elf, offset);

	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static uint32_t bucket(const struct checked *c, const struct table *t, uint32_t index)
{
	return word_at(c, t, t->buckets + (uint64_t)t->word * index);
}

/* The word of a symbol: the next one of its chain, or its hash with the end bit. */
static uint32_t chain(const struct checked *c, const struct table *t, uint32_t symbol)
{
	return word_at(c, t, t->chains + (uint64_t)t->word * (symbol - t->symoffset));
}

/* Would a client that looks for this symbol meet it? */
static bool sysv_finds(const struct checked *c, const struct table *t, uint32_t symbol)
{
	uint32_t hash = sysv_hash(checked_name(c, symbol));
	uint32_t at = bucket(c, t, hash % t->nr_buckets);

	for (uint32_t steps = 0; at && at < c->nr_symbols && steps < c->nr_symbols; steps++) {
		if (at == symbol)
			return true;
		at = chain(c, t, at);
	}
	return false;
}

static void check_sysv_hash(struct checked *c)
{
	struct table t = {.word = elf_hash_word(&c->elf)};
	uint64_t header, len, steps = 0, word = t.word;

	if (!checked_offset(c, "DT_HASH", c->tag[TAG_HASH], 2 * word, &header))
		return;
	checked_aligned(c, "DT_HASH", c->tag[TAG_HASH], (unsigned)word);
	t.nr_buckets = word_at(c, &t, header);
	/* nchain is the number of symbols; symbols.c has compared it with .dynsym. */
	len = word * (2ull + t.nr_buckets + word_at(c, &t, header + word));
	if (t.nr_buckets == 0 || t.nr_buckets > MAX_BUCKETS) {
		rule_broken_at(&c->report, RULE_HASH, header,
			       "DT_HASH has %u buckets: a look-up divides by their number",
			       t.nr_buckets);
		return;
	}
	if (!checked_offset(c, "DT_HASH", c->tag[TAG_HASH], len, &header))
		return;
	t.buckets = header + 2 * word;
	t.chains = t.buckets + word * t.nr_buckets;

	for (uint32_t b = 0; b < t.nr_buckets; b++)
		for (uint32_t at = bucket(c, &t, b); at; at = chain(c, &t, at)) {
			if (at >= c->nr_symbols) {
				rule_broken_at(
					&c->report, RULE_HASH, t.buckets + t.word * b,
					"DT_HASH leads from bucket %u to symbol %u of %u: a "
					"look-up reads beyond the tables",
					b, at, c->nr_symbols);
				break;
			}
			/*
			 * A symbol is in one chain, once: more steps than symbols are a ring.
			 */
			if (++steps > c->nr_symbols) {
				rule_broken_at(
					&c->report, RULE_HASH, t.buckets + t.word * b,
					"DT_HASH goes round in circles from bucket %u: a "
					"look-up never ends",
					b);
				return;
			}
		}

	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);

		if (symbol_is_exported(&sym) && !sysv_finds(c, &t, i))
			rule_broken_at(&c->report, RULE_HASH, checked_symbol(c, i).at,
				       "DT_HASH does not find %s: CRIU and the kernel's "
				       "parse_vdso.c look there; musl goes through all symbols",
				       checked_name(c, i));
	}
}

/* Does the filter let this hash through? Two bits in one word must be set. */
static bool bloom_passes(const struct checked *c, const struct table *t, uint32_t hash)
{
	unsigned bits = c->elf.is64 ? 64 : 32;
	uint64_t word = elf_word(&c->elf, t->bloom + (uint64_t)(bits / 8) *
							     (hash / bits % t->bloom_size));

	return word >> hash % bits & word >> (hash >> t->bloom_shift) % bits & 1;
}

static bool gnu_finds(const struct checked *c, const struct table *t, uint32_t symbol)
{
	uint32_t hash = gnu_hash(checked_name(c, symbol));
	uint32_t at = bucket(c, t, hash % t->nr_buckets);

	if (at < t->symoffset || !bloom_passes(c, t, hash))
		return false;
	for (; at < c->nr_symbols; at++) {
		if ((chain(c, t, at) | 1) == (hash | 1) && at == symbol)
			return true;
		if (chain(c, t, at) & 1)
			return false;
	}
	return false;
}

/* Is every bucket empty, or the start of a run of symbols that ends inside the table? */
static void check_gnu_buckets(struct checked *c, const struct table *t)
{
	for (uint32_t b = 0; b < t->nr_buckets; b++) {
		uint32_t first = bucket(c, t, b), at = first;

		if (first == 0)
			continue;
		while (at >= t->symoffset && at < c->nr_symbols && !(chain(c, t, at) & 1))
			at++;
		if (at < t->symoffset || at >= c->nr_symbols)
			rule_broken_at(
				&c->report, RULE_HASH, t->buckets + 4ull * b,
				"DT_GNU_HASH leads from bucket %u to symbol %u, of %u to %u: a "
				"look-up reads beyond the tables",
				b, at, t->symoffset, c->nr_symbols);
	}
}

static void check_gnu_hash(struct checked *c)
{
	unsigned word = c->elf.is64 ? 8 : 4;
	struct table t = {.word = 4};
	const char *wrong = NULL;
	uint64_t header, len;

	if (!checked_offset(c, "DT_GNU_HASH", c->tag[TAG_GNU_HASH], 16, &header))
		return;
	/* The words of its filter are as wide as an address. */
	checked_aligned(c, "DT_GNU_HASH", c->tag[TAG_GNU_HASH], word);
	t.nr_buckets = elf_u32(&c->elf, header);
	t.symoffset = elf_u32(&c->elf, header + 4);
	t.bloom_size = elf_u32(&c->elf, header + 8);
	t.bloom_shift = elf_u32(&c->elf, header + 12);
	if (t.nr_buckets == 0)
		wrong = "clients divide by the number of buckets";
	else if (t.nr_buckets > MAX_BUCKETS)
		wrong = "an image has a handful of functions";
	else if (t.bloom_size == 0 || t.bloom_size & (t.bloom_size - 1))
		wrong = "glibc asserts that the filter has a power of two of words";
	else if (t.bloom_shift >= 32)
		wrong = "a hash has 32 bits";
	else if (t.symoffset > c->nr_symbols)
		wrong = "the first symbol is none";
	if (wrong) {
		rule_broken_at(
			&c->report, RULE_HASH, header,
			"DT_GNU_HASH has %u buckets, %u words of filter, shift %u, first "
			"symbol %u of %u: %s",
			t.nr_buckets, t.bloom_size, t.bloom_shift, t.symoffset, c->nr_symbols,
			wrong);
		return;
	}
	t.bloom = header + 16;
	t.buckets = t.bloom + (uint64_t)word * t.bloom_size;
	t.chains = t.buckets + 4ull * t.nr_buckets;
	len = t.chains - header + 4ull * (c->nr_symbols - t.symoffset);
	if (!checked_offset(c, "DT_GNU_HASH", c->tag[TAG_GNU_HASH], len, &header))
		return;

	check_gnu_buckets(c, &t);
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);

		if (symbol_is_exported(&sym) && !gnu_finds(c, &t, i))
			rule_broken_at(
				&c->report, RULE_HASH, checked_symbol(c, i).at,
				"DT_GNU_HASH does not find %s: glibc and Go fall back to "
				"system "
				"calls",
				checked_name(c, i));
	}
}

void check_hashes(struct checked *c)
{
	if (!c->has_tag[TAG_HASH])
		rule_broken(
			&c->report, RULE_HASH,
			"no DT_HASH: musl and zig know no other table, and fall back to system "
			"calls");
	if (!c->has_tag[TAG_GNU_HASH])
		rule_broken(&c->report, RULE_GNU_HASH, "no DT_GNU_HASH");
	if (c->nr_symbols == 0)
		return;
	if (c->has_tag[TAG_HASH])
		check_sysv_hash(c);
	if (c->has_tag[TAG_GNU_HASH])
		check_gnu_hash(c);
}
