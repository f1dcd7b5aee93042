/*
 * lookup.c - from a name and a version to an address, rule by rule, through DT_GNU_HASH.
 *
 * In three stages: along the chain to a name; its version; and what is hidden. An answer that
 * lets any version pass gets through the first.
 *
 * resolver.c asks for what our vDSO and the kernel's export; here the image is made for
 * the purpose (lookup.h), and holds what they do not. Where something is to be refused,
 * something else is found first: a resolver that finds nothing refuses nothing.
 */
#include "lookup.h"

/* A name that is not there, and whose bucket has a chain of its own; or an empty one. */
static const char *absent(bool empty)
{
	static char name[] = "absent_a";

	for (char *last = &name[7]; *last <= 'z'; ++*last)
		if (!table.gnu_bucket[vdso_gnu_hash(name) % NR_BUCKETS] == empty)
			return name;
	bail_out("no absent name for %s bucket", empty ? "an empty" : "a used");
}

/* The filter would answer for the tables; here they are to answer themselves. */
static void let_all_pass(void)
{
	reset();
	memset(table.bloom, 0xff, sizeof(table.bloom));
}

static void test_chain(void)
{
	let_all_pass();
	point(finds("__vdso_time", "LINUX_2.6", 0) && finds("__vdso_getcpu", "LINUX_2.6", 1),
	      "chain: a name is found, at its own address",
	      "a program jumps there: a wrong address is another function");
	point(finds("__vdso_time", "LINUX_2.6", 0) && refuses(absent(false), "LINUX_2.6") &&
		      refuses(absent(true), "LINUX_2.6"),
	      "chain: a name that is not there is not found, and its chain is left where it "
	      "ends",
	      "a bucket of 0 has no chain; a word with bit 0 set is the last of one. Behind "
	      "it lie other names, or nothing");
	point(finds(TWIN_1, "LINUX_2.6", 2) && finds(TWIN_2, "LINUX_2.6", 3),
	      "chain: of two names with the same hash each is found",
	      "a hash says where to look. What is there, only the name can say");
}

/* No versions: neither table is there. */
static bool without_versions(void)
{
	table.elf.versym = NULL;
	table.elf.verdef = NULL;
	table.elf.nr_verdef = 0;
	return finds("__vdso_time", NULL, 0) && refuses("__vdso_time", "LINUX_2.6");
}

static void test_version(void)
{
	point(finds("__vdso_time", "LINUX_2.6", 0) && refuses("__vdso_time", "LINUX_2.5") &&
		      refuses("__vdso_time", "LINUX_9.9"),
	      "version: the right name in a wrong version is refused",
	      "a version is a promise about arguments and result, and here another was made");
	point(finds("other_version", "LINUX_2-F", 8) && refuses("other_version", "LINUX_2.6"),
	      "version: of two versions with the same hash each is another",
	      "LINUX_2-F and LINUX_2.6 have one ELF hash: only the names differ. And the "
	      "list has its definitions in any order: vd_ndx tells which one it is");
	point(finds("unversioned", NULL, 7) && refuses("unversioned", "linux-vdso.so.1"),
	      "version: the image's own name is none",
	      "the first definition is about the image (VER_FLG_BASE), and promises nothing");
	point(without_versions(), "version: where the image has none, none is found",
	      "without versions versym is NULL, and so is verdef (vdso_elf.h). The names are "
	      "there all the same, for who asks for no version");
}

static void test_hidden(void)
{
	let_all_pass();
	point(finds("two_versions", "LINUX_2.6", 5) && finds("hidden", "LINUX_2.6", 6) &&
		      finds("two_versions", "LINUX_2.5", 4),
	      "hidden: who names the version finds what is hidden, too",
	      "bit 15 of versym is no part of the index: it says who may see the name, the "
	      "other 15 bits which version it has");
	point(finds("two_versions", NULL, 5) && refuses("hidden", NULL),
	      "hidden: who names no version gets the default, and nothing that is hidden",
	      "an old function stays for old programs, which name it; new ones get the new "
	      "one");
}

int main(void)
{
	test_chain();
	test_version();
	test_hidden();
	return done_testing();
}
