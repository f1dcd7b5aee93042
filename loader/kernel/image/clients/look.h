/*
 * look.h - the image as a client sees it: memory that it reads through pointers.
 *
 * Kernels and `uvdso run` map the whole file at one address, so an address is the same number
 * as an offset of the file, counted from there; all addresses here are. Memory begins with the
 * data pages and ends with the file's last page, the rest of which is zero. A client that reads
 * elsewhere would get a signal, or whatever lies there: that is its end here. So is a step too
 * many, for no real table takes so long. After the end every read gives zero, and every loop
 * has to stop.
 */
#ifndef KERNEL_IMAGE_CLIENTS_LOOK_H
#define KERNEL_IMAGE_CLIENTS_LOOK_H

#include "kernel/image/clients/clients.h"
#include "kernel/image/elf_bytes.h"

/* What is being read: for the verdict, should it be the last thing. */
enum part {
	PART_HEADER,
	PART_SEGMENTS,
	PART_SECTIONS,
	PART_DYNAMIC,
	PART_HASH,
	PART_GNU_HASH,
	PART_SYMBOLS,
	PART_STRINGS,
	PART_VERSIONS,
	PART_UNWIND,
};

/* Why a symbol of the right name was not taken; the last reason counts. */
enum miss {
	MISS_NAME, /* none was met */
	MISS_TYPE,
	MISS_BINDING,
	MISS_VISIBILITY,
	MISS_UNDEFINED,
	MISS_VERSION,
	MISS_CRASH, /* looking for it or calling it, which not every program does */
};

struct look {
	struct elf_bytes elf;
	struct elf_header header;
	uint64_t size;      /* of the pages of the file */
	uint64_t mask;      /* addresses wrap around as the machine's do */
	uint64_t data_size; /* of the data pages, right below the image as with kernels */
	const char *prefix, *node; /* of the machine's names, and the version asked for */
	enum part part;
	unsigned steps;
	enum miss miss;
	bool over; /* the verdict is there */
	struct client_verdict *verdict;

	/* How its functions went: see look_ask(). */
	bool main_found;
	enum miss main_miss;
	char main_name[48], lost[96];
	enum miss lost_miss;
};

/* Are these bytes there? If not that is the end: it crashes. */
bool look_there(struct look *l, uint64_t at, uint64_t len);
uint8_t look_u8(struct look *l, uint64_t at);
uint16_t look_u16(struct look *l, uint64_t at);
uint32_t look_u32(struct look *l, uint64_t at);
uint64_t look_word(struct look *l, uint64_t at);
struct elf_segment look_segment(struct look *l, uint64_t at);
struct elf_symbol look_symbol(struct look *l, uint64_t symtab, uint64_t index);
/* strcmp() == 0, and what strlen() would read. */
bool look_equal(struct look *l, uint64_t at, const char *text);
/* Does it begin with that? */
bool look_starts(struct look *l, uint64_t at, const char *text);
uint64_t look_length(struct look *l, uint64_t at);
/* The word of that number of a table of DT_HASH, which are wider on some machines. */
uint64_t look_hash(struct look *l, uint64_t table, uint64_t number);
/* a % b, which is a signal for b = 0. */
uint64_t look_modulo(struct look *l, uint64_t a, uint64_t b);

/* The end. The first verdict stays. */
__attribute__((format(printf, 4, 5))) void look_end(struct look *l, enum client_outcome outcome,
						    const char *rule, const char *why, ...);

/* The program headers, stride bytes apart. */
struct segments {
	unsigned nr_load, nr_dynamic;
	struct elf_segment first_load, last_load, dynamic;
};
struct segments look_segments(struct look *l, unsigned stride);

/* What they have in .dynamic; where an entry is there twice the last one counts. */
enum entry {
	ENTRY_STRTAB,
	ENTRY_STRSZ,
	ENTRY_SYMTAB,
	ENTRY_SYMENT,
	ENTRY_HASH,
	ENTRY_GNU_HASH,
	ENTRY_VERSYM,
	ENTRY_VERDEF,
	ENTRY_VERDEFNUM,
	ENTRY_VERNEED,
	ENTRY_SONAME,
	ENTRY_PLTREL,
	ENTRY_PLTGOT,
	ENTRY_JMPREL,
	ENTRY_RELA,
	ENTRY_RELAENT,
	ENTRY_REL,
	ENTRY_RELENT,
	ENTRY_RELR,
	ENTRY_RELRENT,
	NR_ENTRIES
};
struct dynamic {
	bool has[NR_ENTRIES];
	uint64_t value[NR_ENTRIES];
	uint64_t nr; /* before DT_NULL */
};
/* Up to DT_NULL, or most entries. */
struct dynamic look_dynamic(struct look *l, uint64_t at, uint64_t most);

/* The tables that most clients keep, as addresses. */
struct tables {
	uint64_t bias; /* from a link-time address to one of memory */
	struct dynamic dynamic;
	uint64_t symtab, strtab, hash, gnu_hash, versym, verdef;
	bool has_versions; /* both DT_VERSYM and DT_VERDEF */
};
struct tables look_tables(struct look *l, uint64_t bias, uint64_t dynamic, uint64_t most);

/* Hashes of a name: DT_HASH and version nodes, DT_GNU_HASH. */
uint32_t look_sysv_hash(const char *name);
uint32_t look_gnu_hash(const char *name);

/*
 * The definition with this index, not the base one, has this name; demands are those of the
 * clients that differ: DEMAND_HASH that vd_hash is right, DEMAND_CURRENT that vd_version is 1.
 */
enum demand { DEMAND_NAME, DEMAND_HASH, DEMAND_CURRENT };
bool look_version(struct look *l, const struct tables *t, uint64_t symbol, const char *node,
		  enum demand demand);

/* Finds a function: true, and where it is. */
typedef bool look_find(struct look *l, const void *arg, const char *name, uint64_t *address);

/*
 * Asks for the machine's functions with these endings, a list that NULL ends. The first one is
 * why the client looks at all; on 32-bit machines clock_gettime64 will do instead. All are
 * looked for AT_START, or only the first is, and the others LATER: when a program wants them,
 * or by newer versions of the client.
 */
enum when { AT_START, LATER };
void look_ask(struct look *l, look_find *find, const void *arg, const char *const *endings,
	      enum when when);
/* Why a function is not found: the rule that names it, and in words. */
const char *look_reason(const struct look *l, const char *name, enum miss miss);
const char *look_miss(enum miss miss);
/* The verdict after look_ask(), which may be called several times. */
void look_conclude(struct look *l);

#endif
