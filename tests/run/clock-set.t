#!/usr/bin/perl
# clock-set.t - the timekeeper is woken when somebody sets the clock, and does not wait for its time.
#
# No test sets the clock of the machine that it runs on. That the kernel does its part is the kernel's
# promise (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET); what is looked at here is that it was asked.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

plan skip_all => 'only root may look into a timekeeper' if $>;
my $p = spawn($UVDSO, @RUN, '--', 'sleep', 60);
my $keeper = attendant($p->{pid}, 'uvdso-keeper');
my $timer = wait_until {
	(grep { /^clockid: 0$/m } map { slurp($_) } glob "/proc/$keeper/fdinfo/*")[0];
};
like(
	$timer, qr/^settime flags: 03$/m,
	'it has a timer of REALTIME that ends when the clock is set'
);
like($timer, qr/^it_value: \(\d{9,}, \d+\)$/m, '... and not before') or diag $timer;
kill 'TERM', $p->{pid};
finish($p);
done_testing();
