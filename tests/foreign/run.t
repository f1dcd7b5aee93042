#!/usr/bin/perl
# run.t - unmodified programs on the running kernel's own image, with data pages of ours.
#
# images.c asks such images themselves; here they are in the programs of `uvdso run` and `trace`.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use RunTest;
use Test::More;

my $dir = temp_dir();
my $clocks = program('clocks.pie');
my $dump = run($UVDSO, 'dump', '-o', "$dir/kernel");
plan(skip_all => 'the kernel has given us no vDSO') if $dump->{status};

# By how much each clock is ahead of where it is without any `run`, in seconds, if not by its part.
sub ahead {
	my ($what, $part, @command) = @_;
	my $p = run(@command);
	my ($facts, $plain) = (facts($p->{out}), facts(run($clocks)->{out}));
	my @wrong = $p->{status} ? "status $p->{status}" : ();
	for my $clock (sort keys %$plain) {
		next if $clock =~ /cpu|pid/ || $plain->{$clock}[0] !~ /^\d/;
		my $ahead = ($facts->{$clock}[0] // 0) - $plain->{$clock}[0];
		my $right = $part->{$clock} // 0;
		push @wrong, "$clock: $ahead s, not $right" if abs($ahead - $right) > 20;
	}
	is(join("\n", @wrong), '', $what) or diag($p->{err});
	return $p;
}

plan skip_all => no_counter() if no_counter();
my @kernel = ('--image', 'kernel');
ahead('started by the kernel', {}, $UVDSO, 'run', '--exec=kernel', @kernel, $clocks);
ahead('started by hand', {}, $UVDSO, 'run', '--exec=hand', @kernel, $clocks);
ahead('a whole tree', {}, $UVDSO, 'run', '--follow', @kernel, 'sh', '-c', '"$0"; exit', $clocks);
ahead('from a file of that name', {}, $UVDSO, 'run', '--image', "$dir/kernel", $clocks);
chdir $dir or BAIL_OUT("$dir: $!");
ahead('... which ./ tells from the word', {}, $UVDSO, 'run', '--image', './kernel', $clocks);
chdir "$FindBin::Bin/../.." or BAIL_OUT("$FindBin::Bin: $!");
ahead('without a counter', {}, $UVDSO, 'run', '--no-counter', @kernel, $clocks);

my %day = map { $_ => 86400 } qw(realtime realtime-coarse gettimeofday time);
my %thousand = map { $_ => 1000 } qw(monotonic monotonic-coarse raw);
my @offsets = map { ('--offset', $_) } 'realtime=+1d', 'monotonic=+1000', 'boottime=+5000',
    'tai=-1h';
my %shifted = (%day, %thousand, boottime => 5000, tai => -3600);
ahead('shifted', \%shifted, $UVDSO, 'run', @offsets, @kernel, $clocks);
ahead(
	'... and our image inside of that', \%shifted, $UVDSO, 'run', '--follow', @offsets,
	@kernel, $UVDSO,
	'run', $clocks
);
ahead(
	'... and the other way round', \%shifted, $UVDSO, 'run', @offsets, $UVDSO, 'run', '--image',
	"$dir/kernel", $clocks
);

SKIP: {
	my @unshare = ('unshare', '-T', '--monotonic', '1000', '--boottime', '5000');
	skip('no time namespace can be made here', 1) if run(@unshare, 'true')->{status};
	ahead(
		"in a time namespace of the kernel's",
		{%thousand, boottime => 5000},
		$UVDSO, 'run', '--follow', @kernel, @unshare, $clocks
	);
}

my $p = uvdso('-v', @kernel, 'true');
like(
	$p->{err}, qr/^uvdso: image    reads the data pages of Linux \d+\.\d+ (?:to|and)/m,
	'-v says which data pages it reads'
);

SKIP: {
	skip('trace does not work here', 2) if run($UVDSO, 'trace', 'true')->{status};
	my $p = run($UVDSO, 'trace', @kernel, $clocks);
	like($p->{err}, qr/^    __vdso_clock_gettime +yes +[1-9]/m, 'trace counts its calls');
	unlike(
		$p->{err},
		qr/^    clock_gettime\(CLOCK_(?:REALTIME|MONOTONIC|BOOTTIME|TAI)\w*\) +[1-9]/m,
		'... and it makes no system call for any clock'
	) or diag($p->{err});
}
done_testing();
