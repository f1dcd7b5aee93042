#!/usr/bin/perl
# On a terminal uvdso is not noticed: the size and its changes arrive, and an interactive
# shell controls its jobs, whether it runs on the vDSO itself or a job of it does.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Build;
use RunTest;
use Terminal;
use Test::More;

my $NONE = 'no pseudoterminals here (/dev/ptmx, /dev/pts)';
my $signals = program('signals.pie');

$ENV{PS1} = '$ ';
$ENV{HISTFILE} = '/dev/null';
$ENV{TERM} = 'dumb';
my @SHELL = ('/bin/bash', '--norc', '--noprofile', '--noediting', '-i');

# Types a line, and waits until the terminal shows what matches, behind what it showed before.
sub answer {
	my ($t, $keys, $pattern) = @_;
	my $from = length look($t);
	my $found;
	type($t, $keys);
	# What is typed is echoed, so a pattern must not match its own question.
	wait_until { $found = substr(look($t), $from) =~ $pattern };
	diag "typed '$keys', no $pattern in: ", substr look($t), $from unless $found;
	return $found;
}

sub state_of { return slurp("/proc/$_[0]/stat") =~ /\) (\w)/ ? $1 : '' }

sub leave {
	my ($t, $keys) = @_;
	type($t, $keys);
	wait_until { look($t); $t->{told} =~ /ended/ };
	kill 'KILL', $t->{leader} unless $t->{told} =~ /ended/;
	waitpid $t->{leader}, 0;
}

# The size.
SKIP: {
	my $t = on_terminal($UVDSO, @RUN, '--', '/usr/bin/perl', '-e', <<'PERL');
$| = 1;
alarm 60 * $PATIENCE;
$SIG{WINCH} = sub { print "size ", `stty size` };
$SIG{TERM} = sub { exit 3 };
print "ready $$ ", -t STDIN ? "terminal" : "none", "\n";
sleep 1 while 1;
PERL
	skip $NONE, 3 unless $t;
	my ($pid) = wait_until { look($t) =~ /ready (\d+) terminal/ ? $1 : 0 };
	ok($pid, 'standard input is a terminal');
	my @sizes = map { [20 + $_, 100 + $_] } 1 .. 10;
	for (@sizes) {
		resize($t, @$_);
		wait_until { look($t) =~ /size @$_\b/ };
	}
	select undef, undef, undef, 0.1;
	is_deeply(
		[look($t) =~ /^size (\d+ \d+)$/mg], [map { "@$_" } @sizes],
		'each change of the size is told once, and the new size is the right one'
	);
	kill 'TERM', $pid if $pid;
	leave($t, '');
	like($t->{told}, qr/^ended 3 0$/m, 'and the program ends as it likes');
}

SKIP: {
	my $t = on_terminal($UVDSO, @RUN, $signals);
	skip $NONE, 2 unless $t;
	my ($pid) = wait_until { look($t) =~ /ready (\d+)/ ? $1 : 0 };
	my $count = sub { return scalar(() = look($t) =~ /got WINCH/g) };
	for my $turn (1 .. 40) {
		resize($t, 20, 80 + $turn);
		wait_until { $count->() >= $turn };
	}
	select undef, undef, undef, 0.1;
	is($count->(), 40, 'forty changes are forty signals');
	unlike(
		look($t), qr/got WINCH from [1-9]/,
		'... each from the terminal, none by way of uvdso'
	);
	kill 'TERM', $pid if $pid;
	leave($t, '');
}

# A shell on the vDSO, with jobs of its own.
SKIP: {
	my $t = on_terminal($UVDSO, @RUN, '--offset', 'realtime=+1000d', '--', @SHELL);
	skip $NONE, 9 unless $t;
	ok(
		answer($t, "echo \"<\$EPOCHSECONDS>\"\n", qr/<(\d+)>/),
		'an interactive bash runs on the vDSO'
	);
	my ($shown) = look($t) =~ /<(\d+)>/;
	cmp_ok(abs($shown - time - 86_400_000), '<', 30, '... in a thousand days');
	unlike(look($t), qr/no job control|cannot set terminal/, '... and has job control');
	ok(answer($t, quoted($signals) . "\n", qr/ready \d+/), 'it starts a job');
	ok(answer($t, "\003", qr/got INT from 0/), '^C reaches the job');
	ok(answer($t, "\032", qr/Stopped/), '^Z stops it, and the shell says so');
	ok(answer($t, "bg\n", qr/got CONT/), '`bg` continues it');
	ok(
		answer($t, "kill %1; wait %1; echo \"<\$?>\"\n", qr/<7>/),
		'its status is the program\'s'
	);
	leave($t, "exit 5\n");
	like($t->{told}, qr/^ended 5 0$/m, 'the shell\'s own status is that of uvdso');
}

# A shell, and uvdso is a job of it.
SKIP: {
	my $t = on_terminal(@SHELL);
	skip $NONE, 12 unless $t;
	answer($t, "echo \"<\$?>\"\n", qr/<0>/);
	ok(
		answer($t, quoted($UVDSO) . " @RUN " . quoted($signals) . "\n", qr/ready \d+/),
		'a shell starts uvdso'
	);
	my ($pid) = look($t) =~ /ready (\d+)/;
	ok(answer($t, "\032", qr/Stopped.*uvdso/), '^Z stops it, and the shell says so');
	like(state_of($pid), qr/^[Tt]$/, '... and the program is stopped');  # t: while it is traced
	ok(answer($t, "jobs\n", qr/Stopped.*uvdso/), '`jobs` lists it');
	ok(answer($t, "bg\n", qr/got CONT/), '`bg` continues the program');
	like(state_of($pid), qr/[RS]/, '... which runs');
	ok(answer($t, "jobs\n", qr/Running.*uvdso/), '... and `jobs` says so');
	ok(answer($t, "fg\n", qr/uvdso/), '`fg` has it back');
	ok(answer($t, "\003", qr/got INT from 0/), '^C reaches it there');
	kill 'TERM', $pid;
	ok(answer($t, "\necho \"<\$?>\"\n", qr/<7>/), 'its status is the program\'s');

	# Who reads in the background is stopped.
	ok(
		answer($t, 'set -b; ' . quoted($UVDSO) . " @RUN /bin/cat &\n", qr/Stopped.*cat/),
		'a program that reads from the terminal in the background is stopped, and uvdso with it'
	);
	ok(
		       answer($t, "fg\n", qr/cat/)
		    && answer($t, "some WORDS\n", qr/some WORDS\n(?:.*\n)*some WORDS/),
		'`fg` lets it read'
	);
	ok(
		answer($t, "\003", qr/\$ $/) && answer($t, "echo \"<\$?>\"\n", qr/<130>/),
		'^C ends it, by SIGINT'
	);
	leave($t, "exit\n");
}

SKIP: {
	my $script = '/usr/bin/script';
	skip 'script is not installed (package bsdutils)', 1 unless -x $script;
	my $p = run($script, '-qec', quoted($UVDSO) . " @RUN sh -c 'tty; exit 4'", '/dev/null');
	ok(
		$p->{status} == 4 && $p->{out} =~ m{^/dev/pts/\d+\r?$}m,
		'script(1) gives uvdso a terminal, and gets its status'
	) || diag "status $p->{status}: $p->{out}$p->{err}";
}

# The terminal is gone: the leader of the session is told, which is uvdso or has become the program.
sub end_by_hangup {
	my @cmd = @_;
	my ($number, $unlock) = (pack('i', 0), pack('i', 0));
	sysopen my $master, '/dev/ptmx', POSIX::O_RDWR() | POSIX::O_NOCTTY() or return;
	ioctl $master, 0x40045431, $unlock or return;
	ioctl $master, 0x80045430, $number or return;
	my $slave = '/dev/pts/' . unpack 'i', $number;
	return unless -e $slave;
	my $leader = fork // die;

	if (!$leader) {
		alarm 60 * $PATIENCE;
		POSIX::setsid();
		sysopen my $tty, $slave, POSIX::O_RDWR() or POSIX::_exit(1);
		POSIX::dup2(fileno $tty, $_) for 0 .. 2;
		exec @cmd or POSIX::_exit(98);
	}
	my $ready = wait_until { my $bytes; sysread $master, $bytes, 100 };
	close $master;
	my $status = 'it goes on';
	wait_until {
		my $ended = waitpid($leader, POSIX::WNOHANG()) == $leader;
		$status = ($? & 127 ? 'signal ' . ($? & 127) : 'status ' . ($? >> 8)) if $ended;
		$ended
	};
	kill 'KILL', $leader if $status eq 'it goes on';
	return $status;
}
for my $command (qw(run trace)) {
	SKIP: {
		my $status =
		    end_by_hangup($UVDSO, $command, '--', '/bin/sh', '-c', 'echo ready; sleep 30');
		skip $NONE, 1 unless $status;
		# The report is lost with the terminal, so the status of trace is another.
		is(
			$status, $command eq 'run' ? 'signal 1' : 'status 125',
			"$command: a hangup of the terminal ends the program"
		);
	}
}

done_testing;
