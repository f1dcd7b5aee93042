#!/usr/bin/perl
# i386-page.t - what is in the 32-bit image, byte by byte: names, entry, trampolines, unwind data.
#
# Here is what others rely on and no program would notice at once: gdb knows a trampoline by its
# bytes; the kernel counts on the two bytes of INT 0x80 to restart a system call; an unwinder
# takes one byte before a return address for the function.
use strict;
use warnings;
use lib 'tests/lib';
use Build;
use Test::More;
use Elf;
use RunTest;
use I386;

my $image = slurp($PAGE32);
my $elf = Elf->new($image);

sub because { my ($why, @rest) = @_; diag("this matters: $why", @rest); return }

# ---- names ----------------------------------------------------------------
my %node = map { $_->{ndx} => $_->{text} } @{$elf->{verdefs}};
my %version = map { $_->{text} => $node{$_->{versym}} } grep { $_->{kind} == 2 } @{$elf->{symbols}};
is_deeply(
	\%version,
	{
		(
			map { ("__vdso_$_" => 'LINUX_2.6') }
			    qw(clock_gettime clock_gettime64 gettimeofday time clock_getres getcpu)
		),
		(map { ("__kernel_$_" => 'LINUX_2.5') } qw(vsyscall sigreturn rt_sigreturn)),
	},
	'the image exports the nine functions, each in its node'
) or because('C libraries ask for a name in a version, and for no other');
is(
	$elf->string($elf->tag('STRTAB') + $elf->tag('SONAME')), 'linux-gate.so.1',
	'its name is linux-gate.so.1'
) or because('dlopen(3) and debuggers know it by that');

# ---- code -----------------------------------------------------------------
my %at = map { $_ => $elf->symbol($_)->{value} } keys %version;
is(unpack('V', substr $image, 24, 4), $at{__kernel_vsyscall}, 'the entry is __kernel_vsyscall')
    or because('AT_SYSINFO is made of it');
my %code = (
	__kernel_vsyscall => ["\xcd\x80\xc3", 'int $0x80; ret'],
	__kernel_sigreturn => ["\x58\xb8\x77\0\0\0\xcd\x80", 'pop %eax; mov $119, %eax; int $0x80'],
	__kernel_rt_sigreturn => ["\xb8\xad\0\0\0\xcd\x80", 'mov $173, %eax; int $0x80'],
);
for my $name (sort keys %code) {
	my ($bytes, $text) = @{$code{$name}};
	is(
		unpack('H*', substr $image, $at{$name}, length $bytes), unpack('H*', $bytes),
		"$name is: $text"
	) or because('debuggers know the function by its bytes');
	is($elf->symbol($name)->{size}, length $bytes, "$name is nothing more");
}
my $objdump = run('objdump', '-d', '--no-show-raw-insn', $PAGE32)->{out};
unlike($objdump, qr/\b(?:sysenter|syscall)\b/, 'nothing but INT 0x80 leads into the kernel')
    or because('the kernel returns from the others to its own image');
unlike(
	$objdump, qr/%[xyz]mm|%mm\d|\bf(?:ld|st|ild|istp)\w*\b/,
	'no vector or floating point register is used'
) or because('a program may call with any alignment of its stack');

# ---- unwind data -------------------------------------------------------------
my $frames = run('readelf', '--debug-dump=frames', $PAGE32)->{out};
my ($signal_cie) = $frames =~ /^([0-9a-f]{8}) \S+ 0{8} CIE\n(?:  .*\n)*?  Augmentation: +"zRS"/m;
ok(defined $signal_cie, 'there is a CIE of signal frames ("S")')
    or because('from a signal frame no byte is gone back');
for my $name (qw(__kernel_sigreturn __kernel_rt_sigreturn)) {
	my $range = sprintf '%08x..%08x', $at{$name} - 1, $at{$name} + $elf->symbol($name)->{size};
	like(
		$frames, qr/ FDE cie=\Q$signal_cie\E pc=\Q$range\E\n/,
		"$name and the byte before it have unwind data of that kind"
	);
}

# ---- nobody else's rules, and the 64-bit checker's ---------------------------------
for my $uvdso (grep { -x } $UVDSO32, "$BUILD/uvdso") {
	is(run($uvdso, 'check', $PAGE32)->{status}, 0, "$uvdso finds nothing wrong with it");
}
my $dir = temp_dir();
my $odd = "$dir/entry.so";
{
	my $bytes = $image;
	substr($bytes, 24, 4) = pack 'V', $at{__kernel_sigreturn};
	open my $file, '>:raw', $odd or die;
	print $file $bytes;
}
my $p = run($UVDSO32, 'check', $odd);
is($p->{status}, 1, 'an entry that is another function is a broken rule');
like($p->{out}, qr/: symbols: the entry is .*__kernel_vsyscall/, '... and the message says so');
done_testing();
