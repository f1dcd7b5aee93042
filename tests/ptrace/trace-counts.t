#!/usr/bin/perl
# uvdso trace: the numbers of its report are those that strace counts, and that the program
# knows itself.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(min sum0);
use Build;
use POSIX ();
use RunTest;
use Test::More;
use Time::HiRes qw(time);

# time(2) is there on x86 alone.
my @CALLS = (
	qw(clock_gettime clock_getres gettimeofday getcpu getrandom),
	$MACHINE =~ /^(?:x86_64|i386)$/ ? 'time' : ()
);
my $strace = '/usr/bin/strace';
my $dir = temp_dir();

plan skip_all => 'strace is not installed (package strace)' unless -x $strace;
plan skip_all => 'ptrace is denied here' if run($strace, '-o', '/dev/null', '/bin/true')->{status};

# What uvdso trace says: of all programs together, {CALL} = [by vDSO, by program], and the calls
# of functions.
sub traced {
	my $p = run($UVDSO, 'trace', @_);
	my (%made, %called);
	my $said = 0;

	for (split /\n/, $p->{err}) {
		if (/^    (\w+)(?:\(.*\)| clocks) +(\d+) +(\d+)$/) {
			$made{$1}[0] += $2;
			$made{$1}[1] += $3;
		}
		$called{$1} += $2 if /^    __(?:vdso|kernel)_(\w+) .* (\d+)$/;
		$said += $1 if / system calls: (\d+)$/;
	}
	is($said, sum0(map { @$_ } values %made), "... and its sums are those of its lines");
	return (\%made, \%called, $p);
}

# What strace says, of the same program without uvdso: {CALL} = how many.
sub straced {
	my %made;

	run($strace, '-f', '-c', '-o', "$dir/count", '-e', 'trace=' . join(',', @CALLS), @_);
	for (split /\n/, slurp("$dir/count")) {
		my ($calls, $name) = /^ *[\d.]+ +[\d.]+ +\d+ +(\d+).* (\w+)$/ or next;
		$made{$name} = $calls if $name ne 'total';
	}
	return \%made;
}

my $N = 7;

# How each works, and how many do: by which the shares of vDSO and program are known.
my @WAYS = (
	['pie', 'work', 1, 'a program'],
	['static', 'work', 1, 'a static program'],
	['pie', 'threads', 100, 'a program of a hundred threads'],
	['pie', 'leaves-threads', 1, 'a program whose end is that of fifty threads'],
	['pie', 'first-ends', 2, 'a program whose first thread ends first'],
	['pie', 'forks', 6, 'forked children'],
	['static', 'vforks', 6, 'children that share its memory'],
	['pie', 'clones', 3, 'children by clone(2)'],
	['pie', 'thread-execs', 3, 'a thread that becomes another program'],
	['pie', 'killed', 1, 'a program that is killed'],
	['pie', 'daemonises', 1, 'a daemon'],
);

for (@WAYS) {
	my ($kind, $how, $times, $what) = @$_;
	my @command = (program("asks.$kind"), $how, $N);
	my $truth = straced(@command);
	my ($made, $called, $p) = traced('--follow', '--', @command);
	my %sum = map { $_ => sum0(@{$made->{$_}}) } keys %$made;
	my $all = $times * $N;

	# glibc asks for random numbers when it starts: by a system call, or in the vDSO.
	my $random = [map { delete $_->{getrandom} // 0 } \%sum, $truth];
	is_deeply(\%sum, $truth, "$what: strace counts as many system calls, of each kind")
	    || diag $p->{err};
	cmp_ok(abs($random->[0] - $random->[1]), '<=', 2, '... and of getrandom')
	    || diag "@$random";
	cmp_ok($made->{getrandom}[1], '>=', $all, '... which it made itself');
	is_deeply(
		$made->{clock_gettime},
		[$all, $all], '... half of clock_gettime by the vDSO, which fell back'
	) || diag $p->{err};
	is($called->{clock_gettime}, $all, '... in every call that there was');
	unlike($p->{err}, qr/^    __\w+ +\?/m, '... and what it has resolved is known');
}

# Numbers that are known beforehand.
{
	my ($made, $called, $p) = traced('--no-counter', '--', program('asks.pie'), 'library', 50);
	# Where the timekeeper comes late a coarse one is a system call, too.
	my ($vdso, $program) = @{$made->{clock_gettime}};
	ok(
		$vdso >= 50 && $vdso < 60 && $program == 0,
		'without a counter: of 50 fine and 50 coarse times 50 system calls'
	) || diag $p->{err};
	is_deeply($made->{gettimeofday}, [50, 0], '... and 50 of gettimeofday');
	is($called->{clock_gettime}, 100, '... while both were asked of the vDSO');

	($made, $called, $p) = traced('--', program('asks.pie'), 'filters', 4);
	is_status($p, 0, 'a filter that leaves a call to a tracer finds none: ENOSYS');
	is_deeply($made->{gettimeofday}, [0, 4], '... and what it has made is counted')
	    || diag $p->{err};

	($made, $called, $p) = traced('--', program('asks.pie'), 'clocks', 1);
	is(
		sum0(map { $made->{$_}[1] // 0 } qw(clock_gettime clock_getres other)),
		102, 'a hundred clocks more: none is lost, those without a line share one'
	) || diag $p->{err};
	is(
		scalar(() = $p->{err} =~ /^    clock_gettime\(\d+\)/mg), 20,
		'... beside twenty that have one'
	);
	is($made->{getcpu}[1], 1, '... and none is counted as another call');
}
SKIP: {
	skip 'one numbering of system calls here', 1
	    if run(program('asks.pie'), 'other-numbers')->{status} == 3;
	my ($made) = traced('--', program('asks.pie'), 'other-numbers');
	is($made->{clock_gettime}, undef, 'a call in another numbering is another call');
}
SKIP: {
	my $p = run(program('opaque'));
	skip 'the vDSO has no getrandom', 3 if $p->{status} == 2;
	($p) = (traced('--', program('opaque')))[2];
	my ($vdso, $program) = $p->{out} =~ /^vdso (\d+) program (\d+)/;
	my ($by_vdso, $by_program) = $p->{err} =~ /^    getrandom\(\) +(\d+) +(\d+)$/m;

	# A new key is fetched when the kernel has reseeded meanwhile.
	cmp_ok($by_vdso, '>=', $vdso, 'getrandom: each time the vDSO falls back is counted')
	    || diag $p->{err};
	cmp_ok($by_vdso, '<=', $vdso + 3, '... and no other');
	cmp_ok($by_program, '>=', $program, '... apart from what the program asks itself');
}

# Threads that end cost nothing. The program has memory that takes time to search.
{
	my $time = sub {
		my $begin = time;
		run($UVDSO, 'trace', program('asks.pie'), 'thread-ends', @_);
		return time - $begin;
	};
	my ($one, $many) = map {
		my $n = $_;
		min(map { $time->($n) } 1 .. 2)
	} 1, 100;
	cmp_ok($many / $one, '<', 4, 'a program is searched once, not at the end of each thread')
	    || diag "$one s with one, $many s with a hundred";
}

# What is not known is not said.
{
	my %goes_on = (
		'a child' => ['perl', '-e', '$| = 1; print "stays\n"; fork and exit; sleep 30'],
		'a child of which a thread has ended' => [program('asks.pie'), 'stays'],
	);
	my %running = map { $_ => spawn($UVDSO, 'trace', @{$goes_on{$_}}) } sort keys %goes_on;
	for my $p (values %running) {
		wait_until { slurp($p->{out}->filename) eq "stays\n" };
	}
	select undef, undef, undef, 0.3;
	for my $what (sort keys %running) {
		my $p = $running{$what};
		kill 'INT', $p->{pid};
		finish($p);
		like(
			$p->{err}, qr/^    __\w+_clock_gettime +(yes|\?) /m,
			"a report while $what goes on"
		);
		unlike($p->{err}, qr/^    __\w+ +no /m, '... does not say what is not resolved');
	}
}

{
	my ($few, $many) = map { run($UVDSO, 'trace', program('asks.pie'), 'tries', $_)->{err} } 3,
	    100;
	unlike($few, qr/^    __\w+ +\?/m, 'execve(2) after some that failed: all is known');
	unlike($many, qr/^    __\w+ +no /m, '... after very many not what is missing');
}

done_testing;
