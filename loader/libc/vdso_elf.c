/*
 * vdso_elf.c - opening an image: every table found, every bound checked. See vdso_elf.h.
 *
 * The image describes itself in numbers that cannot be trusted: offsets, counts and
 * link-time addresses that may point anywhere. They all pass one gate, table(): it turns
 * "count entries of so many bytes at this address" into a pointer, or NULL when a single
 * byte of them is outside the segment or an entry would not be aligned. Sums and products
 * of untrusted numbers overflow, so the gate has none: it compares with what is left, and
 * divides.
 *
 * The functions follow the order in which an image is read: header, segments, dynamic
 * section, strings, hash tables, symbols, versions. A C library trusts the kernel and needs
 * a tenth of this (musl, src/internal/vdso.c); we also open what learners build. A
 * malformed hash table has crashed programs at start before (moby issue 23378), and so has
 * an image without versions (Go).
 */
#include "vdso_elf.h"

#define PAGE 4096u /* the smallest page that Linux has; see vdso_elf_open() */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#	define OUR_DATA ELFDATA2LSB
#else
#	define OUR_DATA ELFDATA2MSB
#endif
#define OUR_CLASS (sizeof(ElfW(Addr)) == 8 ? ELFCLASS64 : ELFCLASS32)

#if defined(__x86_64__)
#	define OUR_MACHINE EM_X86_64
#elif defined(__i386__)
#	define OUR_MACHINE EM_386
#elif defined(__aarch64__)
#	define OUR_MACHINE EM_AARCH64
#elif defined(__riscv)
#	define OUR_MACHINE EM_RISCV
#else
#	error "name this machine's EM_ constant here; s390x and alpha also have wider DT_HASH words"
#endif

/*
 * count entries of entsize bytes at a link-time address, or NULL. align is that of the
 * widest member: an unaligned access is undefined in C, and a fault on some machines.
 */
static const void *table(const struct vdso_elf *elf, ElfW(Addr) address, uint64_t count,
			 size_t entsize, size_t align)
{
	/* Below the segment the offset wraps and is huge: one comparison covers both ends. */
	ElfW(Addr) offset = address - elf->load->p_vaddr;
	const unsigned char *at;

	if (offset > elf->load->p_filesz)
		return NULL;
	if (count > (elf->load->p_filesz - offset) / entsize)
		return NULL;
	at = elf->base + elf->load->p_offset + offset;
	return (uintptr_t)at % align ? NULL : at;
}

#define TABLE(elf, address, count, type) \
	((const type *)table(elf, address, count, sizeof(type), _Alignof(type)))

/* Of two the last one counts, as for glibc, musl and Go, which go through all of them. */
static const ElfW(Dyn) * find_dynamic(const struct vdso_elf *elf, ElfW(Sxword) tag)
{
	for (size_t i = elf->nr_dynamic; i-- > 0;)
		if (elf->dynamic[i].d_tag == tag)
			return &elf->dynamic[i];
	return NULL;
}

/* The header is read before anything is known: readable is what may be read so far. */
static int check_header(const ElfW(Ehdr) * ehdr, size_t readable)
{
	if (!ehdr)
		return VDSO_ELF_NO_IMAGE;
	if ((uintptr_t)ehdr % _Alignof(ElfW(Ehdr)))
		return VDSO_ELF_UNALIGNED;
	if (readable < EI_NIDENT)
		return VDSO_ELF_TRUNCATED;
	for (int i = 0; i < SELFMAG; i++)
		if (ehdr->e_ident[i] != (unsigned char)ELFMAG[i])
			return VDSO_ELF_MAGIC;
	/* The class decides how long the header is, so it comes before its length. */
	if (ehdr->e_ident[EI_CLASS] != OUR_CLASS || ehdr->e_ident[EI_DATA] != OUR_DATA)
		return VDSO_ELF_MACHINE;
	if (readable < sizeof(*ehdr))
		return VDSO_ELF_TRUNCATED;
	if (ehdr->e_machine != OUR_MACHINE)
		return VDSO_ELF_MACHINE;
	if (ehdr->e_ident[EI_VERSION] != EV_CURRENT || ehdr->e_version != EV_CURRENT ||
	    ehdr->e_ehsize != sizeof(*ehdr))
		return VDSO_ELF_HEADER;
	if (ehdr->e_type != ET_DYN)
		return VDSO_ELF_TYPE;
	return 0;
}

static int open_segments(struct vdso_elf *elf, size_t readable, bool size_known)
{
	const ElfW(Ehdr) *ehdr = (const void *)elf->base;
	const ElfW(Phdr) * phdr, *load = NULL, *dynamic = NULL;
	size_t n;

	if (ehdr->e_phentsize != sizeof(*phdr) || ehdr->e_phoff % _Alignof(ElfW(Phdr)))
		return VDSO_ELF_PHDRS;
	if (ehdr->e_phoff > readable ||
	    ehdr->e_phnum > (readable - ehdr->e_phoff) / sizeof(*phdr))
		return VDSO_ELF_PHDRS;
	phdr = (const void *)(elf->base + ehdr->e_phoff);
	for (n = 0; n < ehdr->e_phnum; n++) {
		/*
		 * One segment, as the kernel builds it. C libraries do not agree on what
		 * two would mean: the first counts for some, the last for others.
		 */
		if (phdr[n].p_type == PT_LOAD) {
			if (load)
				return VDSO_ELF_LOADS;
			load = &phdr[n];
		}
		if (phdr[n].p_type == PT_DYNAMIC) {
			if (dynamic)
				return VDSO_ELF_DYNAMIC;
			dynamic = &phdr[n];
		}
	}
	if (!load)
		return VDSO_ELF_LOADS;

	/* Of unknown size: the limit is the address space, and PT_LOAD is believed. */
	elf->size = size_known ? readable : UINTPTR_MAX - PAGE - (uintptr_t)elf->base;
	if (load->p_memsz < load->p_filesz)
		return VDSO_ELF_LOAD_SIZE;
	if (load->p_offset > elf->size || load->p_filesz > elf->size - load->p_offset)
		return VDSO_ELF_TRUNCATED;
	if (!size_known) {
		elf->size = (load->p_offset + load->p_filesz + PAGE - 1) & ~(size_t)(PAGE - 1);
		if (elf->size < readable)
			elf->size = readable;
	}
	elf->load = load;
	elf->load_offset = (uintptr_t)elf->base + load->p_offset - load->p_vaddr;

	if (!dynamic)
		return VDSO_ELF_DYNAMIC;
	n = dynamic->p_filesz / sizeof(ElfW(Dyn));
	elf->dynamic = TABLE(elf, dynamic->p_vaddr, n, ElfW(Dyn));
	if (!elf->dynamic)
		return VDSO_ELF_DYNAMIC;
	while (elf->nr_dynamic < n && elf->dynamic[elf->nr_dynamic].d_tag != DT_NULL)
		elf->nr_dynamic++;
	/* Other readers go on until DT_NULL, so it has to be there. */
	return elf->nr_dynamic < n ? 0 : VDSO_ELF_DYNAMIC;
}

static int open_strings(struct vdso_elf *elf)
{
	const ElfW(Dyn) *strtab = find_dynamic(elf, DT_STRTAB);
	const ElfW(Dyn) *strsz = find_dynamic(elf, DT_STRSZ);

	if (!strtab || !strsz || !strsz->d_un.d_val)
		return VDSO_ELF_STRINGS;
	elf->strsz = strsz->d_un.d_val;
	elf->strtab = TABLE(elf, strtab->d_un.d_ptr, elf->strsz, char);
	/* With a NUL at its end, any offset into the table is the start of a string. */
	if (!elf->strtab || elf->strtab[elf->strsz - 1])
		return VDSO_ELF_STRINGS;
	return 0;
}

/* DT_HASH: nbucket, nchain, bucket[nbucket], chain[nchain]. A missing table is no error. */
static int open_hash(struct vdso_elf *elf)
{
	const ElfW(Dyn) *dyn = find_dynamic(elf, DT_HASH);
	const uint32_t *word;

	if (!dyn)
		return 0;
	word = TABLE(elf, dyn->d_un.d_ptr, 2, uint32_t);
	if (!word || !word[0])
		return VDSO_ELF_HASH; /* hash % 0 is a division fault */
	elf->hash.nbucket = word[0];
	elf->hash.nchain = word[1];
	if (!TABLE(elf, dyn->d_un.d_ptr, 2 + (uint64_t)word[0] + word[1], uint32_t))
		return VDSO_ELF_HASH;
	elf->hash.bucket = word + 2;
	elf->hash.chain = elf->hash.bucket + elf->hash.nbucket;
	/* One chain entry per symbol, so this is also the length of the symbol table. */
	for (uint32_t i = 0; i < elf->hash.nbucket; i++)
		if (elf->hash.bucket[i] >= elf->hash.nchain)
			return VDSO_ELF_HASH;
	/* chain[0] is nobody's: 0 is where chains end. */
	for (uint32_t i = 1; i < elf->hash.nchain; i++)
		if (elf->hash.chain[i] >= elf->hash.nchain)
			return VDSO_ELF_HASH;
	elf->nr_symbols = elf->hash.nchain;
	return 0;
}

/*
 * DT_GNU_HASH: nbucket, symoffset, bloom_size, bloom_shift, bloom[], bucket[], chain[].
 * Nothing says how long chain[] is: it ends where the last chain ends.
 */
static int open_gnu_hash(struct vdso_elf *elf)
{
	const ElfW(Dyn) *dyn = find_dynamic(elf, DT_GNU_HASH);
	ElfW(Addr) at;
	const uint32_t *word;
	uint64_t last = 0;

	if (!dyn)
		return 0;
	at = dyn->d_un.d_ptr;
	word = TABLE(elf, at, 4, uint32_t);
	/* glibc stops the program when the filter's size is not a power of two. */
	if (!word || !word[0] || !word[2] || (word[2] & (word[2] - 1)) || word[3] >= 32)
		return VDSO_ELF_GNU_HASH;
	elf->gnu.nbucket = word[0];
	elf->gnu.symoffset = word[1];
	elf->gnu.bloom_size = word[2];
	elf->gnu.bloom_shift = word[3];

	at += 4 * sizeof(uint32_t);
	elf->gnu.bloom = TABLE(elf, at, elf->gnu.bloom_size, ElfW(Addr));
	if (!elf->gnu.bloom)
		return VDSO_ELF_GNU_HASH;
	at += (ElfW(Addr))elf->gnu.bloom_size * sizeof(ElfW(Addr));
	elf->gnu.bucket = TABLE(elf, at, elf->gnu.nbucket, uint32_t);
	if (!elf->gnu.bucket)
		return VDSO_ELF_GNU_HASH;
	at += (ElfW(Addr))elf->gnu.nbucket * sizeof(uint32_t);
	elf->gnu.chain = TABLE(elf, at, 0, uint32_t);

	for (uint32_t i = 0; i < elf->gnu.nbucket; i++) {
		if (elf->gnu.bucket[i] && elf->gnu.bucket[i] < elf->gnu.symoffset)
			return VDSO_ELF_GNU_HASH;
		if (elf->gnu.bucket[i] > last)
			last = elf->gnu.bucket[i];
	}
	if (last) {
		do {
			if (!TABLE(elf, at, last - elf->gnu.symoffset + 1, uint32_t))
				return VDSO_ELF_GNU_HASH;
		} while (!(elf->gnu.chain[last++ - elf->gnu.symoffset] & 1));
	} else {
		last = elf->gnu.symoffset; /* nothing is exported */
	}
	/* With both tables present, DT_HASH has counted all symbols, hashed or not. */
	if (last > (elf->hash.nbucket ? elf->nr_symbols : UINT32_MAX))
		return VDSO_ELF_GNU_HASH;
	if (!elf->hash.nbucket)
		elf->nr_symbols = (uint32_t)last;
	return 0;
}

static int open_symbols(struct vdso_elf *elf)
{
	const ElfW(Dyn) *symtab = find_dynamic(elf, DT_SYMTAB);
	const ElfW(Dyn) *syment = find_dynamic(elf, DT_SYMENT);

	if (!elf->hash.nbucket && !elf->gnu.nbucket)
		return VDSO_ELF_NO_HASH;
	if (!symtab || !syment || syment->d_un.d_val != sizeof(ElfW(Sym)))
		return VDSO_ELF_SYMBOLS;
	elf->symtab = TABLE(elf, symtab->d_un.d_ptr, elf->nr_symbols, ElfW(Sym));
	if (!elf->symtab)
		return VDSO_ELF_SYMBOLS;
	for (uint32_t i = 0; i < elf->nr_symbols; i++)
		if (elf->symtab[i].st_name >= elf->strsz)
			return VDSO_ELF_SYMBOLS;
	return 0;
}

/*
 * The definitions are a linked list of byte offsets, which leads only forward and is followed
 * for at most as many steps as fit into the segment. Each has a list of names: the first is its
 * own, and the others, its parents', are nothing that a lookup asks for.
 */
static int check_verdef(const struct vdso_elf *elf, ElfW(Addr) at)
{
	uint32_t most = (uint32_t)(elf->load->p_filesz / sizeof(ElfW(Verdaux)));

	if (!elf->nr_verdef || elf->nr_verdef > most)
		return VDSO_ELF_VERSIONS;
	for (uint32_t i = 0; i < elf->nr_verdef; i++) {
		const ElfW(Verdef) *verdef = TABLE(elf, at, 1, ElfW(Verdef));
		const ElfW(Verdaux) * aux;

		if (!verdef || verdef->vd_version != VER_DEF_CURRENT || !verdef->vd_cnt)
			return VDSO_ELF_VERSIONS;
		aux = TABLE(elf, at + verdef->vd_aux, 1, ElfW(Verdaux));
		if (!aux || aux->vda_name >= elf->strsz)
			return VDSO_ELF_VERSIONS;
		/* A list that ends before DT_VERDEFNUM would be read twice from here. */
		if (!verdef->vd_next && i + 1 < elf->nr_verdef)
			return VDSO_ELF_VERSIONS;
		at += verdef->vd_next;
	}
	return 0;
}

static int open_versions(struct vdso_elf *elf)
{
	const ElfW(Dyn) *versym = find_dynamic(elf, DT_VERSYM);
	const ElfW(Dyn) *verdef = find_dynamic(elf, DT_VERDEF);
	const ElfW(Dyn) *verdefnum = find_dynamic(elf, DT_VERDEFNUM);

	if (!versym || !verdef)
		return 0;
	if (!verdefnum || verdefnum->d_un.d_val > UINT32_MAX)
		return VDSO_ELF_VERSIONS;
	elf->versym = TABLE(elf, versym->d_un.d_ptr, elf->nr_symbols, ElfW(Half));
	elf->verdef = TABLE(elf, verdef->d_un.d_ptr, 1, ElfW(Verdef));
	elf->nr_verdef = (uint32_t)verdefnum->d_un.d_val;
	if (!elf->versym || !elf->verdef)
		return VDSO_ELF_VERSIONS;
	return check_verdef(elf, verdef->d_un.d_ptr);
}

int vdso_elf_open(struct vdso_elf *elf, const void *image, size_t size)
{
	size_t readable = size ? size : PAGE;
	int error;

	*elf = (struct vdso_elf){.base = image};
	error = check_header(image, readable);
	if (!error)
		error = open_segments(elf, readable, size != 0);
	if (!error)
		error = open_strings(elf);
	if (!error)
		error = open_hash(elf);
	if (!error)
		error = open_gnu_hash(elf);
	if (!error)
		error = open_symbols(elf);
	if (!error)
		error = open_versions(elf);
	/* A caller that ignores the error finds nothing, rather than half an image. */
	if (error)
		*elf = (struct vdso_elf){0};
	return error;
}
