#!/usr/bin/perl
# other-images.t - check, symbols and diff on images of every machine that has a vDSO.
#
# No such machine is here, and no such image: tests/lib/LookAlike.pm makes what looks like theirs, of
# both classes and byte orders, and with the hash words of s390x. readelf, which is of no machine in
# particular, is the second opinion. Then each look-alike is bent in the ways in which machines
# differ, and held beside others.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use LookAlike qw(image machine @MACHINES);
use RunTest;
use Test::More;

my $dir = temp_dir();
my $number = 0;
$ENV{LC_ALL} = 'C';

sub file {
	my ($bytes) = @_;
	my $path = "$dir/" . $number++ . '.so';
	open my $fh, '>:raw', $path or BAIL_OUT("$path: $!");
	print $fh $bytes;
	close $fh or BAIL_OUT("$path: $!");
	return $path;
}

sub look_alike { my ($name, @options) = @_; return file(image(machine($name), @options)) }

# The rules that check names, in the order of their first breach. That these images read other
# data pages than ours, or none, is understood.
sub broken {
	my ($path) = @_;
	my $p = run($UVDSO, 'check', '--house', $path);
	my (%seen, @rules);
	$seen{'note-layout'} = 1;
	for ($p->{out} =~ /^\Q$path\E: ([a-z-]+): /mg) { push @rules, $_ if !$seen{$_}++ }
	push @rules, "status $p->{status}, $p->{err}"
	    if $p->{err} || $p->{signal} || $p->{timed_out};
	return "@rules" || 'none';
}

sub rows {
	my ($path) = @_;
	my $p = run($UVDSO, 'symbols', $path);
	return "status $p->{status}, $p->{err}" if $p->{status} || $p->{err};
	my @lines = split /\n/, $p->{out};
	return join "\n", map { s/ +/ /r } @lines[2 .. $#lines];
}

# What readelf says: name and version of each function, and what it complains about.
sub readelf {
	my ($path) = @_;
	my @rows;
	for (split /\n/, run('readelf', '-W', '--dyn-syms', $path)->{out}) {
		my (undef, undef, undef, $type, undef, undef, $section, $name) = split ' ';
		push @rows, $name =~ s/@@?/ /r if ($type // '') eq 'FUNC' && $section ne 'UND';
	}
	return join "\n", sort @rows;
}

# ---- all machines -----------------------------------------------------------------------------

for my $machine (@MACHINES) {
	for my $order (@{$machine->{orders}}) {
		my $what = "$machine->{name}, " . ($order eq '<' ? 'little' : 'big') . '-endian';
		my $path = file(image($machine, order => $order));
		my $p = run('readelf', '-W', '-a', $path);

		is($p->{err}, '', "$what: readelf has nothing to say against the look-alike");
		is(broken($path), 'none', '... and neither has check');
		is(rows($path), readelf($path), '... symbols lists what readelf finds');
		is(
			rows($path),
			join("\n", sort map { "$_ $machine->{node}" } @{$machine->{functions}}),
			'... which is what the machine has'
		);
		my $self = run($UVDSO, 'diff', $path, $path);
		is_status($self, 0, '... diff finds it the same as itself');
		like(
			$self->{out}, qr/^= machine +\Q$what\E +\Q$what\E$/m,
			'... and knows the machine'
		);
		unlike($self->{out}, qr/^~/m, '... without a difference');
	}
}

# ---- what differs between them ----------------------------------------------------------------

sub breaks {
	my ($what, $path, $rules) = @_;
	is(broken($path), $rules, $what);
}

for my $name (qw(x86-64 i386 aarch64 s390x ppc sparc64 mips64)) {
	my $machine = machine($name);
	breaks("$name: a node of no kernel", look_alike($name, node => 'LINUX_9.9'), 'versions');
	breaks("$name: no node", look_alike($name, node => undef), 'versions');
	breaks(
		"$name: functions of other names", look_alike($name, functions => ['now', 'then']),
		'names'
	);
	my @other = map { /^__vdso_(.*)/ ? "__kernel_$1" : s/^__kernel_/__vdso_/r }
	    @{$machine->{functions}};
	breaks(
		"$name: functions with another prefix", look_alike($name, functions => \@other),
		'names'
	);
	breaks(
		"$name: a function of its own beside them",
		look_alike($name, functions => [@{$machine->{functions}}, 'uptime']), 'none'
	);
	breaks("$name: without DT_HASH", look_alike($name, hash => 0), 'hash');
	breaks("$name: without DT_GNU_HASH", look_alike($name, gnu_hash => 0), 'gnu-hash');
	breaks("$name: a relocation", look_alike($name, relocation => 1), 'no-relocations');
	breaks("$name: linked at an address", look_alike($name, base => 0x100000), 'load-at-zero');
	breaks(
		"$name: aligned to its largest page", look_alike($name, align => $machine->{pages}),
		'none'
	);
	breaks(
		"$name: aligned to more", look_alike($name, align => 2 * $machine->{pages}),
		'load-align'
	);
	is(
		rows(look_alike($name, hash => 0)), rows(look_alike($name)),
		"$name: symbols needs one table, DT_GNU_HASH"
	);
	is(
		rows(look_alike($name, gnu_hash => 0, sections => 0)), rows(look_alike($name)),
		"$name: ... or DT_HASH, and no sections"
	);
	is(
		rows(look_alike($name, base => 0x100000)), rows(look_alike($name)),
		"$name: ... and goes by where the image is linked"
	);
	is(
		rows(look_alike($name, node => undef)),
		join("\n", sort map { "$_ -" } @{$machine->{functions}}),
		"$name: ... and shows that there is no version"
	);
}
is(
	rows(look_alike($_, split => 1)), rows(look_alike($_)),
	"$_: symbols finds functions and tables in two PT_LOADs, as Zircon has them"
) for qw(aarch64 ppc);
breaks(
	"$_: no unwind table, as the kernel's",
	look_alike($_, unwind => 0), 'none'
) for qw(arm aarch64);
breaks('riscv64: no unwind table', look_alike('riscv64', unwind => 0), 'eh-frame');
breaks(
	'mips64, little-endian: a relocation, whose type is elsewhere than on other machines',
	look_alike('mips64', relocation => 1, order => '<'), 'no-relocations'
);
breaks(
	'aarch64: one function with the prefix of x86-64',
	look_alike('aarch64', functions => ['__kernel_clock_gettime', '__vdso_gettimeofday']),
	'names'
);
breaks('s390x: little-endian, which it is not', look_alike('s390x', order => '<'), 'elf');
breaks('x86-64: big-endian, which it is not', look_alike('x86-64', order => '>'), 'elf');
breaks('mips: its own segments', look_alike('mips', segments => [0x70000000, 0x70000003]), 'none');
breaks(
	'riscv64: the segment of attributes', look_alike('riscv64', segments => [0x70000003]),
	'none'
);
breaks('x86-64: the same segment', look_alike('x86-64', segments => [0x70000003]), 'segments');
breaks(
	'the machine 68000, which has no vDSO', file(image({%{machine('ppc')}, number => 4})),
	'elf'
);
is(
	rows(file(image({%{machine('ppc')}, number => 4}))), rows(look_alike('ppc')),
	'... is listed all the same'
);
breaks(
	"$_: functions at odd addresses, which say how the code is read",
	look_alike($_, odd => 1), 'none'
) for qw(arm mips);

# ---- diff -------------------------------------------------------------------------------------

# The line of a point, and the one after it, of two images; and the status.
sub difference {
	my ($what, $row, $first, $second, $status, $line, $why) = @_;
	my $p = run($UVDSO, 'diff', $first, $second);
	is_status($p, $status, "diff: $what: status $status");
	like($p->{out}, qr/^~ \Q$row\E +$line\n +$why/m, '... and says to whom it matters')
	    or diag $p->{out};
}

my $plain = look_alike('x86-64');
difference(
	'without DT_HASH', 'DT_HASH', $plain, look_alike('x86-64', hash => 0), 1,
	qr/1 buckets +none/, qr/matters to musl and zig/
);
difference(
	'without DT_GNU_HASH', 'DT_GNU_HASH, bloom filter', $plain,
	look_alike('x86-64', gnu_hash => 0), 0, qr/1 buckets, 1 words +none/, qr/matters to nobody/
);
difference(
	'another soname', 'DT_SONAME', $plain, look_alike('x86-64', soname => 'linux-gate.so.1'), 1,
	qr/linux-vdso\.so\.1 +linux-gate\.so\.1/, qr/matters to dlopen/
);
difference(
	'another node', 'version definitions', $plain, look_alike('x86-64', node => 'LINUX_9.9'), 1,
	qr/LINUX_2\.6 +LINUX_9\.9/, qr/matters to musl, Go and rustix/
);
difference(
	'... of each function', '__vdso_getcpu', $plain, look_alike('x86-64', node => 'LINUX_9.9'),
	1, qr/LINUX_2\.6 +LINUX_9\.9/, qr/matters to glibc, musl, rustix and abseil: most take/
);
difference(
	'linked at an address', 'PT_LOAD', $plain, look_alike('x86-64', base => 0x10000), 0,
	qr/at 0, R-X, .*at 0x10000, R-X, .*/, qr/matters to nobody/
);
difference(
	'two PT_LOADs', 'PT_LOAD', $plain, look_alike('x86-64', split => 1), 1,
	qr/at 0, R-X, .*at 0, R--, .* and more/, qr/matters to glibc before December 2025/
);
difference(
	'without sections', 'section headers', $plain, look_alike('x86-64', sections => 0), 1,
	qr/\d+ +none, or no \.dynsym/, qr/matters to bionic/
);
difference(
	'without unwinding', '.eh_frame, bytes', $plain, look_alike('x86-64', unwind => 0), 1,
	qr/\d+ +0, without a table/, qr/matters to unwinders/
);
difference(
	'without a function', '__vdso_getcpu', $plain,
	look_alike(
		'x86-64', functions => [map { "__vdso_$_" } qw(clock_gettime gettimeofday time)]
	),
	1,
	qr/LINUX_2\.6 +-/,
	qr/matters to glibc, musl, rustix and abseil: without/
);
difference(
	'with a function of its own', 'uptime', $plain,
	look_alike('x86-64', functions => [@{machine('x86-64')->{functions}}, 'uptime']), 0,
	qr/- +LINUX_2\.6/, qr/matters to nobody: no C library/
);
difference(
	'a rule that is broken', 'rules of uvdso check', $plain,
	look_alike('x86-64', relocation => 1), 1, qr/all \d+ kept +1 broken/,
	qr/matters: only the second breaks no-relocations: /
);
difference(
	'another machine', 'machine', $plain, look_alike('s390x'), 1,
	qr/x86-64, little-endian +s390x, big-endian/, qr/matters to everybody/
);
difference(
	'what no kernel of that machine has', '__vdso_getcpu', $plain, look_alike('s390x'), 1,
	qr/LINUX_2\.6 +-/, qr/matters to nobody: no vDSO of a kernel for s390x has it/
);
difference(
	'the other byte order', 'machine', map({ look_alike('mips', order => $_) } '<', '>'), 1,
	qr/mips, little-endian +mips, big-endian/, qr/matters to everybody/
);
difference(
	'32-bit MIPS in 64-bit registers', 'e_flags', look_alike('mips'),
	look_alike('mips', flags => 0x20), 1, qr/0 +0x20/, qr/matters to everybody/
);
difference(
	'the oldest processor', 'e_flags', look_alike('mips'),
	look_alike('mips', flags => 0x70000000), 0, qr/0 +0x70000000/, qr/matters to nobody/
);
SKIP: {
	my $ours = "$BUILD/x86_64/vdso.so";
	skip 'the image of x86-64 is not built here (make deps)', 3 if !-e $ours;
	difference(
		'the data pages', 'data pages', $ours, $plain, 1,
		qr/\d+, layout [0-9a-f]{8} +those of Linux 6\.12/,
		qr/matters to nobody: the one that starts/
	);
}
difference(
	'an entry on i386', 'entry', look_alike('i386'), look_alike('i386', entry => 0x300), 1,
	qr/none +0x300/, qr/matters to glibc and musl/
);
difference(
	'... and elsewhere', 'entry', $plain, look_alike('x86-64', entry => 0x300), 0,
	qr/none +0x300/, qr/matters to nobody/
);
{
	my $p = run($UVDSO, 'diff', $plain, look_alike('i386', hash => 0, node => undef));
	my @unexplained = $p->{out} =~ /^~ (.*)\n(?! +matters)/mg;
	is_deeply(\@unexplained, [], 'diff: each difference has its line');
}
{
	# A name of a file, and names in an image, can hold anything.
	my $path = "$dir/two\nlines";
	rename look_alike('x86-64', functions => ["a\nb\e[1m", '__vdso_time']), $path or die;
	my $p = run($UVDSO, 'diff', $plain, $path);
	like(
		$p->{out}, qr/^  second: \Q$dir\E\/two\\nlines$/m,
		'diff: a name of a file is escaped'
	);
	like($p->{out}, qr/^~ a\?b\?\[1m /m, '... and a name in an image');
}
for (
	['a missing file', "$dir/missing", qr/missing: No such file/],
	['a text', file("text\n" x 100), qr/: not an ELF image/],
	['an empty file', file(''), qr/: not an ELF image/],
	['half an image', file(substr image(machine('s390x')), 0, 500), qr/: /],
    )
{
	my ($what, $path, $message) = @$_;
	refused(run($UVDSO, 'diff', $plain, $path), 2, $message, "diff: $what is an error");
	refused(run($UVDSO, 'diff', $path, $plain), 2, $message, '... also as the first');
}

# ---- wrong bytes --------------------------------------------------------------------------------

# image_fuzz and exports try far more of them on our image; here it is the other classes and orders.
srand 1;
my %ends;
for my $name (qw(s390x ppc mips64 i386)) {
	for (1 .. 40) {
		my $bytes = image(machine($name));
		substr $bytes, int rand length $bytes, 1, chr int rand 256 for 0 .. rand 6;
		my $path = file($bytes);
		for (['check', $path], ['symbols', $path], ['diff', $plain, $path]) {
			my $p = run($UVDSO, @$_);
			$ends{
				  $p->{timed_out} ? 'no end'
				: $p->{signal} ? "signal $p->{signal}"
				: 'status ' . $p->{status}
			}++;
		}
	}
}
is_deeply(
	[grep { !/^status [012]$/ } sort keys %ends], [],
	'of an image with wrong bytes in it each command says something'
);
cmp_ok($ends{'status 1'}, '>', 100, '... and often that it is wrong');

done_testing;
