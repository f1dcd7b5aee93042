#!/usr/bin/perl
# machine-code.t - barriers, counters, ciphers and trampolines of aarch64 and riscv64, read off the code.
#
# An emulator on x86-64 keeps loads and stores in order, whatever the program asks for: a barrier that
# is missing is missed by nobody there. And what a run left on the stack is a fact of that run. So the
# machine code of the image is read here, instruction by instruction, as each compiler has made it.
use strict;
use warnings;
use Test::More;
use lib 'tests/lib';
use Build;
use Port qw(functions);

delete @ENV{qw(MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CC LD ARCH B)};
$ENV{LC_ALL} = 'C';

# One point for a list that must be empty.
sub none {
	my ($what, $why, @found) = @_;
	is(join('; ', @found), '', $what) or diag("why: $why");
}

# A port adds its own lines here.
my %machine = (
	aarch64 => {
		counter => qr/^mrs x(\d+), cntvct_el0/, before => [qr/^isb/],
		# The load waits for the counter: its address is made of it.
		behind => sub {
			my ($n, $a, $b) = @_;
			return $a =~ /^eor x(\d+), x$n, x$n$/ && $b =~ /^ldr xzr, \[sp, x$1\]/;
		},
		acquire => qr/^ldar w/, fence => qr/^dmb ish(ld)?$/,
		foreign => qr/\b[wx]18\b|\b[qdsv]\d+\b/, vectors => qr/\b[qdsv](\d+)\b/,
		sigreturn => ['__kernel_rt_sigreturn', 'movz x8, #0x8b', 'svc #0x0'],
	},
	riscv64 => {
		counter => qr/^csrrs (\w+),time,zero$/, before => [qr/^fence r,i$/],
		behind => sub { return $_[1] =~ /^fence i,r$/ },
		acquire => qr/^fence (iorw,iorw|r,rw)$/, fence => qr/^fence (iorw,iorw|r,rw)$/,
		foreign => qr/\bf[ast]?\d+\b|\bv\d+\b/,
		sigreturn => ['__vdso_rt_sigreturn', 'addi a7,zero,139', 'ecall'],
	},
);

my @tools = map {
	my $cc = $_;
	map { "$cc-$_" } qw(ld.bfd ld.lld)
} qw(gcc clang);
for my $arch (sort keys %machine) {
	my $m = $machine{$arch};
	SKIP: {
		skip "$arch-linux-gnu-gcc is not installed", 1
		    if system "command -v $arch-linux-gnu-gcc >/dev/null 2>&1";
		my $said = `flock $BUILD/.matrix make -s B=$BUILD matrix-images 2>&1`;
		is($said, '', "$arch: the images are built") or BAIL_OUT('nothing to read');
		check($arch, $m, $_) for @tools;
	}
}
done_testing();

sub check {
	my ($arch, $m, $tools) = @_;
	my $code = functions($arch, "$BUILD/matrix/$tools/$arch/vdso.so.dbg");
	my $who = "$arch, $tools";
	my ($reads, @early, @late, @unfenced, @unordered) = 0;

	for my $name (sort keys %$code) {
		my @code = @{$code->{$name}};
		for my $i (grep { $code[$_] =~ $m->{counter} } 0 .. $#code) {
			my ($register) = $code[$i] =~ $m->{counter};
			$reads++;
			push @early, "$name: $code[$i - 1]" unless $code[$i - 1] =~ $m->{before}[0];
			push @late, "$name: $code[$i + 1]; $code[$i + 2]"
			    unless $m->{behind}->($register, @code[$i + 1, $i + 2]);
			push @unfenced, $name
			    unless grep { $_ =~ $m->{fence} }
			    @code[$i + 2 .. ($i + 42 < $#code ? $i + 42 : $#code)];
			push @unordered, $name
			    unless grep { $_ =~ $m->{acquire} }
			    @code[($i > 16 ? $i - 16 : 0) .. $i - 2];
		}
	}
	is($reads, 2, "$who: the counter is read in two places, clock_gettime and gettimeofday");
	none(
		"$who: right before it is what holds it back until the loads before are done",
		'a counter from before an update would meet a base from behind it', @early
	);
	none(
		"$who: right behind it is what holds the loads behind it back",
		'likewise, the other way round', @late
	);
	none(
		"$who: the first look at the sequence counter comes before, and acquires",
		'the copy would begin before the look', @unordered
	);
	none(
		"$who: a barrier for loads stands between it and the second look",
		'the copy would end behind the look', @unfenced
	);

	my @others = map { @{$code->{$_}} } grep { $_ ne 'arch_chacha20_blocks' } keys %$code;
	none(
		"$who: no register is used that is not the image's to use",
		'vectors make calls slow, x18 is the platform\'s',
		grep { $_ =~ $m->{foreign} } grep { !/^(c\.)?(b|cb|tb|adr|j)/ } @others
	);
	my ($sigreturn, @want) = @{$m->{sigreturn}};
	is(
		join('; ', @{$code->{$sigreturn} // []}[0, 1]), join('; ', @want),
		"$who: $sigreturn is the two instructions that gdb knows"
	);

	my @cipher = @{$code->{arch_chacha20_blocks} // []};
	cmp_ok(scalar @cipher, '>', 50, "$who: the cipher is there");
	none(
		"$who: it calls nothing, and makes no system call",
		'registers are saved on the way',
		grep { /^(bl|blr|svc|ecall|jal |jalr (?!zero)|c\.jal)/ } @cipher
	);
	is(
		scalar(grep { /^(ret|jalr zero,0\(ra\)|c\.jr ra)/ } @cipher), 1,
		"$who: it has one return"
	);
	($arch eq 'aarch64' ? \&cipher_aarch64 : \&cipher_riscv64)->($who, @cipher);
}

sub cipher_aarch64 {
	my ($who, @code) = @_;
	none(
		"$who: no instruction of the cipher uses the stack",
		'a key on the stack outlives the call', grep { /\bsp\b|\bx29\b/ } @code
	);
	none(
		"$who: it writes through the output pointer alone", 'a secret has no other place',
		grep { /^st/ && !/^st1 \{v0\.16b-v3\.16b\}, \[x0\], #64$/ } @code
	);
	my (%used, %cleared);
	$used{$_} = 1
	    for map { /\b[vdq](\d+)\b/g }
	    map { s/v(\d+)(\.\w+)?-v(\d+)/join ' ', map { "v$_" } $1 .. $3/er } @code;
	my ($return) = grep { $code[$_] =~ /^ret/ } 0 .. $#code;
	for (my $i = $return; $i-- > 0;) {
		next if $code[$i] =~ /^orr x0,/;
		last unless $code[$i] =~ /^movi v(\d+)\.2d, #0x0$/;
		$cleared{$1} = 1;
	}
	# v16 holds the constant.
	is(
		join(' ', sort { $a <=> $b } grep { !$cleared{$_} } keys %used), '16',
		"$who: before the return every vector register that held a secret is cleared"
	);
	none(
		"$who: none is used that the caller's must be kept in", 'the ABI: v8 to v15',
		grep { $_ >= 8 && $_ <= 15 } sort keys %used
	);
}

sub cipher_riscv64 {
	my ($who, @code) = @_;
	s/^c\.// for @code;
	my ($key) = grep { $code[$_] =~ /^lw .*\(a1\)/ } 0 .. $#code;
	my ($return) = grep { $code[$_] =~ /^(jalr zero,0\(ra\)|jr ra)/ } 0 .. $#code;
	none(
		"$who: the stack is written before the key is read, and only with the caller's registers",
		'a key on the stack outlives the call',
		map { $code[$_] } grep {
			       $code[$_] =~ /\(sp\)/
			    && !($_ < $key && $code[$_] =~ /^sd(sp)? s\d,/)
			    && $code[$_] !~ /^ld(sp)? s\d,/
		} 0 .. $#code
	);
	none(
		"$who: it writes elsewhere through the output pointer alone",
		'a secret has no other place',
		grep { /^s[bhwd](sp)? / && !/^sd(sp)? s\d,\d+\(sp\)$/ && !/^sw \w+,\d+\(a0\)$/ }
		    @code
	);
	my %used = map { $_ => 1 } map { /\b([ast]\d+)\b/g } @code;
	# Address, counts: no secrets. What a function must keep is loaded again.
	delete @used{qw(a0 a1 a2 a3)};
	my %cleared;
	for (my $i = $return; $i-- > 0;) {
		last if $code[$i] =~ /^b/;
		$cleared{$1} = 1
		    if $code[$i] =~ /^(?:addi (\w+),zero,0|li (\w+),0|lds?p? (s\d),.*)$/
		    && ($1 // $2 // $3) =~ /(.*)/;
	}
	is(
		join(' ', sort grep { !$cleared{$_} } keys %used), '',
		"$who: before the return every register that held a secret is overwritten"
	);
}
