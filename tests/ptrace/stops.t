#!/usr/bin/perl
# stops.t - how often --follow stops a program, a child and a signal on their way.
#
# That is what it costs, and what `make bench` measures in microseconds. A busy machine makes each stop
# longer, and never one more.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use RunTest;
use Test::More;

sub stops {
	my $p = run(@_, program('toll.pie'));
	is($p->{status}, 0, "it runs: @_") or diag $p->{err};
	return $p->{out} =~ /^(\w+) (\d+)$/mg;
}

my %plain = stops();
my %followed = stops($UVDSO, 'run', '--follow', '--');

# It begins, it has been started, and it has two sockets. On other machines each call stops twice.
my %most = (program => $MACHINE eq 'x86_64' ? 3 : 40, child => 1, signal => 1);
for my $what (sort keys %most) {
	my $stops = ($followed{$what} // 1000) - ($plain{$what} // 0);
	cmp_ok($stops, '<=', $most{$what}, "the stops of a $what: $most{$what} at most");
	cmp_ok($stops, '>=', 1, '... and control: they are counted');
}
done_testing;
