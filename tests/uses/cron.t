#!/usr/bin/perl
# cron.t - when a line of a crontab is due next, as a Python library sees it from other days.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $PYTHON = '/usr/bin/python3';
plan skip_all => "$PYTHON is not installed" if !-x $PYTHON;
plan skip_all => 'no module croniter (package python3-croniter)'
    if run($PYTHON, '-c', 'import croniter')->{status};

my $NEXT = <<'END';
import croniter, datetime, os, sys
os.environ["TZ"] = "UTC"
now = datetime.datetime.now(datetime.timezone.utc)
for line in sys.argv[1:]:
	print(croniter.croniter(line, now).get_next(datetime.datetime).strftime("%F %H:%M"))
END

# Lines of a crontab from one moment: {LINE => WHEN}.
sub due {
	my ($y, $m, $d, $h, %want) = @_;
	my $at = sprintf '%04d-%02d-%02d %02d:00:00 UTC', $y, $m, $d, $h;
	my @lines = sort keys %want;
	my $p = uvdso('--at', $at, '--', $PYTHON, '-c', $NEXT, @lines);
	is(
		$p->{out} . $p->{err}, join('', map { "$want{$_}\n" } @lines),
		"at $at the next runs of " . join(' and ', map { "'$_'" } @lines) . ' are right'
	);
}

due(2026, 12, 31, 23, '0 0 * * *' => '2027-01-01 00:00', '30 4 1 * *' => '2027-01-01 04:30');
due(2027, 3, 1, 0, '0 12 29 2 *' => '2028-02-29 12:00', '0 0 * * 1' => '2027-03-08 00:00');
due(2038, 1, 19, 3, '*/10 * * * *' => '2038-01-19 03:10', '0 4 19 1 *' => '2038-01-19 04:00');

done_testing;
