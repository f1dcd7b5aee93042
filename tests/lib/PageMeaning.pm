package PageMeaning;
# PageMeaning.pm - what an image says to those who use it, apart from how it was laid out.
#
# Two linkers and two compilers never make the same bytes. What must be the same is listed here,
# read out of the bytes by Elf.pm and by the few lines below for .eh_frame: nobody's tool is
# believed, ours least of all.
use strict;
use warnings;
use Elf;
use Exporter 'import';

our @EXPORT = qw(meaning exported covered is_extra is_signal_frame);

my %BIND = (0 => 'LOCAL', 1 => 'GLOBAL', 2 => 'WEAK');
my %KIND = (0 => 'NOTYPE', 1 => 'OBJECT', 2 => 'FUNC');
my %NAME_OF = reverse %Elf::TAG;

# What ld.bfd adds and nobody asks for: the name of each node, as an absolute object, and on riscv64
# a local symbol for a section, without a name.
sub is_extra {
	my ($elf, $s) = @_;
	return 1 if !$s->{index} || ($s->{bind} == 0 && $s->{kind} == 3);
	return $s->{shndx} == 0xfff1 && grep { $_->{text} eq $s->{text} } @{$elf->{verdefs}};
}

# "name node binding type" of what is exported, in the order of the alphabet.
sub exported {
	my ($elf) = @_;
	my %node = map { $_->{ndx} => $_->{text} } @{$elf->{verdefs}};
	return sort map {
		join ' ', $_->{text}, $node{$_->{versym} & 0x7fff} // "version $_->{versym}",
		    $BIND{$_->{bind}} // "binding $_->{bind}",
		    $KIND{$_->{kind}} // "type $_->{kind}"
	} grep { !is_extra($elf, $_) } @{$elf->{symbols}};
}

# The ranges of addresses that .eh_frame describes. Its pointers are relative, in four bytes.
sub ranges {
	my ($elf) = @_;
	my $s = $elf->section('.eh_frame') or return;
	my ($at, $end, @ranges) = ($s->{offset}, $s->{offset} + $s->{size});
	while ($at + 4 <= $end) {
		my ($length, $cie) = unpack 'V V', substr $elf->{bytes}, $at, 8;
		last unless $length;
		if ($cie) {
			my ($start, $size) = unpack 'l< V', substr $elf->{bytes}, $at + 8, 8;
	      # The CIE lies so far before the field that says so; its letters are behind a version.
			my $letters = $elf->string($at + 4 - $cie + 9);
			push @ranges, [$start + $at + 8, $start + $at + 8 + $size, $letters];
		}
		$at += 4 + $length;
	}
	return sort { $a->[0] <=> $b->[0] } @ranges;
}

# Is every byte of a function described?
sub covered {
	my ($elf, $function) = @_;
	my $at = $function->{value};
	for (ranges($elf)) {
		$at = $_->[1] if $_->[0] <= $at && $_->[1] > $at;
	}
	return $at >= $function->{value} + $function->{size};
}

# Is a function described as the end of a signal frame (S), from before its first byte on?
sub is_signal_frame {
	my ($elf, $function) = @_;
	my ($range) =
	    grep { $_->[0] <= $function->{value} && $_->[1] > $function->{value} } ranges($elf);
	return $range && $range->[2] =~ /S/ && $range->[0] < $function->{value};
}

# The tags, but for those that change nothing: spare DT_NULLs, a DT_SYMBOLIC that DF_SYMBOLIC
# says as well, a table of relocations of size 0, PLT and GOT of an image that has none.
sub tags {
	my ($elf) = @_;
	my %ignored = (0 => 1, 16 => 1, 3 => 1, 6 => 0);
	@ignored{@Elf::TAG{qw(RELA RELASZ)}, 9} = (1) x 3 if !$elf->tag('RELASZ');
	@ignored{@Elf::TAG{qw(REL RELSZ)}, 19} = (1) x 3 if !$elf->tag('RELSZ');
	return sort map { $NAME_OF{$_->{tag}} // sprintf '%#x', $_->{tag} }
	    grep { !$ignored{$_->{tag}} } @{$elf->{dynamic}};
}

# All of it, as lines: what two images of one machine must have in common.
sub meaning {
	my ($elf) = @_;
	my $e = $elf->{ehdr};
	my @functions = grep { !is_extra($elf, $_) } @{$elf->{symbols}};
	my $addresses = sub {
		my ($s) = @_;
		return join '=',
		    sort map { $_->{text} } grep { $_->{value} == $s->{value} } @functions;
	};
	return (
		"class $elf->{class} machine $e->{machine} type $e->{type} flags $e->{flags}",
		(
			map { sprintf 'segment %#x flags %d align %d', @$_{qw(type flags align)} }
			    @{$elf->{segments}}
		),
		'soname ' . $elf->string($elf->tag('STRTAB') + $elf->tag('SONAME')),
		(map { ; "node $_->{ndx} flags $_->{flags} $_->{text}" } @{$elf->{verdefs}}),
		(map { ; "export $_" } exported($elf)),
		(sort map { sprintf 'visibility %s %d', $_->{text}, $_->{other} & 3 } @functions),
		(sort map { ; 'same address ' . $addresses->($_) } @functions),
		'tags ' . join(' ', tags($elf)),
		sprintf('DT_FLAGS %#x', $elf->tag('FLAGS') // 0),
		(
			sort map {
				;
				"note $_->{owner} $_->{type} " . (
					$_->{owner} eq 'GNU' ? length $_->{desc} : unpack 'H*',
					$_->{desc}
				)
			} @{$elf->{notes}}
		),
		'unwindable '
		    . join(' ', sort map { $_->{text} } grep { covered($elf, $_) } @functions),
		'relocations '
		    . join(' ', map { $elf->tag($_) || 0 } qw(RELSZ RELASZ PLTRELSZ RELRSZ)),
		'writable bytes ' . join(
			' ',
			map { ; "$_->{text} $_->{size}" } grep {
				       ($_->{flags} & 3) == 3
				    && $_->{size}
				    && $_->{text} !~ /^\.(dynamic|got)/
			} @{$elf->{sections}}
		),
	);
}

1;
