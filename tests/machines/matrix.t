#!/usr/bin/perl
# matrix.t - one source, the same image: every machine, both compilers, both linkers.
#
# Each image is held against the golden list of its machine (tests/exports), and all images of one
# machine against each other: not byte by byte, which no two linkers agree in, but in everything
# that a client can see (PageMeaning.pm). Then all of it is built again elsewhere, and there the bytes
# must be the same.
use strict;
use warnings;
use Cwd 'getcwd';
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build;
use Elf;
use OtherMachine;
use PageMeaning;

# `make test CC=clang` hands its choices on to every make below; these here choose anew.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CC LD ARCH B)};
$ENV{LC_ALL} = 'C';
my $here = getcwd();

my @machines = sort map { m{arch/([^/]+)/port\.mk} } glob 'vdso-src/arch/*/port.mk';
# One line of a machine's port.mk.
sub port {
	my ($machine, $name) = @_;
	return (slurp("vdso-src/arch/$machine/port.mk") // '') =~ /^$name *:= *(\S+)/m ? $1 : undef;
}
chomp(my $host = `uname -m`);
for my $tool ('clang', 'ld.lld', map { port($_, 'TRIPLE') . '-gcc' } grep { $_ ne $host } @machines)
{
	plan(skip_all => "$tool is not installed") if system "command -v $tool >/dev/null 2>&1";
}

sub slurp {
	my ($path) = @_;
	open my $fh, '<:raw', $path or return;
	local $/;
	return scalar <$fh>;
}

# The first line in which two lists of lines differ.
sub difference {
	my ($got, $expected) = @_;
	my (%got, %expected);
	@got{@$got} = @expected{@$expected} = ();
	return join '', map({ "expected: $_\n" } grep { !exists $got{$_} } @$expected),
	    map { "     got: $_\n" } grep { !exists $expected{$_} } @$got;
}

# ---- all of them are built, without a word ----
# flock: the tests of other machines build some of them, too.
my $said = `flock $BUILD/.matrix make -s B=$BUILD matrix-images 2>&1`;
is("$?<$said>", '0<>', 'every machine, compiler and linker: the image is built without a warning')
    or BAIL_OUT('nothing to look at');
my @tools = map {
	my $cc = $_;
	map { "$cc-$_" } qw(ld.bfd ld.lld)
} qw(gcc clang);

my $lint = !system 'command -v eu-elflint >/dev/null 2>&1';
for my $machine (@machines) {
	my @golden = split /\n/, slurp("tests/exports/$machine") // '';
	my $first;
	for my $tools (@tools) {
		my $path = "$BUILD/matrix/$tools/$machine/vdso.so";
		my $elf = Elf->new(slurp($path) // BAIL_OUT("no $path"));
		my @meaning = meaning($elf);
		my @exports = exported($elf);

		is(
			difference(\@exports, \@golden), '',
			"$machine, $tools: exports exactly what tests/exports/$machine lists"
		    )
		    or diag(
			'why: clients ask for these by name and version; more is a promise that nobody can take back'
		    );
		my ($base, @nodes) = map { $_->{text} } @{$elf->{verdefs}};
		is(
			join(' ', $base, sort @nodes),
			join(
				' ',
				port($machine, 'VDSO_SONAME') // 'linux-vdso.so.1',
				do {
					my %seen;
					sort grep { !$seen{$_}++ } map { (split)[1] } @golden;
				}
			),
			"$machine, $tools: a base entry named as the soname, and the nodes"
		);
		# EI_CLASS and e_machine: GNU's own compiler for that machine cannot be wrong.
		is(
			"$elf->{class} $elf->{ehdr}{machine}",
			join(
				' ', unpack 'x4 C x13 v',
				slurp("$BUILD/matrix/gcc-ld.bfd/$machine/vdso/note.o") // ''
			),
			"$machine, $tools: is an ELF file of that machine"
		);
		is(
			join(' ', map { $elf->tag($_) || 0 } qw(RELSZ RELASZ PLTRELSZ RELRSZ)),
			'0 0 0 0', "$machine, $tools: no relocations"
		) or diag('why: nobody applies them');
		is(
			join(
				' ',
				map { $_->{text} }
				    grep { !is_extra($elf, $_) && !covered($elf, $_) }
				    @{$elf->{symbols}}
			),
			'',
			"$machine, $tools: .eh_frame describes every byte of every function"
		) or diag('why: a backtrace, and an exception, ends in the hole');
		for my $return (grep { $_->{text} =~ /rt_sigreturn/ } @{$elf->{symbols}}) {
			ok(
				is_signal_frame($elf, $return),
				"$machine, $tools: $return->{text} is described as a signal frame, from before its beginning on"
			    )
			    or diag(
				'why: unwinders look one byte before a return address, and behind an interrupted instruction they must not'
			    );
		}
		if ($first) {
			is(
				difference(\@meaning, $first), '',
				"$machine, $tools: means the same as that of $tools[0]"
			);
		} else {
			$first = \@meaning;
			cmp_ok(scalar @meaning, '>', 15, "$machine: there is something to compare");
		}
		SKIP: {
			skip 'eu-elflint is not installed (package elfutils)', 1 unless $lint;
			# It knows the notes of GNU and Linux, and takes all others for errors.
			is(
				join(
					'',
					grep {
						       !/note type \d+ with owner name 'uvdso'/
						    && !/^No errors$/
					} `eu-elflint $path 2>&1`
				),
				'',
				"$machine, $tools: eu-elflint finds nothing but a note that it does not know"
			);
		}
		is(
			`$BUILD/uvdso check $path 2>&1`, '',
			"$machine, $tools: uvdso check finds nothing"
		);
	}
}

clients('x86_64', $BUILD) if $host eq 'x86_64';

my @table = split /\n/, `make -s B=$BUILD matrix`;
is(scalar @table, 1 + 4 * @machines, 'make matrix prints a line for each');
is(scalar(grep { / 0 +\d+$/ } @table), 4 * @machines, '... with no relocations, and a budget');

# ---- and again, elsewhere ----
my $tmp = tempdir(CLEANUP => 1);
my $tree = "$tmp/another/and/longer/path";
system(
	"mkdir -p @{[quoted($tree)]} && cp -r Makefile vdso-src linker-scripts loader @{[quoted($tree)]}"
    ) == 0
    or BAIL_OUT('cannot copy the tree');
$said = `make -s -C @{[quoted($tree)]} B=build matrix-images 2>&1`;
is("$?<$said>", '0<>', 'all of it is built again, in another directory');
my (@differ, @named);
for my $machine (@machines) {
	for my $file (
		map {
			my $tools = $_;
			map { "matrix/$tools/$machine/$_" } qw(vdso.so vdso.so.dbg)
		} @tools
	    )
	{
		my ($one, $other) = (slurp("$BUILD/$file"), slurp("$tree/build/$file"));
		push @differ, $file unless defined $one && defined $other && $one eq $other;
		push @named, $file
		    if index($one // '', $here) >= 0 || index($other // '', $tmp) >= 0;
	}
}
is("@differ", '', 'images and their debug files are the same, bit for bit')
    or diag('why: a build id names a build');
is("@named", '', 'no directory is named in any of them');

done_testing;
