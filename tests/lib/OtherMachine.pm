package OtherMachine;
# OtherMachine.pm - runs the tests of another machine as points of one test: what `make test
# ARCH=...` does, among this machine's own.
#
# Each of its tests is a point, which passes if the test does. What it skips is shown with the
# reasons, but does not count as a skip here: nobody needs to look into an emulator's lack of
# ptrace(2).
use strict;
use warnings;
use Exporter 'import';
use Build;
use Test::More;

our @EXPORT = qw(run_all clients);

# A point for each image of the matrix for this machine: a C library gets its time from it. That it
# does, and not from a system call, shows in the days by which the vDSO is ahead.
sub clients {
	my ($arch, $build, @emulator) = @_;
	system "flock $BUILD/.matrix make -s B=$BUILD matrix-images >/dev/null 2>&1";
	my @images = glob "$BUILD/matrix/*/$arch/vdso.so";
	is(scalar @images, 4, "$arch: two compilers and two linkers have made four images");
	for my $image (@images) {
		for my $kind (qw(pie static)) {
			my $command =
			    "@emulator $build/uvdso run --offset realtime=+1000d --offset tai=+2000d"
			    . " --image $image $build/tests/programs/clocks.$kind";
			my $now = time;
			my %said = map { /^(\S+) (\d+)/ ? ($1 => $2) : () } split /\n/,
			    `timeout 20 $command 2>&1`;
			my @off = grep {
				my $off = ($said{$_->[0]} // 0) - $now - $_->[1] * 86400;
				$off < 0 || $off > 20
			    } ['realtime', 1000], ['gettimeofday', 1000],
			    $arch =~ /86/ ? ['time', 1000] : ();
			is(
				join(' ', map { $_->[0] } @off), '',
				"$arch: $kind program takes its time from $image"
			);
		}
	}
}

sub run_all {
	my ($arch, $emulator, $compiler, @not) = @_;    # not: tests that are left out
	my %not = map { ($_ => 1) } @not;
	# `make test CC=clang` hands its choices on to every make below; these here choose anew.
	delete @ENV{
		qw(MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CC CXX LD AR OBJCOPY OBJDUMP CFLAGS CPPFLAGS LDFLAGS B T)
	};

	for ($emulator ? ["qemu-user", $emulator] : (), ["gcc-$compiler", "$compiler-gcc"]) {
		my ($package, $tool) = @$_;
		plan(skip_all => "$tool is not installed (package $package)")
		    if system "command -v $tool >/dev/null 2>&1";
	}
	my $said = `make -s B=$BUILD ARCH=$arch test-programs 2>&1`;
	is($said, '', "$arch: image, loader and tests are built, without a word")
	    or BAIL_OUT("$arch: nothing to run");

	# What this machine runs by itself needs no emulator.
	$ENV{TEST_EMULATED} = 1 if $emulator;
	$ENV{TEST_EMULATOR} = $emulator ? "$emulator -L /usr/$compiler" : '';
	$ENV{TEST_BUILD} = "$BUILD/$arch";
	my @tests = split ' ', `make -s B=$BUILD ARCH=$arch test-list`;
	cmp_ok(scalar @tests, '>', 10, "$arch: there are tests to run");
	for my $test (grep { !$not{$_} } @tests) {
		my $out = `timeout -k 5 100 tests/lib/run-test $test 2>&1`;
		my $status = $?;
		my ($plan) = $out =~ /^1\.\.(\d+)/m;
		my @points = $out =~ /^((?:not )?ok)\b/mg;
		my @bad = $out =~ /^(not ok.*(?:\n#.*)*)/mg;
		my %why;
		$why{$_}++ for $out =~ /^ok \d+ .*# SKIP (.*)/mg;
		ok(
			$status == 0 && !@bad && @points && $plan && $plan == @points,
			sprintf '%s: %s (%d points, %d of them skipped)', $arch, $test,
			scalar @points, eval { my $n = 0; $n += $_ for values %why; $n }
		    )
		    or diag(
			"status $status, plan ", $plan // 'none', ', points ', scalar @points,
			"\n", @bad ? join("\n", @bad) : substr $out, -2000
		    );
		note("skipped $why{$_}: $_") for sort keys %why;
	}
	clients($arch, "$BUILD/$arch", split ' ', $ENV{TEST_EMULATOR});
	done_testing();
}

1;
