#!/usr/bin/perl
# Every kind of program runs on the vDSO: with an offset, which only our vDSO can give it,
# it shows the shifted time; without one it shows the time.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;
use Time::HiRes 'time';

my @REAL = qw(realtime realtime-coarse gettimeofday time);

shows('a position-independent program (glibc)', \@REAL, program('clocks.pie'));
shows('a program with fixed addresses (glibc)', \@REAL, program('clocks.nopie'));
shows('a static program (glibc)', \@REAL, program('clocks.static'));
shows('a static position-independent program (glibc)', \@REAL, program('clocks.static-pie'));
shows('a program with an executable stack (glibc)', \@REAL, program('clocks.execstack'));
shows('a dynamic program (musl)', \@REAL, program('clocks.musl'));
shows('a static program (musl)', \@REAL, program('clocks.musl-static'));

shows('date', ['date'], '/bin/date', '+date %s.%N');
shows(
	'bash', [qw(epoch realtime printf)], '/bin/bash', '-c',
	'printf "epoch %s\nrealtime %s\nprintf %(%s)T\n" $EPOCHSECONDS $EPOCHREALTIME -1'
);
shows(
	'perl', [qw(time hires)], '/usr/bin/perl', '-MTime::HiRes', '-e',
	'printf "time %d\nhires %f\n", time, Time::HiRes::time'
);
shows('python3', [qw(time ns datetime thread)], '/usr/bin/python3', '-c', <<'PYTHON');
import datetime, threading, time
print("time", time.time())
print("ns", time.time_ns() / 1e9)
print("datetime", datetime.datetime.now().timestamp())
thread = threading.Thread(target=lambda: print("thread", time.time()))
thread.start()
thread.join()
PYTHON

# Each clock can be shifted by itself.
{
	my $p = uvdso(
		map({ ('--offset', $_) } 'monotonic=+1d', 'boottime=+2d', 'tai=+3d'),
		'--', program('clocks.pie')
	);
	my $facts = facts($p->{out});
	my $plain = facts(run(program('clocks.pie'))->{out});
	my %expected = (
		realtime => 0, 'realtime-coarse' => 0, monotonic => 1,
		'monotonic-coarse' => 1, raw => 1, boottime => 2, tai => 3, gettimeofday => 0
	);

	for my $clock (sort keys %expected) {
		my $days = ($facts->{$clock}[0] // 0) - ($plain->{$clock}[0] // 0);
		$days /= 86400;
		cmp_ok(
			abs($days - $expected{$clock}), '<', 1e-3,
			"$clock is $expected{$clock} days ahead where monotonic is one, boottime two and tai three"
		) || diag "it is ahead by $days days";
	}
	my $back = facts(uvdso('--offset', 'realtime=-1000d', program('clocks.pie'))->{out});
	cmp_ok(
		abs($back->{realtime}[0] - $plain->{realtime}[0] + 86400 * 1000), '<', 60,
		'an offset can lead into the past'
	);
}

# A run inside a run: the inner timekeeper takes the outer vDSO for its kernel's clocks.
{
	my $p = uvdso(
		'--offset', 'realtime=+1d', '--', $UVDSO, 'run', '--offset', 'realtime=+1d',
		'--', '/bin/date', '+date %s.%N'
	);
	my $shown = facts($p->{out})->{date}[0] // 0;
	my $ahead = $shown - time;

	is_status($p, 0, 'uvdso runs under uvdso');
	cmp_ok(
		abs($ahead - 2 * 86400), '<', 2,
		'a run inside a run adds its offset to the one outside: one day and one day are two'
	) || diag "ahead by $ahead s\n$p->{err}";
}

# What a program starts gets the kernel's vDSO again: an exec is the kernel's. (Where the tree is
# followed it does not: ptrace/follow.t.)
if ("@RUN" eq 'run') {
	my $p = uvdso(
		'--no-follow', '--offset', 'realtime=+1000d', '/bin/sh', '-c',
		'exec /bin/date "+date %s"'
	);
	cmp_ok(
		abs((facts($p->{out})->{date}[0] // 0) - time), '<', 2,
		'a program that the first one becomes by exec shows the kernel\'s time again'
	) || diag $p->{err};
}

done_testing;
