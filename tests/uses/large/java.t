#!/usr/bin/perl
# java.t - a Java program in another time: its clocks, a ScheduledExecutor and a task once a day.
#
# The virtual machine waits on conditions, with a moment of MONOTONIC or of REALTIME.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../lib";
use RunTest;
use Test::More;
use Time::HiRes 'time';

my ($JAVA, $JAVAC) = ('/usr/bin/java', '/usr/bin/javac');
for ($JAVA, $JAVAC) { plan skip_all => "$_ is not installed" if !-x }

my $dir = temp_dir();
open my $fh, '>', "$dir/Tasks.java" or BAIL_OUT("$dir/Tasks.java: $!");
print $fh <<'END';
import java.time.*;
import java.util.concurrent.*;
import java.util.concurrent.locks.*;

public class Tasks {
	static long begin = System.nanoTime();
	static void said(String name) {
		System.out.println(name + " " + (System.nanoTime() - begin) / 1e9);
	}
	public static void main(String[] args) throws Exception {
		System.out.println("now " + Instant.now().getEpochSecond());
		ScheduledExecutorService tasks = Executors.newScheduledThreadPool(2);
		CountDownLatch left = new CountDownLatch(4);
		ScheduledFuture<?> rate = tasks.scheduleAtFixedRate(
			() -> { said("rate"); left.countDown(); }, 100, 100, TimeUnit.MILLISECONDS);
		left.await();
		rate.cancel(false);
		tasks.schedule(() -> said("once"), 100, TimeUnit.MILLISECONDS).get();
		Lock lock = new ReentrantLock();
		Condition never = lock.newCondition();
		lock.lock();
		never.awaitUntil(java.util.Date.from(Instant.now().plusMillis(200)));
		said("until");
		LockSupport.parkUntil(System.currentTimeMillis() + 100);
		said("park");
		Thread.sleep(100);
		said("sleep");
		tasks.shutdown();
		System.out.println("end " + Instant.now().getEpochSecond());
	}
}
END
close $fh;
is(system($JAVAC, '-d', "$dir", "$dir/Tasks.java"), 0, 'it is built') or BAIL_OUT('no program');

for my $shift (
	[], ['realtime=+1000d'], ['realtime=-1000d'],
	['monotonic=+1000d', 'realtime=+1000d']
    )
{
	my ($days) = (map({ /realtime=(\S+)d/ ? $1 : () } @$shift), 0);
	my $name = @$shift ? join ', ', @$shift : 'nothing shifted';
	my $from = time;
	my $p = uvdso(
		(map { ('--offset', $_) } @$shift), '--', $JAVA, '-XX:TieredStopAtLevel=1', '-cp',
		"$dir", 'Tasks'
	);
	my $to = time;
	my $seen = facts($p->{out});
	like(
		join(' ', $p->{out} =~ /^(\w+)/mg),
		qr/^now (?:rate ){4,}once until park sleep end$/,
		"$name: all tasks run, in order"
	) or diag($p->{err});
	my @early = grep { $seen->{rate}[$_] < ($_ + 1) * 0.1 } 0 .. 3;
	is("@early", '', '... none before its time');
	cmp_ok($to - $from, '>=', 0.9, '... and by this clock all of it takes as long');
	my @away = map { ($seen->{$_}[0] // 0) - 86400 * $days } qw(now end);
	ok($away[0] >= int $from && $away[1] <= $to, '... from where the wall clock stands')
	    or diag("@away: expected between $from and $to");
	note("what ran when: ", join ', ', split /\n/, $p->{out});
}

done_testing;
