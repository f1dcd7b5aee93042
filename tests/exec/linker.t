#!/usr/bin/perl
# The dynamic linker takes our image for the vDSO: it lists it under its soname, where the
# vector says that it is, and finds a function by name and version, but by no other version.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use RunTest;
use Test::More;

# On x86-64 each is there without the prefix as well.
my @NAMES = map { ("$PREFIX$_", $MACHINE eq 'x86_64' ? $_ : ()) }
    qw(clock_gettime gettimeofday clock_getres getrandom),
    $MACHINE eq 'x86_64' ? qw(time getcpu) : ();
my @WRONG = (
	["${PREFIX}clock_gettime", 'LINUX_2.5'], ['clock_gettime', 'LINUX_9.9'],
	["${PREFIX}gettimeofday", ''],
	["${PREFIX}clock_settime", $NODE], ['LINUX_2.7', 'LINUX_2.7']
);

shows('a program that finds the function with dlsym()', ['date'], program('linker.pie'));

my $p = uvdso('-v', program('linker.pie'), map({ ($_, $NODE) } @NAMES), map { @$_ } @WRONG);
my ($image) = $p->{out} =~ /^image (\w+)$/m;
is_status($p, 0, 'dlopen() has linux-vdso.so.1 already');
is(($p->{err} =~ /^uvdso: .*\bimage +(\w+)-/m)[0], $image, 'the image is where uvdso -v says')
    || diag $p->{err};
is_deeply(
	facts($p->{out})->{object}, ['linux-vdso.so.1, 1 segments, can be unwound'],
	'dl_iterate_phdr() lists it there, under its soname, with one segment and a table to unwind by'
) || diag $p->{out};
like(
	$p->{out}, qr/^found $_\@\Q$NODE\E in linux-vdso\.so\.1 at $image$/m,
	"dlvsym() finds $_ of $NODE, and dladdr() says where"
    )
    || diag $p->{out}
    for @NAMES;
like(
	$p->{out}, qr/^refused \Q$_->[0]\E\@\Q$_->[1]\E: .*undefined symbol/m,
	"dlvsym() refuses $_->[0] of '$_->[1]'"
    )
    || diag $p->{out}
    for @WRONG;

# What ldd(1) does, by way of the dynamic linker itself.
{
	my ($linker) = slurp(program('linker.pie')) =~ m{(/lib[^\0]*/ld-[^\0]*)\0};
	my $p = uvdso('-v', '--', $linker, '--list', program('linker.pie'));
	my ($image) = $p->{err} =~ /^uvdso: .*\bimage +(\w+)-/m;
	is_status($p, 0, 'the dynamic linker can be run as a program');
	like(
		$p->{out}, qr/^\s*linux-vdso\.so\.1 \(0x0*$image\)$/m,
		'... and, as for ldd, lists our vDSO at our address'
	) || diag $p->{out}, $p->{err};
}

done_testing;
