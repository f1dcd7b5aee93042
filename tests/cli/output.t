#!/usr/bin/perl
# output.t - lost output is an error, and what the command prints can do no harm to a terminal.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $dir = temp_dir();
my %failure = map { $_ => 125 } qw(run trace gdb);

# ---- lost output --------------------------------------------------------------------------
# Runs it with a standard output that is full, or closed.
sub full {
	return run({before => sub { open STDOUT, '>', '/dev/full' }}, $UVDSO, @_);
}
sub closed { return run('sh', '-c', 'exec "$@" >&-', 'sh', $UVDSO, @_) }

my ($list) = run($UVDSO, '--help')->{out} =~ /^Commands:\n((?:  .*\n)+)/m;
my @commands = $list =~ /^  (\w+) /mg;
my $image = "$dir/kernel.so";
my $dumped = run($UVDSO, 'dump', '-o', $image)->{status} == 0;

# A tree whose clocks can be shown; without ptrace(2) there is none.
my $tree = spawn($UVDSO, 'run', '--offset', 'realtime=+0', 'sleep', 300);
my $shown = wait_until {
	my $p = run($UVDSO, 'clock', $tree->{pid});
	!$p->{status} || $p->{err} !~ /not uvdso's to change|not answer/;
} && run($UVDSO, 'clock', $tree->{pid})->{status} == 0;

# How each prints its result; those that become other programs have none but their help.
my %result = (
	run => undef, trace => undef, gdb => undef, symbols => [], check => ['-v', $image],
	diff => [], watch => ['-n', 1],
	dump => [], help => [], clock => $shown ? [$tree->{pid}] : undef,
);
is_deeply([sort keys %result], [sort @commands], 'every command is tried');
for (
	['--help'], ['--version'],
	map { ([$_, '--help'], $result{$_} ? [$_, @{$result{$_}}] : ()) } @commands
    )
{
	my @words = @$_;
	SKIP: {
		skip 'this process has no vDSO of the kernel', 2
		    if !$dumped
		    && $words[0] =~ /^(?:check|diff|dump)$/
		    && ($words[1] // '') ne '--help';
		my $status = $failure{$words[0]} // 2;
		refused(
			full(@words), $status,
			qr/\Auvdso: standard output: cannot write: No space left on device$/,
			"uvdso @words: a full standard output gives $status"
		);
		refused(
			closed(@words), $status,
			qr/\Auvdso: standard output: cannot write: Bad file descriptor$/,
			'... and so does a closed one'
		);
	}
}
{
	# Told once, and at once: this would go on for ever.
	my $p = full('watch');
	refused($p, 2, qr/No space/, 'watch without an end stops when nobody can see it');
}
is_status(full('run', 'true'), 0, 'run: what the program does with its output is its own business');
SKIP: {
	my $p = run($UVDSO, 'trace', 'true');
	skip 'no trace on this machine', 2 if $p->{status};
	is_status(
		run({before => sub { open STDERR, '>', '/dev/full' }}, $UVDSO, 'trace', 'true'),
		125,
		'trace: a report that is lost gives 125'
	);
	is_status(
		run({before => sub { open STDERR, '>', '/dev/full' }}, $UVDSO, 'run', 'true'), 0,
		'... but run has none'
	);
}

# ---- text from outside --------------------------------------------------------------------
# As it must be shown: control characters, also those of eight bits, and what is not UTF-8.
my %shown = (
	"a\e[31mb" => 'a\x1b[31mb',
	"a\nb\tc\rd" => 'a\nb\tc\x0dd',
	"\a\b\x7f" => '\x07\x08\x7f',
	"\xc2\x9b31m" => '\xc2\x9b31m',    # U+009B, the eight-bit form of ESC [
	"\x9b31m" => '\x9b31m',
	"\xc3\xa9 \xe9\xa1\xb5 \xf0\x9f\x95\x90" => "\xc3\xa9 \xe9\xa1\xb5 \xf0\x9f\x95\x90",
	"\xc3" => '\xc3',
	"\xe9\xa1" => '\xe9\xa1',
	"\xc1\x9b" => '\xc1\x9b',            # longer than need be: decoders that take it see ESC [
	"\xe0\x82\x9b" => '\xe0\x82\x9b',
	"\xed\xa0\x80" => '\xed\xa0\x80',    # half of a pair of UTF-16
	"\xf4\x90\x80\x80" => '\xf4\x90\x80\x80',
	"\xff\xfe" => '\xff\xfe',
	'%s %n' => '%s %n',
	'back\slash' => 'back\slash',
);
for my $text (sort keys %shown) {
	my $is = $shown{$text};
	is(
		run($UVDSO, 'check', "$dir/$text")->{err},
		"uvdso: $dir/$is: No such file or directory\n", "a file name is shown as $is"
	);
	is(
		run($UVDSO, 'run', "--image=$dir/$text", 'true')->{err},
		"uvdso: $dir/$is: No such file or directory\n", '... of an image, too'
	);
	is(
		run($UVDSO, $text)->{err}, "uvdso: $is: no such command; see `uvdso --help`\n",
		'... and a command'
	);
	is(
		run($UVDSO, 'diff', $text)->{err},
		"uvdso: diff: $is: needs another FILE to compare it with; see `uvdso diff --help`\n",
		'... and an operand'
	);
	my $argument = run($UVDSO, 'run', '--offset', $text, 'true')->{err};
	is(
		substr($argument, 0, 24 + length $is), "uvdso: run: --offset: '$is'",
		'... and the argument of an option'
	) or diag $argument;
	my $program = run($UVDSO, 'run', "$dir/$text")->{err};
	is($program, "uvdso: $dir/$is: No such file or directory\n", '... and a program');
}
my $name = "$dir/two\nlines";
open my $file, '>', $name or die "$name: $!";
print $file "no image\n";
close $file;
is(
	scalar(grep { !/^  \S/ } split /\n/, run($UVDSO, 'check', $name)->{out}), 1,
	'a breach is one line, and what is known of it, whatever the file is called'
);
like(
	run($UVDSO, 'check', $name)->{out}, qr{/two\\nlines: elf: },
	'... with the name as it is shown in messages'
);

# What a program is called is also text from outside, in reports about it.
my $true = "$dir/a\e[31mb";
is(system('cp', '/bin/true', $true), 0, 'a program with a control character in its name');
for (['run', '-v'], ['run', '-v', '--follow'], ['trace']) {
	my $p = run($UVDSO, @$_, $true);
	SKIP: {
		skip "no @$_ here: $p->{err}", 1 if $p->{status} == 125;
		ok(
			$p->{err} =~ /a\\x1b\[31mb/ && $p->{err} !~ /\e/,
			"... is shown without it by @$_"
		) || diag($p->{err} =~ s/\e/ESC/gr);
	}
}

# ---- text of our own ----------------------------------------------------------------------
# The command is installed elsewhere, without the tree that it was built in. Debug data may name
# source files; what is loaded may not name a build.
SKIP: {
	my $p = run({env => {PATH => $ENV{PATH}, LC_ALL => 'C'}}, 'strings', '-d', $UVDSO_DYNAMIC);
	skip 'strings is not installed (package binutils)', 2 if $p->{status} == 98;
	my @strings = split /\n/, $p->{out};
	cmp_ok(scalar @strings, '>', 200, 'the command has text of its own');
	is_deeply(
		[grep { m{build/|\bmake\b(?! system calls)} } @strings], [],
		'... and none of it speaks of make, or of a build directory'
	);
}

kill 'KILL', $tree->{pid};
finish($tree);
done_testing;
