#!/usr/bin/perl
# `make test` can be believed: whatever goes wrong in a run makes it fail, and a run that
# did nothing is no success.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $dir = temp_dir();
my %path;

sub file {
	my ($name, $content) = @_;
	open my $file, '>', "$dir/$name" or die;
	print $file $content;
	close $file;
	chmod 0755, "$dir/$name";
	return $path{$name} = "$dir/$name";
}

sub script { my ($name, @lines) = @_; return file($name, join "\n", '#!/bin/sh', @lines, '') }

# Runs `make test` for some of the made-up tests. CI is unset where it is not given.
sub make_test {
	my ($names, %var) = @_;
	my %env = (%ENV, CI => delete $var{CI} // '');
	delete $env{CI} if $env{CI} eq '';
	delete $env{$_} for grep { /^HARNESS_|^PERL5LIB$|^MAKEFILES$/ } keys %env;
	my @tests = map { $path{$_} // "$dir/$_" } @$names;
	return run(
		{env => \%env}, 'make', '-s', '--no-print-directory', '-C', "$FindBin::Bin/../..",
		'test', "T=@tests", map { "$_=$var{$_}" } sort keys %var
	);
}

# The run fails, its last line is prove's, and it says why.
sub fails {
	my ($p, $why, $what) = @_;
	ok(!$p->{timed_out} && $p->{status} != 0 && "$p->{out}$p->{err}" =~ $why, $what)
	    || diag
	    "expected a status other than 0 and $why; got status $p->{status}\n$p->{out}$p->{err}";
}

sub passes {
	my ($p, $what) = @_;
	ok($p->{status} == 0 && $p->{out} =~ /^Files=\d+, Tests=\d+, .*\nResult: PASS\n\z/m, $what)
	    || diag
	    "expected status 0 and prove's two last lines; got status $p->{status}\n$p->{out}$p->{err}";
}

script('good.t', 'echo ok 1 - it works', 'echo 1..1');
script('bad.t', 'echo not ok 1 - it works', 'echo 1..1');
script('crash.t', 'echo ok 1 - so far', 'echo 1..1', 'kill -SEGV $$');
script('status.t', 'echo ok 1 - so far', 'echo 1..1', 'exit 1');
script('no-plan.t', 'echo ok 1 - so far');
script('bail.t', 'echo "Bail out! nothing works"', 'exit 255');
script('hang.t', 'echo ok 1 - so far', 'sleep 15');
script('skip.t', 'echo ok 1 - it works', 'echo "ok 2 # SKIP no such thing here"', 'echo 1..2');
script('skip-all.t', 'echo "1..0 # SKIP no such thing here"');
script('only-skips.t', 'echo "ok 1 # SKIP no such thing here"', 'echo 1..1');

passes(make_test(['good.t']), 'a run in which everything passes succeeds');
fails(make_test([qw(good.t bad.t)]), qr/^Result: FAIL$/m, 'a failing test fails the run');
fails(
	make_test([qw(good.t status.t)]), qr/Result: FAIL/,
	'so does one that passes but ends with 1'
);
fails(make_test([qw(good.t crash.t)]), qr/Result: FAIL/, '... one that crashes');
fails(make_test([qw(good.t no-plan.t)]), qr/No plan/, '... one that ends early');
fails(make_test([qw(good.t bail.t)]), qr/nothing works/, '... one that bails out');
fails(make_test([qw(good.t missing.t)]), qr/missing\.t/, '... one that is not there');

# A test that runs another one is ended, with programs and files of both.
file('nested', <<'END');
use RunTest;
my $dir = temp_dir();
run($^X, $0, $ARGV[0] - 1, $ARGV[1]) if $ARGV[0];
my $p = spawn('sleep', $ARGV[1]);
mkdir "$dir/ready";
sleep 1 while 1;
END
my %ended;
for (qw(TERM INT PIPE)) {
	mkdir "$dir/$_" or die;
	# An argument by which it is found.
	$ended{$_} = {seconds => '30.' . $$ . keys %ended};
	local $ENV{TMPDIR} = "$dir/$_";
	$ended{$_}{p} = spawn(
		{before => sub { @SIG{qw(INT PIPE)} = ('DEFAULT') x 2 }},
		$^X, "-I$FindBin::Bin/../lib", $path{nested}, 1, $ended{$_}{seconds}
	);
}
for my $signal (sort keys %ended) {
	my $test = $ended{$signal};
	my $sleeps = sub {
		grep { slurp($_) eq "sleep\0$test->{seconds}\0" } glob '/proc/[1-9]*/cmdline';
	};
	wait_until { glob "$dir/$signal/*/ready" } or diag 'it does not begin';
	kill $signal, $test->{p}{pid};
	finish($test->{p});
	# The one inside may end a moment later.
	wait_until { my @left = (glob("$dir/$signal/*"), $sleeps->()); !@left };
	is(
		join(' ', glob("$dir/$signal/*"), $sleeps->()),
		'', "a test that is ended by SIG$signal leaves no file and no program"
	);
}

my $hang = make_test([qw(good.t hang.t)], TEST_LIMIT => 1);
fails($hang, qr/exited 124/, 'a test that hangs is stopped at the limit and fails the run');

fails(make_test([]), qr/no test to run/, 'an empty list of tests fails the run');
fails(
	make_test(['skip-all.t']), qr/^FAILED: no test was executed$/m,
	'a run that skips everything fails'
);
fails(make_test(['only-skips.t']), qr/^FAILED: no test was executed$/m, '... point by point, too');

my $listed =
    file('listed', "# a comment\n$path{'skip.t'}  ^no such   # why\n$path{'skip-all.t'} .\n");
my $other = file('other', "$path{'skip.t'} ^another reason\n$path{'good.t'} no such\n");
my $broken = file('broken', "$path{'skip.t'}\n");
my $p = make_test([qw(good.t skip.t skip-all.t)], SKIPS_ALLOWED => $other);
passes($p, 'a skip does not fail a run at home');
like(
	$p->{out}, qr{^  \Q$path{'skip.t'}\E: 1 of its points: no such thing here}m,
	'... but it is listed with its reason'
);
like(
	$p->{out}, qr{^  \Q$path{'skip-all.t'}\E: all of it: no such thing here}m,
	'... as is a whole file'
);
passes(
	make_test([qw(good.t skip.t skip-all.t)], SKIPS_ALLOWED => $listed, CI => 1),
	'with CI set a skip that is on the list does not fail it'
);
fails(
	make_test([qw(good.t skip.t)], SKIPS_ALLOWED => $other, CI => 1),
	qr/^FAILED: a skip .*^Result: FAIL$/ms, 'one that is not on the list, for this reason, does'
);
fails(
	make_test([qw(good.t skip-all.t)], SKIPS_ALLOWED => $other, CI => 1),
	qr/^FAILED: a skip .*^Result: FAIL$/ms, '... also when it skips a whole file'
);
fails(
	make_test([qw(good.t skip.t)], SKIPS_ALLOWED => $broken), qr/broken:1: /,
	'a list with a broken line fails the run'
);

passes(
	make_test([qw(good.t skip.t)], SKIPS_ALLOWED => "$FindBin::Bin/../skips-allowed"),
	'the list of this project can be read'
);

done_testing;
