#!/usr/bin/perl
# Files that are odd, broken or no programs at all: uvdso runs what the kernel runs, by the
# kernel's execve(2) and by hand, and refuses what it refuses. Nothing is said of the messages:
# uvdso knows more than an error number can tell.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use RunTest;
use Test::More;

my $dir = temp_dir();
my $probe = program('probe.static');
my %of = map { $_ => slurp(program("probe.$_")) } qw(static pie);
my ($interp) = $of{pie} =~ m{(/lib[^\0]*/ld-[^\0]*)\0};
plan skip_all => 'this is about 64-bit ELF files' if unpack('x4 C', $of{static}) != 2;

sub file {
	my ($name, $content, $mode) = @_;
	open my $file, '>', "$dir/$name" or die "$dir/$name: $!";
	print $file $content;
	close $file;
	chmod $mode // 0755, "$dir/$name";
	return "$dir/$name";
}

# The program of a kind with some bytes changed: header(OFFSET, TEMPLATE, VALUE).
sub header {
	my ($kind, $offset, $template, $value) = @_;
	my $bytes = $of{$kind};
	my $new = pack $template, $value;
	substr $bytes, $offset, length $new, $new;
	return $bytes;
}

# ... and with fields of its first program header of a type changed, {FIELD => VALUE}. The last
# one of PT_LOAD is the one with data.
my %field = (
	type => [0, 'V'], flags => [4, 'V'], offset => [8, 'Q<'], vaddr => [16, 'Q<'],
	filesz => [32, 'Q<'], memsz => [40, 'Q<'], align => [48, 'Q<']
);

sub segment {
	my ($kind, $type, $which, $change) = @_;
	my $bytes = $of{$kind};
	my ($at, $count) = (unpack('x32 Q<', $bytes), unpack('x56 v', $bytes));
	my @found = grep { unpack('V', substr $bytes, $_, 4) == $type }
	    map { $at + 56 * $_ } 0 .. $count - 1;
	for my $header ($which eq 'all' ? @found : $found[$which]) {
		for my $name (keys %$change) {
			my ($offset, $template) = @{$field{$name}};
			my $old = unpack $template, substr $bytes, $header + $offset, 8;
			my $value = $change->{$name};
			my $new = pack $template, ref $value ? $value->($old) : $value;
			substr $bytes, $header + $offset, length $new, $new;
		}
	}
	return $bytes;
}

# ... and with many more segments, each with a hole before it.
sub with_segments {
	my ($kind, $more) = @_;
	my $bytes = $of{$kind};
	my ($at, $count) = (unpack('x32 Q<', $bytes), unpack('x56 v', $bytes));
	my $headers = substr $bytes, $at, 56 * $count;
	$headers .= pack 'V2 Q<6', 1, 4, 0, 0x10000000 + 0x4000 * $_, 0, 4096, 4096, 4096
	    for 1 .. $more;
	substr $bytes, 32, 8, pack 'Q<', length $bytes;
	substr $bytes, 56, 2, pack 'v', $count + $more;
	return $bytes . $headers;
}

use constant {LOAD => 1, INTERP => 3, NOTE => 4};
my ($load_end) = do {
	my $at = unpack 'x32 Q<', $of{static};
	my @ends = map {
		my $h = substr $of{static}, $at + 56 * $_, 56;
		unpack('V', $h) == LOAD ? unpack('x8 Q<', $h) + unpack('x32 Q<', $h) : ()
	} 0 .. unpack('x56 v', $of{static}) - 1;
	(sort { $b <=> $a } @ends)[0];
};

mkdir "$dir/directory";
symlink 'loop', "$dir/loop";
POSIX::mkfifo("$dir/fifo", 0755);
my $long = $dir . '/' . 'x' x (200 - length $dir);
symlink $probe, $long;
file("deep-0", "#!$probe\n");
file("deep-$_", "#!$dir/deep-" . ($_ - 1) . "\n") for 1 .. 6;
my $padding = 255 - 2 - length $long;
file('text-loader', 'not a loader' x 100);

my @files = (
	# ELF headers.
	['as it is', file('as-it-is', $of{static})],
	['empty', file('empty', '')],
	['three bytes', file('three', "\x7fEL")],
	['only a magic number', file('magic', "\x7fELF")],
	['half of a header', file('half', substr $of{static}, 0, 32)],
	['a header without the rest', file('header', substr $of{static}, 0, 64)],
	['of another class', file('class', header('static', 4, 'C', 1))],
	['of another byte order', file('order', header('static', 5, 'C', 2))],
	['of another ELF version', file('version', header('static', 6, 'C', 7))],
	['of another system', file('osabi', header('static', 7, 'C', 99))],
	['an object', file('object', header('static', 16, 'v', 1))],
	['a core dump', file('core', header('static', 16, 'v', 4))],
	['for another machine', file('machine', header('static', 18, 'v', 183))],
	['without program headers', file('phnum', header('static', 56, 'v', 0))],
	['with too many program headers', file('phnum-many', header('static', 56, 'v', 2000))],
	['with program headers of another size', file('phentsize', header('static', 54, 'v', 32))],
	['with program headers after its end', file('phoff', header('static', 32, 'Q<', 1 << 40))],
	# Segments.
	['without a segment', file('no-load', segment('static', LOAD, 'all', {type => NOTE}))],
	[
		'with a segment of 0 bytes',
		file('zero', segment('static', NOTE, 0, {type => LOAD, filesz => 0, memsz => 0}))
	],
	['with an alignment of 3', file('align-3', segment('pie', LOAD, 'all', {align => 3}))],
	['with an alignment of 1', file('align-1', segment('pie', LOAD, 'all', {align => 1}))],
	['with an alignment of 0', file('align-0', segment('pie', LOAD, 'all', {align => 0}))],
	[
		'with an alignment of 16 MiB',
		file('align-16m', segment('pie', LOAD, 'all', {align => 1 << 24}))
	],
	[
		'with more bytes in the file than in memory',
		file('filesz', segment('static', LOAD, -1, {memsz => 16}))
	],
	[
		'with an offset that does not fit its address',
		file('congruent', segment('static', LOAD, -1, {offset => sub { $_[0] + 8 }}))
	],
	[
		'with a segment outside of user space',
		file('high', segment('static', LOAD, -1, {vaddr => sub { 0x7fffffff << 32 }}))
	],
	['cut off in its data', file('cut-data', substr $of{static}, 0, $load_end - 16)],
	['cut off in its code', file('cut-code', substr $of{static}, 0, 4096)],
	['cut off after its segments', file('cut-rest', substr $of{static}, 0, $load_end)],
	[
		'with a segment that goes on after the end of the file',
		file(
			'beyond',
			segment(
				'static', NOTE, 0,
				{
					type => LOAD, flags => 4, offset => 1 << 30,
					vaddr => 0x10000000, filesz => 4096, memsz => 4096,
					align => 4096
				}
			)
		)
	],
	['with a thousand segments', file('segments', with_segments('static', 1000))],
	# Interpreters.
	[
		'whose interpreter is missing',
		file('interp-missing', $of{pie} =~ s{/ld-linux-}{/xx-linux-}r)
	],
	[
		'whose interpreter has no end',
		file('interp-end', segment('pie', INTERP, 0, {filesz => 10}))
	],
	[
		'whose interpreter has no name',
		file('interp-empty', segment('pie', INTERP, 0, {filesz => 1}))
	],
	[
		'whose interpreter is a directory',
		file(
			'interp-dir',
			$of{pie} =~ s{\Q$interp}{'/usr/lib' . "\0" x (length($interp) - 8)}er
		)
	],
	[
		'whose interpreter is no ELF file',
		file(
			'interp-text',
			$of{pie} =~
			    s{\Q$interp}{my $t = '/etc/passwd'; $t . "\0" x (length($interp) - length $t)}er
		)
	],
	# Scripts.
	['a script', file('script', "#!$probe\n")],
	['a script with an argument', file('script-arg', "#! $probe \t two words \t\n")],
	['a script that names nothing', file('script-nothing', "#!\n")],
	['a script of blanks', file('script-blank', '#!' . ' ' x 300)],
	['a script without an end of line', file('script-end', "#!$probe")],
	['a script whose line is 255 bytes', file('script-255', '#!' . ' ' x $padding . "$long\n")],
	[
		'a script whose line is 256 bytes',
		file('script-256', '#! ' . ' ' x $padding . "$long\n")
	],
	[
		'a script whose line is 254 bytes and goes on',
		file('script-254', '#!' . ' ' x ($padding - 1) . "$long more and more\n")
	],
	['a script whose argument is cut off', file('script-cut', "#!$probe " . 'a' x 300 . "\n")],
	['a script whose interpreter is missing', file('script-missing', "#!/nowhere/at/all\n")],
	['a script whose interpreter is a directory', file('script-dir', "#!$dir/directory\n")],
	['a script whose interpreter is no program', file('script-text', "#!$dir/text-loader\n")],
	['a script of a script', "$dir/deep-1"],
	['a script of four scripts', "$dir/deep-4"],
	['a script of five scripts', "$dir/deep-5"],
	# Other files.
	['not executable', file('plain', $of{static}, 0644)],
	['a directory', "$dir/directory"],
	['a FIFO', "$dir/fifo"],
	['a link to itself', "$dir/loop"],
	['a name that is too long', $dir . '/' . 'x' x 300],
	['a file below a file', "$dir/as-it-is/below"],
	['not there', "$dir/not-there"],
);

my $surroundings = program('surroundings.pie');

# How it ended: it ran, and with which arguments; or it did not.
sub outcome {
	my ($p) = @_;
	return $p->{status} || $p->{signal} || $p->{out} eq ''
	    ? 'it does not run'
	    : 'it runs: ' . (facts($p->{out})->{cmdline}[0] // '');
}

mkdir "$dir/in";
for (@files) {
	my ($what, $path) = @$_;
	my $native = outcome(run($surroundings, "$dir/in", $path, 'argument'));
	for my $way (qw(kernel hand)) {
		my $p = run(
			$surroundings, "$dir/in", $UVDSO, 'run', "--exec=$way", '--', $path,
			'argument'
		);
		is(outcome($p), $native, "by $way, $what: " . ($native =~ s/:.*//r))
		    || diag $p->{err};
	     # A refusal is a status of 126 or 127 and a sentence. The kernel's own end is a signal.
		ok(
			$p->{signal}
			    || ($p->{status} =~ /^12[67]$/ && $p->{err} =~ /\Auvdso: .+\n\z/),
			'... and it is said why'
		    )
		    || diag "status $p->{status}: $p->{err}"
		    if outcome($p) eq 'it does not run';
	}
}

# ---- formats of others' ----------------------------------------------------------------------
# In a user namespace of its own (Linux 6.7), where the tree's /proc can be mounted over.
my @registered = (
	qw(unshare -Urm sh -ec),
	'm=/proc/sys/fs/binfmt_misc; mount -t binfmt_misc none $m;'
	    . 'echo ":odd:M::ODD::/bin/cat:" >$m/register; exec "$@"', 'sh'
);
SKIP: {
	skip 'a format cannot be registered here', 5 if run(@registered, 'true')->{status};
	my $odd = file('odd', "ODD format\n");
	for my $how ([], ['--exec=kernel'], ['--follow']) {
		my $p = run(@registered, $UVDSO, 'run', @$how, '--', $odd);
		is(
			$p->{out}, "ODD format\n",
			"a format registered with the kernel has its interpreter: @$how"
		) || diag $p->{err};
	}
	my $p = run(@registered, $UVDSO, qw(run --exec=hand --), $odd);
	is(
		"$p->{status} $p->{err}",
		"126 uvdso: $odd: neither an ELF file nor a script that starts with #!\n",
		'by hand there is none'
	);
	$p = run(@registered, $UVDSO, 'run', "$dir/text-loader");
	like(
		"$p->{status} $p->{err}", qr/^126 uvdso: .*: neither an ELF file nor a script/,
		'a file of no format is refused as ever'
	);
}

done_testing;
