#!/usr/bin/perl
# What the vDSO is for: a program reads its clocks and no system call is made. And where
# the vDSO cannot answer, one is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $strace = '/usr/bin/strace';
my $dir = temp_dir();
my @CALLS = qw(clock_gettime gettimeofday time getcpu clock_getres);

plan skip_all => 'strace is not installed (package strace)' unless -x $strace;
plan skip_all => 'ptrace is denied here' if run($strace, '-o', '/dev/null', '/bin/true')->{status};

# Runs uvdso under strace. Returns what it printed, and the calls of each process, {pid} =
# [line, ...]: those of {first}, which becomes the program, and those of the one that keeps the
# time.
sub traced {
	my @cmd = @_;
	my $p =
	    run($strace, '-f', '-o', "$dir/log", '-e', 'trace=execve,' . join(',', @CALLS), @cmd);
	my @lines = split /\n/, slurp("$dir/log");
	my ($first) = ($lines[0] // '') =~ /^(\d+) /;
	my %calls;

	for (@lines) {
		my ($pid, $call) = /^(\d+) +(.*)/ or next;
		push @{$calls{$pid}}, $call if $call =~ /^\w+\(/;
	}
	$p->{first} = $first;
	$p->{calls} = \%calls;
	return $p;
}

# The clock calls of a process, as "name(first argument".
sub clock_calls {
	my ($calls) = @_;
	my @calls = map { /^(\w+\([^,)]*)/ ? $1 : $_ } grep { !/^execve/ } @{$calls || []};
	# uvdso looks at four clocks before it becomes the program. Where the kernel's own
	# vDSO has no counter these are system calls.
	my @own =
	    map { "clock_gettime($_" } qw(CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_BOOTTIME CLOCK_TAI);
	splice @calls, 0, 4 if no_counter() && "@calls[0 .. ($#calls < 3 ? $#calls : 3)]" eq "@own";
	return \@calls;
}

# The same, up to three times, until the program makes no clock call. On a busy machine a timekeeper may
# be late, and then a call is right; a vDSO that falls back does so each time.
sub traced_quietly {
	my ($p, $pid);
	for (1 .. 3) {
		$p = traced(@_);
		($pid) = $p->{out} =~ /^pid (\d+)/;
		last if !@{clock_calls($p->{calls}{$pid // $p->{first} // 0})};
	}
	return $p;
}

{
	# strace sees what it should: a program that does make the calls.
	my $p = traced($UVDSO, @RUN, program('clocks.pie'), 'cputime');
	my ($pid) = $p->{out} =~ /^pid (\d+)/;
	is($pid, $p->{first}, 'the program is the process that was started');
	cmp_ok(
		scalar(
			map { @{clock_calls($p->{calls}{$_})} }
			grep { $_ != $pid } keys %{$p->{calls}}
		),
		'>', 0,
		'strace sees the clock calls of another one, which keeps the time'
	);
	is_deeply(
		clock_calls($p->{calls}{$pid}), ['clock_gettime(CLOCK_PROCESS_CPUTIME_ID'],
		'a clock that only the kernel knows is a system call, the only one'
	) || diag $p->{err};
}
for my $kind (qw(pie nopie static static-pie musl musl-static)) {
	SKIP: {
		my $path = program("clocks.$kind");
		my $why = missing($path);
		skip $why, 2 if $why;
		# musl has no vDSO function for clock_getres().
		my @which =
		    $kind =~ /musl/
		    ? qw(realtime monotonic raw boottime tai realtime-coarse monotonic-coarse gettimeofday time getcpu)
		    : ();
		my $p = traced_quietly($UVDSO, @RUN, @COUNTER, $path, @which);
		my ($pid) = $p->{out} =~ /^pid (\d+)/;

		is_status($p, 0, "$kind: a program runs under strace");
		is_deeply(
			clock_calls($p->{calls}{$pid // 0}), [],
			"$kind: it reads every clock, the time, the resolution and the CPU without a system call"
		) || diag 'its C library does not use the vDSO, or the vDSO falls back';
	}
}
{
	my $p = traced_quietly(
		$UVDSO, @RUN, @COUNTER, '--offset', 'realtime=+1000d',
		program('clocks.pie')
	);
	my ($pid) = $p->{out} =~ /^pid (\d+)/;
	is_deeply(clock_calls($p->{calls}{$pid}), [], 'with an offset there is none, either');
}
{
	my $p = traced_quietly($UVDSO, @RUN, @COUNTER, '--', 'date');
	is_status($p, 0, 'date runs under strace');
	is_deeply(
		clock_calls($p->{calls}{$p->{first}}), [],
		'date reads the time without a system call'
	);
}
{
	my $p = traced($UVDSO, @RUN, '--no-counter', program('clocks.pie'));
	my ($pid) = $p->{out} =~ /^pid (\d+)/;
	# An argument that the kernel fills in is shown afterwards, or by itself.
	my @got = map { s/(?:\{| <unfinished).*//r } @{clock_calls($p->{calls}{$pid})};
	is_deeply(
		\@got,
		[
			(
				map { "clock_gettime($_" }
				    qw(CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_MONOTONIC_RAW CLOCK_BOOTTIME CLOCK_TAI)
			),
			'gettimeofday('
		],
		'without a counter the fine clocks are system calls, one each, and the coarse ones, '
		    . 'time(), the resolution and the CPU are not'
	);
}

{
	# Without its timekeeper the program must stop trusting the data page.
	my $p = spawn($UVDSO, @RUN, @COUNTER, program('compare.pie'), 4000 * $Build::PATIENCE);
	my ($pid) = wait_until { slurp($p->{out}->filename) =~ /^ready (\d+)/ ? $1 : 0 };
	my $count = sub {
		run(
			'/usr/bin/timeout', 0.4 * $Build::PATIENCE, $strace, '-o', "$dir/attached",
			'-e',
			'trace=gettimeofday,clock_nanosleep', '-p', $pid
		);
		my $log = slurp("$dir/attached");
		return [
			scalar(() = $log =~ /gettimeofday\(/g),
			scalar(() = $log =~ /nanosleep\(/g)
		];
	};
	my $before;
	for (1 .. 3) {
		$before = $count->();
		last if !$before->[0];
	}
	cmp_ok($before->[1], '>', 10, 'strace watches a running program');
	is($before->[0], 0, 'its gettimeofday() is none that strace could see');
	kill 'KILL', attendant($pid, 'uvdso-keeper');
	sleep 1;
	my $after = $count->();
	cmp_ok($after->[0], '>', 10, 'a second after its timekeeper was killed it is a system call')
	    || diag 'The program goes by a base that nobody updates';
	kill 'KILL', $pid;
	finish($p);
}

done_testing;
