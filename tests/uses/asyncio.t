#!/usr/bin/perl
# asyncio.t - timers of Python's asyncio in another time: each runs once, in its order, after its delay.
#
# The loop goes by MONOTONIC, so that one is shifted as well.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;
use Time::HiRes 'time';

my $PYTHON = '/usr/bin/python3';
plan skip_all => "$PYTHON is not installed" if !-x $PYTHON;

# 0.6 s in all. Each line is the name and what the clock showed, in seconds since the beginning.
my $TIMERS = <<'END';
import asyncio, time
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
	await asyncio.sleep(0.2)
	said("sleep")
asyncio.run(main())
END
my %least = (call_later => 0.1, call_at => 0.3, wait_for => 0.4, sleep => 0.6);

for my $shift (
	[], ['realtime=+1000d'], ['realtime=-1000d'], ['monotonic=+1000d'],
	['realtime=+1000d', 'monotonic=+1h', 'boottime=+1h']
    )
{
	my ($days) = map { /realtime=(\S+)d/ ? $1 : () } @$shift;
	my $name = @$shift ? join ', ', @$shift : 'nothing shifted';
	my $from = time;
	my $p = uvdso((map { ('--offset', $_) } @$shift), '--', $PYTHON, '-c', $TIMERS);
	my $to = time;
	my @order = $p->{out} =~ /^(\w+) /mg;
	my $seen = facts($p->{out});

	is("@order", 'now call_later call_at wait_for sleep', "$name: every timer runs, in order")
	    or diag($p->{err});
	my @early = grep { ($seen->{$_}[0] // 0) < $least{$_} } sort keys %least;
	is("@early", '', '... none before its time');
	cmp_ok($to - $from, '>=', 0.6, '... and by this clock they take as long');
	my $now = ($seen->{now}[0] // 0) - 86400 * ($days // 0);
	ok($now >= $from && $now <= $to, '... from where the wall clock stands')
	    or diag("$now: expected between $from and $to");
}

done_testing;
