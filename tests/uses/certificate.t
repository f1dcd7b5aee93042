#!/usr/bin/perl
# certificate.t - a certificate before, in and after its time, as openssl sees it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $OPENSSL = '/usr/bin/openssl';
plan skip_all => "$OPENSSL is not installed" if !-x $OPENSSL;

my $dir = temp_dir();

# Makes one that is good for 30 days from now, in the time of @run.
sub certificate {
	my ($name, @run) = @_;
	my $p = run(
		@run, $OPENSSL, 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
		'ec_paramgen_curve:prime256v1', '-nodes', '-days', 30, '-subj', '/CN=localhost',
		'-keyout', "$dir/$name.key", '-out', "$dir/$name.crt"
	);
	is_status($p, 0, "openssl makes a certificate: $name");
	return "$dir/$name.crt";
}

# What `openssl verify` says of it, in few words.
sub verified {
	my ($cert, @options) = @_;
	my $p = uvdso(@options, '--', $OPENSSL, 'verify', '-CAfile', $cert, $cert);
	my ($error) = "$p->{out}$p->{err}" =~ /^error \d+ at \d+ depth lookup: (.*)/m;
	return $error // ($p->{status} ? "status $p->{status}: $p->{err}" : 'good');
}

sub days { return ('--offset', "realtime=$_[0]d") }

my $today = certificate('today');
is(verified($today), 'good', 'today it is good');
is(verified($today, days('+29')), 'good', '... and in 29 days');
is(verified($today, days('+31')), 'certificate has expired', '... in 31 days it has expired');
is(
	verified($today, days('-1')),
	'certificate is not yet valid',
	'... and yesterday it was not yet valid'
);

# Its end, in openssl's own words. In that second it has ended, says X509_cmp_time(3).
my ($end) = run($OPENSSL, 'x509', '-in', $today, '-noout', '-enddate')->{out} =~ /^notAfter=(.*)/;
is(
	verified($today, '--at', "$end - 1 second", '--freeze'), 'good',
	'a second before its end it is good'
);
is(
	verified($today, '--at', $end, '--freeze'),
	'certificate has expired', '... and then it has expired'
);

my $later = certificate('later', $UVDSO, 'run', days('+1000'), '--');
is(
	verified($later),
	'certificate is not yet valid',
	'one that was made in a thousand days is not yet valid today'
);
is(verified($later, days('+1001')), 'good', '... it is a day later');

# A client in another time than its server, which does not look at certificates.
my $server = spawn(
	$OPENSSL, 's_server', '-accept', '127.0.0.1:0', '-cert', $today, '-key', "$dir/today.key",
	'-www', '-naccept', 2
);
my $port = wait_until { slurp($server->{out}->filename) =~ /^ACCEPT \S+:(\d+)/m ? $1 : 0 };
SKIP: {
	skip 'the server says no port', 2 if !$port;
	my @client = (
		$OPENSSL, 's_client', '-connect', "127.0.0.1:$port", '-CAfile', $today,
		'-verify_return_error'
	);
	like(
		uvdso('--', @client)->{out},
		qr/Verify return code: 0 \(ok\)/,
		'a client of today takes the server for what it says'
	);
	my $p = uvdso(days('+31'), '--', @client);
	like(
		$p->{err}, qr/certificate has expired/,
		'... a client in 31 days does not, since the certificate has expired'
	);
}
kill 'TERM', $server->{pid};
finish($server);

done_testing;
