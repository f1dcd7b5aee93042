#!/usr/bin/perl
# clock-steps.t - uvdso clock: the clocks of a tree that runs are shown, and changed from outside; what
# waits for them meanwhile is met when they show what it waits for.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;
use Time::HiRes qw(time sleep);

my $until = program('until.pie');

sub start { return spawn($UVDSO, 'run', @_) }

# The line that says that it waits.
sub ready {
	my ($p) = @_;
	return wait_until { slurp($p->{out}->filename) =~ /ready/ };
}

# What is shown, by clock: "AHEAD RATE".
sub clocks {
	my ($pid) = @_;
	my $p = run($UVDSO, 'clock', $pid);
	return {$p->{out} =~ /^(\w+) +[\d.]+  (\S+  (?:rate \S+|stands still))/mg};
}

sub change {
	my ($pid, @how) = @_;
	return run($UVDSO, 'clock', @how, $pid);
}

# No wait ends before its moment, and hardly any after it.
sub met {
	my ($p, $seconds, $late) = (@_, 30);
	my %late = $p->{out} =~ /^(\S+) $seconds (\S+)$/mg;
	return join ' ', map { "$_ " . ($late{$_} >= 0 && $late{$_} < $late ? 'met' : $late{$_}) }
	    sort keys %late;
}
my $all = 'condition met semaphore met shared-timer met sleep met timer met';

{
	my $p = start('--offset', 'realtime=+0', '--', $until, 3600, 7200);
	ready($p) or diag slurp($p->{err}->filename);
	is_deeply(
		clocks($p->{pid}),
		{map { $_ => '+0.000000000  rate 1' } qw(realtime monotonic boottime tai)},
		'the clocks of a tree are shown'
	);
	is_status(change($p->{pid}, '--offset', 'realtime=+3601s'), 0, 'a clock is set');
	is(clocks($p->{pid})->{realtime}, '+3601.000000000  rate 1', '... which is shown');
	wait_until { slurp($p->{out}->filename) =~ /(?:.* 3600 .*\n){5}/ };
	unlike(slurp($p->{out}->filename), qr/ 7200 /, '... and what is due later waits');
	change($p->{pid}, '--offset', 'realtime=+7201s');
	finish($p);
	is($p->{status}, 0, '... until it is due');
	is(met($p, 3600), $all, 'every wait for the moment that was stepped over is met');
	is(met($p, 7200), $all, '... and for the second one');
}

# Rates.
{
	my $p =
	    start('--at', '2030-01-01 00:00:00 UTC', '--freeze', '--', $until, 1, 3600, 40000000);
	ready($p);
	my $at = sub { (run($UVDSO, 'clock', $p->{pid})->{out} =~ /^realtime +([\d.]+)/)[0] };
	is(&$at, '1893456000.000000000', 'a clock that stands still is shown as one');
	sleep 1.2;
	unlike(slurp($p->{out}->filename), qr/ 1 /, '... and nobody is woken who waits for it');
	is_status(change($p->{pid}, '--rate', 1000), 0, 'it is let go, at a rate');
	wait_until { slurp($p->{out}->filename) =~ /(?:.* 1 .*\n){5}/ };
	is_status(change($p->{pid}, '--freeze'), 0, '... and stopped again');
	my $then = &$at;
	cmp_ok($then, '>', 1893456001, '... where it has come to');
	is(&$at, $then, '... and nowhere else');
	change($p->{pid}, '--at', '2030-02-01 00:00:00 UTC');
	is(&$at, '1896134400.000000000', 'it is set to a moment, and stands still');
	change($p->{pid}, '--at', '2031-06-01 00:00:00 UTC');
	finish($p);
	is(met($p, 1, 3000), $all, 'what was waited for at a rate was met');
	like($p->{out}, qr/(?:^\S+ 3600 \d+\.\d+\n){5}/m, '... and what a step has passed');
}

# No step back at a change of the rate: a program that looks all the time says so.
{
	my $dir = temp_dir();
	my $p = start(
		'--rate', 3, 'perl', '-MTime::HiRes=time', '-e',
		'my ($n, $last, $back) = (0, 0, 0); $| = 1; print "ready\n";'
		    . 'while ($n < 1e9 && !-e $ARGV[0]) { for (1 .. 1000) { my $t = time; $back++ if $t < $last; $last = $t; $n++ } }'
		    . 'print "$back of $n\n"', "$dir/end"
	);
	ready($p);
	change($p->{pid}, '--rate', $_), sleep 0.01 for map { (1000, 0.001, 60, 1) } 1 .. 6;
	change($p->{pid}, '--freeze'), change($p->{pid}, '--rate', 2) for 1 .. 6;
	open my $file, '>', "$dir/end" or die;
	finish($p);
	like($p->{out}, qr/^0 of \d+$/m, 'a clock never goes back when its rate is changed')
	    or diag $p->{err};
}

# The same of the clocks that never go back, which the vDSO and the system call show in turn. At
# another rate they are not as far apart as the kernel's two clocks.
{
	my $dir = temp_dir();
	my $p = start(qw(--rate 1000 --rate-all --), program('steady.pie'), "$dir/end");
	ready($p) or diag slurp($p->{err}->filename);
	my @wrong = grep { change($p->{pid}, '--rate', $_, '--rate-all')->{status} }
	    map { (1, 1000, 0.001, 1000) } 1 .. 5;
	is("@wrong", '', 'the rate of all clocks is changed');
	open my $file, '>', "$dir/end" or die;
	finish($p);
	is(
		$p->{out} =~ s/^ready\n//r =~ s/ \d+ looks//gr,
		<<~'END', '... and none of them goes back')
	MONOTONIC 0 back
	MONOTONIC_RAW 0 back
	END
	    or diag $p->{err};
}

# What has expired, and was not read yet, when the clocks are changed.
{
	my $p = start(qw(--offset realtime=+0 --), program('midst.pie'), 'ticks');
	ready($p);
	change($p->{pid}, '--offset', 'realtime=+1h');
	kill 'USR1', $p->{pid};
	finish($p);
	like($p->{out}, qr/^1 /m, 'what a timer has to be read is there after a change')
	    or diag $p->{err};
}

# What is left of a length of time, ten seconds of the machine's. It keeps its pace, and is told by the
# clocks as they are then.
{
	my $p = start(qw(--rate 60 --rate-all --), program('midst.pie'), 'left');
	my $interrupt = sub {
		my ($signal, $call) = @_;
		wait_until {
			kill $signal, $p->{pid};
			sleep 0.02;
			slurp($p->{out}->filename) =~ /^$call .*\n/m;
		};
		return slurp($p->{out}->filename) =~ /^$call 1 (\S+) (\S+)$/m;
	};
	ready($p);
	my ($took, $left) = $interrupt->('USR1', 'sleep');
	ok(
		defined $left && $left <= 600 && $took + $left > 599,
		'a sleep that is interrupted is told what is left of it'
	) or diag slurp($p->{out}->filename);
	sleep 0.1;    # until the select(2) is under way
	change($p->{pid}, qw(--rate 600 --rate-all));
	($took, $left) = $interrupt->('USR2', 'select');
	ok(
		defined $left && $left > 601 && $left < 6000,
		'... and a select(2) by the new rate, where that was changed'
	) or diag "$took $left";
	finish($p);
}

# A month, day by day, while many wait: in threads and processes.
{
	my @days = map { $_ * 86400 } 1 .. 30;
	my $p = start(
		'--at', '2030-01-01 00:00:00 UTC', 'sh', '-c',
		'for i in 1 2 3; do "$0" "$@" & done; wait', $until,
		map { $_ - 60 } @days[0, 9, 19, 29]
	);
	wait_until { (() = slurp($p->{out}->filename) =~ /ready/g) == 3 };
	for my $day (@days) {
		my $q = change($p->{pid}, '--at', '@' . (1893456000 + $day));
		is($q->{status}, 0, 'a step') or diag $q->{err} if $q->{status};
	}
	finish($p);
	is($p->{status}, 0, 'a month is stepped through');
	my @late = $p->{out} =~ /^\S+ \d+ (\S+)$/mg;
	is(scalar(@late), 60, 'every one of 60 waits was met');
	is(scalar(grep { $_ < 0 } @late), 0, '... and none before its time');
}

# Refusals.
SKIP: {
	skip 'the kernel has no image that can be read', 2
	    if run($UVDSO, 'run', '--image', 'kernel', '--offset', 'realtime=+0', 'true')->{status};
	my $p = start('--image', 'kernel', '--offset', 'realtime=+1d', 'sleep', 30);
	wait_until { clocks($p->{pid})->{realtime} };
	refused(
		change($p->{pid}, '--offset', 'realtime=+2d'),
		2, qr/kernel's image/, "the clocks of a kernel's image stay what they are"
	);
	is(clocks($p->{pid})->{realtime}, '+86400.000000000  rate 1', '... for the tracer as well');
	kill 'KILL', $p->{pid};
	finish($p);
}
{
	my $p = start('--offset', 'monotonic=+1000', 'sleep', 30);
	wait_until { clocks($p->{pid})->{monotonic} };
	is_status(change($p->{pid}, '--offset', 'monotonic=+2000'), 0, 'MONOTONIC is set forward');
	refused(
		change($p->{pid}, '--offset', 'monotonic=+1999'),
		2, qr/never goes back/, '... and not back, which its readers rely on'
	);
	is(clocks($p->{pid})->{monotonic}, '+2000.000000000  rate 1', '... and is where it was');
	kill 'KILL', $p->{pid};
	finish($p);
}
{
	my $p = start('--offset', 'realtime=+0', 'sleep', 30);
	wait_until { clocks($p->{pid})->{realtime} };
	refused(
		change($p->{pid}, '--offset', 'monotonic=+1'),
		2, qr/start it with an offset/,
		'a clock whose waits are not followed is not changed'
	);
	refused(
		change($p->{pid}, '--offset', 'realtime=-100000d'),
		2, qr/would become/, 'a clock that would be negative is refused'
	);
	refused(
		change($p->{pid}, '--offset', 'realtime=1d'), 2, qr/needs a sign/,
		'... and nonsense'
	);
	is(clocks($p->{pid})->{realtime}, '+0.000000000  rate 1', '... and nothing is changed');
	SKIP: {
		skip 'not root: there is no other user', 1 if $>;
		my $q = run(
			{
				before => sub {
					$) = '65534 65534';
					$( = 65534;
					($<, $>) = (65534, 65534);
				}
			},
			$UVDSO, 'clock',
			'--offset',
			'realtime=+1d',
			$p->{pid}
		);
		skip 'closed to others', 1 if $q->{status} == 98;
		refused($q, 2, qr/another user's|Permission denied/, "another user's is refused");
	}
	kill 'KILL', $p->{pid};
	finish($p);
}
refused(run($UVDSO, 'clock', $$), 2, qr/not uvdso's/, 'a process without a tracer is refused');
{
	my $p = start('--no-follow', '--offset', 'realtime=+1d', 'sleep', 30);
	wait_until { slurp("/proc/$p->{pid}/comm") eq "sleep\n" };
	refused(
		run($UVDSO, 'clock', $p->{pid}),
		2,
		qr/process $p->{pid}: nothing follows its clocks, .*--no-follow/,
		'one with changed clocks that nothing follows hears why'
	);
	kill 'KILL', $p->{pid};
	finish($p);
}
refused(run($UVDSO, 'clock', $_), 2, qr/no process id/, "'$_' is no process") for '0', 'x', '1x';
refused(run($UVDSO, 'clock', 0x7ffffff0), 2, qr/there is none/, 'nor is one that is not there');
{
	my $p = start('--follow', 'sleep', 30);
	attendant($p->{pid}, 'uvdso-follow');
	refused(
		run($UVDSO, 'clock', $p->{pid}),
		2, qr/realtime=\+0/, "a tree on the machine's clocks says how it would be started"
	);
	kill 'KILL', $p->{pid};
	finish($p);
}

# Where no user is mapped, all have one number, and nobody is known by it.
if (!run('unshare', '-U', $UVDSO, qw(run --offset realtime=+0 true))->{status}) {
	my $q = run(
		'unshare', '-U', 'sh', '-c',
		'"$0" run --offset realtime=+0 sleep 30 & i=0; until grep -qs "(sleep)" "/proc/$!/stat" || [ $((i += 1)) -gt 99 ]; do sleep 0.1; done; '
		    . '"$0" clock --offset realtime=+1d $!; said=$?; kill $!; wait; exit $said',
		$UVDSO
	);
	refused($q, 2, qr/another user's/, 'a user who is not mapped is nobody');
}

done_testing;
