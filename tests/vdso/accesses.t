#!/usr/bin/perl
# accesses.t - each access to the head of a data page is one instruction of its size, with its barriers.
#
# The number is half of the head: writers change 64 bits, readers load 32 of them. To C11 that has no
# meaning (seqcount.h, "Two sizes"), so the compiler's word is not enough, and its code is read: for
# each of the four machines, as gcc and clang make it. Barriers as well: gcc 12 leaves the release of
# an exchange out on riscv64, and no emulator on x86 would show it.
use strict;
use warnings;
use File::Temp 'tempdir';
use POSIX ();
use Test::More;

$ENV{LC_ALL} = 'C';
my $tmp = tempdir(CLEANUP => 1);
open my $fh, '>', "$tmp/accesses.c" or die;
print $fh <<'END';
#include <vdso/seqcount.h>
u32 first_look(const struct vdso_data *vd) { return vdso_read_begin(vd); }
bool second_look(const struct vdso_data *vd, u32 seq) { return vdso_read_retry(vd, seq); }
s32 mode(const struct vdso_data *vd) { return read_once_s32(&vd->clock_mode); }
bool change(struct vdso_data *vd, union vdso_head *from, union vdso_head to)
{
	return vdso_change_head(vd, from, to);
}
bool try_begin(struct vdso_data *vd, union vdso_head *head) { return vdso_try_begin(vd, head); }
END
close $fh;

# For each machine: a load of 32 bits, one that acquires or what must follow it, a fence before the
# second look, the exchange, and what must come before it. Without an order: x86 keeps it by itself.
my $x86 = {
	load =>
	    qr/^mov\s+(?:0x4)?\(%\w+\),%e\w\w$|^cmp\s+%e\w\w,\(%\w+\)$|^cmp\s+\(%\w+\),%e\w\w$|^mov\s+\(%\w+\),%e\w\w$/,
	exchange => qr/^lock cmpxchg\s+%r\w+,\(%\w+\)$/
};
my %machine = (
	x86_64 => {prefix => 'x86_64', flags => '-m64', %$x86},
	i386 => {
		prefix => 'i686', flags => '-m32 -march=i686', %$x86,
		exchange => qr/^lock cmpxchg8b\s+\(%\w+\)$/
	},
	aarch64 => {
		prefix => 'aarch64', flags => '',
		load => qr/^(ldr|ldar|ldapr) w\d+, \[x\d+(, #4)?\]$/,
		acquire => qr/^(ldar|ldapr)\s+w\d+/, fence => qr/^dmb\s+ish(ld)?$/,
		exchange => qr/^(ldaxr\s+x\d+|casal\s+x\d+|bl\s.*__aarch64_cas8_acq_rel)/,
		release => qr/^dmb\s+ish$/
	},
	riscv64 => {
		prefix => 'riscv64', flags => '-march=rv64gc -mabi=lp64d',
		load => qr/^lw\s+\w+,[04]\(\w+\)$/,
		acquire => qr/^fence\s*(r,rw|iorw,iorw|)$/,
		fence => qr/^fence\s*(r,rw|iorw,iorw|)$/,
		exchange => qr/^lr\.d(\.aq)?\s/,
		release => qr/^fence\s*(rw,w|rw,ow|iorw,ow|iorw,iorw|rw,rw|)$/
	},
);

for my $arch (sort keys %machine) {
	my $m = $machine{$arch};
	my $native = (POSIX::uname())[4] =~ s/^i.86$/i386/r eq $arch;
	my $tools = $native ? '' : "$m->{prefix}-linux-gnu-";
	for my $cc (
		["${tools}gcc", ''],
		['clang', $native ? '' : "--target=$m->{prefix}-linux-gnu"]
	    )
	{
		SKIP: {
			my ($compiler, $target) = @$cc;
			skip "$arch: $compiler is not installed", 1
			    if system "command -v $compiler ${tools}objdump >/dev/null 2>&1";
			my $said =
			    `$compiler $target $m->{flags} -std=gnu11 -O2 -w -ffreestanding -Ivdso-src/include -c $tmp/accesses.c -o $tmp/a.o 2>&1`;
			is($?, 0, "$arch, $compiler: it compiles") or do { diag($said); next };
			look("$arch, $compiler", $m, functions("${tools}objdump", "$tmp/a.o"));
		}
	}
}
done_testing();

sub functions {
	my ($objdump, $object) = @_;
	my (%code, $name);
	for (split /\n/, `$objdump -dr --no-show-raw-insn $object`) {
		if (/^[0-9a-f]+ <(\w+)>:$/) { $name = $1; $code{$name} //= [] }
		elsif (/^\s+[0-9a-f]+:\t(.*?)\s*$/ && $name) {
			(my $text = $1) =~ s/\s+/ /g;
			$text =~ s/ *(# |\/\/).*//;
			push @{$code{$name}}, $text;
		} elsif (/^\s+[0-9a-f]+: R_\w+\s+(\S+)/ && $name && @{$code{$name}}) {
			$code{$name}[-1] .= " $1";
		}
	}
	return \%code;
}

sub look {
	my ($who, $m, $code) = @_;
	# i386 gets its parameters from the stack.
	my %in = map {
		$_ => [grep { !/\(%esp\)|\(%ebp\)|\bnop|^data16|^xchg %ax,%ax|%eiz/ }
			    @{$code->{$_} // []}]
	} qw(first_look second_look mode change try_begin);
	for my $name (qw(first_look second_look mode)) {
		my @loads = grep { $_ =~ $m->{load} } @{$in{$name}};
		my @memory = grep { /\(%|\[x|\d\(\w+\)/ } @{$in{$name}};
		is(scalar @loads, 1, "$who: $name() is one load of 32 bits")
		    or diag(join "\n", @{$in{$name}});
		is("@memory", "@loads", "$who: and touches memory nowhere else");
	}
	if ($m->{acquire}) {
		my ($at) = grep { $in{first_look}[$_] =~ $m->{load} } 0 .. $#{$in{first_look}};
		ok(
			scalar(
				grep { $_ =~ $m->{acquire} }
				    @{$in{first_look}}[$at .. $#{$in{first_look}}]
			),
			"$who: the first look acquires"
		) or diag(join "\n", @{$in{first_look}});
		my ($load) = grep { $in{second_look}[$_] =~ $m->{load} } 0 .. $#{$in{second_look}};
		ok(
			scalar(grep { $_ =~ $m->{fence} } @{$in{second_look}}[0 .. $load - 1]),
			"$who: a fence stands before the second look"
		) or diag(join "\n", @{$in{second_look}});
	}
	for my $name (qw(change try_begin)) {
		my @at = grep { $in{$name}[$_] =~ $m->{exchange} } 0 .. $#{$in{$name}};
		is(scalar @at, 1, "$who: $name() is one exchange of 64 bits")
		    or diag(join "\n", @{$in{$name}});
		next unless $m->{release} && @at;
		ok(
			scalar(grep { $_ =~ $m->{release} } @{$in{$name}}[0 .. $at[0] - 1]),
			"$who: $name(): all stores are visible before it"
		) or diag(join "\n", @{$in{$name}});
		next unless $name eq 'try_begin';
		ok(
			scalar(
				grep { $_ =~ $m->{release} }
				    @{$in{$name}}[$at[0] + 1 .. $#{$in{$name}}]
			),
			"$who: and it is before all stores that follow (1)"
		) or diag(join "\n", @{$in{$name}});
	}
}
