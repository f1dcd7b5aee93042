package Course::Needs;

# What an exercise or a console block may need of the machine, and how to find out.

use strict;
use warnings;
use File::Temp ();
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

# A 32-bit program that does nothing but end: its ELF header, one segment, and
# mov $1, %al; int $0x80, with registers that are zero at the start.
sub runs_i386 {
	my $at = 0x08048000;
	my $file = File::Temp->new(TEMPLATE => 'uvdso-course-XXXXXX', TMPDIR => 1);
	print $file pack(
		'a4C5x7v2V5v6', "\x7fELF", 1, 1, 1, 0, 0, 2, 3, 1, $at + 84, 52, 0, 0, 52,
		32, 1, 0, 0, 0
	    ),
	    pack('V8', 1, 0, $at, $at, 88, 88, 5, 4096), "\xb0\x01\xcd\x80";
	close $file;
	chmod 0700, $file->filename;
	my $run = capture({limit => 10}, $file->filename);
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
	i386 => ['this kernel runs no 32-bit programs', \&runs_i386],
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
	    } qw(gdb perf clang ld.lld musl-gcc python3 gnuplot bpftrace spin qemu-x86_64 qemu-aarch64 qemu-riscv64
	    aarch64-linux-gnu-gcc riscv64-linux-gnu-gcc i686-linux-gnu-gcc),
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
