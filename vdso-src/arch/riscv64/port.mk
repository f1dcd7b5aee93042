# port.mk - riscv64, for the Makefile. vdso-src/arch/README.md says what each line is for.
TRIPLE := riscv64-linux-gnu
EMULATOR := qemu-riscv64 -L /usr/riscv64-linux-gnu
PAGE_PARTS := time random signal calls
# No relaxation: it shortens code at link time, by relocations that a page can do without.
PAGE_CFLAGS_MACHINE := -march=rv64gc -mabi=lp64d -mcmodel=medany -mno-relax
PAGE_OBJS_time := gettime.o
PAGE_OBJS_random := getrandom.o arch/riscv64/chacha.o
PAGE_OBJS_signal := arch/riscv64/sigreturn.o
PAGE_OBJS_calls := arch/riscv64/calls.o
PAGE_BUDGET = $(if $(filter random,$(PAGE_PARTS)),6656,4096)
