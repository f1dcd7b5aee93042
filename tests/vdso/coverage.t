#!/usr/bin/perl
# coverage.t - the tests on the made-up machine reach every line and every branch of the clock code.
#
# The image's C is built once more, with gcc's counters in it (--coverage), and fake and interleave are
# run on that. gcov then says how often each line was executed and each branch taken. A line that nobody
# reached is a line that may do anything. The inverse is not true: `make mutants` asks whether a mistake in a
# line that is reached would be noticed.
#
# Everything happens in a directory of its own; no .gcno or .gcda comes into the tree.
use strict;
use warnings;
use Cwd 'getcwd';
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build;

$ENV{LC_ALL} = 'C';
delete @ENV{qw(GCOV_PREFIX GCOV_PREFIX_STRIP)};

for (qw(gcc gcov)) {
	plan(skip_all => "no $_") if system "$_ --version >/dev/null 2>&1";
}

my $here = getcwd();
my $src = "$here/vdso-src";
my $tmp = tempdir(CLEANUP => 1);
my @objects = qw(gettime getcpu);
my @programs = qw(fake interleave);
my @covered =
    qw(gettime.c getcpu.c include/vdso/cycles.h include/vdso/once.h include/vdso/seqcount.h);

# Branches that no test can take: [file, text of the line, why]. There are none at the moment.
my @unreachable = ();

sub run {
	my ($command) = @_;
	my $said = `cd @{[quoted($tmp)]} && $command 2>&1`;
	BAIL_OUT("$command:\n$said") if $?;
}

# Not optimised: a line is a line, and a branch of the source is a branch.
my $cc =
    "gcc -std=gnu11 -O0 -D_GNU_SOURCE -I@{[quoted($src)]}/include -I@{[quoted($src)]}/arch/fake -I@{[quoted($here)]}/tests/lib";
run("$cc --coverage -c @{[quoted($src)]}/$_.c -o @{[quoted($tmp)]}/$_.o") for @objects;
for my $program (@programs) {
	# The test itself is not counted: it has no counters, only the library that writes them out.
	run("$cc -c @{[quoted($here)]}/tests/vdso/$program.c -o @{[quoted($tmp)]}/$program.o");
	run("gcc --coverage $program.o " . join(' ', map { "$_.o" } @objects) . " -o $program");
	is(
		system("timeout 60 @{[quoted($tmp)]}/$program >/dev/null"), 0,
		"$program passes on the image with counters in it"
	);
}
run('gcov -b -c ' . join ' ', map { "$_.gcno" } @objects);

# ---- what gcov says: "count:  line:text", and below it "branch N taken M" ------------------------
my %seen;
for my $report (matching($tmp, '*.gcov')) {
	open my $fh, '<', $report or BAIL_OUT("$report: $!");
	my ($file, $number, $text);
	while (<$fh>) {
		if (/^ *-: +0:Source:\Q$src\E\/(.*)/) {
			$file = $1;
		} elsif (!defined $file) {
			next;
		} elsif (/^ *([^:]+?)\*?: *(\d+):(.*)/) {
			(my $count, $number, $text) = ($1, $2, $3);
			next if $count eq '-';
			$seen{$file}{lines}++;
			push @{$seen{$file}{missed}}, "$file:$number:$text"
			    unless $count =~ /^\d+$/ && $count > 0;
		} elsif (/^branch +\d+ (?:taken (\d+)|never executed)/) {
			$seen{$file}{branches}++;
			push @{$seen{$file}{untaken}}, [$file, $text, "$file:$number:$text"]
			    unless $1;
		}
	}
	close $fh;
}

my ($lines, $branches, $taken) = (0, 0, 0);
for my $file (@covered) {
	my $s = $seen{$file} // {};
	my @missed = @{$s->{missed} // []};
	my @untaken = @{$s->{untaken} // []};
	my @strange = grep {
		my $u = $_;
		!grep { $u->[0] eq $_->[0] && $u->[1] =~ $_->[1] } @unreachable
	} @untaken;

	$lines += $s->{lines} // 0;
	$branches += $s->{branches} // 0;
	$taken += ($s->{branches} // 0) - @untaken;
	ok($s->{lines} && !@missed, "$file: every line is executed")
	    or diag(
		$s->{lines}
		? join "\n", 'never executed:', @missed
		: 'gcov counted no line of it'
	    );
	ok(!@strange, "$file: every branch is taken that can be")
	    or diag(join "\n", 'never taken:', map { $_->[2] } @strange);
}
# Whatever file of the image comes to it must be named above.
my @more = grep {
	my $f = $_;
	$f !~ m{^arch/fake/} && !grep { $_ eq $f } @covered
} sort keys %seen;
is("@more", '', 'no other file has code in it');

note(
	sprintf '%d lines of the image, each executed; %d of %d branches taken (%.1f %%)', $lines,
	$taken,
	$branches, $branches ? 100 * $taken / $branches : 0
);
note("not reachable: $_->[0], $_->[1]: $_->[2]") for @unreachable;
done_testing();
