package LookAlike;

# LookAlike.pm - images that look like the vDSO of some machine's kernel, made byte by byte.
#
# No linker here knows s390 or parisc, and no kernel's bytes are in this project. What a client
# looks at can be made without either: headers, the tables for names, both hash tables, versions,
# notes, unwind tables; the functions are empty. Unlike the linkers this can write any class, byte
# order and width of a hash word, and leave out what a kernel leaves out:
#
#	image(MACHINE, OPTION => VALUE...)
#
# MACHINE is a row of @MACHINES. OPTIONS:
#	functions => [NAME...]    instead of the machine's own
#	node, soname => NAME      of another name; undef: none
#	hash, gnu_hash => 0       without the table
#	sections => 0             without section headers
#	unwind => 0               without .eh_frame and its table
#	base => ADDRESS           linked there
#	align => N                p_align of the PT_LOAD
#	relocation => 1           one that is left over
#	split => 1                a PT_LOAD that is only read, and one for the code
#	odd => 1                  bit 0 set in the values of symbols, as for Thumb code
#	segments => [TYPE...]     more of them, which are empty
#	tags => [[TAG, VALUE]...] more of .dynamic
#	entry, flags => N         e_entry; e_flags
#	order => '<' or '>'       of the bytes
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(image @MACHINES machine);

# Written down once more, and not read out of the program: from vdso(7) and the kernel's scripts. The
# order of bytes is the first of `orders`, if there are two. `word` is that of DT_HASH, `pages` the
# largest page.
my @clocks = qw(clock_gettime gettimeofday clock_getres);
our @MACHINES = map {
	my ($name, $number, $bits, $orders, $node, $soname, $prefix, $functions, $pages, $word) =
	    @$_;
	{
		name => $name, number => $number, bits => $bits, orders => [split //, $orders],
		node => $node, soname => $soname,
		functions => [map { /^__/ ? $_ : "$prefix$_" } @$functions],
		pages => $pages << 10, word => $word // 4,
	}
} (
	['x86-64', 62, 64, '<', 'LINUX_2.6', 'linux-vdso.so.1', '__vdso_', [@clocks, 'getcpu'], 4],
	['x32', 62, 32, '<', 'LINUX_2.6', 'linux-vdso.so.1', '__vdso_', [@clocks, 'time'], 4],
	[
		'i386', 3, 32, '<', 'LINUX_2.6', 'linux-gate.so.1', '__vdso_',
		[@clocks, 'clock_gettime64', '__kernel_vsyscall'], 4
	],
	[
		'arm', 40, 32, '<>', 'LINUX_2.6', 'linux-vdso.so.1', '__vdso_',
		[@clocks, 'clock_gettime64'], 4
	],
	[
		'aarch64', 183, 64, '<>', 'LINUX_2.6.39', 'linux-vdso.so.1', '__kernel_',
		[@clocks, 'getrandom'], 64
	],
	[
		'riscv64', 243, 64, '<', 'LINUX_4.15', 'linux-vdso.so.1', '__vdso_',
		[@clocks, 'getcpu', 'flush_icache'], 4
	],
	[
		'riscv32', 243, 32, '<', 'LINUX_4.15', 'linux-vdso.so.1', '__vdso_',
		['getcpu', 'flush_icache'], 4
	],
	[
		'loongarch64', 258, 64, '<', 'LINUX_5.10', 'linux-vdso.so.1', '__vdso_',
		[@clocks, 'getcpu'], 64
	],
	[
		'mips', 8, 32, '><', 'LINUX_2.6', 'linux-vdso.so.1', '__vdso_',
		[@clocks, 'clock_gettime64'], 64
	],
	['mips64', 8, 64, '><', 'LINUX_2.6', 'linux-vdso.so.1', '__vdso_', [@clocks], 64],
	[
		'ppc', 20, 32, '><', 'LINUX_2.6.15', 'linux-vdso32.so.1', '__kernel_',
		[@clocks, 'time', 'getcpu'], 256
	],
	[
		'ppc64', 21, 64, '><', 'LINUX_2.6.15', 'linux-vdso64.so.1', '__kernel_',
		[@clocks, 'time', 'getcpu'], 256
	],
	[
		's390x', 22, 64, '>', 'LINUX_2.6.29', 'linux-vdso64.so.1', '__kernel_',
		[@clocks, 'getcpu'], 4, 8
	],
	[
		's390', 22, 32, '>', 'LINUX_2.6.29', 'linux-vdso32.so.1', '__kernel_',
		[@clocks, 'sigreturn'], 4
	],
	[
		'parisc', 15, 32, '>', 'LINUX_6.11', 'linux-vdso32.so.1', '__vdso_',
		['clock_gettime', 'gettimeofday'], 64
	],
	[
		'parisc64', 15, 64, '>', 'LINUX_6.11', 'linux-vdso64.so.1', '__kernel_',
		['sigtramp_rt64'], 64
	],
	[
		'sparc64', 43, 64, '>', 'LINUX_2.6', 'linux-vdso.so.1', '__vdso_',
		['clock_gettime', 'gettimeofday'], 8
	],
	[
		'sparc', 2, 32, '>', 'LINUX_2.6', 'linux-gate.so.1', '__vdso_',
		['clock_gettime', 'gettimeofday'], 8
	],
	[
		'sh', 42, 32, '<>', 'LINUX_2.6', 'linux-gate.so.1', '__kernel_',
		['vsyscall', 'sigreturn'], 64
	],
	['nds32', 167, 32, '<>', 'LINUX_4', 'linux-vdso.so.1', '__vdso_', [@clocks], 8],
	['csky', 252, 32, '<', 'LINUX_5.10', 'linux-vdso.so.1', '__vdso_', ['rt_sigreturn'], 4],
);

sub machine {
	my ($name) = @_;
	return (grep { $_->{name} eq $name } @MACHINES)[0];
}

sub sysv_hash {
	my $hash = 0;
	for (unpack 'C*', $_[0]) {
		$hash = ($hash << 4) + $_;
		$hash = ($hash ^ ($hash >> 24 & 0xf0)) & 0x0fffffff;
	}
	return $hash;
}

sub gnu_hash {
	my $hash = 5381;
	$hash = ($hash * 33 + $_) & 0xffffffff for unpack 'C*', $_[0];
	return $hash;
}

sub aligned { my ($bytes, $to) = @_; return $bytes . "\0" x (-length($bytes) % $to) }

# How each is called, for its CFI: the numbers of the stack pointer and of what holds the return
# address, and how far the CFA is above the stack pointer at the first instruction, for 64 and 32
# bits. And what x86 pushes.
my %CALLS = (
	3 => [4, 8, 4, 4], 8 => [29, 31, 0, 0], 20 => [1, 65, 0, 0], 21 => [1, 65, 0, 0],
	22 => [15, 14, 160, 96], 40 => [13, 14, 0, 0], 62 => [7, 16, 8, 8], 183 => [31, 30, 0, 0],
	243 => [2, 1, 0, 0], 258 => [3, 1, 0, 0]
);
my %PUSHES = (3 => 4, 62 => 8);

sub image {
	my ($machine, %opt) = @_;
	my $wide = $machine->{bits} == 64;
	my $o = $opt{order} // $machine->{orders}[0];
	my ($half, $word, $address) = ("S$o", "L$o", $wide ? "Q$o" : "L$o");
	my ($width, $ehsize, $phsize, $shsize) = $wide ? (8, 64, 56, 64) : (4, 52, 32, 40);
	my $base = $opt{base} // 0;
	my %has = (hash => 1, gnu_hash => 1, sections => 1, unwind => 1, %opt);
	my @functions = @{$opt{functions} // $machine->{functions}};
	my $node = exists $opt{node} ? $opt{node} : $machine->{node};
	my $soname = exists $opt{soname} ? $opt{soname} : $machine->{soname};
	my $segments = 3 + ($has{unwind} ? 1 : 0) + ($opt{split} ? 1 : 0) + @{$opt{segments} // []};

	# With one bucket each table keeps the order of the symbols.
	my ($strings, %string) = ("\0");
	my $name = sub {
		my ($text) = @_;
		$string{$text} //= do { my $at = length $strings; $strings .= "$text\0"; $at };
	};
	$name->($_) for @functions, grep { defined } $soname, $node;

	my @parts;    # [section, type, flags, bytes, its alignment, link, entsize, info]
	my $at = $ehsize + $phsize * $segments;
	my $add = sub {
		my ($section, $type, $flags, $bytes, $align, %more) = @_;
		$at += -$at % $align;
		push @parts, {
			name => $section, type => $type, flags => $flags, bytes => $bytes,
			at => $at, align => $align, %more
		};
		$at += length $bytes;
		return $parts[-1];
	};
	my $count = 1 + @functions;
	my $hash_word = $machine->{word} == 8 ? "Q$o" : "L$o";
	my %part;
	$part{hash} = $add->(
		'.hash', 5, 2,
		pack("$hash_word*", 1, $count, $count > 1 ? 1 : 0, 0, (2 .. $count - 1), 0),
		$machine->{word}, link => '.dynsym', entsize => $machine->{word}
	) if $has{hash};
	if ($has{gnu_hash}) {
		my $bits = 8 * $width;
		my $filter = 0;
		my @hashes = map { gnu_hash($_) } @functions;
		$filter |= 1 << $_ % $bits | 1 << ($_ >> 5) % $bits for @hashes;
		$_ &= ~1 for @hashes;
		$hashes[-1] |= 1 if @hashes;
		$part{gnu_hash} = $add->(
			'.gnu.hash', 0x6ffffff6, 2,
			pack("$word*", 1, 1, 1, 5)
			    . pack($address, $filter)
			    . pack("$word*", @hashes ? 1 : 0, @hashes), $width, link => '.dynsym'
		);
	}
	my $dynsym = $add->(
		'.dynsym', 11, 2, "\0" x (($wide ? 24 : 16) * $count), $width,
		link => '.dynstr', entsize => $wide ? 24 : 16, info => 1
	);
	my $dynstr = $add->('.dynstr', 3, 2, $strings, 1);
	if (defined $node) {
		$part{versym} = $add->(
			'.gnu.version', 0x6fffffff, 2, pack("$half*", 0, (2) x @functions),
			2, link => '.dynsym', entsize => 2
		);
		my @names = ($soname // '', $node);
		$part{verdef} = $add->(
			'.gnu.version_d', 0x6ffffffd, 2,
			join(
				'',
				map {
					pack(
						"$half$half$half$half$word$word$word", 1,
						$_ ? 0 : 1, $_ + 1, 1,
						sysv_hash($names[$_]), 20, $_ ? 0 : 28
					    )
					    . pack("$word$word", $string{$names[$_]} // 0, 0)
				} 0,
				1
			),
			4,
			link => '.dynstr',
			info => 2
		);
	}
	my $dynamic = $add->(
		'.dynamic', 6, 2, "\0" x (2 * $width * (14 + @{$opt{tags} // []})),
		$width, link => '.dynstr', entsize => 2 * $width
	);
	$part{rela} = $add->(
		'.rela.dyn', 4, 2,
		pack("$address$address$address", $base + 64, relative($machine, $o), 64), $width,
		entsize => 3 * $width
	) if $opt{relocation};
	my $note = $add->(
		      '.note', 7, 2, pack("$word*", 6, 4, 0)
		    . "Linux\0\0\0"
		    . pack($word, 0x060c00)
		    . pack("$word*", 4, 20, 3) . "GNU\0"
		    . pack('C*', 1 .. 20), 4
	);
	# 16 bytes for each function; and for all of them one CIE, and an FDE each.
	my ($frames, $table);
	if ($has{unwind}) {
		$table = $add->('.eh_frame_hdr', 1, 2, "\0" x (12 + 8 * @functions), 4);
		$frames = $add->('.eh_frame', 1, 2, "\0" x (24 + 20 * @functions + 4), 8);
	}
	my $text = $add->('.text', 1, 6, "\0" x (16 * @functions), 16);

	$dynsym->{bytes} = "\0" x ($wide ? 24 : 16);
	for my $i (0 .. $#functions) {
		my $value = $base + $text->{at} + 16 * $i + ($opt{odd} ? 1 : 0);
		$dynsym->{bytes} .= $wide
		    ? pack(
			"${word}CC$half$address$address", $string{$functions[$i]}, 0x12, 0,
			1 + (grep { $parts[$_] == $text } 0 .. $#parts)[0], $value, 15
		    )
		    : pack(
			"$word$word${word}CC$half", $string{$functions[$i]}, $value, 15, 0x12,
			0, 1 + (grep { $parts[$_] == $text } 0 .. $#parts)[0]
		    );
	}
	$dynamic->{bytes} = aligned(
		join(
			'',
			map { pack "$address$address", @$_ } (
				defined $soname ? [14, $string{$soname}] : (),
				$part{hash} ? [4, $base + $part{hash}{at}] : (),
				$part{gnu_hash} ? [0x6ffffef5, $base + $part{gnu_hash}{at}] : (),
				[5, $base + $dynstr->{at}], [10, length $strings],
				[6, $base + $dynsym->{at}], [11, $wide ? 24 : 16],
				defined $node
				? (
					[0x6ffffff0, $base + $part{versym}{at}],
					[0x6ffffffc, $base + $part{verdef}{at}], [0x6ffffffd, 2]
				    )
				: (),
				$part{rela}
				? ([7, $base + $part{rela}{at}], [8, 3 * $width], [9, 3 * $width])
				: (),
				@{$opt{tags} // []},
			)
		),
		1
	);
	$dynamic->{bytes} .=
	    "\0" x (2 * $width * (14 + @{$opt{tags} // []}) - length $dynamic->{bytes});
	if ($has{unwind}) {
		# "zR": the FDE's addresses are relative, of four bytes. Then: the CFA is the stack
		# pointer and a number, and x86 saves the return address below it.
		my ($stack, $return, @cfa) = @{$CALLS{$machine->{number}} // $CALLS{62}};
		my $cfa = $cfa[$wide ? 0 : 1];
		my $rows = pack 'CCC*', 0x0c, $stack,
		    $cfa < 0x80 ? $cfa : (0x80 | $cfa & 0x7f, $cfa >> 7);
		$rows .= pack 'CC', 0x80 | $return, 1 if $PUSHES{$machine->{number}};
		$frames->{bytes} = pack("$word$word", 20, 0) . pack(
			'CZ*CCCCC a7', 1, 'zR', 1, 0x7f & -($PUSHES{$machine->{number}} // 8),
			$return,
			1, 0x1b, $rows
		);
		$table->{bytes} =
		      pack('CCCC', 1, 0x1b, 3, 0x3b)
		    . pack("l$o", $frames->{at} - $table->{at} - 4)
		    . pack($word, scalar @functions);
		for my $i (0 .. $#functions) {
			my $fde = $frames->{at} + length $frames->{bytes};
			my $start = $text->{at} + 16 * $i;
			$frames->{bytes} .=
			      pack("$word$word", 16, $fde + 4 - $frames->{at})
			    . pack("l$o$word", $start - ($fde + 8), 16)
			    . "\0" x 4;
			$table->{bytes} .=
			    pack("l$o l$o", $start - $table->{at}, $fde - $table->{at});
		}
		$frames->{bytes} .= "\0" x 4;
	}
	my $load_end = $at;

	my $segment = sub {
		my ($type, $flags, $offset, $size, $align) = @_;
		return $wide
		    ? pack(
			"$word$word$address*", $type, $flags, $offset, ($base + $offset) x 2,
			$size, $size, $align
		    )
		    : pack(
			"$word*", $type, $offset, ($base + $offset) x 2, $size, $size, $flags,
			$align
		    );
	};
	my $part_segment = sub {
		my ($type, $part) = @_;
		return $segment->($type, 4, $part->{at}, length $part->{bytes}, $part->{align});
	};
	# One PT_LOAD over everything, the section headers too.
	my $names = "\0" . join '', map { "$_->{name}\0" } @parts, {name => '.shstrtab'};
	my $shstrtab =
	    {name => '.shstrtab', type => 3, flags => 0, bytes => $names, at => $at, align => 1};
	my $shoff = $at + length $names;
	$shoff += -$shoff % $width;
	my @all = (@parts, $shstrtab);
	$load_end = $shoff + $shsize * (1 + @all) if $has{sections};

	my $bytes = "\x7fELF" . pack('CCCCx8', $wide ? 2 : 1, $o eq '<' ? 1 : 2, 1, 0);
	$bytes .=
	      pack("$half$half$word", 3, $machine->{number}, 1)
	    . pack("$address*", $opt{entry} // 0, $ehsize, $has{sections} ? $shoff : 0)
	    . pack($word, $opt{flags} // 0)
	    . pack(
		"$half*", $ehsize, $phsize, $segments,
		$has{sections} ? ($shsize, 1 + @all, scalar @all) : ($shsize, 0, 0)
	    );
	my $cut = $opt{split} ? $text->{at} : 0;
	$bytes .= $segment->(1, 4, 0, $cut, $opt{align} // 4096) if $cut;
	$bytes .= $segment->(1, 5, $cut, $load_end - $cut, $opt{align} // 4096);
	$bytes .= $part_segment->(2, $dynamic) . $part_segment->(4, $note);
	$bytes .= $part_segment->(0x6474e550, $table) if $has{unwind};
	$bytes .= $segment->($_, 4, $ehsize, 0, 1) for @{$opt{segments} // []};

	for (@parts) {
		$bytes .= "\0" x ($_->{at} - length $bytes) . $_->{bytes};
	}
	return $bytes if !$has{sections};
	$bytes .= $names;
	$bytes .= "\0" x ($shoff - length $bytes) . "\0" x $shsize;
	my %index = map { $all[$_]{name} => 1 + $_ } 0 .. $#all;
	for (@all) {
		my $allocated = $_->{flags} & 2;
		$bytes .=
		    pack "$word$word$address$address$address$address$word$word$address$address",
		    index($names, "\0$_->{name}\0") + 1, $_->{type}, $_->{flags},
		    $allocated ? $base + $_->{at} : 0, $_->{at}, length $_->{bytes},
		    $_->{link} ? $index{$_->{link}} : 0, $_->{info} // 0, $_->{align},
		    $_->{entsize} // 0;
	}
	return $bytes;
}

# r_info of a relocation that adds where the image lies: type 3 of symbol 0, on MIPS in fields of its
# own, symbol, special symbol and three types, whatever the order of bytes.
sub relative {
	my ($machine, $o) = @_;
	return 3 if $machine->{name} ne 'mips64';
	return unpack "Q$o", pack("L$o", 0) . pack('CCCC', 0, 0, 0, 3);
}

1;
