# port.mk - i386, for the Makefile. vdso-src/arch/README.md says what each line is for.
TRIPLE := i686-linux-gnu
EMULATOR := qemu-i386
VDSO_PARTS := time signal
# gcc alone aligns the stack for what is not used here, and tells of each atomic u64 that
# gcc 10 laid out otherwise.
NOT_CLANG = $(if $(filter clang%,$(notdir $(CC))),,$(1))
VDSO_CFLAGS_MACHINE = -m32 -march=i686 -mgeneral-regs-only -fcf-protection=none \
	$(call NOT_CLANG,-mpreferred-stack-boundary=2 -Wno-psabi)
VDSO_OBJS_time := gettime.o getcpu.o
VDSO_OBJS_signal := arch/i386/vsyscall.o arch/i386/sigreturn.o
VDSO_SONAME := linux-gate.so.1
# Pairs of registers take more code than one: two pages of memory. The kernel's own image,
# whose clocks know more kinds of counter, has 7576 bytes (Linux 6.18).
VDSO_BUDGET = 5376
# File sizes and times of 64 bits, in the loader as in the kernel.
LOADER_CFLAGS_MACHINE = -m32 -march=i686 -D_FILE_OFFSET_BITS=64 $(call NOT_CLANG,-Wno-psabi)
LOADER_TIME := -D_TIME_BITS=64
