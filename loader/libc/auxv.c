/*
 * auxv.c - finding the vDSO: the first step of the C library's part. See auxv.h.
 *
 * The kernel does not say where the vector is, only where the stack is; the vector
 * begins where the environment ends. That is why a C library keeps the address of its
 * first stack pointer, or walks the stack once and keeps the result (getauxval()).
 */
#include <stddef.h>
#include <stdint.h>

#include "auxv.h"

/* course: begin 04-auxv */
const ElfW(auxv_t) * vdso_auxv_find(const ElfW(auxv_t) * auxv, unsigned long type)
{
	for (; auxv->a_type != AT_NULL; auxv++)
		if (auxv->a_type == type)
			return auxv;
	return NULL;
}

const ElfW(auxv_t) * vdso_auxv_from_stack(const void *sp)
{
	/* Every slot of the stack is as wide as a pointer, argc too. */
	const uintptr_t *slot = sp;
	uintptr_t argc = *slot++;

	slot += argc + 1; /* argv and its NULL; argv[i] may be NULL only at its end */
	while (*slot)     /* envp has no count: it is as long as it is */
		slot++;
	return (const void *)(slot + 1);
}
/* course: end 04-auxv */

const void *vdso_auxv_ehdr(const ElfW(auxv_t) * auxv)
{
	const ElfW(auxv_t) *entry = vdso_auxv_find(auxv, AT_SYSINFO_EHDR);

	return entry ? (const void *)(uintptr_t)entry->a_un.a_val : NULL;
}
