#!/usr/bin/perl
# options.t - every command reads its command line by the same rules, and refuses it in the same words.
#
# The commands and their options are those that --help lists, so that a new one is tried here, too.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd 'abs_path';
use RunTest;
use Test::More;

my $TOP = abs_path("$FindBin::Bin/../..");
my $dir = temp_dir();

# Those that become another program keep out of the way of its statuses.
my %failure = map { $_ => 125 } qw(run trace gdb);
sub failure { return $failure{$_[0]} // 2 }

# "uvdso: COMMAND: what is wrong; see `uvdso COMMAND --help`", and nothing else.
sub wrong {
	my ($command, $words, $message, $what) = @_;
	return refused(
		run({before => sub { chdir "$dir" }}, $UVDSO, $command, @$words), failure($command),
		qr/\Auvdso: $command: $message; see `uvdso $command --help`$/, "$command: $what"
	);
}

my ($list) = run($UVDSO, '--help')->{out} =~ /^Commands:\n((?:  .*\n)+)/m;
my @commands = $list =~ /^  (\w+) /mg;
cmp_ok(scalar @commands, '>=', 9, '--help lists the commands');
for my $command (@commands) {
	my ($options) = run($UVDSO, $command, '--help')->{out} =~ /^Options:\n((?: .*\n)+)/m;
	wrong(
		$command, ['--no-such-option'], '--no-such-option: no such option',
		'an unknown option is refused'
	);
	wrong(
		$command, ['--no-such-option=3'], '--no-such-option=3: no such option',
		'... with an argument'
	);
	wrong($command, ['-Z'], '-Z: no such option', '... and an unknown letter');
	wrong($command, ['-ZZ'], '-Z: no such option', '... among others');
	for (split /\n/, $options) {
		my ($letter, $name, $arg) = /^  (?:(-\w),|   ) (--[\w-]+)(?: (\S+))?(?:  |$)/
		    or next;
		my $short = substr $name, 0, -1;
		my @value = $arg ? 'x' : ();
		# One that several options begin with is none of them.
		my $of_this =
		    (() = $options =~ /^  (?:-\w,|   ) $short/mg) == 1
		    ? " \\($name cannot be abbreviated\\)"
		    : '';
		wrong(
			$command, [$short, @value],
			"$short: no such option$of_this",
			"$name cannot be abbreviated"
		);
		wrong(
			$command, ["$short=x"],
			"$short=x: no such option$of_this",
			'... nor with an argument'
		) if $arg;
		if ($arg) {
			wrong(
				$command, [$_], "$_: needs an argument, \Q$arg\E",
				"$_ needs an argument"
			) for grep { defined } $letter, $name;
		} else {
			wrong(
				$command, ["$name=x"], "$name: takes no argument",
				"$name takes no argument"
			);
		}
	}
	is_status(
		run($UVDSO, $command, $_, '--no-such-option'), 0,
		"$command: $_ wins over what is wrong after it"
	) for '-h', '--help';
}
wrong($_, [], 'no PROGRAM given', 'a program is needed') for qw(run trace);
wrong($_, ['--'], 'no PROGRAM given', '... and -- does not name one') for qw(run trace);
wrong('gdb', [], 'no PID given', 'a process is needed');
wrong('check', [], 'no FILE given', 'a file is needed');
wrong($_, ['x'], 'x: not expected here', 'an operand is refused') for qw(watch dump);
wrong($_, [''], "'': not expected here", '... also an empty one') for qw(watch dump);
wrong($_, ['--', '-h'], '-h: not expected here', '... also one that looks like an option, after --')
    for qw(watch dump);
wrong('diff', ['x'], 'x: needs another FILE to compare it with', 'one image has nothing beside it');
wrong('diff', ['a', 'b', 'c'], 'c: not expected here', 'a third operand is refused');
wrong('symbols', ['a', 'b'], 'b: not expected here', 'a second operand is refused');
wrong('help', ['run', 'b'], 'b: not expected here', 'a second operand is refused');
wrong('watch', ['-n', $_], "-n: '$_': not a number of times", "-n '$_' is refused")
    for '0', '-1', 'x', '3x', '', '9' x 30;
wrong(
	$_, ['--offset', 'moon=+1'], "--offset: 'moon=\\+1': .*realtime.*",
	'an offset of no clock is refused'
) for qw(run trace watch);

# Without a command.
{
	my $p = run($UVDSO);
	is_status($p, 2, 'uvdso alone is wrong usage');
	is($p->{out}, '', '... prints nothing on standard output');
	is($p->{err}, run($UVDSO, '--help')->{out}, '... and on standard error what --help says');
	is_status(run($UVDSO, '--'), 2, '... and so is -- alone');
}
refused(
	run($UVDSO, @$_), 2,
	qr/\Auvdso: ${\ ($$_[-1] || "''")}: no such command; see `uvdso --help`$/,
	"'@$_' is refused"
) for ['runn'], [''], ['help', 'runn'], ['help', 'uvdso'];
refused(
	run($UVDSO, $_, 'run'), 2, qr/\Auvdso: \Q$_\E: no such option; see `uvdso --help`$/,
	"'$_ run' is refused"
) for '-x', '--follow';
refused(
	run($UVDSO, '--vers'), 2, qr/--version cannot be abbreviated/,
	'--version cannot be abbreviated'
);
like(run($UVDSO, '--version')->{out}, qr/\Auvdso \d+\.\d+\.\d+\n\z/, '--version says the version');
is_status(run($UVDSO, '--version', 'run'), 0, '... whatever follows');

# The forms in which an argument may come, and what comes more than once.
sub date { return run($UVDSO, 'run', @_, 'date', '+%s')->{out} }

sub in_days {
	my ($days, $what, @options) = @_;
	my $shown = date(@options);
	cmp_ok(abs($shown - time - 86400 * $days), '<', 60, "run: $what")
	    or diag "'@options' gave $shown";
}
in_days(10, '--offset VALUE', '--offset', 'realtime=+10d');
in_days(10, '--offset=VALUE', '--offset=realtime=+10d');
in_days(
	20, 'of two offsets of a clock the last one counts', '--offset=realtime=+10d',
	'--offset=realtime=+20d'
);
in_days(
	10, '... and one of another clock changes nothing', '--offset=realtime=+10d', '--offset',
	'tai=+20d'
);
in_days(10, '-- ends the options', '--offset=realtime=+10d', '--');
is(
	run($UVDSO, 'run', 'echo', '-v', '--follow', '--help', '--', '-x')->{out},
	"-v --follow --help -- -x\n",
	'run: what follows the program is the program\'s'
);
is(
	run($UVDSO, 'run', '--', 'echo', '--', 'x')->{out}, "-- x\n",
	'run: of two -- the second is the program\'s'
);
is(scalar(() = run($UVDSO, 'watch', @$_)->{out} =~ /^seq/mg), 1, "watch @$_ looks once")
    for ['-n', 1], ['-n1'], ['--times', 1], ['--times=1'], ['-n', 3, '--times=1'];
is_status(run($UVDSO, 'dump', "--output=$dir/$_"), 0, "dump writes to '$_'")
    for 'a', '--', 'with = in it', '-o';
ok(-s "$dir/$_", '... and the file is there') for 'a', '--', 'with = in it', '-o';
{
	my $image = "$dir/-v";
	run($UVDSO, 'dump', '-o', $image);
	my @run = ({before => sub { chdir "$dir" }}, $UVDSO, 'check');
	unlike(run(@run, '--', '-v')->{out}, qr/: ok\b/, 'check: after -- even -v is a file');
	my $after = run(@run, 'a', '-v');
	is($after->{out}, run(@run, '-v', 'a')->{out}, 'check: options may come after the files');
	is($after->{err}, '', '... and are not files then');
	like(
		run({env => {POSIXLY_CORRECT => 1}}, $UVDSO, 'check', "$dir/a", '-v')->{err},
		qr/^uvdso: -v: No such file/m,
		'... unless POSIXLY_CORRECT is set'
	);
	is(
		run($UVDSO, 'check', '-vv', '--verbose', "$dir/a")->{out},
		run($UVDSO, 'check', '-v', "$dir/a")->{out},
		'check: a flag may be repeated, and letters may share a -'
	);
}

done_testing;
