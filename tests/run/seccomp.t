#!/usr/bin/perl
# A proof that does without a tracer: a seccomp filter kills a program that asks the kernel
# for the time. On our vDSO programs live under it and tell the time; the same programs
# without uvdso and without a vDSO die, and so does who wants a clock that the vDSO has not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use RunTest;
use Test::More;

use constant SIGSYS => 31;    # not in POSIX

my $sandbox = program('sandbox.pie');
my $dir = temp_dir();         # for core files, where such are wanted
my %plain = (before => sub { chdir $dir });
# ld.so takes a blank for the end of a name, and a directory may have one.
symlink program('filter.so'), "$dir/filter.so" or die;

sub filtered {
	my %in = (before => sub { chdir $dir; $ENV{LD_PRELOAD} = './filter.so' });
	return run(\%in, $UVDSO_DYNAMIC, @RUN, @COUNTER, @_);
}

my $nothing = program('end.pie');

{
	my $p = run($sandbox, $nothing);
	plan skip_all => 'seccomp filters are denied here' if $p->{status} == 2;
	is_status($p, 0, 'a program that reads no clock lives under the filter');
	is_status(filtered($nothing, 7), 7, 'also when uvdso starts it');
}

my $no_control = run($sandbox, '--no-vdso', $nothing)->{status} && 'ptrace is denied here';

sub killed {
	my ($p, $what) = @_;
	return is($p->{signal}, SIGSYS, $what)
	    || diag "status $p->{status}: $p->{out}$p->{err}\nThe filter does not see this call";
}

my @ONLY_PAGE =
    qw(realtime monotonic raw boottime tai realtime-coarse monotonic-coarse gettimeofday time getcpu);
my @programs = (
	(
		map { ["C ($_)", program("clocks.$_"), @ONLY_PAGE] }
		    qw(pie nopie static static-pie musl musl-static)
	),
	(map { ["C++ ($_)", program("chrono.$_")] } qw(pie static)),
	['date', '/bin/date'],
	['bash', '/bin/bash', '-c', 'echo $EPOCHREALTIME; printf "%(%s)T\n" -1'],
	[
		'perl', '/usr/bin/perl', '-MTime::HiRes', '-e',
		'print time, " ", Time::HiRes::time, "\n"'
	],
	['python3', '/usr/bin/python3', '-c', <<'PYTHON'],
import datetime, threading, time
thread = threading.Thread(target=lambda: print(datetime.datetime.now(), time.monotonic()))
thread.start()
thread.join()
PYTHON
	['busybox', '/bin/busybox', 'date'],
	['Go (age-keygen)', '/usr/bin/age-keygen'],
	['Rust (coreutils)', '/usr/bin/coreutils', 'date'],
	['Lua', '/usr/bin/lua5.4', '-e', 'print(os.time())'],
	['node', '/usr/bin/node', '-e', 'console.log(Date.now(), process.hrtime())'],
);

for (@programs) {
	my ($name, @cmd) = @$_;
	SKIP: {
		my $why = missing($cmd[0]);
		skip $why, 3 if $why;
		my $p = filtered('--', @cmd);
		is_status(
			$p, 0,
			"$name tells the time under a filter that kills who asks the kernel for it"
		);
		like($p->{out}, qr/\d/, '... and prints it');
		skip $no_control, 1 if $no_control;
		killed(
			run(\%plain, $sandbox, '--no-vdso', @cmd),
			"$name dies of the filter without uvdso and without a vDSO: the filter is real"
		);
	}
}

# The other half: what the vDSO cannot answer.
my $clocks = program('clocks.pie');
killed(
	filtered($clocks, 'cputime'),
	'a clock that only the kernel knows is caught on our vDSO, too'
);
killed(
	filtered('--no-counter', $clocks, 'monotonic'),
	'so is a fine clock where there is no counter'
);
is_status(
	filtered(
		'--no-counter', $clocks,
		qw(realtime-coarse monotonic-coarse time getcpu)
	),
	0,
	'... but no coarse clock, nor time() or the CPU'
);
is_status(
	filtered('--offset', 'realtime=+1000d', $clocks, @ONLY_PAGE), 0,
	'an offset costs no system call'
);

done_testing;
