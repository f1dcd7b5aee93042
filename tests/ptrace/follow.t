#!/usr/bin/perl
# uvdso run --follow: every program of the tree has our vDSO, however it was started, and
# nobody in the tree notices more than that.
use strict;
use warnings;
no warnings 'portable';    # addresses have 64 bits
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Build;
use RunTest;
use Test::More;
use Time::HiRes qw(sleep time);

use constant DAYS => 1000;

my $family = program('family.pie');

sub follow { return uvdso(ref $_[0] ? shift : (), '--follow', @_) }

sub shifted { return follow('--offset', 'realtime=+' . DAYS . 'd', '--', @_) }

# By how many days a number of seconds is ahead of now; they are whole unless it is wrong.
sub days { return sprintf '%.3f', (($_[0] || 0) - time) / 86400 }

sub are_shifted {
	my ($p, $count, $what) = @_;
	my @days = map { days($_) } $p->{out} =~ /^time (\d+)/mg;
	my $right = grep { abs($_ - DAYS) < 0.01 } @days;

	ok($right == $count && @days == $count && !$p->{left} && !$p->{timed_out}, $what)
	    || diag "expected $count times, ${\DAYS} days ahead; got: @days\nstatus $p->{status}, "
	    . "signal $p->{signal}: $p->{err}\nWho is not shifted reads the kernel's vDSO, or its time by system call";
}

# ---- each way to start a program ----------------------------------------------------------

for my $way (qw(exec fork vfork spawn clone thread)) {
	are_shifted(shifted($family, $way, '/bin/date', '+time %s'), 1, "$way: date has our vDSO");
	my $p = follow($family, $way, program('end.pie'), 7);
	is_status($p, 7, "$way: the status is the program's");
}
are_shifted(
	shifted($family, 'many', '/bin/date', '+time %s'), 100,
	'a hundred at once: each has our vDSO'
);
are_shifted(
	shifted(
		$family, qw(fork), $family, qw(vfork), $family, qw(spawn), $family,
		qw(thread), $family, qw(exec), '/bin/date', '+time %s'
	),
	1,
	'a grandchild of grandchildren has our vDSO'
);

for my $kind (qw(pie nopie static static-pie execstack musl musl-static)) {
	my $clocks = program("clocks.$kind");
	SKIP: {
		skip missing($clocks), 2 if missing($clocks);
		my $p = shifted($family, 'fork', $clocks);
		my $facts = facts($p->{out});
		for my $clock (qw(realtime monotonic)) {
			my $plain = facts(run($clocks)->{out});
			my $days = (($facts->{$clock}[0] // 0) - $plain->{$clock}[0]) / 86400;
			my $want = $clock eq 'realtime' ? DAYS : 0;
			ok(abs($days - $want) < 0.01, "$kind: $clock is $want days ahead")
			    || diag "$days days: $p->{err}";
		}
	}
}

{
	my $dir = temp_dir();
	open my $script, '>', "$dir/inner" or die;
	print $script "#!/bin/sh\ndate '+time %s'\n";
	close $script;
	open $script, '>', "$dir/outer" or die;
	print $script "#!$dir/inner\n";
	close $script;
	open $script, '>', "$dir/Makefile" or die;
	print $script "all: a b\na b:\n\t\@date '+time %s'\n.PHONY: all a b\n";
	close $script;
	chmod 0755, "$dir/inner", "$dir/outer";
	are_shifted(shifted("$dir/inner"), 1, 'a script and what it runs');
	are_shifted(
		shifted('sh', '-c', '"$0"; true', "$dir/outer"), 1,
		'a script whose interpreter is a script'
	);
	are_shifted(shifted('make', '-s', '-j2', '-C', "$dir"), 2, 'make and its recipes')
	    if -x '/usr/bin/make';
	are_shifted(
		shifted(
			'sh', '-c',
			'date "+time %s" | cat; (date "+time %s"); x=$(date "+time %s"); echo "$x"'
		),
		3,
		'pipes, subshells and substitutions of a shell'
	);
	are_shifted(
		shifted(
			'perl', '-e',
			'printf "time %d\n", time; system "date", "+time %s"; exec "date", "+time %s"'
		),
		3,
		'perl, system and exec'
	);
	SKIP: {
		skip 'python3 is not installed', 1 if system('command -v python3 >/dev/null 2>&1');
		are_shifted(
			shifted(
				'python3', '-c',
				<<'PY'), 5, 'python3, its threads and subprocesses');
import subprocess, threading, time
print("time %d" % time.time(), flush=True)
def work(): subprocess.run(["date", "+time %s"])
threads = [threading.Thread(target=work) for i in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
PY
	}
}

# Where signal handlers return through the kernel's vDSO, that stays.
my $stays = $MACHINE ne 'x86_64';

# ---- what the kernel says of them ---------------------------------------------------------

{
	my $facts = facts(follow($family, 'vfork', program('start.pie'))->{out});
	my @no = grep { !/ (yes|unsupported)$/ } @{$facts->{check}};
	my ($vector) = map { /^33 (\w+)/ ? hex $1 : () } @{$facts->{auxv}};
	my @maps = @{$facts->{map}};
	my ($image) = grep { /^(\w+)-/ && hex $1 == $vector } @maps;

	is("@no", '', 'stack, getauxval, /proc/self/auxv and PR_GET_AUXV agree in a child')
	    || diag 'who reads another of them would still find the kernel\'s vDSO';
	like($image // '', qr/r-xp .*memfd:vdso/, '... on an image that is ours') || diag @maps;
	is(
		scalar(grep { /\[vdso/ } @maps), $stays ? 1 : 0,
		'... and the kernel\'s ' . ($stays ? 'stays' : 'is not mapped')
	);
	my ($with, $without) = map {
		join ' ',
		    sort map { /^(\d+)/ } @{$_->{fd}}
	    } $facts,
	    facts(run($family, 'vfork', program('start.pie'))->{out});
	is($with, $without, '... and no descriptor of ours is open');
	$facts = facts(follow('--keep-kernel-vdso', $family, 'fork', program('start.pie'))->{out});
	is(
		scalar(grep { /\[vdso\]/ } @{$facts->{map}}), 1,
		'--keep-kernel-vdso holds for children, too'
	);
}
{
	my $p = follow('-v', '--', $family, 'fork', '/bin/true');
	my $number = () = $p->{err} =~ /: vector AT_SYSINFO_EHDR was \w+, is \w+$/mg;
	is($number, 2, '-v tells of each program') || diag $p->{err};
	my @unmapped = $p->{err} =~ /: unmapped \w+-\w+ \[(vdso|vvar)/mg;
	is(
		scalar(grep { $_ eq 'vdso' } @unmapped), $stays ? 0 : 2,
		'... and what it took away from each'
	) || diag $p->{err};
}

# ---- ends ---------------------------------------------------------------------------------

{
	my $p = follow('sh', '-c', 'kill -USR1 $$');
	is($p->{signal}, POSIX::SIGUSR1(), 'death by a signal is passed on');
	$p = follow(
		'sh', '-c',
		'sh -c \'kill -KILL $$\'; echo $?; sleep 30 & kill -TERM $!; wait $!; echo $?'
	);
	is($p->{out}, "137\n143\n", 'parents inside see how their children died') || diag $p->{err};
	$p = follow('sh', '-c', 'trap "echo got it" USR1; kill -USR1 $$; echo on');
	is($p->{out}, "got it\non\n", 'handlers run, once');
	$p = follow(
		'sh', '-c',
		'sleep 30 & kill -STOP $!; while ! grep -q ") [tT]" /proc/$!/stat; do :; done; '
		    . 'kill -CONT $!; while grep -q ") [tT]" /proc/$!/stat; do :; done; kill $!; echo continued'
	);
	is($p->{out}, "continued\n", 'a child that is stopped and continued goes on');
}
{
	# Stopped and continued at once, often while the vDSO is put in.
	my $p = follow('perl', '-MTime::HiRes=sleep,time', '-e', <<'EOF');
$| = 1;
my $left = 0;
sub spin { my $end = time + $_[0]; 1 while time < $end }
for my $turn (1 .. 300) {
    my $child = fork // die;
    exec '/bin/true' if !$child;
    spin(0.0003 + $turn % 60 * 0.00002);
    kill 'STOP', $child;
    spin($turn % 7 * 0.000005);
    kill 'CONT', $child;
    my $end = time + 5;
    sleep 0.001 while !waitpid($child, 1) && time < $end && kill(0, $child);
    $left++, kill 'KILL', $child if time >= $end;
    last if $left == 2;
}
print "$left left\n";
EOF
	is($p->{out}, "0 left\n", 'nobody who is stopped and continued at once stands still')
	    || diag 'a stop that is put off must not outlive SIGCONT';
}
{
	# Stopped, and not continued.
	my $p = follow('perl', '-MPOSIX=:sys_wait_h', '-MTime::HiRes=sleep,time', '-e', <<'EOF');
my ($ran, $stopped) = (0, 0);
sub spin { my $end = time + $_[0]; 1 while time < $end }
for my $turn (1 .. 60) {
    my $child = fork // die;
    exec '/bin/false' if !$child;
    spin($turn * 0.00002);
    kill 'STOP', $child;
    waitpid $child, WUNTRACED;
    next if $?;    # it has ended; perl has no status for stopped
    $stopped++;
    sleep 0.01;
    $ran++ if waitpid $child, WNOHANG;
    kill 'KILL', $child;
    waitpid $child, 0;
}
print $stopped ? "$ran ran on\n" : "none was stopped\n";
EOF
	is($p->{out}, "0 ran on\n", '... and who is not continued does not go on');
}
{
	my $dir = temp_dir();
	my $p = follow(
		{before => sub { chdir "$dir" }}, 'sh', '-c',
		'ulimit -c unlimited; kill -ABRT $$'
	);
	SKIP: {
		my $plain = run(
			{before => sub { chdir "$dir" }}, 'sh', '-c',
			'ulimit -c unlimited; kill -ABRT $$'
		);
		skip 'this machine leaves no core files', 1
		    if slurp('/proc/sys/kernel/core_pattern') !~ /^core/ || !$plain->{core};
		my @cores = matching($dir, 'core*');
		ok(@cores > 0, 'a core dump is left as without a tracer');
	}
}
{
	# Its tracer is killed, and the program goes on to start another.
	my $file = temp_dir() . '';
	mkdir $file;
	POSIX::mkfifo("$file/go", 0600) or die $!;
	my $p = spawn(
		$UVDSO, 'run', '--follow', '--', 'sh', '-c',
		"echo ready; read go <$file/go; grep -c 'memfd:vdso' /proc/self/maps >$file/out; echo end >>$file/out; sleep 0.2"
	);
	wait_until { slurp($p->{out}->filename) eq "ready\n" };
	# The shell reads: nothing is being put in any more, and killing the tracer kills nobody.
	open my $go, '>', "$file/go" or die $!;
	kill 'KILL', attendant($p->{pid}, 'uvdso-follow');
	close $go;
	ok(wait_until { slurp("$file/out") =~ /end/ }, 'a program whose tracer is killed goes on');
	is(
		slurp("$file/out"), "0\nend\n",
		'... and starts others as everybody does, on the kernel\'s vDSO'
	);
	finish($p);
	unlink "$file/out", "$file/go";
	rmdir $file;
}
{
	# At any moment, and often in the middle of an exec.
	my $hanging = 0;
	for my $turn (1 .. 40) {
		my $p = spawn(
			$UVDSO, 'run', '--follow', '--', 'sh', '-c',
			'while :; do /bin/true; done'
		);
		my $tracer = attendant($p->{pid}, 'uvdso-follow');
		sleep 0.005 + $turn * 0.0007;
		kill 'KILL', $tracer;
		wait_until { slurp("/proc/$tracer/stat") !~ /\) [^ZX]/ };
		# The shell goes on or was in an injection; nobody stands still in a trace.
		sleep 0.005;
		my $still = sub {
			for (glob '/proc/[0-9]*/stat') {
				my @f = split ' ', slurp($_);
				return 1 if @f > 4 && $f[4] == $p->{pid} && $f[2] eq 't';
			}
			return 0;
		};
		# The end of a tracer takes its time, too.
		my $looks = 0;
		sleep 0.005 while $still->() && ++$looks < 200;
		$hanging += $looks == 200;
		kill 'KILL', -$p->{pid};
		finish($p);
	}
	is($hanging, 0, 'a tracer killed at forty moments leaves nobody standing still');
}
{
	my $p = follow(
		'--offset', 'realtime=+1000d', '--', 'sh', '-c',
		'setsid sleep 0.3 & exit 5'
	);
	is($p->{status}, 5, 'the run ends with its program, not with the last of the tree');
}

# SIGCONT, and a new thread, stop in the same way as a new process does.
for my $in ([], [qw(unshare -T --monotonic 100 --fork)]) {
	SKIP: {
		skip 'namespaces are denied here', 2 if @$in && run(@$in, 'true')->{status};
		my $where = @$in ? ' in a time namespace' : '';
		my $p = uvdso(@$in, program('stopped.pie'));
		is(
			$p->{out},
			"calls 4 wrong 0\nbelow 0 bytes changed\n",
			"threads$where that are stopped in calls and continued go on with them"
		);
		is($p->{err}, '', '... and nothing is said');
	}
}

# Time namespaces of the kernel's own, which shift its answers, too.
SKIP: {
	my @shown = ('namespaces.pie', 'namespaces.static');
	my $plain = run(program($shown[0]), 'enter');
	skip 'namespaces are denied here', 2 * @shown if $plain->{status} == 77;
	for my $name (@shown) {
		for my $counter ([], ['--no-counter']) {
			my $p = follow(
				@$counter, '--offset', 'monotonic=+7', '--', program($name),
				'enter'
			);
			# Its system calls are answered by the same clocks.
			my $right = '0:0 1:0 4:0 5:0 6:0 7:0 11:0';
			is(
				$p->{out},
				join(
					'',
					map { "$_ $right\n" }
					    qw(parent child grandchild program parent)
				),
				"$name @$counter: child, grandchild and program in a time namespace are "
				    . 'shown there by system calls what the vDSO shows'
			) || diag $p->{err};
		}
	}
}

# ---- where it cannot be done --------------------------------------------------------------

# A seccomp filter under which one system call fails with EPERM, in the child before exec.
sub deny {
	my ($number) = @_;
	return sub {
		my $filter = pack '(SCCL)4', 0x20, 0, 0, 0, 0x15, 0, 1, $number, 0x06, 0, 0,
		    0x00050001,
		    0x06, 0, 0, 0x7fff0000;
		my $program = pack 'Sx6P', 4, $filter;
		syscall $SYS{prctl}, 38, 1, 0, 0, 0;    # PR_SET_NO_NEW_PRIVS
		syscall($SYS{prctl}, 22, 2, $program) == 0 or POSIX::_exit(97);
	};
}

refused(
	follow({before => deny($SYS{ptrace})}, '/bin/true'), 125,
	qr/--follow: ptrace\(2\) is denied here/,
	'where ptrace(2) is denied: 125, and it says so'
);
refused(
	follow({before => deny($SYS{pidfd_getfd})}, '/bin/true'), 125,
	qr/--follow: pidfd_getfd\(2\)/,
	'where pidfd_getfd(2) is denied: 125, and it says so'
);
{
	my $p = follow($UVDSO, 'run', '--follow', '--', '/bin/true');
	is($p->{status}, 125, 'a tree inside a tree: 125');
	like(
		$p->{err},
		qr/process \d+ traces this program already, .*the outer `uvdso run`.*`uvdso clock`/,
		'... and it says who is in the way, and what to do'
	);
}
{
	# exit(42), 32-bit.
	my $dir = temp_dir();
	my $code = pack 'C*', 0xb8, 1, 0, 0, 0, 0xbb, 42, 0, 0, 0, 0xcd, 0x80;
	open my $file, '>', "$dir/elf32" or die;
	print $file pack(
		'a16 SSL LLL LSSSSSS', "\x7fELF\1\1\1", 2, 3, 1, 0x08048054, 52, 0, 0, 52, 32, 1,
		0, 0, 0
	    ),
	    pack('L8', 1, 0, 0x08048000, 0x08048000, 84 + length $code, 84 + length $code, 5, 4096),
	    $code;
	close $file;
	chmod 0755, "$dir/elf32";
	SKIP: {
		skip 'this kernel runs no 32-bit programs', 2 if run("$dir/elf32")->{status} != 42;
		my $p = follow('sh', '-c', '"$0"; exit $?', "$dir/elf32");
		is($p->{status}, 42, 'a 32-bit program in the tree runs');
		like(
			$p->{err},
			qr/\Auvdso: \d+ elf32: keeps the kernel's vDSO: a program of another machine\n\z/,
			'... and that it has not our vDSO is said'
		);
	}
}
{
	my $p = shifted('sh', '-c', 'ulimit -n 3; date "+time %s"; exit 6');
	is($p->{status}, 6, 'without a free descriptor the program runs');
	like(
		$p->{err},
		qr/keeps the kernel's vDSO: cannot send it descriptors: socketpair\(2\): Too many open files/,
		'... and why it has not our vDSO is said'
	);
}
SKIP: {
	skip 'only root can become somebody else', 1 if $>;
	are_shifted(
		shifted(
			'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'date',
			'+time %s'
		),
		1,
		'a program of another user'
	);
}
SKIP: {
	# Without the capability the kernel execs, and the tracer leaves at once.
	skip 'only root can become somebody else', 6 if $>;
	my $p = run(
		'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', $UVDSO, 'run',
		'--no-follow', '--offset', 'realtime=+1000d', '--', 'sh', '-c',
		'readlink /proc/$$/exe; grep TracerPid /proc/$$/status'
	);
	my $q = spawn(
		'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', $UVDSO, 'run',
		'sleep', '30'
	);
	like(
		$p->{out}, qr{^/\S*bin/},
		'an ordinary user\'s program, without --follow: its exe link is its own'
	);
	like($p->{out}, qr/^TracerPid:\s+0$/m, '... and nobody traces it') || diag $p->{err};
	my $child = $q->{pid};
	wait_until {
		slurp("/proc/$child/comm") eq "sleep\n"
		    && slurp("/proc/$child/status") =~ /^TracerPid:\s+0$/m
	};
	kill 'STOP', $child;
	ok(wait_until { slurp("/proc/$child/stat") =~ /\) T/ }, '... it can be stopped');
	kill 'CONT', $child;
	kill 'TERM', $q->{pid};
	is(finish($q)->{signal}, POSIX::SIGTERM(), '... and ended');
	$p = run(
		{before => deny($SYS{ptrace})}, 'setpriv', '--reuid=65534', '--regid=65534',
		'--clear-groups', $UVDSO,
		'run', '-v', '--offset', 'realtime=+1000d', 'date', '+time %s'
	);
	like(
		$p->{err}, qr/exec     by hand: ptrace\(2\) is denied/,
		'... where ptrace(2) is denied, it says so and goes on'
	);
	are_shifted($p, 1, '... on the vDSO');
}
SKIP: {
	# Who forbids itself socketpair(2), on pain of death, and becomes another program.
	skip 'only root may lift a filter', 1 if $>;
	are_shifted(
		shifted(
			'perl', '-e',
			<<'PERL', @SYS{qw(prctl socketpair)}), 1, 'a seccomp filter of the program is not meant for our calls');
my ($prctl, $socketpair) = @ARGV;
my $filter = pack '(SCCL)4', 0x20, 0, 0, 0, 0x15, 0, 1, $socketpair, 0x06, 0, 0, 0x80000000, 0x06, 0, 0, 0x7fff0000;
my $program = pack 'Sx6P', 4, $filter;
syscall $prctl, 38, 1, 0, 0, 0;
syscall($prctl, 22, 2, $program) == 0 or die;
exec 'date', '+time %s';
PERL
}
# For an ordinary user's tracer the filter is not lifted. Calls of ours are made in a row; if one
# in the middle is answered by SIGSYS, no half of a vDSO stays behind.
for my $name (qw(madvise prctl)) {
	my @user = $> ? () : ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups');
	my $p = run(
		@user, $UVDSO, 'run', '--follow', '--', 'perl', '-e',
		<<'PERL', @SYS{$name, qw(prctl seccomp)}, '/bin/cat', '/proc/self/maps');
my ($number, $prctl, $seccomp, @command) = @ARGV;
my $filter = pack '(SCCL)4', 0x20, 0, 0, 0, 0x15, 0, 1, $number, 0x06, 0, 0, 0x00030000, 0x06, 0, 0, 0x7fff0000;
my $program = pack 'Sx6P', 4, $filter;
syscall $prctl, 38, 1, 0, 0, 0;
syscall($seccomp, 1, 0, $program) == 0 or die;
exec @command;
PERL
	my %count;
	$count{$_}++ for $p->{out} =~ /(memfd:vdso|memfd:vvar|\[vdso\])/g;
	is(
		join(' ', map { "$_ $count{$_}" } sort keys %count),
		($stays ? '[vdso] 1 ' : '') . 'memfd:vdso 1 memfd:vvar 2',
		"a filter of the program that traps $name(2): it has one vDSO of ours, and no more"
	) or diag "$p->{err}$p->{out}";
}
SKIP: {
	my @unshare = ('unshare', '--fork', '--pid', '--mount', '--net', '--ipc');
	skip 'namespaces are denied here', 1 if run(@unshare, 'true')->{status};
	are_shifted(shifted(@unshare, 'date', '+time %s'), 1, 'a program in namespaces of its own');
}

done_testing;
