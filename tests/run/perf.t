#!/usr/bin/perl
# A profiler finds the functions of the vDSO: perf knows the build id of whatever is mapped,
# and vdso.so.dbg has the names for it. The software clock is enough for that.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use RunTest;
use Test::More;

my $perf = '/usr/bin/perf';
my $dir = temp_dir();
my $symbols = $UVDSO =~ s{[^/]*$}{$MACHINE/vdso.so.dbg}r;
my %quiet = (before => sub { $ENV{HOME} = "$dir"; $ENV{PERF_CONFIG} = '/dev/null'; chdir $dir });

plan skip_all => 'perf is not installed (package linux-perf)' unless -x $perf;

my $p = run(
	\%quiet, $perf, 'record', '-q', '--buildid-mmap', '-N', '-e', 'cpu-clock', '-o',
	"$dir/data",
	$UVDSO, @RUN, program('spin.pie'), 700
);
plan skip_all => 'perf may not record here' if $p->{status} || !-s "$dir/data";

# "percent, shared object, symbol" lines of the samples in our vDSO.
sub in_page {
	my $p = run(
		\%quiet, $perf, '--buildid-dir', "$dir/ids", 'report', '-i', "$dir/data",
		'--stdio', '-t', ';',
		'--sort', 'dso,sym'
	);
	return map { /^\s*([\d.]+)%\s*;\s*memfd:vdso.*?;.*?\]\s+(\S+)/ ? [$1, $2] : () } split /\n/,
	    $p->{out};
}

my ($nameless, $share) = (0, 0);
$nameless += $_->[0] for in_page();
cmp_ok($nameless, '>', 30, 'a program that reads a clock all the time is mostly found in our vDSO')
    || diag 'in per cent of all samples';

is_status(
	run(\%quiet, $perf, '--buildid-dir', "$dir/ids", 'buildid-cache', '--add', $symbols), 0,
	'perf buildid-cache takes the symbols of the vDSO'
);
my %ours = map { /^\w+ [tTwW] (.*)/ ? ((split /@/, $1)[0] => 1) : () } split /\n/,
    run('/usr/bin/nm', $symbols)->{out};
my @rows = in_page();
my @strange = grep { !$ours{$_->[1]} } @rows;
ok(@rows && !@strange, '... and every sample in the vDSO has the name of one of its functions')
    || diag map { "@$_\n" } @strange;
$share += $_->[0] for grep { $_->[1] =~ /gettime/ } @rows;
cmp_ok(
	$share, '>', 0.9 * $nameless,
	'nine of ten of them are in the function that the program calls'
) || diag map { "@$_\n" } @rows;

done_testing;
