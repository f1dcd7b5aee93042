package OddImages;

# Odd images: ours, with one thing changed, as somebody else's build would have it, or a mistake.
#
# odd_images(BYTES) gives a list of [NAME, BYTES, KIND...] for an x86-64 image. A kind says what
# the change is about:
#	unwind	the unwind data, which C libraries do not read
#	stack	... where what happens, if something does, depends on what lies on the stack
#	code	the code behind a symbol, of which the tables say nothing: there is no verdict on it
#	class	a client of this machine does not ask for the class, so reads it as before
#
# Each is written into the bytes by hand (Elf.pm); no tool is asked that might know better.
use strict;
use warnings;
no warnings 'portable';    # addresses have 64 bits
use Exporter 'import';
use Elf;
use ElfBend;

our @EXPORT = qw(odd_images);

my $MAIN = '__vdso_clock_gettime';
my ($STT_OBJECT, $STT_FUNC, $STT_IFUNC) = (1, 2, 10);
my ($PT_LOAD, $PT_DYNAMIC, $PT_INTERP, $PT_PHDR, $PT_TLS) = (1, 2, 3, 6, 7);
my ($RELAENT, $PLTREL, $RELRENT) = (9, 20, 37);
my ($PT_EH_FRAME, $PT_STACK, $PT_RELRO) = (0x6474e550, 0x6474e551, 0x6474e552);

sub u32 { my ($elf, $at) = @_; return unpack 'V', substr $elf->{bytes}, $at, 4 }

sub put {
	my ($elf, $at, $template, @values) = @_;
	my $bytes = pack $template, @values;
	substr $elf->{bytes}, $at, length $bytes, $bytes;
}

# .dynamic anew: [tag, value]...
sub dynamic {
	my ($elf, @entries) = @_;
	redo_dynamic($elf, @entries, [0, 0]);
}

sub entries {
	my ($elf) = @_;
	return map { [$_->{tag}, $_->{value}] } grep { $_->{tag} } @{$elf->{dynamic}};
}

sub without {
	my @tags = map { $Elf::TAG{$_} } @_;
	return sub {
		my ($elf) = @_;
		dynamic(
			$elf,
			grep {
				my $tag = $_->[0];
				!grep { $_ == $tag } @tags
			} entries($elf)
		);
	}
}

sub with {
	my @more = @_;
	return sub { dynamic($_[0], entries($_[0]), @more) }
}

sub all {
	my @changes = @_;
	return sub { $_->($_[0]) for @changes }
}

# The program headers at the end, and one more.
sub segment {
	my ($type, $flags, $offset, $size, $skew) = @_;
	return sub {
		my ($elf) = @_;
		my $e = $elf->{ehdr};
		my $size_all = 56 * $e->{phnum};
		my $at = append($elf, "\0" x ($size_all + ($type ? 56 : 0)), $skew);
		substr $elf->{bytes}, $at, $size_all, substr $elf->{bytes}, $e->{phoff}, $size_all;
		put(
			$elf, $at + $size_all, 'V V Q<6', $type, $flags, $offset, $offset, $offset,
			$size, $size, 8
		) if $type;
		$elf->set('ehdr', 0, 'phoff', $at);
		$elf->set('ehdr', 0, 'phnum', $e->{phnum} + ($type ? 1 : 0));
	}
}

sub entry {
	my ($tag, $value) = @_;
	return sub { $_[0]->set('dyn', $_[0]->entry($tag)->{at}, 'value', $value) }
}

# A word of a table; the offset may be a function of the image.
sub word {
	my ($tag, $offset, $value) = @_;
	return sub {
		my ($elf) = @_;
		my $to = ref $offset ? $offset->($elf) : $offset;
		put($elf, $elf->tag($tag) + $to, 'V', $value);
	}
}

sub versym {
	my ($value, @names) = @_;
	return sub {
		my ($elf) = @_;
		for my $s (@{$elf->{symbols}}[1 .. $#{$elf->{symbols}}]) {
			next if @names && !grep { $_ eq $s->{text} } @names;
			put(
				$elf, $s->{versym_at}, 'v',
				ref $value ? $value->($s->{versym}) : $value
			);
		}
	}
}

sub verdef {
	my ($index, %fields) = @_;
	return sub {
		my ($elf) = @_;
		my $def = $elf->{verdefs}[$index];
		$elf->set('verdef', $def->{at}, $_, $fields{$_}) for keys %fields;
	}
}

# The bytes of a string of DT_STRTAB: of the same length, or shorter.
sub string {
	my ($from, $to) = @_;
	return sub {
		my ($elf) = @_;
		my $at = index $elf->{bytes}, "\0$from\0", $elf->tag('STRTAB') - 1;
		die "no '$from' in DT_STRTAB\n" if $at < 0 || length $to > length $from;
		put($elf, $at + 1, 'a' . (length($from) + 1), $to);
	}
}

sub buckets { my ($elf) = @_; return u32($elf, $elf->tag('HASH')) }

sub chains { my ($elf) = @_; return 8 + 4 * buckets($elf) }

sub nr_symbols { my ($elf) = @_; return scalar @{$elf->{symbols}} }

# How DT_GNU_HASH is laid out.
sub gnu {
	my ($elf) = @_;
	my ($nr, $first, $words) = unpack 'V3', substr $elf->{bytes}, $elf->tag('GNU_HASH'), 12;
	my $buckets = 16 + 8 * $words;
	return {
		nr => $nr, first => $first, words => $words, buckets => $buckets,
		chains => $buckets + 4 * $nr,
		size => $buckets + 4 * $nr + 4 * (nr_symbols($elf) - $first),
	};
}

# A table at another place, that is not a multiple of 8.
sub unaligned {
	my ($tag, $size) = @_;
	return sub {
		my ($elf) = @_;
		my $table = substr $elf->{bytes}, $elf->tag($tag), $size->($elf);
		entry($tag, append($elf, $table, 1))->($elf);
	}
}

# ---- unwind data: the entries of the search table, as [start, FDE, where the entry is] ----
sub fdes {
	my ($elf) = @_;
	my ($s) = $elf->segments($PT_EH_FRAME);
	my $hdr = $s->{offset};
	return map {
		my $at = $hdr + 12 + 8 * $_;
		my ($start, $fde) = unpack 'l<2', substr $elf->{bytes}, $at, 8;
		[$hdr + $start, $hdr + $fde, $at]
	} 0 .. u32($elf, $hdr + 8) - 1;
}

# Each FDE: a word of it, or a change by a function.
sub each_fde {
	my ($change, $which) = @_;
	return sub {
		my ($elf) = @_;
		for (fdes($elf)) {
			my ($start, $fde) = @$_;
			next if $which && !$which->($elf, $start);
			ref $change->[1]
			    ? $change->[1]->($elf, $fde)
			    : put($elf, $fde + $change->[0], 'V', $change->[1]);
		}
	}
}

# The CFI instructions of an FDE, after its augmentation data of no bytes.
sub instructions {
	my ($byte, $most) = @_;
	return [
		0,
		sub {
			my ($elf, $fde) = @_;
			my $nr = u32($elf, $fde) - 13;
			$nr = $most if defined $most && $nr > $most;
			put($elf, $fde + 17, 'C*', ($byte) x $nr);
		}
	];
}

sub exported {
	my ($elf, $address) = @_;
	return scalar grep { $_->{shndx} && $_->{value} == $address } @{$elf->{symbols}};
}

# Every word of the buckets, or of the chains, of DT_HASH.
sub all_buckets {
	my ($value) = @_;
	return sub {
		my ($elf) = @_;
		my $to = ref $value ? $value->($elf) : $value;
		word('HASH', 8 + 4 * $_, $to)->($elf) for 0 .. buckets($elf) - 1;
	}
}

# All buckets lead to one symbol, which nobody looks for, and whose chain leads to itself.
sub ring {
	my ($elf) = @_;
	my $symbol = $elf->symbol('getcpu')->{index};
	all_buckets($symbol)->($elf);
	word('HASH', chains($elf) + 4 * $symbol, $symbol)->($elf);
}

# The words of DT_GNU_HASH: its filter, its buckets, the hashes of its symbols.
sub no_filter {
	my ($elf) = @_;
	put($elf, $elf->tag('GNU_HASH') + 16 + 8 * $_, 'Q<', 0) for 0 .. gnu($elf)->{words} - 1;
}

sub gnu_buckets {
	my ($value) = @_;
	return sub {
		my ($elf) = @_;
		my $g = gnu($elf);
		word('GNU_HASH', $g->{buckets} + 4 * $_, $value)->($elf) for 0 .. $g->{nr} - 1;
	}
}

sub no_ends {
	my ($elf) = @_;
	my $g = gnu($elf);
	for my $symbol ($g->{first} .. nr_symbols($elf) - 1) {
		my $at = $elf->tag('GNU_HASH') + $g->{chains} + 4 * ($symbol - $g->{first});
		put($elf, $at, 'V', u32($elf, $at) & ~1);
	}
}

# Both names of the main function are somewhere else.
sub main_at {
	my ($where) = @_;
	return sub {
		my ($elf) = @_;
		my $value = $where->($elf);
		sym($_, value => $value)->($elf) for $MAIN, 'clock_gettime';
	}
}

# Every name that begins with __vdso_ begins with something else.
sub renamed {
	my ($elf) = @_;
	for my $name (grep { /^__vdso_/ } map { $_->{text} } @{$elf->{symbols}}) {
		string($name, $name =~ s/^__vdso_/__vdsx_/r)->($elf);
	}
}

# DT_TAG values that go with a table of that many bytes.
sub with_table {
	my ($tag, $size, @more) = @_;
	return sub { with([$tag, append($_[0], "\0" x $size)], @more)->($_[0]) }
}

# An entry whose value is an offset into DT_STRTAB.
sub with_string {
	my ($tag) = @_;
	return sub { with([$tag, $_[0]->tag('SONAME')])->($_[0]) }
}

# A field of a segment, that much higher.
sub more {
	my ($type, $field, $by) = @_;
	return sub {
		my ($elf) = @_;
		my ($s) = $elf->segments($type);
		$elf->set('phdr', $s->{at}, $field, $s->{$field} + $by);
	}
}

sub second_load {
	my ($elf) = @_;
	segment($PT_LOAD, 5, 0x1000, 0x1000)->($elf);
	my $e = $elf->get('ehdr', 0);
	$elf->set('phdr', $e->{phoff} + 56 * ($e->{phnum} - 1), 'vaddr', 0x5000);
}

sub cut {
	my ($elf) = @_;
	my $half = length($elf->{bytes}) >> 1;
	substr $elf->{bytes}, $half, length($elf->{bytes}) - $half, '';
}

# A byte or a word of .eh_frame_hdr.
sub hdr {
	my ($offset, $template, $value) = @_;
	return sub {
		my ($elf) = @_;
		put($elf, ($elf->segments($PT_EH_FRAME))[0]{offset} + $offset, $template, $value);
	}
}

# The CIEs of all FDEs, as addresses.
sub cies {
	my ($elf) = @_;
	my %cies = map { $_->[1] + 4 - u32($elf, $_->[1] + 4) => 1 } fdes($elf);
	return sort { $a <=> $b } keys %cies;
}

# With the augmentation "zR": 17 bytes come before its rows, and the encoding is the last of them.
sub cie {
	my ($offset, @values) = @_;
	return sub {
		my ($elf) = @_;
		put($elf, $_ + $offset, 'C*', @values) for cies($elf);
	}
}

sub no_rows {
	my ($elf) = @_;
	put($elf, $_ + 17, 'C*', (0) x (u32($elf, $_) - 13)) for cies($elf);
}

# With that augmentation: other rows, or a CFA from an expression and the usual rule for the return
# address.
sub rows { return cie(17, @_, (0) x (7 - @_)) }

sub expression { return rows(0x0f, scalar @_, @_, 0x90, 1) }

# What comes after the usual CFA: the rule for the return address, and one byte more.
sub rule { return rows(0x0c, 7, 8, @_) }

# The first instructions of each description that has room for them.
sub first {
	my @bytes = @_;
	return each_fde([
		0,
		sub {
			my ($elf, $fde) = @_;
			put($elf, $fde + 17, 'C*', @bytes) if u32($elf, $fde) - 13 >= @bytes;
		}
	]);
}

# The entries of the search table in another order.
sub reordered {
	my ($order) = @_;
	return sub {
		my ($elf) = @_;
		my @at = map { $_->[2] } fdes($elf);
		my @entries = map { substr $elf->{bytes}, $_, 8 } @at;
		substr $elf->{bytes}, $_, 8, shift @entries for $order->(@at);
	}
}

# Another PT_GNU_EH_FRAME, after the first one or in place of it, which comes after it then.
sub second_eh_frame {
	my ($swap) = @_;
	return sub {
		my ($elf) = @_;
		my ($s) = $elf->segments($PT_EH_FRAME);
		segment($PT_EH_FRAME, 4, append($elf, "\0" x 8), 8)->($elf);
		return if !$swap;
		my ($first, $second) =
		    map { $_->{at} } Elf->new($elf->{bytes})->segments($PT_EH_FRAME);
		my $bytes = substr $elf->{bytes}, $first, 56;
		substr $elf->{bytes}, $first, 56, substr $elf->{bytes}, $second, 56;
		substr $elf->{bytes}, $second, 56, $bytes;
	}
}

sub no_zero {
	my ($elf) = @_;
	my $s = $elf->section('.eh_frame');
	put($elf, $s->{offset} + $s->{size} - 4, 'V', 0x100000);
}

my $no_sysv = without('HASH');
my $no_gnu = without('GNU_HASH');
my $far = 0x7000000;
# So many words that what comes after them is far away.
my $many = 0x30000001;
my $no_sections = all(ehdr(shoff => 0), ehdr(shnum => 0), ehdr(shstrndx => 0));

sub shdr {
	my ($section, %fields) = @_;
	return sub {
		my ($elf) = @_;
		$elf->set('shdr', $elf->section($section)->{at}, $_, $fields{$_}) for keys %fields;
	}
}

my @list = (
	['as it is', sub { }],

	# hash tables
	['no DT_HASH', $no_sysv],
	['no DT_GNU_HASH', $no_gnu],
	['no hash table', without('HASH', 'GNU_HASH')],
	['DT_HASH: all buckets empty', all_buckets(0)],
	['DT_HASH: no buckets', word('HASH', 0, 0)],
	['DT_HASH: no symbols', word('HASH', 4, 0)],
	['DT_HASH: five symbols too many', sub { word('HASH', 4, nr_symbols($_[0]) + 5)->($_[0]) }],
	['DT_HASH: 2**32 - 1 symbols', word('HASH', 4, 0xffffffff)],
	['DT_HASH: a chain in a ring', \&ring],
	['DT_HASH: chain of symbol 0 is not 0', word('HASH', \&chains, 0x7777)],
	['DT_HASH: not aligned', unaligned('HASH', sub { chains($_[0]) + 4 * nr_symbols($_[0]) })],
	['DT_HASH far away', entry('HASH', $far)],
	['DT_HASH twice, the second far away', with([$Elf::TAG{HASH}, $far])],
	['DT_GNU_HASH: no buckets', word('GNU_HASH', 0, 0)],
	['DT_GNU_HASH: the filter lets nothing through', \&no_filter],
	['DT_GNU_HASH: a filter of 0x30000001 words', word('GNU_HASH', 8, $many)],
	['DT_GNU_HASH: a filter of no words', word('GNU_HASH', 8, 0)],
	['DT_GNU_HASH: shift 40', word('GNU_HASH', 12, 40)],
	[
		'DT_GNU_HASH: first symbol one too high',
		sub { word('GNU_HASH', 4, gnu($_[0])->{first} + 1)->($_[0]) }
	],
	['DT_GNU_HASH: buckets lead far away', gnu_buckets(0x100000)],
	['DT_GNU_HASH: no ends of chains', \&no_ends],
	['DT_GNU_HASH: not aligned', unaligned('GNU_HASH', sub { gnu($_[0])->{size} })],
	['DT_GNU_HASH far away', entry('GNU_HASH', $far)],
	['only DT_HASH, all buckets empty', all(all_buckets(0), $no_gnu)],
	['only DT_HASH, no buckets', all(word('HASH', 0, 0), $no_gnu)],
	['only DT_HASH, a chain in a ring', all(\&ring, $no_gnu)],
	['only DT_HASH, buckets lead far away', all(all_buckets(0x100000), $no_gnu)],
	['only DT_GNU_HASH, no buckets', all(word('GNU_HASH', 0, 0), $no_sysv)],

	# versions
	['no DT_VERDEF', without('VERDEF', 'VERDEFNUM')],
	['no DT_VERSYM', without('VERSYM')],
	['no versions at all', without('VERSYM', 'VERDEF', 'VERDEFNUM')],
	['no DT_VERDEFNUM', without('VERDEFNUM')],
	['the node is LINUX_9.9', string('LINUX_2.6', 'LINUX_9.9')],
	['the node has another hash', verdef(1, hash => 0x12345)],
	['the node is the base', verdef(1, flags => 1)],
	['the node has index 0', verdef(1, ndx => 0)],
	['the node has index 3, and so have all symbols', all(verdef(1, ndx => 3), versym(3))],
	['the node is of version 2', verdef(1, version => 2)],
	['the node has two names', verdef(1, cnt => 2)],
	['the node has three names', verdef(1, cnt => 3)],
	['the name of the node far away', verdef(1, aux => $far)],
	[
		'no base node',
		all(sub { entry('VERDEF', $_[0]{verdefs}[1]{at})->($_[0]) }, entry('VERDEFNUM', 1))
	],
	['the list of nodes ends early', verdef(0, next => 0)],
	[
		'the list of nodes goes backwards',
		sub { verdef(1, next => 2**32 - $_[0]{verdefs}[0]{next}, ndx => 7)->($_[0]) }
	],
	['DT_VERDEFNUM 1', entry('VERDEFNUM', 1)],
	['DT_VERDEFNUM 9', entry('VERDEFNUM', 9)],
	['DT_VERSYM: one symbol hidden', versym(sub { $_[0] | 0x8000 }, $MAIN)],
	['DT_VERSYM: all symbols hidden', versym(sub { $_[0] | 0x8000 })],
	['DT_VERSYM: all symbols global', versym(1)],
	['DT_VERSYM: one symbol local', versym(0, $MAIN)],
	['DT_VERSYM: an index that no node has', versym(7)],
	['DT_VERSYM: index 0x7fff', versym(0x7fff)],
	['DT_VERSYM: not aligned', unaligned('VERSYM', sub { 2 * nr_symbols($_[0]) })],

	# symbols
	[
		'sizes 0',
		sub {
			my ($elf) = @_;
			sym($_->{text}, size => 0)->($elf)
			    for grep { $_->{value} } @{$elf->{symbols}};
		}
	],
	[
		'sizes too large',
		sub {
			my ($elf) = @_;
			sym($_->{text}, size => 0x100)->($elf)
			    for grep { $_->{value} } @{$elf->{symbols}};
		}
	],
	['an absolute symbol', sym($MAIN, shndx => 0xfff1)],
	['an undefined symbol', sym($MAIN, shndx => 0)],
	['an undefined weak symbol beside', sym('getcpu', shndx => 0, value => 0)],
	['of type OBJECT', sym($MAIN, info => 0x10 | $STT_OBJECT)],
	['of type NOTYPE', sym($MAIN, info => 0x10)],
	['of type IFUNC', sym($MAIN, info => 0x10 | $STT_IFUNC)],
	['of type SECTION', sym($MAIN, info => 0x13)],
	['bound locally', sym($MAIN, info => $STT_FUNC)],
	['bound weakly', sym($MAIN, info => 0x20 | $STT_FUNC)],
	['bound uniquely', sym($MAIN, info => 0xa0 | $STT_FUNC)],
	['of visibility HIDDEN', sym($MAIN, other => 2)],
	['of visibility INTERNAL', sym($MAIN, other => 1)],
	['of visibility PROTECTED', sym($MAIN, other => 3)],
	['at address 0', sym($MAIN, value => 0)],
	['far away', sym($MAIN, value => $far)],
	[
		'symbol 0 is not zero',
		sub { put($_[0], $_[0]->tag('SYMTAB'), 'V C C v', 0x7fffffff, 0x12, 0, 13) }
	],
	['a name after the end', sym($MAIN, name => 0x7fffff)],
	['all names changed', \&renamed],
	['no clock_gettime', string($MAIN, '__vdso_clock_gettick')],
	['one byte into the function', main_at(sub { $_[0]->symbol($MAIN)->{value} + 1 }), 'code'],
	[
		'the code of another function',
		main_at(sub { $_[0]->symbol('__vdso_getcpu')->{value} }), 'code'
	],

	# .dynamic and strings
	['no DT_STRTAB', without('STRTAB')],
	['no DT_SYMTAB', without('SYMTAB')],
	['no DT_STRSZ', without('STRSZ')],
	['no DT_SYMENT', without('SYMENT')],
	['DT_STRSZ 10', entry('STRSZ', 10)],
	['DT_STRSZ 2**40', entry('STRSZ', 2**40)],
	['DT_SYMENT 16', entry('SYMENT', 16)],
	['DT_STRTAB far away', entry('STRTAB', $far)],
	['DT_SYMTAB far away', entry('SYMTAB', $far)],
	['DT_SONAME far away', entry('SONAME', $far)],
	['DT_NULL after the first entry', sub { dynamic($_[0], (entries($_[0]))[0]) }],
	['no DT_SONAME', without('SONAME')],
	['DT_SONAME foo.so', string('linux-vdso.so.1', 'foo.so')],
	['DT_SONAME libc.so.6', string('linux-vdso.so.1', 'libc.so.6')],
	['DT_SONAME libm.so.6', string('linux-vdso.so.1', 'libm.so.6')],
	[
		'DT_SONAME ld-linux-x86-64.so.2',
		sub {
			my ($elf) = @_;
			my $at = append($elf, "ld-linux-x86-64.so.2\0");
			entry('SONAME', $at - $elf->tag('STRTAB'))->($elf);
			entry('STRSZ', $at + 21 - $elf->tag('STRTAB'))->($elf);
		}
	],
	['DT_VERNEED', with_table($Elf::TAG{VERNEED}, 32)],
	['DT_RUNPATH', with_string($Elf::TAG{RUNPATH})],
	['DT_NEEDED', with_string($Elf::TAG{NEEDED})],
	['DT_TEXTREL', with([$Elf::TAG{TEXTREL}, 0])],
	['DT_RELA', with_table($Elf::TAG{RELA}, 24, [$Elf::TAG{RELASZ}, 24], [$RELAENT, 24])],
	['DT_RELA without DT_RELAENT', with_table($Elf::TAG{RELA}, 24, [$Elf::TAG{RELASZ}, 24])],
	[
		'DT_RELA with entries of 16 bytes',
		with_table($Elf::TAG{RELA}, 24, [$Elf::TAG{RELASZ}, 24], [$RELAENT, 16])
	],
	['DT_RELR', with_table($Elf::TAG{RELR}, 8, [$Elf::TAG{RELRSZ}, 8], [$RELRENT, 8])],
	['DT_RELR without DT_RELRENT', with_table($Elf::TAG{RELR}, 8, [$Elf::TAG{RELRSZ}, 8])],
	['DT_PLTREL is REL', with([$PLTREL, $Elf::TAG{REL}])],
	['DT_INIT', sub { with([$Elf::TAG{INIT}, $_[0]->symbol($MAIN)->{value}])->($_[0]) }],

	# segments
	['no PT_LOAD', phdr($PT_LOAD, type => 0)],
	['no PT_DYNAMIC', phdr($PT_DYNAMIC, type => 0)],
	['no program headers', ehdr(phnum => 0)],
	['two PT_LOADs', segment($PT_LOAD, 5, 0, 0x1000)],
	['two PT_LOADs, the second elsewhere', \&second_load],
	['linked at 0x10000, but for its tables', phdr($PT_LOAD, vaddr => 0x10000)],
	['PT_LOAD: RWX', phdr($PT_LOAD, flags => 7)],
	['PT_LOAD: not X', phdr($PT_LOAD, flags => 4)],
	['PT_LOAD: 64 KiB alignment', phdr($PT_LOAD, align => 0x10000)],
	['PT_LOAD: too short', phdr($PT_LOAD, filesz => 0x900, memsz => 0x900)],
	['PT_LOAD: a .bss', more($PT_LOAD, 'memsz', 0x2000)],
	['PT_DYNAMIC: writable', phdr($PT_DYNAMIC, flags => 6)],
	['PT_DYNAMIC: another offset than address', more($PT_DYNAMIC, 'offset', 16)],
	['PT_DYNAMIC: another address than offset', more($PT_DYNAMIC, 'vaddr', 16)],
	['PT_DYNAMIC: no bytes in memory', phdr($PT_DYNAMIC, memsz => 0)],
	['PT_DYNAMIC: 48 bytes', phdr($PT_DYNAMIC, filesz => 48, memsz => 48)],
	['PT_DYNAMIC far away', phdr($PT_DYNAMIC, offset => $far, vaddr => $far)],
	['PT_TLS', segment($PT_TLS, 4, 0x100, 8)],
	['PT_INTERP', segment($PT_INTERP, 4, 0x100, 8)],
	['PT_GNU_RELRO', segment($PT_RELRO, 4, 0x100, 8)],
	['PT_PHDR', segment($PT_PHDR, 4, 64, 56 * 5)],
	['an executable stack', segment($PT_STACK, 7, 0, 0)],
	['program headers not aligned', segment(0, 0, 0, 0, 1)],
	['program headers far away', ehdr(phoff => $far)],

	# the ELF header and section headers
	['EI_OSABI LINUX', byte(7, 3)],
	['EI_OSABI FreeBSD', byte(7, 9)],
	['EI_ABIVERSION 1', byte(8, 1)],
	['EI_VERSION 2', byte(6, 2)],
	['a byte in the padding of e_ident', byte(12, 0x55)],
	['ET_EXEC', ehdr(type => 2)],
	['e_phentsize 64', ehdr(phentsize => 64)],
	['class 32', byte(4, 1), 'class'],
	['big-endian', byte(5, 2), 'class'],
	['no section headers', $no_sections],
	['e_shoff far away', ehdr(shoff => $far)],
	['e_shstrndx after the last', ehdr(shstrndx => 99)],
	['e_shstrndx 0', ehdr(shstrndx => 0)],
	['ET_CORE', ehdr(type => 4)],
	['a section whose name is far away', shdr('.text', name => $far)],
	['.dynsym: sh_info of 20', shdr('.dynsym', info => 20)],
	['.dynsym: sh_entsize of 0', shdr('.dynsym', entsize => 0)],
	['.gnu.version_d: sh_link 0', shdr('.gnu.version_d', link => 0)],
	['.gnu.version_d: sh_info 0', shdr('.gnu.version_d', info => 0)],
	['.gnu.version_d: of 8 bytes', shdr('.gnu.version_d', size => 8)],
	['.dynstr: of 8 bytes', shdr('.dynstr', size => 8)],
	[
		'no section is SHT_DYNSYM',
		sub { $_[0]->set('shdr', $_[0]->section('.dynsym')->{at}, 'type', 1) }
	],

	# the file
	['cut in the middle', \&cut, 'code'],
	['900 kB of junk at the end', sub { $_[0]{bytes} .= 'J' x 900_000 }],

	# unwind data
	['no PT_GNU_EH_FRAME', phdr($PT_EH_FRAME, type => 0), 'unwind'],
	[
		'an empty PT_GNU_EH_FRAME',
		phdr($PT_EH_FRAME, vaddr => 0, offset => 0, filesz => 0, memsz => 0), 'unwind'
	],
	['.eh_frame_hdr: version 2', hdr(0, 'C', 2), 'unwind'],
	['.eh_frame_hdr: no entries', hdr(8, 'V', 0), 'unwind'],
	['.eh_frame_hdr: one entry', hdr(8, 'V', 1), 'unwind'],
	['.eh_frame_hdr: a thousand entries', hdr(8, 'V', 1000), 'unwind'],
	['.eh_frame_hdr: the number is left out', hdr(2, 'C', 0xff), 'unwind'],
	['.eh_frame_hdr: the number is indirect', hdr(2, 'C', 0x83), 'unwind'],
	['.eh_frame_hdr: no encoding of the table', hdr(3, 'C', 0xff), 'unwind'],
	['.eh_frame_hdr: an unsigned table', hdr(3, 'C', 0x33), 'unwind'],
	['.eh_frame_hdr: a table that counts from itself', hdr(3, 'C', 0x1b), 'unwind'],
	['.eh_frame_hdr: .eh_frame is left out', hdr(1, 'C', 0xff), 'unwind'],
	['.eh_frame_hdr: .eh_frame far away', hdr(4, 'V', $far), 'unwind'],
	['.eh_frame_hdr: reversed', reordered(sub { reverse @_ }), 'unwind'],
	['.eh_frame_hdr: the first is the last', reordered(sub { @_[1 .. $#_, 0] }), 'unwind'],
	['two PT_GNU_EH_FRAMEs, the second bad', second_eh_frame(0), 'unwind'],
	['two PT_GNU_EH_FRAMEs, the first bad', second_eh_frame(1), 'unwind'],
	['no zero at the end of .eh_frame', \&no_zero, 'unwind'],
	['FDEs of length 1', each_fde([12, 1]), 'unwind'],
	['FDEs of length 1 for exported functions', each_fde([12, 1], \&exported), 'unwind'],
	[
		'FDEs of length 0 for static functions', each_fde([12, 0], sub { !exported(@_) }),
		'unwind'
	],
	['FDEs that lead to no CIE', each_fde([4, 0x7ffffff0]), 'unwind'],
	['a CIE of version 9', cie(8, 9), 'unwind'],
	['a CIE of version 4 without its sizes', cie(8, 4), 'unwind'],
	['a CIE with an unknown encoding', cie(16, 0x0d), 'unwind'],
	['a CIE without rows', \&no_rows, 'unwind'],
	[
		'a CIE of version 4',
		cie(8, 4, unpack 'C*', "zR\0\x08\0\x01\x78\x10\x01\x1b\x0c\x07\x08\x90\x01"),
		'unwind'
	],
	['a CIE: code alignment 0', cie(12, 0), 'unwind', 'stack'],
	['a CIE: code alignment 4', cie(12, 4), 'unwind', 'stack'],
	['a CIE: data alignment 0', cie(13, 0), 'unwind', 'stack'],
	['a CIE: data alignment 8', cie(13, 8), 'unwind', 'stack'],
	['a CIE: return address in column 3', cie(14, 3), 'unwind'],
	['a CIE: return address in column 17', cie(14, 17), 'unwind'],
	['a CIE: return address in column 99', cie(14, 99), 'unwind'],
	['a CIE: augmentation data of 127 bytes', cie(15, 127), 'unwind'],
	['a CIE: augmentation data of no bytes', cie(15, 0), 'unwind'],
	['CFI: the CFA from register 17', cie(18, 17), 'unwind'],
	['CFI: the CFA from register 40', cie(18, 40), 'unwind'],
	['CFI: the CFA is the stack pointer', cie(19, 0), 'unwind', 'stack'],
	['CFI: the CFA 2 MiB away', rows(0x0c, 7, 0x88, 0x80, 0x7f, 0x90, 1), 'unwind'],
	['CFI: the return address is kept', rule(8, 16), 'unwind'],
	['CFI: no caller', rule(7, 16), 'unwind'],
	['CFI: the return address in rbx', rule(9, 16, 3), 'unwind', 'stack'],
	['CFI: the return address in register 64', rule(9, 16, 64), 'unwind'],
	['CFI: the return address at 0', rule(0x10, 16, 1, 0x30), 'unwind'],
	['CFI: the return address 0', rule(0x16, 16, 1, 0x30), 'unwind'],
	['CFI: a rule for register 17', rule(0x90, 1, 0x91, 2), 'unwind'],
	['CFI: a rule for register 60', rule(0x90, 1, 0xbc, 2), 'unwind'],
	['CFI: a window of SPARC', rule(0x90, 1, 0x2d), 'unwind'],
	['CFI: an advance in the CIE', rows(0x41, 0x0c, 7, 8, 0x90, 1), 'unwind'],
	['CFI: an empty expression', expression(), 'unwind'],
	['CFI: an expression with an unknown opcode', expression(0xff), 'unwind'],
	['CFI: an expression with a nop', expression(0x77, 8, 0x96), 'unwind', 'stack'],
	['CFI: an expression that adds one number', expression(0x22), 'unwind'],
	['CFI: an expression that divides by 0', expression(0x30, 0x1b), 'unwind'],
	['CFI: an expression without an end', expression(0x2f, 0xfd, 0xff), 'unwind'],
	['CFI: an expression of register 40', expression(0x92, 40, 8), 'unwind'],
	['CFI: an expression for all of a function', expression(0x77, 8), 'unwind', 'stack'],
	['CFI: no rows', each_fde(instructions(0)), 'unwind', 'stack'],
	['CFI: an advance beyond the end', first(4, 0, 0, 0, 1), 'unwind', 'stack'],
	['CFI: a location of 0', first(1, 0, 0, 0, 0), 'unwind', 'stack'],
	['CFI: a value for a register', first(0x14, 3, 2), 'unwind', 'stack'],
	['CFI of unknown instructions', each_fde(instructions(0x3f)), 'unwind'],
	['CFI that restores what was not remembered', each_fde(instructions(0x0b, 1)), 'unwind'],
);

sub odd_images {
	my ($bytes) = @_;
	return map {
		my ($name, $change, @kinds) = @$_;
		my $elf = Elf->new($bytes);
		$change->($elf);
		[$name, $elf->{bytes}, @kinds];
	} @list;
}

1;
