#!/usr/bin/perl
# program.t - what a program that runs on the vDSO can try against it and against the processes that keep
# it, and what comes of it: as an ordinary user and as root, and beside the kernel's vDSO.
#
# tests/programs/attacker.c attacks; SECURITY.md says why each outcome is as it is, and names
# every attack that is made here.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use RunTest;
use Test::More;

my $attacker = program('attacker.pie');
my @nobody = qw(setpriv --reuid=65534 --regid=65534 --clear-groups);

# Of an attack on memory: what may come of it on ours. "itself" harms nobody but the program.
# Where there are two, kernels differ.
my %memory = (
	'data-store' => 'signal', 'image-store' => 'signal',
	(map { ("data-$_" => 'denied', "image-$_" => 'itself') } qw(mprotect mprotect-exec)),
	'data-pkey_mprotect' => 'denied', 'image-pkey_mprotect' => 'itself|denied',
	'data-mprotect-read-exec' => 'itself', 'image-mprotect-read-exec' => 'itself',
	(map { ("data-$_" => 'itself', "image-$_" => 'itself') } qw(mremap munmap-mmap mmap-over)),
	'data-mremap-duplicate' => 'denied', 'image-mremap-duplicate' => 'denied',
	'data-mremap-grow' => 'denied', 'image-mremap-grow' => 'itself',
	'data-userfaultfd' => 'denied', 'image-userfaultfd' => 'itself|denied',
	(map { ("data-$_" => 'denied', "image-$_" => 'itself') } qw(proc-mem ptrace-poke)),
	(
		map { ("data-$_" => 'denied', "image-$_" => 'denied') }
		    qw(remap_file_pages map_files process_vm_writev process_vm_writev-parent
		    read-into direct-read-into getrandom-into futex-op MADV_REMOVE MADV_FREE
		    MADV_WIPEONFORK MADV_POPULATE_WRITE)
	),
	(
		map { ("data-$_" => 'itself|denied', "image-$_" => 'itself|denied') }
		    qw(MADV_DONTNEED MADV_DONTFORK MADV_COLD MADV_PAGEOUT MADV_COLLAPSE
		    MADV_MERGEABLE MADV_GUARD_INSTALL)
	),
	'data-descriptor' => 'denied',
);

# Of one on timekeeper or watchdog: for an ordinary user, and for root.
my %attendant = (
	(
		map { $_ => ['denied', 'possible'] }
		    qw(mem maps process_vm_readv process_vm_writev process_madvise move_pages kcmp
		    perf_event_open oom_score_adj ptrace)
	),
	(map { $_ => ['denied', 'denied'] } qw(fd map_files pidfd_getfd setpgid wait)),
	(map { $_ => ['possible', 'possible'] } qw(signals sched stop cont)),
);

sub outcomes {
	my ($p) = @_;
	my %got = $p->{out} =~ /^(\S+) (.*)$/mg;
	diag "$p->{cmd}: status $p->{status}, signal $p->{signal}: $p->{err}"
	    if $p->{status} || $p->{signal} || $p->{err} ne '';
	return \%got;
}

# Each name with what is expected; what differs is shown.
sub all_as {
	my ($got, $want, $what) = @_;
	my @wrong = grep { ($got->{$_} // 'not said') !~ /^(?:$want->{$_})\b/ } sort keys %$want;
	ok(keys %$want && !@wrong, $what)
	    || diag map { "$_: expected $want->{$_}, got " . ($got->{$_} // 'nothing') . "\n" }
	    @wrong;
}

my %env = (%ENV, ATTACK_KEEPERS => 1);
my @who = $> ? (['an ordinary user', 0]) : (['an ordinary user', 0, @nobody], ['root', 1]);
# Not where this tree is closed to others.
if (!$> && run(@nobody, 'test', '-x', program('attacker.pie'))->{status}) {
	diag('nobody but root may look into this directory: an ordinary user is left out');
	@who = grep { $_->[1] } @who;
}
my (%spawned, %kernels);

for my $who (@who) {
	my ($name, $root, @as) = @$who;
	$kernels{$name} = spawn(@as, $attacker);
	$spawned{$name}{$_} = spawn({env => \%env}, @as, $UVDSO, 'run', $attacker, $_)
	    for '', qw(kill kill-watchdog kill-both cpu prlimit stop-both flood);
	$spawned{$name}{parent} =
	    spawn(@as, $attacker, 'parent', $UVDSO, 'run', '/bin/true');
	# As root it would be its tracer's tracer.
	$spawned{$name}{follow} =
	    spawn({env => \%env}, @as, $UVDSO, qw(run --follow), $attacker, 'follow')
	    unless $root;
}

my %names;
for my $who (@who) {
	my ($name, $root) = @$who;
	my %got = map { $_ => outcomes(finish($spawned{$name}{$_})) } keys %{$spawned{$name}};
	my $kernel = outcomes(finish($kernels{$name}));
	my $all = $got{''};
	my @clocks = grep { /^clocks/ } keys %$all;
	$names{s/^(?:data|image|keeper|watchdog)-//r} = 1 for grep { !/^clocks/ } keys %$all;

	all_as($all, \%memory, "$name: data pages and image cannot be changed for others");
	is(
		join(' ', grep { "$all->{$_} $kernel->{$_}" =~ /everybody/ } sort keys %memory), '',
		'... as the kernel\'s cannot'
	);
	my %may_only_here = map { $_ => 1 } grep {
		$kernel->{$_} =~ /^denied/ && $all->{$_} =~ /^itself/ && $_ !~ /MADV_|userfaultfd/
	} keys %memory;
	delete @may_only_here{qw(data-mprotect-read-exec image-mremap-grow)};
	is(
		join(' ', sort keys %may_only_here), '',
		'... and what the kernel denies, but for what SECURITY.md names, ours denies'
	);
	for my $of (qw(keeper watchdog)) {
		my %want = map { ("$of-$_" => $attendant{$_}[$root]) } keys %attendant;
		all_as($all, \%want, "$name: the $of, of which it may take no more than it should");
	}
	is(join(' ', grep { $all->{$_} ne 'right' } @clocks), '', '... and the clocks stay right')
	    || diag map { "$_: $all->{$_}\n" } grep { $all->{$_} ne 'right' } @clocks;
	cmp_ok(scalar @clocks, '>', 2 * keys %attendant, '... which were looked at each time');
	for my $end (qw(kill kill-watchdog cpu prlimit)) {
		my $after = $got{$end}{"clocks-after-$end"} // 'not said';
		is(
			"$got{$end}{$end} $after", 'possible right',
			"$name: after $end the clocks are right, by system calls"
		);
		$names{$end} = 1;
	}
	for my $end (qw(kill-both stop-both)) {
		like(
			$got{$end}{"clocks-after-$end"}, qr/^(?:right|clock [56] stands still)$/,
			"$name: after $end the fine clocks are right, the coarse ones may stand still"
		);
		$names{$end} = 1;
	}
	is($got{'stop-both'}{'clocks-after-cont-both'}, 'right', '... until they may go on');
	is(
		join(' ', map { $got{flood}{$_} } qw(flood clocks-after-flood keeper-after-flood)),
		'possible right lives',
		"$name: descriptors, processes and memory at their limits take nothing from the timekeeper"
	);
	is(
		$got{parent}{'parent-fd'}, $root ? 'everybody' : 'denied',
		$root
		? 'root can open the data pages before they are sealed, as it can do anything'
		: "$name: a parent cannot open the data pages of its child before they are sealed"
	);
	is($got{parent}{'parent-status'}, 0, '... and all of its children have run');
	$names{$_} = 1 for qw(flood parent-fd);
	next if $root;
	my %want = map { ("follow-$_" => $attendant{$_}[0]) }
	    grep { !/^(?:sched|stop|cont)$/ } keys %attendant;
	all_as($got{follow}, \%want, "$name: nor the tracer of --follow");
}

# ---- they end --------------------------------------------------------------------------------
ok(
	wait_until {
		!grep { attendants($_->{pid}) } map { values %$_ } values %spawned
	},
	'in the end no timekeeper and no watchdog is left'
);

# ---- and it is written down ------------------------------------------------------------------
my $security = slurp("$FindBin::Bin/../../SECURITY.md");
delete $names{$_} for qw(data image);
is(
	join(' ', grep { index($security, "`$_`") < 0 } sort keys %names), '',
	'SECURITY.md names each of these attacks'
);

done_testing();
