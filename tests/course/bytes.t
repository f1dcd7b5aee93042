#!/usr/bin/perl
# bytes.t - the data of the page "The byte map": every byte of every image that is built here is
# explained, and the fields are what readelf says.
use strict;
use warnings;
use File::Temp ();
use JSON::PP ();
use Test::More;
use lib 'tutorial/lib', 'tests/lib';
use Course::Bytes;
use Course::Files qw(slurp capture);
use Elf;

my $build = $ENV{UVDSO_BUILD} // 'build';
my $words = slurp('tutorial/site/theme/words.mjs');
my @dirs = map { m{^(.*)/vdso\.so\z} } Course::Files::matching($build, '*/vdso.so');
cmp_ok(scalar @dirs, '>', 0, 'there is an image to look at');

for my $dir (@dirs) {
	my ($arch) = $dir =~ m{([^/]+)$};
	my $map = eval { Course::Bytes::map_of($dir) };
	ok($map, "$arch: the map can be made") or diag($@) or next;
	my $image = slurp("$dir/vdso.so");
	is($map->{bytes}, unpack('H*', $image), "$arch: it has the bytes of the image");

	# Every byte, once.
	my $at = 0;
	my @gaps;
	for (@{$map->{spans}}) {
		push @gaps, sprintf '0x%x', $at if $_->[0] != $at || $_->[1] < 1;
		$at = $_->[0] + $_->[1];
	}
	is("@gaps", '', "$arch: the spans follow one another");
	is($at, length $image, "$arch: up to the last byte");
	my ($padding) = grep { $_->[2] eq 'padding' && substr($image, $_->[0], $_->[1]) =~ /[^\0]/ }
	    @{$map->{spans}};
	ok(!$padding, "$arch: what is called padding is zero")
	    or diag(sprintf 'at 0x%x: it has content, and no name', $padding->[0]);
	my $unnamed = join ' ', grep { !defined } map { $_->[3] } @{$map->{spans}};
	is($unnamed, '', "$arch: each has a name");

	# Each part and each reader has its words, in both languages.
	my %part = map { $_->[2] => 1 } @{$map->{spans}};
	my %reader = map { $_ => 1 } map { split ' ', $_->[5] } @{$map->{spans}};
	my @lacking = (
		(
			grep { 2 != (() = $words =~ /'\Q$_\E': '/g) }
			grep { $_ ne 'padding' } sort keys %part
		),
		grep { 2 != (() = $words =~ /\b\Q$_\E: '/g) } sort keys %reader
	);
	is("@lacking", '', "$arch: each part and each reader has its words");

	my (%field, %text, @code);
	for (@{$map->{spans}}) {
		my ($where, $size, $part, $name, $value) = @$_;
		$field{"$part $name"} //= $value;
		push @code, [$where, $size, $name] if $part eq '.text';
	}
	# A value is written "0x10 (16)", "2 (NAME)" or "0x10".
	my $number = sub {
		my ($value) = @_;
		return -1 if ($value // '') !~ /^(0x[0-9a-f]+|\d+)/;
		my $digits = $1;
		return $digits =~ /^0x/ ? hex $digits : $digits;
	};

	# The header, the program headers and the section headers, against readelf.
	my $readelf = sub {
		my $run =
		    capture({env => {LC_ALL => 'C'}, limit => 20}, 'readelf', @_, "$dir/vdso.so");
		return $run->{out};
	};
	my $header = $readelf->('-hW');
	my @wrong;
	my %line = (
		e_phoff => 'Start of program headers', e_shoff => 'Start of section headers',
		e_ehsize => 'Size of this header', e_phentsize => 'Size of program headers',
		e_phnum => 'Number of program headers', e_shentsize => 'Size of section headers',
		e_shnum => 'Number of section headers',
		e_shstrndx => 'Section header string table index',
	);
	for (sort keys %line) {
		my ($theirs) = $header =~ /$line{$_}: +(\d+)/;
		push @wrong, "$_: $field{\"ehdr $_\"}, readelf $theirs"
		    if $number->($field{"ehdr $_"}) != $theirs;
	}
	is(join("\n", @wrong), '', "$arch: the fields of the ELF header are those of readelf");

	@wrong = ();
	my $seen = 0;
	my $segments = $readelf->('-lW');
	while ($segments =~
		/^  (LOAD|DYNAMIC|NOTE|GNU_EH_FRAME) +(0x\w+) (0x\w+) (0x\w+) (0x\w+) (0x\w+) (\S+ ?E?) +(0x\w+)$/mg
	    )
	{
		my ($type, @theirs) = ($1, map { hex } $2, $3, $4, $5, $6, $8);
		my $flags = $7 =~ tr/RWE//cdr;
		$seen++;
		my @ours = map { $number->($field{"phdr PT_$type: $_"}) }
		    qw(p_offset p_vaddr p_paddr p_filesz p_memsz p_align);
		push @wrong, "PT_$type: @ours, readelf @theirs" if "@ours" ne "@theirs";
		my $our_flags = join '', map { /PF_([RWX])/g } $field{"phdr PT_$type: p_flags"};
		push @wrong, "PT_$type: $our_flags, readelf $flags"
		    if $our_flags ne $flags =~ tr/E/X/r;
	}
	is(join("\n", @wrong), '', "$arch: those of the program headers, too");
	is(
		$seen, scalar(() = $segments =~ /^  [A-Z_]+ +0x/mg),
		"$arch: and all of them were compared"
	);

	@wrong = ();
	my $sections = $readelf->('-SW');
	while ($sections =~ /^ +\[ *\d+\] (\.\S+) +\S+ +([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) /mg) {
		my ($name, @theirs) = ($1, map { hex } $2, $3, $4);
		my @ours =
		    map { $number->($field{"shdr $name: $_"}) } qw(sh_addr sh_offset sh_size);
		push @wrong, "$name: @ours, readelf @theirs" if "@ours" ne "@theirs";
	}
	is(join("\n", @wrong), '', "$arch: those of the section headers, too");

	# Symbols and versions.
	@wrong = ();
	$seen = 0;
	my $symbols = $readelf->('--dyn-syms', '-W');
	while ($symbols =~
		/^ +[1-9]\d*: ([0-9a-f]+) +(\d+) (\w+) +(\w+) +\w+ +\S+ (\w[\w.]*?)(?:@.*)?$/mg)
	{
		my ($value, $size, $type, $bind, $name) = (hex $1, $2, $3, $4, $5);
		$seen++;
		my @ours = map { $number->($field{".dynsym $name: $_"}) } qw(st_value st_size);
		push @wrong, "$name: @ours, readelf $value $size" if "@ours" ne "$value $size";
		push @wrong, "$name: $field{\".dynsym $name: st_info\"}, readelf $bind $type"
		    if $field{".dynsym $name: st_info"} ne "STB_$bind, STT_$type";
	}
	cmp_ok($seen, '>', 3, "$arch: there are symbols to compare");
	is(join("\n", @wrong), '', "$arch: the symbols are those of readelf");
	my $elf = Elf->new($image);
	is(
		join(
			' ',
			map { "$_->{text}=$_->{versym}" } grep { $_->{index} } @{$elf->{symbols}}
		),
		join(
			' ',
			map { "$_->[3]=$_->[4]" }
			    grep { $_->[2] eq '.gnu.version' && $_->[3] ne '[0]' } @{$map->{spans}}
		),
		"$arch: each has its version"
	);
	is(
		join(
			' ',
			map { "$_->{text} $_->{ndx} " . sprintf '0x%08x', $_->{hash} }
			    @{$elf->{verdefs}}
		),
		join(
			' ',
			map {
				my $n = $_;
				"$n "
				    . $field{".gnu.version_d $n: vd_ndx"} . ' '
				    . $field{".gnu.version_d $n: vd_hash"}
			    }
			    map { $_->{text} } @{$elf->{verdefs}}
		),
		"$arch: and the versions their definitions"
	);
	my $id = $elf->build_id;
	is($field{'.note GNU: desc'}, $id, "$arch: the build id is that of the note");
	my ($soname) = $readelf->('-dW') =~ /Library soname: \[([^\]]+)\]/;
	like($field{'.dynamic DT_SONAME: d_val'}, qr/"\Q$soname\E"$/, "$arch: the soname is there");
	my @tags = $readelf->('-dW') =~ /^ 0x([0-9a-f]+) \(/mg;
	is(
		join(' ', map { hex } @tags),
		join(
			' ',
			map { $number->($_->[4]) } (
				grep { $_->[2] eq '.dynamic' && $_->[3] =~ /d_tag$/ }
				    @{$map->{spans}}
			)[0 .. $#tags]
		),
		"$arch: the dynamic section has the entries that readelf finds"
	);

	# Hash tables: walk the older one by the map alone, and find every name in its own bucket.
	my %bucket = map { /^\.hash bucket\[(\d+)\]$/ ? ($1 => $field{$_}) : () } keys %field;
	my %chain = map { /^\.hash chain\[(\d+)\]/ ? ($1 => $field{$_}) : () } keys %field;
	@wrong = ();
	for my $s (grep { $_->{index} } @{$elf->{symbols}}) {
		my $h = 0;
		for (unpack 'C*', $s->{text}) {
			$h = ($h << 4) + $_;
			my $g = $h & 0xf0000000;
			$h = ($h ^ $g >> 24) & ~$g & 0xffffffff;
		}
		my ($i, $found) = ($bucket{$h % keys %bucket}, 0);
		for (my $n = 0; $n < 100 && $i =~ /^(\d+): (.*)/; $n++) {
			$found = 1, last if $2 eq $s->{text} && $1 == $s->{index};
			$i = $chain{$1};
		}
		push @wrong, $s->{text} if !$found;
	}
	is("@wrong", '', "$arch: the buckets and chains lead to every symbol");

	# Unwind data, by readelf, and by the index in front of it.
	my @fdes = sort $readelf->('--debug-dump=frames') =~ / FDE cie=\w+ pc=0*([0-9a-f]+)\.\./g;
	my @ours = sort map { $_->[4] =~ /^0x(\w+)/ }
	    grep { $_->[2] eq '.eh_frame' && $_->[3] =~ /pc_begin$/ } @{$map->{spans}};
	is("@ours", "@fdes", "$arch: there is an FDE for each that readelf finds");
	my @index = sort map { $_->[4] =~ /^0x(\w+)/ }
	    grep { $_->[2] eq '.eh_frame_hdr' && $_->[3] =~ /location$/ } @{$map->{spans}};
	is("@index", "@fdes", "$arch: and the index has them all") if @index;

	# Each exported function is made of instructions that name it, without a gap.
	@wrong = ();
	for my $s (grep { $_->{kind} == 2 } @{$elf->{symbols}}) {
		my $size = 0;
		my @in =
		    grep { $_->[0] >= $s->{value} && $_->[0] < $s->{value} + $s->{size} } @code;
		$size += $_->[1] for @in;
		my %names = map { $_->[2] => 1 } @in;
		push @wrong, "$s->{text}: $size of $s->{size} bytes, called @{[sort keys %names]}"
		    if $size != $s->{size} || keys %names != 1 || $in[0][0] != $s->{value};
	}
	is(join("\n", @wrong), '', "$arch: the instructions of each function cover it");
}

SKIP: {
	skip 'node 18 is not installed', 1
	    if system(
		"node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' >/dev/null 2>&1"
	    );
	my $dir = $dirs[0];
	my $file =
	    File::Temp->new(TEMPLATE => 'uvdso-bytes-XXXXXX', TMPDIR => 1, SUFFIX => '.json');
	print $file JSON::PP->new->utf8->encode(Course::Bytes::map_of($dir));
	$file->flush;
	my $run = capture({limit => 60}, 'node', 'tests/course/bytes.mjs', $file->filename);
	is(
		$run->{status}, 0,
		'the page has something to say of each byte, and the keys lead everywhere'
	) or diag($run->{out});
}
done_testing;
