#!/usr/bin/perl
# check.t - `uvdso check` passes good images and names the rule that a bad one breaks.
#
# A checker is worth what it refuses. So each rule has mutants here: our image with
# one thing changed, written by hand into its bytes, and the list of the rules
# that must be named, and no others, because a checker that cries about everything
# tells nothing. The last point holds the mutants against the list of the rules.
use strict;
use warnings;
no warnings 'portable';    # addresses have 64 bits
use Cwd 'getcwd';
use JSON::PP 'decode_json';
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build;
use Elf;
use ElfBend;

plan skip_all => 'the image of x86-64 is not built here (make deps)' if !-e "$BUILD/x86_64/vdso.so";

my $here = getcwd();
my $uvdso = "$BUILD/uvdso";
my $tmp = tempdir(CLEANUP => 1);

sub slurp {
	my ($path) = @_;
	open my $fh, '<:raw', $path or BAIL_OUT("$path: $!; is it built?");
	local $/;
	return scalar <$fh>;
}

sub image {
	my ($name, $bytes) = @_;
	open my $fh, '>:raw', "$tmp/$name" or BAIL_OUT("$tmp/$name: $!");
	print $fh $bytes;
	close $fh or BAIL_OUT("$tmp/$name: $!");
	return "$tmp/$name";
}

# Runs it; status (or the signal, negative), standard output, standard error.
sub check {
	my @args = @_;
	my $pid = fork // BAIL_OUT("fork: $!");
	if (!$pid) {
		open STDOUT, '>', "$tmp/.out" or die;
		open STDERR, '>', "$tmp/.err" or die;
		alarm 20 * $PATIENCE;
		exec $uvdso, 'check', @args or die;
	}
	waitpid $pid, 0;
	return ($? & 127 ? -($? & 127) : $? >> 8, slurp("$tmp/.out"), slurp("$tmp/.err"));
}

sub complain {
	my ($expected, $got, $why) = @_;
	diag("expected: $expected\n     got: $got\n     why: $why");
}

sub good {
	my ($what, $file, $why) = @_;
	my ($status, $out, $err) = check($file);
	ok($status == 0 && $out eq '' && $err eq '', $what)
	    or complain('status 0 and no output', "status $status\n$out$err", $why);
}

my $good = slurp("$BUILD/x86_64/vdso.so");

# ---- images that are good -------------------------------------------------------------------
good('our image is good', "$BUILD/x86_64/vdso.so", 'the loader maps nothing that breaks a rule');

good(
	'zeros up to the end of a page are no part of the image',
	image('zeros.so', $good . "\0" x (-length($good) % 4096)),
	'an image that is copied from memory has them'
);
{
   # As a function of Linux 6.12 has it: its description begins after the endbr64. Ours has none, so
   # the first four bytes of one are left out, and are what a no-operation is.
	my $elf = Elf->new($good);
	my $code = $elf->symbol('__vdso_getcpu');
	my ($s) = $elf->segments(0x6474e550);
	my $nr = unpack 'V', substr $elf->{bytes}, $s->{offset} + 8, 4;
	for my $entry (map { $s->{offset} + 12 + 8 * $_ } 0 .. $nr - 1) {
		my ($start, $fde) = unpack 'l< l<', substr $elf->{bytes}, $entry, 8;
		next if $s->{offset} + $start != $code->{value};
		my $at = $s->{offset} + $fde;
		my ($from, $length) = unpack 'l< V', substr $elf->{bytes}, $at + 8, 8;
		substr $elf->{bytes}, $entry, 4, pack 'l<', $start + 4;
		substr $elf->{bytes}, $at + 8, 8, pack 'l< V', $from + 4, $length - 4;
		substr $elf->{bytes}, $code->{value}, 4, "\xf3\x0f\x1e\xfa";
	}
	good(
		'a description may begin after the endbr64', image('late.so', $elf->{bytes}),
		'Linux 6.12 has such a function'
	);
}

SKIP: {
	open my $maps, '<', '/proc/self/maps' or skip("no /proc/self/maps: $!", 1);
	my ($range) = grep { /\[vdso\]$/ } <$maps>;
	skip('this process has no [vdso]', 1) unless $range;
	my ($from, $to) = map { hex } $range =~ /^(\w+)-(\w+)/;
	open my $mem, '<:raw', '/proc/self/mem' or skip("/proc/self/mem: $!", 1);
	sysseek $mem, $from, 0;
	sysread $mem, my $bytes, $to - $from;
	my ($status, $out, $err) = check(image('kernel.so', $bytes));
	# Some kernels are linked by a wrapper that leaks its own library path into everything.
	my @left =
	    grep {
		       !/^  /
		    && !/: no-dependencies: there is a DT_RUNPATH/
		    && !/: cfi-covers: the code (?:of \S+ )?from/
	    }
	    split /\n/, $out;
	ok(
		$status >= 0 && !@left && $err eq '',
		'the running kernel\'s own image is good (but for a DT_RUNPATH that its linker leaked, and for a cipher without an FDE)'
	    )
	    or complain(
		'no rule broken', "status $status\n$out$err",
		'every client works with that image, so the rule is wrong'
	    );
}

# ---- changing the image ---------------------------------------------------------------------

sub entries {
	my ($elf) = @_;
	return map { [$_->{tag}, $_->{value}] } @{$elf->{dynamic}};
}

sub with_tags {
	my ($elf, %values) = @_;
	redo_dynamic($elf, (map { [$Elf::TAG{$_}, $values{$_}] } sort keys %values), entries($elf));
}

sub without_tag {
	my ($elf, $tag) = @_;
	redo_dynamic($elf, grep { $_->[0] != $Elf::TAG{$tag} } entries($elf));
}

# Moves the program headers to the end, and puts another one after them.
sub with_segment {
	my ($elf, $type, $flags, $offset, $size) = @_;
	my $e = $elf->{ehdr};
	my $at = append($elf, "\0" x (56 * ($e->{phnum} + 1)));
	# After append(), which has grown the PT_LOAD in the old table.
	substr $elf->{bytes}, $at, 56 * $e->{phnum},
	    substr $elf->{bytes}, $e->{phoff}, 56 * $e->{phnum};
	substr $elf->{bytes}, $at + 56 * $e->{phnum}, 56,
	    pack 'V V Q<6', $type, $flags, $offset, $offset, $offset, $size, $size, 4;
	$elf->set('ehdr', 0, 'phoff', $at);
	$elf->set('ehdr', 0, 'phnum', $e->{phnum} + 1);
}

# A field of ...: each gives a function that changes it.
sub shdr {
	my ($section, %fields) = @_;
	return sub {
		my ($elf) = @_;
		$elf->set('shdr', $elf->section($section)->{at}, $_, $fields{$_}) for keys %fields;
	}
}

sub dyn {
	my ($tag, %fields) = @_;
	return sub {
		my ($elf) = @_;
		$elf->set('dyn', $elf->entry($tag)->{at}, $_, $fields{$_}) for keys %fields;
	}
}
# A word at an offset inside a table.
sub word {
	my ($tag, $offset, $value) = @_;
	return sub { $_[0]->set('word', $_[0]->tag($tag) + $offset, 'value', $value) }
}

# A table is moved to an odd address.
sub askew {
	my ($tag, $size) = @_;
	return sub {
		my ($elf) = @_;
		my $table = substr $elf->{bytes}, $elf->tag($tag), $size;
		dyn($tag, value => append($elf, "\0$table") + 1)->($elf);
	}
}

sub verdef {
	my ($index, %fields) = @_;
	return sub {
		my ($elf) = @_;
		$elf->set('verdef', $elf->{verdefs}[$index]{at}, $_, $fields{$_}) for keys %fields;
	}
}

# The only node has another name.
sub renamed_node {
	my ($name, $hash) = @_;
	return sub {
		my ($elf) = @_;
		my $at = append($elf, "\0$name\0");
		# Inside of the string table, by making that reach there.
		dyn('STRSZ', value => length($elf->{bytes}) - $elf->tag('STRTAB'))->($elf);
		$elf->set(
			'word', $elf->{verdefs}[1]{at} + $elf->{verdefs}[1]{aux},
			'value', $at + 1 - $elf->tag('STRTAB')
		);
		verdef(1, hash => $hash)->($elf);
	}
}

# The DT_SONAME, and with it the base entry, is another.
sub renamed {
	my ($name) = @_;
	return sub {
		my ($elf) = @_;
		my $old = 'linux-vdso.so.1';
		substr $elf->{bytes}, $elf->tag('STRTAB') + $elf->tag('SONAME'), length $old,
		    $name . "\0" x (length($old) - length $name);
		my $hash = 0;
		for (unpack 'C*', $name) {
			$hash = ($hash << 4) + $_;
			$hash = ($hash ^ $hash >> 24 & 0xf0) & 0x0fffffff;
		}
		verdef(0, hash => $hash)->($elf);
	}
}

sub nhdr {
	my ($owner, %fields) = @_;
	return sub {
		my ($elf) = @_;
		my ($n) = grep { $_->{owner} eq $owner } @{$elf->{notes}};
		$elf->set('nhdr', $n->{at}, $_, $fields{$_}) for keys %fields;
	}
}

sub eh_frame_hdr {
	my ($offset, $value) = @_;
	return sub {
		my ($elf) = @_;
		my ($s) = $elf->segments(0x6474e550);
		$elf->set('word', $s->{offset} + $offset, 'value', $value);
	}
}

# The descriptions in .eh_frame, in the order of their functions.
sub frames {
	my ($elf) = @_;
	my ($s) = $elf->segments(0x6474e550);
	my $nr = $elf->get('word', $s->{offset} + 8)->{value};
	return map {
		my ($start, $fde) = unpack 'l< l<', substr $elf->{bytes},
		    $s->{offset} + 12 + 8 * $_, 8;
		my $at = $s->{offset} + $fde;
		{
			start => $s->{offset} + $start, at => $at,
			length => $elf->get('word', $at)->{value}
		}
	} 0 .. $nr - 1;
}

# Bytes in the CIE, which all of them share.
sub cie {
	my ($offset, $bytes) = @_;
	return sub {
		my ($elf) = @_;
		substr $elf->{bytes}, $elf->section('.eh_frame')->{offset} + $offset, length $bytes,
		    $bytes;
	}
}

# The longest description has other instructions, or words in its head.
sub fde {
	my ($code, %words) = @_;
	return sub {
		my ($elf) = @_;
		my ($fde) = sort { $b->{length} <=> $a->{length} } frames($elf);
		my $room = $fde->{length} - 13;
		substr $elf->{bytes}, $fde->{at} + 17, $room,
		    substr($code, 0, $room) . "\0" x ($room - length substr $code, 0, $room)
		    if defined $code;
		$elf->set('word', $fde->{at} + $_, 'value', $words{$_}) for keys %words;
	}
}

# The image has another DT_SONAME, and its base the same name.
sub soname {
	my ($name) = @_;
	return sub {
		my ($elf) = @_;
		substr $elf->{bytes}, $elf->tag('STRTAB') + $elf->tag('SONAME'), length($name) + 1,
		    "$name\0";
	}
}

sub alternative {
	my ($offset, $bytes) = @_;
	return sub {
		my ($elf) = @_;
		substr $elf->{bytes}, $elf->section('.cpu_alt')->{offset} + $offset, length $bytes,
		    $bytes;
	}
}

my $clean = Elf->new($good);
my $text = $clean->section('.text');
my $gettime = $clean->symbol('__vdso_clock_gettime');
my ($load) = $clean->segments(1);
my $nr_dynamic = @{$clean->{dynamic}};
my $bloom = $clean->get('word', $clean->tag('GNU_HASH') + 8)->{value} * 8;
my $gnu_buckets = $clean->get('word', $clean->tag('GNU_HASH'))->{value};
my $sysv_buckets = $clean->get('word', $clean->tag('HASH'))->{value};
my $relative = pack 'Q< Q< Q<', 0x100, 8, 0;    # R_X86_64_RELATIVE

# What may be in an image, and is not in ours.
my @harmless = (
	[
		'a table of relocations that are all R_*_NONE',
		sub {
			with_tags(
				$_[0],
				RELA => append($_[0], "\0" x 48),
				RELASZ => 48,
				RELAENT => 24
			);
		},
		'the kernel\'s check lets them pass, too'
	],
	[
		'DT_RELA with the size 0',
		sub { with_tags($_[0], RELA => 0, RELASZ => 0, RELAENT => 24) },
		'ld.bfd writes that for riscv'
	],
	[
		'a PT_GNU_STACK that is not executable',
		sub { with_segment($_[0], 0x6474e551, 6, 0, 0) },
		'ld.lld writes one without a linker script'
	],
	[
		'section headers after the PT_LOAD, in its last page',
		sub {
			my ($elf) = @_;
			phdr(1, filesz => $elf->{ehdr}{shoff}, memsz => $elf->{ehdr}{shoff})
			    ->($elf);
		},
		'that is where the kernel\'s own are'
	],
	['a PT_LOAD with less than page alignment', phdr(1, align => 16), 'arm64 links with -n'],
	['a function of type NOTYPE', sym('__vdso_time', info => 0x10), 'arm64 sigreturn is one'],
	[
		'several functions in one description',
		sub {
			# Both begin where they did, and the first one's description has them all.
			my ($elf) = @_;
			my ($first, $second) =
			    map { $elf->symbol($_) } qw(__vdso_time __vdso_getcpu);
			($first, $second) = ($second, $first) if $first->{value} > $second->{value};
			for my $name (map { ("__vdso_$_", $_) } $second->{name} =~ /^__vdso_(.*)/) {
				sym($name, value => $first->{value} + 8)->($elf);
				sym($name, size => 4)->($elf);
			}
			sym($_, size => 8)->($elf)
			    for map { ("__vdso_$_", $_) } $first->{name} =~ /^__vdso_(.*)/;
		},
		'QEMU\'s assembly has them so'
	],
);
for (@harmless) {
	my ($what, $change, $why) = @$_;
	my $elf = Elf->new($good);
	$change->($elf);
	good("$what is fine", image('harmless.so', $elf->{bytes}), $why);
}

# [what is wrong, change, the rules it breaks]; '*' for "and what follows from it", and a pattern
# that a message must match, where several breaches of a rule could come of it.
my @mutants = (
	['no ELF magic', byte(3, 0), 'elf'],
	['a class that does not exist', byte(4, 3), 'elf'],
	['big-endian', byte(5, 2), 'elf'],
	['EI_VERSION 2', byte(6, 2), 'elf'],
	['FreeBSD\'s EI_OSABI', byte(7, 9), 'elf'],
	['EI_OSABI LINUX, as uses of GNU extensions get it,', byte(7, 3), 'elf', qr/CRIU refuses/],
	['an e_ident with something in its padding', byte(12, 1), 'elf', qr/CRIU compares/],
	['an EI_ABIVERSION', byte(8, 1), 'elf'],
	['ET_EXEC', ehdr(type => 2), 'elf'],
	['a machine without a vDSO, the 68000,', ehdr(machine => 4), 'elf'],
	['i386 in an ELF64 file', ehdr(machine => 3), 'elf'],
	['e_version 0', ehdr(version => 0), 'elf'],
	['e_ehsize 52', ehdr(ehsize => 52), 'elf'],
	['e_phentsize 32', ehdr(phentsize => 32), 'elf'],
	['program headers inside the ELF header', ehdr(phoff => 8), 'elf', '*'],

	[
		'nothing but a magic number', sub { substr $_[0]{bytes}, 4, length $good, '' },
		'truncated'
	],
	['half an ELF header', sub { substr $_[0]{bytes}, 40, length $good, '' }, 'truncated'],
	[
		'no room for the program headers',
		sub { substr $_[0]{bytes}, 200, length $good, '' }, 'truncated'
	],
	['section headers after the end', ehdr(shoff => length $good), 'truncated'],
	['e_phoff near 2**64', ehdr(phoff => ~0 - 8), 'truncated'],
	[
		'a note after the end', phdr(4, offset => 0x100000), 'truncated', 'note-version',
		'note-build-id', 'note-layout'
	],
	['a section after the end', shdr('.eh_frame', offset => 0x100000), 'truncated'],

	[
		'a segment of an unknown type', sub { with_segment($_[0], 0x65a3dbe6, 4, 0, 0) },
		'segments'
	],
	['an executable stack', sub { with_segment($_[0], 0x6474e551, 7, 0, 0) }, 'segments'],
	[
		'65535 program headers',
		sub {
			my ($elf) = @_;
			$elf->{bytes} .= "\0" x (56 * 0x500);
			$elf->set('ehdr', 0, 'phnum', 0x500);
		},
		'elf'
	],
	['PT_INTERP', sub { with_segment($_[0], 3, 4, 0x100, 8) }, 'no-interp'],
	['PT_TLS', sub { with_segment($_[0], 7, 4, 0x100, 8) }, 'no-tls'],
	['DF_STATIC_TLS', sub { with_tags($_[0], FLAGS => 0x12) }, 'no-tls'],
	['a section of thread-local data', shdr('.eh_frame', flags => 0x402), 'no-tls'],
	['PT_GNU_RELRO', sub { with_segment($_[0], 0x6474e552, 4, 0x100, 8) }, 'no-relro'],

	['two PT_LOADs', sub { with_segment($_[0], 1, 5, 0, 0x1000) }, 'one-load'],
	['no PT_LOAD', phdr(1, type => 0), 'one-load'],
	['an address that is not 0', phdr(1, vaddr => 0x1000), 'load-at-zero', '*'],
	['an offset that is not 0', phdr(1, offset => 0x40), 'load-offset', '*'],
	['a writable PT_LOAD', phdr(1, flags => 7), 'load-flags'],
	['a PT_LOAD that is not executable', phdr(1, flags => 4), 'load-flags'],
	['a .bss after the file', phdr(1, memsz => $load->{memsz} + 16), 'load-sizes'],
	[
		'a PT_LOAD longer than the file',
		phdr(1, map { $_ => length($good) + 1 } qw(filesz memsz)), 'load-sizes'
	],
	['64 KiB alignment', phdr(1, align => 0x10000), 'load-align'],
	['an alignment of 24', phdr(1, align => 24), 'load-align'],
	[
		'program headers after the PT_LOAD', phdr(1, filesz => 0x100, memsz => 0x100),
		'load-covers', '*',
		qr/the program headers end/
	],
	[
		'section headers after its last page',
		sub {
			my ($elf) = @_;
			my $table = substr $elf->{bytes}, $elf->{ehdr}{shoff};
			$elf->{bytes} .= "\0" x (0x2000 - length $elf->{bytes});
			$elf->{bytes} .= $table;
			$elf->set('ehdr', 0, 'shoff', 0x2000);
		},
		'headers-mapped'
	],
	[
		'a note at another address than its offset',
		sub {
			my ($elf) = @_;
			my ($s) = $elf->segments(4);
			$elf->set('phdr', $s->{at}, 'vaddr', $s->{vaddr} + 4);
		},
		'load-covers'
	],
	[
		'a section at another address than its offset',
		sub {
			my ($elf) = @_;
			shdr('.eh_frame', addr => $elf->section('.eh_frame')->{addr} + 8)->($elf);
		},
		'load-covers'
	],
	['DT_VERSYM after the PT_LOAD', dyn('VERSYM', value => 0x10000), 'load-covers'],
	['DT_VERSYM near 2**64', dyn('VERSYM', value => ~0 - 4), 'load-covers'],

	['no section headers', ehdr(shoff => 0), 'section-headers'],
	['no sections', ehdr(shnum => 0), 'section-headers'],
	['e_shstrndx 0', ehdr(shstrndx => 0), 'section-headers'],
	['e_shstrndx after the last section', ehdr(shstrndx => 99), 'section-headers'],
	[
		'e_shstrndx of another section', ehdr(shstrndx => 1), 'section-headers',
		qr/not a string table in the file/
	],
	['e_shentsize 40', ehdr(shentsize => 40), 'section-headers'],
	[
		'no .dynsym', shdr('.dynsym', type => 1), 'section-headers',
		qr/ 0 sections of type SHT_DYNSYM/
	],
	['.dynsym entries of 16 bytes', shdr('.dynsym', entsize => 16), 'section-headers'],
	['a .dynsym with no string table', shdr('.dynsym', link => 1), 'section-headers'],
	[
		'a .dynsym beside DT_SYMTAB',
		sub {
			my ($elf) = @_;
			my $s = $elf->section('.dynsym');
			shdr('.dynsym', map { $_ => $s->{$_} - 24 } qw(addr offset))->($elf);
		},
		'section-headers'
	],
	[
		'a string table of another size', shdr('.dynstr', size => 8), 'section-headers',
		qr/DT_STRSZ/
	],
	[
		'one version definition of two', shdr('.gnu.version_d', info => 1),
		'section-headers', qr/gdb/
	],
	[
		'version definitions with the names of no one',
		shdr('.gnu.version_d', link => 1), 'section-headers', qr/sh_link of the version/
	],
	[
		'a section 0 that is one',
		sub {
			my ($elf) = @_;
			$elf->set('shdr', $elf->{ehdr}{shoff}, 'type', 11);
		},
		'section-headers',
		qr/section 0 is of type 11/
	],
	[
		'a .dynsym with more local symbols than symbols', shdr('.dynsym', info => 20),
		'section-headers', qr/gdb/
	],
	['a section without a name', shdr('.eh_frame', name => 0xffff), 'section-headers'],
	[
		'0x500 sections',
		sub {
			my ($elf) = @_;
			append($elf, "\0" x (64 * 0x500));
			$elf->set('ehdr', 0, 'shnum', 0x500);
		},
		'section-headers'
	],
	['a variable', shdr('.eh_frame', flags => 3), 'no-writable-data'],
	['a .bss', shdr('.eh_frame', type => 8), 'no-writable-data'],

	['no PT_DYNAMIC', phdr(2, type => 0), 'dynamic'],
	[
		'two PT_DYNAMICs',
		sub {
			my ($elf) = @_;
			my ($s) = $elf->segments(2);
			with_segment($elf, 2, 4, $s->{offset}, $s->{filesz});
		},
		'dynamic'
	],
	['a PT_DYNAMIC without bytes in memory', phdr(2, memsz => 0), 'dynamic', qr/rustix/],
	['no DT_NULL', phdr(2, map { $_ => 16 * ($nr_dynamic - 1) } qw(filesz memsz)), 'dynamic'],
	[
		'a .dynamic that is not aligned',
		sub {
			my ($elf) = @_;
			my ($s) = $elf->segments(2);
			phdr(2, map { $_ => $s->{$_} + 4 } qw(offset vaddr))->($elf);
		},
		'dynamic',
		'*'
	],
	['a writable PT_DYNAMIC', phdr(2, flags => 6), 'dynamic-read-only'],
	[
		'an unknown tag',
		sub { redo_dynamic($_[0], [0x6000dead, 0], entries($_[0])) },
		'dynamic-tags'
	],
	['a tag that is there twice', sub { with_tags($_[0], SYMENT => 24) }, 'dynamic-tags'],
	['DF_ORIGIN', sub { with_tags($_[0], FLAGS => 1) }, 'dynamic-tags'],
	['DF_1_NODELETE', sub { with_tags($_[0], FLAGS_1 => 8) }, 'dynamic-tags'],

	[
		'a RELA relocation',
		sub {
			with_tags($_[0], RELA => append($_[0], $relative), RELASZ => 24);
		},
		'no-relocations',
		qr/DT_RELA has 1, the first/
	],
	[
		'a REL relocation after one that is R_*_NONE',
		sub {
			with_tags(
				$_[0], REL => append($_[0], "\0" x 16 . substr $relative, 0, 16),
				RELSZ => 32
			);
		},
		'no-relocations',
		qr/DT_REL has 1, the first/
	],
	[
		'a JMPREL relocation',
		sub {
			with_tags($_[0], JMPREL => append($_[0], $relative), PLTRELSZ => 24);
		},
		'no-relocations',
		qr/DT_JMPREL has 1, the first/
	],
	[
		'DT_RELA without the size of its entries',
		sub { with_tags($_[0], RELA => 0, RELASZ => 0) },
		'no-relocations', qr/without DT_RELAENT: glibc/
	],
	[
		'a DT_RELAENT of 16',
		sub { with_tags($_[0], RELA => 0, RELASZ => 0, RELAENT => 16) },
		'no-relocations', qr/RELAENT is 16/
	],
	[
		'DT_PLTREL of REL', sub { with_tags($_[0], PLTREL => 17) }, 'no-relocations',
		qr/assertion/
	],
	[
		'a packed relocation (RELR)',
		sub {
			with_tags($_[0], RELR => append($_[0], pack 'Q<', 0x100), RELRSZ => 8);
		},
		'no-relocations',
		qr/DT_RELR has 0x8 bytes/
	],
	[
		'relocations after the end',
		sub {
			with_tags($_[0], RELA => 0x100000, RELASZ => 24);
		},
		'no-relocations',
		'load-covers'
	],
	[
		'relocations of unknown number', sub { with_tags($_[0], RELA => 0x100) },
		'no-relocations', qr/DT_RELA is there without its size/
	],
	[
		'relocations that only a section names', shdr('.eh_frame', type => 4),
		'no-relocations', qr/\.eh_frame has \d+, the first/
	],
	[
		'half a relocation',
		sub {
			with_tags($_[0], RELA => append($_[0], "\0" x 12), RELASZ => 12);
		},
		'no-relocations',
		qr/DT_RELA has 0xc bytes, not a multiple/
	],
	[
		'packed relocations of unknown number', sub { with_tags($_[0], RELR => 0x100) },
		'no-relocations', qr/DT_RELR is there without its size/
	],
	[
		'packed relocations that only a section names', shdr('.eh_frame', type => 19),
		'no-relocations', qr/\.eh_frame has \w+ bytes of packed/
	],
	['DT_TEXTREL', sub { with_tags($_[0], TEXTREL => 0) }, 'no-textrel'],
	['DF_TEXTREL', sub { with_tags($_[0], FLAGS => 6) }, 'no-textrel'],
	(
		map {
			my $tag = $_;
			["DT_$tag", sub { with_tags($_[0], $tag => 1) }, 'no-dependencies']
		} qw(NEEDED RUNPATH VERNEED INIT INIT_ARRAY)
	),

	['no DT_STRTAB', sub { without_tag($_[0], 'STRTAB') }, 'strtab', '*', qr/no DT_STRTAB/],
	[
		'a string table that does not begin with NUL',
		sub {
			my ($elf) = @_;
			byte($elf->tag('STRTAB'), 65)->($elf);
		},
		'strtab'
	],
	[
		'a string table that does not end with NUL',
		sub {
			my ($elf) = @_;
			dyn('STRSZ', value => $elf->tag('STRSZ') - 1)->($elf);
		},
		'strtab',
		'*'
	],
	[
		'a symbol whose name is after the table', sym('__vdso_time', name => 0xffff),
		'strtab', 'hash'
	],
	['no DT_SONAME', sub { without_tag($_[0], 'SONAME') }, 'soname'],
	['an empty DT_SONAME', dyn('SONAME', value => 0), 'soname', 'versions'],
	['a DT_SONAME after the table', dyn('SONAME', value => 0xffff), 'soname'],
	['the DT_SONAME of a C library', renamed('libc.so.6'), 'soname-taken', 'soname-known'],
	['the DT_SONAME ld.so.1', renamed('ld.so.1'), 'soname-taken', 'soname-known'],
	['a DT_SONAME of its own', renamed('my-vdso.so.1'), 'soname-known'],
	['a PROTECTED function', sym('__vdso_time', other => 3), 'visibility'],

	['no DT_SYMTAB', sub { without_tag($_[0], 'SYMTAB') }, 'symbols', '*'],
	['DT_SYMENT 16', dyn('SYMENT', value => 16), 'symbols'],
	['an undefined symbol', sym('__vdso_time', shndx => 0), 'symbols', qr/is undefined/],
	[
		'an absolute address', sym('__vdso_time', shndx => 0xfff1), 'symbols',
		qr/not an address that counts/
	],
	[
		'an absolute name of nothing',
		sym('__vdso_time', shndx => 0xfff1, info => 0x11, value => 0, size => 0),
		'symbols', qr/not the name of its node/
	],
	[
		'a function after the image', sym('__vdso_getcpu', value => 0x10000), 'symbols',
		'eh-frame'
	],
	[
		'a function that ends after the image', sym('__vdso_time', size => 0x10000),
		'symbols', qr/ends outside of the PT_LOAD/
	],
	[
		'a function that ends after the code',
		sub {
			sym(
				'__vdso_time',
				size => $text->{addr} +
				    $text->{size} + 1 -
				    $clean->symbol('__vdso_time')->{value}
			)->($_[0]);
		},
		'symbols',
		qr/ends after the code/
	],
	['a getcpu without a type', sym('__vdso_getcpu', info => 0x10), 'symbols', qr/abseil/],
	['a section\'s symbol with a name', sym('__vdso_time', info => 0x03), 'symbols'],
	['a function of negative size', sym('__vdso_time', size => ~0), 'symbols'],
	[
		'a function at address 0', sym('__vdso_getcpu', value => 0),
		'symbols', 'eh-frame', qr/is outside the PT_LOAD/
	],
	[
		'a function among the data', sym('__vdso_getcpu', value => $clean->tag('HASH')),
		'symbols', 'eh-frame', qr/not in the code/
	],
	['a function of a section that is not there', sym('__vdso_time', shndx => 99), 'symbols'],
	['a variable that is exported', sym('__vdso_time', info => 0x11), 'symbols'],
	['an IFUNC', sym('__vdso_time', info => 0x1a), 'symbols'],
	['a local symbol', sym('__vdso_time', info => 0x02), 'symbols'],
	[
		'a symbol without a name', sym('__vdso_time', name => 0), 'symbols', 'hash',
		qr/has no name/
	],
	['a hidden symbol', sym('__vdso_time', other => 2), 'symbols'],
	['a weak alias of something else', sym('time', value => $gettime->{value}), 'symbols'],
	[
		'nothing but data',
		sub {
			my ($elf) = @_;
			sym($_->{text}, shndx => 0)->($elf)
			    for grep { $_->{kind} == 2 } @{$elf->{symbols}};
		},
		'symbols',
		qr/no function is exported/
	],
	[
		'a name that is there twice',
		sub {
			my ($elf) = @_;
			sym('__vdso_time', name => $elf->symbol('__vdso_getcpu')->{name})->($elf);
		},
		'symbols',
		'hash',
		qr/there twice/
	],
	[
		'4 G symbols',
		sub {
			shdr('.dynsym', type => 1)->($_[0]);
			word('HASH', 4, ~0 & 0xffffffff)->($_[0]);
		},
		'symbols',
		'section-headers'
	],

	(
		map { ["DT_$_ at an odd address", askew($_, 500), 'alignment', qr/not a multiple/] }
		    qw(HASH GNU_HASH VERSYM)
	),
	[
		'DT_VERDEF at an odd address', askew('VERDEF', 500), 'alignment', 'section-headers',
		qr/not a multiple/
	],
	[
		'program headers at an odd address',
		sub {
			my ($elf) = @_;
			my $e = $elf->{ehdr};
			my $at = append($elf, "\0" x (56 * $e->{phnum} + 1)) + 1;
			substr $elf->{bytes}, $at, 56 * $e->{phnum},
			    substr $elf->{bytes}, $e->{phoff}, 56 * $e->{phnum};
			$elf->set('ehdr', 0, 'phoff', $at);
		},
		'alignment'
	],
	[
		'a symbol 0 with a name',
		sub { $_[0]->set('sym', $_[0]{symbols}[0]{at}, 'name', 1) }, 'symbols',
		qr/symbol 0 .* static musl/
	],
	[
		'a symbol 0 that is a function',
		sub { $_[0]->set('sym', $_[0]{symbols}[0]{at}, 'info', 0x12) }, 'symbols'
	],
	['no DT_HASH', sub { without_tag($_[0], 'HASH') }, 'hash'],
	['no DT_GNU_HASH', sub { without_tag($_[0], 'GNU_HASH') }, 'gnu-hash'],
	['DT_HASH without buckets', word('HASH', 0, 0), 'hash'],
	[
		'DT_HASH for one symbol less', word('HASH', 4, @{$clean->{symbols}} - 1), 'hash',
		'*', qr/musl goes by the one/
	],
	[
		'DT_HASH with its buckets empty',
		sub { word('HASH', 8 + 4 * $_, 0)->($_[0]) for 0 .. $sysv_buckets - 1 }, 'hash'
	],
	[
		'DT_HASH with a bucket after the symbols', word('HASH', 8, 99), 'hash',
		qr/leads from bucket 0 to symbol 99/
	],
	[
		'DT_HASH that goes round in circles',
		sub {
			my ($elf) = @_;
			word('HASH', 8 + 4 * $sysv_buckets + 4 * $_, $_)->($elf)
			    for 1 .. @{$elf->{symbols}} - 1;
		},
		'hash'
	],
	[
		'DT_HASH that breaks off',
		sub {
			my ($elf) = @_;
			word('HASH', 8 + 4 * $sysv_buckets + 4 * $_, 0)->($elf)
			    for 1 .. @{$elf->{symbols}} - 1;
		},
		'hash'
	],
	['DT_GNU_HASH without buckets', word('GNU_HASH', 0, 0), 'hash'],
	['DT_GNU_HASH from after the symbols', word('GNU_HASH', 4, 99), 'hash'],
	['DT_GNU_HASH that leaves a symbol out', word('GNU_HASH', 4, 2), 'hash'],
	['a bloom filter of three words', word('GNU_HASH', 8, 3), 'hash'],
	['a bloom filter of no words', word('GNU_HASH', 8, 0), 'hash'],
	['a bloom filter of 2**31 words', word('GNU_HASH', 8, 1 << 31), 'load-covers'],
	['a bloom filter that shifts by 32', word('GNU_HASH', 12, 32), 'hash'],
	[
		'a bloom filter that lets nothing through',
		sub {
			word('GNU_HASH', 16 + 4 * $_, 0)->($_[0]) for 0 .. $bloom / 4 - 1;
		},
		'hash'
	],
	[
		'DT_GNU_HASH with its buckets empty',
		sub {
			word('GNU_HASH', 16 + $bloom + 4 * $_, 0)->($_[0])
			    for 0 .. $gnu_buckets - 1;
		},
		'hash'
	],
	[
		'DT_GNU_HASH with a bucket after the symbols', word('GNU_HASH', 16 + $bloom, 99),
		'hash', qr/leads from bucket 0 to symbol 99/
	],
	[
		'DT_GNU_HASH with a wrong hash',
		word('GNU_HASH', 16 + $bloom + 4 * $gnu_buckets, 1), 'hash'
	],
	[
		'DT_GNU_HASH without an end',
		sub {
			my ($elf) = @_;
			for my $i (1 .. @{$elf->{symbols}} - 1) {
				my $at = $elf->tag('GNU_HASH') + 16 + $bloom +
				    4 * ($gnu_buckets + $i - 1);
				$elf->set(
					'word', $at, 'value',
					$elf->get('word', $at)->{value} & ~1
				);
			}
		},
		'hash'
	],

	(
		map {
			my $tag = $_;
			["no DT_$tag", sub { without_tag($_[0], $tag) }, 'versions']
		} qw(VERSYM VERDEF VERDEFNUM)
	),
	['the node of another machine', ehdr(machine => 183), 'versions', 'names', '*'],
	['DT_VERDEFNUM 3', dyn('VERDEFNUM', value => 3), 'versions', 'section-headers'],
	['version definitions without an end', verdef(1, next => 0x1c), 'versions'],
	[
		'version definitions that go on as before',
		sub {
			# A second node after the end, a copy of the first.
			my ($elf) = @_;
			my $first = $elf->{verdefs}[1];
			my $at = append($elf, substr $elf->{bytes}, $first->{at}, 28);
			verdef(1, next => $at - $first->{at})->($elf);
		},
		'versions',
		'section-headers',
		qr/same index/
	],
	[
		'no version definition but the base', verdef(0, next => 0), 'versions',
		qr/no node LINUX_2.6/
	],
	[
		'a node with the index of the base', verdef(1, ndx => 1), 'versions',
		qr/which is not a node's/
	],
	[
		'a node whose name is after the string table',
		sub {
			my ($elf) = @_;
			my $def = $elf->{verdefs}[1];
			$elf->set('word', $def->{at} + $def->{aux}, 'value', 0xffff);
		},
		'strtab',
		'versions',
		qr/name of the version/
	],
	['a node with two names of one', verdef(1, cnt => 2), 'versions', qr/vd_cnt is 2/],
	[
		'a name that says that another follows',
		sub {
			my ($elf) = @_;
			my $node = $elf->{verdefs}[1];
			$elf->set('word', $node->{at} + $node->{aux} + 4, 'value', 8);
		},
		'versions',
		'section-headers',
		'*'
	],
	['two bases', verdef(1, flags => 1), 'versions', qr/2 base entries/],
	['no base', verdef(0, flags => 0), 'versions', qr/0 base entries/],
	['a base of index 3', verdef(0, ndx => 3), 'versions'],
	['vd_version 2', verdef(1, version => 2), 'versions'],
	['a wrong vd_hash', verdef(1, hash => 1), 'versions'],
	['a node without a name', verdef(1, cnt => 0), 'versions', qr/has no name/],
	[
		'a node named LINUX_2.7', renamed_node('LINUX_2.7', 0x3ae75f7), 'versions', '*',
		qr/not the machine's LINUX_2.6/
	],
	[
		'the node of another name, of who knows what', renamed_node('UVDSO_1', 0xaa98571),
		'versions', '*',
		qr/clock_gettime has version UVDSO_1: C libraries ask for it with LINUX_2.6/
	],
	(
		map {
			my ($what, $value, $rule) = @$_;
			[
				"a symbol that $what",
				sub {
					$_[0]->set(
						'half',
						$_[0]->symbol('__vdso_time')->{versym_at}, 'value',
						$value
					);
				},
				$rule // 'versions'
			]
		} ['is local by its version', 0],
		['has the base as its version', 1],
		['has a node that is not there', 3],
		['has its version hidden', 0x8002, 'version-hidden']
	),

	['no Linux note', nhdr('Linux', type => 1), 'note-version'],
	['a kernel version of three bytes', nhdr('Linux', descsz => 3), 'note-version'],
	['no build id', nhdr('GNU', type => 4), 'note-build-id'],
	[
		'no note of its own', nhdr('uvdso', type => 15), 'note-layout',
		qr/a kernel's image, Linux/
	],
	[
		'other data pages',
		sub {
			my ($elf) = @_;
			my ($n) = grep { $_->{owner} eq 'uvdso' } @{$elf->{notes}};
			substr $elf->{bytes}, $n->{desc_at}, 1, 'x';
		},
		'note-layout',
		qr/an image of another uvdso: 3 data pages/
	],
	['no PT_NOTE', phdr(4, type => 0), 'note-version', 'note-build-id', 'note-layout'],
	['a build id of four bytes', nhdr('GNU', descsz => 4), 'note-build-id', '*', qr/too few/],
	['a note of 4 GiB', nhdr('GNU', descsz => ~0 & 0xffffffff), 'notes', qr/runs over the end/],
	['a note with an owner of 4 GiB', nhdr('GNU', namesz => ~0 & 0xffffffff), 'notes'],
	['an owner without its NUL', nhdr('GNU', namesz => 3), 'notes', qr/the owner of the note/],
	[
		'bytes after the last note',
		sub {
			my ($elf) = @_;
			my ($s) = $elf->segments(4);
			phdr(4, map { $_ => $s->{$_} + 4 } qw(filesz memsz))->($elf);
		},
		'notes'
	],

	['no PT_GNU_EH_FRAME', phdr(0x6474e550, type => 0), 'eh-frame'],
	['two PT_GNU_EH_FRAMEs', sub { with_segment($_[0], 0x6474e550, 4, 0x100, 16) }, 'eh-frame'],
	['a link without --eh-frame-hdr', phdr(0x6474e550, filesz => 0, memsz => 0), 'eh-frame'],
	['an unwind table of version 2', eh_frame_hdr(0, 0x3b031b02), 'eh-frame-hdr'],
	['an unwind table of another encoding', eh_frame_hdr(0, 0x1b031b01), 'eh-frame-hdr'],
	['an empty unwind table', eh_frame_hdr(8, 0), 'eh-frame-hdr'],
	['an unwind table longer than its segment', eh_frame_hdr(8, 1 << 29), 'eh-frame-hdr'],
	['an unwind table that knows one function', eh_frame_hdr(8, 1), 'eh-frame', '*'],
	['an unwind table that is not sorted', eh_frame_hdr(12, 0x7fff), 'eh-frame-hdr'],
	[
		'an unwind table that begins too late',
		sub {
			# The first half of the functions is given away, whichever they are.
			my ($elf) = @_;
			my ($s) = $elf->segments(0x6474e550);
			my $nr = $elf->get('word', $s->{offset} + 8)->{value};
			my $lost = int(($nr + 1) / 2);
			substr $elf->{bytes}, $s->{offset} + 12, 8 * ($nr - $lost),
			    substr $elf->{bytes}, $s->{offset} + 12 + 8 * $lost, 8 * ($nr - $lost);
			$elf->set('word', $s->{offset} + 8, 'value', $nr - $lost);
		},
		'eh-frame',
		'*',
		qr/has no FDE: no backtrace.*\n  at 0x\w+: symbol \d+ of \.dynsym \(\S+\), st_value/
	],
	[
		'an FDE of another function',
		sub {
			my ($elf) = @_;
			my ($s) = $elf->segments(0x6474e550);
			my $nr = $elf->get('word', $s->{offset} + 8)->{value};
			my $fde = $elf->get('word', $s->{offset} + 16)->{value};
			$elf->set('word', $s->{offset} + 16 + 8 * $_, 'value', $fde)
			    for 1 .. $nr - 1;
		},
		'eh-frame-hdr',
		'*'
	],
	[
		'an FDE of one byte',
		sub {
			my ($elf) = @_;
			my ($s) = $elf->segments(0x6474e550);
			my $nr = $elf->get('word', $s->{offset} + 8)->{value};
			for my $i (0 .. $nr - 1) {
				# Every function of the table begins before its first instruction.
				my $entry = $s->{offset} + 12 + 8 * $i;
				my $fde = $s->{offset} + unpack 'l<', substr $elf->{bytes},
				    $entry + 4, 4;
				$elf->set(
					'word', $entry, 'value',
					$elf->get('word', $entry)->{value} - 1
				);
				$elf->set(
					'word', $fde + 8, 'value',
					$elf->get('word', $fde + 8)->{value} - 1
				);
				$elf->set('word', $fde + 12, 'value', 1);
			}
		},
		'eh-frame',
		'cfi',
		'cfi-covers'
	],
	[
		'a table that says where .eh_frame is not', eh_frame_hdr(4, 0x1000), 'eh-frame-hdr',
		qr/LLVM's unwinder/
	],
	[
		'a table without the last function',
		sub {
			my ($elf) = @_;
			my ($s) = $elf->segments(0x6474e550);
			my $nr = $elf->get('word', $s->{offset} + 8)->{value};
			$elf->set('word', $s->{offset} + 8, 'value', $nr - 1);
		},
		'eh-frame-hdr',
		'*',
		qr/the table lists \d+ functions, and \.eh_frame describes/
	],
	(
		map {
			my ($what, $at, $value, $pattern) = @$_;
			["a CIE $what", cie($at, $value), 'cfi', $pattern]
		} [
			'of version 9', 8, "\x09",
			qr/has version 9: LLVM's unwinder.*, and libgcc aborts/
		],
		['of version 4', 8, "\x04", qr/has version 4: LLVM's.*, and libgcc aborts/],
		[
			'of version 4 with its sizes', 8,
			"\x04zR\0\x08\0\x01\x78\x10\x01\x1b\x0c\x07\x08\x90\x01",
			qr/has version 4: LLVM's unwinder knows 1 and 3 alone$/m
		],
		['with a code alignment of 0', 12, "\0", qr/an alignment factor of 0/],
		['with a data alignment of 0', 13, "\0", qr/an alignment factor of 0/],
		[
			'with a data alignment of 8', 13, "\x08",
			qr/the return address at \w+ is where no call leaves it/
		],
		['with a code alignment of 4', 12, "\x04", qr/outside of its code|has another CFA/],
		['whose CFA is the stack pointer', 19, "\0", qr/has another CFA for/],
		[
			'whose CFA is far away', 17, "\x0c\x07\x88\x80\x02\x90\x01",
			qr/has another CFA for/
		],
		['whose CFA is 0', 17, "\x0f\0\x90\x01\0", qr/has another CFA for/],
		['whose CFA is no multiple', 19, "\x0c", qr/has another CFA for/],
		[
			'that keeps the return address', 20, "\x08\x10",
			qr/does not say where the return address is at \w+: unwinders stay there/
		],
		[
			'with the return address in a register', 20, "\x09\x10\x03",
			qr/is where no call leaves it/
		],
		[
			'with the return address in register 64', 20, "\x09\x10\x40",
			qr/names register 64, which unwinders have no room for/
		],
		[
			'with the return address at 0', 20, "\x10\x10\x01\x30",
			qr/is where no call leaves it/
		],
		[
			'with the return address 0', 20, "\x16\x10\x01\x30",
			qr/is where no call leaves it/
		],
		[
			'with a rule for register 60', 20, "\x90\x01\xbc\x02",
			qr/names register 60, which unwinders have no room for/
		],
		['with an instruction of SPARC', 22, "\x2d", qr/is another machine's/],
		(
			map { [
				"with an expression $_->[0]", 17,
				"\x0f" . pack('C/a', $_->[1]) . "\x90\x01",
				qr/an expression with opcode \w+: $_->[2]/
			] } ['that adds one number', "\x22", qr/an operand that is not there/],
			['that divides by 0', "\x30\x1b", qr/a division by 0/],
			['without an end', "\x2f\xfd\xff", qr/no end/],
			['of register 40', "\x92\x28\0", qr/a register that unwinders have no/],
			['of memory at 0', "\x06", qr/a read at a fixed address/],
			['of no operation', "\x96", qr/an opcode that not all unwinders know/]
		),
		['of an unknown augmentation', 9, 'zX', qr/the augmentation zX/],
		['of the augmentation eh', 9, 'eh', qr/the augmentation eh/],
		['with an augmentation without an end', 9, 'zRRRRRRRRR', qr/without an end/],
		['with absolute addresses', 16, "\x00", qr/encoded as 0/],
		['with addresses of an unknown size', 16, "\x1f", qr/encoded as 0x1f/],
		[
			'with another return address', 14, "\x20",
			qr/return address in register 32, of 17/
		],
		['that does not say what the CFA is', 17, "\0\0\0", qr/gives no CFA for/],
		[
			'that does not say where the return address is', 20, "\0\0",
			qr/where the return address is/
		],
		['that says that there is no caller', 20, "\x07\x10", qr/there is no caller/],
		['that counts the CFA from register 40', 18, "\x28", qr/names register 40/],
		['that is none', 4, "\x01", qr/it is none/],
		['of 4 GiB', 0, "\xff\xff\xff\xff", qr/reads on until it faults/]
	),
	(
		map {
			my ($what, $code, $pattern) = @$_;
			["a description $what", fde($code), 'cfi', $pattern]
		} [
			'with an opcode that is none', "\x3f",
			qr/opcode 0x3f, which no unwinder knows/
		],
		['with an opcode of another machine', "\x1d", qr/opcode 0x1d/],
		['that goes beyond its code', "\x04\xff\xff\xff\x7f", qr/outside of its code/],
		['that goes back', "\x41\x01\0\0\0\0", qr/outside of its code/],
		['that restores what it has not remembered', "\x0b", qr/restores what nothing/],
		['that remembers without an end', "\x0a" x 30, qr/too often/],
		[
			'with a CFA from register 64', "\x0f\x02\x77\x08\x0d\x40\x41",
			qr/names register 64/
		],
		[
			'with no instructions', '',
			qr/has another CFA for \w+ than the one that is there/
		],
		[
			'that sets the location', "\x01\0\0\0\0",
			qr/outside of its code|takes for a distance/
		],
		[
			'with an offset from an expression', "\x0f\x02\x77\x08\x0e\x10\x41",
			qr/no register to count from/
		],
		[
			'with an expression that is none', "\x0f\x02\x30\xff",
			qr/an expression with opcode 0xff/
		],
		[
			'with an expression that runs over the end', "\x0f\x7f\x06",
			qr/runs over the end/
		],
		[
			'with a number that runs over the end', "\x0e" . "\x80" x 300,
			qr/runs over the end/
		]
	),
	[
		'an .eh_frame that ends in something else than zero',
		sub {
			my ($elf) = @_;
			my $s = $elf->section('.eh_frame');
			$elf->set('word', $s->{offset} + $s->{size} - 4, 'value', 0x10);
		},
		'eh-frame-end',
		qr/not the zero that ends it/
	],
	[
		'a description that is longer than it is',
		sub {
			# By the next one, which is then nobody's; those after it are found again.
			my ($elf) = @_;
			my ($first, $second) = sort { $a->{at} <=> $b->{at} } frames($elf);
			$elf->set(
				'word', $first->{at}, 'value',
				$first->{length} + 4 + $second->{length}
			);
		},
		'eh-frame-hdr',
		qr/the table lists/,
		'*'
	],
	[
		'an .eh_frame with a length that leads outside',
		sub {
			my ($elf) = @_;
			my ($last) = sort { $b->{at} <=> $a->{at} } frames($elf);
			$elf->set('word', $last->{at}, 'value', $last->{length} + 8);
		},
		'eh-frame-end',
		qr/reads on outside/,
		'*'
	],
	[
		'an .eh_frame without an end',
		sub {
			my ($elf) = @_;
			my $s = $elf->section('.eh_frame');
			$elf->set('word', $s->{offset} + $s->{size} - 4, 'value', 0x10);
			shdr('.eh_frame', size => $s->{size} - 4)->($elf);
		},
		'eh-frame-end',
		qr/no zero ends \.eh_frame: LLVM's unwinder/
	],
	[
		'an .eh_frame that ends by chance',
		sub {
			# A word less, and after it as much as leads to a zero.
			my ($elf) = @_;
			my $s = $elf->section('.eh_frame');
			my $at = $s->{offset} + $s->{size} - 4;
			my $zero = index $elf->{bytes}, "\0\0\0\0", $at + 16;
			$elf->set('word', $at, 'value', $zero - $at - 4);
			shdr('.eh_frame', size => $s->{size} - 4)->($elf);
		},
		'eh-frame-zero',
		qr/up to a zero that is there by chance/
	],
	[
		'a description whose CIE is nowhere',
		fde(undef, 4 => 0x7ffffff0), 'cfi',
		qr/where none is/
	],
	['a description of 2 GiB', fde(undef, 0 => 0x7ffffff0), 'cfi', qr/reads on until/],
	[
		'a static function without a description',
		sub {
			my ($elf) = @_;
			my %exported = map { $_->{value} => 1 } @{$elf->{symbols}};
			my ($lost) = grep { !$exported{$_->{start}} } frames($elf);
			$elf->set('word', $lost->{at} + 12, 'value', 0);
			# And nothing in it that would lead outside.
			substr $elf->{bytes}, $lost->{at} + 17, $lost->{length} - 13,
			    "\0" x ($lost->{length} - 13);
		},
		'cfi-covers',
		qr/the code from 0x\w+ to 0x\w+ has no FDE/
	],
	[
		'a static function without a description before one that begins late',
		sub {
			# As in Linux 6.12: the gap ends inside of an exported function.
			my ($elf) = @_;
			my %exported = map { $_->{value} => 1 } @{$elf->{symbols}};
			my ($s) = $elf->segments(0x6474e550);
			my @frames = frames($elf);
			my ($i) = grep {
				!$exported{$frames[$_]{start}} && $exported{$frames[$_ + 1]{start}}
			} 0 .. $#frames - 1;
			my ($lost, $late) = @frames[$i, $i + 1];
			$elf->set('word', $lost->{at} + 12, 'value', 0);
			substr $elf->{bytes}, $lost->{at} + 17, $lost->{length} - 13,
			    "\0" x ($lost->{length} - 13);
			substr $elf->{bytes}, $late->{start}, 4, "\xf3\x0f\x1e\xfa";
			for (
				[$s->{offset} + 12 + 8 * ($i + 1), 4], [$late->{at} + 8, 4],
				[$late->{at} + 12, -4]
			    )
			{
				my ($at, $more) = @$_;
				my ($word) = unpack 'l<', substr $elf->{bytes}, $at, 4;
				substr $elf->{bytes}, $at, 4, pack 'l<', $word + $more;
			}
		},
		'cfi-covers',
		qr/the code from 0x\w+ to 0x\w+ has no FDE/
	],
	[
		'a description that reaches into the next function',
		sub {
			my ($elf) = @_;
			my ($first, $second) = frames($elf);
			$elf->set(
				'word', $first->{at} + 12, 'value',
				$second->{start} - $first->{start} + 1
			);
		},
		'cfi-covers',
		qr/reaches into the next function/
	],
	[
		'a description of what is no code',
		sub {
			my ($elf) = @_;
			my ($last) = reverse frames($elf);
			$elf->set('word', $last->{at} + 12, 'value', 0x10000);
		},
		'cfi-covers',
		qr/which are not code/
	],
	[
		'a symbol one byte into its function',
		sub {
			my ($elf) = @_;
			sym($_, value => $elf->symbol($_)->{value} + 1)->($elf)
			    for qw(__vdso_time time);
		},
		'symbols',
		qr/__vdso_time is at 0x\w+, and the function begins at/
	],
	[
		'one of two names one byte into its function',
		sub {
			my ($elf) = @_;
			sym('time', value => $elf->symbol('time')->{value} + 1)->($elf);
		},
		'symbols',
		qr/: time is at 0x\w+, and the function begins at/
	],
	[
		'a symbol between two functions',
		sub {
			my ($elf) = @_;
			my $s = $elf->symbol('__vdso_getcpu');
			sym($_, value => $s->{value} + $s->{size}, size => 4)->($elf)
			    for qw(__vdso_time time);
		},
		'eh-frame'
	],
	(
		map {
			my ($what, $at, $value) = @$_;
			["alternatives $what", alternative($at, $value), 'alternatives']
		} ['that replace what is no code', 0, pack('l<', -0x100)],
		['that replace what is not there', 0, pack('l<', 0x7fffffff)],
		['that write more than they replace', 7, "\xff"],
		['that replace more than their function', 0x26, "\x64"],
		[
			'that replace more than the code',
			0,
			pack(
				'l<',
				$text->{addr} +
				    $text->{size} - 1 -
				    $clean->section('.cpu_alt')->{addr}
			)
		]
	),
	[
		'alternatives that end in the middle',
		sub {
			my ($elf) = @_;
			shdr('.cpu_alt', size => $elf->section('.cpu_alt')->{size} - 1)->($elf);
		},
		'alternatives'
	],
	[
		'five bytes after the end', sub { $_[0]{bytes} .= 'JUNK!' }, 'nothing-after',
		qr/the image ends at 0x\w+ and the file at/
	],
	['900 kB after the end', sub { $_[0]{bytes} .= 'J' x 900_000 }, 'nothing-after'],
	['two images in one file', sub { $_[0]{bytes} .= $good }, 'nothing-after'],
	['zeros for more than a page', sub { $_[0]{bytes} .= "\0" x 0x20000 }, 'nothing-after'],
);

# The rules, by their kind.
my (undef, $table) = check('--rules');
my $nr_rules = () = $table =~ /\n/g;
my %house = map { /^(\S+)\s+house/ ? ($1 => 1) : () } split /\n/, $table;
my %covered;
my $nowhere = qr/^(?:no[ ]|there[ ]are[ ]none|none[ ]of|and[ ]more[ ]of[ ]these|\d+[ ]sections[ ]of|
	[0-9a-fx]+[ ]bytes,[ ]which[ ]is[ ]less|an?[ ](?:kernel's[ ])?image[ ,])/x;
for (@mutants) {
	my ($what, $change, @rules) = @$_;
	my $elf = Elf->new($good);
	$change->($elf);
	my $file = image('mutant.so', $elf->{bytes});
	my ($status, $out, $err) = check('--house', $file);
	my (%named, %explained, $strange);
	my ($at, $placeless) = ('', '');
	my $last = '';

	for (split /\n/, $out) {
		if (/^\Q$file\E: ([a-z0-9-]+): (\S.*)/) {
			$placeless ||= $at;
			$named{$last = $1}++;
			# What is missing, or what is about the whole file, is nowhere.
			$at = $2 =~ $nowhere ? '' : $_;
		} elsif (/^  at 0x[0-9a-f]+: \S/) {
			$at = '';
		} elsif (/^  (hurts|mend): \S/) {
			$explained{"$last $1"}++;
		} else {
			$strange = $_;
		}
	}
	$placeless ||= $at;
	my ($pattern) = grep { ref } @rules;
	@rules = grep { !ref } @rules;
	my $more = grep { $_ eq '*' } @rules;
	my %expected = map { $_ => 1 } grep { $_ ne '*' } @rules;
	my $right =
	       $status == 1
	    && $err eq ''
	    && !defined $strange
	    && !$placeless
	    && keys %explained == 2 * keys %named
	    && !grep({ $_ != 1 } values %explained)
	    && (!$pattern || $out =~ $pattern)
	    && !grep({ !$named{$_} } keys %expected)
	    && ($more || !grep { !$expected{$_} } keys %named);
	$covered{$_}++ for keys %expected;
	# Without --house the same, but for what hurts nobody.
	my ($plain) = check($file);
	$right &&= $plain == (grep({ !$house{$_} } keys %named) ? 1 : 0);
	ok($right, "$what breaks rule $rules[0]")
	    or complain(
		"status 1, rules @rules" . ($pattern ? ", $pattern" : ''),
		"status $status\n$out$err" . ($placeless && "where is: $placeless"),
		'an image that some client chokes on would be loaded, or the message misleads'
	    );
}

# ---- ELF32 ----------------------------------------------------------------------------------
# The narrow structs have the same fields in other places. An image for i386, of three functions.
SKIP: {
	my $cc = $ENV{CC} || 'gcc';
	open my $c, '>', "$tmp/i386.c" or BAIL_OUT("$tmp/i386.c: $!");
	print $c
	    map { "__attribute__((visibility(\"default\"))) int $_(int a) { return a + 1; }\n" }
	    qw(__vdso_time __vdso_getcpu __kernel_vsyscall);
	close $c;
	open my $script, '>', "$tmp/i386.lds.S" or BAIL_OUT("$tmp/i386.lds.S: $!");
	print $script <<'END';
#define VDSO_TEXT_FILL 0x90909090
#define VDSO_GOT_RESERVED 0
#define VDSO_VERSIONS LINUX_2.6 { global: __vdso_*; }; LINUX_2.5 { global: __kernel_*; local: *; };
OUTPUT_FORMAT("elf32-i386")
#include "vdso-layout.lds.h"
END
	close $script;
	my $failed =
	    system
	    "( cd @{[quoted($tmp)]} && $cc -m32 -O2 -fPIC -ffreestanding -fno-stack-protector "
	    . '-fvisibility=hidden -fasynchronous-unwind-tables -fcf-protection=none -c i386.c && '
	    . "$cc -m32 -c @{[quoted($here)]}/vdso-src/note.S && $cc -E -P -x assembler-with-cpp "
	    . "-I@{[quoted($here)]}/vdso-src/include -I@{[quoted($here)]}/linker-scripts i386.lds.S -o i386.lds && "
	    . 'ld -m elf_i386 -shared -nostdlib -soname=linux-gate.so.1 --hash-style=both '
	    . '--build-id=sha1 --eh-frame-hdr -T i386.lds i386.o note.o -o i386.dbg && '
	    . "objcopy -S -R .data -R .bss i386.dbg i386.so ) >@{[quoted($tmp)]}/i386.log 2>&1";
	skip("$cc makes no i386 code here: " . (split /\n/, slurp("$tmp/i386.log"))[0], 4)
	    if $failed;
	my $i386 = slurp("$tmp/i386.so");
	good(
		'an image for i386, with both of its nodes, is good', "$tmp/i386.so",
		'the 32-bit structs are read from the wrong places'
	);
	# Elf32_Ehdr: e_machine at 18. Elf32_Phdr: p_flags at 24, of the one at 52.
	for (
		['for the 68000', 18, 4, 'elf'],
		['with a writable PT_LOAD', 52 + 24, 7, 'load-flags'],
		['cut in half', undef, undef, 'load-sizes']
	    )
	{
		my ($what, $at, $value, $rule) = @$_;
		my $bytes = defined $at ? $i386 : substr $i386, 0, length($i386) / 2;
		substr $bytes, $at, 1, chr $value if defined $at;
		my ($status, $out) = check(image('mutant.so', $bytes));
		ok(
			$status == 1 && $out =~ /^\S+: $rule: /m,
			"an image for i386 $what breaks rule $rule"
		) or complain("status 1, rule $rule", "status $status\n$out", 'as for 64 bits');
	}
}

# ---- the command line -----------------------------------------------------------------------
sub command {
	my ($what, $args, $status, $out, $err, $why) = @_;
	my ($got_status, $got_out, $got_err) = check(@$args);
	ok($got_status == $status && $got_out =~ $out && $got_err =~ $err, $what)
	    or complain(
		"status $status, output like $out, errors like $err",
		"status $got_status\n$got_out$got_err", $why
	    );
}

my $ours = image('good.so', $good);
my $empty = image('empty.so', '');
my $garbage = image('garbage.so', "#!/bin/sh\n" . 'x' x 5000);
my $none = qr/^$/;
mkdir "$tmp/directory";

command(
	'-v says so of a good image', ['-v', $ours], 0,
	qr/^\Q$ours\E: ok \(\d+ rules\)\n\Q$ours\E: an image of uvdso: .*\n$/, $none,
	'a reader wants to know that something was looked at'
);
command('an empty file is broken', [$empty], 1, qr/: truncated: /, $none, 'it is no image');
command('a script is broken', [$garbage], 1, qr/: elf: not an ELF file/, $none, 'it is no image');
command('a program is broken', ['/bin/true'], 1, qr/: one-load: /, $none, 'it is no vDSO');
command(
	'several files are all looked at', [$garbage, $ours, $empty], 1,
	qr/^\Q$garbage\E: elf: .*\n(?:  .*\n)+\Q$empty\E: truncated: .*\n(?:  .*\n)+$/, $none,
	'the first broken one must not hide the others'
);
command(
	'a missing file is an error, and not a breach', ["$tmp/missing"], 2, $none,
	qr/^uvdso: \Q$tmp\E\/missing: No such file or directory$/, 'scripts tell the two apart'
);
command('a directory is an error', ["$tmp/directory"], 2, $none, qr/Is a directory$/, 'as above');
command(
	'a file without an end is an error', ['/dev/zero'], 2, $none, qr/too large$/,
	'memory must not fill up'
);
command(
	'an error wins over a breach, and the rest is still looked at',
	["$tmp/missing", $garbage], 2, qr/^\Q$garbage\E: elf: /, qr/missing: No such file/,
	'a script that sees 1 believes that everything was looked at'
);
command(
	'no file is wrong usage', [], 2, $none, qr/no FILE/,
	'an empty list must not pass for good'
);
command(
	'an unknown option is wrong usage', ['--fix', $ours], 2, $none,
	qr/^uvdso: check: --fix: no such option/,
	'it is no file'
);
command(
	'after -- a name may begin with -', ['--', '-v'], 2, $none, qr/^uvdso: -v: No such file/,
	'as in every other command'
);

# ---- whom it hurts, where it is, how to mend it ---------------------------------------------
# [change, the lines below the message]
my $soname = $clean->entry('SONAME')->{at};
my $index = ($soname - ($clean->segments(2))[0]{offset}) / 16;
for (
	[
		'the flags of a program header', phdr(2, flags => 6),
		qr/^  at 0x[0-9a-f]+: program header \d+ \(PT_DYNAMIC\), p_flags$/m
	],
	[
		'a field of the ELF header', ehdr(shstrndx => 99),
		qr/^  at 0x3e: the ELF header, e_shstrndx$/m
	],
	[
		'a field of a section header', shdr('.dynsym', entsize => 16),
		qr/^  at 0x[0-9a-f]+: section header \d+ \(\.dynsym\), sh_entsize$/m
	],
	[
		'an entry of .dynamic', dyn('SONAME', value => 0),
		qr/^  at @{[sprintf '%#x', $soname]}: entry $index of \.dynamic \(DT_SONAME\)$/m
	],
	[
		'a symbol', sym('__vdso_time', other => 2),
		qr/^  at 0x[0-9a-f]+: symbol \d+ of \.dynsym \(__vdso_time\), st_/m
	],
	[
		'the entry that has the address of a table', dyn('VERSYM', value => 0x10000),
		qr/^  at 0x[0-9a-f]+: entry \d+ of \.dynamic \(DT_VERSYM\)$/m
	],
	[
		'the header that has the address of a segment', phdr(4, vaddr => 0x10000),
		qr/^  at 0x[0-9a-f]+: program header \d+ \(PT_NOTE\), p_vaddr$/m
	],
	['a note', nhdr('GNU', namesz => 3), qr/^  at 0x[0-9a-f]+: \.note \+ 0x[0-9a-f]+$/m],
    )
{
	my ($what, $change, $where) = @$_;
	my $elf = Elf->new($good);
	$change->($elf);
	my ($status, $out) = check(image('mutant.so', $elf->{bytes}));
	ok($status == 1 && $out =~ $where, "the place of a breach is said: $what")
	    or complain("status 1, $where", "status $status\n$out", 'where is one to look?');
}

command(
	'a house rule breaks nothing', [image('house.so', house_only())], 0, $none, $none,
	'nobody is hurt'
);
command(
	'... with --house it does', ['--house', "$tmp/house.so"], 1,
	qr/: gnu-hash: no DT_GNU_HASH\n  hurts: no known client; this is a house rule\n  mend: .*--hash-style/,
	$none, 'our own image is held to all rules'
);

sub house_only {
	my $elf = Elf->new($good);
	without_tag($elf, 'GNU_HASH');
	return $elf->{bytes};
}

command(
	'--house knows more rules', ['--house', '-v', $ours], 0,
	qr/: ok \($nr_rules rules\)$/m, $none, 'as many as --rules lists'
);
command(
	'--explain says all that is known of a rule', ['--explain', 'one-load'], 0,
	qr/^one-load: .+\n  hurts: .*CRIU.*\n  mend: .*PHDRS.*\n  source: .*32583.*\n$/, $none,
	'who wants to bend it should know what it is for'
);
command(
	'a rule that does not exist is wrong usage', ['--explain', 'fine'], 2, $none,
	qr/'fine': no such rule; .*--rules/, 'it is no rule'
);
command(
	"$_->[0] takes no file", [@$_, $ours], 2, $none, qr/not expected here/,
	'who names a file wants it checked'
) for ['--rules'], ['--explain', 'elf'];
command(
	'--json and --tap are two forms', ['--json', '--tap', $ours], 2, $none,
	qr/--json: not together with --tap/, 'which of them?'
);
{
	# What each rule says of itself is not left out.
	my (undef, $out) = check('--rules', '--json');
	my @lines = map { decode_json($_) } split /\n/, $out;
	is_deeply(
		[map { $_->{rule} } @lines],
		[map { /^(\S+)/ } split /\n/, $table],
		'--rules --json has a line for each rule'
	);
	is_deeply(
		[
			grep {
				my $r = $_;
				grep { !length $r->{$_} } qw(rule kind what mend source),
				    $r->{kind} eq 'error'
				    ? 'hurts'
				    : ()
			} @lines
		],
		[],
		'... and each demands something, of a kind, with a mend and a source'
	);
}

# ---- for programs ---------------------------------------------------------------------------
my $strange = image("odd \n\t\"name\\ # \xff\xc3\xa9.so", house_only());
{
	my ($status, $out, $err) = check('--json', '--house', $ours, $strange, "$tmp/missing");
	is($status, 2, '--json: the status is the same');
	my @objects = map { decode_json($_) } split /\n/, $out;
	is_deeply(
		[map { $_->{status} } @objects], [qw(good broken unreadable)],
		'... a line for each file, whatever it is called'
	);
	is($objects[0]{file}, $ours, '... with its name');
	like(
		$objects[1]{file}, qr/odd \n\t"name\\ # \x{fffd}\x{e9}\.so$/,
		'... whatever that has in it'
	);
	is($objects[2]{error}, 'No such file or directory', '... why it cannot be read');
	my ($finding) = @{$objects[1]{findings}};
	is_deeply(
		[@$finding{qw(rule kind hurts offset where)}, scalar @{$objects[1]{findings}}],
		['gnu-hash', 'house', undef, undef, undef, 1], '... and what was found'
	);
	my $elf = Elf->new($good);
	phdr(2, flags => 6)->($elf);
	(undef, $out) = check('--json', image('mutant.so', $elf->{bytes}));
	($finding) = @{decode_json($out)->{findings}};
	is($finding->{offset}, ($elf->segments(2))[0]{at} + 4, '... where, as a number')
	    or diag $out;
	like($finding->{where}, qr/p_flags/, '... and in words');
}
{
	my ($status, $out, $err) = check('--tap', '--house', $ours, $strange, "$tmp/missing");
	is($status, 2, '--tap: the status is the same');
	my @points = $out =~ /^((?:not )?ok .*)$/mg;
	is(scalar @points, 3, '... a point for each file') or diag $out;
	is($points[0], "ok 1 - $ours", '... that is good');
	like(
		$points[1], qr/^not ok 2 - .*odd \\\\n\\\\t"name\\\\ \\# \\\\xff\xc3\xa9\.so$/,
		'... or broken, and no name begins a directive'
	);
	like($out, qr/^# gnu-hash: .*\n#   hurts: .*\n#   mend: /m, '... with what was found');
	like($out, qr/^not ok 3 - .*\n# No such file or directory$/m, '... or not read');
	like($out, qr/^1\.\.3$/m, '... and a plan');
}
{
	my ($status, $out) = check('--house', $strange);
	my @first = grep { !/^  / } split /\n/, $out;
	is(scalar @first, 1, 'for people, too, a name with a newline is on one line') or diag $out;
}

# What soname-taken says of glibc. /bin/true needs its libc.so.6, and nothing else.
SKIP: {
	skip '/bin/true needs no libc.so.6', 2
	    if `readelf -d /bin/true 2>&1` !~ /NEEDED.*\[libc\.so\.6\]/;
	for (['libc.so.6', 1, qr/libc\.so\.6: version/], ['my-vdso.so.1', 0, qr/^$/]) {
		my ($name, $expected, $said) = @$_;
		my $elf = Elf->new($good);
		renamed($name)->($elf);
		my $file = image('soname.so', $elf->{bytes});
		my $out = `'$uvdso' run --no-counter --force --image '$file' -- /bin/true 2>&1`;
		ok(
			($? >> 8 != 0) == ($expected != 0) && $out =~ $said,
			"with DT_SONAME $name /bin/true " . ($expected ? 'does not start' : 'runs')
		    )
		    or complain(
			"status $expected, $said", 'status ' . ($? >> 8) . ", $out",
			'that is what the rule is for'
		    );
	}
}

my (undef, $help) = check('--help');
my @rules = $help =~ /^  ([a-z][a-z-]+)\s+\S/mg;
my @bare = grep { !$covered{$_} } @rules;
ok(@rules > 20 && !@bare, '--help lists the rules, and each has a mutant above that breaks it')
    or complain(
	'a mutant for each of ' . @rules . ' rules', "none for: @bare",
	'a rule that nothing was seen to break may not work'
    );

done_testing();
