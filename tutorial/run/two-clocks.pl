#!/usr/bin/perl
# two-clocks.pl - for two seconds, what this program's clock shows beside the machine's.
#
# /proc/uptime is the machine's, whatever clocks a program has.
use strict;
use warnings;
use Time::HiRes qw(clock_gettime usleep);

sub machine {
	open my $uptime, '<', '/proc/uptime' or die "/proc/uptime: $!\n";
	return (split ' ', <$uptime>)[0];
}

my ($mine, $its) = (clock_gettime(0), machine());
my ($last, $looks, $back, $due) = ($mine, 0, 0, 0);
while ($due <= 2) {
	my ($now, $since) = (clock_gettime(0), machine() - $its);
	$looks++;
	$back++ if $now < $last;
	$last = $now;
	if ($since < $due) {
		usleep(200);
		next;
	}
	printf "  machine %4.2f s   perl %5.2f s  %s\n", $since, $now - $mine,
	    '=' x (6 * ($now - $mine));
	$due += 0.25;
}
print "Perl has looked at its clock $looks times, and it went back $back times.\n";
