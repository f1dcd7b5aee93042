#!/usr/bin/perl
# image.t - the built image is what its clients need, whoever built it, and a mistake stops the build.
#
# Nothing here asks `uvdso check`: the shape of the image is read twice, from what
# readelf prints, and from the bytes with our own unpack templates (Elf.pm). A
# image that only our own tools like would be of no use.
#
# The second half builds: again, elsewhere, with every compiler and linker that
# is installed, and with the mistakes that an image must not have.
use strict;
use warnings;
use Cwd 'getcwd';
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build;
use Elf;

plan skip_all => 'the image of x86-64 is not built here (make deps)' if !-e "$BUILD/x86_64/vdso.so";

# `make test CC=clang` hands its choices on to every make below; these here choose anew.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CC LD ARCH B)};
$ENV{LC_ALL} = 'C';

my $here = getcwd();
my $tmp = tempdir(CLEANUP => 1);
my $page = "$BUILD/x86_64/vdso.so";

my @time_names = qw(clock_getres clock_gettime getcpu gettimeofday time);
my @names = sort @time_names, 'getrandom';

sub exports {
	return sort map { ("__vdso_$_ LINUX_2.6 GLOBAL FUNC", "$_ LINUX_2.6 WEAK FUNC") } @_;
}
my @exports = exports(@names);

# Two pages of memory are what the kernel's own x86-64 image takes.
my $limit = 2 * 4096;

sub slurp {
	my ($path) = @_;
	open my $fh, '<:raw', $path or BAIL_OUT("$path: $!; is it built?");
	local $/;
	return scalar <$fh>;
}

# One point: expected and got are texts.
sub same {
	my ($got, $expected, $what, $why) = @_;
	ok($got eq $expected, $what) or diag("expected: $expected\n     got: $got\n     why: $why");
}

# ---- what readelf says ----------------------------------------------------------------------
sub readelf { my $out = `readelf -W @{[quoted(@_)]} 2>&1`; return $out }

SKIP: {
	skip('no readelf', 10) if system 'readelf --version >/dev/null 2>&1';

	my $segments = readelf('-l', $page);
	my @segments = map {
		/^  ([A-Z_]+) +(0x\w+) (0x\w+) 0x\w+ (0x\w+) (0x\w+) ([RWE ]{3}) /
		    ? [$1, hex $2, hex $3, hex $4, hex $5, $6]
		    : ()
	} split /\n/, $segments;
	same(
		join(', ', map { "$_->[0] $_->[5]" } @segments),
		'LOAD R E, DYNAMIC R  , NOTE R  , GNU_EH_FRAME R  ',
		'readelf: one PT_LOAD R+X, and PT_DYNAMIC, PT_NOTE and PT_GNU_EH_FRAME to read only',
		'glibc and rustix refuse a second PT_LOAD, and glibc writes to a PT_DYNAMIC with W'
	);
	my $size = -s $page;
	same(
		join(' ', @{$segments[0]}[1 .. 4]), "0 0 $size $size",
		'readelf: the PT_LOAD is the whole file, from offset 0 at address 0',
		'headers and tables are read from memory'
	);

	my $dynamic = readelf('-d', $page);
	same(
		join(' ', sort $dynamic =~ /\((HASH|GNU_HASH|VERSYM|VERDEF|VERDEFNUM|STRSZ)\)/g),
		'GNU_HASH HASH STRSZ VERDEF VERDEFNUM VERSYM',
		'readelf: both hash tables, and versions',
		'musl knows DT_HASH only, Go dies without DT_VERDEF'
	);
	same(
		join(' ', $dynamic =~ /\[(.*)\]/g), 'linux-vdso.so.1', 'readelf: the soname',
		'dlopen and the sanitizers know the image by it'
	);
	same(
		join(' ', $dynamic =~ /\((\w*REL\w*|NEEDED|RPATH|RUNPATH|INIT\w*|FINI\w*)\)/g), '',
		'readelf: no relocations and no dependencies', 'nobody links the image at run time'
	);
	same(
		scalar(readelf('-r', $page) =~ /There are no relocations in this file/), 1,
		'readelf: no relocations, asked for them', 'nobody applies them'
	);

	my %at;
	my @seen = sort map {
		/^ +[1-9]\d*: (\w+) +\d+ (\w+) +(\w+) +(\w+) +(\w+) (\S+)@@(\S+)$/
		    ? do { $at{$6} = $1; "$6 $7 $3 $2 $4 $5" =~ s/ DEFAULT \d+$//r }
		    : ()
	    }
	    split /\n/, readelf('--dyn-syms', $page);
	same(
		join("\n", @seen), join("\n", @exports),
		'readelf: twelve functions of LINUX_2.6, six GLOBAL and six WEAK',
		'these are the names that libcs ask for'
	);
	same(
		join(' ', grep { ($at{$_} // 1) ne ($at{"__vdso_$_"} // 2) } @names), '',
		'readelf: the plain names are the prefixed functions', 'old libcs ask for those'
	);
	my @versions = readelf('-V', $page) =~ /Flags: (\S+) +Index: (\d+) .*Name: (\S+)/g;
	same(
		"@versions", 'BASE 1 linux-vdso.so.1 none 2 LINUX_2.6',
		'readelf: a base entry and LINUX_2.6',
		'musl, Go and rustix take only symbols of exactly that node'
	);
	my $notes = readelf('-n', $page);
	same(
		join(' ', sort $notes =~ /^  (Linux|GNU) +0x000000(\w\w)/mg), '04 14 GNU Linux',
		'readelf: a note with the kernel version, and a build id',
		'debuggers go by the build id'
	);
}

# ---- what the bytes say ---------------------------------------------------------------------
my $bytes = slurp($page);
my $elf = Elf->new($bytes);

same(
	join(' ', unpack 'a4 C5', $bytes), "\x7fELF 2 1 1 0 0",
	'a little-endian ELF64 file of the SYSV ABI',
	'rustix holds every byte of that against its expectation'
);
same("$elf->{ehdr}{type} $elf->{ehdr}{machine}", '3 62', 'a shared object for x86-64', 'as above');
same(
	join(', ', map { sprintf '%#x %d', @$_{qw(type flags)} } @{$elf->{segments}}),
	'0x1 5, 0x2 4, 0x4 4, 0x6474e550 4',
	'one PT_LOAD R+X, PT_DYNAMIC R, PT_NOTE R, PT_GNU_EH_FRAME R',
	'no client takes an image with another PT_LOAD, or with PT_INTERP, PT_TLS, PT_GNU_RELRO'
);
my ($load) = $elf->segments(1);
same(
	join(' ', @$load{qw(offset vaddr filesz memsz)}), join(' ', 0, 0, (length $bytes) x 2),
	'the PT_LOAD is the file: headers, tables, code and section headers',
	'all of that is read from memory'
);
cmp_ok(length $bytes, '<=', $limit, 'the image is two pages at most');
cmp_ok(
	$elf->{ehdr}{shoff} + 64 * $elf->{ehdr}{shnum}, '<=', $load->{memsz},
	'the section headers are mapped'
) or diag('why: bionic counts symbols by them, gdb unwinds by them');
cmp_ok(
	($elf->segments(0x6474e550))[0]{filesz}, '>=', 12 + 8 * @names,
	'the unwind table has room for the six functions'
) or diag('why: linked without --eh-frame-hdr it is empty, and nobody says so');
same(
	$elf->string($elf->tag('STRTAB') + $elf->tag('SONAME')), 'linux-vdso.so.1', 'the soname',
	'as above'
);
same(
	join(
		' ',
		map { $elf->tag($_) // 'none' }
		    qw(RELSZ RELASZ PLTRELSZ RELRSZ TEXTREL NEEDED RUNPATH INIT)
	),
	join(' ', ('none') x 8),
	'no relocations of any kind, nothing needed, nothing to run',
	'as above'
);
same(
	join(' ', map { $elf->entry($_) ? 'yes' : 'no' } qw(HASH GNU_HASH VERSYM VERDEF)),
	'yes yes yes yes', 'both hash tables, and versions', 'as above'
);
same(
	join(', ', map { "$_->{ndx} $_->{flags} $_->{text}" } @{$elf->{verdefs}}),
	'1 1 linux-vdso.so.1, 2 0 LINUX_2.6', 'a base entry and the node LINUX_2.6', 'as above'
);

# Name, version, binding, type of each; the absolute name of the node is ld.bfd's.
sub exported {
	my ($elf) = @_;
	my %node = map { $_->{ndx} => $_->{text} } @{$elf->{verdefs}};
	my %bind = (0 => 'LOCAL', 1 => 'GLOBAL', 2 => 'WEAK');
	my %kind = (1 => 'OBJECT', 2 => 'FUNC');
	return sort map {
		my $s = $_;
		join ' ', $s->{text}, $node{$s->{versym}} // $s->{versym},
		    $bind{$s->{bind}} // $s->{bind},
		    ($kind{$s->{kind}} // $s->{kind})
		    . ($s->{shndx} == 0xfff1 ? ' ABS' : $s->{shndx} ? '' : ' UND')
	} grep { $_->{index} } @{$elf->{symbols}};
}
my $node_name = 'LINUX_2.6 LINUX_2.6 GLOBAL OBJECT ABS';
same(
	join("\n", grep { $_ ne $node_name } exported($elf)), join("\n", @exports),
	'twelve functions are exported, all defined, and nothing else but the name of the node',
	'a name more is a promise that nobody can take back'
);
same(
	join(' ', grep { $elf->symbol($_)->{value} != $elf->symbol("__vdso_$_")->{value} } @names),
	'',
	'each plain name is at the address of the prefixed one', 'it is the same function'
);
# SHF_WRITE and SHF_ALLOC, and bytes in it.
same(
	join(
		' ',
		map { $_->{text} } grep { ($_->{flags} & 3) == 3 && $_->{size} } @{$elf->{sections}}
	),
	'.dynamic',
	'nothing is writable but, in name, .dynamic',
	'a store to the image kills the program'
);
same(
	join(
		' ',
		map { $_->{text} } grep {
			$_->{type} == 8 || $_->{type} == 4 || $_->{type} == 9 || $_->{type} == 19
		} @{$elf->{sections}}
	),
	'',
	'no section is a .bss or a table of relocations',
	'as above'
);
my ($version) = grep { $_->{owner} eq 'Linux' && $_->{type} == 0 } @{$elf->{notes}};
same(
	$version ? length $version->{desc} : 'none', 4, 'a note with the version of the kernel',
	'the kernel has it'
);
like($elf->build_id // 'none', qr/^[0-9a-f]{40}$/, 'a build id of 20 bytes');

# ---- the unstripped image --------------------------------------------------------------------
sub debug_is_right {
	my ($so, $where) = @_;
	my $debug = slurp("$so.dbg");
	my $dbg = Elf->new($debug);
	ok(
		       $dbg->section('.debug_info')
		    && $dbg->section('.debug_line')
		    && $dbg->section('.symtab'),
		"vdso.so.dbg has DWARF and symbols"
	) or diag('why: a debugger shows the source of the image by it');
	same(
		$dbg->build_id, Elf->new(slurp($so))->build_id,
		'vdso.so.dbg has the build id of vdso.so',
		'a debugger brings the two together by it'
	);
	my @leaks = grep { index($_->[1], $where) >= 0 } ['vdso.so', slurp($so)],
	    ['vdso.so.dbg', $debug];
	same(
		join(' ', map { $_->[0] } @leaks), '',
		'neither names the directory it was built in',
		'the same source must give the same bytes everywhere'
	);
}
debug_is_right($page, $here);

# ---- builds ---------------------------------------------------------------------------------
my $builds = 0;

# Builds the image of a tree; the image, what make said, and make's status.
sub build {
	my ($tree, $cc, $ld, @more) = @_;
	my $b = 'b' . $builds++;
	my $so = "$b/x86_64/vdso.so";
	my $more = join ' ', map { quoted($_) } @more;
	my $said = `make -s -C @{[quoted($tree)]} B=$b ARCH=x86_64 CC=$cc LD=$ld $more $so 2>&1`;
	return ("$tree/$so", $said, $?);
}

sub copy_tree {
	my ($name) = @_;
	mkdir "$tmp/$name" or BAIL_OUT("$tmp/$name: $!");
	system('cp', '-a', 'Makefile', 'vdso-src', 'linker-scripts', "$tmp/$name") == 0
	    or BAIL_OUT('cannot copy the source tree');
	return "$tmp/$name";
}

sub missing {
	my ($tool) = @_;
	return system("command -v $tool >/dev/null 2>&1") ? "no $tool" : undef;
}

sub shape {
	my ($elf) = @_;
	return join "\n", grep({ $_ ne $node_name } exported($elf)),
	    map { sprintf '%#x %d', @$_{qw(type flags)} } @{$elf->{segments}};
}

my ($one, $elsewhere) = map { copy_tree($_) } qw(one elsewhere);
for my $cc (qw(gcc clang)) {
	for my $ld (qw(ld.bfd ld.lld)) {
		SKIP: {
			my $why = missing($cc) || missing($ld);
			skip($why, 5) if $why;
			my ($so, $said, $status) = build($one, $cc, $ld);
			same(
				"$said$status", '0', "$cc and $ld build the image without a word",
				'a warning is a mistake that another linker makes silently'
			);
			skip("$cc and $ld did not build it", 4) if $status;
			same(
				shape(Elf->new(slurp($so))), shape($elf),
				"$cc and $ld export the same names and versions, and make the same segments",
				'the image must not depend on who builds it'
			);

			my ($small, $said_small, $failed) =
			    build($one, $cc, $ld, 'VDSO_PARTS=time');
			same(
				"$said_small$failed", '0',
				"$cc and $ld build an image of the time functions alone, without a word",
				'without the cipher a page of memory is the budget'
			);
			skip("$cc and $ld did not build it", 2) if $failed;
			same(
				join(
					"\n",
					grep { $_ ne $node_name } exported(Elf->new(slurp($small)))
				),
				join("\n", exports(@time_names)),
				"$cc and $ld: it exports their ten names",
				'a name without a function stops newer linkers'
			);

			my ($again, $said_again) = build($elsewhere, $cc, $ld);
			ok(
				       -e $again
				    && slurp($so) eq slurp($again)
				    && slurp("$so.dbg") eq slurp("$again.dbg"),
				"$cc and $ld give the same bytes from another source into another build directory"
			    )
			    or diag(
				"expected: equal files\n     got: $so and $again differ\n$said_again"
				    . '     why: an image that is not reproducible cannot be verified'
			    );
			next unless $cc eq 'gcc' && $ld eq 'ld.bfd';
			debug_is_right($again, $tmp);
		}
	}
}

# ---- mistakes that stop the build -----------------------------------------------------------
my @mistakes = (
	['counter', 'a static counter', 'no-bss', <<'END'],
__attribute__((used)) static unsigned count_calls(void) { static unsigned calls; return ++calls; }
END
	['variable', 'a static variable with a value', 'no-data', <<'END'],
__attribute__((used)) static unsigned next_id(void) { static unsigned id = 7; return id++; }
END
	['table', 'a table of pointers', 'no-relocations', <<'END'],
static const char *const clock_names[] = {"realtime", "monotonic"};
__attribute__((used)) static const char *clock_name(u32 i) { return clock_names[i]; }
END
	['absolute', 'the address of an absolute symbol', 'no-got', <<'END', 'fixed = 0x123456;'],
__attribute__((used)) static long fixed(void)
{
	long at;
	__asm__("pushq fixed@GOTPCREL(%%rip)\n\tpopq %0" : "=r"(at));
	return at;
}
END
);

sub append {
	my ($file, $text) = @_;
	open my $fh, '>>', $file or BAIL_OUT("$file: $!");
	print $fh "\n$text\n";
	close $fh;
}

for (@mistakes) {
	my ($name, $what, $rule, $code, $script) = @$_;
	my $tree = copy_tree($name);
	append("$tree/vdso-src/getcpu.c", $code);
	append("$tree/linker-scripts/vdso-layout.lds.h", $script) if $script;
	for my $ld (qw(ld.bfd ld.lld)) {
		SKIP: {
			my $why = missing($ld);
			skip($why, 1) if $why;
			my ($so, $said, $status) = build($tree, 'gcc', $ld);
			ok(
				$status != 0 && $said =~ /rule \Q$rule\E\b/ && !-e $so,
				"$what in the image stops the build, and $ld names the rule $rule"
			    )
			    or diag(
				"expected: make fails, says 'rule $rule', leaves no vdso.so\n     got: status $status\n$said"
				    . '     why: it would link, and kill programs at run time');
		}
	}
}

# ---- and one that does not: the budget is a size -------------------------------------------
# The tools in use, in the words of VDSO_BUDGET_CC and VDSO_BUDGET_LD.
my @tools = (
	`gcc --version` =~ / (\d+)[.\d]*\n/ ? "VDSO_BUDGET_CC=gcc $1" : BAIL_OUT('no gcc'),
	`ld.bfd --version` =~ / (\d+\.\d+)[.\d]*\n/
	? "VDSO_BUDGET_LD=GNU ld $1"
	: BAIL_OUT('no ld.bfd'),
);
my $size = -s $page;
for (
	['exactly as large', $size, '', 0, '1', @tools],
	['a byte too large', $size - 1, 'says so', 0, '', @tools],
	['a byte too large, in CI', $size - 1, 'says so', 1, '1', @tools],
	[
		'a byte too large, of another compiler, in CI', $size - 1, '', 0, '1',
		'VDSO_BUDGET_CC=gcc 1', $tools[1]
	],
	[
		'a byte too large, of another linker, in CI', $size - 1, '', 0, '1', $tools[0],
		'VDSO_BUDGET_LD=GNU ld 1.0'
	],
	[
		'twice as large, of another compiler, in CI', $size >> 1, 'says so', 0, '1',
		'VDSO_BUDGET_CC=gcc 1', $tools[1]
	],
    )
{
	my ($what, $budget, $expected, $fails, $ci, @more) = @$_;
	local $ENV{CI} = $ci;
	my ($so, $said, $status) = build($one, 'gcc', 'ld.bfd', "VDSO_BUDGET=$budget", @more);
	my $named = $said =~
	    /^uvdso: .*vdso\.so: rule budget: the image has $size bytes, its budget is \d+ \(VDSO_BUDGET\)$/m;
	is(
		join(
			', ', $named ? 'says so' : $said,
			$status ? 'fails' : -s $so == $size ? 'builds' : 'lost'
		),
		join(', ', $expected, $fails ? 'fails' : 'builds'),
		"an image $what"
	    )
	    or diag(
		"     why: who adds a function must see what it costs, and go on\n     got: $said");
}

done_testing();
