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
	my ($p, $seconds) = @_;
	my %late = $p->{out} =~ /^(\S+) $seconds (\S+)$/mg;
	return join ' ', map { "$_ " . ($late{$_} >= 0 && $late{$_} < 30 ? 'met' : $late{$_}) }
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

# Refusals.
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
		refused($q, 2, qr/another user's|Permission denied/, "another user's is refused");
	}
	kill 'KILL', $p->{pid};
	finish($p);
}
refused(run($UVDSO, 'clock', $$), 2, qr/not uvdso's/, 'a process without a tracer is refused');
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

done_testing;
