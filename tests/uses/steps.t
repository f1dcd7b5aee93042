#!/usr/bin/perl
# steps.t - a program is taken through a month from outside, a day at a time, and through other speeds.
#
# It reads a line, and says which day it is; so does a child of it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Handle;
use POSIX 'strftime';
use RunTest;
use Test::More;
use Time::HiRes qw(sleep time);

my $PROGRAM = <<'END';
$| = 1;
while (<STDIN>) {
	print "$$ ", time, " ", `date +%s`;
}
END

my $dir = temp_dir();
POSIX::mkfifo("$dir/in", 0600) or BAIL_OUT("mkfifo: $!");
my $p;

sub start {
	$p = spawn({stdin => "$dir/in"}, $UVDSO, 'run', @_, '--', 'perl', '-e', $PROGRAM);
	open $p->{to}, '>', "$dir/in" or BAIL_OUT("$dir/in: $!");
	$p->{to}->autoflush;
}

# What the program and its child say.
sub ask {
	my $before = length slurp($p->{out}->filename);
	print {$p->{to}} "\n";
	my $line =
	    wait_until { substr(slurp($p->{out}->filename), $before) =~ /^(.*)\n/ ? $1 : '' };
	return split ' ', $line;
}

sub clock { return run($UVDSO, 'clock', $p->{pid}, @_) }

start('--at', '2028-02-01 12:00:00 UTC');
my ($pid, $first, $child) = ask();
is($pid, $p->{pid}, 'the program is the process that was started');
my $noon = 1833019200;
ok($first >= $noon && $first < $noon + 30, 'it begins at noon') or diag($first - $noon);

my (@days, @refused);
for my $day (1 .. 29) {
	my $said = clock('--at', '@' . ($noon + 86400 * $day));
	push @refused, "$day: $said->{err}" if $said->{status};
	my (undef, $time, $child) = ask();
	push @days, join ' and ', map { strftime('%d', gmtime $_) } $time, $child;
}
is(join('', @refused), '', 'its clock is moved by a day, 29 times');
is(
	join(', ', @days),
	join(', ', map { "$_ and $_" } map({ sprintf '%02d', $_ } 2 .. 29), '01'),
	'... and each time it and its child see the next day, to the end of a February'
);

clock('--freeze');
my (undef, $stood) = ask();
sleep 1.2;
is((ask())[1], $stood, 'a clock that is stopped stands');
clock('--rate', 1000);
my (undef, $from) = ask();
sleep 0.5;
my (undef, $to) = ask();
cmp_ok($to - $from, '>=', 500, 'a thousand times as fast, half a second is eight minutes');
cmp_ok($from, '>=', $stood, '... from where it stood');
clock('--offset', 'realtime=+0s');
close $p->{to};
finish($p);
is_status($p, 0, 'the program ends as it would');
done_testing;
