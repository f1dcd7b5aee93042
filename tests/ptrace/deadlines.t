#!/usr/bin/perl
# deadlines.t - in a tree with clocks of its own, a deadline is met when the program's clock shows it, and
# a system call that asks for the time returns that of the program.
#
# The calls are those of tests/programs/waits.c. What each says without us is asked first: an old kernel does
# not have all of them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;
use Time::HiRes 'time';

my @past =
    qw(--offset realtime=-1000d --offset tai=-1000d --offset boottime=+7d --offset monotonic=+300d);
my @future = qw(--offset realtime=+1000d --offset tai=+1000d);

# A wait of 0.2 s is one that takes at least as long, and not for ever: machines are busy.
sub lengths {
	my ($p) = @_;
	my %took;
	for (split /\n/, $p->{out}) {
		my ($call, $result, $seconds) = /^(.*) (\S+) ([\d.]+)$/ or next;
		$took{"$call $result"} =
		      $result eq 'ENOSYS' ? 'not there'
		    : $seconds > 0.15 && $seconds < 10 ? 'as long as asked for'
		    : "$seconds s";
	}
	return \%took;
}

for my $kind ('pie', 'static', missing('musl-gcc') ? () : 'musl') {
	my $waits = program("waits.$kind");
	my $plain = lengths(run($waits));
	cmp_ok(keys %$plain, '>', 20, "control: $kind has its deadlines") or next;
	is_deeply(
		lengths(run($UVDSO, 'run', @$_, '--', $waits)), $plain,
		"... and on other clocks, too (@$_)"
	) for \@past, \@future;
}

my $waits = program('waits.pie');
for my $what (['clocks'], ['errors']) {
	my $plain = run($waits, @$what);
	my $p = run($UVDSO, 'run', @past, '--', $waits, @$what);
	is($p->{out}, $plain->{out}, "@$what: the same as without us") or diag $p->{err};
}

# A program of 32 bits asks the kernel for everything. It is never the first.
SKIP: {
	my ($narrow) = grep { -x } "$Build::BUILD/i386/tests/machines/i386/waits.static";
	skip 'nothing is built for i386', 3 if !$narrow;
	my $plain = run($narrow);
	skip 'this kernel runs no 32-bit programs', 3 if $plain->{status};
	is_deeply(
		lengths(run($UVDSO, 'run', @past, '--', 'env', $narrow)), lengths($plain),
		'32 bits: the same deadlines'
	);
	for my $what ('clocks', 'errors') {
		my $p = run($UVDSO, 'run', @past, '--', 'env', $narrow, $what);
		is(
			$p->{out}, run($narrow, $what)->{out},
			"32 bits: $what are the same as without us"
		) or diag $p->{err};
	}
}

# Clocks with a rate of their own, at which half a minute takes half a second. A wait that is not converted
# would take half a minute, which is longer than a test may.
for my $what ([30000], ['lengths', 30000]) {
	my $plain = lengths(run($waits, @$what[0 .. $#$what - 1], 200));
	my $p = run($UVDSO, 'run', qw(--rate 60 --rate-all --), $waits, @$what);
	my %took = $p->{out} =~ /^(.*) ([\d.]+)$/mg;
	is_deeply(
		[sort keys %took], [sort keys %$plain],
		"at sixty times the speed all @$what have an end"
	) or diag $p->{err};
	is_deeply(
		[grep { $took{$_} < 29 } sort keys %took], [],
		'... and by its own clock none comes early'
	);
}
{
	my $before = time;
	my $plain = lengths(run($waits, 'lengths', 200));
	my $p = run($UVDSO, 'run', qw(--rate 0.02 --rate-all --), $waits, 'lengths', 10);
	my %took = $p->{out} =~ /^(.*) ([\d.]+)$/mg;
	is_deeply([sort keys %took], [sort keys %$plain], 'at a fiftieth of it, too')
	    or diag $p->{err};
	cmp_ok(time - $before, '>', 0.4, '... it takes so much longer');
	is_deeply([grep { $took{$_} < 0.009 } sort keys %took], [], '... each of them');
}

# The time that is left of a timer is told by the clock that it was set by: for a length of time that is the
# machine's, unless all clocks have a rate.
for my $rate (['--rate', 60], ['--rate', 60, '--rate-all']) {
	my $p = run($UVDSO, 'run', @$rate, '--', program('midst.pie'), 'timers');
	my ($left) = $p->{out} =~ /^timers (.*), /;
	is(
		$left, join(', ', map { "$_ 10 1" } qw(length was moment was length was)),
		"@$rate: timers tell what is left of them"
	) or diag $p->{err};
}

# Whatever happens in the middle.
my $plain = run($waits, 'signals', 300);
my $p = run($UVDSO, 'run', @future, '--', $waits, 'signals', 300);
my ($theirs, $ours) = map { [$_->{out} =~ /^(\S+ \S+ \S+) ([\d.]{3})/mg] } $plain, $p;
is(scalar(@$ours), 30, 'a wait in whose middle signals come has an end');
is_deeply(
	[@$ours[map { 2 * $_ } 0 .. 14]], [@$theirs[map { 2 * $_ } 0 .. 14]],
	'... and the one that it has without us'
) or diag $p->{out}, $p->{err};
my %took = $p->{out} =~ /^(\S+ \S+) \S+ ([\d.]+)$/mg;
is_deeply(
	[
		grep { $took{$_} < 0.25 }
		grep { !/handled$/ || /unhandled/ }
		grep { !/^(?:nanosleep|futex) restarted/ } sort keys %took
	],
	[],
	'those that are restarted end when they should'
);

$p = run($UVDSO, 'run', @future, '--', $waits, qw(many 500 300));
like($p->{out}, qr/^(\d+): 0 early, 0 late, 0 failed$/, 'many threads wait at once')
    or diag $p->{err};

my %midst = (
	plain => '0', vfork => 'plain 0 0.\d+\n7', 'vfork-waits' => '0', forks => '0',
	'thread-exec' => 'plain 0', filter => 'EAGAIN 0',
	'many-timers' => '0'
);
for my $what (sort keys %midst) {
	my $p = run($UVDSO, 'run', @future, '--', program('midst.pie'), $what);
	my ($seconds) = $p->{out} =~ /^\Q$what\E $midst{$what} ([\d.]+)\n\z/;
	ok(
		defined $seconds && $seconds > 0.15 && $seconds < 10,
		"$what: it waits as long as asked for"
	) or diag $p->{out}, $p->{err};
}

# In the kernel's seconds an alarm would come after six of the program's.
for my $rate (1, 3) {
	my $p =
	    run($UVDSO, 'run', '--rate', $rate, '--rate-all', '--', program('midst.pie'), 'alarms');
	like(
		$p->{out}, qr/^alarms 0 [23] (?:4\.\d|5\.[0-4]) 0 [12] alarm-left [789] /,
		"alarm(2) at rate $rate: seconds of the program"
	) or diag $p->{err};
}

# A program that has closed its memory cannot be answered by who is not root. It is told what the kernel
# says, and that is said; never that its own address is a bad one.
{
	my $p = run($UVDSO, 'run', @future, '--', program('midst.pie'), 'closed');
	like($p->{out}, qr/^closed 0 /, 'a program that closes its memory is told the time');
	is(
		$p->{err} =~ /^uvdso: \d+ midst.pie: has closed its memory/ ? 1 : 0, $> ? 1 : 0,
		'... and where that is not its own, it is said'
	) or diag $p->{err};
}

# The clock that a program sets is that of its tree, and it takes the same right.
{
	my ($rights) = slurp('/proc/self/status') =~ /^CapEff:\s+(\w+)/m;
	my $may = hex(substr $rights, -8) & 1 << 25;
	my $before = time;
	my $p = run($UVDSO, 'run', @future, '--', program('midst.pie'), 'set');
	my ($denied, $is, $on) = $may ? (0, '[0-5]', '360[0-5]') : (1, '-?\d{4,}', '-?\d{4,}');
	like(
		$p->{out}, qr/^set $denied $is $is $denied $on 0 [\d.]+$/,
		'a program sets the clock of its tree'
	) or diag $p->{err};
	cmp_ok(abs(time - $before), '<', 1000, '... and never that of the machine');
	SKIP: {
		skip 'it takes CAP_SYS_TIME', 3 if !$may;
		my %want = ('set-while' => '0 0', 'set-thread' => '0', 'set-groups' => '0');
		for my $what (sort keys %want) {
			my $p = run($UVDSO, 'run', @future, '--', program('midst.pie'), $what);
			my ($seconds) = $p->{out} =~ /^$what $want{$what} ([\d.]+)$/;
			ok(
				defined $seconds && $seconds < 9,
				"$what: the clock is set, and whoever waits for what it shows then is woken"
			) or diag $p->{out}, $p->{err};
		}
	}
}

# The whole tree: one day in all of it, and a time that is not its own for none.
my $year = (gmtime(time + 1000 * 86400))[5] + 1900;
my $tree =
    q(date +%Y; env date +%Y; sh -c 'exec date +%Y'; perl -e 'print 1900 + (gmtime)[5], "\n"');
$p = run($UVDSO, 'run', @future, '--', 'sh', '-c', $tree);
is($p->{out}, "$year\n" x 4, 'what a program starts has the same day') or diag $p->{err};
is($p->{err}, '', '... without a word');
$p = run($UVDSO, 'run', '--no-follow', @future, '--', 'sh', '-c', 'date +%Y');
is($p->{out}, ((gmtime)[5] + 1900) . "\n", 'with --no-follow it has not');
is($p->{err}, '', '... and nothing is said, since it was asked for');

# Another option that keeps the tree from having it: that is said once.
for my $way (['run', '--exec=hand'], ['trace']) {
	$p = run($UVDSO, @$way, @future, '--', 'sh', '-c', 'date +%Y; date +%Y');
	is($p->{out}, ((1900 + (gmtime)[5]) . "\n") x 2, "with @$way it has not");
	my @said = $p->{err} =~ /^uvdso: (follow   not done)/mg;
	is(scalar(@said), 1, '... and that is said once') or diag $p->{err};
}
$p = run($UVDSO, 'run', '--exec=hand', '--', 'true');
is($p->{err}, '', '... only if a clock is changed');

# A tracer that is there already: once, and the program runs all the same.
$p = run(
	$UVDSO, 'run', @future, '--', $UVDSO, 'run', '--offset', 'realtime=+1h', '--', $^X, '-e',
	'print 1900 + (gmtime)[5], "\n"'
);
is($p->{out}, "$year\n", 'within a followed tree its clocks are added to') or diag $p->{err};
my @said = $p->{err} =~ /(follow   not done)/g;
is(scalar(@said), 1, '... and what is not followed is said once') or diag $p->{err};

# A program that is started by hand has unmapped all memory of its predecessor, the slots as well. Nothing is
# written to their old place: its deadlines are left to the kernel, and a message says so.
$p = run(
	$UVDSO, 'run', @past, '--', $UVDSO, 'run', '--exec=hand', '--', program('midst.pie'),
	'plain'
);
like($p->{out}, qr/^plain 0 /, 'a program without slots has its deadlines unconverted')
    or diag $p->{err};
like(
	$p->{err},
	qr/^uvdso: \d+ midst\.pie: system calls go by the machine's clocks: [^\n]*Bad address\n\z/,
	'... which is said once'
);

# Killing the tracer kills the tree: its clocks would jump.
SKIP: {
	my $running = spawn($UVDSO, 'run', @future, '--', 'sleep', 60);
	my $tracer;
	wait_until {
		($tracer) =
		    (slurp("/proc/$running->{pid}/status") // '') =~ /^TracerPid:\s+([1-9]\d*)/m;
		(slurp("/proc/$running->{pid}/comm") // '') =~ /^sleep/;
	};
	ok($tracer, 'the tree has a tracer') or skip 'no tracer', 1;
	kill 'KILL', $tracer;
	my $end = finish($running);
	is($end->{signal} // $end->{status}, 9, 'the end of the tracer is that of the tree');
}

is(
	run($UVDSO, 'run', qw(--offset monotonic=+1h -- sleep 0.2))->{status}, 0,
	'a length of time stays one'
);
done_testing();
