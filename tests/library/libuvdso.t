#!/usr/bin/perl
# libuvdso.t - the library as strangers use it: static, shared, from C++, from a plug-in, by ctypes,
# and beside a program's own functions of any name.
use strict;
use warnings;
use Config;
use Cwd 'getcwd';
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build;

my ($choices) = ($ENV{MAKEFLAGS} // '') =~ /(?:^|\s)-- (.*)/;
my $make = "make -s B=$BUILD " . ($choices // '');
delete @ENV{qw(MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CC LD ARCH B PREFIX DESTDIR)};
$ENV{LC_ALL} = 'C';
my $tmp = tempdir(CLEANUP => 1);
my $in = quoted($tmp);    # for a shell
my $top = getcwd;
my ($arch) = `uname -m` =~ /(\S+)/;
my $cc = (grep { system("command -v $_ >/dev/null") == 0 } qw(gcc cc clang))[0] // 'cc';
# What a sanitizer is in wants it in the program as well.
my $sanitize = $ENV{TEST_SANITIZE} // '';
my $plain_cc = $cc;
$cc .= " $sanitize";

sub slurp {
	my ($path) = @_;
	open my $fh, '<', $path or die "$path: $!\n";
	local $/;
	return scalar <$fh>;
}

sub write_file {
	my ($name, $text) = @_;
	open my $fh, '>', "$tmp/$name" or die "$tmp/$name: $!\n";
	print $fh $text;
	close $fh or die "$tmp/$name: $!\n";
	return "$in/$name";
}

# Status and output of a command, both streams; never longer than a minute.
sub said {
	my ($command) = @_;
	my $out = `{ timeout 60 sh -c @{[quoted($command)]}; } 2>&1`;
	return ($? >> 8) . "<$out>";
}

# ---- the names ----
my @public = slurp('loader/uvdso.h') =~ /^UVDSO_API .*?\b(uvdso_\w+)\(/mg;
@public = sort @public;
cmp_ok(scalar @public, '>=', 6, 'uvdso.h marks what is public');

sub names {
	my ($nm) = @_;
	return join ' ', sort map { /^\S* [A-TV-Z] (?!LIBUVDSO_)(\w+)/ ? $1 : () } split /\n/,
	    `$nm`;
}
is(
	names("nm -g --defined-only $BUILD/libuvdso.a"), "@public",
	'libuvdso.a has these global names and no others'
);
is(
	names("nm -gD --defined-only --without-symbol-versions $BUILD/libuvdso.so"), "@public",
	'... and so has libuvdso.so'
);
my @versioned = `nm -gD --defined-only $BUILD/libuvdso.so` =~ / (uvdso_\w+)\@\@LIBUVDSO_0$/mg;
is(join(' ', sort @versioned), "@public", '... each at the version LIBUVDSO_0');
my $dynamic = `readelf -dW $BUILD/libuvdso.so`;
like($dynamic, qr/\(SONAME\).*\[libuvdso\.so\.0\]/, 'its soname is libuvdso.so.0');
unlike($dynamic, qr/TEXTREL/, 'it is position-independent: no text relocation');
unlike(
	`nm -u $BUILD/libuvdso.a; nm -D $BUILD/libuvdso.so`,
	qr/\b(?:printf|fprintf|puts|fputs|fwrite|putchar|stdout|stderr|exit|abort)(?:\@|\s)/,
	'it neither prints nor ends its caller'
);

# ---- installed, with pkg-config ----
my $dest = "$tmp/a stage";
is(system("$make install DESTDIR=$in/a\\ stage PREFIX=/opt/x"), 0, 'it is installed');
my $lib = "$dest/opt/x/lib";
is(
	readlink "$lib/libuvdso.so", 'libuvdso.so.0',
	'the link that the linker follows leads to the soname'
);
SKIP: {
	skip 'pkg-config is not installed', 3 if system 'command -v pkg-config >/dev/null';
	local $ENV{PKG_CONFIG_PATH} = "$tmp/stage/opt/x/lib/pkgconfig";
	symlink $dest, "$tmp/stage" or die;
	my ($line) = slurp('loader/examples/clock.c') =~ /^ \*\tcc (.*) -o clock && /m;
	$line =~ s{clock\.c}{quoted("$top/loader/examples/clock.c")}e;
	is(
		said("cd $in && $cc $line -o clock"), '0<>',
		'the example is built by the one line that it shows'
	);
	local $ENV{LD_LIBRARY_PATH} = "$tmp/stage/opt/x/lib";
	like(
		said("$in/clock"),
		qr/\A0<now +\S+ \S+ UTC, .*\nin a thousand days +\S+ \S+ UTC, .*\n>\z/,
		'and runs on the shared library'
	);
	is(
		said('pkg-config --modversion libuvdso'),
		'0<' . (`$BUILD/uvdso --version` =~ /([\d.]+)$/)[0] . "\n>",
		'pkg-config and the command name one version'
	);
}

# ---- other languages, other names ----
my $client = <<'END';
#include <stdio.h>
#include <uvdso.h>
const char *address(int i) { return i ? "mine" : ""; }
int broken(int x) { return x; }
int page_round(int x) { return x; }
int supervise(void) { return 1; }
int main(void)
{
	struct uvdso *vdso;
	char why[256];
	if (uvdso_boot(&vdso, NULL, why, sizeof(why)))
		return printf("%s\n", why), 1;
	uvdso_shutdown(vdso);
	return printf("%s %d\n", address(1), broken(2) + page_round(3) + supervise()) < 0;
}
END
my $c = write_file('client.c', $client);
my $cxx = write_file('client.cc', $client);
for (
	['a static library', "$BUILD/libuvdso.a"],
	['the shared one', "$BUILD/libuvdso.so -Wl,-rpath,$in/a\\ stage/opt/x/lib"]
    )
{
	my ($what, $link) = @$_;
	is(
		said("$cc -Wall -Wextra -Werror -Iloader $c $link -o $in/client && $in/client"),
		"0<mine 6\n>", "a program with an address() of its own links with $what"
	);
}
SKIP: {
	my ($compiler) = grep { !system "command -v $_ >/dev/null" } qw(g++ clang++);
	skip 'no C++ compiler', 1 unless $compiler;
	is(
		said(
			"$compiler $sanitize -Wall -Wextra -Werror -std=c++11 -Iloader $cxx $BUILD/libuvdso.a -o $in/client && $in/client"
		),
		"0<mine 6\n>",
		'uvdso.h is for C++ as well'
	);
}
is(
	said(
		"$cc -std=c99 -pedantic -Wall -Wextra -Werror -fsyntax-only -Iloader -include uvdso.h -x c /dev/null"
	),
	'0<>',
	'and for strict C99'
);

# Two processes are made. Where one of them cannot be, nothing is given out and nothing is left.
my $deny = write_file('deny.c', <<'END');
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
/* As libc's, it takes six words whatever was given, which a sanitizer in it would not stand. */
long syscall(long number, ...)
{
	static int clones;
	long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long a[6];
	va_list list;
	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_clone && ++clones == atoi(getenv("DENY"))) {
		errno = EAGAIN;
		return -1;
	}
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
END
said(
	"$plain_cc -shared -fPIC -D_GNU_SOURCE $deny -o $in/deny.so && $cc -Iloader $c $BUILD/libuvdso.a -o $in/client"
);
is(
	said("cd $in && DENY=1 LD_PRELOAD=./deny.so ./client"),
	"1<timekeeper: clone(2): Resource temporarily unavailable\n>",
	'a timekeeper that cannot be made is an error of uvdso_boot(), with its reason'
);
is(
	said("cd $in && DENY=2 LD_PRELOAD=./deny.so ./client"),
	"1<watchdog: clone(2): Resource temporarily unavailable\n>",
	'so is a watchdog'
);

my $plugin = write_file('plugin.c', <<'END');
#include <uvdso.h>
int plugin(void);
int plugin(void)
{
	struct uvdso *vdso;
	char why[64];
	if (uvdso_boot(&vdso, NULL, why, sizeof(why)))
		return 0;
	uvdso_shutdown(vdso);
	return 42;
}
END
my $host = write_file('host.c', <<'END');
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	for (int i = 0; i < 3 && argc > 1; i++) {
		void *handle = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
		int (*plugin)(void) = handle ? (int (*)(void))dlsym(handle, "plugin") : 0;
		printf("%d\n", plugin ? plugin() : -1);
		if (handle)
			dlclose(handle);
	}
	return 0;
}
END
is(
	said(
		"$cc -shared -fPIC -Iloader $plugin $BUILD/libuvdso.a -o $in/plugin.so && $cc $host -o $in/host -ldl && $in/host $in/plugin.so"
	),
	"0<42\n42\n42\n>",
	'a plug-in has the static library inside, and can be loaded again and again'
);
SKIP: {
	skip 'python3 is not installed', 1 if system 'command -v python3 >/dev/null';
	skip 'python3 has no sanitizer in it, and the library has', 1 if $sanitize;
	my ($ours, $kernels) = said("python3 loader/examples/clock.py $BUILD/libuvdso.so") =~
	    /our vDSO ([\d.]+), .* ([\d.]+)\n>\z/;
	ok(
		defined $kernels && abs($ours - $kernels) < 1,
		"by ctypes, too: Python's example shows both clocks within a second of each other"
	) || diag "got ours @{[$ours // 'nothing']}, the kernel's @{[$kernels // 'nothing']}";
}

done_testing;
