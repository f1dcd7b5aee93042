#!/usr/bin/perl
# The five broken images of tests/image/plant, and what tests/image/faults says of them.
use strict;
use warnings;
use Digest::SHA 'sha256_hex';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use RunTest;
use Test::More;

my $image = "$BUILD/x86_64/vdso.so";
plan skip_all => 'the faults are planted in the image of x86-64' if !-e $image;
my $dir = temp_dir();
my $made = run("$FindBin::Bin/plant", $image, "$dir");
BAIL_OUT("tests/image/plant: $made->{err}") if $made->{status};

# By their digests, so that who looks here finds no answer.
my %digest = (
	a => 'e785dded751a3a0bc0b1885ef1bb205a9231f773814d4efe345750734a97e16d',
	b => 'f4753afd12563a956795a09882938750f39e1f9ae8d6c899e4160d603cc66895',
	c => 'c3df1062f6b7260ead3a8bb5775bf1bc4e37de61458560bbd6023cd71e81c41e',
	d => '549b3c148a970c3f3decf73523f49a80e5516046b37e16ac4672a2be57f61a97',
	e => 'd3653745127154230217031c6a23a31be980b9b71f0ebf8839073409cb4b245b',
);
my %word = (
	a => '7b2c30ddb3712919a6d6b538641ac63ab9424949567ba85f4565f4e75d914508',
	b => '863a2ed3cf4a02ffe928d097e3aafa7a0736a3e6e9a60ea1797c2d7a17fe4350',
	c => 'a544a788a16f86c9e43b24e0abf5126f3c5fca398663ac8f63f3f0d873b44190',
	d => 'd11c0950c1273220affc55a50392b91ccc19624896973697288b7a1782dbd916',
	e => 'a67f04f94037f799dcca64dc900098d10bb7a810c722252ed855308e1e23dbcf',
);
my %symptom = (
	a => 'programs under a filter that kills for clock_gettime(2) die with it: they do not find'
	    . ' a function that nm -D shows',
	b => 'every program works with it, and so does whoever wants to change its clock',
	c => 'two names of one function do not lead to the same place',
	d =>
	    'whoever asks for the time of day makes a system call, or asks another function; nm -D'
	    . ' shows a line that is not like the others',
	e => 'all clocks are right, and gdb loses its way in one function',
);

# The words that may be used, from the top of the file; each is a line of the comment.
my $answers = slurp("$FindBin::Bin/faults");
my %known = map { $_ => 1 } $answers =~ /^#\t([a-z-]+)\s{2,}/mg;

my %answer;
for (split /\n/, $answers) {
	next if !/^\s*([a-e])(?:\.so)?:\s*(\S+)\s+(\S+)\s*$/;
	my ($name, $word, $what) = ($1, $2, $3);
	# As the tools write them: nm adds the version, readelf leaves out the PT_, and some add ().
	$what =~ s/@.*|\(\)$//;
	$what =~ s/^LOAD$/PT_LOAD/;
	# Unwind data is of an address, and both names of a function have that.
	$what =~ s/^(?!__vdso_)/__vdso_/ if $word eq 'unwind';
	$answer{$name} = "$word $what";
}
for my $name (sort keys %digest) {
	next
	    if ok(
		sha256_hex("$name " . ($answer{$name} // '')) eq $digest{$name},
		"$name.so: what is wrong with it has its name"
	    );
	diag defined $answer{$name}
	    ? "got       $answer{$name}"
	    : "got       no line \"$name: WORD NAME\" in tests/image/faults";
	diag 'the word is right, and what it is said of is not'
	    if sha256_hex("word $name " . (($answer{$name} // '') =~ s/ .*//r)) eq $word{$name};
	diag "\"$1\" is none of the words at the top of tests/image/faults"
	    if ($answer{$name} // '') =~ /^(\S+)/ && !$known{$1};
	diag "why: $symptom{$name}";
}

# Are they broken, and each in one way alone? No rule is about the length of a description.
for my $name (qw(a b c d)) {
	my $p = run($UVDSO, 'check', "$dir/$name.so");
	my %rules = map { $_ => 1 } $p->{out} =~ /\.so: ([a-z-]+): /g;
	is($p->{status} . ' ' . keys %rules, '1 1', "$name.so breaks one rule of uvdso check")
	    || diag $p->{out}, $p->{err};
}
done_testing;
