#!/usr/bin/perl
# A host that denies a system call: a container's filter, an old kernel, a policy. Each call that
# uvdso makes is denied, one at a time, by EPERM and by ENOSYS. Then either the program runs, and
# its clocks are right; or one line says what failed, with a documented status. Nothing hangs and
# nothing is left.
#
# Which calls these are is found out by tracing, so that a new one is tried as well. Those that
# the dynamic linker and the C library make before main() are left out: they are not ours.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use RunTest;
use Test::More;

my $strace = '/usr/bin/strace';
my $program = program('compare.static');
my $dir = temp_dir();
my $MARK = "UVDSO_TEST_DENIALS_$$";

plan skip_all => 'strace is not installed (package strace)' unless -x $strace;
plan skip_all => 'ptrace is denied here' if run($strace, '-o', '/dev/null', '/bin/true')->{status};
plan skip_all => missing($program) if missing($program);
{
	my $p = run(program('sandbox.pie'), program('end.pie'));
	plan skip_all => 'seccomp filters are denied here' if $p->{status} == 2;
}

# Names to numbers, as this machine's headers have them.
my %number;
{
	my $cc = (grep { !system "command -v $_ >/dev/null 2>&1" } qw(gcc cc clang))[0];
	plan skip_all => 'no C compiler' unless $cc;
	for (`printf '#include <sys/syscall.h>\\n' | $cc -E -dM - 2>/dev/null`) {
		$number{$1} = $2 if /^#define __NR_(\w+) (\d+)$/;
	}
}

# The system calls of a command and of all that it starts, after the mark: name => 1.
sub calls_of {
	my @cmd = @_;
	my %calls;
	run($strace, '-ff', '-o', "$dir/log", @cmd);
	for my $file (glob "$dir/log.*") {
		$calls{$1} = 1 for slurp($file) =~ /^(\w+)\(/mg;
		unlink $file;
	}
	return \%calls;
}

# A filter under which one system call fails, for the child before its exec.
sub deny {
	my ($number, $errno) = @_;
	return sub {
		my $filter = pack '(SCCL)4', 0x20, 0, 0, 0, 0x15, 0, 1, $number, 0x06, 0, 0,
		    0x00050000 | $errno, 0x06, 0, 0, 0x7fff0000;
		my $filters = pack 'Sx6P', 4, $filter;
		syscall 157, 38, 1, 0, 0, 0;    # prctl(PR_SET_NO_NEW_PRIVS)
		syscall(157, 22, 2, $filters) == 0 or POSIX::_exit(97);
		$ENV{$MARK} = "call $number, errno $errno";
	};
}

# Processes that are left, and what they were denied.
sub denied { return slurp("/proc/$_[0]/environ") =~ /^.*\0?\Q$MARK\E=([^\0]*)/s ? $1 : undef }

sub with_mark {
	return grep { defined denied($_) }
	    map { m{/(\d+)$} } glob '/proc/[0-9]*';
}

my @ways = (
	['kernel', [qw(run --exec=kernel)]],
	['hand', [qw(run --exec=hand)]],
	['follow', [qw(run --follow)]],
	['either', ['run']],
	['trace', ['trace']],
);

# What every start needs, and what is denied to strace itself when it is denied at all.
my $plain = calls_of($UVDSO, '--version');
my $own = calls_of($program, 1);
my @never = qw(execve exit exit_group rt_sigreturn restart_syscall wait4 write read openat
    close mmap mprotect munmap fstat newfstatat pread64 brk);

# Those of the first rung, which strace takes away.
my @RUNG = qw(ptrace process_vm_readv process_vm_writev kill pidfd_open pidfd_getfd socketpair
    recvmsg sendmsg personality seccomp clone flock memfd_create getrandom setsid
    sched_setscheduler prctl madvise ppoll nanosleep waitid);
my %not = map { $_ => 1 } keys %$plain, keys %$own, @never;

# What is wrong with the end of a run, or nothing.
sub fault {
	my ($p) = @_;
	return 'hangs' if $p->{timed_out};
	return if $p->{status} == 0 && !$p->{signal} && $p->{out} =~ /^worst (-?\d+)/m && $1 < 1e6;
	return if $p->{status} =~ /^12[567]$/ && $p->{err} =~ /\Auvdso: [^\n]+\n\z/;
	return "status $p->{status}, signal $p->{signal}: $p->{out}$p->{err}";
}

for (@ways) {
	my ($way, $command) = @$_;
	# Under strace only the second rung is left, so the first one's calls are listed.
	my $calls = calls_of($UVDSO, @$command, '--', $program, 1);
	$calls->{$_} = 1 for @RUNG;
	my @todo = map {
		my $name = $_;
		map { [$name, $_] } 1, 38
	    }
	    sort grep { !$not{$_} && defined $number{$_} } keys %$calls;
	my $tried = @todo;
	my @wrong;

	while (my @some = splice @todo, 0, 8) {
		my @p = map {
			spawn(
				{before => deny($number{$_->[0]}, $_->[1])},
				$UVDSO, @$command, '--', $program, 1
			)
		} @some;
		for my $i (0 .. $#p) {
			my $fault = fault(finish($p[$i]));
			push @wrong, "$some[$i][0], errno $some[$i][1]: $fault\n" if $fault;
		}
	}
	cmp_ok($tried, '>', 40, "$way: more than twenty calls are denied in turn");
	ok(!@wrong, "$way: it runs right, or one line says what failed") || diag @wrong;
	wait_until { !with_mark() };
	my @left = with_mark();
	ok(!@left, "$way: ... and nothing is left")
	    || diag map { slurp("/proc/$_/comm") . "  was denied " . denied($_) . "\n" } @left;
	kill 'KILL', @left;
}

done_testing;
