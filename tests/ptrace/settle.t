#!/usr/bin/perl
# settle.t - under --follow, who may set the clock is held until that is published, and nobody else.
#
# No test sets the clock of the machine that it runs on. These calls fail, or only ask; they stop and go on
# as others would, and return what they return without us.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $setter = program('setter.pie');
my $plain = run($setter);
plan skip_all => 'seccomp filters are denied here' if $plain->{status} == 2;
like($plain->{out}, qr/^filter: 1$/m, 'control: without a tracer the call of a filter fails');
my $p = run($UVDSO, 'run', '--follow', '--', $setter);
is($p->{status}, 0, 'a program that sets the clock runs');
is($p->{out}, $plain->{out}, '... and is told what it is told without us') or diag $p->{err};

# CAP_SYS_TIME and CAP_SYS_ADMIN.
my ($rights) = slurp('/proc/self/status') =~ /^CapEff:\s+(\w+)/m;
my $may = (hex(substr $rights, -8) & (1 << 25 | 1 << 21)) == (1 << 25 | 1 << 21);
my ($before) = slurp('/proc/self/status') =~ /^Seccomp:\s+(\d)/m;

sub filtered {
	my $p = run($UVDSO, 'run', @_, 'grep', '^Seccomp:', '/proc/self/status');
	return $p->{out} =~ /(\d)/ ? $1 : "none: $p->{err}";
}
is(filtered('--follow', '--'), $may ? 2 : $before, 'only who may set it has a filter');
is(filtered('--'), $before, 'without --follow nobody has one');
if ($may) {
	my $p = run(
		qw(setpriv --bounding-set -sys_time --inh-caps -sys_time), $UVDSO,
		qw(run --follow -- grep ^Seccomp: /proc/self/status)
	);
	is($p->{out} =~ /(\d)/ && $1, $before, 'nor has root who may not') or diag $p->{err};
}
done_testing();
