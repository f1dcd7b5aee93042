#!/usr/bin/perl
# Calls fail: a signal comes, memory or descriptors run out, a disk is full. Each system call
# that each process of ours makes fails here: once, and from some time on for ever, with each
# error that fits it, or does half of its work. Then the program runs, and its clocks are right
# by those of the kernel; or one sentence says what failed, with the documented status. All of
# it ends soon, and nothing is left.
#
# Which calls those are is found by tracing each way to start a program, not from a list. `make
# test` tries the most telling ones; `make faults` all of them:
#
#	FAULTS=1/1         all of them; 1/20 the first of twenty parts
#	FAULTS_WAYS='..'   of these ways only          FAULTS_CALLS='..'   of these calls only
use strict;
use warnings;
use Errno qw(:POSIX);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Faults;
use RunTest;
use Test::More;

my $JOBS = $ENV{FAULTS_JOBS} // 6;
my $MOST = 60;    # of the same call
my ($part, $of) = split m{/}, $ENV{FAULTS} // '';
my @ways = split ' ', $ENV{FAULTS_WAYS} || join ' ', sort keys %WAYS;
my %calls = map { $_ => 1 } split ' ', $ENV{FAULTS_CALLS} // '';

# What is asked for and cannot be, in the words of make.
sub refuse {
	print STDERR "@_\n";
	exit 2;
}
exit 2
    if defined $ENV{FAULTS}
    && system "$FindBin::Bin/../lib/choice", 'PART', 'part', $ENV{FAULTS};
for (grep { !$WAYS{$_} } @ways) {
	refuse("WAYS=$_: there is no such way; there is @{[sort keys %WAYS]}");
}
my %is_call = map { $_ => 1 } values %NAME;
for (grep { %NAME && !$is_call{$_} } sort keys %calls) {
	refuse("CALLS=$_: there is no such system call");
}

plan skip_all => 'the kernel has no seccomp_unotify(2) here' if !%NAME;

# What has been seen to hang, to leave something, or to end without a word: calls that fail for
# ever, or once where nobody asked again. From the first on, or from a later one; of ours, or of
# an ordinary user.
my @telling = (
	['boot', 'waitid', EINTR], ['boot', 'waitid', ECHILD], ['boot', 'read', EIO],
	['boot', 'munmap', ENOMEM], ['boot', 'ppoll', EINTR],
	['boot', 'ppoll', 0], ['kernel', 'wait4', ECHILD],
	['kernel', 'wait4', EINTR], ['kernel', 'close', EIO], ['kernel', 'flock', ENOLCK],
	['kernel', 'getrandom', EINTR], ['kernel', 'ppoll', EINTR], ['trace', 'wait4', ECHILD],
	['trace', 'rt_sigtimedwait', EINTR], ['trace', 'ptrace', EIO, 9], ['trace', 'read', 0],
	['hand', 'close', EIO, 9], ['foreign', 'setitimer', ENOMEM],
	['foreign', 'openat', EINTR, 9], ['symbols', 'read', EINTR], ['dump', 'openat', EMFILE],
	['clocks', 'rt_sigprocmask', EPERM], ['hand', 'readlink', EINTR, 1, 1],
	['hand', 'prctl', EINTR, 3, 1],
);

if (!$of) {
	# An offset needs a counter there, and an image that is known.
	my @shifted = ('--image=kernel', '--offset', 'realtime=+1d');
	@telling = grep { $_->[0] ne 'foreign' } @telling
	    if run($UVDSO, 'run', @shifted, '/bin/true')->{status};
	my %users = users();
	my $other = $users{', an ordinary user'} // [];
	my %calls;
	my @faults = map {
		my ($way, $call, $error, $first, $ordinary) = @$_;
		my $user = $ordinary ? $other : [];
		$calls{"$way @$user"} //= [calls_of($user, $way)];
		my @all = faults_of($way, 1, @{$calls{"$way @$user"}});
		map { { %$_, user => $user } } grep {
			       $NAME{$_->{nr}} eq $call
			    && "@{$_->{what}}" eq ($error ? "error $error" : 'value 0')
			    && $_->{first} ==
			    ($first // 1)
		} @all;
	} @telling;
	my ($count, @bad) = try_all($JOBS, @faults);
	ok(!@bad, @faults . ' faults: it runs right, or says what failed')
	    || diag join "\n", @bad;
	cmp_ok($count->{'not met'} // 0, '<', @faults / 3, '... and most of them were met');
	done_testing;
	exit;
}

my $sum = 0;
my %all;
sub faults { return $_[0] == 1 ? '1 fault' : "$_[0] faults" }

my %users = users();
my @all_ways = map {
	my $way = $_;
	map { [$way, $_] } sort keys %users
} @ways;

for (@all_ways) {
	my ($way, $who) = @$_;
	my $user = $users{$who};
	my @faults =
	    map { { %$_, user => $user } } faults_of($way, $MOST, calls_of($user, $way));
	@faults = grep { $calls{$NAME{$_->{nr}}} } @faults if %calls;
	@faults = @faults[grep { $_ % $of == $part - 1 } 0 .. $#faults];
	my $began = time;
	my ($count, @bad) = try_all($JOBS, @faults);
	ok(!@bad, "$way$who: " . faults(scalar @faults) . ': it runs right, or says what failed');
	diag sprintf '%s: %s (%d s)', "$way$who",
	    join(', ', map { "$count->{$_} $_" } sort keys %$count), time - $began;
	$all{$_} += $count->{$_} for keys %$count;
	$sum += @faults;
}
diag faults($sum) . ': ' . join ', ', map { "$all{$_} $_" } sort keys %all;
done_testing;
# A call that none of them makes, or more parts than there are faults.
refuse("nothing fits WAYS='@ways' CALLS='@{[sort keys %calls]}' PART=$ENV{FAULTS}") if !$sum;
