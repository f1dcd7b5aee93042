#!/usr/bin/perl
# diagrams.t - the diagrams of the course: their numbers are those of the image, and each is there for
# light and dark, and for who cannot see it.
#
# A number in a diagram says where it comes from (tutorial/lib/Course/Diagram.pm). Here all of them are
# taken from the built image once more.
use strict;
use warnings;
use Test::More;
use lib 'tutorial/lib';
use Course::Diagram;
use Course::Files qw(slurp);

my @paths = glob 'tutorial/img/*.svg';
my %svg = map { $_ => slurp($_) } @paths;

for my $path (@paths) {
	my $svg = $svg{$path};
	my @lacks;
	push @lacks, "no <$_> with an id that aria-labelledby names: a screen reader says nothing"
	    for grep { $svg !~ /<$_ id="([\w-]+)">\s*\S/ || $svg !~ /aria-labelledby="[^"]*\b$1\b/ }
	    qw(title desc);
	my ($light, $dark) = Course::Diagram::colours($svg);
	my $blocks = () = $svg =~ /prefers-color-scheme/g;
	push @lacks,
	    "$blocks blocks of dark colours, not one: the site cannot make a light and a dark picture of it"
	    if $blocks != 1 || "$light$dark" =~ /\@media/ || $light eq $dark;
	push @lacks, "$_: nothing may be loaded from elsewhere"
	    for grep { !m{^http://www\.w3\.org/} } $svg =~ m{((?:https?:)?//[\w.]+[^"'\s]*)}g;
	push @lacks, 'an image or a font in it: text is to be text'
	    if $svg =~ /<image|\@font-face|data:/;
	is(
		join("\n", @lacks), '',
		"$path has a title, a description, light and dark colours, and loads nothing"
	);
}

my $number = Course::Diagram::numbers('.');
my @taken = map {
	my $path = $_;
	map { [$path, @$_] } Course::Diagram::taken($svg{$path})
} @paths;
cmp_ok(scalar @taken, '>', 5, 'there are numbers in the diagrams')
    or diag('without any, the rest of this proves nothing');
is(
	join("\n", map { "$_->[0]: $_->[1]" } grep { !defined $number->{$_->[1]} } @taken), '',
	'all of them come from something that the image has'
);

my $reference = 'gcc 12, ld.bfd';
my ($drawn) = map { $_->[2] } grep { $_->[1] eq 'toolchain' } @taken;
is(
	$drawn // '', $reference,
	'they are those of the toolchain of Debian 12, which the drawing names'
) or diag('why: another compiler makes other numbers; a reader must know whose these are');
SKIP: {
	skip
	    "the numbers in the diagrams are those of $reference, and this image is by another toolchain",
	    1
	    if $number->{toolchain} ne $reference;
	my @wrong = map { "$_->[0]: $_->[1]: $_->[2], in the image $number->{$_->[1]}" }
	    grep { $_->[2] ne ($number->{$_->[1]} // '') } @taken;
	is(join("\n", @wrong), '', 'and are what the image has')
	    or diag(
		'why: a number in a drawing is believed, and nobody reads it again. After a change of the page',
		"\n     tutorial/learn diagrams brings them up to date"
	    );
}

# The same from another side: sections lie in the order in which the drawing has them.
my @offsets =
    map { hex $number->{"offset $_"} } qw(.hash .dynamic .note .eh_frame_hdr .rodata .text);
is(
	"@offsets", join(' ', sort { $a <=> $b } @offsets),
	'the parts of the image lie in the order in which they are drawn'
);
done_testing;
