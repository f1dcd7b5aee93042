/*
 * report.c - see report.h.
 *
 * Where the rules come from: the contract that the C libraries in use have with a vDSO, most of
 * it written down nowhere but in their sources and their bug trackers. Each says which client a
 * breach hurts, and how, so that somebody who bends a rule knows what it was for. Those that
 * hurt no client are house rules, which our own image keeps. Lists are lists of what is
 * allowed: what the checker has never heard of is reported, not waved through.
 */
#include <stdarg.h>
#include <stdio.h> /* vsnprintf, and nothing else: a library does not print */

#include "kernel/image/check/report.h"

const struct image_rule image_rules[] = {
	[RULE_ELF] =
		{
			.name = "elf",
			.what = "an ELF shared object for a known machine, with a sound header",
			.hurts = "rustix and CRIU refuse the image; other clients read it "
				 "wrongly",
			.mend = "ld -shared -m EMULATION; no ELFOSABI_* but SYSV and LINUX",
			.source = "rustix src/backend/linux_raw/vdso.rs; CRIU "
				  "criu/pie/util-vdso.c",
		},
	[RULE_TRUNCATED] =
		{
			.name = "truncated",
			.what = "the tables that the ELF header names are inside the file",
			.hurts = "every client reads past the end of the mapping, and dies by "
				 "SIGSEGV or SIGBUS",
			.mend = "do not cut the file; strip it with objcopy -S, never with "
				"truncate or dd",
			.source = "gABI, chapter 4",
		},
	[RULE_SEGMENTS] =
		{
			.name = "segments",
			.what = "only kinds of segments that a vDSO can have",
			.mend = "linker script: list the PHDRS, and discard the section that "
				"asks for another one; ld -z noexecstack",
			.source = "scripts of the kernel: arch/*/vdso.lds.S",
		},
	[RULE_NO_INTERP] =
		{
			.name = "no-interp",
			.what = "no PT_INTERP: nothing interprets a vDSO",
			.hurts = "rustix refuses the image: its programs fall back to system "
				 "calls",
			.mend = "linker script: /DISCARD/ : { *(.interp) }, and no PT_INTERP "
				"in PHDRS; no -pie",
			.source = "rustix src/backend/linux_raw/vdso.rs",
		},
	[RULE_NO_TLS] =
		{
			.name = "no-tls",
			.what = "no thread-local data: nothing sets it up",
			.hurts = "glibc stops with an assertion before main; code that uses "
				 "such data reads that of the program",
			.mend = "no __thread, no -fstack-protector; linker script: "
				"ASSERT(SIZEOF(.tdata) + SIZEOF(.tbss) == 0, \"...\")",
			.source = "glibc elf/setup-vdso.h",
		},
	[RULE_NO_RELRO] =
		{
			.name = "no-relro",
			.what = "no PT_GNU_RELRO: nothing is written, then protected",
			.hurts = "rustix refuses the image: its programs fall back to system "
				 "calls",
			.mend = "ld -z norelro",
			.source = "rustix src/backend/linux_raw/vdso.rs",
		},
	[RULE_ONE_LOAD] =
		{
			.name = "one-load",
			.what = "exactly one PT_LOAD",
			.hurts = "glibc before December 2025 falls back to system calls; CRIU "
				 "refuses the image; gdb sees one mapping",
			.mend = "linker script: PHDRS { text PT_LOAD FLAGS(5) FILEHDR PHDRS; "
				"... }, all sections :text",
			.source =
				"glibc bug 32583, commit 9021707ca7; CRIU criu/pie/util-vdso.c",
		},
	[RULE_LOAD_AT_ZERO] =
		{
			.name = "load-at-zero",
			.what = "the PT_LOAD has address 0",
			.mend = "linker script: . = SIZEOF_HEADERS; and no base address",
			.source = "arch/x86/tools/vdso2c.h; an image that is linked at an "
				  "address (gVisor) runs with glibc and musl",
		},
	[RULE_LOAD_OFFSET] =
		{
			.name = "load-offset",
			.what = "the PT_LOAD begins with the file",
			.hurts = "every client: the address in the vector is where it reads "
				 "the ELF header",
			.mend = "linker script: PT_LOAD FILEHDR PHDRS in PHDRS, and . = "
				"SIZEOF_HEADERS",
			.source = "getauxval(3), AT_SYSINFO_EHDR; arch/x86/tools/vdso2c.h",
		},
	[RULE_LOAD_FLAGS] =
		{
			.name = "load-flags",
			.what = "the PT_LOAD is R+X: read, execute, never write",
			.hurts = "rustix refuses an image without R and X; one that may be "
				 "written is code that an attacker can change",
			.mend = "linker script: text PT_LOAD FLAGS(5) FILEHDR PHDRS;",
			.source = "rustix src/backend/linux_raw/vdso.rs",
		},
	[RULE_LOAD_SIZES] =
		{
			.name = "load-sizes",
			.what = "the PT_LOAD is all file: memsz is filesz",
			.hurts = "a function with a variable in .bss: nothing clears it, and "
				 "past the last page there is no memory",
			.mend = "no variables; linker script: ASSERT(SIZEOF(.bss) == 0, "
				"\"...\")",
			.source = "arch/x86/tools/vdso2c.h",
		},
	[RULE_LOAD_ALIGN] =
		{
			.name = "load-align",
			.what = "the PT_LOAD asks for no more than page alignment",
			.mend = "ld -z max-page-size=4096 (or the page size of the machine)",
			.source = "p_align 0x10000 is what linkers choose for some machines; "
				  "nobody is known to obey it",
		},
	[RULE_LOAD_COVERS] =
		{
			.name = "load-covers",
			.what = "headers and tables lie in the mapped bytes",
			.hurts = "every client that reads what lies outside dies by SIGSEGV; "
				 "readers of the file and of memory see different things",
			.mend = "linker script: every section :text, in the order of the file; "
				"no objcopy that moves sections",
			.source = "gABI, chapter 5; rustix src/backend/linux_raw/vdso.rs",
		},
	[RULE_HEADERS_MAPPED] =
		{
			.name = "headers-mapped",
			.what = "the section headers lie in the pages of the PT_LOAD",
			.mend = "let p_filesz and p_memsz reach to the end of the file, as "
				"linker-scripts/cover-headers does",
			.source = "kernels map the whole file, a loader that goes by the "
				  "PT_LOAD does not (rr src/preload/tweak_librrpage.py)",
		},
	[RULE_SECTION_HEADERS] =
		{
			.name = "section-headers",
			.what = "a section table with names and a .dynsym, which some clients "
				"go by",
			.hurts = "bionic finds no symbol and falls back to system calls; gdb "
				 "finds no way out of a frame",
			.mend = "objcopy -S instead of --strip-sections (sstrip)",
			.source = "bionic libc/bionic/vdso.cpp; Linux commit bfad381c0d1e",
		},
	[RULE_NO_WRITABLE_DATA] =
		{
			.name = "no-writable-data",
			.what = "no variables: the image is mapped read-only",
			.hurts = "every program whose call stores there dies by SIGSEGV",
			.mend = "no variables; const tables without pointers; linker script: "
				"ASSERT(SIZEOF(.data) + SIZEOF(.bss) == 0, \"...\")",
			.source = "mmap(2), PROT_READ | PROT_EXEC",
		},
	[RULE_DYNAMIC] =
		{
			.name = "dynamic",
			.what = "exactly one PT_DYNAMIC, ended by DT_NULL",
			.hurts = "every libc falls back to system calls without it; without "
				 "its end they read on; CRIU refuses two",
			.mend = "linker script: dynamic PT_DYNAMIC FLAGS(4); .dynamic : { "
				"*(.dynamic) } :text :dynamic",
			.source = "gABI, chapter 5; CRIU criu/pie/util-vdso.c",
		},
	[RULE_DYNAMIC_READ_ONLY] =
		{
			.name = "dynamic-read-only",
			.what = "the PT_DYNAMIC has no PF_W",
			.hurts = "every glibc program, from 2.35 on, dies by SIGSEGV before "
				 "main: it relocates the entries in place",
			.mend = "linker script: dynamic PT_DYNAMIC FLAGS(4);",
			.source = "illumos-omnios #1142; tests/image/segments.t",
		},
	[RULE_DYNAMIC_TAGS] =
		{
			.name = "dynamic-tags",
			.what = "only dynamic tags that a vDSO can have, each once",
			.mend = "leave out the option that makes the linker write it (-z "
				"nodelete, -z interpose, -z origin, ...)",
			.source = "scripts of the kernel: arch/*/vdso.lds.S",
		},
	[RULE_NO_RELOCATIONS] =
		{
			.name = "no-relocations",
			.what = "no REL, RELA, JMPREL or RELR entries",
			.hurts =
				"every program that calls such a function uses an address "
				"that nobody has put right; glibc stops at tags of theirs that "
				"are not as it expects",
			.mend = "hidden visibility for all that is not exported (also for "
				"extern); no tables of pointers; ld -Bsymbolic -z "
				"nopack-relative-relocs; linker script: "
				"ASSERT(SIZEOF(.rela.dyn) == 0, \"...\")",
			.source = "lib/vdso/Makefile.include; glibc elf/get-dynamic-info.h",
		},
	[RULE_NO_TEXTREL] =
		{
			.name = "no-textrel",
			.what = "no DT_TEXTREL, no DF_TEXTREL",
			.mend = "compile with -fPIC; ld -z text",
			.source = "arch/x86/tools/vdso2c.h",
		},
	[RULE_NO_DEPENDENCIES] =
		{
			.name = "no-dependencies",
			.what = "nothing needed, searched for, or run at start and end",
			.hurts = "dynamic glibc dies of a DT_VERNEED before main; QEMU's "
				 "gen-vdso refuses all of them; a path of the machine that "
				 "built it is in every process",
			.mend = "ld itself instead of the compiler or a wrapper; -nostdlib; no "
				"-rpath, -f, -F, -l, -init, -fini",
			.source =
				"QEMU linux-user/gen-vdso-elfn.c.inc; glibc elf/dl-version.c; "
				"seen in kernels that a wrapped linker made (NixOS)",
		},
	[RULE_STRTAB] =
		{
			.name = "strtab",
			.what = "a well-formed string table",
			.hurts = "every client reads names on into other bytes, or finds none",
			.mend = "leave .dynstr to the linker; objcopy -S does not touch it",
			.source = "gABI, chapter 4",
		},
	[RULE_SONAME] =
		{
			.name = "soname",
			.what = "a DT_SONAME that is not empty",
			.hurts = "dlopen() does not find the vDSO (vdsotest, the kernel's "
				 "vdso_test_correctness); sanitizers do not know it",
			.mend = "ld -soname linux-vdso.so.1",
			.source = "vdso(7); tools/testing/selftests/x86",
		},
	[RULE_SONAME_TAKEN] =
		{
			.name = "soname-taken",
			.what = "a DT_SONAME that no program needs",
			.hurts = "every dynamic glibc program that needs that library takes "
				 "the vDSO for it, and does not start",
			.mend = "ld -soname linux-vdso.so.1",
			.source = "glibc elf/dl-load.c; tests/cli/check.t",
		},
	[RULE_SONAME_KNOWN] =
		{
			.name = "soname-known",
			.what = "the DT_SONAME that kernels have: linux-vdso.so.1, "
				"linux-gate.so.1 and so on",
			.mend = "ld -soname linux-vdso.so.1",
			.source = "vdso(7)",
		},
	[RULE_SYMBOLS] =
		{
			.name = "symbols",
			.what = "defined functions in the image's own code",
			.hurts = "every program that calls it jumps to somewhere else; rustix "
				 "panics; or the name is not found",
			.mend = "linker script: VERSION { NODE { global: the functions; local: "
				"*; }; }; ld -Bsymbolic --no-undefined; .type and .size for "
				"functions in assembly",
			.source = "rr #3791; rustix src/backend/linux_raw/vdso.rs",
		},
	[RULE_NAMES] =
		{
			.name = "names",
			.what = "functions by the names that the machine's clients look for",
			.hurts = "clients fall back to system calls, without a word; programs "
				 "on "
				 "rustix stop with a panic",
			.mend = "linker script: export them by the kernel's names, which are "
				"in "
				"vdso(7): __vdso_clock_gettime, on arm64, ppc and s390 "
				"__kernel_clock_gettime",
			.source = "glibc sysdeps/unix/sysv/linux/*/sysdep.h; musl "
				  "arch/*/syscall_arch.h; rustix "
				  "src/backend/linux_raw/vdso_wrappers.rs",
		},
	[RULE_VISIBILITY] =
		{
			.name = "visibility",
			.what = "symbols of DEFAULT visibility, not PROTECTED",
			.mend = "__attribute__((visibility(\"default\"))) on what is exported",
			.source = "glibc, musl and Go take PROTECTED symbols as well",
		},
	[RULE_HASH] =
		{
			.name = "hash",
			.what = "a DT_HASH, and each hash table is sound and finds every "
				"symbol",
			.hurts = "without DT_HASH musl and zig fall back to system calls; a "
				 "broken DT_GNU_HASH makes glibc, Go and rustix do so, a "
				 "broken DT_HASH CRIU; or they read beyond it, or never end",
			.mend = "ld --hash-style=both; no tool that reorders or renames "
				"symbols after the link",
			.source =
				"musl src/internal/vdso.c; moby #23378; CRIU #2570; UTM #6771",
		},
	[RULE_GNU_HASH] =
		{
			.name = "gnu-hash",
			.what = "a DT_GNU_HASH",
			.mend = "ld --hash-style=both",
			.source = "all clients that know it know DT_HASH, too; gVisor has "
				  "DT_HASH alone",
		},
	[RULE_VERSIONS] =
		{
			.name = "versions",
			.what = "a base entry and the machine's node; every symbol has a node",
			.hurts = "dynamic glibc dies without DT_VERSYM, Go without DT_VERDEF; "
				 "musl, Go and rustix take no function of another node",
			.mend = "linker script: VERSION { LINUX_2.6 { global: __vdso_*; local: "
				"*; }; }, with the machine's node",
			.source = "vdso(7); elfuse #49; rr #2894",
		},
	[RULE_VERSION_HIDDEN] =
		{
			.name = "version-hidden",
			.what = "no symbol has its version hidden",
			.mend = "assembly: .symver name,name@@NODE; better a VERSION in the "
				"linker script",
			.source = "glibc, musl, Go and rustix take such symbols; rr ships them",
		},
	[RULE_ALIGNMENT] =
		{
			.name = "alignment",
			.what = "tables at multiples of what their entries are made of",
			.hurts = "every program on a machine that does not read unaligned "
				 "words (arm, "
				 "mips, sparc) dies; uvdso refuses the image",
			.mend = "leave ALIGN() and the alignment of the sections to the linker",
			.source = "gABI; loader/libc/vdso_elf.c table()",
		},
	[RULE_NOTES] =
		{
			.name = "notes",
			.what = "well-formed notes",
			.hurts = "readers of notes take rubbish for an owner and a type, or "
				 "miss the build id",
			.mend = "linker script: /DISCARD/ : { *(.note.gnu.property) }, which "
				"is aligned to 8 and the others to 4",
			.source = "gABI, chapter 5; eu-elflint",
		},
	[RULE_NOTE_VERSION] =
		{
			.name = "note-version",
			.what = "a Linux note of type 0, with the version of the kernel",
			.mend = "ELFNOTE of owner \"Linux\", type 0, LINUX_VERSION_CODE; "
				"linker script: .note : { *(.note.*) } :text :note",
			.source = "Documentation/ABI/stable/vdso; kernels have it, and no "
				  "client that we have run reads it",
		},
	[RULE_NOTE_BUILD_ID] =
		{
			.name = "note-build-id",
			.what = "a build id",
			.mend = "ld --build-id=sha1",
			.source = "gdb and elfutils find the unstripped image by it",
		},
	[RULE_NOTE_LAYOUT] =
		{
			.name = "note-layout",
			.what = "a note with the layout of the data pages that uvdso keeps",
			.mend = "link vdso-src/identity.c, compiled with the datapage.h of "
				"this "
				"uvdso; linker script: .note : { *(.note.*) } :text :note",
			.source = "vdso-src/include/vdso/identity.h; uvdso run and "
				  "uvdso_boot() refuse other images",
		},
	[RULE_EH_FRAME] =
		{
			.name = "eh-frame",
			.what = "an unwind table that knows every exported function",
			.hurts = "no backtrace, no exception and no cancellation gets out of a "
				 "signal handler that interrupts it",
			.mend = "gcc -fasynchronous-unwind-tables, .cfi_startproc in assembly; "
				"ld --eh-frame-hdr; linker script: .eh_frame_hdr : { "
				"*(.eh_frame_hdr) } :text :eh_frame_hdr",
			.source =
				"libgcc unwind-dw2-fde-dip.c; LLVM libunwind AddressSpace.hpp",
		},
	[RULE_EH_FRAME_HDR] =
		{
			.name = "eh-frame-hdr",
			.what = "a search table that agrees with .eh_frame",
			.hurts = "unwinders find no description or a wrong one, abort the "
				 "program or crash",
			.mend = "ld --eh-frame-hdr writes it; let nothing change it or "
				".eh_frame after the link",
			.source = "LSB, .eh_frame_hdr; libgcc unwind-dw2-fde-dip.c "
				  "find_fde_tail(); LLVM libunwind/src/EHHeaderParser.hpp",
		},
	[RULE_EH_FRAME_END] =
		{
			.name = "eh-frame-end",
			.what = "an .eh_frame with an end, in front of what is no CFI",
			.hurts = "LLVM's unwinder crashes: from the first instruction of a "
				 "function it reads on",
			.mend = "linker script: .eh_frame : { KEEP(*(.eh_frame)) LONG(0) } "
				":text",
			.source = "LLVM libunwind/src/DwarfParser.hpp findFDE(), as "
				  "tests/image/clients.t has seen",
		},
	[RULE_EH_FRAME_ZERO] =
		{
			.name = "eh-frame-zero",
			.what = "a zero at the end of .eh_frame",
			.mend = "linker script: .eh_frame : { KEEP(*(.eh_frame)) LONG(0) } "
				":text",
			.source = "LSB, .eh_frame; kernels have none, and something there that "
				  "ends it",
		},
	[RULE_CFI] =
		{
			.name = "cfi",
			.what = "call frame information that every unwinder can follow",
			.hurts = "libgcc's unwinder aborts the program, or LLVM's and gdb's go "
				 "wrong, "
				 "when "
				 "an exception or a backtrace comes through the vDSO",
			.mend = "let .cfi_startproc, the other .cfi directives and the "
				"compiler write "
				".eh_frame, none of it by hand",
			.source = "DWARF 5, 6.4; gcc libgcc/unwind-dw2.c "
				  "execute_cfa_program(); LLVM "
				  "libunwind/src/DwarfParser.hpp",
		},
	[RULE_CFI_COVERS] =
		{
			.name = "cfi-covers",
			.what = "one description for each byte of code",
			.hurts = "backtraces and exceptions from a signal in code that nothing "
				 "describes, or that is described twice",
			.mend = "-fasynchronous-unwind-tables; .cfi_startproc and .cfi_endproc "
				"around "
				"what is written in assembly",
			.source = "LSB, .eh_frame; gcc libgcc/unwind-dw2-fde-dip.c",
		},
	[RULE_ALTERNATIVES] =
		{
			.name = "alternatives",
			.what = "replacements for the CPU that fit into the code",
			.hurts = "whoever fits the image to the CPU writes over something "
				 "else: a "
				 "kernel "
				 "at boot; uvdso refuses",
			.mend = "build the table with the macros of vdso/alternative.h",
			.source = "arch/x86/kernel/alternative.c; "
				  "loader/kernel/image/alternatives.c",
		},
	[RULE_NOTHING_AFTER] =
		{
			.name = "nothing-after",
			.what = "nothing in the file after what the headers name",
			.hurts = "every process has these bytes, executable, and they can be "
				 "misused; "
				 "uvdso maps them",
			.mend = "objcopy -S IN OUT writes what belongs to the image, and no "
				"more",
			.source = "arch/x86/entry/vdso/vma.c maps the whole array",
		},
};
const unsigned image_nr_rules = NR_RULES;

_Static_assert(sizeof(image_rules) / sizeof(image_rules[0]) == NR_RULES, "a rule has no name");

unsigned image_nr_hurting(void)
{
	unsigned count = 0;

	for (unsigned rule = 0; rule < NR_RULES; rule++)
		count += image_rules[rule].hurts != NULL;
	return count;
}

static void tell(const struct report *report, enum rule rule, uint64_t offset,
		 const char *message)
{
	report->tell(report->arg, &(struct image_finding){
					  .rule = &image_rules[rule],
					  .message = message,
					  .offset = offset,
				  });
}

void rule_broken_at(struct report *report, enum rule rule, uint64_t offset, const char *fmt,
		    ...)
{
	char message[512];
	va_list ap;

	report->broken[rule] = true;
	if (!report->tell || report->told[rule] > IMAGE_REPORTS_PER_RULE)
		return;
	if (report->told[rule]++ == IMAGE_REPORTS_PER_RULE) {
		tell(report, rule, IMAGE_NOWHERE, "and more of these, which are not shown");
		return;
	}
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	/* The names in it are the image's: no newline, nothing that a terminal obeys. */
	for (char *p = message; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	tell(report, rule, offset, message);
}

unsigned report_count(const struct report *report)
{
	unsigned count = 0;

	for (unsigned rule = 0; rule < NR_RULES; rule++)
		count += report->broken[rule] && image_rules[rule].hurts;
	return count;
}
