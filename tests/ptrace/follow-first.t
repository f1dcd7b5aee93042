#!/usr/bin/perl
# uvdso run --follow: the first program of the tree. It has our vDSO, or does not run; and who reads
# what it says to the end waits for that program alone.
use strict;
use warnings;
use Errno qw(ENOMEM);
use Faults;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;
use Time::HiRes qw(sleep);

my $dir = temp_dir();

# From the third mmap(2) on or so it is the program that needs it, for our vDSO.
SKIP: {
	skip 'the kernel has no seccomp_unotify(2) here', 1 if !%NAME;
	my @ran = map {
		run(
			program('fault.pie'), program('fault.so'),
			"$Faults::NUMBER{mmap} error ${\ENOMEM} -1 $_ 0",
			'/dev/null', $UVDSO_DYNAMIC, 'run', '--follow', '--', '/bin/true'
		)
	} 1 .. 6;
	my @refused =
	    grep { $_->{status} == 125 && $_->{err} =~ /^uvdso: run: no free place/ } @ran;
	ok(scalar @refused, 'a program that there is no room in for our vDSO does not run')
	    || diag map { "status $_->{status}: $_->{err}" } @ran;
}
SKIP: {
	my @unshare = ('unshare', '--fork', '--pid');
	skip 'namespaces are denied here', 1 if run(@unshare, 'true')->{status};
	my $p = run(@unshare, $UVDSO, 'run', '--follow', 'true');
	ok(
		       $p->{status} == 125
		    && $p->{err} =~ /does not show the processes of this PID namespace/,
		'where /proc is of another PID namespace, it says so'
	) || diag "status $p->{status}: $p->{err}";
}

# What it leaves running waits for a file, not for ever, and makes one of its own at its end.
{
	my $left =
	    'i=0; until [ -e go ] || [ $i = 600 ]; do sleep 0.05; i=$((i + 1)); done; : >end';
	my $p = spawn(
		'sh', '-c', 'cd "$1" && { shift; "$@" 2>&1 | cat; } && echo read',
		'sh', $dir, $UVDSO, 'run', '--follow', '--', 'sh', '-c',
		"sh -c '$left' >/dev/null 2>&1 </dev/null &"
	);
	my $read = wait_until { slurp($p->{out}->filename) eq "read\n" };
	ok(
		$read && !-e "$dir/end",
		'its messages end with it, and not with what it has left running'
	);
	open my $go, '>', "$dir/go" or die "$dir/go: $!";
	ok(wait_until { -e "$dir/end" }, '... which goes on');
	finish($p);
}
done_testing;
