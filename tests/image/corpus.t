#!/usr/bin/perl
# corpus.t - tests/setup/corpus cuts the images out of a kernel, however that is packed.
#
# The kernels are made here: some noise, and our own image in it. `make corpus` looks at real ones.
use strict;
use warnings;
use Compress::Zlib ();
use File::Temp 'tempdir';
use FindBin;
use Test::More;
use lib 'tests/lib';
use Build;

my $tmp = tempdir(CLEANUP => 1);
my $image = read_file($IMAGE);

sub read_file {
	my ($path) = @_;
	open my $file, '<:raw', $path or BAIL_OUT("$path: $!");
	local $/;
	return scalar <$file>;
}

# More than a decompressor's false alarm; the magic numbers of all, with nothing behind them.
srand 1;
my $noise = join '', map { chr rand 256 } 1 .. 1 << 16;
my $magics = join 'x' x 9, "\x1f\x8b\x08", "\xfd7zXZ\0", "\x28\xb5\x2f\xfd", "\x02\x21\x4c\x18",
    "\x5d\0\0", 'BZh9', "\x7fELF", "\x7fELF\2\1\1";
# A program is an ELF file, too, and a vDSO that is there twice is one.
my $program = substr read_file('/proc/self/exe'), 0, 1 << 16;
my $kernel = join '', $noise x 16, $magics, $program, "\0" x 123, $image, "\0" x 77, $image, $noise;

sub cut {
	my ($what, $bytes) = @_;
	(my $name = $what) =~ tr/a-zA-Z0-9/-/c;
	open my $file, '>:raw', "$tmp/$name" or BAIL_OUT("$tmp/$name: $!");
	print $file $bytes;
	close $file or BAIL_OUT("$tmp/$name: $!");
	my $said = `'$FindBin::Bin/../setup/corpus' --cut '$tmp/$name' '$tmp/$name.out' 2>&1`;
	my $status = $? >> 8;
	return ($status, $said, glob "'$tmp/$name.out'/*");
}

sub is_cut {
	my ($what, $bytes) = @_;
	my ($status, $said, @files) = cut($what, $bytes);
	ok(
		       $status == 0
		    && @files == 1
		    && $files[0] =~ m{/x86_64-64\.so$}
		    && read_file($files[0]) eq $image,
		"$what: the image comes out as it went in"
	) or diag "status $status, @files\n$said";
}

# LZ4 as the kernel has it, of bytes that stand for themselves and one repetition, of 600 zeros.
sub lz4 {
	my ($bytes) = @_;
	my $out = "\x02\x21\x4c\x18";
	my $length =
	    sub { my $n = $_[0] - 15; return $n < 0 ? '' : "\xff" x int($n / 255) . chr $n % 255 };
	my $literals = sub { return chr(length $_[0] < 15 ? length($_[0]) << 4 : 0xf0) };
	for my $block (unpack '(a1000000)*', $bytes) {
		my $packed = '';
		if ((my $at = index $block, "\0" x 601) >= 0) {
			my $head = substr $block, 0, $at + 1, '';
			substr $block, 0, 600, '';
			my $token = ord($literals->($head)) | 15;
			$packed =
			      chr($token)
			    . $length->(length $head)
			    . $head
			    . pack('v', 1)
			    . $length->(600 - 4);
		}
		$packed .= $literals->($block) . $length->(length $block) . $block;
		$out .= pack('V', length $packed) . $packed;
	}
	return $out;
}

is_cut('plain', $kernel);
is_cut('gzip, behind a stub', $noise . $magics . Compress::Zlib::memGzip($kernel) . $noise);
is_cut('lz4', $noise . $magics . lz4($kernel . "\0" x 700) . pack 'V', 0);
for (['xz', 'xz -c'], ['lzma', 'xz -c --format=lzma'], ['zstd', 'zstd -cq'], ['bzip2', 'bzip2 -c'])
{
	my ($name, $command) = @$_;
	next if system("$command </dev/null >'$tmp/packed' 2>/dev/null") != 0;
	open my $pipe, '|-:raw', "$command >'$tmp/packed'" or BAIL_OUT("$command: $!");
	print $pipe $kernel;
	close $pipe or BAIL_OUT("$command: $?");
	is_cut($name, $noise . $magics . read_file("$tmp/packed") . $noise);
}

my ($status, $said, @files) = cut('nothing', $noise . $magics . $program);
ok($status == 2 && $said =~ /nothing: no image in it$/ && !@files, 'a file without one is told')
    or diag "status $status, @files\n$said";
($status, $said, @files) = cut('half', substr $kernel, 0, 1 << 20);
is($status, 2, 'so is a half of one');
done_testing;
