#!/usr/bin/perl
# spin.t - no order of steps makes a fine clock go back or a copy torn, and without some guards one does.
#
# The small part of `make model`, which tries coarse clocks and time() as well, and takes out each guard.
use strict;
use warnings;
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/model';
use Model;

plan(skip_all => 'spin is not installed: make deps') if system 'command -v spin >/dev/null 2>&1';
plan(skip_all => 'gcc is not installed') if system 'command -v gcc >/dev/null 2>&1';
local $ENV{KEEP} = tempdir(CLEANUP => 1);
my $said = `tests/model/model --quick 2>&1`;
is($?, 0, 'the model is checked') or diag($said);
like(
	$said, qr/^as it is +fine: no order of steps breaks a rule/m,
	'as the code is, no order of steps breaks a rule'
);
for my $found (
	(map { [$_, 'a copy is torn'] } qw(odd look fence fence1 release)),
	['both-stopped', 'a clock goes back']
    )
{
	like($said, qr/^\Q$found->[0]\E +\Q$found->[1]\E/m, "without $found->[0] $found->[1]");
}

# The course shows these traces.
my $stories = 'tutorial/site/theme/stories.mjs';
is(
	Model::slurp($stories), scalar `tests/model/stories "\$KEEP" 2>&1`,
	'the stories of the stepper are what SPIN finds'
    )
    or diag(
	'why: ', $stories,
	" is written by a program. If the model has changed on purpose:\n",
	"KEEP=/tmp/traces tests/model/model --quick && tests/model/stories /tmp/traces >$stories"
    );
note($said);
done_testing();
