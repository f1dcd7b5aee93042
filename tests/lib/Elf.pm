package Elf;
# Elf.pm - the fields of a little-endian ELF image of either class, for the tests.
#
# The tests of the image and of the checker must not ask the checker what is in an
# image, nor readelf alone. This is the second opinion: elf(5) put into unpack
# templates. Every struct carries its file offset as {at}, so that a test can
# change one field of it: $elf->{bytes} is a plain string.
use strict;
use warnings;

# name => [template of one field, offset in the struct], and SIZEOF of the whole
my %common = (
	verdef => {
		version => ['v', 0], flags => ['v', 2], ndx => ['v', 4], cnt => ['v', 6],
		hash => ['V', 8], aux => ['V', 12], next => ['V', 16],
	},
	nhdr => {namesz => ['V', 0], descsz => ['V', 4], type => ['V', 8]},
	word => {value => ['V', 0]},
	half => {value => ['v', 0]},
);
my %layout = (
	2 => {
		%common,
		ehdr => {
			type => ['v', 16], machine => ['v', 18], version => ['V', 20],
			phoff => ['Q<', 32],
			shoff => ['Q<', 40], flags => ['V', 48], ehsize => ['v', 52],
			phentsize => ['v', 54],
			phnum => ['v', 56], shentsize => ['v', 58], shnum => ['v', 60],
			shstrndx => ['v', 62],
		},
		phdr => {
			type => ['V', 0], flags => ['V', 4], offset => ['Q<', 8],
			vaddr => ['Q<', 16],
			filesz => ['Q<', 32], memsz => ['Q<', 40], align => ['Q<', 48],
			SIZEOF => 56,
		},
		shdr => {
			name => ['V', 0], type => ['V', 4], flags => ['Q<', 8], addr => ['Q<', 16],
			offset => ['Q<', 24], size => ['Q<', 32], link => ['V', 40],
			info => ['V', 44],
			entsize => ['Q<', 56],
			SIZEOF => 64,
		},
		sym => {
			name => ['V', 0], info => ['C', 4], other => ['C', 5], shndx => ['v', 6],
			value => ['Q<', 8], size => ['Q<', 16], SIZEOF => 24,
		},
		dyn => {tag => ['Q<', 0], value => ['Q<', 8], SIZEOF => 16},
	},
	1 => {
		%common,
		ehdr => {
			type => ['v', 16], machine => ['v', 18], version => ['V', 20],
			phoff => ['V', 28],
			shoff => ['V', 32], flags => ['V', 36], ehsize => ['v', 40],
			phentsize => ['v', 42],
			phnum => ['v', 44], shentsize => ['v', 46], shnum => ['v', 48],
			shstrndx => ['v', 50],
		},
		phdr => {
			type => ['V', 0], offset => ['V', 4], vaddr => ['V', 8],
			filesz => ['V', 16],
			memsz => ['V', 20], flags => ['V', 24], align => ['V', 28], SIZEOF => 32,
		},
		shdr => {
			name => ['V', 0], type => ['V', 4], flags => ['V', 8], addr => ['V', 12],
			offset => ['V', 16], size => ['V', 20], link => ['V', 24],
			info => ['V', 28],
			entsize => ['V', 36],
			SIZEOF => 40,
		},
		sym => {
			name => ['V', 0], value => ['V', 4], size => ['V', 8], info => ['C', 12],
			other => ['C', 13], shndx => ['v', 14], SIZEOF => 16,
		},
		dyn => {tag => ['V', 0], value => ['V', 4], SIZEOF => 8},
	},
);
my %size = (v => 2, V => 4, 'Q<' => 8, C => 1);

our %TAG = (
	NULL => 0, NEEDED => 1, PLTRELSZ => 2, HASH => 4, STRTAB => 5, SYMTAB => 6, RELA => 7,
	RELASZ => 8, RELAENT => 9, STRSZ => 10, SYMENT => 11, INIT => 12, SONAME => 14, REL => 17,
	RELSZ => 18,
	PLTREL => 20, TEXTREL => 22, JMPREL => 23, INIT_ARRAY => 25, RUNPATH => 29, FLAGS => 30,
	RELRSZ => 35,
	RELR => 36, GNU_HASH => 0x6ffffef5, VERSYM => 0x6ffffff0, VERDEF => 0x6ffffffc,
	VERDEFNUM => 0x6ffffffd, FLAGS_1 => 0x6ffffffb, VERNEED => 0x6ffffffe,
);

sub new {
	my ($class, $bytes) = @_;
	my $elf_class = unpack 'x4 C', $bytes;
	my $layout = $layout{$elf_class} or die "the image is of no ELF class\n";
	my $self = bless {bytes => $bytes, class => $elf_class, layout => $layout}, $class;
	my $e = $self->{ehdr} = $self->get('ehdr', 0);

	$self->{segments} = [map { $self->get('phdr', $e->{phoff} + $layout->{phdr}{SIZEOF} * $_) }
		    0 .. $e->{phnum} - 1];
	$self->{sections} = [map { $self->get('shdr', $e->{shoff} + $layout->{shdr}{SIZEOF} * $_) }
		    0 .. $e->{shnum} - 1];
	my $names = $self->{sections}[$e->{shstrndx}];
	$_->{text} = $self->string($names->{offset} + $_->{name}) for @{$self->{sections}};

	# The image is mapped from its first byte at address 0: an address is an offset.
	my ($dynamic) = $self->segments(2) or die "the image has no PT_DYNAMIC\n";
	my $at = $dynamic->{offset};
	do {
		push @{$self->{dynamic}}, $self->get('dyn', $at);
		$at += $layout->{dyn}{SIZEOF};
	} until $self->{dynamic}[-1]{tag} == 0;

	$self->entry($_)
	    or die "the image has no DT_$_\n"
	    for qw(HASH STRTAB SYMTAB VERSYM VERDEF VERDEFNUM);
	my $nr = $self->get('word', $self->tag('HASH') + 4)->{value};
	die "DT_HASH is for $nr symbols\n" if $nr > 1000;
	for my $i (0 .. $nr - 1) {
		my $sym = $self->get('sym', $self->tag('SYMTAB') + $layout->{sym}{SIZEOF} * $i);
		my $versym = $self->get('half', $self->tag('VERSYM') + 2 * $i);
		push @{$self->{symbols}}, {
			%$sym, text => $self->string($self->tag('STRTAB') + $sym->{name}),
			index => $i,
			bind => $sym->{info} >> 4, kind => $sym->{info} & 15,
			versym => $versym->{value}, versym_at => $versym->{at},
		};
	}

	$at = $self->tag('VERDEF');
	for (1 .. $self->tag('VERDEFNUM')) {
		my $def = $self->get('verdef', $at);
		my $name = $self->get('word', $at + $def->{aux})->{value};
		push @{$self->{verdefs}},
		    {%$def, text => $self->string($self->tag('STRTAB') + $name)};
		$at += $def->{next};
	}

	for my $s ($self->segments(4)) {
		for ($at = $s->{offset}; $at < $s->{offset} + $s->{filesz};) {
			my $n = $self->get('nhdr', $at);
			my $desc = $at + 12 + ($n->{namesz} + 3 & ~3);
			push @{$self->{notes}},
			    {
				%$n, owner => $self->string($at + 12), desc_at => $desc,
				desc => substr $bytes, $desc, $n->{descsz}
			    };
			$at = $desc + ($n->{descsz} + 3 & ~3);
		}
	}
	return $self;
}

# One struct by its name.
sub get {
	my ($self, $struct, $at) = @_;
	my %fields = (at => $at);
	for my $name (grep { $_ ne 'SIZEOF' } keys %{$self->{layout}{$struct}}) {
		my ($template, $offset) = @{$self->{layout}{$struct}{$name}};
		$fields{$name} = unpack $template, substr $self->{bytes}, $at + $offset,
		    $size{$template};
	}
	return \%fields;
}

# Writes one field of it.
sub set {
	my ($self, $struct, $at, $name, $value) = @_;
	my ($template, $offset) = @{$self->{layout}{$struct}{$name}};
	substr $self->{bytes}, $at + $offset, $size{$template}, pack $template, $value;
}

sub string { my ($self, $at) = @_; return unpack 'Z*', substr $self->{bytes}, $at }

sub segments {
	my ($self, $type) = @_;
	return grep { $_->{type} == $type } @{$self->{segments}};
}

# By name: a section, a symbol, an entry of .dynamic, and the value of one.
sub section {
	my ($self, $name) = @_;
	my ($s) = grep { $_->{text} eq $name } @{$self->{sections}};
	return $s;
}

sub symbol {
	my ($self, $name) = @_;
	my ($s) = grep { $_->{text} eq $name } @{$self->{symbols}};
	return $s;
}

sub entry {
	my ($self, $tag) = @_;
	my ($d) = grep { $_->{tag} == $TAG{$tag} } @{$self->{dynamic}};
	return $d;
}
sub tag { my ($self, $tag) = @_; my $d = $self->entry($tag); return $d && $d->{value} }

sub build_id {
	my ($self) = @_;
	my ($note) = grep { $_->{owner} eq 'GNU' && $_->{type} == 3 } @{$self->{notes}};
	return $note && unpack 'H*', $note->{desc};
}

1;
