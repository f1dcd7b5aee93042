package Course::Needs;

# What an exercise or a console block may need of the machine, and how to find out.

use strict;
use warnings;
use Course::Files qw(capture);

sub tool {
	my @path = @_;
	return grep {
		my $t = $_;
		grep { -x "$_/$t" } split /:/, $ENV{PATH} // ''
	} @path;
}

sub runs {
	my $run = capture({limit => 10}, '/bin/sh', '-c', shift);
	return !$run->{status} && !$run->{signal} && !$run->{timed_out};
}

my %needs = (
	x86_64 => ['this machine is no x86_64', sub { runs('test "$(uname -m)" = x86_64') }],
	tsc => [
		'no usable counter here (clocksource is not tsc)',
		sub {
			runs(
				'grep -qx tsc /sys/devices/system/clocksource/clocksource0/current_clocksource'
			);
		}
	],
	cpus => ['only one CPU', sub { runs('test "$(nproc)" -gt 1') }],
	strace =>
	    ['strace is not installed, or may not trace', sub { runs('strace -o /dev/null true') }],
	ptrace =>
	    ['strace is not installed, or may not trace', sub { runs('strace -o /dev/null true') }],
	vgetrandom => [
		'this kernel has no vDSO getrandom',
		sub {
			runs('"${UVDSO_BUILD:-build}/uvdso" symbols --kernel | grep -q getrandom');
		}
	],
	timens => ['no time namespace may be made here', sub { runs('unshare -T true') }],
	map {
		my $tool = $_;
		($tool => ["$tool is not installed", sub { tool($tool) }])
	    } qw(gdb perf clang ld.lld musl-gcc python3 gnuplot bpftrace qemu-x86_64 qemu-aarch64 qemu-riscv64
	    aarch64-linux-gnu-gcc riscv64-linux-gnu-gcc),
);
my %found;

sub names { return sort keys %needs }
sub known { return exists $needs{$_[0]} }

# Why it is not to be had, or nothing.
sub lacks {
	my ($name) = @_;
	my ($why, $probe) =
	    @{$needs{$name} // die "needs: $name: not known; there are @{[names()]}\n"};
	$found{$name} //= $probe->() ? 'yes' : 'no';
	return $found{$name} eq 'yes' ? undef : $why;
}

1;
