/*
 * eh_frame.c - the table for unwinding, and that all code is in it.
 *
 * A signal or a debugger may come while a program is inside the vDSO. To walk out of there,
 * unwinders search the table of PT_GNU_EH_FRAME for the function (LSB, .eh_frame_hdr; only one
 * encoding of it is ever searched), and follow what .eh_frame says of it (cfi.c). The signal
 * does not ask whether a function is exported: a static one needs its description as well.
 *
 * A description may begin a few bytes into its function, after what marks the place as one that
 * a call may lead to (endbr64): Linux 6.12 has such a function.
 */
#include <string.h>

#include "kernel/image/unwind/cfi.h"
#include "kernel/image/unwind/padding.h"
#include "kernel/image/check/parts.h"

/* The encodings that every linker writes and every unwinder searches (DW_EH_PE_*). */
#define PCREL_SDATA4   0x1b
#define UDATA4         0x03
#define DATAREL_SDATA4 0x3b

/* How far into its function a description may begin. */
#define LATE_START 16

struct search_table {
	uint64_t entries; /* file offset: pairs of function and FDE, relative to base */
	uint64_t base;    /* address of .eh_frame_hdr */
	uint32_t nr;
};

/* The descriptions that could be read, in the order of the code. */
struct frames {
	unsigned nr;
	struct frame frame[MAX_FRAMES];
};

/* An address that is stored as its distance from another one; wraps as the class does. */
static uint64_t relative(const struct checked *c, uint64_t base, uint64_t offset)
{
	uint64_t sum = base + (uint64_t)(int64_t)(int32_t)elf_u32(&c->elf, offset);

	return c->elf.is64 ? sum : (uint32_t)sum;
}

static uint64_t function_of(const struct checked *c, const struct search_table *t, uint32_t i)
{
	return relative(c, t->base, t->entries + 8ull * i);
}

static bool check_search_table(struct checked *c, struct search_table *t)
{
	const struct elf_segment *s = &c->eh_frame_hdr;
	const struct elf_bytes *elf = &c->elf;
	uint64_t at;

	if (s->filesz < 12) {
		rule_broken_at(
			&c->report, RULE_EH_FRAME, ELF_FIELD(&c->elf, s->at, Phdr, p_filesz),
			"the PT_GNU_EH_FRAME has %#llx bytes, no table: was it linked without "
			"--eh-frame-hdr?",
			X(s->filesz));
		return false;
	}
	if (!checked_offset(c, "the PT_GNU_EH_FRAME", s->vaddr, s->filesz, &at))
		return false;
	if (elf_u8(elf, at) != 1 || elf_u8(elf, at + 1) != PCREL_SDATA4 ||
	    elf_u8(elf, at + 2) != UDATA4 || elf_u8(elf, at + 3) != DATAREL_SDATA4) {
		rule_broken_at(&c->report, RULE_EH_FRAME_HDR, at,
			       elf_u8(elf, at) != 1 ? "version %u, encodings %#x %#x %#x: "
						      "unwinders know version 1, "
						      "and look no further"
						    : "version %u, encodings %#x %#x %#x: "
						      "linkers write 0x1b 0x3 0x3b; "
						      "with others libgcc goes through all of "
						      ".eh_frame, and LLVM's "
						      "unwinder may abort the program or crash",
			       elf_u8(elf, at), elf_u8(elf, at + 1), elf_u8(elf, at + 2),
			       elf_u8(elf, at + 3));
		return false;
	}
	t->base = s->vaddr;
	t->nr = elf_u32(elf, at + 8);
	t->entries = at + 12;
	if (t->nr == 0 || t->nr > (s->filesz - 12) / 8) {
		rule_broken_at(&c->report, RULE_EH_FRAME_HDR, at + 8,
			       "a table of %u functions in %#llx bytes", t->nr, X(s->filesz));
		return false;
	}
	if (t->nr > MAX_FRAMES) {
		rule_broken_at(&c->report, RULE_EH_FRAME_HDR, at + 8,
			       "a table of %u functions, an image has about twenty", t->nr);
		return false;
	}
	for (uint32_t i = 1; i < t->nr; i++)
		if (function_of(c, t, i) <= function_of(c, t, i - 1)) {
			rule_broken_at(&c->report, RULE_EH_FRAME_HDR, t->entries + 8ull * i,
				       "the table is not sorted at entry %u: libgcc searches "
				       "it by halving, and finds nothing",
				       i);
			return false;
		}
	return true;
}

/* False: not all can be read, so what is in none of them may be in one of the others. */
static bool read_frames(struct checked *c, const struct search_table *t, struct frames *frames)
{
	struct cfi cfi = {.left = MAX_BYTES, .reported_at = UINT64_MAX, .bad_cie = UINT64_MAX};
	bool all = true;

	for (uint32_t i = 0; i < t->nr; i++) {
		struct frame *frame = &frames->frame[frames->nr];
		uint64_t fde = relative(c, t->base, t->entries + 8ull * i + 4);

		if (!cfi_read(c, &cfi, fde, frame))
			all = false;
		else if (frame->start == function_of(c, t, i))
			frames->nr++;
		else
			rule_broken_at(&c->report, RULE_EH_FRAME_HDR, t->entries + 8ull * i,
				       "the FDE at %#llx begins at %#llx, the table says "
				       "%#llx: unwinding goes wrong",
				       X(fde), X(frame->start), X(function_of(c, t, i)));
		if (!cfi.left) {
			rule_broken(&c->report, RULE_CFI,
				    "more than %u bytes to read, an image has some thousands",
				    MAX_BYTES);
			return false;
		}
	}
	return all;
}

/* The last frame that does not begin after an address, or NULL. */
static const struct frame *frame_at(const struct frames *frames, uint64_t pc)
{
	unsigned low = 0, high = frames->nr;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (frames->frame[mid].start <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &frames->frame[low - 1] : NULL;
}

static bool is_described(const struct frames *frames, uint64_t pc)
{
	const struct frame *frame = frame_at(frames, pc);

	return frame && pc - frame->start < frame->length;
}

/* The first frame that begins after an address, or NULL. */
static const struct frame *frame_after(const struct frames *frames, uint64_t pc)
{
	const struct frame *frame = frame_at(frames, pc);

	frame = frame ? frame + 1 : frames->frame;
	return frame < frames->frame + frames->nr ? frame : NULL;
}

/*
 * Assembly may put several functions into one description, one after the other, as QEMU's does.
 * Then one of them begins with it, and this one is inside of none.
 */
static bool follows_others(const struct checked *c, const struct frame *frame,
			   const struct elf_symbol *sym)
{
	bool first = false;

	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol other = checked_symbol(c, i);
		uint64_t value = machine_code(c->machine, other.value);

		if (!symbol_is_function(&other))
			continue;
		first |= value == frame->start;
		if (value < sym->value && sym->value - value < other.size)
			return false;
	}
	return first;
}

/* An exported function: described, and from its first byte on. */
static void check_function(struct checked *c, const struct frames *frames, const char *name,
			   const struct elf_symbol *sym)
{
	const struct frame *frame = frame_at(frames, sym->value);
	const struct frame *next = frame_after(frames, sym->value);

	if (is_described(frames, sym->value)) {
		/* A trampoline's begins before it: unwinders look up one byte less. */
		if (sym->value != frame->start && !frame->is_signal &&
		    !follows_others(c, frame, sym))
			rule_broken_at(
				&c->report, RULE_SYMBOLS,
				ELF_FIELD(&c->elf, sym->at, Sym, st_value),
				"%s is at %#llx, and the function begins at %#llx: a call "
				"runs into the middle of an instruction, or without what "
				"the first ones do",
				name, X(sym->value), X(frame->start));
		return;
	}
	/* Its own begins a little later. The next function's does, too, after this one's end.
	 */
	if (next && next->start - sym->value <= LATE_START &&
	    next->start - sym->value < sym->size)
		return;
	rule_broken_at(&c->report, RULE_EH_FRAME, ELF_FIELD(&c->elf, sym->at, Sym, st_value),
		       "%s at %#llx has no FDE: no backtrace, and no exception, gets out of it",
		       name, X(sym->value));
}

/* The first exported function that begins in a gap; its lack of an FDE is told or forgiven. */
static bool first_function(const struct checked *c, uint64_t from, uint64_t to,
			   struct elf_symbol *first)
{
	bool found = false;

	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);

		sym.value = machine_code(c->machine, sym.value);
		if (!symbol_is_function(&sym) || sym.value < from || sym.value >= to ||
		    (found && sym.value >= first->value))
			continue;
		*first = sym;
		found = true;
	}
	return found;
}

/* The name of the exported function that an address is in, or NULL. */
static const char *function_with(const struct checked *c, uint64_t pc)
{
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);

		if (symbol_is_function(&sym) && pc >= sym.value && pc - sym.value < sym.size)
			return checked_name(c, i);
	}
	return NULL;
}

/* Bytes of code that are in no frame: they must be of those that only fill up. */
static void check_filling(struct checked *c, uint64_t from, uint64_t to)
{
	uint64_t offset, padding;
	const char *name;

	if (!checked_offset(c, "code", from, to - from, &offset))
		return;
	padding = padding_length(&c->elf, offset, to - from);
	if (to - from == padding)
		return;
	/* What a function says is its own is code, however little of it there is. */
	name = function_with(c, from + padding);
	if (!name && to - from - padding < padding_least_code(&c->elf))
		return;
	rule_broken_at(&c->report, RULE_CFI_COVERS, offset + padding,
		       "the code%s%s from %#llx to %#llx has no FDE: no backtrace, and no "
		       "exception, gets out of it",
		       name ? " of " : "", name ? name : "", X(from + padding), X(to));
}

/* What is in no frame, but for exported functions. */
static void check_gap(struct checked *c, uint64_t from, uint64_t to)
{
	struct elf_symbol sym = {0};

	while (from < to && first_function(c, from, to, &sym)) {
		if (sym.value > from)
			check_filling(c, from, sym.value);
		/* Without a size nothing says where it ends. */
		if (!sym.size || sym.size >= to - sym.value)
			return;
		from = sym.value + sym.size;
	}
	if (from < to)
		check_filling(c, from, to);
}

static void check_code(struct checked *c, const struct frames *frames,
		       const struct elf_section *s)
{
	uint64_t at = s->addr, end = s->addr + s->size;

	while (at < end) {
		const struct frame *frame = frame_at(frames, at);
		const struct frame *next = frame_after(frames, at);

		if (frame && at - frame->start < frame->length) {
			at = frame->length < end - frame->start ? frame->start + frame->length
								: end;
		} else {
			uint64_t to = next && next->start < end ? next->start : end;

			check_gap(c, at, to);
			at = to;
		}
	}
}

/* What is written over .text is never run where it stands (x86, arm64: alternatives). */
static bool is_replacement(const struct checked *c, const struct elf_section *s)
{
	const char *name = elf_section_name(&c->elf, s);

	return name && !strcmp(name, ".altinstr_replacement");
}

static void check_ranges(struct checked *c, const struct frames *frames)
{
	for (unsigned i = 0; i < frames->nr; i++) {
		const struct frame *f = &frames->frame[i];

		if (i + 1 < frames->nr && f->length > f[1].start - f->start)
			rule_broken_at(&c->report, RULE_CFI_COVERS,
				       f->fde - c->load.vaddr + c->load.offset,
				       "the FDE at %#llx, for %#llx bytes from %#llx, reaches "
				       "into the next function at %#llx: unwinders differ in "
				       "which one they take",
				       X(f->fde), X(f->length), X(f->start), X(f[1].start));
		else if (!checked_is_code(c, f->start, f->length))
			rule_broken_at(
				&c->report, RULE_CFI_COVERS,
				f->fde - c->load.vaddr + c->load.offset,
				"the FDE at %#llx is for %#llx bytes from %#llx, which are "
				"not code",
				X(f->fde), X(f->length), X(f->start));
	}
}

static bool has_frames(struct checked *c)
{
	/* arm and arm64 link their images without: there the debug data unwinds. */
	bool needed = !c->machine || !c->machine->no_unwind_table;

	if (c->has_eh_frame_hdr)
		return c->eh_frame_hdr.filesz || needed;
	if (needed)
		rule_broken(
			&c->report, RULE_EH_FRAME,
			"no PT_GNU_EH_FRAME: no backtrace, and no exception, gets out of the "
			"vDSO");
	return false;
}

static bool is_in_table(const struct checked *c, const struct search_table *t, uint64_t fde)
{
	for (uint32_t i = 0; i < t->nr; i++)
		if (relative(c, t->base, t->entries + 8ull * i + 4) == fde)
			return true;
	return false;
}

/*
 * How many descriptions .eh_frame itself has; and where it ends: at a length of 0, or with the
 * section. Each must be one of the table's: one length that is wrong, and all that comes after
 * it is read as something else.
 */
static uint32_t count_fdes(struct checked *c, const struct search_table *t,
			   const struct elf_section *s, uint64_t *end)
{
	uint64_t at = 0;
	uint32_t nr = 0;

	while (at + 8 <= s->size) {
		uint32_t length = elf_u32(&c->elf, s->offset + at);

		if (length < 4)
			break; /* 0: the end */
		if (length > s->size - at - 4) {
			rule_broken_at(&c->report, RULE_EH_FRAME_END, s->offset + at,
				       "what is at %#llx has %#x bytes, and .eh_frame ends "
				       "before: LLVM's unwinder reads on outside",
				       X(s->addr + at), length);
			break;
		}
		if (elf_u32(&c->elf, s->offset + at + 4)) {
			nr++;
			if (nr <= t->nr && !is_in_table(c, t, s->addr + at))
				rule_broken_at(&c->report, RULE_EH_FRAME_HDR, s->offset + at,
					       "what is at %#llx is no function's of the "
					       "table: who goes through .eh_frame from its "
					       "start reads other things",
					       X(s->addr + at));
		}
		at += 4 + (uint64_t)length;
	}
	if (at + 4 == s->size && elf_u32(&c->elf, s->offset + at))
		rule_broken_at(&c->report, RULE_EH_FRAME_END, s->offset + at,
			       "the last four bytes of .eh_frame are %#x, and not the zero "
			       "that ends it: LLVM's unwinder reads on outside",
			       elf_u32(&c->elf, s->offset + at));
	*end = s->offset + at;
	return nr;
}

/* Where .eh_frame is: by its section, else all that comes after where the table says it is. */
static bool find_eh_frame(struct checked *c, uint64_t start, struct elf_section *found)
{
	uint64_t end = c->load.vaddr + c->load.filesz, offset;

	for (unsigned i = 1; c->has_sections && i < c->header.shnum; i++) {
		const char *name;

		*found = checked_section(c, i);
		name = elf_section_name(&c->elf, found);
		if (name && !strcmp(name, ".eh_frame") && found->flags & SHF_ALLOC &&
		    elf_inside(&c->elf, found->offset, found->size) &&
		    found->offset - c->load.offset == found->addr - c->load.vaddr)
			return true;
	}
	if (!checked_offset(c, ".eh_frame", start, 4, &offset))
		return false;
	*found = (struct elf_section){.addr = start, .offset = offset, .size = end - start};
	return true;
}

/*
 * From one length to the next, as LLVM's unwinder goes when the table has no function for an
 * address: before the first one, for example. Outside of the image's pages it crashes.
 */
static bool leads_outside(const struct checked *c, uint64_t at)
{
	uint64_t end = (c->elf.size + 4095) & ~4095ull;

	for (unsigned i = 0; i < MAX_FRAMES && at + 8 <= end; i++) {
		uint64_t length = elf_u32(&c->elf, at);

		if (!length)
			return false;
		at += 4;
		if (length == UINT32_MAX) {
			length = elf_u64(&c->elf, at);
			at += 8;
		}
		if (length > end - at)
			return true;
		at += length;
	}
	return true;
}

/* Those who find nothing in the table, and debuggers, go through .eh_frame from its start. */
static void check_whole(struct checked *c, const struct search_table *t)
{
	uint64_t start = relative(c, t->base + 4, t->entries - 8), end;
	struct elf_section s;
	uint32_t nr;

	if (!find_eh_frame(c, start, &s))
		return;
	if (start != s.addr)
		rule_broken_at(&c->report, RULE_EH_FRAME_HDR, t->entries - 8,
			       "the table says that .eh_frame is at %#llx, and it is at "
			       "%#llx: LLVM's unwinder goes through it from there",
			       X(start), X(s.addr));
	nr = count_fdes(c, t, &s, &end);
	if (nr != t->nr)
		rule_broken_at(&c->report, RULE_EH_FRAME_HDR, t->entries - 4,
			       "the table lists %u functions, and .eh_frame describes "
			       "%u: unwinders differ in what they find",
			       t->nr, nr);
	/* In the section, or after it by luck: the first byte of what comes next. */
	if (end != s.offset + s.size || !elf_u32(&c->elf, end))
		return;
	if (leads_outside(c, end))
		rule_broken_at(&c->report, RULE_EH_FRAME_END, end,
			       "no zero ends .eh_frame: LLVM's unwinder reads on in what comes "
			       "after it, until it is outside of the image");
	else
		rule_broken_at(&c->report, RULE_EH_FRAME_ZERO, end,
			       "no zero ends .eh_frame: LLVM's unwinder reads on in what comes "
			       "after it, up to a zero that is there by chance");
}

void check_eh_frame(struct checked *c)
{
	struct frames
		frames; /* not all of it is set to zero: that would take longer than the rest */
	struct search_table t;

	frames.nr = 0;
	if (!has_frames(c) || !check_search_table(c, &t))
		return;
	if (!read_frames(c, &t, &frames))
		return;
	for (uint32_t i = 1; i < c->nr_symbols; i++) {
		struct elf_symbol sym = checked_symbol(c, i);

		sym.value = machine_code(c->machine, sym.value);
		if (symbol_is_function(&sym))
			check_function(c, &frames, checked_name(c, i), &sym);
	}
	check_whole(c, &t);
	if (!c->has_sections)
		return;
	check_ranges(c, &frames);
	for (unsigned i = 1; i < c->header.shnum; i++) {
		struct elf_section s = checked_section(c, i);

		if (section_is_code(&s) && padding_is_known(&c->elf) && !is_replacement(c, &s))
			check_code(c, &frames, &s);
	}
}
