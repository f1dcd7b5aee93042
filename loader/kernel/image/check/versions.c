/*
 * versions.c - the version nodes, and which of them each symbol has.
 *
 *   DT_VERDEF  -> Verdef {index, hash} -> Verdaux {name}     DT_VERDEFNUM of them
 *                   | vd_next
 *                 Verdef ...                                 vd_next 0 ends
 *   DT_VERSYM  -> one half word a symbol: the index of its node
 *
 * Clients ask for a name and a version: musl, Go and rustix reject every symbol of
 * a node that is not exactly the machine's own, static glibc takes anything. Go
 * reads the table without checking that there is one, and dies at start if there
 * is none (elfuse #49); musl goes by vd_next alone, others by the count.
 *
 * A function that no C library asks for may have a node of its own beside it, whose
 * name is not one of Linux: whoever calls it asks with that.
 *
 * The first entry is the base, named after the image itself (gABI, symbol
 * versioning in the LSB). The names of the nodes: vdso(7).
 */
#include <string.h>

#include "kernel/image/check/parts.h"

/* The high bit of a symbol's entry: not the default version. */
#define VERSYM_HIDDEN 0x8000u

struct nodes {
	unsigned nr;
	struct {
		uint16_t index;
		const char *name;
	} node[MAX_VERSIONS];
};

/* One of the functions that C libraries ask for, always with the machine's version. */
static bool is_asked_for(const struct machine *machine, const char *name)
{
	return machine_clients(name) &&
	       (machine_has_function(machine, name) || machine_plain_name(name) == name);
}

static void check_base(struct checked *c, uint64_t at, uint16_t index, const char *name)
{
	const char *soname =
		c->has_tag[TAG_SONAME] ? checked_string(c, c->tag[TAG_SONAME]) : NULL;

	if (index != VER_NDX_GLOBAL)
		rule_broken_at(&c->report, RULE_VERSIONS, at,
			       "the base entry has index %u, it must be 1", index);
	if (soname && strcmp(name, soname))
		rule_broken_at(&c->report, RULE_VERSIONS, at,
			       "the base entry is named %s, the DT_SONAME %s", name, soname);
}

static void check_node(struct checked *c, uint64_t at, uint16_t index, const char *name,
		       struct nodes *nodes)
{
	const struct machine *machine = c->machine;

	if (index <= VER_NDX_GLOBAL || index & VERSYM_HIDDEN)
		rule_broken_at(&c->report, RULE_VERSIONS, at,
			       "node %s has index %u, which is not a node's", name, index);
	else if (index > c->tag[TAG_VERDEFNUM])
		rule_broken_at(
			&c->report, RULE_VERSIONS, at,
			"node %s has index %u, and DT_VERDEFNUM is %llu: abseil stops with "
			"an assertion",
			name, index, X(c->tag[TAG_VERDEFNUM]));
	for (unsigned i = 0; i < nodes->nr; i++)
		if (nodes->node[i].index == index)
			rule_broken_at(&c->report, RULE_VERSIONS, at,
				       "%s and %s have the same index %u", nodes->node[i].name,
				       name, index);
	if (machine && !machine_has_node(machine, name) && !strncmp(name, "LINUX_", 6))
		rule_broken_at(
			&c->report, RULE_VERSIONS, at,
			"node %s is not the machine's %s: musl, Go and rustix reject its "
			"symbols",
			name, machine->node);
	nodes->node[nodes->nr].index = index;
	nodes->node[nodes->nr++].name = name;
}

/*
 * The names of an entry, vd_cnt of them: the node's own, then those that it inherits from,
 * which no client asks for. The last one says that none follows.
 */
static void check_verdaux(struct checked *c, uint64_t vaddr, unsigned count)
{
	unsigned nr = 0;
	uint64_t at;
	uint32_t next;

	do {
		if (!checked_offset(c, "a name of DT_VERDEF", vaddr, sizeof(Elf64_Verdaux),
				    &at))
			return;
		if (vaddr + sizeof(Elf64_Verdaux) > c->verdef_end)
			c->verdef_end = vaddr + sizeof(Elf64_Verdaux);
		if (!checked_string(c,
				    elf_u32(&c->elf, at + offsetof(Elf64_Verdaux, vda_name))))
			rule_broken_at(&c->report, RULE_STRTAB, at,
				       "the name of the version at %#llx is not in DT_STRTAB",
				       X(vaddr));
		next = elf_u32(&c->elf, at + offsetof(Elf64_Verdaux, vda_next));
		vaddr += next;
	} while (++nr < MAX_VERSIONS && next);
	if (nr != count || next)
		rule_broken_at(&c->report, RULE_VERSIONS, at,
			       "vd_cnt is %u, and the chain has %s%u names: gdb goes by the "
			       "both, and then names no function",
			       count, next ? "at least " : "", nr);
	else if (nr > 2)
		rule_broken_at(&c->report, RULE_VERSIONS, at,
			       "a version with %u names: abseil stops with an assertion", nr);
}

/* One Verdef at an address; its name. NULL: it cannot be read. */
static const char *check_verdef(struct checked *c, uint64_t vaddr, uint64_t *offset)
{
	const char *name;
	uint64_t aux_at, aux;

	checked_aligned(c, "an entry of DT_VERDEF", vaddr, 4);
	/* The struct is the same in both classes. */
	if (!checked_offset(c, "an entry of DT_VERDEF", vaddr, sizeof(Elf64_Verdef), offset))
		return NULL;
	if (elf_u16(&c->elf, *offset + offsetof(Elf64_Verdef, vd_version)) != VER_DEF_CURRENT)
		rule_broken_at(&c->report, RULE_VERSIONS, *offset,
			       "vd_version of the entry at %#llx is %u, there is only 1",
			       X(vaddr), elf_u16(&c->elf, *offset));
	if (elf_u16(&c->elf, *offset + offsetof(Elf64_Verdef, vd_cnt)) == 0) {
		rule_broken_at(&c->report, RULE_VERSIONS, *offset,
			       "the entry at %#llx has no name (vd_cnt 0)", X(vaddr));
		return NULL;
	}
	aux_at = vaddr + elf_u32(&c->elf, *offset + offsetof(Elf64_Verdef, vd_aux));
	checked_aligned(c, "a name of DT_VERDEF", aux_at, 4);
	if (!checked_offset(c, "a name of DT_VERDEF", aux_at, sizeof(Elf64_Verdaux), &aux))
		return NULL;
	if (vaddr + sizeof(Elf64_Verdef) > c->verdef_end)
		c->verdef_end = vaddr + sizeof(Elf64_Verdef);
	check_verdaux(c, aux_at, elf_u16(&c->elf, *offset + offsetof(Elf64_Verdef, vd_cnt)));
	name = checked_string(c, elf_u32(&c->elf, aux + offsetof(Elf64_Verdaux, vda_name)));
	if (!name)
		return NULL; /* reported with the names */
	if (elf_u32(&c->elf, *offset + offsetof(Elf64_Verdef, vd_hash)) != sysv_hash(name))
		rule_broken_at(&c->report, RULE_VERSIONS, *offset,
			       "vd_hash of %s is %#x, it must be %#x: Go compares it first",
			       name,
			       elf_u32(&c->elf, *offset + offsetof(Elf64_Verdef, vd_hash)),
			       sysv_hash(name));
	return name;
}

static void check_definitions(struct checked *c, struct nodes *nodes)
{
	uint64_t vaddr = c->tag[TAG_VERDEF], count = c->tag[TAG_VERDEFNUM], offset;
	const struct machine *machine = c->machine;
	unsigned nr_base = 0, has_machine = 0;
	uint64_t seen = 0;

	for (;;) {
		const char *name = check_verdef(c, vaddr, &offset);
		uint32_t next;

		if (!name)
			return;
		if (elf_u16(&c->elf, offset + offsetof(Elf64_Verdef, vd_flags)) &
		    VER_FLG_BASE) {
			nr_base++;
			check_base(c, offset,
				   elf_u16(&c->elf, offset + offsetof(Elf64_Verdef, vd_ndx)),
				   name);
		} else {
			check_node(c, offset,
				   elf_u16(&c->elf, offset + offsetof(Elf64_Verdef, vd_ndx)),
				   name, nodes);
			has_machine += machine && machine_has_node(machine, name);
		}
		seen++;
		next = elf_u32(&c->elf, offset + offsetof(Elf64_Verdef, vd_next));
		if (next == 0 || seen == MAX_VERSIONS)
			break;
		vaddr += next;
	}
	if (seen != count)
		rule_broken_at(
			&c->report, RULE_VERSIONS, c->tag_at[TAG_VERDEFNUM],
			"DT_VERDEFNUM is %llu, but the chain has %s%llu: clients go by the one "
			"or the other",
			X(count), seen == MAX_VERSIONS ? "at least " : "", X(seen));
	if (nr_base != 1)
		rule_broken_at(&c->report, RULE_VERSIONS, c->tag_at[TAG_VERDEF],
			       "%u base entries, there must be one", nr_base);
	if (machine && !has_machine)
		rule_broken_at(&c->report, RULE_VERSIONS, c->tag_at[TAG_VERDEF],
			       "no node %s: every client asks for it", machine->node);
}

static const char *node_of(const struct nodes *nodes, uint16_t index)
{
	for (unsigned i = 0; i < nodes->nr; i++)
		if (nodes->node[i].index == index)
			return nodes->node[i].name;
	return NULL;
}

/* Does every exported symbol have a node? And is an absolute one the name of a node? */
static void check_versyms(struct checked *c, const struct nodes *nodes)
{
	const struct machine *machine = c->machine;
	uint64_t versym;

	if (!checked_offset(c, "DT_VERSYM", c->tag[TAG_VERSYM], 2ull * c->nr_symbols, &versym))
		return;
	checked_aligned(c, "DT_VERSYM", c->tag[TAG_VERSYM], 2);
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);
		uint16_t index = elf_u16(&c->elf, versym + 2ull * i);
		const char *node = node_of(nodes, index & ~VERSYM_HIDDEN);

		if (!symbol_is_exported(&sym))
			continue;
		if (index & VERSYM_HIDDEN)
			rule_broken_at(&c->report, RULE_VERSION_HIDDEN, versym + 2ull * i,
				       "%s has a hidden version: only a client that asks for "
				       "the version "
				       "finds it, as C libraries do",
				       checked_name(c, i));
		if (!node)
			rule_broken_at(&c->report, RULE_VERSIONS, versym + 2ull * i,
				       "%s has version index %#x, which no node has: clients "
				       "that ask for a version do not find it",
				       checked_name(c, i), index);
		else if (!symbol_is_function(&sym) && strcmp(checked_name(c, i), node))
			rule_broken_at(&c->report, RULE_SYMBOLS, checked_symbol(c, i).at,
				       "%s is absolute, and not the name of its node %s: no "
				       "client can "
				       "use it",
				       checked_name(c, i), node);
		else if (machine && !machine_has_node(machine, node) &&
			 is_asked_for(machine, checked_name(c, i)))
			rule_broken_at(
				&c->report, RULE_VERSIONS, versym + 2ull * i,
				"%s has version %s: C libraries ask for it with %s, and do "
				"not find it",
				checked_name(c, i), node, machine->node);
	}
}

void check_versions(struct checked *c)
{
	struct nodes nodes = {0};

	if (!c->has_tag[TAG_VERDEF])
		rule_broken(
			&c->report, RULE_VERSIONS,
			"no DT_VERDEF: every Go program dies at start, and musl takes what it "
			"finds");
	else if (!c->has_tag[TAG_VERSYM])
		rule_broken(&c->report, RULE_VERSIONS,
			    "no DT_VERSYM beside the DT_VERDEF: every dynamic program of glibc "
			    "dies before main");
	else if (!c->has_tag[TAG_VERDEFNUM])
		rule_broken(&c->report, RULE_VERSIONS,
			    "no DT_VERDEFNUM: abseil stops with an assertion");
	if (!c->has_tag[TAG_VERSYM] || !c->has_tag[TAG_VERDEF] || !c->has_tag[TAG_VERDEFNUM])
		return;
	check_definitions(c, &nodes);
	check_versyms(c, &nodes);
}

static bool exports(const struct checked *c, const char *name)
{
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);

		if (symbol_is_function(&sym) && !strcmp(checked_name(c, i), name))
			return true;
	}
	return false;
}

/* Is it what clients look for by another prefix, which is not there? That other name, or NULL.
 */
static const char *looked_for_as(const struct checked *c, const char *name)
{
	const char *plain = machine_plain_name(name);

	if (plain == name || !machine_clients(name) || machine_has_function(c->machine, name))
		return NULL;
	for (unsigned i = 0; i < MACHINE_FUNCTIONS && c->machine->functions[i]; i++)
		if (!strcmp(machine_plain_name(c->machine->functions[i]), plain) &&
		    !exports(c, c->machine->functions[i]))
			return c->machine->functions[i];
	return NULL;
}

/*
 * A client that does not find its names makes system calls, and says nothing. Functions that
 * are nobody's but the image's own may be there as well.
 */
void check_names(struct checked *c)
{
	unsigned nr_functions = 0, nr_known = 0;

	if (!c->machine)
		return;
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);
		const char *name = checked_name(c, i), *other;

		if (!symbol_is_function(&sym))
			continue;
		nr_functions++;
		nr_known += machine_has_function(c->machine, name);
		other = looked_for_as(c, name);
		if (other)
			rule_broken_at(&c->report, RULE_NAMES, sym.at,
				       "%s is exported, and %s is not: on %s that is what %s "
				       "look for",
				       name, other, c->machine->name, machine_clients(other));
	}
	for (unsigned i = 0; nr_known && i < 3 && c->machine->asserted[i]; i++)
		if (!exports(c, c->machine->asserted[i]))
			rule_broken(
				&c->report, RULE_NAMES,
				"no %s: rustix asserts that a vDSO of %s has it, and panics%s",
				c->machine->asserted[i], c->machine->name,
				strstr(c->machine->asserted[i], "getcpu")
					? " (with its feature thread)"
					: "");
	if (nr_functions && !nr_known)
		rule_broken(&c->report, RULE_NAMES,
			    "none of the %u functions has a name that a vDSO of %s has, like "
			    "%s: no client finds one",
			    nr_functions, c->machine->name, c->machine->functions[0]);
}
