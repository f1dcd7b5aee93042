/*
 * resolver-odd.c - images that are unusual but sound, made by changing a copy of ours.
 *
 * A vDSO may have one hash table of the two, no versions, hidden versions, symbols that
 * are no functions, or a high link address, as kernels and linkers have really made them
 * over the years. For each there is one right answer.
 */
#include <limits.h>

#include "resolver.h"

static void test_tables(void)
{
	static const struct {
		long tag;
		const char *name;
	} versions[] = {{DT_VERDEF, "DT_VERDEF"}, {DT_VERSYM, "DT_VERSYM"}};
	struct copy copy = copy_image(image_builtin(), GUARD_BEHIND);
	const char *name = names[0][0];
	unsigned int sysv, gnu;
	struct vdso_elf elf;

	copy_dynamic(&copy, DT_GNU_HASH)->d_tag = TAG_GONE;
	ok(finds_all(&copy, copy.size), "DT_HASH alone finds every name");
	vdso_elf_open(&elf, copy.image, copy.size);
	sysv = vdso_elf_symbol_count(&elf);
	copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
	copy_dynamic(&copy, DT_HASH)->d_tag = TAG_GONE;
	ok(finds_all(&copy, copy.size), "DT_GNU_HASH alone finds every name");
	vdso_elf_open(&elf, copy.image, copy.size);
	gnu = vdso_elf_symbol_count(&elf);
	if (!ok(sysv > NR_EXPORTS && sysv == gnu, "both hash tables count the same symbols"))
		diag("DT_HASH %u, DT_GNU_HASH %u: a listing would lack names", sysv, gnu);
	copy_dynamic(&copy, DT_GNU_HASH)->d_tag = TAG_GONE;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_NO_HASH,
	   "an image without any hash table is refused");

	for (int i = 0; i < 2; i++) {
		copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
		copy_dynamic(&copy, versions[i].tag)->d_tag = TAG_GONE;
		ok(found(find(&copy, name, NULL)),
		   "without %s a name is found when no version is asked for", versions[i].name);
		is(find(&copy, name, VERSION), NULL, "without %s no name has a version",
		   versions[i].name);
	}
	copy_free(&copy);
}

/* Clients keep what they read last; of two entries the checker takes that one, too. */
static void test_two_entries(void)
{
	struct copy copy = copy_image(image_builtin(), GUARD_BEHIND);
	ElfW(Dyn) *hash = copy_dynamic(&copy, DT_HASH), *gnu = copy_dynamic(&copy, DT_GNU_HASH);
	ElfW(Dyn) *first = hash < gnu ? hash : gnu, *last = hash < gnu ? gnu : hash;
	ElfW(Dyn) right = *hash, wrong = {.d_tag = DT_HASH, .d_un.d_ptr = 0x7000000};
	struct vdso_elf elf;

	*first = wrong;
	*last = right;
	ok(finds_all(&copy, copy.size), "of two DT_HASH the last one counts");
	*first = right;
	*last = wrong;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_HASH,
	   "refused: two DT_HASH of which the last is wrong");
	copy_free(&copy);
}

static ElfW(Half) * versym_of(const struct copy *copy, const char *name)
{
	ElfW(Half) *versym = copy_table(copy, DT_VERSYM);

	return versym + (section_symbol(copy, name) - (ElfW(Sym) *)copy_table(copy, DT_SYMTAB));
}

static void test_versions(void)
{
	struct copy copy = copy_image(image_builtin(), GUARD_BEHIND);
	const char *name = names[0][0];
	ElfW(Half) *versym = versym_of(&copy, name), index = *versym;
	ElfW(Verdef) *verdef = copy_table(&copy, DT_VERDEF);

	*versym = VER_NDX_GLOBAL;
	is(find(&copy, name, "linux-vdso.so.1"), NULL,
	   "the base definition's name is not a version");
	is(find(&copy, name, VERSION), NULL, "a name of the base version has no other version");
	ok(found(find(&copy, name, NULL)),
	   "a name of the base version is found without a version");
	*versym = VER_NDX_LOCAL;
	ok(!find(&copy, name, VERSION) && !find(&copy, name, NULL),
	   "a name that the version script made local is not found");
	*versym = index | VDSO_VERSYM_HIDDEN;
	ok(found(find(&copy, name, VERSION)), "a hidden version is found by who names it");
	is(find(&copy, name, NULL), NULL, "a hidden version is not the default");
	*versym = 0x123;
	is(find(&copy, name, VERSION), NULL,
	   "a version index without a definition is no version");
	*versym = index;
	verdef = (void *)((char *)verdef + verdef->vd_next);
	verdef->vd_hash ^= 1;
	is(find(&copy, name, VERSION), NULL, "a definition with a wrong hash does not match");
	copy_free(&copy);
}

static void test_symbols(void)
{
	static const struct {
		const char *what;
		unsigned char info;
		int shndx; /* -1: as it is */
		bool found;
	} cases[] = {
		{"FUNC GLOBAL", STB_GLOBAL << 4 | STT_FUNC, -1, true},
		{"FUNC WEAK", STB_WEAK << 4 | STT_FUNC, -1, true},
		{"NOTYPE GLOBAL", STB_GLOBAL << 4 | STT_NOTYPE, -1, true},
		{"FUNC LOCAL", STB_LOCAL << 4 | STT_FUNC, -1, false},
		{"OBJECT GLOBAL", STB_GLOBAL << 4 | STT_OBJECT, -1, false},
		{"TLS GLOBAL", STB_GLOBAL << 4 | STT_TLS, -1, false},
		{"undefined", STB_GLOBAL << 4 | STT_FUNC, SHN_UNDEF, false},
		{"absolute", STB_GLOBAL << 4 | STT_FUNC, SHN_ABS, false},
	};
	struct copy copy = copy_image(image_builtin(), GUARD_BEHIND);
	const char *name = names[0][0];
	ElfW(Sym) *sym = section_symbol(&copy, name), was = *sym;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const void *got;

		*sym = was;
		sym->st_info = cases[i].info;
		if (cases[i].shndx >= 0)
			sym->st_shndx = (ElfW(Half))cases[i].shndx;
		got = find(&copy, name, VERSION);
		ok(cases[i].found ? found(got) : !got, "a symbol that is %s is %sfound",
		   cases[i].what, cases[i].found ? "" : "not ");
	}
	*sym = was;
	sym->st_value = copy.size - 1;
	is(find(&copy, name, VERSION), copy.image + copy.size - 1,
	   "the last byte of the image may be a function");
	sym->st_value = copy.size;
	is(find(&copy, name, VERSION), NULL, "a function right after the image is not found");
	sym->st_value = (ElfW(Addr)) - 1;
	is(find(&copy, name, VERSION), NULL, "a function right before the image is not found");
	copy_free(&copy);
}

/* Old kernels linked their vDSO for a fixed high address: nothing but addresses differ. */
static void test_prelinked(void)
{
	static const long pointers[] = {DT_HASH,   DT_GNU_HASH, DT_STRTAB,
					DT_SYMTAB, DT_VERSYM,   DT_VERDEF};
	const ElfW(Addr) high = (ElfW(Addr)) - 0x900000;
	struct copy copy = copy_image(image_builtin(), GUARD_BEHIND);
	const ElfW(Ehdr) *ehdr = (const void *)copy.image;
	ElfW(Phdr) *phdr = (void *)(copy.image + ehdr->e_phoff);
	ElfW(Sym) *sym = section_symbol(&copy, names[0][0]);
	const void *want = copy.image + sym->st_value, *got;

	sym->st_value += high;
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
		copy_dynamic(&copy, pointers[i])->d_un.d_ptr += high;
	for (int i = 0; i < ehdr->e_phnum; i++)
		phdr[i].p_vaddr += high;
	got = find(&copy, names[0][0], VERSION);
	if (!is(got, want, "a name of an image that is linked at a high address is found"))
		because("the load offset is base + p_offset - p_vaddr");
	copy_free(&copy);
}

/* One byte of a sound image, changed so that exactly one rule is broken. */
static void test_refusals(void)
{
	static const struct {
		size_t offset;
		unsigned char value;
		int error;
	} cases[] = {
		{0, 'F', VDSO_ELF_MAGIC},
		{3, 'G', VDSO_ELF_MAGIC},
		{EI_CLASS, 3, VDSO_ELF_MACHINE},
		{EI_DATA, 3, VDSO_ELF_MACHINE},
		{offsetof(ElfW(Ehdr), e_machine), 0xff, VDSO_ELF_MACHINE},
		{EI_VERSION, 0, VDSO_ELF_HEADER},
		{offsetof(ElfW(Ehdr), e_version), 0, VDSO_ELF_HEADER},
		{offsetof(ElfW(Ehdr), e_phoff), sizeof(ElfW(Ehdr)) + 1, VDSO_ELF_PHDRS},
		{offsetof(ElfW(Ehdr), e_ehsize), 1, VDSO_ELF_HEADER},
		{offsetof(ElfW(Ehdr), e_type), ET_EXEC, VDSO_ELF_TYPE},
		{offsetof(ElfW(Ehdr), e_phentsize), 1, VDSO_ELF_PHDRS},
		{offsetof(ElfW(Ehdr), e_phnum), 200, VDSO_ELF_PHDRS},
		{offsetof(ElfW(Ehdr), e_phnum), 0, VDSO_ELF_LOADS},
		{sizeof(ElfW(Ehdr)), PT_NOTE, VDSO_ELF_LOADS},
		{sizeof(ElfW(Ehdr)) + sizeof(ElfW(Phdr)), PT_LOAD, VDSO_ELF_LOADS},
		{sizeof(ElfW(Ehdr)) + sizeof(ElfW(Phdr)), PT_NOTE, VDSO_ELF_DYNAMIC},
		{sizeof(ElfW(Ehdr)) + offsetof(ElfW(Phdr), p_memsz) + 1, 0, VDSO_ELF_LOAD_SIZE},
	};
	/* A word of a hash table. */
	static const struct {
		const char *what;
		long tag;
		int index;
		uint32_t value;
		int error;
	} words[] = {
		{"DT_HASH without buckets", DT_HASH, 0, 0, VDSO_ELF_HASH},
		{"DT_HASH with too many buckets", DT_HASH, 0, 0x40000000, VDSO_ELF_HASH},
		{"DT_HASH with too many symbols", DT_HASH, 1, 0xffffffff, VDSO_ELF_HASH},
		{"a DT_HASH bucket after the last symbol", DT_HASH, 2, 100, VDSO_ELF_HASH},
		{"DT_GNU_HASH without buckets", DT_GNU_HASH, 0, 0, VDSO_ELF_GNU_HASH},
		{"a bucket before the first hashed symbol", DT_GNU_HASH, 1, 99,
		 VDSO_ELF_GNU_HASH},
		{"a shift of the whole hash", DT_GNU_HASH, 3, 32, VDSO_ELF_GNU_HASH},
	};
	static const struct {
		long tag;
		int error;
	} missing[] = {
		{DT_STRTAB, VDSO_ELF_STRINGS},     {DT_STRSZ, VDSO_ELF_STRINGS},
		{DT_SYMTAB, VDSO_ELF_SYMBOLS},     {DT_SYMENT, VDSO_ELF_SYMBOLS},
		{DT_VERDEFNUM, VDSO_ELF_VERSIONS},
	};
	struct copy copy = copy_image(image_builtin(), GUARD_BEHIND);
	struct vdso_elf elf;
	int got;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
		copy.image[cases[i].offset] = cases[i].value;
		got = vdso_elf_open(&elf, copy.image, copy.size);
		if (!is(got, cases[i].error, "refused: %s", vdso_elf_error(cases[i].error)))
			diag("byte %zu; %d is: %s", cases[i].offset, got, vdso_elf_error(got));
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
		((uint32_t *)copy_table(&copy, words[i].tag))[words[i].index] = words[i].value;
		got = vdso_elf_open(&elf, copy.image, copy.size);
		is(got, words[i].error, "refused: %s", words[i].what);
	}
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
		copy_dynamic(&copy, missing[i].tag)->d_tag = TAG_GONE;
		got = vdso_elf_open(&elf, copy.image, copy.size);
		is(got, missing[i].error, "refused without tag %#lx: %s",
		   (unsigned long)missing[i].tag, vdso_elf_error(missing[i].error));
	}
	copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
	((char *)copy_table(&copy, DT_STRTAB))[copy_dynamic(&copy, DT_STRSZ)->d_un.d_val - 1] =
		'!';
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_STRINGS,
	   "refused: strings that do not end within their table");
	copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
	((ElfW(Sym) *)copy_table(&copy, DT_SYMTAB))[1].st_name =
		(ElfW(Word))copy_dynamic(&copy, DT_STRSZ)->d_un.d_val;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_SYMBOLS,
	   "refused: a name after the strings");
	copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
	copy_dynamic(&copy, DT_VERSYM)->d_un.d_ptr++;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_VERSIONS,
	   "refused: a table at an odd address");
	copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
	copy_dynamic(&copy, DT_SYMENT)->d_un.d_val--;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_SYMBOLS,
	   "refused: symbols of another size");
	copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
	copy_dynamic(&copy, DT_VERDEFNUM)->d_un.d_val++;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_VERSIONS,
	   "refused: a list of versions that ends early");
	copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
	((ElfW(Phdr) *)(void *)(copy.image + sizeof(ElfW(Ehdr))))[1].p_filesz =
		2 * sizeof(ElfW(Dyn));
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_DYNAMIC,
	   "refused: a dynamic section without DT_NULL");
	copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
	memcpy(copy.image + sizeof(ElfW(Ehdr)) + 2 * sizeof(ElfW(Phdr)),
	       copy.image + sizeof(ElfW(Ehdr)) + sizeof(ElfW(Phdr)), sizeof(ElfW(Phdr)));
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_DYNAMIC,
	   "refused: two dynamic sections, and be they the same");
	/* One more than there are, and none. */
	for (ElfW(Word) there = 0, number = 0; number <= there; number += there + 1) {
		copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
		there = (ElfW(Word))copy_dynamic(&copy, DT_VERDEFNUM)->d_un.d_val;
		copy_dynamic(&copy, DT_VERDEFNUM)->d_un.d_val = number;
		is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_VERSIONS,
		   "refused: %u version definitions, said to be %u", there, number);
	}
	copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
	copy_dynamic(&copy, DT_STRSZ)->d_un.d_val = 0;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_STRINGS,
	   "refused: strings without a byte, and so without a NUL");
	copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
	((ElfW(Phdr) *)(void *)(copy.image + sizeof(ElfW(Ehdr))))[1].p_vaddr = copy.size;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_DYNAMIC,
	   "refused: a dynamic section right after PT_LOAD");
	/* The bound itself, in each place where an index has one. */
	for (int i = 0; i < 2; i++) {
		uint32_t *hash;

		copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
		hash = copy_table(&copy, DT_HASH);
		hash[2 + (i ? hash[0] + hash[1] - 1 : hash[0] - 1)] = hash[1];
		is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_HASH,
		   "refused: a DT_HASH whose last %s is one more than the last symbol",
		   i ? "chain entry" : "bucket");
	}
	copy_fill(&copy, GUARD_BEHIND, image_builtin().bytes, copy.size);
	copy_dynamic(&copy, DT_VERDEFNUM)->d_un.d_val = 0;
	/* What is refused at the very end, with everything else open. */
	ok(vdso_elf_open(&elf, copy.image, copy.size) == VDSO_ELF_VERSIONS &&
		   !vdso_elf_symbol(&elf, names[0][0], NULL) && !vdso_elf_symbol_count(&elf),
	   "in an image that was refused nothing is found");
	is(vdso_elf_open(&elf, NULL, 0), VDSO_ELF_NO_IMAGE, "no image at all is refused");
	ok(vdso_elf_open(&elf, image_builtin().bytes + 1, 4000) == VDSO_ELF_UNALIGNED &&
		   vdso_elf_open(&elf, image_builtin().bytes + _Alignof(ElfW(Ehdr)) / 2, 0) ==
			   VDSO_ELF_UNALIGNED,
	   "an image at an unaligned address is refused");
	copy_free(&copy);
}

/* The size that an open image says, whether it was known or had to be concluded. */
static void test_size(void)
{
	struct copy copy = copy_image(image_builtin(), GUARD_BEFORE);
	ElfW(Phdr) *load = (void *)(copy.image + sizeof(ElfW(Ehdr)));
	struct vdso_elf elf;

	ok(opens(&elf, copy.image, copy.size) && elf.size == copy.size,
	   "the size of an image is what the caller has said");
	ok(opens(&elf, copy.image, 0) && elf.size == (copy.size + 4095) / 4096 * 4096,
	   "an unknown size is that of PT_LOAD, in whole pages");
	load->p_filesz = load->p_memsz = 4096;
	is(vdso_elf_open(&elf, copy.image, 0) ? 4096 : elf.size, 4096,
	   "... and a whole page has none after it");
	load->p_filesz = load->p_memsz = copy.size + 1;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_TRUNCATED,
	   "refused: a segment that is a byte longer than the image");
	load->p_filesz = copy.size;
	load->p_memsz = copy.size - 1;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_LOAD_SIZE,
	   "refused: a segment with a byte more in the file than in memory");
	load->p_filesz = load->p_memsz = 1;
	load->p_offset = copy.size + 1;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_TRUNCATED,
	   "refused: a segment that begins a byte after the image");
	load->p_offset = -1;
	is(vdso_elf_open(&elf, copy.image, 0), VDSO_ELF_TRUNCATED,
	   "refused: a segment that begins where no memory is");
	load->p_offset = 1;
	load->p_filesz = load->p_memsz = -1;
	is(vdso_elf_open(&elf, copy.image, copy.size), VDSO_ELF_TRUNCATED,
	   "refused: a segment whose end wraps into the image");
	copy_free(&copy);
}

/* The filter of DT_GNU_HASH decides: a name that lacks one of its two bits is not looked for.
 */
static void test_filter(void)
{
	const char *name = names[0][0];
	uint32_t hash = vdso_gnu_hash(name), shift;
	const unsigned int bits = 8 * sizeof(ElfW(Addr));
	struct copy copy = copy_image(image_builtin(), GUARD_BEHIND);
	uint32_t *table = copy_table(&copy, DT_GNU_HASH);
	ElfW(Addr) *filter = (void *)(table + 4);

	for (shift = 1; (hash >> shift) % bits == hash % bits;)
		shift++;
	table[3] = shift;
	for (uint32_t i = 0; i < table[2]; i++)
		filter[i] = ~(ElfW(Addr))0;
	ok(found(find(&copy, name, VERSION)), "a name whose bits are in the filter is found");
	for (uint32_t i = 0; i < table[2]; i++)
		filter[i] = ~((ElfW(Addr))1 << (hash >> shift) % bits);
	is(find(&copy, name, VERSION), NULL, "a name whose second bit is missing is not");
	for (uint32_t i = 0; i < table[2]; i++)
		filter[i] = ~((ElfW(Addr))1 << hash % bits);
	is(find(&copy, name, VERSION), NULL, "... and neither is one whose first bit is");
	copy_free(&copy);
}

/* Every number has a sentence: each error its own, all others one. */
static void test_sentences(void)
{
	const char *unknown = vdso_elf_error(1);
	int twice = 0;

	for (int i = 0; i >= VDSO_ELF_VERSIONS; i--)
		for (int j = 1; j >= VDSO_ELF_VERSIONS; j--)
			twice += i != j && !strcmp(vdso_elf_error(i), vdso_elf_error(j));
	is(twice, 0, "each error has a sentence of its own, and so has no error");
	ok(vdso_elf_error(VDSO_ELF_VERSIONS - 1) == unknown &&
		   vdso_elf_error(INT_MIN) == unknown && vdso_elf_error(INT_MAX) == unknown,
	   "a number that is no error is called unknown");
}

/* A DT_GNU_HASH that is empty and sound, but for one number. */
static void test_gnu_header(void)
{
	static const struct {
		const char *what;
		uint32_t symoffset, bloom_size;
		int error;
	} cases[] = {
		{"a filter of one word is", 1, 1, 0},
		{"a filter of two words is", 1, 2, 0},
		{"a filter of three words is not", 1, 3, VDSO_ELF_GNU_HASH},
		{"a filter of no words is not", 1, 0, VDSO_ELF_GNU_HASH},
		{"a table that begins after the last symbol is not", 1000, 1,
		 VDSO_ELF_GNU_HASH},
	};
	struct copy copy = copy_image(image_builtin(), GUARD_BEHIND);
	struct vdso_elf elf;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t table[12] = {1, cases[i].symoffset, cases[i].bloom_size};
		int got;

		memcpy(copy_table(&copy, DT_GNU_HASH), table, sizeof(table));
		got = vdso_elf_open(&elf, copy.image, copy.size);
		if (!is(got, cases[i].error, "%s accepted", cases[i].what))
			diag("%d is: %s", got, vdso_elf_error(got));
	}
	copy_free(&copy);
}

int main(void)
{
	test_tables();
	test_two_entries();
	test_versions();
	test_symbols();
	test_prelinked();
	test_refusals();
	test_gnu_header();
	test_size();
	test_filter();
	test_sentences();
	return done_testing();
}
