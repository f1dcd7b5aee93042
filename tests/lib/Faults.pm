package Faults;

# What the tests of failing system calls share: the programs, the faults that a call can have,
# and what may come of them. tests/programs/fault.c makes the calls fail.

use strict;
use warnings;
use Build ();
use Errno qw(:POSIX);
use Exporter 'import';
use POSIX ();
use RunTest;
use Test::More;

our @EXPORT = qw(%NAME %WAYS users calls_of try_all faults_of denials_of failing told_error);

use constant DAYS => 1000;

# System calls by number, and by name. None where the kernel has no seccomp_unotify(2).
our (%NAME, %NUMBER);
my ($header) = grep { -e } headers((POSIX::uname())[4]);
for ($header ? split /\n/, slurp($header) : ()) {
	next unless /^#define __NR_(\w+) (\d+)/;
	$NAME{$2} = $1;
	$NUMBER{$1} = $2;
}

# Debian has those of several machines.
sub headers {
	my ($machine) = @_;
	return map { "/usr/include/${_}asm/unistd_64.h" } "$machine-linux-gnu/", '';
}

my $dir = temp_dir();
chmod 0777, "$dir";

# Each way to a vDSO, and commands that show one. NOW is the time of the program. What is not followed is
# so on purpose: else that would be said, and be a second sentence beside that of a fault.
my $hostage = program('hostage');
my $image = "$dir/vdso.so";
my @run = ($UVDSO_DYNAMIC, 'run');
my @shifted = ('--offset', 'realtime=+' . DAYS . 'd', '--', $hostage, 'NOW');
our %WAYS = (
	kernel => {cmd => [@run, '--exec=kernel', @shifted]},
	hand => {cmd => [@run, '--exec=hand', '--no-follow', @shifted]},
	default => {cmd => [@run, @shifted]},
	follow => {cmd => [@run, '--follow', @shifted, 'again']},
	clocks => {cmd => [@run, @shifted, $UVDSO_DYNAMIC]},
	foreign => {cmd => [@run, '--image=kernel', @shifted]},
	trace => {cmd => [$UVDSO_DYNAMIC, 'trace', '--no-follow', @shifted]},
	boot => {cmd => [program('booted')]},
	map {
		my ($name, @args) = @$_;
		$name => {cmd => [$UVDSO_DYNAMIC, $name, @args], shows => 1}
	} ['check', '--clients', $image],
	['symbols', $image],
	['diff', $image, $image],
	['watch', '--times=2'],
	['dump'],
);

# {WORDS => [COMMAND...]}: this one, and what root becomes to be another.
sub users {
	my %users = (
		'' => [],
		$>
		? ()
		: (', an ordinary user' => [qw(setpriv --reuid=65534 --regid=65534 --clear-groups)])
	);
	# Not where the tree is closed to others.
	my $other = $users{', an ordinary user'};
	delete $users{', an ordinary user'}
	    if $other
	    && run(
		@$other, program('fault.pie'), program('fault.so'), 'list', '/dev/null',
		'/bin/true'
	)->{status};
	return %users;
}

sub with_fault {
	my ($user, $fault, $file, $way) = @_;
	my $now = time + DAYS * 86400;
	my @cmd = map { $_ eq 'NOW' ? $now : $_ } @{$WAYS{$way}{cmd}};
	return (@$user, program('fault.pie'), program('fault.so'), $fault, $file, @cmd);
}

my $files = 0;

sub new_file {
	my $file = "$dir/" . $files++;
	open my $out, '>', $file or die;
	chmod 0666, $file;
	return $file;
}

# Runs it once without a fault. Its calls: ([PROCESS, NR, COUNT, NAME OF THE PROCESS]...)
sub calls_of {
	my ($user, $way) = @_;
	my $file = new_file();

	if (!-e $image) {
		run($UVDSO, 'dump', '--output', $image);
		chmod 0644, $image;
	}
	my $p = run(with_fault($user, 'list', $file, $way));
	ok(
		$WAYS{$way}{shows} ? $p->{err} eq '' : $p->{status} == 42,
		"$way runs right without a fault"
	) || diag "$p->{status} $p->{err}";
	$WAYS{$way}{$_} = $p->{$_} for qw(out status);
	my @calls = map { [split ' ', $_, 4] } split /\n/, slurp($file);
	unlink $file;
	return @calls;
}

# ---- the faults of a call -----------------------------------------------------------------------

my @OPENS = (EMFILE, ENOENT, EACCES);
my @NUMBERS = (EMFILE);
# Not EWOULDBLOCK for flock(2): that is no error, but says that somebody uses the data pages.
my %ERRORS = (
	(map { $_ => [@OPENS] } qw(open openat)),
	(
		map { $_ => [@NUMBERS] }
		    qw(pipe2 socketpair memfd_create pidfd_open pidfd_getfd timerfd_create)
	),
	(map { $_ => [EIO, EAGAIN] } qw(read pread64)),
	(map { $_ => [EIO, EAGAIN, ENOSPC] } qw(write pwrite64)),
	(map { $_ => [EAGAIN] } qw(clone clone3 mmap)),
	(map { $_ => [ECHILD] } qw(wait4 waitid)),
	(map { $_ => [ESRCH] } qw(kill tgkill pidfd_send_signal rt_sigqueueinfo)),
	(map { $_ => [ESRCH, EIO] } qw(process_vm_readv process_vm_writev)),
# Not ESRCH: it means that the tracee has ended, which is no failure, and no call is repeated for it.
	ptrace => [EIO],
	(map { $_ => [EINVAL] } qw(poll ppoll clock_nanosleep nanosleep ftruncate prctl)),
	(map { $_ => [EAGAIN, EMFILE] } qw(sendmsg recvmsg)),
	close => [EIO, EBADF], fcntl => [EMFILE, EAGAIN], flock => [ENOLCK],
	execve => [ENOENT], getrandom => [EAGAIN], rt_sigtimedwait => [EAGAIN], getdents64 => [EIO],
);
my @ANY = (EPERM, EINTR, ENOMEM);

# What is no error: ["value" or "short", NUMBER].
my %OTHERS = (
	(map { $_ => [['value', 0], ['short', 1]] } qw(read pread64 getrandom)),
	(map { $_ => [['short', 1]] } qw(write pwrite64)),
	(
		map { $_ => [['value', 0]] }
		    qw(getdents64 readlink process_vm_readv ppoll clock_nanosleep)
	),
);

# No program that takes a signal lives without the first, and none ends without the next two; brk(2)
# never fails, it returns what the break is, and the C library relies on it.
my %NEVER = map { $_ => 1 } qw(rt_sigreturn exit_group exit brk);

# All faults of the calls of a way, each a hash for try_all(). What is in a loop comes again and
# again: of each call so many at most.
sub faults_of {
	my ($way, $most, @calls) = @_;
	my (@faults, %seen);

	for my $call (@calls) {
		my ($process, $nr, $count, $name) = @$call;
		my $word = $NAME{$nr} or next;
		next if $NEVER{$word};
		my @what = (
			(map { ['error', $_] } @ANY, @{$ERRORS{$word} // []}),
			@{$OTHERS{$word} // []}
		);
      # No kernel says that of a stopped program's memory: what cannot be read is left to it, with a
      # deadline in it.
		@what = grep { $_->[0] eq 'error' && $_->[1] != ESRCH } @what
		    if $way eq 'clocks' && $word eq 'process_vm_readv';
		for my $what (@what) {
			my %fault = (
				way => $way, nr => $nr, what => $what, process => $process,
				name => $name
			);
			push @faults,
			    map { { %fault, first => $_, count => 1 } }
			    1 .. ($count < $most ? $count : $most);
			# Not byte by byte: that comes to an end, but takes its time.
			$fault{what} = ['short', 100] if $what->[0] eq 'short';
			for (my $first = 1; $first <= $count; $first *= 3) {
				push @faults, {%fault, first => $first, count => 0};
			}
			push @faults, {%fault, process => -1, name => 'all', first => 1, count => 0}
			    if !$seen{"@$what $nr"}++;
		}
	}
	return @faults;
}

# Each call, denied by a filter and by an old kernel: to all of them, always.
sub denials_of {
	my ($way, $user, @calls) = @_;
	my %call = map { $_->[1] => 1 } grep { !$NEVER{$NAME{$_->[1]} // 'brk'} } @calls;

	# Where it fails for ever, and everybody knows.
	$call{$NUMBER{brk}} = 1;
	return map {
		my $nr = $_;
		map { {
			way => $way, user => $user, nr => $nr, what => ['error', $_], first => 0,
			strict => 1
		} } EPERM, ENOSYS
	} sort { $a <=> $b } keys %call;
}

# The command for run(): another one, where the NTHth call fails, or all of them do.
sub failing {
	my ($call, $errno, $nth, @cmd) = @_;
	my $fault = $nth ? "$NUMBER{$call} error $errno -1 $nth 1" : "$NUMBER{$call} deny $errno";
	return (program('fault.pie'), program('fault.so'), $fault, '/dev/null', @cmd);
}

# ---- what comes of it ------------------------------------------------------------------------

sub told_error {
	local $! = $_[0];
	return "$!";
}

# What the C library calls them, and the manual.
my %WORD = (
	openat => 'open', newfstatat => 'f?stat', fstat => 'f?stat', pread64 => 'pread',
	pwrite64 => 'pwrite', wait4 => '(?:waitpid|wait4)', faccessat2 => 'faccessat',
);

# Those that say what is wrong: where they fail nothing can be said.
my %SILENT = map { $_ => 1 } qw(write);

# Why the end of it is wrong, or nothing.
sub wrong {
	my ($try, $p) = @_;
	my $way = $WAYS{$try->{way}};
	my $call = $NAME{$try->{nr}};
	my $word = $WORD{$call} // $call;
	my $status = $p->{status};
	my ($what, $number) = @{$try->{what}};
	# Some say first that no counter is used, or that they cannot follow, as they should.
	my @lines = grep { !/^uvdso: (?:counter  not used|follow   not done)/ } split /\n/,
	    $p->{err};

	# What the program waits for is far away by the machine's clocks.
	my $hangs = $status == 250 || $p->{timed_out};
	return
	       if $hangs
	    && $try->{way} eq 'clocks'
	    && $p->{err} =~ /go by the machine's clocks: ./;
	return 'it hangs' if $hangs;
	return 'something is left running' if $status == 251;
	if ($way->{shows}) {
		return
		    if $status == $way->{status}
		    && ($p->{out} eq $way->{out} || $try->{way} eq 'watch');
		# A file that ends early is another file.
		return if $what ne 'error' && $status == 1;
		return 'it shows something else' if $status < 2;
	} else {
		return if $status == 42;
		if ($try->{way} eq 'follow' && $status == 43) {
			return if $p->{err} =~ /keeps the kernel's vDSO: ./;
			return 'the second program lost its vDSO, and why is not said';
		}
		# Then that of the tree has not been set, or its setting was not heard of.
		return if $status == 48 && $p->{err} =~ /^uvdso: clock: ./m;
		return if $status == 48 && $SILENT{$call};
		# The call that failed was the program's own.
		return if $status == 45 && $call eq 'execve';
		return 'its clock is wrong' if $status == 43;
		return 'a descriptor is left open' if $status == 44;
		return 'a child is left' if $status == 46;
		return 'something is left mapped' if $status == 47;
	}
	# What cannot be told to go on, or to exit, is ended, and that is told, or why.
	return
	       if $status == 137
	    && $call eq 'ptrace'
	    && @lines == 1
	    && $lines[0] =~
	    /run: (?:process \d+ is killed, since it cannot go on: )?ptrace\(2\): ./;
	# The tracer can answer nobody, and its end is that of a program that has no vDSO yet. A
	# tree with clocks of its own has one by itself.
	return
	       if $status == 137
	    && $SILENT{$call}
	    && $try->{way} =~ /^(?:follow|kernel|default|clocks|foreign)$/;
	return "status $status"
	    if $status !~ ($way->{shows} ? qr/^2$/ : qr/^12[567]$/);
	return if $SILENT{$call} && ($p->{err} eq '' || $try->{way} eq 'trace');
	return @lines . ' lines' if @lines != 1;
	return if !$try->{strict} && ($what ne 'error' || $way->{shows});
	my $said = $what eq 'error' ? told_error($number) : '';
	return "the sentence does not name $call(2)"
	    if $lines[0] !~ /\b$word\(2\)/ && ($try->{strict} || $lines[0] !~ /: \Q$said\E/);
	return "the sentence does not say '$said'"
	    if $try->{strict} && $lines[0] !~ /: \Q$said\E/;
	return;
}

# The fault in words.
sub told {
	my ($try) = @_;
	my ($what, $number) = @{$try->{what}};
	my $how =
	      $what eq 'error' ? 'fails with ' . told_error($number)
	    : $what eq 'short' ? "is short ($number)"
	    : "returns $number";
	my $which =
	     !$try->{first} ? ''
	    : $try->{count} ? " no. $try->{first}"
	    : " from no. $try->{first} on";
	my $who = defined $try->{name} ? "$try->{name}: " : '';
	return "$try->{way}: $who$NAME{$try->{nr}}(2)$which $how";
}

# Runs them, some at the same time. Returns counts of the outcomes, and what was wrong.
sub try_all {
	my ($jobs, @todo) = @_;
	my (@running, @bad, %count);

	while (@todo || @running) {
		while (@todo && @running < $jobs) {
			my $try = {%{shift @todo}};
			my ($what, $number) = @{$try->{what}};
			my $fault =
			    $try->{first}
			    ? "$try->{nr} $what $number $try->{process} $try->{first} $try->{count}"
			    : "$try->{nr} deny $number";
			$try->{file} = new_file();
			$try->{p} = spawn(with_fault(
				$try->{user} // [], $fault, $try->{file},
				$try->{way}
			));
			push @running, $try;
		}
		my $try = shift @running;
		my $p = finish($try->{p});
		my $hits = slurp($try->{file});
		unlink $try->{file};
		my $why = wrong($try, $p);
		my $kind =
		      defined $why ? 'wrong'
		    : $try->{first} && $hits !~ /^[1-9]/ ? 'not met'
		    : $p->{status} == ($WAYS{$try->{way}}{status} // 42) ? 'right'
		    : 'an error, said';
		$count{$kind}++;
		diag told($try) . ": $p->{status} $p->{err}" if $ENV{FAULTS_SHOW};
		next if !defined $why;
		push @bad,
		    told($try) . ": $why: status $p->{status}, " . ($p->{err} || 'nothing said');
		diag $bad[-1] if $ENV{FAULTS};
	}
	return (\%count, @bad);
}

1;
