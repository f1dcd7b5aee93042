# port.mk - x86-64, for the Makefile. vdso-src/arch/README.md explains each variable.
TRIPLE := x86_64-linux-gnu
EMULATOR := qemu-x86_64 -L /usr/x86_64-linux-gnu
VDSO_PARTS := time random
VDSO_CFLAGS_MACHINE := -m64 -fcf-protection=none
VDSO_OBJS_time := gettime.o getcpu.o
VDSO_OBJS_random := getrandom.o arch/x86_64/chacha.o
VDSO_OBJS_own := own.o
# With both parts no larger than the kernel's own image: 6688 bytes (Linux 6.18). With a function of your
# own, what fits into two pages.
VDSO_BUDGET = $(if $(filter own,$(VDSO_PARTS)),8192,$(if $(filter random,$(VDSO_PARTS)),6784,4096))
