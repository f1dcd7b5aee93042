#!/usr/bin/perl
# Calls that wait and do not, for ever, in timekeeper and watchdog, with a real-time priority where
# we may have one: they give it up, and end; the program goes on, and its clock is right. By a
# filter alone, which is there as long as they are. In a PID namespace, where that may be made:
# nothing outlives its end, which is sure to come.
use strict;
use warnings;
use Errno qw(EPERM);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Faults;
use RunTest;
use Test::More;

plan skip_all => 'the kernel has no seccomp_unotify(2) here' if !%NAME;

my %nr = reverse %NAME;
my @cage = qw(unshare -pf --kill-child --mount-proc);
@cage = () if run(@cage, 'true')->{status};

# Waits for the end of its timekeeper and watchdog, and says what is left, and how it runs.
my $program = <<'PROGRAM';
sub left {
	my @left;
	for my $at (grep { m{^/proc/[0-9]+$} } glob '/proc/*') {
		open my $in, '<', "$at/cmdline" or next;
		my $line = <$in> // '';
		next if $line !~ /^(uvdso-(?:keeper|watchdog)) of $$\b/;
		my $name = $1;
		open $in, '<', "$at/stat" or next;
		push @left, "$name has policy " . (split ' ', <$in> =~ s/.*\) //sr)[38];
	}
	return @left;
}
for (1 .. 100) {
	select undef, undef, undef, 0.1;
	last if !left();
}
print join ', ', left(), abs(time - $ARGV[0]) < 120 ? 'right' : 'wrong';
PROGRAM

# With these calls, which all have that error, or 0.
sub without_waits {
	my ($error, @calls) = @_;
	my @cmd = (
		$UVDSO_DYNAMIC, 'run', '--offset=realtime=+1d', '--', $^X, '-e', $program,
		time + 86400
	);
	@cmd = (program('fault.pie'), program('fault.so'), "$nr{$_} deny $error", '/dev/null', @cmd)
	    for @calls;
	return run(qw(timeout -k 1 40), @cage, @cmd);
}

my $p = without_waits(EPERM, 'clock_nanosleep', 'ppoll');
is(
	"$p->{out}$p->{err}", 'right',
	'ppoll(2) and clock_nanosleep(2) fail: nobody is left that tries, and the clock is right'
);

# The one that starts them waits with ppoll(2) as well, and says that it cannot.
$p = without_waits(0, 'ppoll');
like(
	"$p->{out}$p->{err}", qr/^(?:right|uvdso: timekeeper: ppoll\(2\): .*\n)$/,
	'ppoll(2) returns 0 at once: the same, or one sentence says what failed'
);
done_testing;
