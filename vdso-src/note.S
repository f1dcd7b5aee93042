/*
 * note.S - the note that says which version of Linux this image stands for.
 *
 * Owner "Linux", type 0, four bytes: the kernel version as LINUX_VERSION_CODE has it. Every
 * kernel's vDSO has had it since 2.6; older C libraries read it at start and refused a kernel
 * that was too old for them. We say 6.1, the kernel of Debian 12, on any kernel: the same
 * source must give the same bytes everywhere.
 *
 * The linker puts a second note next to it, the build id.
 */
	.section .note.Linux, "a", @note
	.balign 4
	.long 2f - 1f			/* size of the owner, with its NUL */
	.long 4f - 3f			/* size of the descriptor */
	.long 0				/* type: the version of the kernel */
1:	.asciz "Linux"
2:	.balign 4
3:	.long (6 << 16) + (1 << 8) + 0
4:	.balign 4

	.section .note.GNU-stack, "", @progbits
