/*
 * version.h - the version of uvdso: of the command, the library and the manual page.
 *
 * This is the only place that says it. The manual page repeats it in its footer, and
 * tests/cli/words.t compares the two.
 */
#ifndef UVDSO_VERSION_H
#define UVDSO_VERSION_H

#define UVDSO_VERSION "0.1.0"

#endif
