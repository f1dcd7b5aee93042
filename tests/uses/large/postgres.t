#!/usr/bin/perl
# postgres.t - a PostgreSQL server in another time: now(), a default, an interval, and pg_sleep().
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../lib";
use RunTest;
use Test::More;
use Time::HiRes 'time';

my ($BIN) = reverse sort glob '/usr/lib/postgresql/*/bin';
plan skip_all => 'PostgreSQL is not installed' if !$BIN || !-x "$BIN/initdb" || !-x "$BIN/psql";

my $dir = temp_dir();
# It refuses to be root.
my @as = $> ? () : ('setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--');
chmod 0777, "$dir";
my $made = run(@as, "$BIN/initdb", '-D', "$dir/data", '-N', '-U', 'me', '-A', 'trust');
is_status($made, 0, 'a database is made') or BAIL_OUT($made->{out});

sub says {
	my ($sql) = @_;
	my $p = run("$BIN/psql", '-h', "$dir", '-U', 'me', '-d', 'postgres', '-Atqc', $sql);
	return length $p->{out} ? $p->{out} =~ s/\n\z//r : $p->{err};
}

for my $days (1000, -1000) {
	my $server = spawn(
		@as, $UVDSO, @RUN, '--offset', sprintf('realtime=%+dd', $days), '--',
		"$BIN/postgres", '-D', "$dir/data", '-k', "$dir", '-c', 'listen_addresses=', '-c',
		'fsync=off',
		'-c', 'log_min_messages=fatal'
	);
	if (!wait_until { says('select 1') eq '1' }) {
		kill 'KILL', -$server->{pid};
		finish($server);
		fail("a server in $days days: $server->{err}");
		next;
	}
	my $from = time;
	my $now = says("select extract(epoch from now())") - 86400 * $days;
	ok($now >= $from && $now <= time, "now() is in $days days") or diag($now - $from);
	is(
		says(
			      'create temporary table t (id int, at timestamptz default now());'
			    . ' insert into t values (1); select extract(day from at - current_timestamp) from t'
		),
		0,
		'... and so is the default of a column'
	);
	my ($before, $slept) =
	    (time, says('select clock_timestamp() - now() >= interval \'1 s\' from pg_sleep(1)'));
	is($slept, 't', '... pg_sleep(1) sleeps for a second by its clock');
	my $took = time - $before;
	ok($took >= 1 && $took < 10, '... and by this one') or diag("$took s");
	like(
		says("set statement_timeout = 300; select pg_sleep(10)"),
		qr/canceling statement due to statement timeout/,
		'... and a statement that takes too long is cancelled'
	);
	kill 'INT', $server->{pid};
	finish($server);
	is(
		"$server->{status} $server->{signal} $server->{left}", '0 0 0',
		'... the server ends, and so does all of it'
	) or diag($server->{err});
}
done_testing;
