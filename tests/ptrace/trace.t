#!/usr/bin/perl
# uvdso trace: what a program used of the vDSO and what it asked the kernel, counted right.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use POSIX ();
use RunTest;
use Test::More;
use Time::HiRes qw(sleep time);

sub trace { return run(ref $_[0] ? shift : (), $UVDSO, 'trace', @_) }

# The tables: a list of {comm, functions => {NAME => [resolved, calls]}, asked,
# calls => {TEXT => [by vDSO, by program]}}.
sub tables {
	my ($text) = @_;
	my @tables;
	for (split /\n/, $text) {
		push @tables, {comm => $1, functions => {}, calls => {}, asked => 0}
		    if /^(.*) \(process \d+\):/;
		next unless @tables;
		$tables[-1]{functions}{$1} = [$2, $3]
		    if /^    __(?:vdso|kernel)_(\w+) +(yes|no) +(\d+)$/;
		$tables[-1]{asked} = $1 if /^  clock system calls: (\d+)$/;
		$tables[-1]{calls}{$1} = [$2, $3] if /^    (\w+\(\S*\)) +(\d+) +(\d+)$/;
	}
	return @tables;
}

my $REAL = 'Time::HiRes::clock_gettime(Time::HiRes::CLOCK_REALTIME())';
my $CPU = 'Time::HiRes::clock_gettime(Time::HiRes::CLOCK_PROCESS_CPUTIME_ID())';

# What perl makes of its clocks, and a little of its own at start and end.
sub perl {
	my ($code, @options) = @_;
	my $p = trace(@COUNTER, @options, '--', 'perl', '-MTime::HiRes', '-e', $code);
	my ($table) = tables($p->{err});
	return ($table // {}, $p);
}

my ($none, $p) = perl('1');
is_status($p, 0, 'a program runs');
my ($table) = perl("$REAL for 1 .. 1000");
is(
	$table->{functions}{clock_gettime}[1] - $none->{functions}{clock_gettime}[1],
	1000,
	'a thousand calls are counted as a thousand'
) || diag 'every call must pass the stub, and each but once';
is($table->{asked}, 0, '... and not one clock system call was made');
is($table->{functions}{clock_gettime}[0], 'yes', '... by a function that was resolved');

# Which has a function of its own on x86 alone.
my ($other) = perl('time for 1 .. 30');
SKIP: {
	skip 'there is no time() in this vDSO', 2 if $MACHINE !~ /^(?:x86_64|i386)$/;
	is(
		$other->{functions}{time}[1] - $none->{functions}{time}[1], 30,
		'each function has a count of its own: thirty of time()'
	);
	is(
		$other->{functions}{clock_gettime}[1], $none->{functions}{clock_gettime}[1],
		'... and none of clock_gettime()'
	);
}
is_deeply(
	$table->{functions}{clock_getres}, ['yes', 0],
	'what was resolved and never called: glibc looks all of them up'
) || diag explain $table;

($table) = perl("$CPU for 1 .. 17");
is_deeply(
	$table->{calls}{'clock_gettime(CLOCK_PROCESS_CPUTIME_ID)'}, [17, 0],
	'a clock that no vDSO has: seventeen calls, seventeen system calls by the vDSO'
) || diag explain $table;
($table) = perl("$REAL for 1 .. 100", '--no-counter');
cmp_ok(
	$table->{calls}{'clock_gettime(CLOCK_REALTIME)'}[0] // 0, '>=', 100,
	'without a counter the vDSO asks the kernel, and it shows'
);
my ($gettime, $getcpu) = $MACHINE eq 'x86_64' ? (228, 309) : (113, 168);
($table) = perl(
	"\$b = qq(\\0) x 16; syscall $gettime, 1, \$b for 1 .. 5; syscall $getcpu, 0, 0, 0 for 1 .. 3"
);
is_deeply(
	[@{$table->{calls}}{'clock_gettime(CLOCK_MONOTONIC)', 'getcpu()'}], [[0, 5], [0, 3]],
	'system calls by the program itself are told apart'
) || diag explain $table;
($table) = perl("for (1 .. 4) { if (!fork) { $REAL for 1 .. 50; exit } } 1 while wait > 0");
cmp_ok(
	$table->{functions}{clock_gettime}[1] // 0, '>=', 200,
	'what forked children call is counted with their program'
);
{
	my $threads = trace(program('threads.pie'), 4, 1000);
	my ($table) = tables($threads->{err});
	is(
		($table->{functions}{clock_gettime} // [0, 0])->[1], 4000,
		'threads of several CPUs lose no count'
	) || diag $threads->{err};
}
SKIP: {
	my $static = program('threads.musl-static');
	skip missing($static), 2 if missing($static);
	my ($table) = tables(trace($static, 1, 10)->{err});
	is_deeply(
		$table->{functions}{clock_gettime}, ['yes', 10],
		'musl resolves what it uses'
	);
	is_deeply($table->{functions}{gettimeofday}, ['no', 0], '... and nothing else');
}

# Trees.
{
	my @command = ('sh', '-c', 'date >/dev/null; date >/dev/null');
	my @one = tables(trace(@command)->{err});
	is("@{[map { $_->{comm} } @one]}", 'sh', 'without --follow the program alone is counted');
	my @tree = tables(trace('--follow', '--', @command)->{err});
	is("@{[map { $_->{comm} } @tree]}", 'sh date date', 'with --follow each of the tree');
	is($tree[1]{functions}{clock_gettime}[1], 1, '... date has asked once');
	my ($shifted) = trace('--offset', 'realtime=+1000d', '--', 'date', '+%s')->{out};
	cmp_ok(abs($shifted - time - 86400e3), '<', 60, 'the options of run are there, too');
}

# Ends.
is_status(trace('sh', '-c', 'exit 7'), 7, 'the status is the program\'s');
is(trace('sh', '-c', 'kill -TERM $$')->{signal}, POSIX::SIGTERM(), '... and so is the signal');
{
	my $begin = time;
	my $p = trace('sh', '-c', 'sleep 0.4 & exit 3');
	cmp_ok(time - $begin, '>', 0.35, 'it waits for what the program has left behind');
	is($p->{status}, 3, '... and ends like the program');
	$p = spawn($UVDSO, 'trace', 'sh', '-c', 'sleep 30 & echo ends; exit 0');
	wait_until { slurp($p->{out}->filename) eq "ends\n" };
	sleep 0.3 * $Build::PATIENCE;
	kill 'INT', $p->{pid};
	finish($p);
	like($p->{err}, qr/^sh \(process/m, '... but not after ^C: then it says what it has')
	    || diag "status $p->{status}";
}
refused(trace('./no-such-program'), 127, qr/no-such-program/, 'what cannot be found: 127');
refused(trace(), 125, qr/no PROGRAM given/, 'no program: 125');

# When it is off there is nothing of it.
{
	my $shown =
	    sub { my $p = run($UVDSO, @_, '--', 'cat', '/proc/self/maps'); return $p->{out} };
	my ($off, $on) = map { $shown->($_) } qw(run trace);
	my $pages = sub {
		my ($start, $end) = $_[0] =~ /^(\w+)-(\w+) r-xp .*memfd:vdso /m;
		no warnings 'portable';
		(hex($end) - hex $start) / $PAGE;
	};
	is($pages->($on) - $pages->($off), 1, 'the stubs are a page of code behind the image');
	like($on, qr/rw-s .*memfd:vdso-counters/, '... and the counters one of data');
	unlike($off, qr/counters/, 'without trace there is neither');
}

done_testing;
