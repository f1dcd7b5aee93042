#!/usr/bin/perl
# faketime.t - the page "Coming from faketime" has the rows that its generator runs, and names no
# option that uvdso has not got.
#
# Whether the cells are true takes minutes and other tools: make faketime.
use strict;
use warnings;
use Cwd 'abs_path';
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $top = abs_path("$FindBin::Bin/../..");
my $page = slurp("$top/tutorial/faketime.md");
my ($columns, @rows) = split /\n/, run("$top/tests/uses/matrix", '--rows')->{out};
my ($table) = $page =~ /<!-- begin: matrix -->\n(.*)<!-- end: matrix -->/s;
my ($header, undef, @lines) = map { [split / *\| */] } ($table // '') =~ /^(\|.*)/mg;

is(
	join(' | ', map { tr/`//dr } @{$header // []}[2 .. 5]),
	$columns, 'the table has a column for each tool'
);
is(
	join("\n", map { $_->[1] } @lines),
	join("\n", @rows), '... and a row for each program, as tests/uses/matrix has them'
) or diag('make faketime writes the table anew');
# (Before the first bar there is nothing.)
my @short = grep {
	@$_ != 6
	    || grep { !length }
	    @$_[1 .. 5]
} @lines;
is(join(' ', map { $_->[1] } @short), '', '... none without an answer');
is(
	join(', ', map { $_->[1] } grep { $_->[5] !~ /^(?:right|\d+ ns)$/ } @lines),
	'under strace, a day before 1970',
	'... and with uvdso all of them are right, but for two that the page has a word on'
);

# The options of uvdso that the page names: in a command, or in the second column of a table.
my %known = map { $_ => 1 }
    map { run($UVDSO, $_, '--help')->{out} =~ /(?<![\w-])(--[a-z][a-z-]*)/g } qw(run clock);
$page =~ s/<!-- begin: matrix.*end: matrix -->//s;
my %named = map { $_ => 1 } map { /(?<![\w-])(--[a-z][a-z-]*)/g } $page =~ /`uvdso [^`]*`/g,
    map { (split / *\| */)[2] } grep { !/^\| you want/ } $page =~ /^(\|.*\|)$/mg;
is(
	join(' ', grep { !$known{$_} } sort keys %named),
	'', 'every option that it names is one of uvdso'
);
cmp_ok(scalar keys %named, '>', 3, '... and it names some');

done_testing;
