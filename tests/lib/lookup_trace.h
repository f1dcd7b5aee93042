/*
 * lookup_trace.h - what a lookup read of the tables, in its order, and where it left the way.
 *
 * "Got nothing" is what a resolver says that never begins, that looks at the wrong word and
 * that decides wrongly at the end. So the question that failed is asked once more, with the
 * tables protected: each load is a SIGSEGV, is noted, and is done with the tables open for
 * one instruction (the trap flag). Only x86-64 does that here; elsewhere nothing is told.
 */
#ifndef LOOKUP_TRACE_H
#define LOOKUP_TRACE_H

#include <stdio.h>
#include <ucontext.h>

#ifdef __x86_64__
#	define TRACE_MAX 256

/* A word of a table; of a name, the symbol that has it, and of a definition, its vd_ndx. */
struct read {
	enum { BUCKET, CHAIN, NAME, VERSYM, VERDEF, VERSION, OTHER } table;
	uint32_t index;
};

static bool same_read(struct read a, struct read b)
{
	return a.table == b.table && a.index == b.index;
}

static const char *read_name(struct read read)
{
	static const char *const names[] = {
		[BUCKET] = "bucket[%u]",      [CHAIN] = "chain[%u]",
		[NAME] = "name of symbol %u", [VERSYM] = "versym[%u]",
		[VERDEF] = "verdef %u",       [VERSION] = "name of a version",
		[OTHER] = "something else",
	};
	static char text[64];

	/* NOLINTNEXTLINE: one of the formats above, each of which takes a number or none */
	snprintf(text, sizeof(text), names[read.table], read.index);
	return text;
}

static struct {
	struct read read[TRACE_MAX];
	size_t count;
} seen;

/* What is protected: the tables, and the words of the chain, which lie elsewhere. */
static char *protected_chain;

static void protect(int prot)
{
	mprotect(&table, ATTEMPT_PAGE, prot);
	mprotect(protected_chain, ATTEMPT_PAGE, prot);
}

static bool within(const char *at, const void *start, size_t size, size_t each, uint32_t *index)
{
	size_t offset = (size_t)(at - (const char *)start);

	if (at < (const char *)start || offset >= size)
		return false;
	*index = (uint32_t)(offset / each);
	return true;
}

static struct read what_is_at(const char *at)
{
	struct read read = {OTHER, 0};
	uint32_t v;

	if (within(at, table.gnu_bucket, sizeof(table.gnu_bucket), 4, &read.index)) {
		read.table = BUCKET;
	} else if (within(at, table.gnu_chain, NR_SYMBOLS * 4, 4, &read.index)) {
		read.table = CHAIN;
	} else if (within(at, table.versym, sizeof(table.versym), sizeof(ElfW(Half)),
			  &read.index)) {
		read.table = VERSYM;
	} else if (within(at, table.verdef, sizeof(table.verdef), sizeof(table.verdef[0]),
			  &v)) {
		read = (struct read){VERDEF, table.verdef[v].def.vd_ndx};
	} else if (within(at, table.strtab, sizeof(table.strtab), 1, &v)) {
		while (v && table.strtab[v - 1])
			v--;
		for (uint32_t i = 1; i <= NR_SYMBOLS; i++)
			if (table.symtab[i].st_name == v)
				return (struct read){NAME, i};
		read.table = VERSION;
	}
	return read;
}

static void note(struct read read)
{
	for (size_t i = 0; i < seen.count; i++)
		if (same_read(seen.read[i], read))
			return;
	if (read.table != OTHER && seen.count < TRACE_MAX)
		seen.read[seen.count++] = read;
}

static bool is_protected(const char *at)
{
	uint32_t unused;

	return within(at, &table, ATTEMPT_PAGE, 1, &unused) ||
	       within(at, protected_chain, ATTEMPT_PAGE, 1, &unused);
}

#	define TRAP_FLAG 0x100

static void open_tables(int signal, siginfo_t *info, void *context)
{
	if (!is_protected(info->si_addr))
		attempt_stop(signal, info, context);
	protect(PROT_READ | PROT_WRITE);
	note(what_is_at(info->si_addr));
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void close_tables(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	protect(PROT_NONE);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void (*traced_call)(void);

static void call_traced(void)
{
	struct sigaction act = {.sa_sigaction = open_tables, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &act, NULL);
	act.sa_sigaction = close_tables;
	sigaction(SIGTRAP, &act, NULL);
	protect(PROT_NONE);
	traced_call();
}

/* The words that a lookup cannot do without, in the order in which it comes to them. */
static size_t the_way(struct read *way)
{
	uint32_t hash = vdso_gnu_hash(asked.name), bucket = hash % NR_BUCKETS;
	uint32_t i = table.gnu_bucket[bucket];
	size_t count = 0;

	way[count++] = (struct read){BUCKET, bucket};
	while (i) {
		uint32_t other = table.gnu_chain[i - 1];
		unsigned int index = table.versym[i] & VDSO_VERSYM_INDEX;

		way[count++] = (struct read){CHAIN, i - 1};
		if ((other | 1) == (hash | 1)) {
			way[count++] = (struct read){NAME, i};
			if (!strcmp(table.strtab + table.symtab[i].st_name, asked.name) &&
			    table.elf.versym) {
				way[count++] = (struct read){VERSYM, i};
				if (asked.version)
					way[count++] = (struct read){VERDEF, index};
				if (asked.want ==
				    (const void *)(LOAD + table.symtab[i].st_value))
					return count;
			}
		}
		if (other & 1)
			break;
		i++;
	}
	return count;
}

static bool among(struct read read, const struct read *reads, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (same_read(reads[i], read))
			return true;
	return false;
}

static void tell_reads(const char *what, const struct read *read, size_t count)
{
	char line[80] = "";

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(line);

		if (length + strlen(read_name(read[i])) > 62) {
			diag("%-9s %s,", what, line);
			what = "";
			length = 0;
		}
		snprintf(line + length, sizeof(line) - length, "%s%s", length ? ", " : "",
			 read_name(read[i]));
	}
	diag("%-9s %s", what, count ? line : "nothing of any table");
}

/* The question that failed once more: what was read, and the first word that is missing. */
static void tell_way(void (*call)(void))
{
	struct read way[TRACE_MAX];
	size_t count, i = 0;

	if (table.elf.gnu.bucket != table.gnu_bucket)
		return; /* another table is asked */
	count = the_way(way);
	seen.count = 0;
	protected_chain = (char *)(table.gnu_chain + NR_SYMBOLS) - ATTEMPT_PAGE;
	traced_call = call;
	attempt(call_traced);
	protect(PROT_READ | PROT_WRITE);
	signal(SIGTRAP, SIG_DFL);
	tell_reads("you read", seen.read, seen.count);
	while (i < count && among(way[i], seen.read, seen.count))
		i++;
	if (i < count) {
		diag("the way   leads on to %s", read_name(way[i]));
		return;
	}
	for (i = 0; i < seen.count; i++)
		if ((seen.read[i].table == CHAIN || seen.read[i].table == NAME) &&
		    !among(seen.read[i], way, count))
			break;
	if (i < seen.count)
		diag("the way   has ended before %s", read_name(seen.read[i]));
	else
		diag("the way   is this one: it is what you made of these words");
}
#else
static void tell_way(void (*call)(void))
{
	(void)call;
}
#endif

#endif
