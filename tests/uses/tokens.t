#!/usr/bin/perl
# tokens.t - a JSON web token before, in and after its time, as Python's library sees it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $PYTHON = '/usr/bin/python3';
plan skip_all => "$PYTHON is not installed" if !-x $PYTHON;
plan skip_all => 'no module jwt (package python3-jwt)'
    if run($PYTHON, '-c', 'import jwt')->{status};

my $ISSUE = <<'END';
import datetime, jwt
now = datetime.datetime.now(datetime.timezone.utc)
hour = datetime.timedelta(hours=1)
print(jwt.encode({"sub": "me", "iat": now, "nbf": now, "exp": now + hour}, "x" * 32, "HS256"))
END
my $READ = <<'END';
import jwt, sys
try:
	print("good:", jwt.decode(sys.argv[1], "x" * 32, ["HS256"])["sub"])
except jwt.InvalidTokenError as e:
	print(type(e).__name__)
END

# Good for an hour from where it is issued.
sub issued {
	my $p = uvdso(@_, '--', $PYTHON, '-c', $ISSUE);
	return $p->{out} =~ s/\n//r || diag($p->{err});
}

sub seen {
	my ($token, @options) = @_;
	my $p = uvdso(@options, '--', $PYTHON, '-c', $READ, $token);
	return $p->{out} =~ s/\n\z//r || $p->{err};
}

sub shifted { return ('--offset', "realtime=$_[0]") }

my $today = issued();
is(seen($today), 'good: me', 'a token is good when it is issued');
is(seen($today, shifted('+61m')), 'ExpiredSignatureError', '... and has expired in 61 minutes');
is(seen($today, shifted('-1d')), 'ImmatureSignatureError', '... and was not yet valid yesterday');

my $later = issued(shifted('+1000d'));
is(
	seen($later), 'ImmatureSignatureError',
	'one that is issued in a thousand days is not yet valid today'
);
is(seen($later, shifted('+1000d')), 'good: me', '... it is in a thousand days');

done_testing;
