package ElfBend;

# Changes to an image that is held as an Elf (Elf.pm): what the makers of wrong images share.
use strict;
use warnings;
use Exporter 'import';
use Elf;

our @EXPORT = qw(append redo_dynamic byte ehdr phdr sym);

my ($PT_LOAD, $PT_DYNAMIC) = (1, 2);

# Puts bytes after the end, at a multiple of 8 and skew more, and lets the PT_LOAD grow over them;
# their offset.
sub append {
	my ($elf, $bytes, $skew) = @_;
	my ($load) = $elf->segments($PT_LOAD);
	$elf->{bytes} .= "\0" x (-length($elf->{bytes}) % 8 + ($skew // 0));
	my $at = length $elf->{bytes};
	$elf->{bytes} .= $bytes;
	$elf->set('phdr', $load->{at}, $_, length $elf->{bytes}) for qw(filesz memsz);
	return $at;
}

# Replaces .dynamic by one with these entries: [tag, value]...
sub redo_dynamic {
	my ($elf, @entries) = @_;
	my $bytes = pack '(Q<2)*', map { @$_ } @entries;
	my $at = append($elf, $bytes);
	my ($segment) = $elf->segments($PT_DYNAMIC);
	my $section = $elf->section('.dynamic');
	$elf->set('phdr', $segment->{at}, $_, $at) for qw(offset vaddr);
	$elf->set('phdr', $segment->{at}, $_, length $bytes) for qw(filesz memsz);
	$elf->set('shdr', $section->{at}, $_, $at) for qw(offset addr);
	$elf->set('shdr', $section->{at}, 'size', length $bytes);
}

# A field of ...: each gives a function that changes it.
sub byte {
	my ($at, $value) = @_;
	return sub { substr $_[0]{bytes}, $at, 1, chr $value }
}

sub ehdr {
	my ($name, $value) = @_;
	return sub { $_[0]->set('ehdr', 0, $name, $value) }
}

sub phdr {
	my ($type, %fields) = @_;
	return sub {
		my ($elf) = @_;
		my ($s) = $elf->segments($type);
		$elf->set('phdr', $s->{at}, $_, $fields{$_}) for keys %fields;
	}
}

sub sym {
	my ($name, %fields) = @_;
	return sub {
		my ($elf) = @_;
		$elf->set('sym', $elf->symbol($name)->{at}, $_, $fields{$_}) for keys %fields;
	}
}

1;
