#!/usr/bin/perl
# own.t - a function of your own in the image (vdso-src/own.c), whatever it does: it is found, it keeps
# the rules, and wherever a program calls it the answer is right.
#
# What is right only the program knows that comes with it: `own check` compares. So that is put to
# the test as well, with an image whose function does nothing.
use strict;
use warnings;
use Test::More;
use lib 'tests/lib';
use Build;
use Elf;
use POSIX ();
use RunTest;

plan skip_all => 'a function of your own is for x86-64' if $MACHINE ne 'x86_64';

$ENV{LC_ALL} = 'C';
my $source = 'vdso-src/own.c';
my $image = "$BUILD/x86_64/own/x86_64/vdso.so";
my $program = "$BUILD/tests/programs/own";
my $node = 'LINUX_2.6';
my $dir = temp_dir();    # gone at the end

sub point {
	my ($ok, $what, $expected, $got, @why) = @_;
	$got =~ s/\n(?=.)/\n          /g;
	ok($ok, $what) and return 1;
	diag(
		"expected  $expected\ngot       ", $got =~ s/\n*\z//r,
		@why ? ("\nwhy: ", join "\n     ", @why) : ()
	);
	return 0;
}

sub text { my ($p) = @_; return "$p->{out}$p->{err}" }

# Nothing more can be said; and nothing is, by Test::More.
sub end {
	done_testing();
	undef $dir;
	POSIX::_exit(1);
}

# ---- it is built ----
my $make = run('make', '-s', "B=$BUILD", 'own');
my @said = grep { !/^make\b/ } split /^/, text($make);
point(
	!$make->{status},
	'it is built, and breaks no rule of an image',
	'no message',
	join('', @said[0 .. ($#said < 11 ? $#said : 11)]),
	"@said" =~ /multiple definition|duplicate version|redefinition of/
	? 'a name that is taken already cannot be given once more'
	: "@said" =~ /undefined version|symbol not defined/
	? 'the node lists a name, and there is no function of that name'
	: "@said" =~ /rule no-(?:relocations|got)/
	? 'nobody puts an address into it: the image is used as it is, wherever it lies'
	: "@said" =~ /rule no-(?:data|bss|tls)/
	? 'all programs share one image, and nobody may write to it'
	: ()
    )
    || end();

# ---- what it exports ----
sub exported {
	my ($path) = @_;
	my $elf = Elf->new(slurp($path));
	my %name;
	for my $symbol (grep { $_->{shndx} && $_->{shndx} < 0xff00 } @{$elf->{symbols}}) {
		my ($version) =
		    grep { $_->{ndx} == ($symbol->{versym} & 0x7fff) } @{$elf->{verdefs}};
		$name{$symbol->{text}} =
		    {%$symbol, version => $version ? $version->{text} : 'no version'};
	}
	return ($elf, %name);
}
my (undef, %usual) = exported("$BUILD/x86_64/vdso.so");
my ($elf, %name) = exported($image);
my @new = sort grep { !$usual{$_} } keys %name;
my @functions = grep { /^__vdso_/ } @new;
my @plain = grep { !/^__vdso_/ } @new;

# One that no list has is in the image all the same, and hidden.
my @hidden = grep { !$usual{$_} && !$name{$_} }
    `readelf -W -s $image.dbg` =~ /FUNC +LOCAL +\w+ +\w+ (__vdso_\w+)$/mg;
my $nothing = @hidden ? "$hidden[0] is in the image, but hidden" : 'there is none yet';

sub each_function {
	my ($what, $expected, $wrong, @why) = @_;
	my @wrong = grep { defined } map { $wrong->($_) } @functions;
	return point(
		@functions && !@wrong, $what, $expected,
		@functions ? $wrong[0] // '' : $nothing, @why
	);
}

point(
	scalar @functions,
	'a function is exported that the image did not have, with the prefix __vdso_',
	'a new name',
	@plain && !@functions ? "@plain, without the prefix" : $nothing,
	'what no version node lists is hidden by `local: *` of the first one'
);
each_function(
	'it has a version of its own, in which nobody else has promised anything',
	'a node that is not one of Linux',
	sub {
		my $version = $name{$_[0]}{version};
		$version =~ /^LINUX|^no version$/ ? "$_[0]: $version" : undef;
	},
	"$node is a promise of Linux: it has made none about this function, and may make",
	'another one under that name. A node of your own is yours to keep'
);
my ($libc) = slurp('/proc/self/maps') =~ m{(/\S+/libc\.so\.6)$}m;
my %taken = $libc ? map { $_ => 1 } `nm -D --defined-only $libc` =~ / [TWi] (\w+)@/g : ();
each_function(
	'beside it there is its plain name: weak, the same function, and not one of the C library',
	'all of that',
	sub {
		my ($long) = @_;
		my $short = $long =~ s/^__vdso_//r;
		my $symbol = $name{$short} // return "$short: not there";
		return
		      $symbol->{bind} != 2 ? "$short is not weak"
		    : $symbol->{value} != $name{$long}{value} ? "$short is another function"
		    : $symbol->{version} ne $name{$long}{version} ? "$short: $symbol->{version}"
		    : $taken{$short} ? "$short is a function of the C library"
		    : undef;
	},
	'EXPORT makes both names, and the node lists both. A weak one gives way to what a program',
	'has by that name; one that the C library has means two things'
);
my $promises = join "\n", slurp($source) =~ m{(/\*(?:(?!\*/).)*\*/|//[^\n]*)}sg;
each_function(
	'its promise is written down: how it is called, and which system call answers in its place',
	"in a comment: a prototype, like `long name(void)`, and a system call, like `clock_gettime(2)`",
	sub {
		my $short = $_[0] =~ s/^__vdso_//r;
		return $promises !~ /\w[\w \t]*[ *](?:__vdso_)?\Q$short\E\(/
		    ? "no prototype of $short"
		    : $promises !~ /\w+\(2\)/ ? 'no system call'
		    : undef;
	},
	'whoever calls it has only this. Without a way that does without the vDSO no program can rely on it'
);
my $size = -s $image;
each_function(
	'the image still fits into two pages', '8192 bytes at most',
	sub { $size > 8192 ? "$size" : undef },
	'so much is kept free for it in every program, and mapped'
);

# ---- who calls it ----
# A reader that waits for ever is ended by the alarm.
my %limit = (before => sub { alarm 3 * $PATIENCE });

sub call {
	my ($image, @run) = @_;
	my @options = grep { /^--/ } @run;
	return run(
		\%limit, $UVDSO, 'run', @options, '--image', $image, '--', $program,
		grep { !/^--/ } @run
	);
}

sub result {
	my ($p) = @_;
	return
	     !@functions ? $nothing
	    : $p->{timed_out} || ($p->{signal} // 0) == 14 ? 'it did not end'
	    : $p->{signal} ? "the program was killed by signal $p->{signal}"
	    : $p->{status} == 2 ? 'find() has found nothing'
	    : length text($p) ? text($p)
	    : "status $p->{status}";
}

sub fine { my ($p) = @_; return @functions && !$p->{status} && !$p->{signal} && !$p->{timed_out} }

my $plain = call($image, 'check');
my $fine = point(
	fine($plain), 'a program that knows its name and version finds it, and the answer is right',
	'a thousand right answers', result($plain),
	'find() asks for name and version, and is_right() compares'
);

# Without one that can be called, the rest says the same again.
my $skip = !$fine && (@functions ? 'the program has no right answer yet' : $nothing);

sub in_state {
	my ($what, $why, $p) = @_;
	my $waits = !$skip && ($p->{signal} // 0) == 14;
	$skip ||= 'it does not end' if $waits;
	return point(
		fine($p), $what, 'the right answer', result($p), @$why,
		$waits ? 'The number is odd there, for ever: whoever waits needs an end' : ()
	);
}

sub when_called {
	my ($code) = @_;
	return $skip ? {status => 1, out => $skip, err => ''} : $code->();
}

in_state(
	'in a time namespace the answer is right, too',
	[
		'there the first page has offsets, and the data page is the next one. Whoever asks the',
		'kernel instead must add the offset to what it says'
	],
	when_called(sub {
		call(
			$image,
			qw(--no-follow --offset=monotonic=+1d --offset=boottime=+10d),
			qw(--offset=realtime=-1000d check)
		);
	})
);
in_state(
	'without a usable counter it falls back to a system call',
	[
		'the mode of the data page is NONE then, and what it says of fine clocks is old. The',
		'offset of a time namespace is to be added all the same'
	],
	when_called(sub {
		my $p = call($image, '--no-counter', 'check');
		return fine($p)
		    ? call($image, '--no-counter', '--no-follow', '--offset=monotonic=+1d', 'check')
		    : $p;
	})
);

# The timekeeper is killed; the watchdog then abandons the data page, and what that says is old.
sub orphaned {
	pipe my $out, my $in or die "pipe: $!";
	my $p = spawn(
		{
			before => sub {
				open STDIN, '<&', $out or POSIX::_exit(99);
				close $in;
				alarm 3 * $PATIENCE;
			}
		},
		$UVDSO, 'run',
		'--image',
		$image, '--', $program, 'check',
		'wait'
	);
	close $out;
	if (wait_until { slurp($p->{out}->filename) =~ /ready/ }) {
		my $keeper = attendant($p->{pid}, 'uvdso-keeper');
		my $watchdog = attendant($p->{pid}, 'uvdso-watchdog');
		kill 'KILL', $keeper if $keeper;
		wait_until { slurp("/proc/$watchdog/stat") !~ /\) [^ZX]/ } if $watchdog;
	}
	print $in "\n";
	close $in;
	finish($p);
	$p->{out} =~ s/^ready\n//;
	return $p;
}
in_state(
	'when nobody keeps the data page any more, it falls back, too',
	[
		'the number of an abandoned data page is odd for ever, and what it says is old: do not',
		'wait for an even one without an end'
	],
	when_called(\&orphaned)
);

# Every new name leads to code that answers the same to all, in the place of the first section header,
# which is empty.
sub with_answer {
	my ($code) = @_;
	my ($bytes, $at, $path) = ($elf->{bytes}, $elf->{ehdr}{shoff}, "$dir/empty.so");
	substr $bytes, $at, length $code, $code;
	substr $bytes, $name{$_}{at} + 8, 8, pack 'Q<', $at for @new;
	open my $file, '>', $path or BAIL_OUT("$path: $!");
	print $file $bytes;
	close $file;
	return $path;
}

# Is it called so many times at all? In its place there is getpid(2).
my $asked = when_called(sub {
	run(
		\%limit, $UVDSO, qw(run --force --image),
		with_answer("\xb8\x27\x00\x00\x00\x0f\x05\xc3"),
		$program, 'traps'
	);
});
my ($times) = $asked->{out} =~ /^(\d+) system calls/;
my $asks = $skip || !defined $times || $times >= 1000;

my $traps = when_called(sub { call($image, 'traps') });
SKIP: {
	skip $traps->{out} =~ s/\n//r, 1 if $traps->{status} == 3;
	my ($number) = $traps->{out} =~ /^(\d+) system calls/;
	point(
		!$skip && $asks && defined $number && $number < 10,
		'as long as the data page has the answer, it makes no system call',
		$asks ? '0 in a thousand calls' : 'ask_vdso(function, 1000) to call it so often',
		$skip || ($asks ? result($traps) : "$times calls"),
		$asks
		? 'that is what a vDSO is for'
		: 'what is not called makes no system call, and costs nothing'
	);
}

# On the first CPU 0 can be the truth.
my ($cpu) = slurp('/proc/self/status') =~ /^Cpus_allowed_list:.*?(\d+)$/m;
my %answer = (
	-38 => "\x48\xc7\xc0\xda\xff\xff\xff\xc3",
	12345678 => "\xb8\x4e\x61\xbc\x00\xc3",
	$cpu ? (0 => "\x31\xc0\xc3") : ()
);
my $unnoticed;
for my $answer (sort keys %answer) {
	last if $skip || defined $unnoticed;
	my $p = run(
		\%limit, 'taskset', '-c', $cpu, $UVDSO, qw(run --force --image),
		with_answer($answer{$answer}), $program, 'check'
	);
	$unnoticed =
	    "with $answer "
	    . ($p->{status} ? "status $p->{status}, " . text($p) : 'a thousand right answers')
	    if $p->{status} != 1 || !length $p->{out};
}
point(
	!$skip && !defined $unnoticed,
	'the program notices a function that gives the same answer for ever, and says what is wrong',
	'status 1, and a line that is_right() has printed',
	$skip || ($unnoticed // ''),
	'whatever is_right() cannot tell from the truth, nobody has tested'
);

# The node under another name; and no such function at all.
my $other = "$dir/other.so";
{
	my $bytes = $elf->{bytes};
	my $version = @functions ? $name{$functions[0]}{version} : '';
	my $renamed = $version =~ s/(.)$/$1 eq 'x' ? 'y' : 'x'/er;
	$bytes =~ s/\0\K\Q$version\E(?=\0)/$renamed/ if length $version;
	open my $file, '>', $other or BAIL_OUT("$other: $!");
	print $file $bytes;
	close $file;
}
my $renamed = when_called(sub { call($other, '--force', 'check') });
my $kernels = when_called(sub { run(\%limit, $program) });
point(
	      !$skip
	    && $renamed->{status} == 2
	    && !$kernels->{status}
	    && !$kernels->{signal}
	    && length $kernels->{out},
	'with another version it is not taken, and where there is none the program answers all the same',
	'not found; and on the kernel\'s vDSO, an answer of show(NULL)',
	$skip
	    || (
		  $renamed->{status} != 2 ? 'it took the function of another version'
		: $kernels->{status} || $kernels->{signal} ? result($kernels)
		: 'no answer'
	    ),
	'a version is the part of the promise that is checked. And most machines will never have',
	'your function'
);

# ---- what it costs ----
# The ratio alone, and three times if something disturbs. Without a counter a fine clock is a system call.
my ($ours, $kernel);
SKIP: {
	skip $traps->{out} =~ s/\n//r, 1 if $traps->{status} == 3;
	for (1 .. 3) {
		last if $skip;
		my $chart = call($image, 'chart', 'quick');
		($ours, $kernel) = $chart->{out} =~ /^warm 1 thread,,([\d.]+),[\d.]*,([\d.]+)$/m;
		last if defined $ours && $ours < $kernel / 2;
	}
	point(
		!$skip && defined $ours && $ours < $kernel / 2,
		'a call costs less than half of the system call',
		'less than half',
		$skip
		    || (
			  !defined $ours ? 'no numbers'
			: $kernel > 0 ? sprintf '%.0f%% of it', 100 * $ours / $kernel
			: "$ours ns, and what ask_kernel() does takes none"
		    ),
		'for less nobody needs a function in the vDSO'
	);
}

done_testing();
