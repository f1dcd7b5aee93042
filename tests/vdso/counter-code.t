#!/usr/bin/perl
# counter-code.t - x86: the counter is read in its turn, read off the machine code.
#
# RDTSC alone may run before the loads that precede it, LFENCE waits for them, and RDTSCP waits by itself.
# A run hardly ever shows it, so the code of the image is read. machine-code does that for the others.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use Test::More;

$ENV{LC_ALL} = 'C';
plan skip_all => 'no objdump' if system 'objdump --version >/dev/null 2>&1';
my @images = grep { -e } map { "$BUILD/$_/vdso.so.dbg" } qw(x86_64 i386);
plan skip_all => 'no image of x86 is built here' if !@images;

for my $image (@images) {
	my ($arch) = $image =~ m{(\w+)/vdso\.so\.dbg$};
	my @code = map { /^ +[0-9a-f]+:\t(\S+)/ ? $1 : () }
	    `objdump -d --no-show-raw-insn @{[quoted($image)]}`;
	my @reads = grep { $code[$_] eq 'rdtsc' } 0 .. $#code;
	cmp_ok(
		scalar @reads, '>=', 2,
		"$arch: the counter is read, for clock_gettime and gettimeofday"
	);
	is(
		join(' ', map { $code[$_ - 1] } @reads),
		join(' ', ('lfence') x @reads),
		"$arch: right before it is what waits for the loads before"
	) or diag('why: a counter from before an update would meet a base from after it');
	open my $file, '<:raw', $image =~ s/\.dbg$//r or BAIL_OUT("$image: $!");
	# As many RDTSCP, the bytes 0f 01 f9; getcpu has another one.
	my $waiting = () = do { local $/; <$file> }
	    =~ /\x0f\x01\xf9/g;
	cmp_ok($waiting, '>=', @reads, "$arch: what takes its place on newer CPUs waits as well");
}
done_testing();
