#!/usr/bin/perl
# symbols.t - `uvdso symbols` and `uvdso dump`, held against readelf and against memory.
#
# readelf goes by the section headers and knows nothing of our resolver; where both say the same,
# a program finds what is in the file. The errors are the other half: an image that is being built
# is often broken, and the message is all that helps.
use strict;
use warnings;
use Test::More;
use lib 'tests/lib';
use Build;
use File::Temp qw(tempdir);
use POSIX qw(mkfifo);

my $uvdso = "$BUILD/uvdso";
my $image_file = $IMAGE;
my $dir = tempdir(CLEANUP => 1);

# Runs a command without a shell; at most 10 s. Gives status, standard output and error.
sub run {
	my @command = @_;
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$dir/out.$$" or die;
		open STDERR, '>', "$dir/err.$$" or die;
		alarm 10 * $PATIENCE;
		exec @command or POSIX::_exit(126);
	}
	waitpid $pid, 0;
	my $status = $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
	return (
		$status,
		map { my $text = slurp("$dir/$_.$pid"); unlink "$dir/$_.$pid"; $text } 'out',
		'err'
	);
}

sub slurp { open my $fh, '<:raw', $_[0] or return ''; local $/; return <$fh> }

sub spew {
	my ($path, $bytes) = @_;
	open my $fh, '>:raw', $path or die "$path: $!";
	print $fh $bytes;
	close $fh;
}

# What readelf says the image exports: "name version", functions only, sorted. (Of aarch64's kernel
# the return from signal handlers has no type.)
sub readelf_rows {
	my @rows;
	for (split /\n/, `readelf --dyn-syms -W $_[0]`) {
		my (undef, undef, undef, $type, $bind, undef, $section, $name) = split ' ';
		next
		    unless defined $name
		    && $type =~ /FUNC|NOTYPE/
		    && $bind =~ /GLOBAL|WEAK/
		    && $section ne 'UND';
		push @rows, $name =~ s/@@?/ /r;
	}
	return sort @rows;
}

# The rows of the table, and that it is a table: a heading, a rule, rows of two words.
sub rows {
	my @lines = split /\n/, $_[0];
	like(shift @lines, qr/^symbol +version$/, 'the table has a heading');
	like(shift @lines, qr/^-+$/, 'and a rule below it');
	my @odd = grep { !/^\S+ +\S+$/ } @lines;
	is_deeply(\@odd, [], 'each row has two words, so that a script can read it');
	return map { s/ +/ /r } @lines;
}

sub fails {
	my ($want, $pattern, $what, @command) = @_;
	my ($status, $out, $err) = run(@command);
	is($status, $want, "$what: status $want");
	like($err, $pattern, "$what: the message says so");
	is(($err =~ tr/\n//), 1, "$what: the message is one line");
	is($out, '', "$what: nothing on standard output");
}

sub our_image {
	my ($status, $out, $err) = run($uvdso, 'symbols', $image_file);
	is($status, 0, 'an image is listed') or diag($err);
	is_deeply(
		[rows($out)], [readelf_rows($image_file)],
		'the rows are what readelf finds, sorted by name'
	) or diag('a name that is missing here is one that no program finds');
	my ($builtin_status, $builtin) = run($uvdso, 'symbols');
	is($builtin, $out, 'without an argument the built-in image is listed');
	my ($debug_status, $debug) = run($uvdso, 'symbols', "$image_file.dbg");
	is($debug, $out, 'the image with its debug information exports the same');
	unlike($out, qr/^\Q$NODE\E /m, 'the name of the version node is not listed');
}

sub kernel_image {
	my ($status, $out, $err) = run($uvdso, 'symbols', '--kernel');
	SKIP: {
		skip 'this process has no kernel vDSO', 1
		    if $status == 1 && $err =~ /there is no vDSO/;
		is($status, 0, "the running kernel's image is listed");
		my ($dump_status, undef, $dump_err) = run($uvdso, 'dump', '-o', "$dir/kernel.so");
		my $kernel = quoted("$dir/kernel.so");
		is($dump_status, 0, "the kernel's image is written to a file") or diag($dump_err);
		is_deeply(
			[rows($out)], [readelf_rows("$dir/kernel.so")],
			'the rows in memory are what readelf finds in the dump'
		);
		my (undef, $again) = run($uvdso, 'symbols', "$dir/kernel.so");
		is($again, $out, 'the dump as a file lists the same');
		like(
			`readelf -S $kernel 2>&1`, qr/\.dynsym/,
			'the dump has its section headers'
		);
		is(
			`readelf -aW $kernel 2>&1 >/dev/null`, '',
			'readelf has nothing to say against the dump'
		);
		my (undef, $piped) = run($uvdso, 'dump');
		my $dump = slurp("$dir/kernel.so");
		ok($piped eq $dump, 'to standard output goes the same');
		my ($start) = `readelf -h $kernel` =~ /Start of section headers: +(\d+)/;
		my ($size) = `readelf -h $kernel` =~ /Size of section headers: +(\d+)/;
		my ($number) = `readelf -h $kernel` =~ /Number of section headers: +(\d+)/;
		is(
			length $dump, $start + $size * $number,
			'the dump ends where the linker ended the file'
		);
		my $memory = vdso_memory();
		skip 'this process cannot read its own memory', 2 unless defined $memory;
		ok(
			length $dump && substr($memory, 0, length $dump) eq $dump,
			'the dump has the bytes of the memory'
		);
		like(
			substr($memory, length $dump), qr/^\0*$/,
			'after its end memory has nothing but padding'
		);
	}
}

# The [vdso] of this Perl: the same pages that every process of this kernel has.
sub vdso_memory {
	open my $maps, '<', '/proc/self/maps' or return;
	no warnings 'portable';    # addresses have 64 bits
	my ($from, $to) = map { /^(\w+)-(\w+) .*\[vdso\]/ ? (hex $1, hex $2) : () } <$maps>;
	return unless defined $from && open my $mem, '<:raw', '/proc/self/mem';
	sysseek $mem, $from, 0 or return;
	my $bytes;
	return sysread($mem, $bytes, $to - $from) ? $bytes : undef;
}

sub bad_files {
	my $image = slurp($image_file);
	mkdir "$dir/directory";
	mkfifo("$dir/fifo", 0600) or die "mkfifo: $!";
	spew("$dir/empty", '');
	spew("$dir/text", "this is no image\n" x 300);
	spew("$dir/cut", substr $image, 0, 2000);
	spew("$dir/half-header", substr $image, 0, 40);
	# e_machine, at 18: 183 is EM_AARCH64, 8 is EM_MIPS.
	spew("$dir/aarch64", substr($image, 0, 18) . pack('v', 183) . substr $image, 20);
	spew("$dir/elf32", substr($image, 0, 4) . "\1" . substr $image, 5);
	# The p_type of the second program header, PT_DYNAMIC, becomes PT_NOTE.
	spew("$dir/nodyn", substr($image, 0, 120) . pack('V', 4) . substr $image, 124);

	my @s = ($uvdso, 'symbols');
	fails(2, qr{^uvdso: \Q$dir\E/absent: .*No such file}, 'a missing file', @s, "$dir/absent");
	fails(2, qr{^uvdso: \Q$dir\E/directory: .*directory}, 'a directory', @s, "$dir/directory");
	fails(2, qr{^uvdso: /dev/zero: .*too large}, 'a file without end', @s, '/dev/zero');
	fails(1, qr{^uvdso: \Q$dir\E/empty: .*empty}, 'an empty file', @s, "$dir/empty");
	fails(
		1, qr{^uvdso: \Q$dir\E/fifo: .*empty}, 'a FIFO that nobody writes to', @s,
		"$dir/fifo"
	);
	fails(1, qr{^uvdso: \Q$dir\E/text: not an ELF image}, 'a text file', @s, "$dir/text");
	fails(1, qr{^uvdso: \Q$dir\E/cut: .*ends before}, 'an image cut short', @s, "$dir/cut");
	fails(
		1, qr{^uvdso: \Q$dir\E/half-header: .*ends before}, 'half a header', @s,
		"$dir/half-header"
	);
	fails(
		1, qr{^uvdso: \Q$dir\E/elf32: the program headers are not},
		'64-bit headers that are said to be 32-bit ones', @s, "$dir/elf32"
	);
	is(
		(run(@s, "$dir/aarch64"))[1], (run(@s, $image_file))[1],
		'an image that is said to be for another machine is listed all the same'
	);
	fails(
		1, qr{^uvdso: \Q$dir\E/nodyn: the dynamic section}, 'an image without PT_DYNAMIC',
		@s, "$dir/nodyn"
	);
	SKIP: {
		skip 'root may read everything', 4 if $> == 0;
		spew("$dir/secret", $image);
		chmod 0, "$dir/secret";
		fails(2, qr{denied}, 'a file that may not be read', @s, "$dir/secret");
	}
}

sub usage {
	for my $command ('symbols', 'dump') {
		my ($status, $out, $err) = run($uvdso, $command, '--help');
		is($status, 0, "$command --help is no error");
		like($out, qr/\Ausage: uvdso \Q$command\E /, "$command --help says how to call it");
		fails(
			2, qr/^uvdso: \Q$command\E: --nope: /, "$command with an unknown option",
			$uvdso, $command, '--nope'
		);
	}
	fails(
		2, qr/^uvdso: symbols: \Q$image_file\E: not expected/, 'two files', $uvdso,
		'symbols', $image_file, $image_file
	);
	fails(
		2, qr/^uvdso: symbols: \Q$image_file\E: not expected with --kernel/,
		'a file and --kernel', $uvdso, 'symbols', '--kernel', $image_file
	);
	fails(
		2, qr/^uvdso: dump: -o: needs an argument, FILE;/, '-o without a file', $uvdso,
		'dump', '-o'
	);
	fails(
		2, qr/^uvdso: dump: file: not expected/, 'dump with an operand', $uvdso, 'dump',
		'file'
	);
}

sub bad_outputs {
	fails(
		2, qr{^uvdso: \Q$dir\E/no/where: .*No such file}, 'dump into a missing directory',
		$uvdso, 'dump', '-o', "$dir/no/where"
	);
	fails(
		2, qr{^uvdso: \Q$dir\E/directory: .*directory}, 'dump over a directory',
		$uvdso, 'dump', '-o', "$dir/directory"
	);
	fails(
		2, qr{^uvdso: /dev/full: .*No space}, 'dump to a full device', $uvdso, 'dump', '-o',
		'/dev/full'
	);
	ok(-c '/dev/full', 'a device stays where it is');
	for my $command ('dump', 'symbols') {
		fails(
			2, qr{^uvdso: standard output: .*No space},
			"$command to a full standard output",
			'sh', '-c', "exec $uvdso $command >/dev/full"
		);
	}
	# The limit lets a first part of the image through, and then stops the writing.
	local $SIG{XFSZ} = 'IGNORE';
	fails(
		2, qr{^uvdso: \Q$dir\E/limited: .*too large}, 'dump to a file that cannot grow',
		'sh', '-c', "ulimit -f 1 && exec $uvdso dump -o " . quoted("$dir/limited")
	);
	ok(!-e "$dir/limited", 'half an image is not left behind');
	SKIP: {
		skip 'no script(1) to have a terminal from', 1
		    if system 'command -v script >/dev/null 2>&1';
		my ($status, $out) = run('script', '-qec', "$uvdso dump", '/dev/null');
		like($out, qr/terminal/, 'dump does not write an image to a terminal');
	}
	SKIP: {
		skip 'no valgrind to hide the vDSO', 8
		    if system 'command -v valgrind >/dev/null 2>&1';
		# Without debug information: valgrind gives up on what newer compilers write there.
		# Linked dynamically: it stands in for functions of the C library.
		system('strip', '-o', "$dir/uvdso", "$BUILD/tests/uvdso-dynamic") == 0
		    or die 'cannot strip';
		fails(
			1, qr{there is none|there is no vDSO}, "$_->[0] without a kernel vDSO",
			'valgrind', '-q', "$dir/uvdso", @$_
		) for ['dump'], ['symbols', '--kernel'];
	}
}

our_image();
kernel_image();
bad_files();
usage();
bad_outputs();
done_testing();
