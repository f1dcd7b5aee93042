/*
 * vdso-layout.lds.h - the layout of the image, shared by all machines.
 *
 * Linker scripts have no #define, so the small scripts next to this one include it and go
 * through the C preprocessor, as in the kernel. What a machine's script defines:
 *
 *   VDSO_TEXT_FILL        the bytes of a no-operation, to fill gaps in the code
 *   VDSO_GOT_RESERVED     the bytes at the start of .got that GNU ld reserves for itself
 *   VDSO_VERSIONS         the version nodes with their symbols
 */

/*
 * Nobody loads the image from a disk: it is mapped as a whole, so everything that a reader may
 * want to see must be inside the one segment.
 *
 *    0 +--------------------------+ <- PT_LOAD, R+X; the address in the vector
 *      | ELF and program headers  |
 *      | hash tables, symbols,    |    everything a C library reads
 *      | versions, .dynamic       | <- PT_DYNAMIC, R
 *      | notes                    | <- PT_NOTE, R
 *      | .eh_frame_hdr, .eh_frame | <- PT_GNU_EH_FRAME, R
 *      | .rodata, alternatives    |    constants, and where to patch .text
 *      | .text                    |    everything that runs
 *      | section headers          |    for debuggers and old parsers
 *      +--------------------------+ two pages at most
 */
#include <vdso/datapage.h>

SECTIONS
{
	/*
	 * The data pages are below the image, in the order of datapage.h. Inside SECTIONS, so
	 * that the symbols belong to a section and move with the image. Outside they would be
	 * absolute addresses, which ld.lld has silently written into an image as constants,
	 * without a relocation.
	 */
	/* course: begin 02-image.below */
	vdso_data = . - VDSO_NR_DATA_PAGES * VDSO_STRIDE;
	vdso_rng_data = vdso_data + VDSO_RNG_PAGE * VDSO_STRIDE;

	. = SIZEOF_HEADERS;
	/* course: end 02-image.below */

	/* course: begin 02-image.tables */
	.hash          : { *(.hash) } :text
	.gnu.hash      : { *(.gnu.hash) }
	.dynsym        : { *(.dynsym) }
	.dynstr        : { *(.dynstr) }
	.gnu.version   : { *(.gnu.version) }
	.gnu.version_d : { *(.gnu.version_d) }

	.dynamic       : { *(.dynamic) } :text :dynamic

	.note          : { *(.note.Linux) *(.note.uvdso) *(.note.gnu.build-id) } :text :note
	/* course: end 02-image.tables */

	.eh_frame_hdr  : { *(.eh_frame_hdr) } :text :eh_frame_hdr
	/* The zero is its end: LLVM's unwinder reads on until there is one. */
	.eh_frame      : { KEEP(*(.eh_frame)) LONG(0) } :text

	.rodata        : { *(.rodata .rodata.*) }
	.cpu_alt       : { *(.cpu_alt) }

	.text          : { *(.text .text.*) } :text =VDSO_TEXT_FILL

	vdso_loaded_end = .;

	/*
	 * Sections that must stay empty. They are not discarded, because ld.lld silently
	 * resolves a reference to a discarded variable to address 0 of the image.
	 *
	 * The global offset table stays empty but for what the linker puts at its start: the
	 * address of .dynamic, and room for two that a dynamic linker would fill in. Whether GNU
	 * ld keeps that where nothing uses it depends on its version (2.47 does, and refuses to
	 * discard it), so it comes last, and objcopy removes it.
	 */
	.data          : { *(.data .data.* .sdata .sdata.*) }
	.bss           : { *(.bss .bss.* .sbss .sbss.* COMMON) }
	.tdata         : { *(.tdata .tdata.* .tbss .tbss.*) }
	.got           : { *(.got) }
	.got.plt       : { *(.got.plt) }
	.plt           : { *(.plt .plt.* .iplt) }
	.rel.dyn       : { *(.rel .rel.*) }
	.rela.dyn      : { *(.rela .rela.*) }
	.relr.dyn      : { *(.relr .relr.dyn) }

	/*
	 * .note.gnu.property is aligned to 8 and would leave a gap in the other notes, which
	 * are aligned to 4; readers expect no gap.
	 */
	/DISCARD/      : { *(.note.gnu.property) *(.note.GNU-stack) *(.comment) *(.gnu.version_r) *(.riscv.attributes) }
}

/* The node of own.c, if that is a part of the image. */
#ifdef VDSO_HAS_own
#	include "../vdso-src/own.c"
#else
#	define VDSO_OWN_VERSIONS
#endif

VERSION
{
	VDSO_VERSIONS
	VDSO_OWN_VERSIONS
}

/* course: begin 02-image */
PHDRS
{
	text         PT_LOAD FLAGS(5) FILEHDR PHDRS; /* R+X, headers included */
	dynamic      PT_DYNAMIC FLAGS(4);            /* glibc would write to a writable one */
	note         PT_NOTE FLAGS(4);
	eh_frame_hdr PT_GNU_EH_FRAME FLAGS(4);
}

/* The rules. A broken rule stops the build and names itself. */
ASSERT(SIZEOF(.data) == 0, "rule no-data: the image has no writable data; a variable was defined")
ASSERT(SIZEOF(.bss) == 0, "rule no-bss: the image has no writable data; a variable was defined")
/* course: end 02-image */
ASSERT(SIZEOF(.tdata) == 0, "rule no-tls: the image has no thread-local data")
ASSERT(SIZEOF(.got) <= (DEFINED(_GLOBAL_OFFSET_TABLE_) ? VDSO_GOT_RESERVED : 0), "rule no-got: nobody fills in a table of addresses; a symbol that is not hidden?")
ASSERT(SIZEOF(.got.plt) <= 3 * __SIZEOF_POINTER__, "rule no-got: nobody fills in a table of addresses; a call of a function that is not hidden?")
ASSERT(SIZEOF(.plt) == 0, "rule no-plt: the image calls nothing outside itself")
ASSERT(SIZEOF(.rel.dyn) == 0, "rule no-relocations (REL): nobody relocates the image; a pointer constant, or a data symbol that is not hidden?")
ASSERT(SIZEOF(.rela.dyn) == 0, "rule no-relocations (RELA, JMPREL): nobody relocates the image; a pointer constant, or a data symbol that is not hidden?")
ASSERT(SIZEOF(.relr.dyn) == 0, "rule no-relocations (RELR): nobody relocates the image; a pointer constant, or a data symbol that is not hidden?")
