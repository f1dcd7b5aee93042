#!/usr/bin/perl
# Hosts deny system calls: containers by seccomp filters, hardened kernels, old ones that have
# not all of them. Each call that uvdso makes is denied here, with the error of a filter (EPERM)
# and with that of an old kernel (ENOSYS). Then the program runs, and its clocks are right; or
# one sentence names the call and its error, with the documented status. Nothing hangs, and
# nothing is left. Single calls that fail are for run/failing-calls.
#
# Which calls those are is found by tracing each way to start a program, not from a list.
use strict;
use warnings;
use Errno qw(:POSIX);
use Faults;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $JOBS = $ENV{DENIED_JOBS} // 6;
my @ways = split ' ', $ENV{DENIED_WAYS} // 'boot default follow hand kernel trace';
my $hostage = program('hostage');

plan skip_all => 'the kernel has no seccomp_unotify(2) here' if !%NAME;

my %users = users();
my @users = grep { $_ || ($ENV{DENIED_USER} // '') ne 'ordinary' } sort keys %users;

for my $user (@users) {
	for my $way (@ways) {
		# The others' ordinary users do nothing that the default does not do.
		next if $user && $way !~ /^(default|follow|boot)$/;
		my @faults = denials_of($way, $users{$user}, calls_of($users{$user}, $way));
		my ($count, @bad) = try_all($JOBS, @faults);
		ok(
			!@bad,
			"$way$user: each of "
			    . @faults / 2
			    . ' calls denied: it runs right, or one sentence says why not'
		) || diag join "\n", @bad;
	}
}

# ---- both rungs, and the doctor -----------------------------------------------------------------

{
	my $p = run(failing('ptrace', EPERM, 0, $UVDSO_DYNAMIC, 'run', '-v', $hostage, time));
	like(
		$p->{err},
		qr/exec +by hand: ptrace\(2\) is denied here: \Q@{[told_error(EPERM)]}\E\n/,
		'-v says why a program is started by hand'
	);
	# One after the other: which of them is of the loading by hand depends on the C library.
	my @err = map {
		run(failing(
			'mmap', ENOMEM, $_, $UVDSO_DYNAMIC, 'run', '--exec=hand',
			$hostage, time
		))->{err}
	} 1 .. 8;
	ok(
		grep({ /mmap\(2\): \Q@{[told_error(ENOMEM)]}\E\n/ } @err),
		'what fails by hand is named'
	) || diag @err;
	$p = run(failing('ptrace', EPERM, 0, '/bin/sh', "$FindBin::Bin/../setup/doctor"));
	like(
		$p->{out},
		qr/^  --  kernel-exec ptrace\(2\): \Q@{[told_error(EPERM)]}\E\n +programs are started by hand/m,
		'doctor names the call and what its lack costs'
	) || diag $p->{out};
	like($p->{out}, qr/^  --  by kernel +.*ptrace\(2\)/m, '... and tries the ladder')
	    || diag $p->{out};
	like($p->{out}, qr/^  ok  by hand /m, '... to its second rung');
}
done_testing;
