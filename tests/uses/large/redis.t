#!/usr/bin/perl
# redis.t - keys of a Redis server that expire, in a server whose clock is elsewhere.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../lib";
use RunTest;
use Test::More;
use Time::HiRes 'time';

my ($SERVER, $CLI) = ('/usr/bin/redis-server', '/usr/bin/redis-cli');
for ($SERVER, $CLI) { plan skip_all => "$_ is not installed" if !-x }

my $dir = temp_dir();
my $socket = "$dir/socket";

# Runs the code with a server on the options of run.
sub with_server {
	my ($code, @options) = @_;
	my $p = spawn(
		$UVDSO, @RUN, @options, '--', $SERVER, '--port', 0, '--unixsocket', $socket,
		'--dir',
		"$dir", '--save', '', '--appendonly', 'yes', '--daemonize', 'no'
	);
	if (wait_until { cli('ping') eq 'PONG' }) {
		$code->();
		cli('shutdown');
	} else {
		fail("a server with '@options'");
		kill 'KILL', $p->{pid};
	}
	finish($p);
	is("$p->{status} $p->{signal}", '0 0', '... and the server ends well')
	    or diag($p->{out}, $p->{err});
}

sub cli {
	my $p = run($CLI, '-s', $socket, @_);
	return $p->{out} =~ s/\n\z//r;
}

my $offset = 1000 * 86400;
with_server(
	sub {
		my $from = int time;
		my ($seconds) = cli('time') =~ /^(\d+)/;
		my $ahead = $seconds - $offset;
		ok($ahead >= $from && $ahead <= time, 'its time is in a thousand days')
		    or diag("$seconds: expected some $offset more than $from");
		is(cli(qw(set hour x ex 3600)), 'OK', 'a key for an hour');
		is(cli(qw(set week x ex 604800)), 'OK', '... and one for a week');
		is(cli(qw(set blink x px 100)), 'OK', '... and one for a tenth of a second');
		ok(wait_until { cli(qw(exists blink)) eq '0' }, '... which is soon gone');
		is(cli(qw(exists hour week)), 2, '... and the others are not');
	},
	'--offset',
	'realtime=+1000d'
);
with_server(
	sub {
		is(cli(qw(exists hour)), 0, 'a day later the hour is over');
		my $ttl = cli(qw(ttl week));
		ok($ttl > 5.9 * 86400 && $ttl <= 6 * 86400, '... and the week has six days left')
		    or diag("$ttl s are left");
	},
	'--offset',
	'realtime=+1001d'
);
done_testing;
