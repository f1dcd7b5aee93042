# port.mk - x86-64, for the Makefile. vdso-src/arch/README.md says what each line is for.
TRIPLE := x86_64-linux-gnu
EMULATOR := qemu-x86_64
PAGE_PARTS := time random
PAGE_CFLAGS_MACHINE := -m64 -mgeneral-regs-only -fcf-protection=none
PAGE_OBJS_time := gettime.o getcpu.o
PAGE_OBJS_random := getrandom.o arch/x86_64/chacha.o
# For both the kernel's own image is the measure: 6688 bytes (Linux 6.18).
PAGE_BUDGET = $(if $(filter random,$(PAGE_PARTS)),6656,4096)
