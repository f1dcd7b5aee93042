#!/usr/bin/perl
# i386.t - 32-bit programs on the vDSO: system calls, signals and exceptions go through it.
#
# The points are those of the programs in tests/machines/i386, which look at all this from inside;
# each is run linked in both ways, and once more under --follow.
use strict;
use warnings;
use lib 'tests/lib';
use Build;
use Test::More;
use RunTest;
use I386;

# Runs a program on the vDSO and takes its points over.
sub points {
	my ($what, @command) = @_;
	my $p = run(@command);
	my $seen = 0;
	for (split /\n/, $p->{out}) {
		next unless /^(not )?ok \d+ - (.*)/;
		ok(!$1, "$what: $2");
		$seen++;
	}
	diag($p->{err}) if $p->{err} ne '';
	my ($plan) = $p->{out} =~ /^1\.\.(\d+)$/m;
	ok(
		defined $plan && $plan == $seen && $p->{status} == 0,
		"$what: the program runs to its end"
	) or diag("status $p->{status}, $seen points, the plan is " . ($plan // 'missing'));
}

for my $name (qw(vsyscall sigreturn exception)) {
	SKIP: {
		skip 'there is no i686-linux-gnu-g++ (make deps)', 1
		    unless -x program32("$name.pie");
		points("$name, $_", $UVDSO32, 'run', program32("$name.$_")) for qw(pie static);
	}
}
points('times', $UVDSO32, 'run', program32('times.pie'));
points('times, without a counter', $UVDSO32, 'run', '--no-counter', program32('times.static'));
# 2038 is past: seconds of 34 bits.
points(
	'times, in the year 2245', $UVDSO32, 'run', '--offset', 'realtime=+80000d',
	program32('times.pie')
);

# The ways through the vDSO that are not the usual one, as well.
points('steps', $UVDSO32, 'run', program32('steps.pie'));
points(
	'steps, in a namespace', $UVDSO32, 'run', '--offset', 'monotonic=+1000',
	program32('steps.pie')
);
points('steps, without a counter', $UVDSO32, 'run', '--no-counter', program32('steps.static'));
points('vsyscall, followed', $UVDSO32, 'run', '--follow', program32('vsyscall.pie'));

# glibc's loader shows the vector. Where system calls go is said there, and stays the kernel's if
# its vDSO does.
for my $case (
	['', ours => 'run'], [', followed', ours => 'run', '--follow'],
	[', with --keep-kernel-vdso', 'the kernel\'s' => 'run', '--keep-kernel-vdso'],
	[
		', followed with --keep-kernel-vdso', 'the kernel\'s' => 'run', '--follow',
		'--keep-kernel-vdso'
	]
    )
{
	my ($how, $whose, @run) = @$case;
	my $p =
	    run({env => {LD_SHOW_AUXV => 1}}, $UVDSO32, @run, program32('vsyscall.pie'), 'and end');
	# The first ones are those of uvdso itself.
	my @entries = $p->{out} =~ /^AT_SYSINFO: +0x(\w+)$/mg;
	my @ehdrs = $p->{out} =~ /^AT_SYSINFO_EHDR: +0x(\w+)$/mg;
	my $distance = hex($entries[-1] // 0) - hex($ehdrs[-1] // 0);
	is(
		$distance > 0 && $distance < 8192 ? 'ours' : 'the kernel\'s', $whose,
		"AT_SYSINFO$how: $whose"
	);
}

# trace counts what 32-bit programs call, and what they still ask the kernel.
{
	my $p = run($UVDSO32, 'trace', '--no-counter', program32('times.pie'));
	my %calls = $p->{err} =~ /^    (__\w+) +(?:yes|no|\?) +(\d+)$/mg;
	my ($vdso) = $p->{err} =~ /^    clock_gettime64\(CLOCK_REALTIME\) +(\d+) +\d+$/m;
	is_status($p, 0, 'trace: the program runs');
	is_deeply(
		[sort keys %calls],
		[
			map { "__vdso_$_" }
			    qw(clock_getres clock_gettime clock_gettime64 getcpu gettimeofday time)
		],
		'... each function has its line, and no trampoline has one'
	);
	ok(!(grep { !$_ } values %calls), '... it has called all of them') || diag $p->{err};
	cmp_ok($vdso // 0, '>', 0, '... without a counter they ask the kernel') || diag $p->{err};
}

# Each width has its own uvdso, and says so.
SKIP: {
	skip 'there is no other uvdso here', 4 unless -x "$BUILD/uvdso";
	my $p = run("$BUILD/uvdso", 'run', program32('vsyscall.static'));
	is($p->{status}, 126, 'the 64-bit uvdso refuses a 32-bit program: 126');
	like(
		$p->{err},
		qr/\Auvdso: \S+: a program for another machine, i386: a uvdso built for i386 runs it\n\z/,
		'... and names the one that runs it'
	);
	$p = run($UVDSO32, 'run', "$BUILD/uvdso");
	is($p->{status}, 126, 'the 32-bit uvdso refuses a 64-bit program: 126');
	like(
		$p->{err}, qr/another machine, x86_64: a uvdso built for x86_64 runs it/,
		'... and names the one that runs it'
	);
}
done_testing();
