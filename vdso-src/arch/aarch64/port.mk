# port.mk - aarch64, for the Makefile. vdso-src/arch/README.md explains each variable.
TRIPLE := aarch64-linux-gnu
EMULATOR := qemu-aarch64 -L /usr/aarch64-linux-gnu
VDSO_PARTS := time random signal
# Not x18: it belongs to the platform, perhaps to a shadow stack. No BTI, no PAC: without a
# promise about branches the kernel does not guard the code, and every CPU can run it.
VDSO_CFLAGS_MACHINE := -ffixed-x18 -mcmodel=tiny -mbranch-protection=none
VDSO_OBJS_time := gettime.o
VDSO_OBJS_random := getrandom.o arch/aarch64/chacha.o
VDSO_OBJS_signal := arch/aarch64/sigreturn.o
VDSO_BUDGET = $(if $(filter random,$(VDSO_PARTS)),6144,4096)
