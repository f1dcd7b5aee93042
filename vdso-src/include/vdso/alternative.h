/*
 * alternative.h - the best instruction for this CPU, without a test in every call.
 *
 * Some tasks can be done by several instructions: the newest is the fastest, and only the
 * oldest works everywhere. A branch would cost time in every call. So the image is built with
 * the instruction that works everywhere, and a table says where a better one may be written
 * over it and what the CPU must have for that. The loader knows the CPU and patches its copy
 * of the image before it maps it (kernel: .altinstructions, apply_alternatives()).
 *
 * The table is the section VDSO_ALTERNATIVES, entries of 16 bytes. Where several entries for
 * the same place apply, the last one wins.
 */
#ifndef VDSO_ALTERNATIVE_H
#define VDSO_ALTERNATIVE_H

#define VDSO_ALTERNATIVES ".cpu_alt"

/* What a CPU may have: x86-64. */
#define VDSO_CPU_RDTSCP 1
#define VDSO_CPU_RDPID  2
#define VDSO_CPU_AVX2   3 /* and a kernel that saves its registers */

#define VDSO_ALTERNATIVE_CODE 8 /* the longest code that one entry can write */

#ifndef __ASSEMBLER__
#	include <vdso/types.h>

struct vdso_alternative {
	s32 place; /* of the code that is replaced, relative to this field */
	u16 needs; /* VDSO_CPU_* */
	u8 length; /* of the code that is replaced; the rest of it becomes no-operations */
	u8 with;   /* how many bytes of code[] to write there, at most length */
	u8 code[VDSO_ALTERNATIVE_CODE];
};
_Static_assert(sizeof(struct vdso_alternative) == 16, "the assembly in machine.h relies on it");

/*
 * Inline assembly that makes `old` replaceable: its code, followed by any number of
 * VDSO_OR_WITH lines. The labels are numeric because the compiler may inline this often.
 */
#	define VDSO_REPLACEABLE(old) "661:\n\t" old "\n662:\n\t"
#	define VDSO_OR_WITH(feature, new)                                                     \
		".pushsection " VDSO_ALTERNATIVES ", \"a\", @progbits\n\t"                     \
		".balign 4\n\t"                                                                \
		".long 661b - .\n\t"                                                           \
		".short " VDSO_STR(                                                            \
			feature) "\n\t"                                                        \
				 ".byte 662b - 661b, 664f - 663f\n"                            \
				 "663:\n\t" new "\n664:\n\t"                                   \
						".fill " VDSO_STR(                             \
							VDSO_ALTERNATIVE_CODE) " - (664b - "   \
									       "663b), 1, "    \
									       "0\n\t"         \
									       ".popsection\n" \
									       "\t"
#endif

#endif
