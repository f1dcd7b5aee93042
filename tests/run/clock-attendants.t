#!/usr/bin/perl
# clock-attendants.t - a tree with clocks of its own, whose attendants are killed or stopped: no clock jumps,
# or the tree ends; and a process of it that nobody may look into, or that is filtered.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;
use Time::HiRes 'sleep';

my $line = program('line.pie');

# Each is done to processes of the tree while it looks at its clocks.
my %to = (
	'the timekeeper is killed' => ['KILL', 'keeper'],
	'the timekeeper is stopped for a while' => ['STOP', 'keeper'],
	# Then nobody tells the readers of a coarse clock.
	'both are killed' => ['KILL', qw(watchdog keeper)],
	'both are stopped for a while' => ['STOP', qw(watchdog keeper)],
);
my @clocks = ([7, '--at', '2031-01-01 00:00', '--rate', 7], [1, '--offset', 'realtime=-1000d']);

my @cases;

for my $what (sort keys %to) {
	my ($signal, @whom) = @{$to{$what}};
	for my $clocks (@clocks) {
		my ($rate, @how) = @$clocks;
		push @cases,
		    {
			run => [@how, '--', $line, $rate, @whom > 1 ? 'fine' : ()],
			what => "@how: $what",
			signal => $signal,
			whom => \@whom
		    };
	}
}

# All at once, where that does not take so long that the first have ended before the last begin.
while (my @some = splice @cases, 0, $Build::PATIENCE > 1 ? 2 : @cases) {
	$_->{p} = spawn($UVDSO, 'run', @{$_->{run}}) for @some;
	for my $case (@some) {
		my $p = $case->{p};
		wait_until { slurp($p->{out}->filename) =~ /ready/ };
		$case->{pids} =
		    [grep { $_ } map { attendant($p->{pid}, "uvdso-$_") } @{$case->{whom}}];
		kill $case->{signal}, @{$case->{pids}};
	}
	# Longer than a coarse clock may be late. If only one of the two is stopped, the other one
	# notices, and readers ask the kernel.
	sleep 0.3;
	for my $case (grep { $_->{signal} eq 'STOP' } @some) {
		if (@{$case->{pids}} == 1) {
			kill 'USR1', $case->{p}{pid};
			ok(
				wait_until { slurp($case->{p}{out}->filename) =~ /on time/ },
				"$case->{what}: meanwhile no coarse clock stands still"
			);
		}
		kill 'CONT', @{$case->{pids}};
	}
	sleep 0.1;
	for my $case (@some) {
		my $p = $case->{p};
		kill 'TERM', $p->{pid};
		finish($p);
		is(
			$p->{out} =~ s/^on time\n//mr, "ready\nright\n",
			"$case->{what}, and no clock jumps"
		) || diag $p->{err};
	}
}

# Where the tracer stands still nobody is answered, and it is said in time.
{
	my $p = spawn($UVDSO, 'run', '--offset', 'realtime=+0', '--', 'sleep', 30);
	my $tracer = attendant($p->{pid}, 'uvdso-follow');
	wait_until { run($UVDSO, 'clock', $p->{pid})->{status} == 0 };
	kill 'STOP', $tracer if $tracer;
	my $asked = run($UVDSO, 'clock', $p->{pid});
	kill 'CONT', $tracer if $tracer;
	refused($asked, 2, qr/Connection timed out/, 'a tracer that is stopped does not answer');
	is(run($UVDSO, 'clock', $p->{pid})->{status}, 0, '... until it goes on');
	kill 'KILL', $p->{pid};
	finish($p);
}

# Whom nobody may look into is left to the kernel, with a word.
my @other = $> ? () : qw(setpriv --reuid=65534 --regid=65534 --clear-groups);
SKIP: {
	skip 'closed to others', 3 if run(@other, $UVDSO, '--version')->{status};
	my $nr = $Build::MACHINE eq 'x86_64' ? 228 : 113;
	my $hidden =
	      'syscall(shift, 4, 0, 0, 0, 0); my $ts = pack "q2"; my $nr = shift;'
	    . 'for (1 .. 3) { syscall($nr, 0, $ts) and die "$!"; print +(unpack "q", $ts) - time, "\n" }';
	my @run = (@other, $UVDSO, 'run', '--offset', 'realtime=-1000d', '--');
	my $p = run(@run, $^X, '-e', $hidden, $SYS{prctl}, $nr);
	like(
		$p->{out}, qr/^(?:864000\d\d\n){3}$/,
		'a process that may not be looked into asks the kernel'
	);
	is(
		() = $p->{err} =~ /^uvdso: .*: has closed its memory, so its system calls/mg, 1,
		'... which is said once'
	) or diag $p->{err};
	# Where it has the right, it is root, which may look into all.
	SKIP: {
		skip 'not root', 1 if $>;
		my $p = run(
			$UVDSO, 'run', '--offset', 'realtime=-1000d', '--', $^X, '-e', $hidden,
			$SYS{prctl}, $nr
		);
		like($p->{out}, qr/^(?:-?[01]\n){3}$/, '... and root looks all the same')
		    or diag $p->{err};
	}
}

done_testing;
