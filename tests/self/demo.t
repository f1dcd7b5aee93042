#!/usr/bin/perl
# demo.t - the guided tour: right, short, and without a trace.
#
# The tour is the first thing that a newcomer sees, on a machine that we do not know. So its words
# are held against its own numbers, and it is run where it has to do without: without a terminal,
# without colour, without strace, with a reader that goes away.
use strict;
use warnings;
use Test::More;
use lib 'tests/lib';
use Build;
use Fcntl;
use File::Temp qw(tempdir);
use Time::HiRes qw(time sleep);

my $tour = 'tutorial/demo/tour';
my $dir = tempdir(CLEANUP => 1);

# What the tour starts inherits this, so that whoever has it and is still there was left behind.
my $mark = "UVDSO_DEMO_TEST=$$.$^T";
$ENV{UVDSO_DEMO_TEST} = "$$.$^T";
mkdir $ENV{TMPDIR} = "$dir/tmp" or die;

# Runs a shell command with changed variables; at most a minute. Status, standard output, seconds.
sub run {
	my ($command, %env) = @_;
	my $begin = time;
	my $pid = open(my $fh, '-|') // die "fork: $!";
	if (!$pid) {
		for (keys %env) { defined $env{$_} ? $ENV{$_} = $env{$_} : delete $ENV{$_} }
		open STDIN, '<', '/dev/null';
		open STDERR, '>', "$dir/err";
		exec 'timeout', 60 * $PATIENCE, '/bin/sh', '-c', $command or exit 126;
	}
	my $out = do { local $/; <$fh> }
	    // '';
	close $fh;
	return ($? & 127 ? 'signal ' . ($? & 127) : $? >> 8, $out, time - $begin);
}

sub left_behind {
	my @found;
	for my $process (grep { $_ ne "/proc/$$" } glob '/proc/[0-9]*') {
		open my $fh, '<', "$process/environ" or next;
		my $environ = do { local $/; <$fh> }
		    // '';
		next unless index($environ, $mark) >= 0;
		open my $name, '<', "$process/comm" or next;
		push @found, 'process ' . (<$name> // '?');
	}
	return @found, map { "file $_" } matching($ENV{TMPDIR}, '{*,.[!.]*}');
}

# A process that was killed needs a moment to be gone.
sub leaves_nothing {
	my ($when) = @_;
	my @left;
	for (1 .. 40) { @left = left_behind() or last; sleep 0.05 }
	is("@left", '', "the tour leaves no process and no temporary file behind $when");
}

sub files {
	return join '', grep { $_ ne "build\n" } `ls -A . tutorial tutorial/demo tests`;
}

my $files = files();
my ($status) = run("make -s B=$BUILD demo >/dev/null");    # builds what is not there yet
is($status, 0, 'make demo succeeds') or BAIL_OUT('no demo: ' . `cat @{[quoted("$dir/err")]}`);

($status, my $out, my $seconds) = run("make -s B=$BUILD demo");
is($status, 0, 'into a pipe, too');
cmp_ok(
	$seconds, '<', 15 * $PATIENCE,
	'the tour takes less than 15 seconds, of a machine as they are'
);
is(files(), $files, 'it makes no file in the project, except in build');
leaves_nothing('at its end');

# ---- its form ----
my @lines = split /\n/, $out;
is_deeply(
	[grep { length(s/\Q$BUILD\E/build/gr) > 80 } @lines], [],
	'no line is longer than 80 columns'
);
is_deeply(
	[grep { /[^\x20-\x7e]/ } @lines], [],
	'into a pipe it writes plain text: no colour, no tabs'
);
my @headings = grep { m{^\d/8  \S} } @lines;
is_deeply([map { /^(\d)/ } @headings], [1 .. 8], 'there are eight steps with a heading, in order')
    or diag(join "\n", @headings);
unlike($out, qr/This step failed/, 'no step says that it failed');
my ($intro, %step) = split m{^(\d)/8  .*\n}m, $out;
$_ //= '' for @step{1 .. 8};

# ---- what it says ----
like($step{1}, qr/^  LOAD +0x000 +(\d+)  RE$/m, 'step 1 shows the one loaded segment');
like(
	$step{1}, qr/^  \.gnu\.hash .*\n(?:.*\n)*  \.text /m,
	'and the sections, from the hash table to the code'
);
my %lacks = (aarch64 => qr/^(?:time|getcpu)$/, riscv64 => qr/^time$/, i386 => qr/^getrandom$/);
like($step{1}, qr/^  $PREFIX$_ +\Q$NODE\E$/m, "and $PREFIX$_")
    for grep { !$lacks{$MACHINE} || !/$lacks{$MACHINE}/ }
    qw(clock_gettime clock_getres gettimeofday time getcpu getrandom);
like($step{1}, qr/vdso\.so: ok \(\d+ rules\)/, 'and that the image breaks no rule');
my $size = -s $IMAGE;
like($step{1}, qr/^  $size bytes: two pages of memory/m, 'and its true size');

my @loads = $step{2} =~ /^  [123] +(0x[0-9a-f]+) (0x[0-9a-f]+)$/mg;
my %different = map { $_ => 1 } @loads;
is(scalar keys %different, 6, 'step 2: three data pages and three images, at six addresses')
    or diag($step{2});
like($step{2}, qr/^  [0-9a-f-]+ r--s .*vvar$/m, 'the data page is shared and read-only');
like($step{2}, qr/^  [0-9a-f-]+ r-xp .*vdso$/m, 'the image is private, read and executed');

SKIP: {
	skip 'this C library does not know LD_SHOW_AUXV', 1
	    if $step{3} =~ /does not know LD_SHOW_AUXV/;
	my @vector = $step{3} =~ /^  AT_SYSINFO_EHDR: (0x[0-9a-f]+) /mg;
	ok(
		@vector == 2 && $vector[0] ne $vector[1],
		'step 3: the vector has one vDSO before and another after'
	) or diag($step{3});
}

my ($told) = $step{4} =~ /^  address .* = (0x[0-9a-f]+)$/m;
my ($resolved) = $step{4} =~ /^  the resolver .* says (0x[0-9a-f]+): they agree$/m;
is(
	$resolved, $told // 'an address',
	'step 4: the address that is told is the one that the resolver finds'
) or diag($step{4});

my %apart = $step{5} =~ /^  (\w+) +\d+\.\d{9} +\d+\.\d{9} +(-?\d+)  /mg;
is_deeply(
	[sort keys %apart],
	[
		qw(BOOTTIME MONOTONIC MONOTONIC_COARSE MONOTONIC_RAW REALTIME REALTIME_COARSE TAI gettimeofday)
	],
	'step 5: seven clocks and gettimeofday are compared'
) or diag($step{5});
for (sort keys %apart) {
   # A coarse clock is as old as its last update: two periods of 4 ms, and what a busy machine adds.
	my $limit = /COARSE/ ? 50e6 : 1e6;
	cmp_ok(
		abs $apart{$_}, '<', $limit,
		"$_: ours and the kernel's are less than @{[$limit / 1e6]} ms apart"
	);
}
like(
	$step{5}, qr/^  getcpu +ours (cpu \d+ node \d+), kernel's \1$/m,
	'getcpu: both give the same answer'
);
like(
	$step{5}, qr/^  clock_getres +ours (\d+ and \d+ ns) \(coarse\), kernel's \1$/m,
	'clock_getres: the same answer'
);
like($step{5}, qr/^  time +ours \d+, kernel's \d+$/m, 'time: two answers');

my $number = qr/-?\d+\.\d/;
like($step{6}, qr/^  $_( +$number){6}$/m, "step 6: $_ has a cost in three ways")
    for qw(MONOTONIC MONOTONIC_COARSE gettimeofday getcpu);

my @dates = $step{7} =~ /^  (\w{3} \w{3} .*\d{4})$/mg;
is(scalar @dates, 3, 'step 7: three dates') or diag($step{7});
SKIP: {
	skip "no counter here: $1", 1 if $intro =~ /No usable counter.*\n(.*)/;
	skip $1, 1 if $step{7} =~ /^  (.*no system calls are counted)/m;
	like(
		$step{7},
		qr/^  0 clock system calls by date .*1000d\n  1 clock system calls .*no-counter$/m,
		'date makes no clock system call on the vDSO, and one where the vDSO has no counter'
	) or diag($step{7});
}
is_deeply(
	[grep { !-e } $step{8} =~ /^  (\S+\.c) /mg], [],
	'step 8: every file that it tells to read is there'
);

# ---- where it has to do without ----
SKIP: {
	skip 'no script(1) to make a terminal', 3 if system 'command -v script >/dev/null 2>&1';
	my $terminal = "script -qec $tour /dev/null";
	my (undef, $plain) = run($terminal, TERM => 'xterm', NO_COLOR => '1');
	(undef, my $dumb) = run($terminal, TERM => 'dumb', NO_COLOR => undef);
	(undef, my $colour) = run($terminal, TERM => 'xterm', NO_COLOR => undef);
	ok(index($colour, "\e[") >= 0, 'on a terminal the headings have colour');
	ok(index($plain, "\e") < 0 && $plain =~ m{8/8}, 'with NO_COLOR they have none');
	ok(index($dumb, "\e") < 0 && $dumb =~ m{8/8}, 'nor on a terminal that is called dumb');
}

# A folder with every command but strace.
mkdir "$dir/bin" or die;
for my $path (reverse split /:/, $ENV{PATH}) {
	for my $file (grep { -x && !-d && !m{/strace$} } matching($path, '*')) {
		my ($name) = $file =~ m{([^/]+)$};
		unlink "$dir/bin/$name";
		symlink $file, "$dir/bin/$name";
	}
}
($status, $out) = run($tour, PATH => "$dir/bin");
is($status, 0, 'without strace the tour goes on');
like($out, qr/strace is not installed.*\n(?:.*\n)*8\/8/, 'and says what is missing');

# A new file, always: a link of that name would lead to the machine's own command.
sysopen my $fh, "$dir/bin/strace", O_WRONLY | O_CREAT | O_EXCL, 0755 or die "strace: $!";
print $fh "#!/bin/sh\necho 'strace: ptrace(PTRACE_TRACEME): Operation not permitted' >&2\nexit 1\n";
close $fh or die "strace: $!";
($status, $out) = run($tour, PATH => "$dir/bin");
is($status, 0, 'where ptrace is denied it goes on');
like($out, qr/ptrace is denied.*\n(?:.*\n)*8\/8/, 'and says so');

run("$tour | head -n 1");
leaves_nothing('when its reader goes away');

done_testing;
