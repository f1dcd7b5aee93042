#!/usr/bin/perl
# own-clocks.t - what a program of a tree with clocks of its own can try against the slots for its deadlines,
# against the tracer that answers it, and at its desk; and the outcome of each attack.
#
# tests/programs/stranger.c attacks; SECURITY.md says why each outcome is as it is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $stranger = program('stranger.pie');
my @nobody = qw(setpriv --reuid=65534 --regid=65534 --clear-groups);
my @tree = ($UVDSO, 'run', '--offset', 'realtime=+1000d', '--', $stranger);

# "itself" harms nobody but the program: its own waits go by the machine's clock, and it is said.
my %want = (
	'slots-store' => 'signal 11',
	(map { ("slots-$_" => 'itself') } qw(mprotect munmap shared-file private-file)),
	'control' => 'absent',
	(map { $_ => 'denied Bad address' } qw(answer-pointers deadline-pointers)),
	(map { $_ => 'itself' } qw(deadline-race stop-signals own-filter)),
	'desk-nonsense' => 'denied Connection timed out',
	'desk-rates' => 'denied Invalid argument',
	'desk-name' => 'denied Address already in use',
);
# Whom root claims to be is root's to say.
my @who = (
	$> ? () : ['root', {'desk-credentials' => 'itself'}],
	[
		'an ordinary user', {'desk-credentials' => 'denied Operation not permitted'},
		$> ? () : @nobody
	],
);
# Not where this tree is closed to others.
@who = grep { @$_ < 3 || !run(@nobody, 'test', '-x', $stranger)->{status} } @who;

my @running = map { spawn(@$_[2 .. $#$_], @tree) } @who;
for my $who (@who) {
	my ($name, $more) = @$who;
	my $p = finish(shift @running);
	my %got = $p->{out} =~ /^(\S+) (.*)$/mg;

	is_deeply(\%got, {%want, %$more}, "$name: a program of the tree harms itself at most")
	    || diag $p->{err};
	is(
		() = $p->{err} =~ /go by the machine's clocks: ptrace/g, 1,
		'... and that its waits go by the machine\'s clock is said once'
	) || diag $p->{err};
}

# Datagrams by the thousand, which anybody may send: the tree goes on.
my $p = run(@tree, 'flood');
ok($p->{out} > 0 && $p->{out} < 200, 'a flood at the desk does not stop the tree')
    || diag "$p->{out} times slower: $p->{err}";

# Somebody who only calls himself a tracer.
{
	my $p = spawn({argv0 => 'uvdso-follow of 1 @00001'}, $^X, '-e', 'sleep 30');
	wait_until { slurp("/proc/$p->{pid}/cmdline") =~ /^uvdso-follow/ };
	refused(
		run($UVDSO, 'clock', $p->{pid}), 2, qr/not uvdso's/,
		'whom the kernel does not call the tracer is not asked'
	);
	kill 'KILL', $p->{pid};
	finish($p);
}

my $security = slurp("$FindBin::Bin/../../SECURITY.md");
is(
	join(' ', grep { index($security, "`$_`") < 0 } sort keys %want, 'desk-credentials'), '',
	'SECURITY.md names each of these attacks'
);

done_testing();
