#!/usr/bin/perl
# chacha-code.t - the machine code of the cipher, instruction by instruction: no stack, no calls.
#
# That a run left nothing on the stack (getrandom-secrets.c) is a fact of that run. Here it is read
# off the code that is in the image: no instruction names the stack, calls, pushes, or writes to
# any memory but the output; and what a vector register held is gone at the only return.
use strict;
use warnings;
use Test::More;
use lib 'tests/lib';
use Build;
use Elf;

plan skip_all => 'it reads the code of x86-64' if $MACHINE ne 'x86_64';
plan skip_all => 'no objdump' if system 'objdump --version >/dev/null 2>&1';

# The lines that a pattern finds must be none.
sub none {
	my ($what, $why, @found) = @_;
	is(join('; ', @found), '', $what) or diag("why: $why");
}

for (['arch_chacha20_blocks', 'xmm', 4], ['arch_chacha20_blocks_avx2', '[xy]mm', 16]) {
	my ($name, $vectors, $stores) = @$_;
	my @code = map { /^ +[0-9a-f]+:\t(\S.*?)\s*$/ ? $1 : () }
	    split /\n/,
	    `LC_ALL=C objdump -d --no-show-raw-insn --disassemble=$name $BUILD/x86_64/vdso.so.dbg`;
	s/ *(#|<).*// for @code;
	@code > 50 or BAIL_OUT("$name is not in $BUILD/x86_64/vdso.so.dbg");

	none(
		"$name: no instruction uses the stack", 'a key on the stack outlives the call',
		grep { /%[er]?[sb]pl?\b/ || /^(push|pop|enter|leave)/ } @code
	);
	none(
		"$name: nothing is called, and there is no system call",
		'registers are saved on the way',
		grep { /^(call|syscall|int\b|sysenter)/ } @code
	);
	none(
		"$name: no vector registers but those the CPU is known to have",
		'not every CPU has others',
		grep { /%(\wmm)/ && $1 !~ /^$vectors$/ || $vectors eq 'xmm' && /^v/ } @code
	);

	# AT&T order: what is written to is the last operand.
	my @stores = grep { /\)$/ && !/^(lea|j|test|cmp|nop)/ } @code;
	none(
		"$name: memory is written through the output pointer alone",
		'a secret has no other place',
		grep { !/^v?(movdqu %xmm\d+|extracti128 \$0x1,%ymm\d+),(0x[0-9a-f]+)?\(%rdi\)$/ }
		    @stores
	);
	is(scalar @stores, $stores, "$name: there are $stores stores");

	my @returns = grep { $code[$_] =~ /^ret/ } 0 .. $#code;
	is(scalar @returns, 1, "$name: there is one return");
	my %used = map { $_ => 1 } map { /%[xy](mm\d+)/g } @code;
	my $at = $returns[0];
	my %cleared;
	while ($at > 0) {
		my $line = $code[--$at];
		if ($line eq 'vzeroall') {
			%cleared = map { ("mm$_" => 1) } 0 .. 15;
			last;
		}
		last unless $line =~ /^pxor +%x(mm\d+),%x\1$/;
		$cleared{$1} = 1;
	}
	is(
		join(' ', grep { !$cleared{$_} } sort keys %used), '',
		"$name: before it every vector register that was used is cleared"
	) or diag('why: the next signal frame takes them to the stack');

# The first jump is for no blocks at all; no other leads past the clearing. objdump gives addresses.
	is(scalar(grep { /^jmp/ } @code), 0, "$name: no jump leads elsewhere");
}

# ---- the way from one to the other ----
# Symbols are in the unstripped image alone, at the same addresses; the table is in both.
my %at = map { /^(\w+) \w (arch_chacha20_blocks\w*)$/ ? ($2 => hex $1) : () }
    split /\n/, `LC_ALL=C nm $BUILD/x86_64/vdso.so.dbg`;
open my $fh, '<:raw', "$BUILD/x86_64/vdso.so" or BAIL_OUT("$BUILD/x86_64/vdso.so: $!");
my $elf = Elf->new(do { local $/; <$fh> });
my $table = $elf->section('.cpu_alt');
my @jumps;
for (my $entry = $table->{offset}; $entry < $table->{offset} + $table->{size}; $entry += 16) {
	# struct vdso_alternative; 3 is VDSO_CPU_AVX2.
	my ($place, $needs, $length, $with, $opcode, $distance) = unpack 'l< v C C C l<',
	    substr $elf->{bytes}, $entry, 16;
	push @jumps, [$entry + $place, $length, $with, $opcode, $entry + $place + 5 + $distance]
	    if $needs == 3;
}
is(
	join(' ', map { sprintf '%#x %d %d %#x %#x', @$_ } @jumps),
	sprintf('%#x 5 5 0xe9 %#x', @at{qw(arch_chacha20_blocks arch_chacha20_blocks_avx2)}),
	'for a CPU with AVX2 the first instruction becomes a jump to the other cipher'
) or diag('why: it would jump into the middle of something');

done_testing();
