/*
 * resolver.c - the C library's part finds what the image exports, and nothing else.
 *
 * The other side of every comparison comes from elsewhere: for our image from its section
 * headers, which the resolver never looks at, and for the kernel's from the C library's
 * dlvsym().
 */
#include <dlfcn.h>

#include "resolver.h"

static void test_plain(void)
{
	struct copy before = copy_image(image_builtin(), GUARD_BEFORE);
	struct copy behind = copy_image(image_builtin(), GUARD_BEHIND);
	struct vdso_elf elf;
	bool good = true;

	ok(finds_all(&before, before.size),
	   "every name is found, a guard page before the image");
	ok(finds_all(&behind, behind.size),
	   "every name is found, a guard page behind the image");
	ok(finds_all(&before, 0), "every name is found when the size is not known");

	opens(&elf, before.image, 0);
	for (size_t i = 0; i < NR_NAMES; i++)
		good &= vdso_elf_symbol(&elf, names[i][0], VERSION) ==
			vdso_elf_symbol(&elf, names[i][1], VERSION);
	ok(good, "a plain name and its prefixed name are the same function");
	copy_free(&before);
	copy_free(&behind);
}

static void test_absent(void)
{
	static const char *const absent[] = {
		"",
		"_",
		"nope",
		VDSO_NAME(""),
		VDSO_NAME("clock_gettim"),
		VDSO_NAME("clock_gettimee"),
		"linux-vdso.so.1",
		VERSION,
		"vdso_data",
		("clock_gettime@" VERSION),
	};
	/* The last one has the same ELF hash as the node's name: only the string tells. */
	static char twin[] = VERSION;
	const char *const wrong[] = {
		"LINUX_2.5", (VERSION "0"),     "LINUX_2.", "",
		"linux_2.6", "linux-vdso.so.1", twin,
	};
	struct copy copy = copy_image(image_builtin(), GUARD_BEHIND);
	const char *name = names[0][0];

	/* Of two neighbours in a name the first counts sixteen times as much as the second. */
	twin[sizeof(twin) - 3]--;
	twin[sizeof(twin) - 2] += 16;
	for (int gnu = 0; gnu < 2; gnu++) {
		copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
		copy_dynamic(&copy, gnu ? DT_HASH : DT_GNU_HASH)->d_tag = TAG_GONE;
		for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
			ok(!find(&copy, absent[i], VERSION) && !find(&copy, absent[i], NULL),
			   "'%s', not exported, is not found through %s", absent[i],
			   gnu ? "DT_GNU_HASH" : "DT_HASH");
		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
			ok(!find(&copy, name, wrong[i]),
			   "%s of version '%s' is not found through %s", name, wrong[i],
			   gnu ? "DT_GNU_HASH" : "DT_HASH");
	}
	ok(vdso_elf_hash(twin) == vdso_elf_hash(VERSION), "%s and %s have the same ELF hash",
	   twin, VERSION);
	copy_free(&copy);
}

static const char *version_of(const char *name)
{
#ifdef VDSO_OLDER_VERSION
	if (!strncmp(name, "__kernel_", 9))
		return VDSO_OLDER_VERSION;
#endif
	(void)name;
	return VERSION;
}

static void test_listing(void)
{
	struct vdso_elf elf;
	struct vdso_elf_entry entry;
	unsigned int exported = 0, good = 0;
	struct image image = image_builtin();

	opens(&elf, image.bytes, image.size);
	for (unsigned int i = 0; i < vdso_elf_symbol_count(&elf); i++) {
		if (!vdso_elf_symbol_at(&elf, i, &entry))
			continue;
		exported++;
		good += entry.version && !strcmp(entry.version, version_of(entry.name)) &&
			entry.type == STT_FUNC &&
			entry.binding ==
				(strncmp(entry.name, "__", 2) ? STB_WEAK : STB_GLOBAL) &&
			entry.address == vdso_elf_symbol(&elf, entry.name, entry.version);
	}
	if (!ok(exported >= NR_EXPORTS && good == exported,
		"the listing has every function, with version, type and binding, and no node"))
		diag("%u entries, %u of them right", exported, good);
	ok(!vdso_elf_symbol_at(&elf, vdso_elf_symbol_count(&elf), &entry) &&
		   !vdso_elf_symbol_at(&elf, UINT32_MAX, &entry),
	   "there is no entry behind the last one");
}

static void test_kernel(void)
{
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	void *vdso = NULL;
	struct vdso_elf elf;
	struct vdso_elf_entry entry;
	unsigned int found = 0;
	bool good = true;

	if (!image) {
		skip(3, "this process has no kernel vDSO");
		return;
	}
	ok(opens(&elf, image, 0), "the running kernel's page is accepted");
	ok(vdso_elf_symbol(&elf, names[0][0], VERSION), "it has %s", names[0][0]);
	for (size_t i = 0; i < elf.nr_dynamic; i++)
		if (elf.dynamic[i].d_tag == DT_SONAME)
			vdso = dlopen(elf.strtab + elf.dynamic[i].d_un.d_val,
				      RTLD_LAZY | RTLD_NOLOAD);
	if (!vdso) {
		skip(1, "this C library does not list the vDSO among its objects");
		return;
	}
	for (unsigned int i = 0; i < vdso_elf_symbol_count(&elf); i++) {
		if (!vdso_elf_symbol_at(&elf, i, &entry))
			continue;
		found++;
		const void *got = vdso_elf_symbol(&elf, entry.name, version_of(entry.name));
		const void *want = dlvsym(vdso, entry.name, version_of(entry.name));

		if (got == want && want)
			continue;
		diag("%s: dlvsym() says %p, we say %p", entry.name, want, got);
		good = false;
	}
	ok(good && found, "every name of the kernel's page is where dlvsym() finds it");
}

static void test_hashes(void)
{
	/* Values that other people publish: the gABI's and Go's tables. */
	ok(vdso_elf_hash("") == 0 && vdso_elf_hash("printf") == 0x077905a6 &&
		   vdso_elf_hash("LINUX_2.6") == 0x03ae75f6 &&
		   vdso_elf_hash("LINUX_2.6.39") == 0x075fcb89 &&
		   vdso_elf_hash("LINUX_4.15") == 0x0ae77f75 && vdso_elf_hash("\xff") == 0xff,
	   "the ELF hash has the known values");
	ok(vdso_gnu_hash("") == 5381 && vdso_gnu_hash("printf") == 0x156b2bb8 &&
		   vdso_gnu_hash("\xff") == 5381 * 33 + 0xff,
	   "the GNU hash has the known values");
}

int main(void)
{
	test_hashes();
	test_plain();
	test_absent();
	test_listing();
	test_kernel();
	return done_testing();
}
