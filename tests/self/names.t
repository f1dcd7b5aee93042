#!/usr/bin/perl
# names.t - what T= may say, and what is run for it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use RunTest;
use Test::More;

my $top = "$FindBin::Bin/../..";
chdir $top or die;
delete @ENV{qw(MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL T ARCH CC LD B)};

sub names { return run('tests/lib/names', @_) }

# ---- what a word means ----
for (
	['time/advance' => 'time/advance'],
	['tests/time/advance.c' => 'time/advance'],
	['./tests/run/gdb.t' => 'run/gdb'],
	['advance' => 'time/advance'],
	['tests/advance.t' => 'time/advance'],
	['tests/tutorial-04.t' => 'course/04'],
	['tests/tutorial.t' => 'course/book'],
	['tests/tutorial-checker.t' => 'course/checker'],
	['tests/run-gdb.t' => 'run/gdb'],
	['tests/run-start.t' => 'exec/start'],
	['tests/follow-start.t' => 'ptrace/follow-start'],
	['tests/machine-riscv64.t' => 'machines/machine-riscv64'],
	['tests/interleave-halves.t' => 'vdso/interleave-halves'],
	['tests/image.t' => 'image/image'],
	['i386' => 'machines/i386'],
	['tests/emulated/run.t' => 'machines/emulated/run'],
	['signals' => 'run/signals'],
	['clocks' => 'vdso/clocks'],
	['box/clocks' => 'box/clocks'],
	['large/redis' => 'uses/large/redis'],
	['/bin/sh' => '/bin/sh'],
    )
{
	my ($word, $name) = @$_;
	is(names($word)->{out}, "$name\n", "$word is $name");
}
my @room = map { s{^tests/|\.[ct]$}{}gr } sort glob 'tests/time/*.[ct]';
is(names($_)->{out}, join('', map { "$_\n" } @room), "$_ is every test of that room")
    for 'time', 'tests/time', 'tests/time/';
is(
	names('advance', 'time')->{out} =~ s{^time/advance$}{}mgr =~ tr/\n//, scalar @room,
	'a test that is named twice runs once'
);

my @large = map { s{^tests/|\.t$}{}gr } sort glob 'tests/uses/large/*.t';
is(
	names('uses/large')->{out}, join('', map { "$_\n" } @large),
	'uses/large is all in that directory'
);
unlike(names('uses')->{out}, qr{large}, '... and uses has none of them');

# ---- all ----
my @all = split /\n/, names('all')->{out};
my %all = map { $_ => 1 } @all;
my %files = map { s{^tests/|\.[ct]$}{}gr => 1 }
    grep { !m{^tests/(?:bench|box|lib|programs|setup)/} } glob 'tests/*/*.[ct]';
is(join(' ', grep { !$all{$_} } sort keys %files), '', 'all has every file');
is(
	join(' ', grep { m{^(?:machines/emulated|uses/large|box)/} } @all), '',
	'... and nothing that only another machine can run, or that takes large packages'
);
open my $table, '<', 'tests/table' or die;
for (<$table>) {
	next if /^(#|$)/;
	my ($name, $command) = m{^([a-z0-9]+/[\w-]+) +(\S.*)$}
	    or fail("a line of tests/table: $_"), next;
	ok($all{$name} && !$files{$name}, "$name: a command of tests/table, and no file")
	    or diag $command;
}
my %base;
push @{$base{s{.*/}{}r}}, $_ for @all;
# Only what is one thing in two rooms may have one name in both.
is_deeply([grep { @{$base{$_}} > 1 } sort keys %base], [], 'a name alone says which test is meant');

# ---- what is no test ----
for (
	['advanc' => 'time/advance'], ['intreleave' => 'vdso/interleave'],
	['tests/timee' => 'time/advance'], ['tests/vdso/fakes.c' => 'vdso/fake']
    )
{
	my ($word, $near) = @$_;
	my $p = names('clocks', $word);
	is($p->{status}, 1, "$word is no test");
	is($p->{out}, '', '... so nothing is run');
	like(
		$p->{err}, qr/\Anames: \Q$word\E: no such test; there is (?:\S+ )*\Q$near\E\b/,
		"... but $near looks like it"
	);
}
like(
	names('qqqqqqqq')->{err}, qr/: no such test; make test-list prints all names$/,
	'where nothing looks like it, the list helps'
);

# ---- what make does with it ----
my $p = run('make', '-s', "B=$BUILD", 'test-list', 'T=tests/map place');
is(
	$p->{out},
	"map/descriptors\nmap/pages\nmap/place\nmap/placement\nmap/protection\nmap/timens\n",
	'make test-list T= prints the names'
);
my $b = "$BUILD/nowhere-$$";
$p = run('make', 'test', 'T=advanc', "B=$b");
isnt($p->{status}, 0, 'make test fails for what is no test');
like($p->{err}, qr/there is time\/advance/, '... says what there is');
ok(!-e $b, '... and has built nothing');
$p = run('make', '-n', 'test', 'T=advance', "B=$b");
like($p->{out}, qr/tests\/time\/advance\.c/, 'for one test in C that test is built');
unlike(
	$p->{out}, qr/tests\/(?:programs|bench|vdso)\/|loader\/cli/,
	'... and no program and no other test'
);

# ---- and with the other choices ----
for (
	['part', '1/1 1/20 20/20', '5/2 0/3 1 1/0 a/b 1/2/3'],
	['count', '1 10000', '0 -1 abc 1.5'],
	['seconds', '1 7200', '0 60s -1'],
	['size', '1 1e10 2.5e9', '0 0.5 -1 abc e9'],
	['time', '60s 10m 2h', '60 0s 1d s']
    )
{
	my ($form, $good, $bad) = @$_;
	my @wrong = grep { run('tests/lib/choice', 'A', $form, $_)->{status} != 0 } split ' ',
	    $good;
	is("@wrong", '', "of the form $form are $good");
	@wrong = grep {
		my $p = run('tests/lib/choice', 'A', $form, $_);
		$p->{status} != 2 || $p->{err} !~ /\AA=\Q$_\E: expected .*\n\z/;
	} split(' ', $bad), '';
	is("@wrong", '', "... and not $bad, nor nothing");
}
my @goals = qw(faults load storms attacks mutants random fuzz);
my @given = qw(PART=5/2 READS=abc LIMIT=0 N=-1 JOBS=0 BYTES=x TIME=10 M=nosuch);
$p = run('make', '-n', @goals, @given, "B=$b");
is(
	join(' ', $p->{err} =~ /^(?:mutants: )?(\w+=\S+): /mg),
	'PART=5/2 READS=abc LIMIT=0 N=-1 JOBS=0 BYTES=x TIME=10 M=nosuch',
	'what no goal can use is named, each once'
) or diag $p->{err};
ok($p->{status} == 2 && $p->{out} eq '', '... and nothing is done');
like(
	run('tests/model/model', 'look', 'nosuch')->{err},
	qr/\Amodel: nosuch: no guard has this name; there is acquire .*\blook\b.*\n\z/,
	'make model names the guards that there are'
);
{
	local @ENV{qw(FAULTS FAULTS_WAYS)} = ('1/99999', 'hand nosuch');
	$p = run('tests/run/failing-calls.t');
	like(
		"$p->{status} $p->{out}$p->{err}",
		qr/\A2 WAYS=nosuch: there is no such way; there is boot .*\bhand\b.*\n\z/,
		'make faults names the ways, and tries nothing'
	);
	local @ENV{qw(FAULTS_WAYS FAULTS_CALLS)} = ('hand', 'read nosuch');
	$p = run('tests/run/failing-calls.t');
	is(
		"$p->{status} $p->{out}$p->{err}",
		"2 CALLS=nosuch: there is no such system call\n",
		'... and what is no call'
	);
}

done_testing;
