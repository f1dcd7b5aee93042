/*
 * machine.c - see machine.h.
 *
 * Where it is from: vdso(7); the linker scripts, which have the names and nodes, and the
 * Makefiles, which have the sonames, of each arch/ in the kernel; Kconfig for the page sizes. A
 * function is listed if any kernel has exported it.
 */
#include <elf.h>
#include <string.h>

#include "kernel/image/machine.h"

/* What the elf.h of glibc 2.31 lacks. */
#ifndef EM_CSKY
#	define EM_CSKY 252
#endif

#define KB(n) ((n)*1024u)

const struct machine image_machines[] = {
	{
		EM_X86_64,
		64,
		ELFDATA2LSB,
		"x86-64",
		"linux-vdso.so.1",
		"LINUX_2.6",
		.largest_page = KB(4),
		.asserted = {"__vdso_clock_gettime", "__vdso_getcpu"},
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time",
			      "__vdso_getcpu", "__vdso_clock_getres", "__vdso_getrandom",
			      "__vdso_sgx_enter_enclave",
			      "__vdso_futex_robust_list64_try_unlock",
			      "__vdso_futex_robust_list32_try_unlock"},
	},
	{
		EM_X86_64,
		32,
		ELFDATA2LSB,
		"x32",
		"linux-vdso.so.1",
		"LINUX_2.6",
		.largest_page = KB(4),
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time",
			      "__vdso_getcpu", "__vdso_clock_getres"},
	},
	{
		EM_386,
		32,
		ELFDATA2LSB,
		"i386",
		"linux-gate.so.1",
		"LINUX_2.6",
		"LINUX_2.5",
		.largest_page = KB(4),
		.rel = true,
		.asserted = {"__kernel_vsyscall"},
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time",
			      "__vdso_clock_getres", "__vdso_clock_gettime64",
			      "__vdso_clock_getres_time64", "__vdso_getcpu",
			      "__vdso_futex_robust_list32_try_unlock", "__kernel_vsyscall",
			      "__kernel_sigreturn", "__kernel_rt_sigreturn"},
	},
	{
		EM_ARM,
		32,
		ELFDATANONE,
		"arm",
		"linux-vdso.so.1",
		"LINUX_2.6",
		.largest_page = KB(4),
		.rel = true,
		.thumb = true,
		.no_unwind_table = true,
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday",
			      "__vdso_clock_getres", "__vdso_clock_gettime64",
			      "__vdso_clock_getres_time64", "__kernel_sigreturn_arm",
			      "__kernel_sigreturn_thumb", "__kernel_rt_sigreturn_arm",
			      "__kernel_rt_sigreturn_thumb"},
	},
	{
		EM_AARCH64,
		64,
		ELFDATANONE,
		"aarch64",
		"linux-vdso.so.1",
		"LINUX_2.6.39",
		.largest_page = KB(64),
		.no_unwind_table = true,
		.asserted = {"__kernel_clock_gettime"},
		.functions = {"__kernel_clock_gettime", "__kernel_gettimeofday",
			      "__kernel_clock_getres", "__kernel_getrandom",
			      "__kernel_rt_sigreturn"},
	},
	{
		EM_RISCV,
		64,
		ELFDATA2LSB,
		"riscv64",
		"linux-vdso.so.1",
		"LINUX_4.15",
		.largest_page = KB(4),
		.asserted = {"__vdso_clock_gettime", "__vdso_getcpu"},
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday",
			      "__vdso_clock_getres", "__vdso_getcpu", "__vdso_getrandom",
			      "__vdso_flush_icache", "__vdso_riscv_hwprobe",
			      "__vdso_rt_sigreturn"},
	},
	{
		EM_RISCV,
		32,
		ELFDATA2LSB,
		"riscv32",
		"linux-vdso.so.1",
		"LINUX_4.15",
		.largest_page = KB(4),
		.functions = {"__vdso_clock_gettime64", "__vdso_clock_getres_time64",
			      "__vdso_getcpu", "__vdso_flush_icache", "__vdso_riscv_hwprobe",
			      "__vdso_rt_sigreturn"},
	},
	{
		EM_LOONGARCH,
		64,
		ELFDATA2LSB,
		"loongarch64",
		"linux-vdso.so.1",
		"LINUX_5.10",
		.largest_page = KB(64),
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday",
			      "__vdso_clock_getres", "__vdso_getcpu", "__vdso_getrandom",
			      "__vdso_rt_sigreturn"},
	},
	{
		EM_MIPS,
		32,
		ELFDATANONE,
		"mips",
		"linux-vdso.so.1",
		"LINUX_2.6",
		.largest_page = KB(64),
		.rel = true,
		.thumb = true,
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday",
			      "__vdso_clock_getres", "__vdso_clock_gettime64",
			      "__vdso_clock_getres_time64"},
	},
	{
		EM_MIPS,
		64,
		ELFDATANONE,
		"mips64",
		"linux-vdso.so.1",
		"LINUX_2.6",
		.largest_page = KB(64),
		.rel = true,
		.thumb = true,
		.asserted = {"__vdso_clock_gettime"},
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday",
			      "__vdso_clock_getres"},
	},
	{
		EM_PPC,
		32,
		ELFDATANONE,
		"ppc",
		"linux-vdso32.so.1",
		"LINUX_2.6.15",
		.largest_page = KB(256),
		.asserted = {"__kernel_getcpu"},
		.functions = {"__kernel_clock_gettime", "__kernel_gettimeofday",
			      "__kernel_clock_getres", "__kernel_time",
			      "__kernel_clock_gettime64", "__kernel_clock_getres_time64",
			      "__kernel_getcpu", "__kernel_getrandom", "__kernel_get_tbfreq",
			      "__kernel_get_syscall_map", "__kernel_sync_dicache",
			      "__kernel_sync_dicache_p5", "__kernel_datapage_offset",
			      "__kernel_sigtramp32", "__kernel_sigtramp_rt32"},
	},
	{
		EM_PPC64,
		64,
		ELFDATANONE,
		"ppc64",
		"linux-vdso64.so.1",
		"LINUX_2.6.15",
		.largest_page = KB(256),
		.asserted = {"__kernel_clock_gettime", "__kernel_getcpu"},
		.functions = {"__kernel_clock_gettime", "__kernel_gettimeofday",
			      "__kernel_clock_getres", "__kernel_time", "__kernel_getcpu",
			      "__kernel_getrandom", "__kernel_get_tbfreq",
			      "__kernel_get_syscall_map", "__kernel_sync_dicache",
			      "__kernel_sync_dicache_p5", "__kernel_datapage_offset",
			      "__kernel_sigtramp_rt64"},
	},
	{
		EM_S390,
		64,
		ELFDATA2MSB,
		"s390x",
		"linux-vdso64.so.1",
		"LINUX_2.6.29",
		.largest_page = KB(4),
		.asserted = {"__kernel_clock_gettime", "__kernel_getcpu"},
		.functions = {"__kernel_clock_gettime", "__kernel_gettimeofday",
			      "__kernel_clock_getres", "__kernel_getcpu", "__kernel_getrandom",
			      "__kernel_restart_syscall", "__kernel_sigreturn",
			      "__kernel_rt_sigreturn"},
	},
	{
		EM_S390,
		32,
		ELFDATA2MSB,
		"s390",
		"linux-vdso32.so.1",
		"LINUX_2.6.29",
		.largest_page = KB(4),
		.functions = {"__kernel_clock_gettime", "__kernel_gettimeofday",
			      "__kernel_clock_getres", "__kernel_getcpu",
			      "__kernel_restart_syscall", "__kernel_sigreturn",
			      "__kernel_rt_sigreturn", "__kernel_compat_restart_syscall",
			      "__kernel_compat_sigreturn", "__kernel_compat_rt_sigreturn"},
	},
	{
		EM_PARISC,
		32,
		ELFDATA2MSB,
		"parisc",
		"linux-vdso32.so.1",
		"LINUX_6.11",
		"LINUX_5.18", /* of images with nothing but the sigtramps */
		.largest_page = KB(64),
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday",
			      "__vdso_clock_gettime64", "__kernel_sigtramp_rt32",
			      "__kernel_restart_syscall32"},
	},
	{
		EM_PARISC,
		64,
		ELFDATA2MSB,
		"parisc64",
		"linux-vdso64.so.1",
		"LINUX_6.11",
		"LINUX_5.18",
		.largest_page = KB(64),
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday",
			      "__kernel_sigtramp_rt64", "__kernel_restart_syscall64"},
	},
	{
		EM_SPARCV9,
		64,
		ELFDATA2MSB,
		"sparc64",
		"linux-vdso.so.1",
		"LINUX_2.6",
		.largest_page = KB(8),
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday",
			      "__vdso_clock_getres", "__vdso_clock_gettime_stick",
			      "__vdso_gettimeofday_stick"},
	},
	{
		EM_SPARC,
		32,
		ELFDATA2MSB,
		"sparc",
		"linux-gate.so.1",
		"LINUX_2.6",
		.largest_page = KB(8),
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday",
			      "__vdso_clock_getres", "__vdso_clock_gettime64",
			      "__vdso_clock_gettime_stick", "__vdso_gettimeofday_stick"},
	},
	{
		EM_SH,
		32,
		ELFDATANONE,
		"sh",
		"linux-gate.so.1",
		"LINUX_2.6",
		.largest_page = KB(64),
		.functions = {"__kernel_vsyscall", "__kernel_sigreturn",
			      "__kernel_rt_sigreturn"},
	},
	{
		EM_CSKY,
		32,
		ELFDATA2LSB,
		"csky",
		"linux-vdso.so.1",
		"LINUX_5.10",
		.largest_page = KB(4),
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday",
			      "__vdso_clock_getres", "__vdso_clock_gettime64",
			      "__vdso_rt_sigreturn"},
	},
	{
		EM_NDS32,
		32,
		ELFDATANONE,
		"nds32",
		"linux-vdso.so.1",
		"LINUX_4",
		.largest_page = KB(8),
		.functions = {"__vdso_clock_gettime", "__vdso_gettimeofday",
			      "__vdso_clock_getres", "__kernel_rt_sigreturn"},
	},
	{
		EM_IA_64,
		64,
		ELFDATA2LSB,
		"ia64",
		"linux-gate.so.1",
		"LINUX_2.5",
		.largest_page = KB(64),
		.functions = {"__kernel_syscall_via_break", "__kernel_syscall_via_epc",
			      "__kernel_sigtramp"},
	},
};
const unsigned image_nr_machines = sizeof(image_machines) / sizeof(image_machines[0]);

static const struct {
	uint16_t number;
	uint32_t type;
} segments[] = {
	{EM_RISCV, 0x70000003}, /* PT_RISCV_ATTRIBUTES */
	{EM_MIPS, 0x70000000},  /* PT_MIPS_REGINFO */
	{EM_MIPS, 0x70000002},  /* PT_MIPS_OPTIONS */
	{EM_MIPS, 0x70000003},  /* PT_MIPS_ABIFLAGS */
	{EM_ARM, 0x70000001},   /* PT_ARM_EXIDX */
	{EM_IA_64, 0x70000000}, /* PT_IA_64_ARCHEXT */
	{EM_IA_64, 0x70000001}, /* PT_IA_64_UNWIND */
};

/* From the sources of each; what the kernel alone jumps to, the sigreturns, has no client. */
static const struct {
	const char *plain;
	const char *clients;
} clients[] = {
	{"clock_gettime", "glibc, musl, bionic, Go, rustix and zig"},
	{"clock_gettime64", "glibc, musl and rustix"},
	{"gettimeofday", "glibc, bionic and Go"},
	{"time", "glibc and bionic"},
	{"clock_getres", "glibc and bionic"},
	{"clock_getres_time64", NULL},
	{"getcpu", "glibc, musl, rustix and abseil"},
	{"getrandom", "glibc and Go"},
	{"flush_icache", "glibc and musl"},
	{"riscv_hwprobe", "glibc and bionic"},
	{"vsyscall", "rustix"},
	{"get_tbfreq", "glibc"},
};

const struct machine *machine_of(const struct elf_bytes *elf)
{
	uint16_t number = elf_machine(elf);

	/* 32-bit code that needs a 64-bit processor: the same vDSO. */
	if (number == EM_SPARC32PLUS)
		number = EM_SPARC;
	for (unsigned i = 0; i < image_nr_machines; i++)
		if (image_machines[i].number == number &&
		    image_machines[i].bits == (elf->is64 ? 64 : 32))
			return &image_machines[i];
	return NULL;
}

bool machine_has_function(const struct machine *machine, const char *name)
{
	for (unsigned i = 0; i < MACHINE_FUNCTIONS && machine->functions[i]; i++)
		if (!strcmp(machine->functions[i], name))
			return true;
	return false;
}

bool machine_has_node(const struct machine *machine, const char *node)
{
	return !strcmp(node, machine->node) ||
	       (machine->older_node && !strcmp(node, machine->older_node));
}

bool machine_has_segment(uint16_t number, uint32_t type)
{
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		if (segments[i].number == number && segments[i].type == type)
			return true;
	return false;
}

uint64_t machine_code(const struct machine *machine, uint64_t value)
{
	return machine && machine->thumb ? value & ~(uint64_t)1 : value;
}

const char *machine_plain_name(const char *name)
{
	if (!strncmp(name, "__vdso_", 7))
		return name + 7;
	return !strncmp(name, "__kernel_", 9) ? name + 9 : name;
}

const char *machine_clients(const char *name)
{
	const char *plain = machine_plain_name(name);

	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
		if (!strcmp(clients[i].plain, plain))
			return clients[i].clients;
	return NULL;
}
