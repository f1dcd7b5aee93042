#!/usr/bin/perl
# nested.t - a `run` inside of a `run`: the offsets of both add up, for every clock.
#
# The inner one measures the kernel's clocks through the outer one's vDSO, whose clocks may be shifted.
# Its own readers fall back to system calls, which are not; so does every fine clock without a counter.
# Two times that differ by the offset were mixed in one program.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use RunTest;
use Test::More;
use Time::HiRes 'time';

my $clocks = program('clocks.pie');
my @outer = map { ('--offset', $_) } 'realtime=+10d', 'monotonic=+1d', 'boottime=+2d', 'tai=+3d';
my %ahead = (
	realtime => 10, 'realtime-coarse' => 10, gettimeofday => 10, time => 10, monotonic => 1,
	'monotonic-coarse' => 1, raw => 1, boottime => 2, tai => 3
);

# How many days each clock is ahead of where it is without any `run`.
sub days {
	my ($what, $more, @command) = @_;
	my $p = uvdso(@command);
	my ($facts, $plain) = (facts($p->{out}), facts(run($clocks)->{out}));
	my @wrong;
	for my $clock (sort keys %ahead) {
		my $days = (($facts->{$clock}[0] // 0) - ($plain->{$clock}[0] // 0)) / 86400;
		my $right = $more->{$clock} // $ahead{$clock};
		push @wrong, "$clock: $days days, not $right" if abs($days - $right) > 1e-3;
	}
	is(join("\n", @wrong), '', $what) or diag($p->{err});
}

days('one run', {}, @outer, $clocks);
days('a run inside of it', {}, @outer, $UVDSO, 'run', $clocks);
days('... without a counter', {}, @outer, $UVDSO, 'run', '--no-counter', $clocks);
days('... both without', {}, '--no-counter', @outer, $UVDSO, 'run', '--no-counter', $clocks);
days(
	'... with offsets of its own', {monotonic => 6, 'monotonic-coarse' => 6, raw => 6}, @outer,
	$UVDSO, 'run', '--offset', 'monotonic=+5d', $clocks
);
days(
	'... which take the outer ones back',
	{map { $_ => 0 } grep { /real|time$|day/ && $_ ne 'boottime' } keys %ahead},
	@outer, $UVDSO, 'run', '--no-counter', '--offset', 'realtime=-10d', $clocks
);

# An outer vDSO of another build, or of --image, is as good: only the kernel's shifts nothing. The
# inner one knows its own by the header, so here is one with another: e_flags, which nobody looks at
# on x86-64.
my $dir = temp_dir();
my $other = "$dir/other.so";
my $image = slurp("$Build::TESTED/" . (POSIX::uname())[4] . "/vdso.so");
substr $image, 48, 1, 'x';
open my $file, '>', $other or die "$other: $!";
print $file $image;
close $file or die "$other: $!";
my @day = ('--no-counter', '--offset', 'realtime=+1d');
my %three = (
	(map { $_ => 0 } keys %ahead),
	map { $_ => 3 } qw(realtime realtime-coarse gettimeofday time)
);
for my $image ([], ['--force', '--image', $other], ['--exec=hand', '--force', '--image', $other]) {
	my @run = ('run', @$image, @day);
	days(
		"three of a day each: @$image", \%three, @run[1 .. $#run], ($UVDSO, @run) x 2,
		$clocks
	);
}

# Less than a second is added up as well.
{
	my $before = time;
	my $p = uvdso(
		'--no-follow', '--offset', 'realtime=+1000.4s', $UVDSO, 'run',
		'--no-counter', $clocks
	);
	my $shown = facts($p->{out})->{realtime}[0] - 1000.4;
	ok(
		$shown > $before - 0.001 && $shown < time + 0.001,
		'part of a second is added up as well'
	) or diag "$shown is not between $before and now", $p->{err};
}
done_testing();
