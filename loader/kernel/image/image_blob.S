/*
 * image_blob.S - the finished page, as it was linked, inside this program.
 * VDSO_IMAGE is the path of the file; the Makefile gives it.
 */
	.section .rodata
	.global vdso_image_start, vdso_image_end
	.hidden vdso_image_start
	.hidden vdso_image_end
	.balign 4096
vdso_image_start:
	.incbin VDSO_IMAGE
vdso_image_end:
	.byte 0

	.section .note.GNU-stack, "", @progbits
