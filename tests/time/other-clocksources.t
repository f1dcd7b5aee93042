#!/usr/bin/perl
# other-clocksources.t - the tests that the clocksource matters to, on a kernel that keeps time with
# another one.
#
# A file over /sys/.../current_clocksource, in a mount namespace of their own, says so. Under kvm-clock
# the counter is tested and used; under hpet it is not, and every fine clock is a system call. What it
# cannot show is a kernel whose clocks really come from there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $path = '/sys/devices/system/clocksource/clocksource0/current_clocksource';
my $dir = temp_dir();
my $tests = "$FindBin::Bin/../lib/run-test";
my $invariant = slurp('/proc/cpuinfo') =~ /^flags.* nonstop_tsc/m;
my %used = (
	'kvm-clock' => $invariant ? 'counter .* MHz' : 'counter .*not promise',
	hpet => 'counter  not used: the kernel does not keep time with this counter',
);
my @both = qw(run/nested time/first map/timens cli/diff-watch);
my %tests = ('kvm-clock' => [@both], hpet => [@both, qw(run/seccomp ptrace/trace run/strace)]);

sub under {
	my ($source, @command) = @_;
	return run(
		'unshare', '-m', 'sh', '-c', 'mount --bind "$0" "$1" && shift && exec "$@"',
		"$dir/$source", $path, @command
	);
}

for my $source (sort keys %tests) {
	open my $file, '>', "$dir/$source" or BAIL_OUT("$dir/$source: $!");
	print $file "$source\n";
	close $file;
}
plan skip_all => 'no mount namespace can be made here' if under('hpet', 'true')->{status};
plan skip_all => 'this kernel does not keep time with tsc' if slurp($path) ne "tsc\n";
for my $source (sort keys %tests) {
	my $p = under($source, $UVDSO, 'run', '-v', 'true');
	like($p->{err}, qr/^uvdso: $used{$source}/m, "$source: the counter is used, or not");
	for my $test (@{$tests{$source}}) {
		$p = under($source, $tests, $test);
		is($p->{status}, 0, "$source: $test passes") or diag $p->{out} . $p->{err};
	}
}

# What a user is told without -v, and by how much: the kernel's vDSO is as fast as ever here.
my @told = map { under('hpet', $UVDSO, 'run', @$_, 'true') } [], ['--counter=never'],
    ['--counter=always'];
like(
	$told[0]{err},
	qr/\Auvdso: counter  not used, so a clock takes \d+ times as long as in the kernel's vDSO: the kernel .*\n\z/,
	'hpet: why clocks are slow is told once, where they are much slower'
);
is($told[0]{status}, 0, '... and the program runs');
is("$told[1]{err}$told[2]{err}", '', '... and is not told to who has chosen');
done_testing();
