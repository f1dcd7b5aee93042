# port.mk - i386, for the Makefile. vdso-src/arch/README.md explains each variable.
TRIPLE := i686-linux-gnu
EMULATOR := qemu-i386 -L /usr/i686-linux-gnu
VDSO_PARTS := time signal
# Only gcc aligns the stack for vectors, which are not used here, and only gcc reports each
# atomic u64 whose layout gcc 10 changed.
NOT_CLANG = $(if $(filter clang%,$(notdir $(CC))),,$(1))
VDSO_CFLAGS_MACHINE = -m32 -march=i686 -fcf-protection=none \
	$(call NOT_CLANG,-mpreferred-stack-boundary=2 -Wno-psabi)
VDSO_OBJS_time := gettime.o getcpu.o
VDSO_OBJS_signal := arch/i386/vsyscall.o arch/i386/sigreturn.o
VDSO_SONAME := linux-gate.so.1
# Pairs of registers need more code than single ones: two pages. The kernel's own image, whose
# clocks support more kinds of counter, has 7576 bytes (Linux 6.18).
VDSO_BUDGET = 5504
# 64-bit file sizes and times, in the loader as in the kernel.
LOADER_CFLAGS_MACHINE = -m32 -march=i686 -D_FILE_OFFSET_BITS=64 $(call NOT_CLANG,-Wno-psabi)
LOADER_TIME := -D_TIME_BITS=64
