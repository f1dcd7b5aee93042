/*
 * lookup-fallback.c - the filter before DT_GNU_HASH, and DT_HASH where there is no other.
 *
 * The filter may only spare work, so it is seen by what is not done: where it says no, the
 * table behind it lies in memory that may not be touched. See lookup.h for the tables.
 */
#include "lookup.h"

static const uint32_t bits = 8 * sizeof(ElfW(Addr));

/* Every symbol, asked for by its name and its version. */
static bool finds_each(void)
{
	for (size_t place = 0; place < NR_SYMBOLS; place++) {
		unsigned int version = symbols[place].versym & VDSO_VERSYM_INDEX;

		if (!finds(symbols[place].name, version == BASE ? NULL : versions[version],
			   place))
			return false;
	}
	return true;
}

/* A filter that knows nothing, but for some bits of one name. */
static void filter_of(const char *name, bool first, bool second)
{
	uint32_t hash = vdso_gnu_hash(name);

	reset();
	memset(table.bloom, 0, sizeof(table.bloom));
	table.bloom[hash / bits % BLOOM_WORDS] =
		(ElfW(Addr))first << hash % bits | (ElfW(Addr))second
							   << (hash >> BLOOM_SHIFT) % bits;
}

static void no_buckets(void)
{
	static char *guard;

	if (!guard)
		guard = attempt_guard();
	table.elf.gnu.bucket = (const uint32_t *)guard;
}

static bool filter_refuses(const char *name, bool first, bool second)
{
	filter_of(name, first, second);
	no_buckets();
	return refuses(name, "LINUX_2.6");
}

/* Each name, in a filter that knows only this one. */
static bool passes_alone(void)
{
	for (size_t place = 0; place < NR_SYMBOLS; place++) {
		unsigned int version = symbols[place].versym & VDSO_VERSYM_INDEX;

		filter_of(symbols[place].name, true, true);
		if (version != BASE && !finds(symbols[place].name, versions[version], place))
			return false;
	}
	return true;
}

static void test_filter(void)
{
	reset();
	point(finds_each(), "the filter lets every name pass that is there",
	      "one name refused here is lost: no table is read after that");
	point(passes_alone() && filter_refuses("__vdso_time", false, false),
	      "what the filter does not know is refused, and no bucket is read",
	      "most questions to a library are about names of another: one look must do");
	point(filter_refuses("__vdso_time", true, false) &&
		      filter_refuses("__vdso_time", false, true),
	      "one bit of the two is not enough",
	      "with one bit a name, many that are not there would pass");
}

static void only_hash(void)
{
	reset();
	memset(&table.elf.gnu, 0, sizeof(table.elf.gnu));
}

static void test_hash(void)
{
	uint32_t first;

	only_hash();
	point(finds_each(), "without DT_GNU_HASH every name is found through DT_HASH",
	      "DT_HASH has a hash of its own, vdso_elf_hash(). The bucket names a symbol, and "
	      "chain[symbol] the next symbol of the same bucket, up to 0");
	point(finds("__vdso_time", "LINUX_2.6", 0) && refuses("absent", "LINUX_2.6") &&
		      refuses("nothing", "LINUX_2.6"),
	      "a name that is not there is not found through DT_HASH",
	      "a chain ends at symbol 0, which is nobody's");
	point(finds("two_versions", "LINUX_2.5", 4) && finds("two_versions", "LINUX_2.6", 5) &&
		      refuses("two_versions", "LINUX_2-F"),
	      "through DT_HASH a name is found in its version, and in no other",
	      "the version is asked of the symbol; by which table it was found does not "
	      "matter");
	first = table.bucket[vdso_elf_hash("__vdso_time") % NR_BUCKETS];
	for (uint32_t i = 0; i <= NR_SYMBOLS; i++)
		if (!table.chain[i])
			table.chain[i] = first;
	point(finds("__vdso_time", "LINUX_2.6", 0) && refuses("__vdso_time", "LINUX_9.9"),
	      "a chain that leads in a circle is left",
	      "a linker that errs must not stop a program that only asks for a name. No chain "
	      "has more symbols than there are chain words, or nchain");
}

int main(void)
{
	test_filter();
	test_hash();
	return done_testing();
}
