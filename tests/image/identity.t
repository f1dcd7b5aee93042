#!/usr/bin/perl
# identity.t - an image that reads other data pages than ours is refused, and named.
#
# Such an image keeps every rule of `uvdso check`: mult and shift exchanged is as good an ELF file
# as any, and tells a wrong time without a word. Only its note can say so (vdso/identity.h).
use strict;
use warnings;
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build;
use Elf;
use RunTest;

my $tmp = tempdir(CLEANUP => 1);
my $cc = $ENV{CC} || 'gcc';
my ($machine) = grep { -e "$BUILD/$_/vdso.so" } (POSIX::uname())[4];
plan(skip_all => 'the image is not built') if !$machine;

sub bytes {
	my ($path) = @_;
	open my $fh, '<:raw', $path or return '';
	local $/;
	return readline($fh) // '';
}

sub file {
	my ($name, $bytes) = @_;
	open my $fh, '>:raw', "$tmp/$name" or BAIL_OUT("$tmp/$name: $!");
	print $fh $bytes;
	close $fh or BAIL_OUT("$tmp/$name: $!");
	return "$tmp/$name";
}

my $good = bytes("$BUILD/$machine/vdso.so");
my ($note) = grep { $_->{owner} eq 'uvdso' } @{Elf->new($good)->{notes}};
ok($note && $note->{type} == 16 && length $note->{desc} == 8, 'our image has its note')
    or BAIL_OUT('there is nothing to compare');
my ($layout, $nr_pages) = unpack 'L2', $note->{desc};

# Our image with another descriptor in that note.
sub with {
	my ($desc) = @_;
	substr my $bytes = $good, $note->{desc_at}, 8, $desc;
	return $bytes;
}

# An image that is not to be had: run and trace say what it is, and do nothing.
sub named {
	my ($bytes, $words, $what) = @_;
	my $image = file('image.so', $bytes);
	for (['run'], ['trace']) {
		my $p = run($UVDSO, @$_, '--image', $image, 'true');
		ok(
			       $p->{status} == 126
			    && $p->{err} =~ /\Auvdso: \Q$image\E: $words\n\z/
			    && $p->{out} eq '',
			"$_->[0] refuses $what, and names it"
		    )
		    or diag(
			"expected status 126, '... $words'\ngot      $p->{status}, $p->{out}$p->{err}"
		    );
	}
	is(
		run($UVDSO, qw(run --force --image), $image, 'true')->{status},
		0, "... --force takes it nevertheless"
	);
}

my $ours = sprintf '%d, layout %08x', $nr_pages, $layout;
named(
	with(pack 'L2', $layout ^ 1, $nr_pages),
	sprintf(
		'an image of another uvdso: %d data pages, layout %08x; ours are %s',
		$nr_pages, $layout ^ 1, $ours
	),
	'an image that reads another layout'
);
named(
	with(pack 'L2', $layout, $nr_pages + 1),
	sprintf(
		'an image of another uvdso: %d data pages, layout %08x; ours are %s',
		$nr_pages + 1, $layout, $ours
	),
	'an image that has more data pages'
);

# Without the note, by the one that kernels have.
my $elf = Elf->new($good);
my ($linux) = grep { $_->{owner} eq 'Linux' && $_->{type} == 0 } @{$elf->{notes}};
$elf->set('nhdr', $note->{at}, 'type', 15);
substr $elf->{bytes}, $linux->{desc_at}, 4, pack 'L', 6 << 16 | 12 << 8 | 38;
named(
	$elf->{bytes},
	'a kernel\'s image, Linux 6\.12: it reads that kernel\'s data pages'
	    . '(?:, and none that is known fits: on those of Linux 6\.10 to 6\.12, clock_gettime\(0\) reads at 0x3000 before the image)?',
	'the image of a kernel'
);

# ---- the layout follows the header ----
# identity.c alone, compiled with a header that somebody has changed; its note goes into our image.
sub layout_of {
	my ($change) = @_;
	system('rm', '-rf', "$tmp/include") and BAIL_OUT("$tmp/include is not gone");
	system('cp', '-r', 'vdso-src/include', "$tmp/include") and BAIL_OUT('cp');
	my $header = bytes('vdso-src/include/vdso/datapage.h');
	# The assertions would stop whoever did this by accident.
	$header =~ s/^VDSO_AT\(.*\n//mg;
	$header =~ s/^_Static_assert\(sizeof\(struct vdso_data\).*\n//mg;
	$change->($header);
	file('include/vdso/datapage.h', $header);
	my $failed = run(
		split(' ', $cc), qw(-std=gnu11 -ffreestanding -I), "$tmp/include",
		qw(-c vdso-src/identity.c -o), "$tmp/identity.o"
	);
	return $failed->{err} if $failed->{status};
	return bytes("$tmp/identity.o") =~ /\x06\0\0\0\x08\0\0\0\x10\0\0\0uvdso\0\0\0(.{8})/s
	    ? $1
	    : 'no note';
}
is(
	unpack('H*', layout_of(sub { })), unpack('H*', $note->{desc}),
	'the layout of the same header is the same, by any compiler'
);

# Exchanges two lines of the structure.
sub exchange {
	my ($one, $other) = @_;
	return sub { $_[0] =~ s/^\t($one;)\n(.*?)^\t($other;)\n/\t$3\n$2\t$1\n/ms };
}
for (
	[
		'mult and shift exchanged',
		sub { $_[0] =~ s/^(\tunion \{\n\t\tu32 mult;\n.*?^\t\};\n)(\tu32 shift;\n)/$2$1/ms }
	],
	['cycle_last and max_cycles exchanged', exchange('u64 cycle_last', 'u64 max_cycles')],
	[
		'the two fields of the timezone exchanged',
		exchange('s32 tz_minuteswest', 's32 tz_dsttime')
	],
	[
		'seconds and nanoseconds exchanged',
		sub { $_[0] =~ s/\tu64 sec;\n\tu64 nsec;/\tu64 nsec;\n\tu64 sec;/ }
	],
	['a wider mult', sub { $_[0] =~ s/\tu32 mult;/\tu64 mult;/ }],
	['a field more', sub { $_[0] =~ s/\ts32 tz_minuteswest;/\tu64 more;\n$&/ }],
	['another stride', sub { $_[0] =~ s/(VDSO_STRIDE) (?:4096|65536)/$1 16384/g }],
	['a data page more', sub { $_[0] =~ s/(VDSO_NR_DATA_PAGES) 3/$1 4/ }],
	[
		'the pages in another order',
		sub {
			$_[0] =~ s/(VDSO_RNG_PAGE +)2/${1}1/;
			$_[0] =~ s/(VDSO_TIMENS_PAGE +)1/${1}2/;
		}
	],
	['another number for the counter', sub { $_[0] =~ s/(VDSO_CLOCKMODE_COUNTER =) 1/$1 2/ }],
	[
		'the two bases exchanged',
		sub { $_[0] =~ s/(CS_HRES_COARSE) 0/$1 1/; $_[0] =~ s/(CS_RAW +)1/${1}0/ }
	],
    )
{
	my ($what, $change) = @$_;
	my $touched = 0;
	my $desc = layout_of(sub {
		my $before = $_[0];
		$change->($_[0]);
		$touched = $_[0] ne $before;
	});
	ok($touched && length $desc == 8, "$what: the header can be compiled") or diag($desc);
	my $p = run($UVDSO, 'run', '--image', file('image.so', with($desc)), 'true');
	ok($p->{status} == 126 && $p->{err} =~ /an image of another uvdso: /, "... and is refused")
	    or diag(
		"expected status 126, 'an image of another uvdso'\ngot      $p->{status}, $p->{err}\n",
		'why: its functions take one field for another, and the time is wrong'
	    );
}

done_testing();
