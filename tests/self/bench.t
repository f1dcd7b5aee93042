#!/usr/bin/perl
# bench.t - `make bench`, in its quick form.
#
# No number of nanoseconds is right or wrong, so none is expected here. What is held against rules is
# the form of table and file, that the two agree, that every row is there, and what must be so on any
# machine: with a counter a call of the vDSO costs less than half of a system call, and no clock is
# outside of two system calls.
use strict;
use warnings;
use Test::More;
use lib 'tests/lib';
use Build qw(:DEFAULT slurp);
use File::Temp qw(tempdir);
use POSIX ();
use Time::HiRes qw(time sleep);

my $bench = "$BUILD/bench/bench";
-x $bench or plan skip_all => 'the bench is not built: run `make test` at the top';
my $dir = tempdir(CLEANUP => 1);
my $csv = "$dir/latency.csv";
my $quick = "$bench --quick --csv " . quoted($csv);

# Whoever has this in the environment and is still there was left behind.
my $mark = "UVDSO_BENCH_TEST=$$.$^T";
$ENV{UVDSO_BENCH_TEST} = "$$.$^T";
mkdir $ENV{TMPDIR} = "$dir/tmp" or die;
delete $ENV{NO_COLOR};

# Runs a shell command, at most 60 s. Status, standard output, standard error.
sub run {
	my ($command) = @_;
	my $pid = open(my $fh, '-|') // die "fork: $!";
	if (!$pid) {
		open STDIN, '<', '/dev/null';
		open STDERR, '>', "$dir/err";
		exec 'timeout', '60', '/bin/sh', '-c', $command or exit 126;
	}
	my $out = do { local $/; <$fh> }
	    // '';
	close $fh;
	return ($? & 127 ? 'signal ' . ($? & 127) : $? >> 8, $out, slurp("$dir/err"));
}

sub left_behind {
	my @found;
	for my $process (grep { $_ ne "/proc/$$" } glob '/proc/[0-9]*') {
		next unless index(slurp("$process/environ"), $mark) >= 0;
		chomp(my $name = slurp("$process/comm"));
		push @found, "process $name";
	}
	return @found, map { "file $_" } matching($ENV{TMPDIR}, '{*,.[!.]*}');
}

# A process that was killed needs a moment to be gone.
sub leaves_nothing {
	my ($when) = @_;
	my @left;
	for (1 .. 40) { @left = left_behind() or last; sleep 0.05 }
	is("@left", '', "it leaves no process and no temporary file behind $when");
}

sub rows {
	return map { [split /,/, $_, -1] } grep { length } split /\n/, slurp($csv);
}

# ---- the run ----
my $begin = time;
my ($status, $out, $err) = run($quick);
my $seconds = time - $begin;
is($status, 0, 'it succeeds') or BAIL_OUT("no numbers: $err");
# Except where clocks are slow, which each `run` says.
$err =~ s/^uvdso: counter  not used, so .*\n//mg if $out =~ /^  counter +none/m;
is($err, '', 'and has nothing to complain of');
cmp_ok($seconds, '<', 30, 'it takes a few seconds') or diag("$seconds s");
leaves_nothing('at its end');

my $counter = $out =~ /^  counter +read with /m;
ok(
	$counter || $out =~ /^  counter +none is used: .+\n +Our vDSO makes a system call/m,
	'it says whether the machine has a usable counter'
) or diag($out);
like($out, qr/^  $_ +\S/m, "and names its $_") for qw(CPU CPUs kernel clocksource load);

my @lines = split /\n/, $out;
is_deeply([grep { length > 80 } @lines], [], 'no line is longer than 80 columns');
is_deeply([grep { /[^\x20-\x7e]/ } @lines], [], 'into a pipe it writes plain text');

# ---- the file ----
my ($header, @rows) = rows();
is(
	join(',', @$header), 'call,floor_ns,ours_ns,kernel_ns,syscall_ns,ours_vs_kernel',
	'the file has its header'
);
my @malformed = grep {
	       @$_ != 6
	    || $_->[0] !~ /^\w+(\(\w+\))?( shifted)?$/
	    || $_->[2] eq ''
	    || $_->[4] eq ''
	    || grep { !/^(\d+\.\d)?$/ } @$_[1 .. 4]
	    or $_->[5] !~ /^(\d+\.\d\d)?$/
} @rows;
is_deeply(
	[map { join ',', @$_ } @malformed], [],
	'every row is a name, four numbers of one decimal, one of two'
);

my @fine = map { "clock_gettime($_)" } qw(REALTIME MONOTONIC BOOTTIME TAI MONOTONIC_RAW);
my @coarse = map { "clock_gettime($_)" } qw(REALTIME_COARSE MONOTONIC_COARSE);
my $exports = `$BUILD/uvdso symbols $IMAGE`;
my ($time, $getcpu) = map { $exports =~ /${PREFIX}$_\b/ ? [$_] : [] } qw(time getcpu);
my @shifted = map { "$_ shifted" } @fine, @coarse, 'gettimeofday', @$time;
my @expected = (
	@fine, @coarse, @shifted, qw(clock_gettime(PROCESS_CPUTIME_ID) gettimeofday
	    clock_getres(MONOTONIC) clock_getres(MONOTONIC_COARSE)), @$time, @$getcpu
);
push @expected, map { "getrandom($_)" } 4, 256, 65536 if $exports =~ /${PREFIX}getrandom/;
is_deeply([sort map { $_->[0] } @rows], [sort @expected], 'every call has its row, and only one');

my %row = map { $_->[0] => $_ } @rows;
my @with_floor = sort grep { $row{$_}[1] ne '' } keys %row;
my @counts = map { ($_, "$_ shifted") } @fine, 'gettimeofday';
is_deeply(
	\@with_floor, [$counter ? sort @counts : ()],
	'what reads the counter has a floor, and nothing else has'
);

# The first number before rounding may be off by half of a tenth, and so the ratio.
for (grep { $_->[5] ne '' } @rows) {
	my ($name, undef, $ours, $kernel, undef, $ratio) = @$_;
	my $low = ($ours - 0.06) / ($kernel + 0.06) - 0.006;
	my $high = $kernel > 0.06 ? ($ours + 0.06) / ($kernel - 0.06) + 0.006 : 9e9;
	ok($ratio >= $low && $ratio <= $high, "$name: the ratio is that of the two numbers")
	    or diag("$ratio, but $ours / $kernel");
}

# ---- the table is the file ----
for (@rows) {
	my ($name, undef, @csv) = @$_;
	my ($title) = $name =~ /clock_gettime\((\w+)\)/;
	$title //= 'clock_getres, ' . ($1 ? 'coarse' : 'fine')
	    if $name =~ /clock_getres\(\w+?(_COARSE)?\)/;
	$title //= "getrandom $1" if $name =~ /getrandom\((\d+)\)/;
	($title) = split / /, $name if !defined $title;
	my $heading = $name =~ / shifted/ ? 'Shifted' : 'What a call costs';
	my ($part) = $out =~ /^$heading.*?\n(.*?)\n\n/ms;
	my ($line) = $part =~ /^  \Q$title\E +([-\d. ]+)$/m;
	my (undef, undef, $ours, undef, @rest) = split ' ', $line // '';
	my @table = map { $_ // '' } $ours, @rest;

	for (0 .. $#csv) {    # the table shows what is long without its decimal
		$table[$_] = $csv[$_]
		    if $table[$_] =~ /^\d{5,}$/
		    && $csv[$_] =~ /\d/
		    && abs($table[$_] - $csv[$_]) < 0.6;
	}
	is_deeply(\@table, [map { $_ eq '' ? '-' : $_ } @csv], "$name: table and file agree")
	    or diag($part);
}
like(
	$out, qr/^  A shift costs at most -?\d+\.\d ns \(\w+\), .* -?\d+\.\d ns\.$/m,
	'it says what a shift costs'
);

# ---- the slowest calls ----
SKIP: {
	skip 'single calls are timed by the counter', 5 if !$counter;
	my ($header, @lines) = split /\n/, slurp("$dir/tail.csv");
	is($header, 'call,writer,vdso,p50_ns,p99_ns,p999_ns,worst_ns', 'tail.csv has its header');
	my @tail = map { [split /,/] } @lines;
	my @kernel = grep { $_->[2] eq 'kernel' } @tail;
	is(scalar(grep { $_->[2] eq 'ours' } @tail), 6, 'two clocks beside three kinds of writer');
	ok(@kernel == 6 || !@kernel, "and the kernel's vDSO, if there is one, as often");
	is_deeply(
		[
			map { "@$_" }
			    grep { $_->[3] > $_->[4] || $_->[4] > $_->[5] || $_->[5] > $_->[6] }
			    @tail
		],
		[],
		'the slowest one is no faster than the others'
	);
	my ($part) = $out =~ /^The slowest of \d+ calls \(tail.csv\)\n(.*?)\n\n/ms;
	my @shown = map { (split ' ', s/^ +(?:writer off|at 250 Hz|flat out) +//r)[0] }
	    grep { /^    \S/ } split /\n/, $part // '';
	my @ours = map { $_->[3] } grep { $_->[2] eq 'ours' } @tail;
	ok(
		@shown == @ours && !(grep { abs($shown[$_] - $ours[$_]) > 0.6 } 0 .. $#ours),
		'table and file agree'
	) or diag($out);
}

# ---- what must be so ----
for my $name ($counter ? @counts : ()) {
	my ($ours, $system_call) = @{$row{$name}}[2, 4];
	cmp_ok(
		$ours, '<', $system_call / 2,
		"$name: the vDSO costs less than half of a system call"
	);
}

my $may_make = system('unshare -T true 2>/dev/null') == 0;
my $kernel_shifts = !grep { $row{$_}[3] eq '' } @shifted;
ok(
	$may_make ? $kernel_shifts : $kernel_shifts || $out =~ /No kernel's column: /,
	'the kernel shifts, too, where a time namespace may be made; elsewhere it says why not'
) or diag($out);

my @sandwich = $out =~ /^  (\w+) +(\d+)(?: +\d+){4}(?: +(?:\d+|-)){4}$/mg;
my %outside = @sandwich;
is(
	scalar @sandwich, 20,
	'five clocks are held between two system calls, in the first second and later'
) or diag($out);
for (my $i = 0; $i < @sandwich; $i += 2) {
	is($sandwich[$i + 1], 0, "$sandwich[$i] is never outside of them, "
		    . ($i < 10 ? 'in the first second' : 'later'));
}
like(
	$out,
	qr{^  (\S*/true) +[\d.]+ +[\d.]+\n  uvdso run \1 +[\d.]+ +[\d.]+ +-?[\d.]+ ms more\n  uvdso_boot\(\) +[\d.]+ +[\d.]+$}m,
	'it says what a start costs, with the vDSO and without'
);

# What --follow costs. A tracer that does not ask for system calls is not told of them.
{
	my %row;
	my ($table) = $out =~ /^(What --follow costs.*)/ms;
	$row{$1} = [$2, $3, $4, $5]
	    while ($table // '') =~
	    /^  (\S.*?)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+[\d.]+x\s+([\d.]+)$/mg;
	is(scalar(keys %row), 12, 'what --follow costs: twelve rows') || diag $out;
	for my $name ('clock_gettime()', 'a system call', 'futex(), a wake') {
		my ($plain, $run, $follow, $own) = @{$row{$name} // [0, 0, 0, 0]};
		# Without a counter a clock takes longer, traced or not.
		my $most = $run > $plain ? $run : $plain;
		ok($plain > 0 && $follow < 3 * $most, "$name costs the same under --follow")
		    || diag "$most us, and $follow us under it: is every system call traced?";
		ok($own < 3 * $most, "$name costs the same with clocks of its own")
		    || diag "$most us, and $own us with them";
	}
}

# ---- charts ----
SKIP: {
	skip 'gnuplot is not installed', 3 if system 'command -v gnuplot >/dev/null 2>&1';
	my ($status, $out) = run("tests/bench/chart " . quoted($dir));
	is($status, 0, 'the file is drawn') or diag($out);
	is_deeply(
		[
			map {
				my $svg = slurp("$dir/$_.svg");
				$svg =~ m{</svg>\s*\z}
				    && $svg =~ />MONOTONIC</ && $svg =~ />our vDSO</
				    ? 1
				    : 0
			} 'latency',
			'shifted'
		],
		[1, 1],
		'into charts, with the names of calls and columns'
	);
	ok(
		!$counter || slurp("$dir/tail.svg") =~ m{MONOTONIC_COARSE, flat out.*</svg>\s*\z}s,
		'and one of the slowest calls'
	);
}

# ---- without a counter, and on a terminal ----
$ENV{TERM} = 'xterm';    # dumb has no colour
($status, $out) = run("script -qec " . quoted("$quick --no-counter") . ' /dev/null');
is($status, 0, 'without a counter it succeeds');
like($out, qr/counter +none is used: --no-counter/, 'and says that none is used');
is_deeply([grep { $_->[1] =~ /\d/ } rows()], [], 'and no row has a floor');
like($out, qr/^\e\[1mThis machine/m, 'on a terminal the headings have colour');
($status, $out) = run("NO_COLOR=1 script -qec " . quoted($quick) . ' /dev/null');
ok($out !~ /\e/ && $out =~ /^This machine/m, 'with NO_COLOR they have none');
run("$quick | head -n 1");
leaves_nothing('when its reader goes away');

# ---- interrupted ----
my $pid = open(my $fh, '-|') // die "fork: $!";
if (!$pid) {
	open STDERR, '>', '/dev/null';
	exec $bench, '--csv', $csv or exit 126;
}
my $seen = '';
1 while $seen !~ /^Shifted/m && sysread $fh, $seen, 4096, length $seen;
sleep 0.3;    # a child is measuring now
kill 'TERM', $pid;
close $fh;
is($? & 127, 15, 'a signal ends it');
leaves_nothing('when a signal ends it in the middle');

# ---- images ----
my ($machine) = (POSIX::uname())[4] =~ /^(\w+)/;
my $ours = "$BUILD/$machine/vdso.so";
($status, $out, $err) = run("$bench --quick --image " . quoted("$ours,$ours"));
is("$status $err", '0 ', 'images are compared');
is(scalar(() = $out =~ /^  image \d  \Q$ours\E$/mg), 2, '... which it names');
like($out, qr/^  MONOTONIC +(?:[\d.]+ +){3}[-\d.]+ +[\d.]+$/m, '... each with its costs');
like($out, qr/^  MONOTONIC +0 +0 +0 /m, '... and no answer outside of two system calls');
SKIP: {
	my $kernels = "$dir/kernel.so";
	skip('the image of this kernel cannot be run', 1)
	    if system(
		join ' ', quoted("$BUILD/uvdso"), 'dump -o', quoted($kernels),
		'2>/dev/null && exec', quoted("$BUILD/uvdso"), 'run --image', quoted($kernels),
		'true 2>/dev/null'
	    );
	($status, $out, $err) = run("$bench --quick --image " . quoted("$ours,$kernels"));
	like($out, qr/^  MONOTONIC +0 +0 +0 /m, "the kernel's as well") or diag($err);
}
($status, $out, $err) = run("$bench --quick --image " . quoted("$dir/none"));
is($status, 1, 'an image that is not there: status 1');
leaves_nothing('after images');

# ---- what it refuses ----
for ('--fast', 'fast', '--csv') {
	($status, $out, $err) = run("$bench $_");
	is("$status $out", '2 ', "$_: status 2, and nothing on standard output");
	like($err, qr/^usage: bench /m, 'and the usage on standard error');
}
($status, $out, $err) = run("$bench --quick --csv " . quoted("$dir/no/such.csv"));
is($status, 1, 'a file that cannot be written: status 1');
is($err, "bench: $dir/no/such.csv: No such file or directory\n", 'and the reason');
($status, $out, $err) = run("$bench --quick --csv /dev/full");
is("$status $err", "1 bench: /dev/full: No space left on device\n", 'a full disk is noticed');
leaves_nothing('after an error');

done_testing;
