#!/usr/bin/perl
# A signal may interrupt a program in the middle of the vDSO. From whatever instruction,
# backtrace() in the handler leads to main(), and so does an exception that it throws.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my @CALLS =
    qw(realtime monotonic raw boottime tai realtime-coarse monotonic-coarse cputime no-clock getres
    getres-coarse getres-no-clock gettimeofday gettimeofday-zone time time-null getcpu);
my %says = (
	backtrace => 'backtrace() finds main(), with the registers that its callee must keep',
	throw => 'a C++ exception reaches its handler'
);

# Each of these goes through the vDSO on ways of its own.
my @ways = (
	['our vDSO'], ['a shifted vDSO', '--offset', 'realtime=+1d', '--offset', 'monotonic=+1d'],
	['a vDSO without a counter', '--no-counter']
);

# Made by a C++ compiler, which the one who built this may not have for this machine.
if (my $missing = missing(program('unwind.pie'))) {
	plan skip_all => $missing;
}
for my $kind (qw(pie static)) {
	for my $how (qw(backtrace throw)) {
		for my $way (@ways) {
			my ($page, @options) = @$way;
			my $p = uvdso(@options, program("unwind.$kind"), $how);
			my $facts = facts($p->{out});
			my @bad = grep { ($facts->{$_}[0] // '') !~ /^[1-9]\d* lost 0$/ } @CALLS;

			is_status($p, 0, "$kind: on $page the program comes to its end ($how)");
			ok(!@bad, "... and from every instruction of every function $says{$how}")
			    || diag "not for @bad:\n$p->{out}";
			next if $kind ne 'pie' || @options;
			SKIP: {
				# Only where there is memory for states (MAP_DROPPABLE).
				skip 'this kernel has no MAP_DROPPABLE', 1
				    if ($facts->{getrandom}[0] // '') =~ /no memory/;
				like(
					$facts->{getrandom}[0] // 'nothing', qr/^[1-9]\d+ lost 0$/,
					"... so it is in getrandom and its cipher ($how)"
				);
			}
		}
	}
}

done_testing;
