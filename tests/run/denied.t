#!/usr/bin/perl
# Hosts deny system calls: containers by seccomp filters, hardened kernels, old ones that have
# not all of them. Each call that uvdso makes is denied here, with the error of a filter (EPERM)
# and with that of an old kernel (ENOSYS). Then the program runs, and its clocks are right; or
# one sentence names the call and its error, with the documented status. Nothing hangs, and
# nothing is left.
#
# Which calls those are is found by tracing each way to start a program, not from a list.
#
# DENIED=each denies one call at a time: the first of its kind, the second, and so on, with the
# error that fits the call (`make denials`).
use strict;
use warnings;
use Errno qw(:POSIX);
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use RunTest;
use Test::More;
use Time::HiRes qw(sleep);

use constant DAYS => 1000;

my $JOBS = $ENV{DENIED_JOBS} // 6;
my $EACH = ($ENV{DENIED} // '') eq 'each';
my $NTH_MAX = 120;    # of the same call; what is in a loop comes again and again

my $hostage = program('hostage');
my $dir = temp_dir();
chmod 0755, "$dir";
my @offset = ('--offset', 'realtime=+' . DAYS . 'd', '--');
my %ways = (
	kernel => [$UVDSO_DYNAMIC, 'run', '--exec=kernel', @offset, $hostage, 'NOW'],
	hand => [$UVDSO_DYNAMIC, 'run', '--exec=hand', @offset, $hostage, 'NOW'],
	default => [$UVDSO_DYNAMIC, 'run', @offset, $hostage, 'NOW'],
	follow => [$UVDSO_DYNAMIC, 'run', '--follow', @offset, $hostage, 'NOW', 'again'],
	trace => [$UVDSO_DYNAMIC, 'trace', @offset, $hostage, 'NOW'],
	boot => [program('booted')],
);
my @ways = $ENV{DENIED_WAYS} ? split ' ', $ENV{DENIED_WAYS} : sort keys %ways;
my %users = (
	'' => [],
	$>
	? ()
	: (', an ordinary user' => [qw(setpriv --reuid=65534 --regid=65534 --clear-groups)])
);
# Not where the tree is closed to others.
delete $users{', an ordinary user'}
    if !$>
    && run(
	@{$users{', an ordinary user'}}, program('deny.pie'), program('deny.so'), -1, 0,
	'/dev/null', '/bin/true'
)->{status};
my @users = grep { $_ || ($ENV{DENIED_USER} // '') ne 'ordinary' } sort keys %users;

# ---- which calls there are ------------------------------------------------------------------

my (%name, %number);
for my $header (grep { -e } glob '/usr/include/{,*-linux-gnu/}asm/unistd_64.h') {
	for (split /\n/, slurp($header)) {
		next unless /^#define __NR_(\w+) (\d+)/;
		$name{$2} = $1;
		$number{$1} = $2;
	}
}
plan skip_all => 'the kernel has no seccomp_unotify(2) here' if !%name;

sub deny {
	my ($user, $nr, $errno, $nth, @cmd) = @_;
	my $now = time + DAYS * 86400;
	@cmd = map { $_ eq 'NOW' ? $now : $_ } @cmd;
	return (@{$users{$user}}, program('deny.pie'), program('deny.so'), $nr, $errno, $nth, @cmd);
}

# {NR => COUNT}
sub calls_of {
	my ($user, $way) = @_;
	my $file = "$dir/" . ($way . $user) =~ s/\W+/-/gr;
	open my $out, '>', $file or die;
	chmod 0666, $file;
	my $p = run(deny($user, -1, 0, $file, @{$ways{$way}}));
	is($p->{status}, 42, "$way$user: runs right where each call is looked at")
	    || diag $p->{err};
	return {slurp($file) =~ /^(\d+) (\d+)$/mg};
}

# The error of a call that fails once, while it is there. EPERM for the others.
my %FITS = (
	(map { $_ => EMFILE }
		    qw(openat pipe2 socketpair memfd_create pidfd_open pidfd_getfd fcntl)),
	(
		map { $_ => ENOMEM }
		    qw(mmap munmap mprotect madvise brk execve poll ppoll newfstatat fstat sendmsg)
	),
	(map { $_ => EIO } qw(read write pread64 pwrite64 ftruncate close getdents64 lseek)),
	(map { $_ => EAGAIN } qw(clone clone3 recvmsg)),
	(map { $_ => EINTR } qw(wait4 waitid clock_nanosleep rt_sigtimedwait)),
);

# ---- what comes of it ------------------------------------------------------------------------

my %MESSAGE = map {
	$_ => do { local $! = $_; "$!" }
} 1 .. 133;

# Those that end a process or say what is wrong: where they are denied nothing can be said.
my %SILENT = map { $number{$_} => 1 } qw(write);

# What the C library calls them, and the manual.
my %WORD = (
	openat => 'open', newfstatat => 'f?stat', fstat => 'f?stat', pread64 => 'pread',
	pwrite64 => 'pwrite',
	wait4 => 'waitpid', faccessat2 => 'faccessat',
);

# Why it is wrong, or nothing.
sub wrong {
	my ($way, $nr, $errno, $p) = @_;
	my $call = $name{$nr};
	my $word = $WORD{$call} // $call;

	return 'it hangs' if $p->{status} == 250 || $p->{timed_out};
	return 'something is left running' if $p->{status} == 251;
	return if $p->{status} == 42;
	if ($way eq 'follow' && $p->{status} == 43) {
		return
		    if $p->{err} =~
		    /keeps the kernel's vDSO: .*\b$word\(2\).*: \Q$MESSAGE{$errno}\E/;
		return 'the second program lost its vDSO, and why is not said';
	}
	# The call that failed was the program's own.
	return if $p->{status} == 45 && $EACH && $call eq 'execve';
	return "its clock is wrong" if $p->{status} == 43;
	# On Linux close(2) closes even when it fails; one that is denied does not.
	return if $EACH && $call eq 'close' && $p->{status} == 44;
	return "a descriptor is left open" if $p->{status} == 44;
	return "status $p->{status}" if $p->{status} !~ /^12[567]$/;
	return if $SILENT{$nr} && ($p->{err} eq '' || $way eq 'trace');
	my @lines = split /\n/, $p->{err};
	return @lines . ' lines' if @lines != 1;
	return "the sentence does not name $call(2)" if $lines[0] !~ /\b$word\(2\)/;
	return "the sentence does not say '$MESSAGE{$errno}'"
	    if $lines[0] !~ /: \Q$MESSAGE{$errno}\E/;
	return;
}

# Runs them, some at the same time.
sub try_all {
	my @todo = @_;
	my (@running, @bad);
	my $ran = 0;

	while (@todo || @running) {
		while (@todo && @running < $JOBS) {
			my $try = shift @todo;
			$try->{p} =
			    spawn(deny(@$try{qw(user nr errno nth)}, @{$ways{$try->{way}}}));
			push @running, $try;
		}
		my $try = shift @running;
		my $p = finish($try->{p});
		my $why = wrong(@$try{qw(way nr errno)}, $p);
		$ran++;
		diag sprintf '%s %s %s %s%s: %d %s', $try->{way}, $name{$try->{nr}}, $try->{nth},
		    $try->{errno}, $try->{user}, $p->{status}, $p->{err}
		    if $ENV{DENIED_SHOW};
		push @bad, sprintf '%s(2) %s: %s: status %d, %s', $name{$try->{nr}},
		    ($try->{nth} ? "no. $try->{nth} " : '') . "fails with $MESSAGE{$try->{errno}}",
		    $why,
		    $p->{status}, $p->{err} || 'nothing said'
		    if $why;
	}
	return ($ran, @bad);
}

for my $user (@users) {
	for my $way (@ways) {
		# The others' ordinary users do nothing that the default does not do.
		next if $user && !$EACH && $way !~ /^(default|follow|boot)$/;
		my $calls = calls_of($user, $way);
		my @todo;
		for my $nr (sort { $a <=> $b } keys %$calls) {

			# No program that takes a signal lives without the one, and since glibc 2.41
			# none that ends without the other.
			next if $name{$nr} =~ /^(?:rt_sigreturn|exit_group)$/;
		 # brk(2) never fails: it returns what the break is, and the C library relies on it.
			next if $EACH && $name{$nr} eq 'brk';
			if ($EACH) {
				my $count = $calls->{$nr} < $NTH_MAX ? $calls->{$nr} : $NTH_MAX;
				my $errno = $FITS{$name{$nr}} // EPERM;
				push @todo,
				    map { {
					way => $way, user => $user, nr => $nr, errno => $errno,
					nth => $_
				    } } 1 .. $count;
				next;
			}
			push @todo,
			    map { {way => $way, user => $user, nr => $nr, errno => $_, nth => 0} }
			    EPERM, ENOSYS;
		}
		my ($ran, @bad) = try_all(@todo);
		ok(
			!@bad,
			"$way$user: each of " .
			    keys(%$calls)
			    . ' calls denied: it runs right, or one sentence says why not'
		) || diag join "\n", @bad;
	}
}
# ---- both rungs, and the doctor -----------------------------------------------------------------

{
	my $p =
	    run(deny('', $number{ptrace}, EPERM, 0, $UVDSO_DYNAMIC, 'run', '-v', $hostage, time));
	like(
		$p->{err}, qr/exec +by hand: ptrace\(2\) is denied here: \Q$MESSAGE{+EPERM}\E\n/,
		'-v says why a program is started by hand'
	);
	# One after the other: which of them is of the loading by hand depends on the C library.
	my @err = map {
		run(deny(
			'', $number{mmap}, ENOMEM, $_, $UVDSO_DYNAMIC, 'run', '--exec=hand',
			$hostage, time
		))->{err}
	} 1 .. 8;
	ok(
		grep({ /mmap\(2\): \Q$MESSAGE{+ENOMEM}\E\n/ } @err),
		'what fails by hand is named'
	) || diag @err;
	$p = run(deny('', $number{ptrace}, EPERM, 0, '/bin/sh', "$FindBin::Bin/../setup/doctor"));
	like(
		$p->{out},
		qr/^  --  kernel-exec ptrace\(2\): \Q$MESSAGE{+EPERM}\E\n +programs are started by hand/m,
		'doctor names the call and what its lack costs'
	) || diag $p->{out};
	like($p->{out}, qr/^  --  by kernel +.*ptrace\(2\)/m, '... and tries the ladder')
	    || diag $p->{out};
	like($p->{out}, qr/^  ok  by hand /m, '... to its second rung');
}
done_testing;
