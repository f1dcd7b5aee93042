#!/usr/bin/perl
# asyncio.t - timers of Python in another time: each runs once, in its order, after its delay.
#
# The loop of asyncio goes by MONOTONIC, so that one is shifted as well. What sleeps, or waits for a
# thread, gives the kernel a moment of it; the loop a length of time.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;
use Time::HiRes 'time';

my $PYTHON = '/usr/bin/python3';
plan skip_all => "$PYTHON is not installed" if !-x $PYTHON;

# 1 s in all. Each line is the name and what the clock showed, in seconds since the beginning.
my $TIMERS = <<'END';
import asyncio, queue, threading, time
async def main():
	loop = asyncio.get_running_loop()
	begin = time.time()
	def said(name): print(name, time.time() - begin, flush=True)
	print("now", begin)
	loop.call_at(loop.time() + 0.3, said, "call_at")
	loop.call_later(0.1, said, "call_later")
	try:
		await asyncio.wait_for(asyncio.Event().wait(), 0.4)
	except asyncio.TimeoutError:
		said("wait_for")
	await asyncio.sleep(0.1)
	said("asleep")
	time.sleep(0.1)
	said("sleep")
	threading.Event().wait(0.1)
	said("event")
	timer = threading.Timer(0.1, said, ["timer"])
	timer.start()
	timer.join()
	try:
		queue.Queue().get(timeout=0.1)
	except queue.Empty:
		said("queue")
	await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.1)
	said("executor")
asyncio.run(main())
END
my %least = (
	call_later => 0.1, call_at => 0.3, wait_for => 0.4, asleep => 0.5, sleep => 0.6,
	event => 0.7, timer => 0.8, queue => 0.9, executor => 1
);

# A name, how far the wall clock is ahead, how many seconds of ours one of the program's takes, and
# the options for it.
for (
	['nothing shifted', 0, 1],
	['ahead', 1000 * 86400, 1, '--offset', 'realtime=+1000d'],
	['back', -1000 * 86400, 1, '--offset', 'realtime=-1000d'],
	['MONOTONIC ahead', 0, 1, '--offset', 'monotonic=+1000d'],
	[
		'all ahead', 1000 * 86400, 1, '--offset', 'realtime=+1000d', '--offset',
		'monotonic=+1h',
		'--offset', 'boottime=+1h'
	],
	['at half the speed', 0, 2, '--rate', 0.5, '--rate-all'],
    )
{
	my ($name, $ahead, $slower, @options) = @$_;
	my $from = time;
	my $p = uvdso(@options, '--', $PYTHON, '-c', $TIMERS);
	my $to = time;
	my @order = $p->{out} =~ /^(\w+) /mg;
	my $seen = facts($p->{out});

	is(
		"@order", join(' ', 'now', sort { $least{$a} <=> $least{$b} } keys %least),
		"$name: every timer runs, in order"
	) or diag($p->{err});
	my @early = grep { ($seen->{$_}[0] // 0) < $least{$_} } sort keys %least;
	is("@early", '', '... none before its time');
	cmp_ok(
		$to - $from, '>=', $slower,
		'... and by this clock they take ' . ($slower > 1 ? 'twice as long' : 'as long')
	);
	my $now = ($seen->{now}[0] // 0) - $ahead;
	ok($now >= $from && $now <= $to, '... from where the wall clock stands')
	    or diag("$now: expected between $from and $to");
}

done_testing;
