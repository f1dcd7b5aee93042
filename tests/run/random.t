#!/usr/bin/perl
# random.t - those who call the vDSO's getrandom by themselves: glibc from 2.41 on, and Go from 1.24.
#
# They are real clients: nobody has told them about us. strace counts what they still ask the
# kernel for. An older C library makes a system call for each number, which shows that it counts.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $strace = '/usr/bin/strace';
my $dir = temp_dir();

plan skip_all => 'strace is not installed (package strace)' unless -x $strace;
plan skip_all => 'ptrace is denied here' if run($strace, '-o', '/dev/null', '/bin/true')->{status};

my ($glibc) = `getconf GNU_LIBC_VERSION` =~ /^glibc 2\.(\d+)/;
my $new = ($glibc // 0) >= 41;
# The memory for its states is of a kind that only Linux 6.11 and later have, MAP_DROPPABLE.
my ($major, $minor) = `uname -r` =~ /^(\d+)\.(\d+)/;
my $droppable = $major > 6 || $major == 6 && $minor >= 11;

# How often a program, with all its threads and children, makes the system call; and what it printed.
sub system_calls {
	my $p = run($strace, '-f', '-qq', '-o', "$dir/log", '-e', 'trace=getrandom', @_);
	my $calls = () = slurp("$dir/log") =~ /^\d+ +getrandom\(/mg;
	return ($calls, $p);
}

# What uvdso itself makes, for a program that makes none.
my ($own) = system_calls($UVDSO, @RUN, program('bare'));

# A program's system calls on the vDSO, against what it draws.
sub is_client {
	my ($name, $knows, $drawn, @program) = @_;
	my ($calls, $p) = system_calls($UVDSO, @RUN, '--', @program);
	$calls -= $own;

	is_status($p, 0, "$name: runs under strace");
	SKIP: {
		if (!$knows) {
			cmp_ok(
				$calls, '>=', $drawn,
				"$name: does not know the function, and asks the kernel each time"
			);
			return $p;
		}
		skip 'this kernel has no MAP_DROPPABLE', 1 unless $droppable;
 # A state begins with a system call, in each thread and child, and when the kernel has new entropy.
		cmp_ok(
			$calls, '<=', $drawn / 50,
			"$name: draws $drawn times from the vDSO, with hardly a system call"
		);
	}
	return $p;
}

for my $kind (qw(pie static static-pie musl musl-static)) {
	SKIP: {
		my $path = program("random.$kind");
		my $why = missing($path);
		skip $why, 3 if $why;
		# A static glibc did not know it in 2.43: the kernel's own vDSO shows what it does.
		my $knows =
		    $kind eq 'pie' ? $new : $kind =~ /musl/ ? 0 : (system_calls($path))[0] < 750;
		my $p = is_client("C, $kind", $knows, 1500, $path);
		is(
			$p->{out}, "drawn 1500, different 1500\n",
			"C, $kind: no thread and no child gets another's numbers"
		);
	}
}
SKIP: {
	my $why = missing('/usr/bin/python3');
	skip $why, 2 if $why;
	is_client(
		'Python', $new, 1000, '/usr/bin/python3', '-c',
		'import os; [os.urandom(16) for i in range(1000)]'
	);
}
SKIP: {
	my $age = '/usr/bin/age-keygen';
	my $why = missing($age);
	skip $why, 3 if $why;
	my ($go) = slurp($age) =~ /\bgo1\.(\d+)/;
	my ($native) = system_calls($age);
	my ($calls, $p) = system_calls($UVDSO, @RUN, '--', $age);
	like($p->{out}, qr/^AGE-SECRET-KEY-/m, "Go 1.$go: makes a key");
	cmp_ok(
		$calls - $own, '<=', $native + 1,
		'... with no more system calls than on the kernel\'s vDSO'
	);
	my $report = run($UVDSO, 'trace', '--', $age)->{err};
	my ($resolved, $count) = $report =~ /__(?:vdso|kernel)_getrandom +(\w+) +(\d+)/;

	if ($go < 24) {
		is($resolved, 'no', '... and does not know the function');
	} else {
		skip 'this kernel has no MAP_DROPPABLE', 1 unless $droppable;
		cmp_ok($count, '>=', 1, '... and draws from the vDSO');
	}
}

done_testing;
