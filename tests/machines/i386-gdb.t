#!/usr/bin/perl
# i386-gdb.t - gdb finds the vDSO of a 32-bit program by itself, and sees through it.
#
# A program waits in a signal handler that will return through our vDSO; gdb comes from outside.
# All it has is the vector in /proc/PID/auxv, and what lies in memory: there is no file. The
# backtrace leads through three places of the vDSO: the system call that waits, the trampoline,
# and the system call that the signal came in.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use RunTest;
use I386;

my $tried = run('gdb', '--version');
plan skip_all => 'gdb is not installed (make deps)' if $tried->{status} == 98;

for my $case (['rt_sigreturn', 'pie'], ['rt_sigreturn', 'static'], ['sigreturn', 'pie', 'plain']) {
	my ($what, $kind, @arg) = @$case;
	my $p = spawn($UVDSO32, 'run', program32("waiting.$kind"), @arg);
	my $pid = wait_until { slurp($p->{out}->filename) =~ /^(\d+)\n/ ? $1 : undef };
	if (!ok($pid, "$what, $kind: the program waits in its handler")) {
		diag(finish($p)->{err});
		next;
	}
	my $gdb = run(
		'gdb', '-nx', '-batch', '-ex', 'set debuginfod enabled off', '-p', $pid, '-ex',
		'bt'
	);
	SKIP: {
		skip 'gdb may not trace here', 4
		    if $gdb->{err} =~ /ptrace: Operation not permitted/;
		my @frames = $gdb->{out} =~ /^#(\d+ .*)$/mg;
		my ($handler) = grep { $frames[$_] =~ /wait_for_debugger/ } 0 .. $#frames;
		like(
			$frames[0] // '', qr/ in __kernel_vsyscall \(\)/,
			"$what, $kind: gdb knows the function of our vDSO by name"
		);
		ok(
			defined $handler && $handler > 0,
			"$what, $kind: ... and finds out of it into the handler"
		);
		$handler //= 0;
		like(
			$frames[$handler + 1] // '', qr/<signal handler called>/,
			"$what, $kind: behind the handler it sees a signal, not a function that called"
		);
		like(
			$frames[-1] // '', qr/ main /,
			"$what, $kind: and from there it finds the way to main()"
		) or diag("gdb said:\n$gdb->{out}$gdb->{err}");
	}
	kill 'KILL', $pid;
	finish($p);
}
done_testing();
