#!/usr/bin/perl
# machine.t - what tests/setup/machine makes of what a machine says, and of one that does not come up.
#
# The emulator is a stand-in that writes what a guest would write. So nothing is fetched or booted.
use strict;
use warnings;
use Cwd 'abs_path';
use File::Path 'make_path';
use File::Temp 'tempdir';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use Test::More;

chdir "$FindBin::Bin/../.." or die;
chomp(our $arch = `uname -m`);
$arch =~ s/^i.86$/i386/;
my %emulator = (
	x86_64 => 'qemu-system-x86_64',
	i386 => 'qemu-system-i386',
	aarch64 => 'qemu-system-aarch64',
	riscv64 => 'qemu-system-riscv64'
);
my %debian = (x86_64 => 'amd64', i386 => 'i386', aarch64 => 'arm64', riscv64 => 'riscv64');
my $dir = tempdir(CLEANUP => 1);

sub spew {
	my ($path, $text, $mode) = @_;
	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
	chmod $mode // 0644, $path;
}
make_path("$dir/bin", "$dir/built/tests", "$dir/cache/machine/busybox");
spew($_, 'some bytes') for "$dir/kernel", "$dir/built/uvdso";
spew("$dir/cache/machine/busybox/$debian{$arch}", 'busybox', 0755);
delete @ENV{qw(CI BOOT MACHINE_LIMIT TEST_LIMIT BOX_RANDOM BOX_SEED PERL5OPT)};
@ENV{qw(UVDSO_CACHE TEST_BUILD KERNEL)} = ("$dir/cache", "$dir/built", "$dir/kernel");

# What the machine says; status and all output of tests/setup/machine.
my $then = '';    # what it does after that

sub machine {
	my ($says, @names) = @_;
	spew("$dir/says", $says);
	spew("$dir/bin/$emulator{$arch}", <<"END", 0755);
#!/bin/sh
printf '%s\\n' "\$@" >'$dir/asked'
cat '$dir/says'
$then
END
	local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
	my $out = `@{[quoted('tests/setup/machine', $arch, @names)]} 2>&1 </dev/null`;
	return ($? >> 8, $out);
}

my $up = "\@box up Linux 7.0\r\n";

sub said {
	my ($name, $status, @lines) = @_;
	return join "\r\n", "\@box begin $name", (map { "|$_" } @lines),
	    "\@box end $name $status 3", '';
}
my $good = said('libc/auxv', 0, 'ok 1 - one', 'ok 2 - two', '1..2');

my ($status, $out) = machine($up . $good, 'libc/auxv');
is($status, 0, 'a test that passed in the machine has passed') or diag $out;
like($out, qr/^libc\/auxv \.+ ok\n.*Tests=2/ms, '... with its points');
open my $asked, '<', "$dir/asked" or die;
my @asked = <$asked>;
ok((grep { /^console=.* uvdso\.box/ } @asked), 'a guest is told that it is one')
    or diag @asked;

my $bad = said('libc/resolver', 1, 'not ok 1 - one', '# why', '1..1');
($status, $out) = machine($up . "[  1.2] noise\r\n$bad$good", 'libc/auxv', 'libc/resolver');
is($status, 1, 'one that failed there has failed');
like($out, qr/^libc\/resolver +\(.*Failed: 1\)$/m, '... and is named');

($status, $out) =
    machine($up . said('libc/auxv', 139, 'ok 1 - one', '1..1'), 'libc/auxv');
is($status, 1, 'so has one that a signal ended after its last point');

($status, $out) = machine($up . $good, 'libc/auxv', 'libc/lookup');
is($status, 1, 'if a machine ends early, what it has not run has failed');
like($out, qr/^libc\/lookup +\(.*Failed: 1\)$/m, '... and is named');

($status, $out) =
    machine("$up\@box begin libc/auxv\r\n|ok 1 - one\r\n[ 9] Kernel panic", 'libc/auxv');
isnt($status, 0, 'and what it was running then, too');

($status, $out) =
    machine("$up\@box run libc/auxv\r\n[ 9] Kernel panic", 'libc/auxv', 'libc/lookup');
like($out, qr/^libc\/auxv \.+.*Failed 1\/1/ms, 'one that it was running without a word, too');
like(
	do { local (@ARGV, $/) = "$dir/built/machine/libc/auxv.tap"; <> },
	qr/^not ok 1 - the machine ended while libc\/auxv ran$/m,
	'... and it is told from those that never ran'
);

# A machine that does not turn itself off, and one that says nothing any more.
$then = "echo \$\$ >'$dir/pid'; exec sleep 60";
my $from = time;
($status, $out) = machine("$up$good\@box down\r\n", 'libc/auxv');
is($status, 0, 'a kernel that cannot turn the machine off');
cmp_ok(time - $from, '<', 30, '... is not waited for');
{
	local $ENV{MACHINE_LIMIT} = 1;
	($status, $out) = machine($up, 'libc/auxv');
	like($out, qr/it was taking too long$/m, 'a machine that says nothing has a limit');
}
{
	local $ENV{TEST_LIMIT} = -100;
	($status, $out) = machine("$up\@box run libc/auxv\r\n[ 9] soft lockup\r\n", 'libc/auxv');
	like(
		$out,
		qr/STUCK   libc\/auxv, and the kernel says: \[ 9\] soft lockup$/m,
		'so has a test whose machine cannot end it'
	);
	isnt($status, 0, '... which has failed');
}
{
	# With the reader of its output it ends, and the emulator with it.
	local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
	unlink "$dir/pid";
	my $pid = open my $pipe, '-|', 'tests/setup/machine', $arch, 'libc/auxv' or die;
	for (1 .. 100) { -s "$dir/pid" ? last : select undef, undef, undef, 0.1 }
	open my $file, '<', "$dir/pid" or die;
	chomp(my $emulator = <$file>);
	kill 'KILL', $pid;
	close $pipe;
	for (1 .. 50) { kill(0, $emulator) ? select undef, undef, undef, 0.1 : last }
	ok(!kill(0, $emulator), 'a machine does not outlive the script, even one that is killed');
	# Nobody could tidy up.
	File::Path::remove_tree(glob "'$dir/cache/machine'/work-*");
}
$then = '';

($status, $out) = machine("[ 1] Kernel panic - no init\r\n", 'libc/auxv');
is($status, 2, 'a machine that does not come up is no result');
like($out, qr/did not come up: .*at last: \[ 1\] Kernel panic - no init$/m, '... and says why');

$ENV{KERNEL} = "$dir/absent";
like((machine('', 'libc/auxv'))[1], qr/absent: no such file$/m, 'a kernel that is not there');
$ENV{KERNEL} = "$dir/kernel";
like(
	`PATH=@{[quoted($dir)]} $^X tests/setup/machine $arch libc/auxv 2>&1`,
	qr/^machine: \Q$emulator{$arch}\E is not installed: make deps machine$/m,
	'without an emulator the way to one is named'
);

# A script on another machine: in a system of that machine, with the project at its own path.
my $there = $arch eq 'aarch64' ? 'x86_64' : 'aarch64';
my $system = "$dir/cache/machine/systems/trixie-$debian{$there}";
make_path("$system/usr/bin");
spew("$dir/cache/machine/busybox/$debian{$there}", 'busybox', 0755);
{
	local $arch = $there;
	($status, $out) = machine($up . said('run/gdb', 0, 'ok 1 - one', '1..1'), 'run/gdb');
}
is($status, 0, 'a script runs on another machine') or diag $out;
open $asked, '<', "$dir/asked" or die;
@asked = <$asked>;
my $top = abs_path('.');
ok((grep { /path=\Q$system\E,mount_tag=root,.*readonly=on/ } @asked), '... on a system of its')
    or diag @asked;
ok((grep { /path=\Q$top\E,mount_tag=project,.*readonly=on/ } @asked), '... with this project');
is(scalar(() = glob "'$dir/cache/machine'/work-*"), 0, 'nothing is left behind');
done_testing();
