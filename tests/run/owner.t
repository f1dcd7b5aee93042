#!/usr/bin/perl
# The process that was started is the program: what it had before, it has still, and what is
# beside it is not noticed. Both by the kernel's execve(2) and by hand.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use RunTest;
use Test::More;
use Time::HiRes qw(sleep);

my $perl = '/usr/bin/perl';
my $dir = temp_dir();

sub is_alive { return slurp("/proc/$_[0]/stat") =~ /\) [^ZX]/ }

for my $how (qw(kernel hand)) {
	my @run = ($UVDSO, @RUN, "--exec=$how", '--');

	# What a process has, and keeps through execve(2).
	my $p = run('/bin/sh', '-c', 'echo $$; exec "$@"', 'sh', @run, '/bin/sh', '-c', 'echo $$');
	my @pids = split /\n/, $p->{out};
	is($pids[1], $pids[0], "$how: the process id stays") || diag $p->{err};

	$p = run($perl, '-e', 'alarm 1; exec @ARGV', @run, '/bin/sleep', '10');
	is($p->{signal}, POSIX::SIGALRM(), "$how: an alarm set before ends the program")
	    || diag "status $p->{status}: $p->{err}";

	$p = run(
		$perl, '-e', 'if (!fork) { exit 3 } exec @ARGV', @run,
		$perl, '-e', 'print wait > 0 ? $? >> 8 : "none", " ", wait, "\n"'
	);
	is($p->{out}, "3 -1\n", "$how: a child of before is the program's, and there is no other")
	    || diag $p->{err};

	$p = run(
		$perl, '-e',
		'open my $f, "+>", shift or die; use Fcntl qw(:flock F_SETFD F_SETLK F_WRLCK);'
		    . 'my $lock = pack "ssx4qqix4", F_WRLCK, 0, 0, 0, 0; fcntl $f, F_SETLK, $lock or die $!;'
		    . 'fcntl $f, F_SETFD, 0; exec @ARGV',
		"$dir/locked", @run, $perl, '-e',
		'my ($l) = grep { /POSIX +ADVISORY +WRITE/ && / $$ / } do { open my $f, "<", "/proc/locks"; <$f> };'
		    . 'print $l ? "locked\n" : "free\n"'
	);
	is($p->{out}, "locked\n", "$how: a record lock of before is still held") || diag $p->{err};

	# Three programs that wait until there is nothing more to wait for.
	for (
		['sh', 'true & wait; echo done'],
		[$perl, '-e', 'fork || exit for 1..3; 1 while wait > 0; print "done\n"'],
		[
			'/usr/bin/python3', '-c',
			"import os\nif os.fork() == 0: os._exit(0)\ntry:\n  while True: os.waitpid(-1, 0)\n"
			    . "except ChildProcessError: print('done')"
		]
	    )
	{
		my @cmd = $_->[0] eq 'sh' ? ('/bin/sh', '-c', $_->[1]) : @$_;
		is(run(@run, @cmd)->{out}, "done\n", "$how: $cmd[0] waits for all its children");
	}
	$p = run(
		@run, $perl, '-e',
		'$SIG{CHLD} = sub { print "SIGCHLD\n" }; sleep 1; print "end\n"'
	);
	is($p->{out}, "end\n", "$how: no SIGCHLD comes by itself");

	# What is beside it.
	$p = spawn(
		'/bin/sh', '-c', 'ulimit -St 50; exec "$@"', 'sh', @run, program('compare.pie'),
		60_000
	);
	my ($pid) = wait_until { slurp($p->{out}->filename) =~ /^ready (\d+)/ ? $1 : 0 };
	my ($keeper, $watchdog) = map { attendant($pid, "uvdso-$_") } qw(keeper watchdog);
	my @stat = split ' ', slurp("/proc/$keeper/stat");
	is($stat[5], $keeper, "$how: the timekeeper has a session of its own");
	like(slurp("/proc/$keeper/status"), qr/^SigBlk:\s+[f7]/m, "$how: it takes no signals");
	my @open = grep { !/memfd:vvar|pidfd|timerfd|pipe:|^$/ }
	    map { (readlink $_) || '' } glob "/proc/$keeper/fd/* /proc/$watchdog/fd/*";
	is("@open", '', "$how: neither has a descriptor of the program's");
	my ($soft, $hard) = slurp("/proc/$keeper/limits") =~ /^Max cpu time +(\S+) +(\S+)/m;
	is($soft, $hard, "$how: the program's limit on CPU time is not the timekeeper's");
	my ($vvar) = slurp("/proc/$pid/smaps") =~ m{(/memfd:vvar.*?^VmFlags: [^\n]*)}ms;
	like($vvar, qr/ dd/, "$how: the data pages are in no core dump");
	SKIP: {
		skip 'only root may look into a timekeeper', 1 if $>;
		my @cwd = map { readlink "/proc/$_/cwd" } $keeper, $watchdog;
		is("@cwd", '/ /', "$how: neither keeps a directory busy");
	}
	kill 'KILL', $pid;
	finish($p);
	ok(
		wait_until { !is_alive($keeper) && !is_alive($watchdog) },
		"$how: they end with the program"
	);

	# A tracer waits for all that is its child in any way. To wait is all that strace does here.
	$p = run(
		@run, $perl, '-e',
		'$a = waitpid -1, 0x40000000; print "$a ", $!{ECHILD} ? "none\n" : "$!\n"'
	);
	is($p->{out}, "-1 none\n", "$how: nor for who waits for all kinds of children (__WALL)");
	SKIP: {
		skip 'strace is not installed, or may not trace', 1
		    if run('strace', '-o', '/dev/null', 'true')->{status};
		$p = run(@run, 'strace', '-f', '-o', '/dev/null', '/bin/sh', '-c', 'true; exit 3');
		is_status($p, 3, "$how: a tracer that is the program comes to its end");
	}

	# Who would adopt it is the program itself: then it is a child, but an unseen one.
	$p = run(
		'/usr/bin/python3', '-c',
		'import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0);'
		    . 'os.execv(sys.argv[1], sys.argv[1:])', @run, $perl, '-e',
		'$SIG{CHLD} = sub { print "SIGCHLD " }; print wait, "\n"'
	);
	is($p->{out}, "-1\n", "$how: a program that adopts orphans (a subreaper) sees none");

	# A program becomes another one, which has the kernel's vDSO.
	POSIX::mkfifo("$dir/stays-$how", 0600) or die $!;
	$p = spawn(@run, '/bin/sh', '-c', "read x <$dir/stays-$how; exec /bin/sleep 30");
	$keeper = attendant($p->{pid}, 'uvdso-keeper');
	open my $stays, '>', "$dir/stays-$how" or die $!;
	close $stays;
	wait_until { slurp("/proc/$p->{pid}/comm") eq "sleep\n" };
	ok(
		wait_until { !is_alive($keeper) },
		"$how: when nobody has the data pages mapped, the timekeeper ends"
	);
	is(slurp("/proc/$p->{pid}/comm"), "sleep\n", '... and the program does not');
	kill 'KILL', $p->{pid};
	finish($p);

	# What outlives the program has its clocks kept.
	POSIX::mkfifo("$dir/$_-$how", 0600) or die $! for qw(program child);
	$p = spawn(
		@run, '/bin/sh', '-c',
		"(read x <$dir/child-$how) </dev/null >/dev/null 2>&1 & read x <$dir/program-$how"
	);
	$keeper = attendant($p->{pid}, 'uvdso-keeper');
	open my $program, '>', "$dir/program-$how" or die $!;
	close $program;
	waitpid $p->{pid}, 0;
	sleep 0.4;
	my $ticks =
	    sub { slurp("/proc/$keeper/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m; $1 };
	my $before = $ticks->();
	sleep 0.3;
	cmp_ok(
		$ticks->() - $before, '>', 20,
		"$how: a child outlives the program, and its time is kept"
	);
	open my $child, '>', "$dir/child-$how" or die $!;
	close $child;
	ok(wait_until { !is_alive($keeper) }, '... until that has ended, too');
	finish($p);
}

# The attendant that traces is killed at some moment of the start. Arguments and environment of
# a megabyte make that long. The program has our vDSO, and no file of ours, or it never ran.
for my $follow ([], ['--follow']) {
	my $name = @$follow ? 'uvdso-follow' : 'uvdso-keeper';
	my $program =
	    'while read -r line; do echo "$line"; done </proc/self/maps; ls -l /proc/$$/fd';
	my @long = map { 'x' x 100_000 } 1 .. 10;
	my (%outcome, @wrong);
	for my $delay (map { $_ / 4000 } 0 .. 24) {
		my $p = spawn($UVDSO, 'run', @$follow, '/bin/sh', '-c', $program, 'sh', @long);
		my $keeper = 0;
		for (1 .. 2000) {
			($keeper) = attendants($p->{pid}, $name);
			last if $keeper || slurp("/proc/$p->{pid}/stat") =~ /\) Z/;
			sleep 0.0001;
		}
		sleep $delay;
		kill 'KILL', $keeper if $keeper;
		my $end = finish($p);
		my $out = $end->{out};
		my $ran = $out ne '';
		$outcome{$ran ? 'ran' : 'did not run'}++;
		push @wrong, "after $delay s: $out"
		    if $ran && ($out !~ /memfd:vdso/ || $out =~ / -> .*memfd/);
	}
	ok(!@wrong, "$name killed at its start: no program runs on other clocks")
	    || diag @wrong[0 .. ($#wrong < 1 ? $#wrong : 1)];
	diag join ', ', map { "$outcome{$_} $_" } sort keys %outcome if $ENV{VERBOSE};
}

done_testing;
