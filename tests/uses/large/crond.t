#!/usr/bin/perl
# crond.t - Debian's cron on a leap day, thirty times as fast: its jobs run when they should.
#
# It has a mount namespace of its own, with an empty spool and one crontab.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../../lib";
use RunTest;
use Test::More;

my $CRON = '/usr/sbin/cron';
plan skip_all => "$CRON is not installed" if !-x $CRON;
plan skip_all => 'only root has a cron daemon' if $>;
plan skip_all => 'no mount namespace can be made here' if system 'unshare', '-m', 'true';

my $dir = temp_dir();
open my $fh, '>', "$dir/crontab" or BAIL_OUT("$dir/crontab: $!");
print $fh <<"END";
SHELL=/bin/sh
TZ=UTC
0 4 29 2 * root date +'\\%F \\%H:\\%M' >'$dir/leap'
0 4 28 2 * root date +'\\%F \\%H:\\%M' >'$dir/yesterday'
* * * * * root date +'\\%F \\%H:\\%M' >>'$dir/every'
END
close $fh;
chmod 0644, "$dir/crontab";

# Mounts go with the namespace.
my $SETUP = <<'END';
dir=$1
shift
mkdir -p /var/spool/cron /etc/cron.d &&
	mount -t tmpfs none /var/spool/cron && mkdir -p /var/spool/cron/crontabs &&
	mount -t tmpfs none /etc/cron.d && mount -t tmpfs none /run &&
	{ [ -e /etc/crontab ] || exit 77; } && mount --bind "$dir/crontab" /etc/crontab && exec "$@"
END
$ENV{TZ} = 'UTC';
my $p = spawn(
	'/usr/bin/unshare', '-m', 'sh', '-c', $SETUP, 'sh', "$dir", $UVDSO, 'run', '--at',
	'2028-02-29 03:56:30 UTC', '--rate', 30, '--rate-all', '--', $CRON, '-f'
);
wait_until { slurp("$dir/every") =~ /04:01/ };
is(
	slurp("$dir/leap"), "2028-02-29 04:00\n",
	'at four the job of the leap day runs, and sees that day'
) or diag(slurp($p->{err}->filename));
is(
	join(' ', slurp("$dir/every") =~ / (0[34]:\d\d)\n/g),
	join(' ', map { sprintf '%02d:%02d', int $_ / 60, $_ % 60 } 237 .. 241),
	'... the one of every minute runs every minute, which is two seconds'
);
is(slurp("$dir/yesterday"), '', '... and the one of another day does not');
note('the jobs wrote: ', join ', ', split /\n/, slurp("$dir/every"));
kill 'KILL', -$p->{pid};
finish($p);
done_testing;
