#!/usr/bin/perl
# Between a program and the world uvdso is not noticed: what is sent to the process that was
# started reaches the program once, a terminal's keys do what they always do, and when the
# timekeeper is killed the program goes on. With `uvdso trace` the program is a child of that
# process, else it is the process.
use strict;
use warnings;
no warnings 'portable';    # masks have 64 bits
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Build;
use RunTest;
use Terminal;
use Test::More;
use Time::HiRes qw(sleep);

my $signals = program('signals.pie');
my $is_child = $RUN[0] eq 'trace';
my $TGKILL = {x86_64 => 234, i386 => 270}->{$MACHINE} // 131;

# The state of a process: one letter, as in proc(5); '' when it is gone. Who is stopped and
# has a tracer is shown as t.
sub state {
	my ($pid) = @_;
	return slurp("/proc/$pid/stat") =~ /\) (\w)/ ? uc $1 : '';
}

# How often each signal arrived: {NAME} = count.
sub counts {
	my ($text) = @_;
	my %count;
	$count{$1}++ while $text =~ /^got (\w+) from/mg;
	return \%count;
}

# The child of a process with that name, once it is there.
sub child {
	my ($pid, $name) = @_;
	return wait_until {
		(
			grep { slurp("/proc/$_/comm") eq "$name\n" }
			    split ' ', slurp("/proc/$pid/task/$pid/children")
		)[0];
	};
}

sub output { return slurp($_[0]{out}->filename) }

sub gone {
	my ($pid) = @_;
	return wait_until { !-e "/proc/$pid" || state($pid) eq 'Z' }
}

# kill(2) on uvdso.
{
	my $p = spawn($UVDSO, @RUN, $signals);
	my ($pid) = wait_until { output($p) =~ /^ready (\d+)/ ? $1 : 0 };

	if ($is_child) { isnt($pid, $p->{pid}, 'the program is a child of uvdso') }
	else { is($pid, $p->{pid}, 'the program is the process that was started') }
	for my $name (qw(USR1 HUP CONT INT QUIT)) {
		for my $turn (1 .. 3) {
			kill $name, $p->{pid};
			wait_until { (counts(output($p))->{$name} // 0) >= $turn };
		}
	}
	kill 'TERM', $p->{pid};
	is_status(finish($p), 7, 'a program that handles SIGTERM and exits with 7 gives 7');
	is_deeply(
		counts($p->{out}), {USR1 => 3, HUP => 3, CONT => 3, INT => 3, QUIT => 3, TERM => 1},
		'each signal that is sent to uvdso reaches the program exactly once'
	);
	ok(gone($pid), 'the program is gone');
}
{
	my $p = spawn($UVDSO, @RUN, '/bin/sleep', '30');
	my $child = $is_child ? child($p->{pid}, 'sleep') : $p->{pid};

	wait_until { slurp("/proc/$child/comm") eq "sleep\n" };
	kill 'TERM', $p->{pid};
	finish($p);
	is(
		$p->{signal}, POSIX::SIGTERM(),
		'a program that does not handle SIGTERM dies of it, and uvdso with it'
	);
	ok(gone($child) && !$p->{left}, '... and nothing is left');
}
{
	# SIGSTOP and SIGCONT for the program alone are its own affair.
	my $p = spawn($UVDSO, @RUN, $signals);
	my ($pid) = wait_until { output($p) =~ /^ready (\d+)/ ? $1 : 0 };

	kill 'STOP', $pid;
	ok(wait_until { state($pid) eq 'T' }, 'a SIGSTOP for the program stops it');
	isnt(
		state($is_child ? $p->{pid} : attendant($pid, 'uvdso-keeper')),
		'T', '... and not uvdso, which nobody would continue'
	);
	kill 'CONT', $pid;
	ok(wait_until { counts(output($p))->{CONT} }, 'SIGCONT continues it');
	kill 'TERM', $p->{pid};
	is_status(finish($p), 7, '... to its end');
}

# Whoever starts uvdso may ignore SIGCHLD, and its children inherit that.
{
	my $p = uvdso({before => sub { $SIG{CHLD} = 'IGNORE' }}, program('end.pie'), 3);
	is_status($p, 3, 'uvdso gives the status of the program also where SIGCHLD is ignored');
	$p = uvdso(
		{before => sub { $SIG{CHLD} = 'IGNORE' }}, '/bin/grep', 'SigIgn',
		'/proc/self/status'
	);
	my ($ignored) = $p->{out} =~ /SigIgn:\s+(\w+)/;
	ok(hex($ignored) & 1 << POSIX::SIGCHLD() - 1, '... and the program inherits it ignored');
}

# SIGTRAP is what a tracer stops a program with. Ignored, or blocked and pending in both queues,
# it is the program's own all the same.
{
	my @look = ('/bin/grep', '-E', '^(Sig|Shd)(Pnd|Blk|Ign)', '/proc/self/status');
	my $pending = sub {
		POSIX::sigprocmask(POSIX::SIG_BLOCK(), POSIX::SigSet->new(POSIX::SIGTRAP()));
		kill 'TRAP', $$;
		syscall $TGKILL, 0 + $$, 0 + $$, 0 + POSIX::SIGTRAP();
	};
	for (
		['ignored', sub { $SIG{TRAP} = 'IGNORE' }, qr{^SigIgn:\s+\w*[13579bdf]\w$}m],
		# A child does not inherit what is pending.
		$is_child ? () : ['pending', $pending, qr{^ShdPnd:\s+\w*[13579bdf]\w$}m]
	    )
	{
		my ($what, $before, $expected) = @$_;
		my $native = run({before => $before}, @look)->{out};
		like($native, $expected, "SIGTRAP can be $what");
		is(uvdso({before => $before}, @look)->{out}, $native, '... and is in the program');
	}
}

# To the process group, as a shell's kill %1 does it: each arrives once.
unless ($is_child) {
	my $p = spawn($UVDSO, @RUN, $signals);

	wait_until { output($p) =~ /^ready/ };
	for my $turn (1 .. 20) {
		kill 'USR1', -$p->{pid};
		wait_until { (counts(output($p))->{USR1} // 0) >= $turn };
	}
	kill 'TERM', $p->{pid};
	is_status(finish($p), 7, 'a program gets the signals of its process group');
	is(counts($p->{out})->{USR1}, 20, '... twenty that were sent, twenty times');
}

# SIGKILL for the timekeeper: the program loses that, not its time.
for my $offset ($is_child ? () : (0, 86400)) {
	# With clocks of its own a followed tree sees them in system calls as well.
	my $followed = grep { $_ eq '--follow' } @RUN;
	my $p = spawn(
		$UVDSO, @RUN, $followed ? () : '--no-follow', '--offset', "realtime=+$offset",
		program('compare.pie'), 2500, $followed ? 0 : $offset
	);
	my ($pid) = wait_until { output($p) =~ /^ready (\d+)/ ? $1 : 0 };

	sleep 0.1;
	kill 'KILL', attendant($pid, 'uvdso-keeper');
	# Under a tracer it stops for a moment, since the end of that child sends a signal.
	ok(
		wait_until { state($pid) =~ /[RSD]/ },
		'a program goes on when its timekeeper is killed'
	);
	wait_until { output($p) =~ /^worst/m };
	my ($worst, $back, $rounds) = output($p) =~ /^worst (-?\d+) back (-?\d+) rounds (\d+)/m;
	my $what = $offset ? 'with an offset: ' : '';
	cmp_ok(
		$worst // 'inf', '<', 1e6,
		$what
		    . 'more than two seconds on, its clocks are within a millisecond of the kernel\'s'
	) || diag 'Without a timekeeper the vDSO must fall back to system calls in time';
	is($back, 0, $what . 'its monotonic clock never ran backwards');
	cmp_ok($rounds // 0, '>', 100, $what . '... in ' . ($rounds // 0) . ' looks');
	is_status(finish($p), 0, $what . 'it ended by itself');
	my ($coarse, $time) = $p->{out} =~ /^coarse (-?\d+) time (-?\d+)/m;
	cmp_ok(abs($coarse), '<=', 1, $what . 'the coarse clock goes on');
	cmp_ok(abs($time), '<=', 1, $what . 'time() goes on');
}

# A terminal.
SKIP: {
	my $t = on_terminal($UVDSO, @RUN, $signals);
	skip 'no pseudoterminals here (/dev/ptmx, /dev/pts)', 9 unless $t;
	my ($pid) = wait_until { look($t) =~ /ready (\d+)/ ? $1 : 0 };
	my ($uvdso) = $t->{told} =~ /job (\d+)/;

	# Many times, because two that arrive at once would be one.
	for my $turn (1 .. 40) {
		type($t, "\003");
		wait_until { (counts(look($t))->{INT} // 0) >= $turn };
	}
	sleep 0.05;
	is(counts(look($t))->{INT}, 40, 'forty ^C on a terminal reach the program forty times');
	unlike(
		look($t), qr/got INT from [1-9]/,
		'... each from the terminal, none by way of uvdso'
	);

	for my $turn (1 .. 60) {
		my @states;
		type($t, "\032");
		wait_until {
			@states = map { state($_) } $pid, $uvdso;
			"@states" eq 'T T'
		};
		is("@states", 'T T', '^Z stops the program and uvdso') if $turn == 1;
		wait_until { look($t); stops($t) >= $turn };
		kill 'CONT', -$uvdso;
		wait_until { (counts(look($t))->{CONT} // 0) >= $turn };
		wait_until {
			@states = map { state($_) } $pid, $uvdso;
			"@states" !~ /T/
		};
		unlike("@states", qr/T/, 'SIGCONT for the job continues both') if $turn == 1;
	}
	sleep 0.05;
	is(stops($t), 60, 'the shell sees the job stop, sixty times');
	is(
		counts(look($t))->{CONT}, 60,
		'... and the program sees each of sixty continuations once'
	) || diag look($t);
	type($t, "\032");
	wait_until { state($pid) . state($uvdso) eq 'TT' };
	kill 'CONT', $uvdso;
	ok(
		wait_until { state($pid) =~ /[SR]/ },
		'a SIGCONT for uvdso alone continues the program, too'
	);

	kill 'TERM', $uvdso;
	ok(wait_until { look($t); $t->{told} =~ /ended/ }, 'the job ends');
	like($t->{told}, qr/^ended 7 0$/m, '... as the program did');
	waitpid $t->{leader}, 0;
}

# The SIGCONT of a job arrives at uvdso first, and at the program while uvdso looks whether it has.
SKIP: {
	last unless $is_child;
	my $t = on_terminal(
		'/usr/bin/env', "LD_PRELOAD=$BUILD/tests/programs/slow_waitid.so", $UVDSO_DYNAMIC,
		@RUN,
		$signals
	);
	skip 'no pseudoterminals here (/dev/ptmx, /dev/pts)', 3 unless $t;
	my ($pid) = wait_until { look($t) =~ /ready (\d+)/ ? $1 : 0 };
	my ($uvdso) = $t->{told} =~ /job (\d+)/;

	type($t, "\032");
	wait_until { state($pid) . state($uvdso) eq 'TT' };
	kill 'CONT', $uvdso;
	ok(wait_until { look($t) =~ /^waitid/m }, 'continued, uvdso looks whether the program is');
	kill 'CONT', $pid;
	ok(
		wait_until { counts(look($t))->{CONT} },
		'... which was continued at that moment, and goes on'
	);
	kill 'TERM', $uvdso;
	ok(wait_until { look($t); $t->{told} =~ /ended/ }, '... to its end') || kill 'KILL',
	    $uvdso, $pid;
	waitpid $t->{leader}, 0;
}

# Killed by the terminal: the shell must see a job that died of the signal.
SKIP: {
	my $t = on_terminal($UVDSO, @RUN, '/bin/sleep', '30');
	skip 'no pseudoterminals here (/dev/ptmx, /dev/pts)', 2 unless $t;
	wait_until { look($t); $t->{told} =~ /job/ };
	my ($uvdso) = $t->{told} =~ /job (\d+)/;
	my $child = $is_child ? child($uvdso, 'sleep') : $uvdso;
	wait_until { slurp("/proc/$child/comm") eq "sleep\n" };
	type($t, "\003");
	wait_until { look($t); $t->{told} =~ /ended/ };
	like(
		$t->{told}, qr/^ended 0 2$/m,
		'^C ends a program that does not handle it, and uvdso by the same signal'
	);
	ok(gone($child) && gone($uvdso), '... and nothing is left');
	waitpid $t->{leader}, 0;
}

# The value that a signal carries (sigqueue(3)). Python has neither of the two functions.
{
	my $receive = <<'PYTHON';
import ctypes, os, struct
libc = ctypes.CDLL(None)
signals = ctypes.create_string_buffer(128)
info = ctypes.create_string_buffer(128)
libc.sigemptyset(signals)
libc.sigaddset(signals, 40)
libc.sigprocmask(0, signals, None)
print("ready", os.getpid(), flush=True)
for i in range(3):
    libc.sigwaitinfo(signals, info)
    print("code", struct.unpack_from("i", info, 8)[0], "value", struct.unpack_from("i", info, 24)[0])
PYTHON
	my $send = 'import ctypes, sys; libc = ctypes.CDLL(None);'
	    . '[libc.sigqueue(int(sys.argv[1]), 40, i) for i in (1, 2, 3)]';
	my $p = spawn($UVDSO, @RUN, '--', '/usr/bin/python3', '-c', $receive);
	wait_until { slurp($p->{out}->filename) =~ /^ready (\d+)/ };
	run('/usr/bin/python3', '-c', $send, $p->{pid});
	my $out = finish($p)->{out};
	like(
		$out, qr/^code -1 value 1\ncode -1 value 2\ncode -1 value 3\n/m,
		'signals sent with a value arrive with it'
	) || diag $out;
}

done_testing;
