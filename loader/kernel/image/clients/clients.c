/*
 * clients.c - the clients by name, and an image shown to one of them.
 */
#include <stdio.h> /* snprintf */
#include <string.h>

#include "kernel/image/clients/judges.h"
#include "kernel/image/machine.h"

const char *const client_outcomes[NR_CLIENT_OUTCOMES] = {
	[CLIENT_OURS] = "ours",       [CLIENT_FALLS_BACK] = "falls back",
	[CLIENT_REFUSES] = "refuses", [CLIENT_CRASHES] = "crashes",
	[CLIENT_HANGS] = "hangs",     [CLIENT_ABSENT] = "not there",
};

#define C_PROGRAM "a program that asks for the time, compiled here"

/*
 * The machines: musl arch/ARCH/syscall_arch.h (VDSO_CGT_SYM), Go
 * src/runtime/vdso_linux_ARCH.go, rustix src/backend/linux_raw/arch/, bionic
 * libc/private/bionic_vdso.h, abseil (only kernels of x86 export the getcpu() that it asks
 * for), zig lib/std/os/linux/ARCH.zig, CRIU criu/arch/ARCH/include/asm/vdso.h, the selftests'
 * vdso_config.h.
 */
#define ON_MUSL                                                                           \
	" x86-64 x32 i386 arm aarch64 riscv64 riscv32 loongarch64 mips mips64 ppc ppc64 " \
	"s390x "
#define ON_GO     " x86-64 i386 arm aarch64 riscv64 loongarch64 mips64 ppc64 s390x "
#define ON_RUSTIX " x86-64 i386 arm aarch64 riscv64 mips mips64 ppc ppc64 s390x "
#define ON_BIONIC " x86-64 i386 arm aarch64 riscv64 "
#define ON_X86    " x86-64 x32 i386 "
#define ON_ZIG    " x86-64 i386 arm aarch64 riscv64 loongarch64 mips mips64 "
#define ON_CRIU   " x86-64 i386 arm aarch64 riscv64 loongarch64 mips64 ppc64 s390x "
#define ON_LLVM   ON_MUSL " sparc sparc64 "
#define ON_TESTS  ON_MUSL " s390 sparc sparc64 "

const struct client clients[] = {
	{"glibc", "glibc 2.35 to 2.42, dynamic programs; time() as in 2.36",
	 "elf/setup-vdso.h, elf/dl-lookup.c", C_PROGRAM, NULL},
	{"glibc-static", "glibc 2.35 to 2.42, static programs",
	 "elf/setup-vdso.h, csu/libc-start.c", C_PROGRAM, NULL},
	{"glibc-2.43", "glibc since its change of December 2025 (bug 32583)",
	 "elf/setup-vdso.h, commit 9021707ca7", "the same, where the C library is that new",
	 NULL},
	{"musl", "musl, dynamic programs", "src/internal/vdso.c, ldso/dynlink.c", C_PROGRAM,
	 ON_MUSL},
	{"musl-static", "musl, static programs", "src/internal/vdso.c", C_PROGRAM, ON_MUSL},
	{"go", "Go's run time system, since 1.24", "src/runtime/vdso_linux.go", "age-keygen",
	 ON_GO},
	{"rustix", "rustix 1, for Rust programs without a C library",
	 "src/backend/linux_raw/vdso.rs, vdso_wrappers.rs, param/auxv.rs", NULL, ON_RUSTIX},
	{"bionic", "Android's C library, of Android 14", "libc/bionic/vdso.cpp", NULL,
	 ON_BIONIC},
	{"abseil", "abseil, as in Chromium and gRPC: getcpu()",
	 "absl/debugging/internal/elf_mem_image.cc", NULL, ON_X86},
	{"zig", "zig's standard library, of 0.13", "lib/std/os/linux/vdso.zig", NULL, ON_ZIG},
	{"criu", "CRIU, which moves programs to another kernel", "criu/pie/util-vdso.c", NULL,
	 ON_CRIU},
	{"gdb", "gdb: the names of functions", "gdb/symfile-mem.c, bfd/elfcode.h",
	 "gdb, for images in memory", NULL},
	{"libgcc", "libgcc's unwinder: a way back from every instruction",
	 "libgcc/unwind-dw2-fde-dip.c, unwind-dw2.c", "backtrace() after every instruction",
	 NULL},
	{"libunwind", "the unwinder of LLVM 14: the same; later ones differ",
	 "libunwind/src/EHHeaderParser.hpp, DwarfParser.hpp",
	 "the same with libunwind.so.1, where that is installed", ON_LLVM},
	{"selftests", "the kernel's reference parser",
	 "tools/testing/selftests/vDSO/parse_vdso.c", NULL, ON_TESTS},
};

static judge *const judges[] = {
	judge_glibc, judge_glibc_static, judge_glibc_2025, judge_musl,      judge_musl_static,
	judge_go,    judge_rustix,       judge_bionic,     judge_abseil,    judge_zig,
	judge_criu,  judge_gdb,          judge_libgcc,     judge_libunwind, judge_selftest,
};

const unsigned nr_clients = sizeof(clients) / sizeof(clients[0]);
_Static_assert(sizeof(judges) / sizeof(judges[0]) == sizeof(clients) / sizeof(clients[0]),
	       "a client has no judge");

/* What a machine's clients ask for. */
static void set_names(struct look *l)
{
	const struct machine *machine = machine_of(&l->elf);

	l->prefix = "__vdso_";
	l->node = "LINUX_2.6";
	if (!machine)
		return;
	l->node = machine->node;
	for (unsigned i = 0; machine->functions[i]; i++)
		if (!strcmp(machine->functions[i], "__kernel_clock_gettime"))
			l->prefix = "__kernel_";
}

/* No client knows of a vDSO on a machine that has none. */
static bool is_absent(const struct client *client, const struct elf_bytes *elf)
{
	const struct machine *machine = machine_of(elf);
	char name[16];

	if (!machine || !client->where)
		return !machine;
	snprintf(name, sizeof(name), " %s ", machine->name);
	return !strstr(client->where, name);
}

/* Three pages, as ours has them, which lie as far apart as the largest that the machine has. */
static uint64_t data_size(const struct elf_bytes *elf)
{
	const struct machine *machine = machine_of(elf);

	return 3ull * (machine ? machine->largest_page : 4096);
}

bool client_is_run(const struct client *client, const struct image *image)
{
	struct elf_bytes elf = elf_bytes_of(image->bytes, image->size);
	const struct machine *machine = machine_of(&elf);

	return client->tested && machine && !strcmp(machine->name, "x86-64");
}

void client_judge(unsigned number, const struct image *image, struct client_verdict *verdict)
{
	struct look l = {
		.elf = elf_bytes_of(image->bytes, image->size),
		.size = (image->size + 4095) & ~(uint64_t)4095,
		.verdict = verdict,
	};

	*verdict = (struct client_verdict){.outcome = CLIENT_FALLS_BACK};
	l.mask = l.elf.is64 ? UINT64_MAX : UINT32_MAX;
	l.header = elf_header(&l.elf);
	l.data_size = data_size(&l.elf);
	set_names(&l);
	/* Nobody is handed what is not an ELF file: the kernel would not map it. */
	if (!elf_inside(&l.elf, 0, EI_NIDENT) || memcmp(image->bytes, ELFMAG, SELFMAG)) {
		look_end(&l, CLIENT_FALLS_BACK, "elf", "not an ELF file");
		return;
	}
	if (is_absent(&clients[number], &l.elf)) {
		verdict->outcome = CLIENT_ABSENT;
		return;
	}
	judges[number](&l);
	for (char *p = verdict->why; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}
