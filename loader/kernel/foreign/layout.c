/*
 * layout.c - see layout.h. Found by reading, and each row by `uvdso run` on an image that has
 * it.
 */
#include <elf.h>

#include "kernel/foreign/layout.h"

#define RELEASE(major, minor) ((major) << 16 | (minor) << 8)
#define NEWER                 UINT32_MAX

/* NOLINTBEGIN(bugprone-macro-parentheses): their parameters are initializers */
#define PAGES(n, t, ns, r)     .pages = n, .time = t, .timens = ns, .rng = r, .machines = -1
#define MORE_PAGES(n)          .pages = n, .time = 0, .timens = 1, .rng = 2, .machines = 3
#define AT(in_time, in_rng)    .data = in_time, .rng_data = in_rng
#define PLAIN(bytes, zone)     .size = bytes, .tz = zone, .res = (zone) + 8
#define WITH_MAX(bytes, zone)  PLAIN(bytes, zone), .max_cycles = true
#define RELEASES(from, before) .since = from, .until = before

/* x86: 64- and 32-bit images read the same pages. */
#define X86(em)                                                                              \
	{.name = "6.17 and later",                                                           \
	 .machine = em,                                                                      \
	 RELEASES(RELEASE(6, 17), NEWER),                                                    \
	 PAGES(6, 0, 1, 2),                                                                  \
	 AT(0, 0),                                                                           \
	 WITH_MAX(232, 2320)},                                                               \
		{.name = "6.15 to 6.16",                                                     \
		 .machine = em,                                                              \
		 RELEASES(RELEASE(6, 15), RELEASE(6, 17)),                                   \
		 PAGES(6, 0, 1, 2),                                                          \
		 AT(0, 0),                                                                   \
		 WITH_MAX(232, 464)},                                                        \
		{.name = "6.13 to 6.14",                                                     \
		 .machine = em,                                                              \
		 RELEASES(RELEASE(6, 13), RELEASE(6, 15)),                                   \
		 PAGES(4, 0, 1, 0),                                                          \
		 AT(0, 640),                                                                 \
		 WITH_MAX(248, 232)},                                                        \
		{.name = "6.10 to 6.12",                                                     \
		 .machine = em,                                                              \
		 RELEASES(RELEASE(6, 10), RELEASE(6, 13)),                                   \
		 PAGES(4, 0, 3, 0),                                                          \
		 AT(128, 640),                                                               \
		 WITH_MAX(248, 232)},                                                        \
		{.name = "5.6 to 6.9",                                                       \
		 .machine = em,                                                              \
		 RELEASES(RELEASE(5, 6), RELEASE(6, 10)),                                    \
		 PAGES(4, 0, 3, -1),                                                         \
		 AT(128, 0),                                                                 \
		 PLAIN(240, 224)},                                                           \
	{                                                                                    \
		.name = "5.3 to 5.5", .machine = em, RELEASES(RELEASE(5, 3), RELEASE(5, 6)), \
		PAGES(3, 0, -1, -1), AT(128, 0), PLAIN(240, 224)                             \
	}

/* The others have their clocks' structure without max_cycles, and no gap before the data. */
#define SINCE_6_15(em)                                                             \
	{.name = "6.17 and later",                                                 \
	 .machine = em,                                                            \
	 RELEASES(RELEASE(6, 17), NEWER),                                          \
	 MORE_PAGES(4),                                                            \
	 AT(0, 0),                                                                 \
	 PLAIN(224, 2240)},                                                        \
	{                                                                          \
		.name = "6.15 to 6.16", .machine = em,                             \
		RELEASES(RELEASE(6, 15), RELEASE(6, 17)), MORE_PAGES(4), AT(0, 0), \
		PLAIN(224, 448)                                                    \
	}

#define ARM64                                                                          \
	{.name = "6.12 to 6.14",                                                       \
	 .machine = EM_AARCH64,                                                        \
	 RELEASES(RELEASE(6, 12), RELEASE(6, 15)),                                     \
	 PAGES(2, 0, 1, 0),                                                            \
	 AT(0, 480),                                                                   \
	 PLAIN(240, 224)},                                                             \
	{                                                                              \
		.name = "5.9 to 6.11", .machine = EM_AARCH64,                          \
		RELEASES(RELEASE(5, 9), RELEASE(6, 12)), PAGES(2, 0, 1, -1), AT(0, 0), \
		PLAIN(240, 224)                                                        \
	}

/*
 * Its structure ends with what riscv_hwprobe() reads, which has grown from 6.4 on: between
 * those two rows with each release. Before 5.15 the data page is after the image.
 */
#define RISCV                                                                          \
	{.name = "6.12",                                                               \
	 .machine = EM_RISCV,                                                          \
	 RELEASES(RELEASE(6, 12), RELEASE(6, 13)),                                     \
	 PAGES(2, 0, 1, -1),                                                           \
	 AT(0, 0),                                                                     \
	 PLAIN(328, 224)},                                                             \
	{                                                                              \
		.name = "5.15 to 6.3", .machine = EM_RISCV,                            \
		RELEASES(RELEASE(5, 15), RELEASE(6, 4)), PAGES(2, 0, 1, -1), AT(0, 0), \
		PLAIN(240, 224)                                                        \
	}

/* NOLINTEND(bugprone-macro-parentheses): the rows themselves */

/* clang-format off */
const struct foreign_layout foreign_layouts[FOREIGN_LAYOUTS] = {
	X86(EM_X86_64),
	X86(EM_386),
	SINCE_6_15(EM_AARCH64),
	ARM64,
	SINCE_6_15(EM_RISCV),
	RISCV,
	{.name = NULL},
};
/* clang-format on */

const struct foreign_layout *foreign_layout_of(unsigned machine, u32 version)
{
	for (const struct foreign_layout *l = foreign_layouts; l->name; l++)
		if (l->machine == machine && l->since <= version && version < l->until)
			return l;
	return NULL;
}
