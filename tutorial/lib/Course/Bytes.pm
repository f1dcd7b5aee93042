package Course::Bytes;

# What every byte of a built image is, and who reads it: the data of the page "The byte map".
#
# map() gives {arch, size, bytes, parts, spans}. A span is [at, size, part, name, value, readers]: the
# spans follow one another and leave out nothing. Names and values are the same in every language;
# the rest is said in tutorial/site/theme/words.mjs, by the names of parts, fields and readers.
#
# Who reads what: as glibc 2.36, musl 1.2.3, gdb 13 and libgcc are known to, not tried. A reader is named
# where it uses the value, not where it only comes along.

use strict;
use warnings;
use Course::Files qw(slurp capture);

# A field: name, template, readers. N is an address or offset, of the size that the class has.
my %SIZE = (C => 1, v => 2, V => 4, 'l<' => 4, 'Q<' => 8);
my @EHDR = (
	['EI_MAG', 'a4', 'loader gdb'], ['EI_CLASS', 'C', 'loader gdb'],
	['EI_DATA', 'C', 'loader gdb'],
	['EI_VERSION', 'C', 'loader gdb'], ['EI_OSABI', 'C', 'gdb'],
	['EI_ABIVERSION', 'C', 'others'],
	['EI_PAD', 'a7', ''], ['e_type', 'v', 'loader gdb'], ['e_machine', 'v', 'loader gdb'],
	['e_version', 'V', 'loader gdb'], ['e_entry', 'N', 'loader'],
	['e_phoff', 'N', 'loader glibc musl gdb'], ['e_shoff', 'N', 'gdb others'],
	['e_flags', 'V', 'gdb'], ['e_ehsize', 'v', 'others'],
	['e_phentsize', 'v', 'loader musl gdb'], ['e_phnum', 'v', 'loader glibc musl gdb'],
	['e_shentsize', 'v', 'gdb others'], ['e_shnum', 'v', 'gdb others'],
	['e_shstrndx', 'v', 'gdb others'],
);
my %PHDR = (
	64 =>
	    [qw(p_type:V p_flags:V p_offset:N p_vaddr:N p_paddr:N p_filesz:N p_memsz:N p_align:N)],
	32 =>
	    [qw(p_type:V p_offset:N p_vaddr:N p_paddr:N p_filesz:N p_memsz:N p_flags:V p_align:V)],
);
my %SYM = (
	64 => [qw(st_name:V st_info:C st_other:C st_shndx:v st_value:N st_size:N)],
	32 => [qw(st_name:V st_value:N st_size:N st_info:C st_other:C st_shndx:v)],
);
my @SHDR = qw(sh_name:V sh_type:V sh_flags:N sh_addr:N sh_offset:N sh_size:N sh_link:V sh_info:V
    sh_addralign:N sh_entsize:N);
my @VERDEF = qw(vd_version:v vd_flags:v vd_ndx:v vd_cnt:v vd_hash:V vd_aux:V vd_next:V);
my @ALTERNATIVE = qw(place:l< needs:v length:C with:C code:a8);

# Who uses a field, where that is not everybody who uses the whole.
my %READERS = (
	p_type => 'loader glibc musl gdb unwinder', p_flags => 'loader glibc',
	p_offset => 'loader musl gdb',
	p_vaddr => 'loader glibc musl gdb unwinder', p_paddr => '', p_filesz => 'loader gdb',
	p_memsz => 'loader glibc unwinder', p_align => 'loader gdb',
	st_name => 'glibc musl gdb', st_info => 'glibc musl gdb', st_other => 'glibc',
	st_shndx => 'glibc musl gdb', st_value => 'glibc musl gdb', st_size => 'gdb',
	vd_version => 'others', vd_flags => 'glibc musl', vd_ndx => 'glibc musl gdb',
	vd_cnt => 'gdb',
	vd_hash => 'glibc others', vd_aux => 'glibc musl gdb', vd_next => 'glibc musl gdb',
	vda_name => 'glibc musl gdb', vda_next => '',
);
my %DYNAMIC = (
	0 => ['DT_NULL', 'glibc musl'], 4 => ['DT_HASH', 'musl'], 5 => ['DT_STRTAB', 'glibc musl'],
	6 => ['DT_SYMTAB', 'glibc musl'], 10 => ['DT_STRSZ', 'others'],
	11 => ['DT_SYMENT', 'others'],
	14 => ['DT_SONAME', 'glibc'], 16 => ['DT_SYMBOLIC', 'glibc'], 30 => ['DT_FLAGS', 'glibc'],
	0x6ffffef5 => ['DT_GNU_HASH', 'glibc'], 0x6ffffff0 => ['DT_VERSYM', 'glibc musl'],
	0x6ffffffb => ['DT_FLAGS_1', 'glibc'],
	0x6ffffffc => ['DT_VERDEF', 'glibc musl'], 0x6ffffffd => ['DT_VERDEFNUM', 'others'],
);
my %PT = (1 => 'PT_LOAD', 2 => 'PT_DYNAMIC', 4 => 'PT_NOTE', 0x6474e550 => 'PT_GNU_EH_FRAME');
my %SHT = (
	0 => 'SHT_NULL', 1 => 'SHT_PROGBITS', 2 => 'SHT_SYMTAB', 3 => 'SHT_STRTAB', 5 => 'SHT_HASH',
	6 => 'SHT_DYNAMIC', 7 => 'SHT_NOTE', 11 => 'SHT_DYNSYM', 0x6ffffff6 => 'SHT_GNU_HASH',
	0x6ffffffd => 'SHT_GNU_verdef', 0x6fffffff => 'SHT_GNU_versym',
);
my %MACHINE = (3 => 'EM_386', 62 => 'EM_X86_64', 183 => 'EM_AARCH64', 243 => 'EM_RISCV');
my %BIND = (0 => 'STB_LOCAL', 1 => 'STB_GLOBAL', 2 => 'STB_WEAK');
my %KIND = (0 => 'STT_NOTYPE', 1 => 'STT_OBJECT', 2 => 'STT_FUNC', 3 => 'STT_SECTION');
my %NEEDS = (1 => 'VDSO_CPU_RDTSCP', 2 => 'VDSO_CPU_RDPID', 3 => 'VDSO_CPU_AVX2');

# What the image in this directory of the build is made of.
sub map_of {
	my ($dir) = @_;
	-e "$dir/$_" or die "there is no $dir/$_: run make first\n" for qw(vdso.so vdso.so.dbg);
	my $self = bless {bytes => slurp("$dir/vdso.so"), spans => []}, __PACKAGE__;
	$self->{functions} = functions(slurp("$dir/vdso.so.dbg"));
	$self->headers;
	for my $s (@{$self->{sections}}) {
		next if !$s->{size} || $s->{type} == 0;
		my $way = $s->{name} =~ s/^\.//r =~ tr/./_/r;
		if ($way eq 'text') { $self->text($s, "$dir/vdso.so.dbg") }
		elsif (my $method = $self->can("section_$way")) { $self->$method($s) }
		else { $self->span($s->{name}, $s->{offset}, $s->{size}, $s->{name}, '', '') }
	}
	my ($arch) = $dir =~ m{([^/]+)/?$};
	return {
		arch => $arch, size => length $self->{bytes}, bytes => unpack('H*', $self->{bytes}),
		spans => $self->whole
	};
}

sub number { my ($n) = @_; return $n < 10 ? "$n" : sprintf '0x%x (%d)', $n, $n }
sub address { my ($n) = @_; return sprintf '0x%x', $n }

sub string { my ($self, $at) = @_; return unpack 'Z*', substr $self->{bytes}, $at }

sub span {
	my ($self, $part, $at, $size, $name, $value, $readers) = @_;
	push @{$self->{spans}}, [$at, $size, $part, $name, $value // '', $readers // ''];
}

# Reads the fields at a place and makes a span of each. $say gives the value in words, by the name.
sub fields {
	my ($self, $part, $at, $prefix, $fields, $readers, $say) = @_;
	my %value;
	for (@$fields) {
		my ($name, $template, $who) = ref $_ ? @$_ : split /:/;
		$template = $self->{class} == 64 ? 'Q<' : 'V' if $template eq 'N';
		my $size = $SIZE{$template} // substr $template, 1;
		my $value = unpack $template, substr $self->{bytes}, $at, $size;
		$value{$name} = $value;
		$value{spans}{$name} = @{$self->{spans}};
		$self->span(
			$part, $at, $size, "$prefix$name", $template =~ /^a/ ? '' : number($value),
			$who // $READERS{$name} // $readers
		);
		$at += $size;
	}
	$value{end} = $at;
	for my $name (keys %{$say // {}}) {
		my $text = $say->{$name}->($value{$name}, \%value) // next;
		$self->{spans}[$value{spans}{$name}][4] = $text;
	}
	return \%value;
}

sub headers {
	my ($self) = @_;
	$self->{class} = 32 * unpack 'x4 C', $self->{bytes};
	my $e = $self->fields(
		'ehdr', 0, '', \@EHDR, '',
		{
			EI_MAG => sub { '7f "ELF"' },
			EI_CLASS => sub { $_[0] == 2 ? '2 (ELFCLASS64)' : '1 (ELFCLASS32)' },
			EI_DATA => sub { '1 (ELFDATA2LSB)' },
			e_type => sub { "$_[0] (ET_DYN)" },
			e_machine => sub { "$_[0] ($MACHINE{$_[0]})" },
			map {
				$_ => sub { address($_[0]) }
			} qw(e_entry e_phoff e_shoff e_flags)
		}
	);
	for my $i (0 .. $e->{e_phnum} - 1) {
		my $at = $e->{e_phoff} + $i * $e->{e_phentsize};
		my $type = $PT{unpack 'V', substr $self->{bytes}, $at, 4} // '?';
		$self->fields(
			'phdr', $at, "$type: ", $PHDR{$self->{class}}, '',
			{
				p_type => sub { $PT{$_[0]} },
				p_flags => sub {
					join ' + ',
					    map { $_[0] & $_->[0] ? $_->[1] : () } [4, 'PF_R'],
					    [2, 'PF_W'], [1, 'PF_X'];
				},
				map {
					$_ => sub { address($_[0]) }
				} qw(p_offset p_vaddr p_paddr)
			}
		);
	}
	my $names;
	for my $i (0 .. $e->{e_shnum} - 1) {
		my $at = $e->{e_shoff} + $i * $e->{e_shentsize};
		my @template = map { $_ eq 'N' ? $self->{class} == 64 ? 'Q<' : 'V' : $_ }
		    map { /:(.*)/ } @SHDR;
		my %s;
		@s{map { /^sh_(\w+)/ } @SHDR} = unpack "@template", substr $self->{bytes}, $at;
		push @{$self->{sections}}, \%s;
	}
	$names = $self->{sections}[$e->{e_shstrndx}]{offset};
	for my $i (0 .. $#{$self->{sections}}) {
		my $s = $self->{sections}[$i];
		$s->{name} = $self->string($names + $s->{name});
		$self->{section}{$s->{name}} = $s;
		$self->fields(
			'shdr',
			$e->{e_shoff} + $i * $e->{e_shentsize},
			($s->{name} || "[$i]") . ': ',
			\@SHDR, $i ? 'gdb others' : '',
			{
				sh_name =>
				    sub { number($_[0]) . ($s->{name} && " \"$s->{name}\"") },
				sh_type => sub { $SHT{$_[0]} },
				sh_flags => sub {
					join(
						' + ',
						map { $_[0] & $_->[0] ? $_->[1] : () }
						    [2, 'SHF_ALLOC'],
						[1, 'SHF_WRITE'], [4, 'SHF_EXECINSTR']
					) || '0';
				},
				map {
					$_ => sub { address($_[0]) }
				} qw(sh_addr sh_offset)
			}
		);
	}
}

# address => [names, size] of the functions, best name first.
sub functions {
	my ($debug) = @_;
	my $self = bless {bytes => $debug, spans => []}, __PACKAGE__;
	$self->headers;
	my ($symtab, $strtab) = @{$self->{section}}{qw(.symtab .strtab)};
	my %functions;
	return \%functions if !$symtab;
	my @fields = @{$SYM{$self->{class}}};
	for (my $at = $symtab->{offset}; $at < $symtab->{offset} + $symtab->{size};) {
		my $sym = $self->fields('', $at, '', \@fields);
		$at = $sym->{end};
		next if ($sym->{st_info} & 15) != 2 || !$sym->{st_shndx};
		my $name =
		    $self->string($strtab->{offset} + $sym->{st_name}) =~ s/\..*//r;    # .isra.0
		my $function = $functions{$sym->{st_value}} //=
		    {names => [], size => $sym->{st_size}};
		@{$function->{names}} =
		    sort { ($b =~ /^__/) <=> ($a =~ /^__/) || $a cmp $b } $name,
		    @{$function->{names}};
	}
	return \%functions;
}

# The function that an address is in, with how far.
sub function {
	my ($self, $at) = @_;
	for my $start (keys %{$self->{functions}}) {
		my $f = $self->{functions}{$start};
		return $f->{names}[0] if $at >= $start && $at < $start + $f->{size};
	}
	return;
}

sub words_at {
	my ($self, $part, $at, $size, $readers, $name, $say) = @_;
	my $n = 0;
	for (; $size >= 4; $at += 4, $size -= 4) {
		my $word = unpack 'V', substr $self->{bytes}, $at, 4;
		$self->span(
			$part, $at, 4, $name->($n), $say ? $say->($word, $n) : number($word),
			$readers
		);
		$n++;
	}
}

sub symbol {
	my ($self, $index) = @_;
	my $dynsym = $self->{section}{'.dynsym'};
	my $size = $self->{class} == 64 ? 24 : 16;
	return '' if $index * $size >= $dynsym->{size};
	my $name = unpack 'V', substr $self->{bytes}, $dynsym->{offset} + $index * $size, 4;
	return $self->string($self->{section}{'.dynstr'}{offset} + $name);
}
sub named { my ($self, $index) = @_; return $index ? "$index: " . $self->symbol($index) : '0' }

sub section_hash {
	my ($self, $s) = @_;
	my ($buckets) = unpack 'V', substr $self->{bytes}, $s->{offset}, 4;
	my $part = $s->{name};
	$self->span($part, $s->{offset}, 4, 'nbucket', number($buckets), 'others');
	$self->words_at($part, $s->{offset} + 4, 4, 'musl others', sub { 'nchain' });
	$self->words_at(
		$part, $s->{offset} + 8, 4 * $buckets, 'others', sub { "bucket[$_[0]]" },
		sub { $self->named($_[0]) }
	);
	$self->words_at(
		$part, $s->{offset} + 8 + 4 * $buckets, $s->{size} - 8 - 4 * $buckets,
		'others', sub { "chain[$_[0]]" . ($_[0] ? ': ' . $self->symbol($_[0]) : '') },
		sub { $self->named($_[0]) }
	);
}

sub section_gnu_hash {
	my ($self, $s) = @_;
	my ($at, $part) = ($s->{offset}, $s->{name});
	my ($buckets, $first, $bloom) = unpack 'V3', substr $self->{bytes}, $at;
	my $word = $self->{class} / 8;
	my @names = qw(nbuckets symoffset bloom_size bloom_shift);
	$self->words_at($part, $at, 16, 'glibc', sub { $names[$_[0]] });
	$self->span(
		$part, $at + 16 + $_ * $word, $word, "bloom[$_]",
		'0x' . unpack('H*', reverse substr $self->{bytes}, $at + 16 + $_ * $word, $word),
		'glibc'
	) for 0 .. $bloom - 1;
	$at += 16 + $bloom * $word;
	$self->words_at(
		$part, $at, 4 * $buckets, 'glibc', sub { "bucket[$_[0]]" },
		sub { $self->named($_[0]) }
	);
	$at += 4 * $buckets;
	$self->words_at(
		$part, $at, $s->{offset} + $s->{size} - $at, 'glibc',
		sub { "chain[$_[0]]: " . $self->symbol($first + $_[0]) },
		sub { sprintf '0x%08x%s', $_[0], $_[0] & 1 ? ', end of chain' : '' }
	);
}

sub section_dynsym {
	my ($self, $s) = @_;
	my $i = 0;
	for (my $at = $s->{offset}; $at < $s->{offset} + $s->{size}; $i++) {
		my $name = $self->symbol($i);
		$at = $self->fields(
			$s->{name}, $at, $i ? "$name: " : '[0]: ',
			[map { $i ? $_ : [split(/:/), ''] } @{$SYM{$self->{class}}}],
			'',
			{
				st_name => sub { number($_[0]) . ($i ? " \"$name\"" : '') },
				st_info => sub {
					($BIND{$_[0] >> 4} // $_[0] >> 4) . ', '
					    . ($KIND{$_[0] & 15} // $_[0] & 15);
				},
				st_other => sub { $_[0] == 0 ? '0 (STV_DEFAULT)' : undef },
				st_shndx => sub {
					      $_[0] == 0 ? '0 (SHN_UNDEF)'
					    : $_[0] == 0xfff1 ? '0xfff1 (SHN_ABS)'
					    : "$_[0] ($self->{sections}[$_[0]]{name})";
				},
				st_value => sub { address($_[0]) },
			}
		)->{end};
	}
}

sub strings {
	my ($self, $s, $readers) = @_;
	my $end = $s->{offset} + $s->{size};
	for (my $at = $s->{offset}; $at < $end;) {
		my $text = $self->string($at);
		my $size = length($text) + 1;
		$size = $end - $at if $at + $size > $end;
		$self->span(
			$s->{name}, $at, $size, 'string', "\"$text\"",
			length $text ? $readers : ''
		);
		$at += $size;
	}
}
sub section_dynstr { $_[0]->strings($_[1], 'glibc musl gdb') }
sub section_shstrtab { $_[0]->strings($_[1], 'gdb others') }

sub section_gnu_version {
	my ($self, $s) = @_;
	for my $i (0 .. $s->{size} / 2 - 1) {
		my $value = unpack 'v', substr $self->{bytes}, $s->{offset} + 2 * $i, 2;
		$self->span(
			$s->{name}, $s->{offset} + 2 * $i, 2, $i ? $self->symbol($i) : '[0]',
			"$value", $i ? 'glibc musl gdb' : ''
		);
	}
}

sub section_gnu_version_d {
	my ($self, $s) = @_;
	my $at = $s->{offset};
	my $text = $self->{section}{'.dynstr'}{offset};
	while (1) {
		my $aux = unpack 'V', substr $self->{bytes}, $at + 12, 4;
		my $name = $self->string($text + unpack 'V', substr $self->{bytes}, $at + $aux, 4);
		my $def = $self->fields(
			$s->{name}, $at, "$name: ", \@VERDEF, '',
			{
				vd_hash => sub { sprintf '0x%08x', $_[0] },
				vd_flags => sub { $_[0] == 1 ? '1 (VER_FLG_BASE)' : undef },
			}
		);
		$self->fields(
			$s->{name}, $at + $aux, "$name: ", [qw(vda_name:V vda_next:V)], '',
			{vda_name => sub { number($_[0]) . " \"$name\"" }}
		);
		last if !$def->{vd_next};
		$at += $def->{vd_next};
	}
}

sub section_dynamic {
	my ($self, $s) = @_;
	my $word = $self->{class} / 8;
	my $ended;
	for (my $at = $s->{offset}; $at < $s->{offset} + $s->{size}; $at += 2 * $word) {
		my ($tag, $value) = unpack $word == 8 ? 'Q<2' : 'V2', substr $self->{bytes}, $at;
		my ($name, $readers) = @{$DYNAMIC{$tag} // [address($tag), '']};
		$readers = '' if $ended;
		$self->span($s->{name}, $at, $word, "$name: d_tag", address($tag), $readers);
		$self->span(
			$s->{name}, $at + $word, $word, "$name: d_val",
			$tag == 14
			? number($value) . ' "'
			    . $self->string($self->{section}{'.dynstr'}{offset} + $value) . '"'
			: $name =~ /HASH|TAB|VERSYM|VERDEF$/ ? address($value)
			: number($value),
			$tag ? $readers : ''
		);
		$ended ||= !$tag;
	}
}

sub section_note {
	my ($self, $s) = @_;
	for (my $at = $s->{offset}; $at + 12 <= $s->{offset} + $s->{size};) {
		my ($namesz, $descsz, $type) = unpack 'V3', substr $self->{bytes}, $at;
		my $owner = $self->string($at + 12);
		my $readers = $owner eq 'GNU' ? 'gdb others' : 'others';
		my ($name, $desc) = map { $_ + 3 & ~3 } $namesz, $descsz;
		$self->fields(
			$s->{name}, $at, "$owner: ", [qw(n_namesz:V n_descsz:V n_type:V)], $readers,
			{
				n_type => sub {
					$owner eq 'GNU'
					    && $_[0] == 3 ? '3 (NT_GNU_BUILD_ID)' : undef;
				}
			}
		);
		$self->span($s->{name}, $at + 12, $name, "$owner: name", "\"$owner\"", $readers);
		my $bytes = substr $self->{bytes}, $at + 12 + $name, $descsz;
		$self->span(
			$s->{name}, $at + 12 + $name, $desc, "$owner: desc",
			$owner eq 'Linux' && $descsz == 4
			? join('.', (reverse unpack 'C3', $bytes)[0, 1, 2])
			: unpack('H*', $bytes),
			$readers
		);
		$at += 12 + $name + $desc;
	}
}

sub section_eh_frame_hdr {
	my ($self, $s) = @_;
	my ($at, $part) = ($s->{offset}, $s->{name});
	$self->fields(
		$part, $at, '', [qw(version:C eh_frame_ptr_enc:C fde_count_enc:C table_enc:C)],
		'unwinder',
		{
			map {
				my $e = $_;
				($e => sub { sprintf '0x%02x', $_[0] })
			} qw(eh_frame_ptr_enc fde_count_enc table_enc)
		}
	);
	$self->fields(
		$part, $at + 4, '', [qw(eh_frame_ptr:l< fde_count:V)], 'unwinder',
		{eh_frame_ptr => sub { address($at + 4 + $_[0]) }}
	);
	for (my $i = $at + 12; $i < $at + $s->{size}; $i += 8) {
		my ($start, $fde) = unpack 'l<2', substr $self->{bytes}, $i;
		my $function = $self->function($at + $start) // address($at + $start);
		$self->span($part, $i, 4, "$function: location", address($at + $start), 'unwinder');
		$self->span(
			$part, $i + 4, 4, "$function: address", address($at + $fde),
			'unwinder'
		);
	}
}

# A number of LEB128, and how many bytes it has.
sub leb {
	my ($self, $at) = @_;
	my $size = 1;
	$size++ while ord(substr $self->{bytes}, $at + $size - 1, 1) & 0x80;
	return $size;
}

sub section_eh_frame {
	my ($self, $s) = @_;
	my $readers = 'unwinder gdb';
	my $part = $s->{name};
	for (my $at = $s->{offset}; $at < $s->{offset} + $s->{size};) {
		my ($length, $id) = unpack 'V V', substr $self->{bytes}, $at, 8;
		if (!$length) {
			$self->span($part, $at, 4, 'terminator', '0', $readers);
			$at += 4;
			next;
		}
		my $end = $at + 4 + $length;
		my $pc = $at + 8 + unpack 'l<', substr $self->{bytes}, $at + 8, 4;
		my $what = $id ? 'FDE ' . ($self->function($pc) // address($pc)) : 'CIE';
		my $here = $at + 8;
		my $take = sub {
			my ($size, $name, $value) = @_;
			$self->span($part, $here, $size, "$what: $name", $value, $readers) if $size;
			$here += $size;
		};
		$self->span($part, $at, 4, "$what: length", number($length), $readers);
		$self->span(
			$part, $at + 4, 4, "$what: " . ($id ? 'CIE_pointer' : 'CIE_id'),
			$id ? address($at + 4 - $id) : '0', $readers
		);
		if ($id) {
			$take->(4, 'pc_begin', address($pc));
			$take->(4, 'pc_range', number(unpack 'V', substr $self->{bytes}, $here, 4));
			$take->($self->leb($here), 'augmentation_length');
		} else {
			my $letters = $self->string($here + 1);
			$take->(1, 'version', ord substr $self->{bytes}, $here, 1);
			$take->(length($letters) + 1, 'augmentation', "\"$letters\"");
			$take->($self->leb($here), $_)
			    for qw(code_alignment data_alignment return_register);
			my $size = ord substr $self->{bytes}, $here, 1;
			$take->($self->leb($here), 'augmentation_length');
			$take->(
				$size, 'augmentation_data',
				'0x' . unpack 'H*', substr $self->{bytes}, $here, $size
			);
		}
		$take->($end - $here, 'instructions');
		$at = $end;
	}
}

sub section_rodata {
	my ($self, $s) = @_;
	$self->span($s->{name}, $s->{offset}, $s->{size}, 'constants', '', 'cpu');
}

sub section_cpu_alt {
	my ($self, $s) = @_;
	for (my $at = $s->{offset}; $at < $s->{offset} + $s->{size}; $at += 16) {
		my $place = $at + unpack 'l<', substr $self->{bytes}, $at, 4;
		my $function = $self->function($place) // '?';
		$self->fields(
			$s->{name}, $at, "$function: ", \@ALTERNATIVE, 'loader',
			{
				place => sub { address($place) },
				needs => sub { $NEEDS{$_[0]} },
				code => sub { unpack 'H*', substr $_[0], 0, $_[1]{with} },
			}
		);
	}
}

# Instructions, as objdump of the machine has them. Without such a tool a function is one span.
sub text {
	my ($self, $s, $debug) = @_;
	my %machine = (183 => 'aarch64-linux-gnu-', 243 => 'riscv64-linux-gnu-');
	my $prefix = $machine{unpack 'x18 v', $self->{bytes}} // '';
	my $run;
	for my $tool ("${prefix}objdump", 'objdump') {
		$run = capture(
			{limit => 30, env => {LC_ALL => 'C'}}, $tool, '-d', '-w', '-j',
			'.text', $debug
		);
		last if !$run->{status};
	}
	my @code;
	for (split /\n/, $run->{status} ? '' : $run->{out}) {
		my ($at, $hex, $text) = /^\s*([0-9a-f]+):\t([0-9a-f ]+?)\s*\t(.*)$/ or next;
     # The symbol that objdump puts after an address may be any that is near: ours is right or none.
		$text =~ s/\s*#.*//;
		$text =~ s/\s*<[^>]*>//g;
		$text =~ s/\s+/ /g;
		push @code, [hex $at, ($hex =~ tr/0-9a-f//) / 2, $text =~ s/ $//r];
	}
	if (!@code) {
		@code = map { [$_, $self->{functions}{$_}{size}, ''] }
		    sort { $a <=> $b } keys %{$self->{functions}};
	}
	for (@code) {
		my ($at, $size, $text) = @$_;
		my $function = $self->function($at);
		if (defined $function) { $self->span('.text', $at, $size, $function, $text, 'cpu') }
		else { $self->span('.text', $at, $size, 'filling', $text, '') }
	}
}

# In order, and what nobody has named is padding.
sub whole {
	my ($self) = @_;
	my @whole;
	my $at = 0;
	for (sort { $a->[0] <=> $b->[0] } @{$self->{spans}}, [length $self->{bytes}, 0]) {
		die sprintf("0x%x: %s is within another span\n", $_->[0], $_->[3] // 'the end')
		    if $_->[0] < $at;
		push @whole, [$at, $_->[0] - $at, 'padding', 'padding', '', ''] if $_->[0] > $at;
		push @whole, $_ if $_->[1];
		$at = $_->[0] + $_->[1];
	}
	return \@whole;
}

1;
