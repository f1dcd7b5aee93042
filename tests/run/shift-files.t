#!/usr/bin/perl
# shift-files.t - uvdso run --shift-files: the times of files go with the clocks of a tree, in every way to
# ask for them and to set them; without it they are the machine's.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $dir = temp_dir();
my @offset = qw(--offset realtime=-1000d);

for my $kind ('pie', 'static', missing('musl-gcc') ? () : 'musl') {
	my $program = program("filetimes.$kind");
	my $plain = run($program, "$dir/plain");
	like(
		$plain->{out},
		qr/new: statx 0\n(?:.*\n)*utimensat 1000000000\.123456789 -5\.000000001/,
		"control: $kind asks and sets"
	);
	my $p = run($UVDSO, 'run', @offset, '--shift-files', '--', $program, "$dir/shifted");
	is($p->{out}, $plain->{out}, '... and sees the same on a clock of 1000 days ago')
	    or diag $p->{err};
}
my ($modified) = (stat "$dir/shifted")[9];
cmp_ok(time - $modified, '<', 1000 * 86400, 'the machine has its own time for that file');

my $p = run($UVDSO, 'run', @offset, '--', program('filetimes.pie'), "$dir/other");
like($p->{out}, qr/new: stat -86400000$/m, 'without the option a new file is one of the future')
    or diag $p->{err};

# Programs that compare files and clocks.
$p = run(
	$UVDSO, 'run', @offset, '--shift-files', 'sh', '-c',
	"cd $dir && touch a && find a -mmin -5 && touch -d '1999-01-01 UTC' b && find a -newer b && "
	    . 'cp -p b c && find b c ! -newermt 1999-01-02 | sort && stat -c %Y c'
);
is($p->{out}, "a\na\nb\nc\n915148800\n", 'touch, find, cp and stat agree') or diag $p->{err};

my @refused = (
	[[], qr/no clock is changed/, 'without a clock'],
	[
		[@offset, '--no-follow'], qr/only in a tree that is followed/,
		'in a tree that is not followed'
	],
	[[@offset, '--exec=hand'], qr/only in a tree that is followed/, '... started by hand'],
);
refused(run($UVDSO, 'run', @{$$_[0]}, '--shift-files', 'true'), 125, $$_[1], "$$_[2] it is refused")
    for @refused;

done_testing;
