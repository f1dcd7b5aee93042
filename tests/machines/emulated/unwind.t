#!/usr/bin/perl
# unwind.t - from every instruction of the vDSO that is reached there is a way back, says gdb.
#
# Each function is called in every way that it has, and stepped through. That .eh_frame has something
# to say of each instruction is what matrix.t sees; here it must be true.
use strict;
use warnings;
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build;

plan(skip_all => 'gdb-multiarch is not installed')
    if system 'command -v gdb-multiarch >/dev/null 2>&1';
my ($arch) = $TESTED =~ m{([^/]+)$};
my @emulator = split ' ', $ENV{TEST_EMULATOR};
my $tmp = tempdir(CLEANUP => 1);
my $socket = "$tmp/gdb";

my $pid = fork // die "fork: $!";
if (!$pid) {
	open STDOUT, '>', "$tmp/out" or die;
	# gdb 13 stumbles over what the emulated SVE leaves in a signal frame: a CPU without it.
	exec @emulator, $arch eq 'aarch64' ? ('-cpu', 'cortex-a72') : (), '-g', $socket,
	    "$TESTED/tests/programs/calls"
	    or die;
}
for (1 .. 200) { last if -S $socket; select undef, undef, undef, 0.05 }
my $out =
    `timeout 120 gdb-multiarch -q -nx -batch -iex 'set debuginfod enabled off' -iex 'set auto-load no' \\
	-ex 'set pagination off' -ex 'set sysroot $emulator[2]' -ex 'set args $arch $TESTED/vdso.so' \\
	-ex 'file $TESTED/tests/programs/calls' -ex 'target remote $socket' -x tests/machines/emulated/unwind.py 2>&1`;
kill 'KILL', $pid;
waitpid $pid, 0;

my (%steps, %wrong);
while ($out =~ /^walked (\S+) (\d+) (\d+)$/mg) {
	$steps{$1} += $2;
	$wrong{$1} += $3;
}
open my $fh, '<', "tests/exports/$arch" or die;
my @functions = grep { !/sigreturn/ } map { /^__(?:vdso|kernel)_(\w+)/ } <$fh>;
for (sort @functions) {
	ok(
		($steps{$_} // 0) > 2 && !$wrong{$_},
		"$_: from each of its instructions there is a way back, with all registers"
	    )
	    or diag(
		'why: a backtrace, or an exception, goes astray', "\n", join "\n",
		"$out" =~ /^(mistake.*|.*[Ee]rror.*)/mg
	    );
}
my ($instructions) = $out =~ /^instructions (\d+)/m;
cmp_ok($instructions // 0, '>', 300, 'hundreds of instructions have been looked at') or diag($out);
like(
	$out, qr/^handler handler signal .*\bmain\b/m,
	'from a signal handler gdb finds its way through the trampoline'
) or diag($out =~ /^(handler.*)/m ? $1 : $out);
done_testing;
