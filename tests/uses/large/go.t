#!/usr/bin/perl
# go.t - a Go program in another time: its clock, a ticker, a timer and a context with a deadline.
#
# Go has no C library: its run time system finds the vDSO itself, and waits by system calls of its own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../lib";
use RunTest;
use Test::More;
use Time::HiRes 'time';

my $GO = '/usr/bin/go';
plan skip_all => "$GO is not installed" if !-x $GO;

my $dir = temp_dir();
open my $fh, '>', "$dir/tick.go" or BAIL_OUT("$dir/tick.go: $!");
print $fh <<'END';
package main

import (
	"context"
	"fmt"
	"time"
)

func main() {
	begin := time.Now()
	said := func(name string) { fmt.Println(name, time.Since(begin).Seconds()) }
	fmt.Println("now", begin.Unix())
	ticker := time.NewTicker(100 * time.Millisecond)
	for range [5]int{} {
		<-ticker.C
		said("tick")
	}
	<-time.After(100 * time.Millisecond)
	said("after")
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Round(0).Add(200 * time.Millisecond))
	defer cancel()
	<-ctx.Done()
	said("deadline")
	fmt.Println("end", time.Now().Unix())
}
END
close $fh;
$ENV{GOCACHE} = "$dir/cache";
$ENV{GO111MODULE} = 'off';
is(system($GO, 'build', '-o', "$dir/tick", "$dir/tick.go"), 0, 'it is built')
    or BAIL_OUT('no program');

for my $shift (
	[], ['realtime=+1000d'], ['realtime=-1000d'], ['monotonic=+1000d'],
	['realtime=+1000d', 'monotonic=+1000d']
    )
{
	my ($days) = (map({ /realtime=(\S+)d/ ? $1 : () } @$shift), 0);
	my $name = @$shift ? join ', ', @$shift : 'nothing shifted';
	my $from = time;
	my $p = uvdso((map { ('--offset', $_) } @$shift), '--', "$dir/tick");
	my $to = time;
	my $seen = facts($p->{out});
	is(
		join(' ', $p->{out} =~ /^(\w+)/mg),
		'now tick tick tick tick tick after deadline end',
		"$name: all timers run, in order"
	) or diag($p->{err});
	my @ticks = @{$seen->{tick} // []};
	my @early = grep { $ticks[$_] < ($_ + 1) * 0.1 } 0 .. $#ticks;
	is("@early", '', '... no tick before its time');
	cmp_ok($to - $from, '>=', 0.8, '... and by this clock all of it takes as long');
	my @away = map { ($seen->{$_}[0] // 0) - 86400 * $days } qw(now end);
	ok($away[0] >= int $from && $away[1] <= $to, '... from where the wall clock stands')
	    or diag("@away: expected between $from and $to");
	note("the ticks were @ticks");
}

done_testing;
