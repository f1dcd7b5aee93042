#!/usr/bin/perl
# run.t - unmodified programs on the running kernel's own image, with data pages of ours.
#
# images.c asks such images themselves; here they are in the programs of `uvdso run` and `trace`.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use Elf;
use RunTest;
use Test::More;
use Time::HiRes 'clock_gettime';

my $dir = temp_dir();
my $clocks = program('clocks.pie');
my $dump = run($UVDSO, 'dump', '-o', "$dir/kernel");
plan(skip_all => 'the kernel has given us no vDSO') if $dump->{status};

# Clocks that are not ahead by their part of where they are without any `run`, in seconds.
sub wrong {
	my ($p, $part) = @_;
	my ($facts, $plain) = (facts($p->{out}), facts(run($clocks)->{out}));
	my @wrong = $p->{status} ? "status $p->{status}" : ();
	for my $clock (sort keys %$plain) {
		next if $clock =~ /cpu|pid/ || $plain->{$clock}[0] !~ /^\d/;
		my $ahead = ($facts->{$clock}[0] // 0) - $plain->{$clock}[0];
		my $right = $part->{$clock} // 0;
		push @wrong, "$clock: $ahead s, not $right" if abs($ahead - $right) > 20;
	}
	return @wrong;
}

sub ahead {
	my ($what, $part, @command) = @_;
	my $p = run(@command);
	is(join("\n", wrong($p, $part)), '', $what) or diag($p->{err});
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

# Fractions, also of the clocks that a kernel has no offsets for.
{
	my %id = (
		realtime => 0, gettimeofday => 0, 'realtime-coarse' => 0, tai => 11,
		monotonic => 1, 'monotonic-coarse' => 1, boottime => 7
	);
	my %by = (map({ $_ => 0.7 } keys %id), tai => -0.7);
	my @offset = map { ('--offset', "$_=+0.7") } qw(realtime monotonic boottime);
	my %before = map { $_ => clock_gettime($id{$_}) } keys %id;
	my $f = facts(
		run(
			$UVDSO, 'run', '--no-follow', @offset, '--offset', 'tai=-0.7', @kernel,
			$clocks
		)->{out}
	);
	my @wrong = grep {
		my $shown = ($f->{$_}[0] // 0) - $by{$_};
	       # A coarse clock may be as old as its last update, and gettimeofday has microseconds.
		my $old = /coarse/ ? 0.3 : 2e-6;
		$shown < $before{$_} - $old || $shown > clock_gettime($id{$_});
	} sort keys %id;
	is("@wrong", '', 'shifted by parts of a second');

	my $at = 1898553600;
	$f = facts(run($UVDSO, 'run', @kernel, '--at', "\@$at", $clocks)->{out});
	my @early =
	    grep { ($f->{$_}[0] // 0) < $at } qw(realtime realtime-coarse gettimeofday time);
	is("@early", '', '--at does not begin before its moment');

	# The seconds of time() turn when those of REALTIME do.
	my $turns = <<'END';
use Time::HiRes qw(clock_gettime sleep);
for (1 .. 6) {
	my ($coarse, $time, $real) = (clock_gettime(5), time, clock_gettime(0));
	print "$coarse $time $real\n" if $time < int($coarse) || $time > int($real);
	sleep 0.17;
}
END
	my $p = run($UVDSO, 'run', @kernel, '--offset', 'realtime=+0.5', $^X, '-e', $turns);
	is($p->{out}, '', '... and time() has the seconds of REALTIME') or diag($p->{err});
}

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

# An image of a changed kernel: one instruction looks elsewhere, where the next field or page is. It is
# refused, or nothing that programs see has changed.
SKIP: {
	skip('their instructions are not known here', 1) if $Build::MACHINE ne 'x86_64';
	my $elf = Elf->new(slurp("$dir/kernel"));
	my $text = $elf->section('.text');
	my (@looks, @wrong, $refused);
	for my $at ($text->{offset} .. $text->{offset} + $text->{size} - 5) {
		my ($modrm, $distance) = unpack 'C l<', substr $elf->{bytes}, $at - 1, 5;
		# ModRM: relative to the next instruction.
		push @looks, $at
		    if ($modrm & 0xc7) == 5
		    && $at + 4 + $distance < 0
		    && $at + 4 + $distance >= -16 * 4096;
	}
	my $day = int(time / 86400);
	for my $i (1 .. 10) {
		my $at = $looks[($day * 10 + $i) % @looks];
		my $away = $i % 2 ? 8 : 4096;
		my $bytes = $elf->{bytes};
		substr($bytes, $at, 4) = pack 'l<', unpack('l<', substr $bytes, $at, 4) + $away;
		open my $file, '>:raw', "$dir/changed" or BAIL_OUT("$dir: $!");
		print $file $bytes;
		close $file;
		for my $in ({}, \%shifted) {
			my $p = run(
				$UVDSO, 'run', %$in ? @offsets : (), '--image', "$dir/changed",
				$clocks
			);
			$refused += my $no = $p->{status} == 126;
			push @wrong, map { sprintf '%#x by %d: %s', $at, $away, $_ } wrong($p, $in)
			    if !$no;
		}
	}
	is(join("\n", @wrong), '', 'a changed image is refused, or programs see no change');
	note(($refused // 0) . ' of 20 refused, of ' . @looks . ' instructions');
}
done_testing();
