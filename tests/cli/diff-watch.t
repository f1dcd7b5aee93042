#!/usr/bin/perl
# uvdso diff (ours and the kernel's; other-images.t has the rest) and uvdso watch: what they show is
# what is there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

# ---- diff ---------------------------------------------------------------------------------

my $kernel = run($UVDSO, 'symbols', '--kernel');
SKIP: {
	skip 'this process has no vDSO of the kernel\'s', 8 if $kernel->{status};
	my $p = run($UVDSO, 'diff');
	my %row;
	$row{$2} = [$1, $3, $4] while $p->{out} =~ /^([=~]) (\S.*?)  +(\S.*?)  +(\S.*)$/mg;
	my %kernels = map { /^(\w+) +(\S+)$/ && $1 ne 'symbol' ? ($1 => $2) : () } split /\n/,
	    $kernel->{out};
	my %ours = map { /^(\w+) +(\S+)$/ && $1 ne 'symbol' ? ($1 => $2) : () } split /\n/,
	    run($UVDSO, 'symbols')->{out};
	my @missing = grep { ($ours{$_} // '') ne $kernels{$_} } keys %kernels;

	is_status(
		$p, $p->{out} =~ /^ +matters(?! to nobody)/m ? 1 : 0,
		'diff: status 0 if no difference matters'
	);
	is(
		scalar(
			grep { $p->{out} !~ /^~ \Q$_\E .*\n +matters to (?!nobody)/m }
			grep { /^__(?:vdso|kernel)_(?!sgx|futex)/ } @missing
		),
		0,
		'... which a function does that the kernel\'s has and ours has not'
	);
	is_deeply(
		[map { $row{$_}[1] =~ s/,.*//r } sort keys %ours],
		[map { $ours{$_} } sort keys %ours],
		'... our functions are listed with their versions'
	) || diag $p->{out};
	is_deeply(
		[map { $row{$_}[2] =~ s/,.*//r } sort keys %kernels],
		[map { $kernels{$_} } sort keys %kernels], '... and the kernel\'s'
	);
	is_deeply($row{DT_SONAME}, ['=', ('linux-vdso.so.1') x 2], '... the soname is the same');
	my $dump = temp_dir() . '-dump';
	run($UVDSO, 'dump', '-o', $dump);
	is($row{'file, bytes'}[2], -s $dump, '... the size is that of a dump');
	unlink $dump;
	is(
		scalar(grep { $_->[0] ne ($_->[1] eq $_->[2] ? '=' : '~') } values %row), 0,
		'... = and ~ say which differ'
	);
	like($row{'rules of uvdso check'}[1], qr/^all \d+ kept$/, '... ours keeps all the rules');
}
# ---- watch --------------------------------------------------------------------------------

{
	my $p = run($UVDSO, 'watch', '-n', 3);
	my @seq = $p->{out} =~ /^seq +(\d+) /mg;
	my @last = $p->{out} =~ /^cycle_last +(\d+)$/mg;
	my ($mult, $shift) = $p->{out} =~ /^mult, shift +(\d+) +(\d+)   disciplined/m;
	my ($ns) = $p->{out} =~ /disciplined: ([\d.]+) ns a cycle/;

	is_status($p, 0, 'watch -n 3 ends');
	is(scalar @seq, 3, '... after three looks');
	is(scalar(grep { $_ % 2 } @seq), 0, '... each under an even number') || diag "@seq";
	ok(
		       $seq[0] < $seq[1]
		    && $seq[1] < $seq[2]
		    && $last[0] <= $last[1]
		    && $last[1] <= $last[2],
		'... that grows, as the data page is updated'
	) || diag "@seq; @last";
	my ($mode) = $p->{out} =~ /^clock_mode +(\d+)/m;
	my ($real) = $p->{out} =~ /^  REALTIME +(\d+)/m;
	SKIP: {
		skip 'no usable counter here', 2 if !$mode;
		cmp_ok(
			abs($mult / 2**$shift - $ns), '<', 1e-5,
			'... mult and shift are what they are said to be'
		);
		cmp_ok(abs($real - time), '<=', 60, '... REALTIME has the seconds of now');
	}
	$p = run($UVDSO, 'watch', '-n', 1, '--offset', 'realtime=+90s', '--no-counter');
	like($p->{out}, qr/^clock_mode +0   NONE/m, 'watch --no-counter shows mode NONE');
	like($p->{out}, qr/^  REALTIME .*, offset 90 s$/m, '... and --offset the offsets');
}
SKIP: {
	my $p = run($UVDSO, 'watch', '--kernel', '-n', 2);
	skip('nothing is known of this kernel', 4)
	    if $p->{err} =~ /that kernel's data pages|there is none|on one of uvdso|nothing says/;
	is_status($p, 0, 'watch --kernel ends');
	is(scalar(() = $p->{out} =~ /^seq /mg), 2, '... after as many looks');
	my ($monotonic) = $p->{out} =~ /^  MONOTONIC +(\d+) /m;
	my ($realtime) = $p->{out} =~ /^  REALTIME_COARSE +(\d+) /m;
	my $off = abs(($realtime // 0) - time);
	ok($off < 30, "... at the kernel's time of day") or diag("$off s off: $p->{out}");
	my $mult = () = $p->{out} =~ /^mult, shift +[1-9]\d* +[1-9]\d* /mg;
	ok(
		       defined $monotonic
		    && $monotonic > 0
		    && ($mult == 4 || $p->{out} =~ /^clock_mode +0 /m),
		'... with all its fields'
	) or diag($p->{out});
}
refused(
	run($UVDSO, 'watch', '--kernel', '--no-counter'), 2, qr/takes no/,
	"watch: the kernel's page cannot be changed"
);
refused(run($UVDSO, 'watch', '-n', $_), 2, qr/not a number of times/, "watch -n '$_' is refused")
    for '0', '-1', 'x', '';
refused(
	run($UVDSO, 'watch', '--offset', 'moon=+1'), 2, qr/--offset/,
	'watch: an offset that is none is refused'
);
refused(run($UVDSO, 'watch', 'x'), 2, qr/not expected/, 'watch: an argument is refused');
{
	my $p = run('sh', '-c', 'exec "$0" watch >/dev/full', $UVDSO);
	is_status($p, 2, 'watch: a full disk is noticed');
}

done_testing;
