#!/usr/bin/perl
# tool.t - what the tool of the course makes of a card, of two texts, and of a linker's message.
#
# Nothing is built here: these are the parts that only read and write texts. checker.t and workspace.t
# try the whole.
use strict;
use warnings;
use File::Path 'make_path';
use File::Temp 'tempdir';
use FindBin;
use Test::More;
use lib "$FindBin::Bin/../../tutorial/lib";
use Course::Card;
use Course::Diagram;
use Course::Merge;
use Course::Needs;
use Course::Said;

my $top = tempdir(CLEANUP => 1);
make_path("$top/tutorial/ex", "$top/src");

sub put {
	my ($path, $text) = @_;
	open my $file, '>', "$top/$path" or die "$path: $!";
	print $file $text;
	close $file;
}

# ---- a card ----
my $good = <<'END';
title: A sum
tier: core
minutes: 10
file: src/sum.c
tests: time/advance
red: it adds
hint: one
hint: two
hint: three
mutant: minus: it takes away
	says: it adds
	s/\+/-/
stub:
	return 0;
END

sub card {
	my ($text, $name) = @_;
	$name //= '01-sum';
	put("tutorial/ex/$name.ex", $text);
	my $card = eval { Course::Card->read($top, $name) };
	my $said = $@;
	unlink "$top/tutorial/ex/$name.ex";
	return wantarray ? ($card, $said) : $said;
}

my ($card, $said) = card($good);
is($said, '', 'a card that has all it needs is read');
is("$card->{id} $card->{chapter} $card->{minutes}", '01 01 10', '... with its chapter');
is("@{$card->{hint}}", 'one two three', '... its hints in their order');
is(
	$card->{mutants}[0]{name} . ': ' . "@{$card->{mutants}[0]{says}}", 'minus: it adds',
	'... and its near misses'
);
my $more = $good =~ s/^mutant:/mutant: zero: nothing\n\ts,a,0,\nmutant:/mr;
is(card($more), '', 'several near misses may be there');

for (
	[$good, qr/name of a card/, 'another name of the file', 'sum'],
	["\tx\n$good", qr/:1: an indented line/, 'a line that belongs to no field'],
	[$good . "title: B\n", qr/title: a second one/, 'a second title'],
	[$good . "color: B\n", qr/color: no such field/, 'an unknown field'],
	[$good . "???\n", qr/neither 'field/, 'a line that is nothing'],
	(
		map { [$good =~ s/^$_:.*\n(?:\t.*\n)*//mr, qr/$_: there must be one/, "no $_"] }
		    qw(title tier minutes file tests red mutant)
	),
	[$good =~ s/core/easy/r, qr/core or deep/, 'another tier'],
	[$good =~ s/10/ten/r, qr/a number, not 'ten'/, 'minutes in words'],
	[$good =~ s/hint: two\n//r, qr/three of them, not 2/, 'two hints'],
	[$good . "hint: four\n", qr/three of them, not 4/, 'four hints'],
	[
		$good . "mutant: minus: again\n\ts,a,b,\n", qr/two answers of this name/,
		'two near misses of one name'
	],
	[
		$good . join('', map { "right: r$_: so\n\ts,a,b,\n" } 1 .. 11), qr/at most ten/,
		'eleven answers'
	],
	[
		$good . "right: other: so\n\tsays: no\n\ts,a,b,\n", qr/nobody is told/,
		'a right answer that is told off'
	],
	[
		$good . "mutant: Minus\n\ts,a,b,\n", qr/first 'name: what it is'/,
		'a near miss without a name'
	],
    )
{
	my ($text, $expected, $what, $name) = @$_;
	like(card($text, $name), $expected, "refused: $what");
}

# ---- the region of a card ----
my @lines = (
	"int sum(int a, int b)\n", "\t/* course: begin 01-sum */\n", "\treturn a + b;\n",
	"\t/* course: end 01-sum */\n"
);
is(scalar(Course::Card::anchors(join '', @lines)), 2, 'a region has two anchors');
is_deeply([map { $_->[2] } Course::Card::anchors(join '', @lines)], [2, 4], '... in these lines');

put('src/sum.c', join '', @lines);
is($card->region, $lines[2], '... and is what stands between them');
is($card->mutated($card->{mutants}[0]), "\treturn a - b;\n", 'a near miss changes it');
is($card->stub, "return 0;\n", 'a stub stands in its place');
is(
	$card->replace(join('', @lines), "\tx;\n"),
	"$lines[0]$lines[1]\tx;\n$lines[3]", '... and in nothing else\'s'
);
is($card->spoiled($card->{mutants}[0], "b + a"), 'b - a', 'a near miss fits other answers');
is($card->spoiled($card->{mutants}[0], "b"), undef, '... but not all');
is(
	$card->with_kept('stub', "a\n\t\@keep /return/\n"), "a\n\treturn a + b;\n",
	'a stub may keep a line'
);
eval { $card->with_kept('stub', "\@keep /nothing/\n") };
like($@, qr{no line of the finished region matches /nothing/}, '... that is there');
put('src/sum.c', join '', @lines[0, 1, 2]);
eval { $card->region };
like($@, qr/there must be one line/, 'a region without an end is refused');
put('src/sum.c', join '', @lines[3, 2, 1]);
eval { $card->region };
like($@, qr/there must be one line/, '... and one that ends before it begins');
put('src/sum.c', join '', @lines[0, 1], "\treturn 0;\n", $lines[3]);
eval { $card->mutated($card->{mutants}[0]) };
like($@, qr/no longer fits/, 'a near miss that changes nothing is refused');

# ---- two texts that were one ----
SKIP: {
	skip 'neither git nor diff3', 5
	    if !Course::Needs::tool('git') && !Course::Needs::tool('diff3');
	my $base = join '', map { "$_\n" } 1 .. 20;
	my ($text, $conflicts) =
	    Course::Merge::merge($base =~ s/^2$/two/mr, $base, $base =~ s/^19$/nineteen/mr);
	is($conflicts, 0, 'changes in different places are no conflict');
	is($text, $base =~ s/^2$/two/mr =~ s/^19$/nineteen/mr, '... and both are in the result');
	($text, $conflicts) =
	    Course::Merge::merge($base =~ s/^2$/two/mr, $base, $base =~ s/^2$/zwei/mr);
	is($conflicts, 1, 'changes in the same line are a conflict');
	like(
		$text, qr/^<<<<<<< yours\ntwo\n=======\nzwei\n>>>>>>> the project$/m,
		'... which shows both'
	);
	($text, $conflicts) = Course::Merge::merge(
		$base =~ s/^2$/two/mr =~ s/^19$/a/mr, $base,
		$base =~ s/^2$/zwei/mr =~ s/^19$/b/mr
	);
	is($conflicts, 2, '... and two are two');
}
is(Course::Merge::difference('a', 'a', 'old', 'new'), '', 'texts that are the same do not differ');
like(
	Course::Merge::difference("a\nb\n", "a\nc\n", 'old', 'new'),
	qr/^--- old\n\+\+\+ new\n.*^-b\n\+c$/ms, 'others do in these lines'
);

# ---- a linker's message ----
my %script =
    ('linker-scripts/a.lds.S' => "/* LOAD __sum */\nPHDRS {\n\ttext PT_LOAD;\n}\n__sum = 1;\n");
my $rule = "ld.bfd: error: undefined symbol `__sum' referenced\n";
like(
	Course::Said::of_rule($rule, '01-sum', %script),
	qr{^work/01-sum/linker-scripts/a\.lds\.S:5: \Q$rule\E    5 \| __sum = 1;},
	'a symbol that one line has leads there'
);
my %longer = (%script, 'linker-scripts/b.lds.h' => "__summary = 2;\nx__sum = 3;\n");
like(
	Course::Said::of_rule($rule, '01-sum', %longer),
	qr{a\.lds\.S:5: }, '... and not to another one that has its name in it'
);
my %twice = (%script, 'linker-scripts/b.lds.h' => "__sum = 2;\n");
is(Course::Said::of_rule($rule, '01-sum', %twice), $rule, '... and nowhere if two have it');
is(
	Course::Said::of_rule("gcc: error: __sum\n", '01-sum', %script), "gcc: error: __sum\n",
	'... or if no linker says it'
);
my %source = ('src/a.c' => "__sum = 1;\n");
is(Course::Said::of_rule($rule, '01-sum', %source), $rule, '... or the line is in no script');
like(
	Course::Said::of_rule("ld: LOAD segment with RWX permissions\n", '01-sum', %script),
	qr{a\.lds\.S:3: }, 'a segment by its type'
);

is(
	Course::Said::numbered("a\nb\n", 7), "UVDSO_LINE_7_ a\nUVDSO_LINE_8_ b\n",
	'lines are numbered from a number on'
);
is(
	Course::Said::numbered("#if X\na\n", 0), "#if X\nUVDSO_LINE_1_ a\n",
	'a condition stays as it is'
);
is(
	Course::Said::numbered("#if X \\\n && Y\na\n", 0), "#if X \\\n && Y\nUVDSO_LINE_2_ a\n",
	'... however long'
);
is(
	Course::Said::numbered("#define A(b) \\\n\tb\nc\n", 0),
	"#define A(b) UVDSO_LINE_0_  \\\nUVDSO_LINE_1_ \tb\nUVDSO_LINE_2_ c\n",
	'in a macro each line is numbered'
);

# ---- a diagram ----
my $svg = '<text x="1" data-from="size image">5</text><tspan data-from="below a">6</tspan>';
is_deeply(
	[Course::Diagram::taken($svg)], [['size image', '5'], ['below a', '6']],
	'what a diagram takes from the image'
);
is(
	Course::Diagram::filled($svg, {'size image' => 7, 'below a' => '-0x1'}),
	$svg =~ s/>5/>7/r =~ s/>6/>-0x1/r, '... is filled in'
);
eval { Course::Diagram::filled($svg, {'size image' => 7}) };
like($@, qr/"below a": the image has no such number/, '... or there is no such thing');
my ($light, $dark) =
    Course::Diagram::colours('a{} @media (prefers-color-scheme: dark) { b{c} } d{}');
ok(
	$light !~ /b\{c\}/ && $dark =~ /b\{c\}/ && $dark !~ /media/,
	'of a diagram there is a light and a dark picture'
);
done_testing();
