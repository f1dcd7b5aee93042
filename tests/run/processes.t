#!/usr/bin/perl
# What comes from a program: its children, threads and daemons tell the time, whatever way it
# starts others works, and when all is over nothing of uvdso is left, however it ended.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use RunTest;
use Test::More;

my $end = program('end.pie');
my $dir = temp_dir();
# By a name for #! lines and shells.
my $link = "$dir/end";
symlink $end, $link or die;

# Whatever is started below carries a mark in its environment, by which it is found again.
my $MARK = "UVDSO_TEST_MARK=$$-" . time;
my %marked = (before => sub { my ($name, $value) = split /=/, $MARK; $ENV{$name} = $value });

sub with_mark {
	return grep { index(slurp("/proc/$_/environ"), "$MARK\0") >= 0 }
	    map { m{/(\d+)$} } glob '/proc/[0-9]*';
}

# The descriptors of a process, and those that a program has without uvdso.
sub descriptors {
	return [sort map { m{/(\d+)$} } glob "/proc/$_[0]/fd/*"];
}

my $plain_fds = [sort map { s/ .*//r } @{facts(run(program('start.pie'))->{out})->{fd}}];

sub nothing_left {
	my ($what) = @_;
	my @left;
	wait_until { @left = with_mark(); !@left };
	ok(!@left, $what)
	    || diag map { "$_: " . slurp("/proc/$_/cmdline") =~ tr/\0/ /r . "\n" } @left;
	kill 'KILL', @left if @left;
}

# Children and threads.
for my $kind (qw(pie static musl musl-static)) {
	my @names = qw(child grandchild vfork thread parent);
	shows(
		"$kind: a program, with its child, grandchild, vfork(2) child and threads,",
		\@names,
		program("relatives.$kind")
	);
	SKIP: {
		my $why = missing(program("relatives.$kind"));
		skip $why, 1 if $why;
		my $facts = facts(uvdso(program("relatives.$kind"))->{out});
		my @cpus = @{$facts->{cpu} // []};
		ok(
			@cpus && @cpus == $facts->{cpus}[0] && !grep({ !/^\d+ wrong 0$/ } @cpus),
			"$kind: a thread on each CPU is told that CPU, by a clock that does not run backwards"
		) || diag "@cpus";
	}
}
shows(
	'python3, in a child and beside others that it starts', [qw(child time)],
	'/usr/bin/python3',
	'-c', <<'PYTHON');
import os, subprocess, sys, time
if os.fork() == 0:
    print("child", time.time(), flush=True)
    os._exit(0)
os.wait()
assert subprocess.run(["sh", "-c", "exit 3"]).returncode == 3
assert subprocess.check_output(["echo", "x"]) == b"x\n"
assert os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)[1] == 0
print("time", time.time())
PYTHON

# Starting others.
for my $kind (qw(pie static musl)) {
	SKIP: {
		my $why = missing(program("relatives.$kind"));
		skip $why, 1 if $why;
		my $facts = facts(uvdso(program("relatives.$kind"), 'exec', $link, 3)->{out});
		is_deeply(
			$facts, {map { $_ => ['status 768'] } qw(fork vfork posix_spawn system)},
			"$kind: by fork, vfork, posix_spawn and system(3) a program starts others, and gets their status"
		);
	}
}
is_status(
	uvdso('/usr/bin/env', '/bin/sh', '-c', 'exec /usr/bin/env /bin/bash -c "exec $0 9"', $link),
	9,
	'through a chain of execs the status is that of the last program'
);
SKIP: {
	skip 'a process has only one tracer', 3 if grep { $_ eq '--follow' } @RUN;
	is_status(
		uvdso($UVDSO, @RUN, $UVDSO, @RUN, '--', $end, 42), 42,
		'three uvdso, one in another, pass on a status'
	);
	is(
		uvdso($UVDSO, @RUN, $UVDSO, @RUN, '--', $end, -POSIX::SIGTERM())->{signal},
		POSIX::SIGTERM(), '... and a signal'
	);
	my @day = ('--offset', 'realtime=+1d');
	my $p = uvdso(@day, $UVDSO, @RUN, @day, $UVDSO, @RUN, @day, '/bin/date', '+date %s');
	cmp_ok(
		abs((facts($p->{out})->{date}[0] // 0) - time - 3 * 86400), '<', 5,
		'three days in one another are three days'
	);
}

# Arguments.
is(
	facts(uvdso(program('start.pie'), ('x') x 10_000)->{out})->{argc}[0], 10_001,
	'ten thousand arguments arrive'
);
SKIP: {
	# What the kernel lets uvdso have it lets the program have; but a script's #! line comes on
	# top. With this limit of the stack it is 128 KiB in all, a word for each string included.
	my @limited = ('/bin/sh', '-c', 'ulimit -s 512; exec "$@"', 'sh');
	my $script = "$dir/script";
	open my $file, '>', $script or die $!;
	print $file "#!$link ", 'x' x 200, "\n";
	close $file;
	chmod 0755, $script;
	my @start = (@limited, $UVDSO, @RUN, $script);
	my @long = ('y' x 60_000);
	my ($fits, $too_long) = (0, 131_000 - 60_000);
	# Nothing but what a sanitizer is told.
	my $env = {map { $_ => $ENV{$_} } grep { /SAN_OPTIONS$/ } keys %ENV};

	while ($too_long - $fits > 1) {
		my $middle = int(($fits + $too_long) / 2);
		my $p = run({env => $env}, @start, @long, 'z' x $middle);
		# dash says what the kernel said; uvdso is then not even started.
		if ($p->{err} =~ /^sh: / || $p->{status} == 2) { $too_long = $middle }
		else { $fits = $middle }
	}
	refused(
		run({env => $env}, @start, @long, 'z' x $fits), 126, qr/Argument list too long/,
		'arguments that leave no room for the #! line give 126, and it is said why'
	);
	is_status(
		run({env => $env}, @start, @long, 'z' x ($fits - 1000)), 0,
		'... and with some less it runs'
	);
}

# Standard input.
{
	my $text = join '', map { "line $_\n" } 1 .. 5000;
	open my $file, '>', "$dir/text" or die $!;
	print $file $text;
	close $file;
	is(uvdso({stdin => "$dir/text"}, '/bin/cat')->{out}, $text, 'standard input may be a file');

	POSIX::mkfifo("$dir/fifo", 0600) or die $!;
	my $p = spawn({stdin => "$dir/fifo"}, $UVDSO, @RUN, '/bin/cat');
	open my $pipe, '>', "$dir/fifo" or die $!;
	print $pipe $text;
	close $pipe;
	is(finish($p)->{out}, $text, '... or a pipe');

	for ([0], [2], [0, 2]) {
		my @closed = @$_;
		my %closed = (before => sub { POSIX::close($_) for @closed });
		my ($plain, $ours) = map { [map { s/ .*//r } @{facts($_->{out})->{fd}}] }
		    run(\%closed, program('start.pie')),
		    uvdso(\%closed, program('start.pie'));
		is_deeply($ours, $plain, "where @closed was closed, it is closed for the program");
		is_status(uvdso(\%closed, '-v', $end, 6), 6, '... and there is no harm in that');
	}
}

# A daemon outlives the program that started it, and uvdso.
for my $kind (qw(pie static musl)) {
	SKIP: {
		my $why = missing(program("relatives.$kind"));
		skip $why, 5 if $why;
		my $fifo = "$dir/daemon-$kind";
		POSIX::mkfifo($fifo, 0600) or die $!;
	       # With --follow uvdso stays until the last one of the tree has gone, and system calls
	       # show the same clocks.
		my $stays = grep { $_ eq '--follow' } @RUN;
		my $p = spawn(
			{%marked, stdin => $fifo}, $UVDSO, @RUN, $stays ? () : '--no-follow',
			'--offset',
			'realtime=+86400', '--', program("relatives.$kind"), 'daemon',
			$stays ? 0 : 86400
		);
		open my $pipe, '>', $fifo or die $!;
		my ($pid) = wait_until { slurp($p->{out}->filename) =~ /^daemon (\d+)$/m ? $1 : 0 };
		my $out = $p->{out};    # held, so that the file stays
		is_status(
			finish($p), 0,
			"$kind: when a program has made a daemon of itself, uvdso ends"
		) unless $stays;
		my $alone = $stays || wait_until {
			my @all = grep { slurp("/proc/$_/comm") !~ /^uvdso-/ } with_mark();
			"@all" eq $pid
		};
		ok($alone, '... and leaves the daemon, and what keeps its time');
		is_deeply(descriptors($pid), $plain_fds, '... which has no descriptor of uvdso');
      # Long enough for a vDSO without a timekeeper to be a second late. This one has its own still.
		sleep 2 if $kind eq 'pie';
		close $pipe;
		wait_until { slurp($out->filename) =~ /^coarse/m };
		my $facts = facts(slurp($out->filename));
		is_deeply(
			$facts->{between}, ['yes'],
			'... and whose clocks go on, shifted as before'
		) || diag slurp($out->filename);
		my ($coarse, $time) = ($facts->{coarse}[0] // '') =~ /^(-?\d+) time (-?\d+)$/;
		ok(
			defined $coarse && abs($coarse) < 1000 && abs($time) <= 1,
			'... the coarse ones and time(), too'
		) || diag slurp($out->filename);
		finish($p) if $stays;
	}
}
nothing_left('when the daemons have ended, nothing is left');

# While a program runs, and however it ends.
{
	my $p = spawn(\%marked, $UVDSO, @RUN, program('signals.pie'));
	my ($pid) = wait_until { slurp($p->{out}->filename) =~ /^ready (\d+)/ ? $1 : 0 };
	is_deeply(descriptors($pid), $plain_fds, 'a program has no descriptor of uvdso');
	is(slurp("/proc/$p->{pid}/task/$p->{pid}/children"), '', 'it has no child');
	my @zombies = grep { slurp("/proc/$_/stat") =~ /\) Z/ } attendants($p->{pid});
	ok(attendants($p->{pid}) && !@zombies, 'its attendants are there, and none is a zombie');
	cmp_ok(
		scalar(with_mark()), '<=', 3,
		'a program, the timekeeper, the watchdog: there is no other process'
	);
	kill 'TERM', $pid;
	finish($p);
	nothing_left('they end together');
}
run(\%marked, $UVDSO, @RUN, @$_)
    for [$end], [$end, 3], [$end, -POSIX::SIGKILL()], [$end, -POSIX::SIGSEGV()],
    ['/nowhere/program'], ['/dev/null'], ['--offset', 'realtime=-100000d', $end],
    [program('chrono.pie')];
nothing_left('after ends of all kinds nothing is left');
for my $who ('the program', 'its attendants') {
	my $p = spawn(\%marked, $UVDSO, @RUN, program('signals.pie'));
	my ($pid) = wait_until { slurp($p->{out}->filename) =~ /^ready (\d+)/ ? $1 : 0 };
	kill 'KILL', $who eq 'the program' ? $pid : attendants($p->{pid});
	kill 'KILL', $pid;
	finish($p);
	nothing_left("when $who and then the program are killed, nothing is left");
}

# Many at once, while others have the CPUs.
{
	my @busy = map { spawn(program('spin.pie'), 20_000) } 1 .. 4;
	my @many = map {
		spawn(
			\%marked, $UVDSO, @RUN, '--offset', "realtime=+${_}d", '--', '/bin/date',
			'+date %s'
		)
	} 1 .. 20;
	my @wrong = grep {
		my $shown = facts(finish($many[$_ - 1])->{out})->{date}[0] // 0;
		abs($shown - time - 86400 * $_) > 30;
	} 1 .. 20;
	ok(!@wrong, 'twenty at once, under load, each show their own day') || diag "wrong: @wrong";
	kill 'KILL', $_->{pid} for @busy;
	finish($_) for @busy;
	nothing_left('... and leave nothing');
}

done_testing;
