package Course::Diagram;

# The numbers in the diagrams, taken from the image as it is built.
#
# A text of a diagram that is a number says where it comes from, and `tutorial/learn diagrams` puts
# it there:
#
#	<text data-from="offset .text">0x820</text>
#
#	offset .text        where a section begins in the file, which is its address as well
#	size .text          its bytes
#	offset sections     where the section headers begin
#	size image          the bytes of the file
#	below vdso_data     how far a symbol is below the image
#	toolchain           what built it: another compiler makes other numbers
#
# Only x86-64 is looked at: the diagrams are of that image.

use strict;
use warnings;
use Course::Files qw(slurp spew matching);

my $FROM = qr/(<(?:text|tspan)\b[^>]*\bdata-from="([^"]*)"[^>]*>)([^<]*)(?=<)/;

# Name => what stands in the diagram.
sub numbers {
	my ($top) = @_;
	my $dir = Course::Files::built($top) . '/x86_64';
	my %number;
	-e "$dir/$_"
	    or die "there is no $dir/$_: run make first\n"
	    for qw(vdso.so vdso.so.dbg .config);

	for (tool('readelf', '-WhS', "$dir/vdso.so")) {
		if (/^\s*\[ *\d+\] (\.\S+) +\S+ +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) /) {
			$number{"offset $1"} = sprintf '0x%x', hex $2;
			$number{"size $1"} = hex $3;
		}
		$number{'offset sections'} = sprintf '0x%x', $1
		    if /Start of section headers: +(\d+)/;
	}
	$number{'size image'} = -s "$dir/vdso.so";
	for (tool('nm', "$dir/vdso.so.dbg")) {
		# Addresses below the image are negative ones.
		$number{"below $2"} = sprintf '-0x%x', 1 + (0xffffffff ^ hex $1)
		    if /^f{8}([0-9a-f]{8}) \w (\w+)$/;
	}
	my ($version) = map { /DW_AT_producer.*(?:GNU C\S*|clang version) (\d+)\./ ? $1 : () }
	    tool('readelf', '--debug-dump=info', "$dir/vdso.so.dbg");
	my ($compiler, $linker) = split ' ', slurp("$dir/.config");
	$number{toolchain} = "$compiler " . ($version // '?') . ", $linker";
	return \%number;
}

sub tool {
	my @command = @_;
	local $ENV{LC_ALL} = 'C';
	open my $pipe, '-|', @command or die "$command[0]: $!\n";
	my @lines = <$pipe>;
	close $pipe or die "@command: status " . ($? >> 8) . "\n";
	return @lines;
}

# What the diagram says it takes, and what stands there now: [from, text].
sub taken {
	my ($svg) = @_;
	my @taken;
	push @taken, [$2, $3] while $svg =~ /$FROM/g;
	return @taken;
}

sub filled {
	my ($svg, $number) = @_;
	return $svg =~
	    s/$FROM/$1 . ($number->{$2} \/\/ die "data-from=\"$2\": the image has no such number\n")/ger;
}

# Two pictures of one: a diagram has its dark colours in one block "@media (prefers-color-scheme:
# dark) { ... }". Without that it is light, and without the condition, since what comes later holds,
# dark.
sub colours {
	my ($svg) = @_;
	my $rules = qr/\@media \(prefers-color-scheme: dark\) \{((?:[^{}]*\{[^{}]*\})*)\s*\}/;
	return ($svg =~ s/$rules//r, $svg =~ s/$rules/$1/r);
}

# Brings all diagrams up to date.
sub rewrite {
	my ($top) = @_;
	my $number = numbers($top);
	for my $path (matching($top, 'tutorial/img/*.svg')) {
		my $svg = slurp($path);
		my $new = eval { filled($svg, $number) } // die "$path: $@";
		next if $new eq $svg;
		spew($path, $new);
		print 'rewritten: ', substr($path, length($top) + 1), "\n";
	}
	return 0;
}

1;
