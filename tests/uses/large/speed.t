#!/usr/bin/perl
# speed.t - keys of a Redis server that expire, sixty times as fast, and not at all while its clock stands.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../lib";
use RunTest;
use Test::More;
use Time::HiRes qw(sleep time);

my ($SERVER, $CLI) = ('/usr/bin/redis-server', '/usr/bin/redis-cli');
for ($SERVER, $CLI) { plan skip_all => "$_ is not installed" if !-x }

my $dir = temp_dir();
my $socket = "$dir/socket";
my $p;

sub cli {
	my $p = run($CLI, '-s', $socket, @_);
	return $p->{out} =~ s/\n\z//r;
}

sub start {
	$p = spawn(
		$UVDSO, 'run', @_, '--', $SERVER, '--port', 0, '--unixsocket', $socket, '--save',
		'', '--dir', "$dir"
	);
	return wait_until { cli('ping') eq 'PONG' };
}

sub stop {
	cli('shutdown');
	finish($p);
	is("$p->{status} $p->{signal}", '0 0', '... and the server ends well') or diag($p->{err});
}

ok(start('--rate', 60), 'a server, sixty times as fast');
cli(qw(set minute x ex 60));
cli(qw(set day x ex 86400));
my $from = time;
ok(wait_until { cli(qw(exists minute)) eq '0' }, 'a key for a minute is gone');
my $took = time - $from;
ok($took > 0.9 && $took < 30, '... long before it is over here, and not before its time')
    or diag("$took s");
cmp_ok(cli(qw(ttl day)), '<=', 86400 - 60, '... and one for a day has lost that minute');
note(sprintf 'a minute took %.2f s', $took);
stop();

ok(start('--at', '2030-01-01 00:00:00 UTC', '--freeze'), 'a server whose clock stands');
cli(qw(set blink x px 100));
sleep 0.5;
is(cli(qw(pttl blink)), 100, 'a key for a tenth of a second has all of it left');
is((split /\n/, cli('time'))[0], 1893456000, '... since it is still midnight');
is(run($UVDSO, 'clock', $p->{pid}, '--rate', 1)->{status}, 0, 'the clock goes on');
ok(wait_until { cli(qw(exists blink)) eq '0' }, '... and the key is gone');
stop();
done_testing;
