#!/usr/bin/perl
# segments.t - what an image says of itself in its program headers, and which mistakes it does not link with.
#
# Nobody loads an image from a file: a kernel maps it as it is, and a C library reads in memory what
# the program headers say. So the first half reads them. The second half links the image's objects
# once more, each time with one variable too many. image.t has the rest of what an image must be.
use strict;
use warnings;
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build;
use Elf;

my $built = "$BUILD/$MACHINE";
my $page = "$built/vdso.so";
my $tmp = tempdir(CLEANUP => 1);

open my $fh, '<:raw', $page or BAIL_OUT("$page: $!; is it built?");
my $elf = Elf->new(do { local $/; <$fh> });

sub point {
	my ($what, $expected, $got, @why) = @_;
	ok($expected eq $got, $what)
	    or diag("expected  $expected\ngot       $got\nwhy: ", join "\n     ", @why);
}

my %name = (1 => 'LOAD', 2 => 'DYNAMIC', 4 => 'NOTE', 0x6474e550 => 'GNU_EH_FRAME');
sub name { my ($s) = @_; return $name{$s->{type}} // sprintf 'type %#x', $s->{type} }

sub flags {
	my ($s) = @_;
	return join '', map { $s->{flags} & $_->[0] ? $_->[1] : '-' } [4, 'R'], [2, 'W'], [1, 'X'];
}

# ---- what the program headers say -----------------------------------------------------------
my @loads = $elf->segments(1);
point(
	'there is one LOAD, from the first byte of the file, and so with the ELF header in it',
	'LOAD from offset 0 at address 0',
	join(
		', ',
		map { sprintf 'LOAD from offset %#x at address %#x', @$_{qw(offset vaddr)} } @loads
	) =~ s/0x0\b/0/gr,
	'a new program is told where the ELF header is, and glibc takes that for where the LOAD',
	'begins. If the header is not in it, every function that it looks up is a wrong address'
);
point(
	'it may be read and executed, and nobody may write to it',
	'R-X',
	join(', ', map { flags($_) } @loads),
	(grep { !($_->{flags} & 1) } @loads)
	? 'the functions lie in it. Memory without the right to execute (1) is a SIGSEGV at the first call'
	: 'all processes share this image: whoever could write to it would write into all of them'
);
point(
	'what else is named in it may be read, and no more',
	'DYNAMIC R--, NOTE R--, GNU_EH_FRAME R--',
	join(', ', map { name($_) . ' ' . flags($_) } grep { $_->{type} != 1 } @{$elf->{segments}}),
	(grep { $_->{type} != 1 && $_->{flags} & 2 } @{$elf->{segments}})
	? (
		'glibc writes addresses into a DYNAMIC that says it may be written. This one lies in',
		'the LOAD, which may not: the program would die before its first line'
	    )
	: 'these are lists that somebody reads: 4. Nothing in them is executed or written'
);
point(
	'no table of relocations is left', 'none',
	join(' ', grep { $elf->tag($_) } qw(RELSZ RELASZ PLTRELSZ RELRSZ TEXTREL)) || 'none',
	'nobody applies them, and what waits for one is a wrong address for ever'
);
ok(length $elf->{bytes} <= 2 * 4096, 'it fits into the two pages of memory that are meant for it')
    or diag(
	'expected  8192 bytes at most', "\ngot       ", length $elf->{bytes},
	"\nwhy: every process has these pages mapped, and the kernel's own image needs no more"
    );

# ---- what it does not link with -------------------------------------------------------------
# The script of this image, its objects, and one more. What the linker says, and whether there is an image.
sub link_with {
	my ($name, $code) = @_;
	my ($c, $o, $so) = map { "$tmp/$name.$_" } qw(c o so);
	open my $fh, '>', $c or BAIL_OUT("$c: $!");
	print $fh $code;
	close $fh;
	my $said =
	    `gcc -O2 -fPIC -ffreestanding -fvisibility=hidden -c @{[quoted($c)]} -o @{[quoted($o)]} 2>&1`;
	BAIL_OUT("gcc: $said") if $?;
	my @objects = map { matching("$built/vdso", $_) } '*.o', 'arch/*/*.o';
	$said =
	    `ld.bfd -shared -nostdlib -Bsymbolic --eh-frame-hdr -z noexecstack -T $built/vdso/vdso.lds @objects @{[quoted($o)]} -o @{[quoted($so)]} 2>&1`;
	return ($said =~ s{\Q$tmp/\E}{}gr, $? == 0 && -e $so);
}

sub refuses {
	my ($name, $what, $code, @why) = @_;
	my ($said, $linked) = link_with($name, $code);
	ok(!$linked, "$what stops the build")
	    or diag(
		"expected  no image, and a message that names the rule\n",
		'got       an image', $said eq '' ? ', without a word' : ", and: $said", "\nwhy: ",
		join "\n     ", @why
	    );
}

my ($said, $linked) = link_with('good', "static int unused __attribute__((unused));\n");
ok($linked, 'the objects link with its script, when nothing is wrong') or diag($said);
refuses(
	'counter', 'a counter, which begins as 0,',
	<<'END', 'it lies in .bss, and there is no page of memory for that: the first call that', 'counts would kill the program, or change what lies behind the image');
__attribute__((visibility("default"))) unsigned count(void);
unsigned count(void) { static unsigned calls; return ++calls; }
END
refuses(
	'variable', 'a variable with a value',
	<<'END', 'it lies in .data, inside of the image, which may not be written: the first store to', 'it kills the program');
__attribute__((visibility("default"))) unsigned next(void);
unsigned next(void) { static unsigned id = 7; return id++; }
END

done_testing();
