#!/usr/bin/perl
# rates.t - clocks that begin at another time, run at another rate, or stand still: what programs see.
#
# tests/programs/rated.c compares all functions that show REALTIME with each other, with the system call,
# which a tracer answers, and with MONOTONIC.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;
use Time::HiRes qw(sleep);

my @at = ('--at', '@4102444800');    # 2100

sub near {
	my ($rate, $is) = @_;
	return defined $is && abs($is - $rate) <= 0.01 * $rate;
}

# Of one program: its clock begins where it should, has its rate, and nothing goes back.
sub lives {
	my ($what, $rate, $p) = @_;
	my $facts = facts($p->{out});
	my $begun = ($facts->{begun} // [0])->[0] - 4102444800;

	ok(
		       $p->{status} == 0
		    && $begun >= 0
		    && $begun < 20 * ($rate + 1)
		    && near($rate, $facts->{rate}[0])
		    && $facts->{back}[0] == 0
		    && $facts->{apart}[0] == 0,
		"$what: REALTIME has its rate, and goes back for nobody"
	) || diag "$p->{cmd}\n$p->{out}$p->{err}";
}

my $rated = program('rated.pie');
lives("rate $_", $_, run($UVDSO, 'run', @at, '--rate', $_, '--', $rated, 0.1))
    for 0.001, 0.5, 1, 60, 1000;
lives('--freeze', 0, run($UVDSO, 'run', @at, '--freeze', '--', $rated, 0.1));
lives('no counter', 60, run($UVDSO, 'run', @at, qw(--rate 60 --no-counter --), $rated, 0.05));
for my $kind (qw(static musl)) {
	SKIP: {
		my $program = program("rated.$kind");
		skip missing($program), 1 if missing($program);
		lives($kind, 60, run($UVDSO, 'run', @at, '--rate', 60, '--', $program, 0.1));
	}
}

# Each call is one of the vDSO: a system call that is answered takes a hundred times as long.
SKIP: {
	skip no_counter(), 1 if no_counter();
	my ($plain, $fast) = map {
		facts(run($UVDSO, 'run', @COUNTER, @$_, '--', $rated, 0, 'cost')->{out})->{ns}[0]
	} ['--offset', 'realtime=+1d', '--no-follow'], [@at, '--rate', 60];
	cmp_ok($fast, '<', 2 * $plain, 'it is read as fast as a clock that is shifted')
	    or diag "$fast ns and $plain ns";
}

# Nobody keeps the time: by the same line, from the kernel's clock.
for my $how (['STOP', 'CONT'], ['KILL']) {
	my $p = spawn($UVDSO, 'run', @at, '--rate', 60, '--', $rated, 0.7);
	wait_until { slurp($p->{out}->filename) =~ /begun/ };
	my ($keeper) = attendants($p->{pid}, 'uvdso-keeper');
	for my $signal (@$how) {
		kill $signal, $keeper if $keeper;
		sleep 0.2;
	}
	lives("a timekeeper that gets SIG@$how", 60, finish($p));
}

# ---- a tree, and what is in it -------------------------------------------------------------
my $p = run(
	$UVDSO, 'run', '--at', '2038-01-19 03:14:00 UTC', '--', 'sh', '-c',
	'date -u +%F; env date -u +%F'
);
is($p->{out}, "2038-01-19\n" x 2, 'a shell and its children are in 2038');
$p = run($UVDSO, 'run', '--freeze', '--', 'sh', '-c', 'date +%s.%N; sleep 0.05; date +%s.%N');
like($p->{out}, qr/\A(\S+)\n\1\n\z/, 'a clock that stands still does so for all of a tree');
$p = run($UVDSO, 'run', @at, '--rate', 100, '--', 'sh', '-c', 'date +%s; sleep 0.1; date +%s');
my ($from, $to) = split /\n/, $p->{out};
cmp_ok($to - $from, '>=', 9, 'a sleep goes by MONOTONIC, and takes its time');
my $begun = time;
$p = run($UVDSO, 'run', @at, qw(--rate 1000 --rate-all -- sh -c), 'date +%s; sleep 1000; date +%s');
($from, $to) = split /\n/, $p->{out};
cmp_ok($to - $from, '>=', 999, 'with --rate-all it takes as long as its clock says');
cmp_ok(time - $begun, '<', 100, '... which is not long');

# ---- years ---------------------------------------------------------------------------------
for my $year (
	['@0', '1970-01-01 00:00:00'],
	['@0.5', '1970-01-01 00:00:00'],
	['@2147483646', '2038-01-19 03:14:06'],
	['@4294967295', '2106-02-07 06:28:15'],
	['@9223372034', '2262-04-11 23:47:14'],
	['2024-02-29T12:00:00Z', '2024-02-29 12:00:00'],
	['2024-02-29 12:00+01:00', '2024-02-29 11:00:00'],
	['2024-02-29 12:00:00 UTC', '2024-02-29 12:00:00'],
	['2024-02-29', '2024-02-28 15:00:00'],
	['2024-02-29 09:30:00.25', '2024-02-29 00:30:00'],
	['1 January 2030 UTC', '2030-01-01 00:00:00'],
    )
{
	my ($at, $shows) = @$year;
	local $ENV{TZ} = 'JST-9';
	my $p = run($UVDSO, 'run', '--at', $at, '--freeze', '--', 'date', '-u', '+%F %T');
	is($p->{out}, "$shows\n", "--at '$at'") or diag $p->{err};
}

# ---- what cannot be ------------------------------------------------------------------------
for my $wrong (
	[['--at', ''], '--at'],
	[['--at', 'some day'], '--at.*date\(1\)'],
	[['--at', '@'], '--at.*seconds'],
	[['--at', '@1x'], '--at.*seconds'],
	[['--at', '@-1'], '--at.*1970'],
	[['--at', '1969-12-31T23:59:59Z'], '--at.*1970'],
	[['--at', '@9223372036'], '--at.*2262'],
	[['--at', '@99999999999999999999'], '--at.*2262'],
	[['--at', '2300-01-01'], '--at.*2262'],
	[['--at', '2023-02-29'], '--at.*no such day'],
	[['--at', '2023-02-28 24:30:00'], '--at.*no such day'],
	[['--rate', '0'], '--rate.*--freeze'],
	[['--rate', '-1'], '--rate'],
	[['--rate', '0.0009'], '--rate.*0\.001'],
	[['--rate', '1000.1'], '--rate.*1000'],
	[['--rate', '1x'], '--rate'],
	[['--rate', '1.'], '--rate'],
	[['--rate-all'], '--rate-all.*--rate'],
	[['--freeze', '--rate-all'], '--rate-all.*--freeze'],
	[['--at', '@5', '--offset', 'realtime=+1'], '--at.*--offset realtime'],
	[['--rate', '2', '--no-follow'], '--rate.*--no-follow'],
	[['--freeze', '--exec=hand'], '--freeze.*--exec=hand'],
    )
{
	my ($options, $why) = @$wrong;
	refused(run($UVDSO, 'run', @$options, '--', 'true'), 125, qr/\Auvdso: .*$why/, "@$options");
}
{
	# uvdso has its path, date(1) has none.
	local $ENV{PATH} = '/nonexistent';
	refused(
		run($UVDSO, 'run', '--at', 'tomorrow', '--', '/bin/true'), 125,
		qr/\Auvdso: .*--at.*date\(1\).* not in PATH/, 'words without date(1)'
	);
}
SKIP: {
	skip no_counter(), 3 if no_counter();
	refused(
		run($UVDSO, 'run', @COUNTER, @$_, '--', $UVDSO, 'run', '--', 'true'), 125,
		qr/inside.*`uvdso clock`/, "run inside of run @$_"
	) for ['--rate', '60'], ['--freeze'];
	lives(
		'run inside of run --rate-all',
		1,
		run(
			$UVDSO, 'run', @at, qw(--rate 2 --rate-all --), $UVDSO, 'run', '--',
			$rated, 0.1
		)
	);
}
refused(run($UVDSO, 'trace', '--rate', '2', '--', 'true'), 125, qr/--rate.*trace/, 'trace --rate');
done_testing();
