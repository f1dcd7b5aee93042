#!/usr/bin/perl
# How uvdso run ends: with the program's status or signal; when it cannot run the program,
# with 127, 126 or 125 and one line on standard error that says what and why.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use POSIX ();
use Elf;
use RunTest;
use Test::More;

my $end = program('end.pie');
my $dir = temp_dir();

# Makes a file in the temporary directory; returns its path.
sub file {
	my ($name, $content, $mode) = @_;
	open my $file, '>:raw', "$dir/$name" or die "$name: $!";
	print $file $content;
	close $file;
	chmod $mode // 0755, "$dir/$name";
	return "$dir/$name";
}

# The program's own end.
is_status(uvdso($end, $_), $_, "the program's status $_ is uvdso's") for 0, 1, 42, 125, 255;
for my $name (qw(SIGTERM SIGKILL SIGSEGV SIGABRT SIGINT SIGQUIT SIGPIPE)) {
	my $signal = POSIX->can($name)->();
	# Where core files are allowed, the program's is wanted.
	my ($plain, $p) = map {
		run(
			{
				before =>
				    sub { chdir "$dir"; $SIG{$_} = 'DEFAULT' for qw(PIPE INT QUIT) }
			},
			'/bin/sh',
			'-c',
			'ulimit -c unlimited 2>/dev/null; exec "$@"',
			'sh', @$_, $end,
			-$signal
		)
	} [], [$UVDSO, @RUN];
	is($p->{signal}, $signal, "a program that dies of $name takes uvdso with it")
	    || diag "status $p->{status}";
	is($p->{core}, $plain->{core}, '... with a core file if it leaves one by itself');
	ok(!$p->{left}, '... without a process left over');
	unlink matching($dir, 'core*');
}
is_status(
	uvdso({before => sub { $SIG{TERM} = 'IGNORE' }}, $end, -POSIX::SIGTERM()), 241,
	'a program that inherits SIGTERM ignored does not die of it'
);

# No such program.
refused(
	uvdso("$dir/missing"), 127, qr{\Q$dir\E/missing: No such file},
	'a path that is not there gives 127'
);
refused(
	uvdso('uvdso-no-such-program'), 127, qr/uvdso-no-such-program: not found in PATH/,
	'a name that is not in PATH gives 127'
);
refused(uvdso(''), 127, qr/empty/, 'an empty name gives 127');
refused(uvdso("$end/x"), 127, qr{end\.pie/x: Not a directory}, 'a path through a file gives 127');
refused(
	uvdso({env => {PATH => ''}}, 'date'), 127, qr/date/,
	'an empty PATH is the working directory'
);
is_status(
	uvdso({env => {PATH => "/nowhere:/bin"}}, 'true'), 0,
	'a program is found in a later directory of PATH'
);
is_status(uvdso({env => {}}, 'true'), 0, 'without PATH the usual directories are searched');
is_status(
	uvdso({env => {PATH => ':/nowhere'}, before => sub { chdir '/bin' }}, 'true'), 0,
	'an empty entry of PATH is the working directory'
);
symlink $end, "$dir/link";
is_status(uvdso("$dir/link", 3), 3, 'a symbolic link is followed');
symlink 'loop', "$dir/loop";
refused(uvdso("$dir/loop"), 126, qr/symbolic links/, 'a link to itself gives 126');

# There, but not to be run.
refused(
	uvdso(file('plain', "#!/bin/sh\n", 0644)), 126, qr{/plain: Permission denied},
	'a file that is not executable gives 126'
);
refused(
	uvdso({env => {PATH => "$dir"}}, 'plain'), 126, qr/plain: .*not executable/,
	'... also when it is in PATH'
);
refused(
	run($UVDSO, 'run', '--follow', '--exec=hand', 'true'),
	125, qr/--exec=hand: not together with --follow/,
	'what is started by hand is not followed, and it says so'
);
refused(
	run($UVDSO, 'trace', '--exec=hand', 'true'),
	125, qr/--exec=hand: not together with trace/,
	'... nor traced'
);
refused(uvdso("$dir"), 126, qr/directory/, 'a directory gives 126');
refused(uvdso(file('empty', '')), 126, qr{/empty: }, 'an empty file gives 126');
refused(
	uvdso(file('text', "hello\n")), 126, qr/neither an ELF file nor a script/,
	'a text without #! gives 126'
);
POSIX::mkfifo("$dir/fifo", 0755);
refused(uvdso("$dir/fifo"), 126, qr/fifo: Permission denied/, 'a FIFO gives 126, without a wait');
refused(uvdso('/dev/null'), 126, qr{/dev/null}, 'a device gives 126');

my $elf = slurp($end);
my $copy = file('setuid', $elf);
chmod 04755, $copy;
refused(uvdso($copy), 126, qr/setuid/, 'a setuid program gives 126: its rights would be missing');
chmod 02755, $copy;
refused(uvdso($copy), 126, qr/setgid/, 'a setgid program gives 126');
chmod 02644 | 0101, $copy;
SKIP: {
	my $setcap = (grep { -x } qw(/usr/sbin/setcap /sbin/setcap))[0];
	skip 'setcap is not installed (package libcap2-bin)', 1 unless $setcap;
	chmod 0755, $copy;
	skip 'file capabilities cannot be set here', 1
	    if run($setcap, 'cap_net_raw+ep', $copy)->{status};
	refused(
		uvdso($copy), 126, qr/file capabilities/,
		'a program with file capabilities gives 126'
	);
}

# ELF files that are damaged or foreign.
sub patched {
	my ($name, $offset, $bytes) = @_;
	my $content = $elf;
	substr $content, $offset, length $bytes, $bytes;
	return file($name, $content);
}
# EM_AARCH64, or EM_RISCV.
my $OTHER = pack 'v', $Build::MACHINE eq 'aarch64' ? 243 : 183;
refused(
	uvdso(patched('other', 18, $OTHER)), 126, qr/another machine/,
	'a program for another machine gives 126'
);
substr $elf, 54, 2, pack 'v', 32;
refused(uvdso(patched('elf32', 4, "\1")), 126, qr/another machine/, 'a 32-bit program gives 126');
substr $elf, 54, 2, pack 'v', 56;
refused(
	uvdso(patched('big-endian', 18, "\0\x3e")), 126, qr/another machine/,
	'a big-endian program gives 126'
);
refused(
	uvdso(patched('object', 16, pack 'v', 1)), 126, qr/not a program/,
	'an object file gives 126'
);
refused(
	uvdso(patched('phentsize', 54, pack 'v', 1)), 126, qr/program headers/,
	'a wrong size of program headers gives 126'
);
refused(
	uvdso(patched('no-headers', 56, pack 'v', 0)), 126, qr/program headers/,
	'no program headers give 126'
);
refused(
	uvdso(patched('phoff', 32, pack 'Q<', ~0)), 126, qr/program headers/,
	'program headers after the end of the file give 126'
);
# Where the last PT_LOAD ends: type 1, offset at 8, p_filesz at 32 of 56 bytes.
my $loaded = 0;
for my $i (0 .. unpack('x56 v', $elf) - 1) {
	my ($type, $offset, $size) = unpack 'V x4 Q< x16 Q<', substr $elf, 64 + 56 * $i, 56;
	$loaded = $offset + $size if $type == 1 && $offset + $size > $loaded;
}
# What lacks fewer bytes than a page runs, and finds zeros (tests/exec/odd-files.t).
for my $size (1, 20, 63, 64, 100, 0x300, $loaded - $loaded % 4096) {
	refused(
		uvdso(file("cut-$size", substr $elf, 0, $size)), 126, qr/cut-\d/,
		"an ELF file that was cut off after $size bytes gives 126"
	);
}
{
	my ($at) = $elf =~ m{/lib[^\0]*/ld-[^\0]*\0} ? $-[0] : 0;
	refused(
		uvdso(patched('interp', $at, '/lib64/no-linux')), 126,
		qr{/interp: its interpreter /lib64/no-linux\S* does not exist},
		'a missing ELF interpreter gives 126, and is named'
	);
}

# Scripts.
sub script { return file(@_) }
# A link: no name in a #! line may have a blank.
symlink program('start.pie'), "$dir/start" or die;
my $start = "$dir/start";
sub arguments { return facts(uvdso(@_)->{out})->{argv} }

is_deeply(
	arguments(script('plain-script', "#!$start\n"), 'a', ''),
	[$start, "$dir/plain-script", 'a', ''],
	'a script is run by its interpreter'
);
is_deeply(
	arguments(script('one', "#! $start \t one two \n"), 'a'),
	[$start, 'one two', "$dir/one", 'a'],
	'what follows the interpreter is one argument, without the blanks around it'
);
is(
	facts(uvdso("$dir/one")->{out})->{execfn}[0],
	run("$dir/one")->{out} =~ /^execfn (.*)/m && $1,
	'AT_EXECFN of a script is what the kernel makes it'
);
is(
	facts(uvdso("$dir/one")->{out})->{name}[0], run("$dir/one")->{out} =~ /^name (.*)/m && $1,
	'so is the name of its process'
);
script('outer', "#!$dir/one x\n");
is_deeply(
	arguments("$dir/outer", 'a'), [$start, 'one two', "$dir/one", 'x', "$dir/outer", 'a'],
	'the interpreter of a script may be a script'
);
is_deeply(
	arguments(script('no-newline', "#!$start")), [$start, "$dir/no-newline"],
	'a #! line needs no end'
);
is_status(uvdso(script('sh', "#!/bin/sh\nexit 9\n")), 9, 'a shell script gives its status');
is_deeply(
	[arguments({env => {PATH => "$dir"}}, 'plain-script')], [[$start, "$dir/plain-script"]],
	'a script from PATH is handed to its interpreter by its path'
);

script('deep-0', "#!$start\n");
script("deep-$_", "#!$dir/deep-" . ($_ - 1) . "\n") for 1 .. 7;
for my $depth (0 .. 7) {
	my $plain = run("$dir/deep-$depth");
	my $p = uvdso("$dir/deep-$depth");
	if ($plain->{status} == 0) {
		is(
			$p->{out} =~ /^argc (.*)/m && $1, $plain->{out} =~ /^argc (.*)/m && $1,
			"$depth scripts in front of an interpreter run, as they do without uvdso"
		);
	} else {
		refused(
			$p, 126, qr/#! lines/,
			"$depth scripts in front of an interpreter give 126: the kernel refuses, too"
		);
	}
}

refused(
	uvdso(script('self', "#!$dir/self\n")), 126, qr/#! lines lead to each other/,
	'a script that is its own interpreter gives 126'
);
refused(
	uvdso(script('lost', "#!/no/such/interpreter -x\n")), 126,
	qr{/lost: the interpreter /no/such/interpreter .*does not exist},
	'a missing interpreter gives 126, and is named'
);
refused(
	uvdso(script('crlf', "#!/bin/sh\r\nexit 0\r\n")), 126, qr{/crlf: the interpreter /bin/sh},
	'a script with carriage returns gives 126, for its interpreter'
);
refused(uvdso(script('nothing', "#!\n")), 126, qr/names nothing/, 'an empty #! line gives 126');
refused(uvdso(script('blank', "#! \t \n")), 126, qr/names nothing/, 'so does a blank one');

# uvdso's own command line.
refused(uvdso(), 125, qr/no PROGRAM given/, 'no program gives 125');
refused(uvdso('--'), 125, qr/no PROGRAM given/, 'nor does -- name one');
refused(
	uvdso('--no-such-option', $end), 125, qr/--no-such-option: no such option/,
	'an unknown option gives 125'
);
refused(
	uvdso('--offset'), 125, qr/--offset: needs an argument/,
	'an option without its argument gives 125'
);
for my $text (
	'realtime', 'realtime=', 'realtime=5', 'realtime=55', 'realtime=+', 'realtime=+5x',
	'realtime=+5ss',
	'realtime=+1,5d', 'realtime= +1', 'realtime=+-1', 'foo=+1', '=+1', '', 'real=+1',
	'realtime=+99999999999d', 'realtime=+99999999999999999999999', 'realtime=-99999999999d'
    )
{
	refused(
		uvdso('--offset', $text, $end), 125, qr/\Auvdso: .*offset/,
		"--offset '$text' gives 125"
	);
}
refused(
	uvdso('--offset', 'realtime=-100000d', $end), 125,
	qr/realtime is \d+ s \(20\S+ \S+ UTC\) now and would become -\d+ s \(17\d\d-\S+ \S+ UTC\);/,
	'an offset that makes a clock negative gives 125, and says which date that would be'
);
refused(
	uvdso('--offset', 'monotonic=-100000d', $end), 125, qr/monotonic is \d+ s now/,
	'... for every clock'
);
is_status(uvdso('--offset', 'realtime=+0', $end), 0, 'an offset of nothing is one');

refused(
	uvdso('--image', "$dir/missing", $end), 125, qr{/missing: No such file},
	'an image that is not there gives 125'
);
refused(uvdso('--image', "$dir", $end), 125, qr/directory/i, 'a directory for an image gives 125');
for (
	['garbage', "garbage\n" x 100, 'a file that is no image'], ['none', '', 'an empty image'],
	['short', substr($elf, 0, 70), 'an image that was cut off'],
	['program', $elf, 'a program for an image']
    )
{
	my ($name, $content, $what) = @$_;
	refused(
		uvdso('--image', file($name, $content), $end), 126, qr/\Q$dir\/$name\E/,
		"$what gives 126, and is named"
	);
}
refused(
	run('/bin/sh', '-c', 'ulimit -s 24; exec env -i "$@"', 'sh', $UVDSO, @RUN, $end), 125,
	qr/the stack may be 24576 bytes/, 'a stack that is too short for uvdso gives 125'
);
SKIP: {
	my ($image) =
	    grep { -e } map { "$BUILD/$_/vdso.so" } (POSIX::uname())[4];
	skip 'the image is not built', 1 unless $image;
	is_status(uvdso('--image', $image, $end, 4), 4, 'the image may come from a file');

	# What --force takes, and still cannot be done.
	my $flat = slurp($image);
	substr $flat, unpack('x4 C', $flat) == 2 ? 60 : 48, 2, "\0\0";    # e_shnum
	refused(
		run($UVDSO, qw(trace --force --image), file('flat', $flat), $end), 126,
		qr/no section \.dynsym/,
		'trace gives 126 for an image without sections, and says why'
	);
	my $wild = slurp($image);
	my $elf = Elf->new($wild);
	my $table = $elf->section('.cpu_alt');
	if ($table) {
		substr $wild, $table->{offset}, 4, pack 'l<', 0x7fffffff;
		refused(
			run($UVDSO, qw(run --force --image), file('wild', $wild), $end), 126,
			qr/its alternatives lead out of the image/,
			'run gives 126 for alternatives that lead outside, and says so'
		);
	}
}

done_testing;
