#!/usr/bin/perl
# What serves a program is frozen, and thawed again; or it gets a hundredth of a CPU. The program
# reads its clocks meanwhile, and they are right, and none goes back.
#
# Control groups of either version: hierarchies of version 1 are below /sys/fs/cgroup, that of
# version 2 is there itself, or in unified.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;
use Time::HiRes qw(sleep);

my $root = '/sys/fs/cgroup';
my $name = "uvdso-test-$$";
my @made;

sub put {
	my ($file, $text) = @_;
	open my $fh, '>', $file or return 0;
	my $done = print {$fh} $text;
	return close($fh) && $done;
}

# A new group in which one of these files is; undef if there is none to be had.
sub group {
	my (@files) = @_;
	for my $parent (glob("$root/{freezer,cpu*}"), $root, "$root/unified") {
		my $group = "$parent/$name-" . @made;
		next unless -d $parent && mkdir $group;
		if (grep { -w "$group/$_" } @files) {
			push @made, $group;
			return $group;
		}
		rmdir $group;
	}
	return;
}

# Processes that are still in a group go back to where all begin.
END {
	my $status = $?;
	for my $group (@made) {
		freeze($group, 0);
		(my $parent = $group) =~ s{/[^/]+$}{};
		put("$parent/cgroup.procs", $_) for split ' ', slurp("$group/cgroup.procs");
		for (1 .. 100) { rmdir $group and last; sleep 0.02 }
	}
	$? = $status;
}

sub freeze {
	my ($group, $frozen) = @_;
	my $old = "$group/freezer.state";
	return -e $old
	    ? put($old, $frozen ? 'FROZEN' : 'THAWED')
	    : put("$group/cgroup.freeze", $frozen ? 1 : 0);
}

sub is_frozen {
	my ($group) = @_;
	return slurp("$group/freezer.state") =~ /FROZEN/
	    || slurp("$group/cgroup.events") =~ /frozen 1/;
}

# One of each version, where the machine has both.
my @freezers = grep { $_ } group('freezer.state'), group('cgroup.freeze');
my $cpu = group('cpu.cfs_quota_us', 'cpu.max');
plan skip_all => 'no control group can be made here' unless @freezers || $cpu;

# 0 would be this process itself.
sub join_group {
	my ($group, @pids) = @_;
	return scalar grep { $_ && put("$group/cgroup.procs", $_) } @pids;
}

# What the program has seen of its clocks.
sub is_right {
	my ($p, $what) = @_;
	my ($worst, $back) = $p->{out} =~ /^worst (\d+) back (\d+) /m;
	my ($coarse, $time) = $p->{out} =~ /^coarse (-?\d+) time (-?\d+)$/m;
	ok(
		defined $worst && $worst <= 1000 && $back == 0,
		"$what: the clocks are right, none goes back"
	) or diag "$p->{out}$p->{err}status $p->{status}";
	ok(
		defined $coarse && $coarse <= 0 && $coarse >= -1 && $time <= 0 && $time >= -1,
		"$what: ... nor are the coarse ones old in the end"
	) or diag "$p->{out}$p->{err}";
}

my @compare = (program('compare.pie'), 2000, 0);

SKIP: {
	skip 'no freezer can be had here', 7 if !@freezers;
	my $freezer;
	for my $with (0, 1) {
		$freezer = $freezers[$with % @freezers];
		my $what = $with ? 'frozen together' : 'timekeeper and watchdog frozen';
		my $p = spawn($UVDSO, 'run', @compare);
		my $pid = $p->{pid};
		my @all = (attendant($pid, 'uvdso-keeper'), attendant($pid, 'uvdso-watchdog'));
		push @all, $pid if $with;
		my $moved = join_group($freezer, @all);
		my $frozen = 0;

		for (1 .. 4) {
			freeze($freezer, 1);
			$frozen += !!wait_until { is_frozen($freezer) };
			sleep 0.07;
			freeze($freezer, 0);
			sleep 0.03;
		}
		finish($p);
		is("$moved $frozen", scalar(@all) . ' 4', "$what: four times");
		is_right($p, $what);
	}

	# A program that starts while the tracer is frozen waits for it.
	my $p = spawn(
		$UVDSO, 'run', '--follow', '/bin/sh', '-c', 'sleep 0.3; "$@"', 'sh', $compare[0],
		100, 0
	);
	my $tracer = attendant($p->{pid}, 'uvdso-follow');
	join_group($freezer, $tracer);
	freeze($freezer, 1);
	wait_until { is_frozen($freezer) };
	sleep 0.6;
	my $early = slurp("/proc/$p->{pid}/stat") eq '' ? 1 : 0;
	freeze($freezer, 0);
	finish($p);
	ok(
		!$early && $p->{status} == 0 && $p->{out} =~ /^worst \d{1,3} back 0 /m,
		'a program that starts while the tracer is frozen waits, and its clocks are right'
	) or diag "$p->{out}$p->{err}status $p->{status}, early $early";
}

SKIP: {
	skip 'no control group limits the CPU here', 3 if !$cpu;
	my $p = spawn($UVDSO, 'run', @compare);
	my @all = map { attendant($p->{pid}, $_) } qw(uvdso-keeper uvdso-watchdog);
	# A real-time process is not limited, and may not even be in such a group.
	system('chrt', '-o', '-p', 0, $_) for @all;
	my $limited =
	    -e "$cpu/cpu.max"
	    ? put("$cpu/cpu.max", '1000 100000')
	    : put("$cpu/cpu.cfs_period_us", 100000) && put("$cpu/cpu.cfs_quota_us", 1000);
	my $moved = join_group($cpu, @all);
	finish($p);
	is("$limited $moved", '1 2', 'timekeeper and watchdog get a hundredth of a CPU');
	is_right($p, 'a hundredth of a CPU');
}

done_testing;
