#!/usr/bin/perl
# mutants.t - a sample of the mistakes in tests/mutants/table is noticed, each day another one.
#
# All of them take many minutes (make mutants). Here are as many as fit into a few seconds of work, in
# an order that depends on the day. SAMPLE=N repeats one. Before that, what reads the table is held
# against small texts.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use File::Temp 'tempdir';
use Test::More;
use Mutants;

my $BUDGET = 4.5;    # seconds of work
my $LIMIT = 60;      # and seconds, on a machine that others work on
my $dir = tempdir(CLEANUP => 1);

# ---- the table, and what its lines mean ----
sub parsed {
	my ($text) = @_;
	open my $file, '>', "$dir/table" or die;
	print $file $text;
	close $file;
	my @all = eval { Mutants::table("$dir/table") };
	return $@ ? $@ =~ s{^\Q$dir/\E}{}r : \@all;
}

my $head = "== Makefile: vdso/fake\n";
my $sum =
    "int sum(int a, int b)\n{\n\treturn a + b;\n}\n\nint more(int a)\n{\n\treturn a + b;\n}\n";
for (
	[
		"a\n\tin more\n\t- a + b\n\t+ a - b\n", 'a \+ b.*a - b',
		'a text in a function is changed'
	],
	["a\n\t- a + b\n\t+ a - b\n", undef, 'one that is there twice does not fit'],
	["a\n\t- a * b\n\t+ a - b\n", undef, '... and neither does one that is not there'],
	["a\n\tin gone\n\t- a + b\n\t+ a - b\n", undef, '... or a function that is not'],
	["a\n\t- (int a)\n\t- {\n\t+ (int a)\n\t+ {\n\t+ a++;\n", 'a\+\+', 'lines are changed'],
	["a\n\ts/a \\+ b/b - a/\n", 'b - a.*a \+ b', 'Perl changes what is first'],
    )
{
	my ($text, $expected, $what) = @$_;
	my $all = parsed($head . $text);
	my $got = ref $all ? Mutants::mutated($all->[0], $sum) : "cannot be read: $all";
	ok(defined $expected ? ($got // '') =~ /$expected/s : !defined $got, $what)
	    or diag('got ', $got // 'nothing');
}
for (
	["a\n\t- b\n", qr/^table:1: a mutant before/, 'a mutant without a file is refused'],
	["$head\t- b\n", qr/^table:2: an indented line/, '... a change without a mutant'],
	["${head}a\n", qr/^table:2: a: either lines/, '... a mutant without a change'],
	[
		"${head}a\n\t- b\n\na\n\t- c\n", qr/^table:5: 'a': a second one/,
		'... the same sentence twice'
	],
	[
		"== nowhere.c: vdso/fake\n", qr/^table:1: nowhere.c: no such file/,
		'... a file that is gone'
	],
	["${head}a\n\tgone: b\n", qr/^table:3: neither/, '... and any other line'],
    )
{
	my ($text, $expected, $what) = @$_;
	like(parsed($text), $expected, $what);
}

# ---- all of the table fits the source ----
my @all = Mutants::table("$FindBin::Bin/../mutants/table");
cmp_ok(scalar @all, '>=', 120, 'there are 120 mutants, and more');
my @outdated =
    grep { !defined Mutants::mutated($_, Course::Files::slurp("$Mutants::TOP/$_->{file}")) } @all;
ok(!@outdated, 'each fits the source as it is')
    or diag(map { "tests/mutants/table:$_->{line}: $_->{name}\n" } @outdated);
my %tests = map { $_ => 1 } map { @{$_->{tests}} } @all;
my @unknown = grep { $_ ne 'build' && !Mutants::is_test($_) } sort keys %tests;
is("@unknown", '', '... and names tests that there are');

# ---- the sample ----
my $seed = $ENV{SAMPLE} // int(time / 86400);
my @sample = Mutants::sample($seed, @all);
note("make test T=self/mutants SAMPLE=$seed repeats this one");
my $tree = Mutants::tree("$dir/tree");
my $spent = sub { my @t = times; return $t[0] + $t[1] + $t[2] + $t[3] };
my $tried = 0;
for my $mutant (@sample) {
	last if $tried && ($spent->() >= $BUDGET || time - $^T > $LIMIT);
	my $result = Mutants::try($tree, $mutant);
	next if $result->{verdict} eq 'left';
	$tried++;
	ok($result->{verdict} =~ /^(?:noticed|lives)$/, "$mutant->{file}: $mutant->{name}: noticed")
	    ? note($result->{said})
	    : diag(Mutants::told($mutant, $result), "SAMPLE=$seed");
}
cmp_ok($tried, '>', 0, 'a sample was tried');
done_testing();
