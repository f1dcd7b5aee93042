# port.mk - aarch64, for the Makefile. vdso-src/arch/README.md says what each line is for.
TRIPLE := aarch64-linux-gnu
EMULATOR := qemu-aarch64 -L /usr/aarch64-linux-gnu
VDSO_PARTS := time random signal
# Not x18: the platform's register, a shadow stack's perhaps. No BTI, no PAC: the page makes no
# promise about branches, so the kernel does not guard its code; nor has it to know the CPU.
VDSO_CFLAGS_MACHINE := -mgeneral-regs-only -ffixed-x18 -mcmodel=tiny -mbranch-protection=none
VDSO_OBJS_time := gettime.o
VDSO_OBJS_random := getrandom.o arch/aarch64/chacha.o
VDSO_OBJS_signal := arch/aarch64/sigreturn.o
VDSO_BUDGET = $(if $(filter random,$(VDSO_PARTS)),6144,4096)
