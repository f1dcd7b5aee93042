# port.mk - riscv64, for the Makefile. vdso-src/arch/README.md explains each variable.
TRIPLE := riscv64-linux-gnu
EMULATOR := qemu-riscv64 -L /usr/riscv64-linux-gnu
VDSO_PARTS := time random signal calls
# No relaxation: it shortens code at link time by relocations, which a vDSO must not need.
VDSO_CFLAGS_MACHINE := -march=rv64gc -mabi=lp64d -mcmodel=medany -mno-relax
VDSO_OBJS_time := gettime.o
VDSO_OBJS_random := getrandom.o arch/riscv64/chacha.o
VDSO_OBJS_signal := arch/riscv64/sigreturn.o
VDSO_OBJS_calls := arch/riscv64/calls.o
VDSO_BUDGET = $(if $(filter random,$(VDSO_PARTS)),6656,4096)
