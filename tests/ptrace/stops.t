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

# The least and the most of some tries: who waits for a page of a file, or for a CPU, stops once more.
sub stops {
	my (%least, %most);
	for (1 .. 4) {
		my $p = run(@_, program('toll.pie'));
		is($p->{status}, 0, "it runs: @_") or diag $p->{err};
		my %stops = $p->{out} =~ /^(\w+) (\d+)$/mg;
		for (keys %stops) {
			$least{$_} = $stops{$_} if $stops{$_} < ($least{$_} // 1000);
			$most{$_} = $stops{$_} if $stops{$_} > ($most{$_} // -1);
		}
	}
	return (\%least, \%most);
}

my ($plain_least, $plain_most) = stops();
my ($least, $most) = stops($UVDSO, 'run', '--follow', '--');

# It begins, it has been started, and it has two sockets. On other machines each call stops twice.
my %allowed = (program => $MACHINE eq 'x86_64' ? 3 : 40, child => 1, signal => 1);
for my $what (sort keys %allowed) {
	my $fewest = ($least->{$what} // 1000) - ($plain_most->{$what} // 0);
	my $highest = ($most->{$what} // 0) - ($plain_least->{$what} // 1000);
	cmp_ok($fewest, '<=', $allowed{$what}, "the stops of a $what: $allowed{$what} at most");
	cmp_ok($highest, '>=', 1, '... and control: they are counted');
}
done_testing;
