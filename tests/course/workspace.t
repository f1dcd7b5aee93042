#!/usr/bin/perl
# workspace.t - what lies in work/ can be trusted, whatever happens to it.
#
# A course of two exercises in one file. Copies are removed, renamed, emptied; commands are interrupted
# at any moment, and two run at once. Only a right answer is ever green, and whatever state is left, a
# command mends it. At the end the same at random, from a seed that a failure prints.
use strict;
use warnings;
use Cwd 'getcwd';
use File::Path qw(make_path remove_tree);
use File::Temp 'tempdir';
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use lib 'tests/lib';
use Build;

$ENV{LC_ALL} = 'C';
$ENV{NO_COLOR} = 1;
$ENV{UVDSO_COURSE_LIMIT} = 5;
$ENV{UVDSO_RUN_LIMIT} = 1;
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL CH B T)};
my $top = getcwd();
my $tmp = tempdir('uvdso-workspace-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $dir = "$tmp/a course";
my $ROUNDS = $ENV{UVDSO_FUZZ_ROUNDS} // 30;

sub slurp { open my $fh, '<', $_[0] or BAIL_OUT("$_[0]: $!"); local $/; return readline($fh) // '' }

sub spew {
	my ($path, $text) = @_;
	make_path($path =~ s{/[^/]*$}{}r);
	unlink $path;
	open my $fh, '>', $path or BAIL_OUT("$path: $!");
	print $fh $text;
	close $fh;
}

# ---- the course ----
my $finished = <<'END';
/* sum.c - two functions. */
int add(int a, int b);
int sub(int a, int b);

int add(int a, int b)
{
	/* course: begin 01-add */
	return a + b;
	/* course: end 01-add */
}

int sub(int a, int b)
{
	/* course: begin 02-sub */
	return a - b;
	/* course: end 02-sub */
}
END

# What is built half looks like what is built: a prerequisite is written in two steps.
spew("$dir/Makefile", <<'END' =~ s/^ {8}/\t/mgr);
.DELETE_ON_ERROR:
all: build/uvdso build/x86_64/vdso.so
build/tests/%: tests/%.c build/sum.o
        @mkdir -p $(@D)
        @gcc -Wall -Wextra -Werror $^ -o $@
build/sum.o: src/sum.c
        @mkdir -p $(@D)
        @echo half >$@; sleep $${HALF-0}; gcc -Wall -Wextra -Werror -c $< -o $@
build/uvdso: build/sum.o
        @printf '#!/bin/sh\nshift; echo uvdso: "$$@"\n' >$@; chmod +x $@
build/x86_64/vdso.so: build/sum.o
        @mkdir -p $(@D)
        @cp $< $@
learn start check run hint diff update break solution reset watch mine:
        @tutorial/learn $@
END
spew("$dir/src/sum.c", $finished);
for (['add', '+', 3], ['sub', '-', -1]) {
	my ($name, $sign, $want) = @$_;
	my $number = $name eq 'add' ? '01' : '02';
	spew("$dir/tests/sum/$name.c", <<"END");
#include <stdio.h>
int $name(int a, int b);
int main(void)
{
	int got = $name(1, 2);
	printf("1..2\\n%sok 1 - one $sign two\\n", got == $want ? "" : "not ");
	fflush(stdout);
	if (got != $want)
		fprintf(stderr, "# got %d\\n", got);
	printf("ok 2 - nothing\\n");
	return got != $want;
}
END
	spew("$dir/tutorial/ex/$number-$name.ex", <<"END");
title: The $name
tier: core
minutes: 5
file: src/sum.c
tests: $name
red: one $sign two
hint:
	one
hint:
	two
hint:
	three
mutant: other-sign: the other operation
	s/a \\$sign b/a * b/
stub:
		/* TODO: $name. */
		return a && b && 0;
END
	spew("$dir/tutorial/$number-$name.md", "# $number The $name\n");
}
spew(
	"$dir/tutorial/run/01-add",
	"#!/bin/sh\npwd\necho \"\$UVDSO \$B\"\n[ -e src/hang ] && sleep 20\n[ -t 0 ] || exit 7\n"
);
chmod 0755, "$dir/tutorial/run/01-add";
system('cp', '-r', "$top/tutorial/learn", "$top/tutorial/lib", "$dir/tutorial/") == 0
    or BAIL_OUT('no tool');
make_path("$dir/tests/lib");
system('cp', "$top/tests/lib/run-test", "$dir/tests/lib/") == 0 or BAIL_OUT('no runner');
my ($add, $sub) = map { "$dir/work/$_/src/sum.c" } '01-add', '02-sub';
my $right = $finished =~ s/a \+ b/b + a/r =~ s/a - b/a * b/r;

# make's target, and what else it is told.
sub typed {
	my ($what, @more) = @_;
	my $out =
	    `cd @{[quoted($dir)]} && timeout 60 make -s $what @{[map { quoted($_) } @more]} 2>&1 </dev/null`;
	return ($? >> 8, $out);
}

# Said with a Perl error, something was not thought of.
sub is_sane {
	my ($out) = @_;
	return $out !~ / at \S+ line \d+|Use of uninitialized/;
}

sub says {
	my ($what, $pattern, $name) = @_;
	my ($status, $out) = typed(@$what);
	ok($status && $out =~ $pattern && is_sane($out), $name) or diag("status $status\n$out");
}

sub passes {
	my ($what, $pattern, $name) = @_;
	my ($status, $out) = typed(@$what);
	ok(!$status && $out =~ $pattern && is_sane($out), $name) or diag("status $status\n$out");
}

# ---- which exercise ----
typed('start', 'CH=01');
for my $ch ('1', '001', ' 01 ', '01-ADD', 'Add', 'work/01-add/', 'tutorial/01-add.md') {
	passes(
		['diff', "CH=$ch"], qr/work\/01-add is as it began/,
		"CH='$ch' is the first exercise"
	);
}
for my $ch (
	'', ' ', '5', '1b', '../x', '01 02', '01;touch x', '$$(touch x)', 'ad', "a\tb", '.',
	'-1', '100'
    )
{
	says(
		['check', "CH=$ch"],
		qr/which chapter\?|no such exercise\. There are:\n  01  The add\n/,
		"CH='$ch' is none, and those that there are are named"
	);
}
ok(!-e "$dir/x", 'no shell has read it');

# ---- only a right answer is green ----
my @spoilt = (
	# what, how, what is said
	[
		'gone, with its directory', sub { remove_tree("$dir/work/01-add") },
		qr/is gone.*make start CH=01/
	],
	[
		'removed', sub { unlink $add },
		qr/sum\.c is not there\. To begin again: make reset CH=01\./
	],
	[
		'renamed', sub { rename $add, "$dir/work/01-add/src/mine.c" },
		qr/is not there\. This is: work\/01-add\/src\/mine\.c/
	],
	['empty', sub { spew($add, '') }, qr/sum\.c is empty\. To begin again: make reset CH=01\./],
	['nothing but blanks', sub { spew($add, " \n\n") }, qr/sum\.c is empty/],
	[
		'a directory', sub { unlink $add; mkdir $add },
		qr/sum\.c is not a file\. To begin again: make reset/
	],
	[
		'a link to nothing', sub { unlink $add; symlink 'nothing', $add },
		qr/sum\.c is not there/
	],
	[
		'in a directory of another name',
		sub {
			rename "$dir/work/01-add", "$dir/work/01-mine";
			remove_tree("$dir/work/01-mine");
		},
		qr/make start CH=01/
	],
	[
		'a file where its directory was',
		sub { remove_tree("$dir/work/01-add"); spew("$dir/work/01-add", 'x') },
		qr/not a directory\. To begin again: make reset CH=01\./
	],
	[
		'full of conflicts',
		sub { spew($add, "<<<<<<< yours\n=======\n>>>>>>> the project\n$right") },
		qr/sum\.c:1: here you and the project/
	],
	[
		'a directory where the project has a file',
		sub { spew("$dir/work/01-add/Makefile/x", '') },
		qr/Makefile is a directory, and in the project a file/
	],
);
typed('reset', 'CH=01');
for (@spoilt) {
	my ($what, $how, $pattern) = @$_;
	spew($add, $right);
	passes(['check', 'CH=01'], qr/^Done: 01 The add/m, 'a right answer is green')
	    if $what =~ /^gone/;
	$how->();
	says(
		['check', 'CH=01'], $pattern,
		"a copy that is $what is not tested, and what mends it is said"
	);
	says(['run', 'CH=01'], $pattern, '... nor run') if $what =~ /removed/;
	my ($status, $out) = typed('reset', 'CH=01');
	ok(!$status && slurp($add) =~ /TODO: add/, '... and reset mends it') or diag($out);
}
passes(
	['learn'], qr/^  01  The add +5 min  core  done$/m,
	'what was done is done, after all of that'
);
spew(
	"$dir/work/01-add/tests/sum/add.c",
	"#include <stdio.h>\nint main(void) { puts(\"1..0 # SKIP no luck\"); }\n"
);
says(
	['check', 'CH=01'],
	qr/tests\/sum\/add\.c is yours, too.*cannot be tested on this machine: no luck/s,
	'a test that is left out is no success, and one that was put beside the copy is named'
);
spew(
	"$dir/work/01-add/tests/sum/add.c",
	"#include <stdio.h>\nint main(void) { puts(\"1..1\\nok 1 - nothing\"); }\n"
);
says(['check', 'CH=01'], qr/not ok  one \+ two\n/, '... nor is one that never comes to the point');
unlink "$dir/work/01-add/tests/sum/add.c";

# ---- the project's own file ----
spew($add, $right);
typed('check', 'CH=01');
my $moved_on = $finished =~ s/two functions/two small functions/r;
SKIP: {
	my $git = 'git -c user.name=x -c user.email=x@x -c commit.gpgsign=false';
	system(
		"cd @{[quoted($dir)]} && git init -q . && echo work >.gitignore && git add . && $git commit -qm x 2>/dev/null"
	    ) == 0
	    or skip 'no git', 1;
	spew("$dir/src/sum.c", $finished =~ s/a \+ b/a + b + 0/r);
	passes(
		['check', 'CH=01'],
		qr/project's own src\/sum\.c has been edited.*git checkout src\/sum\.c.*Done/s,
		'an edit of the project\'s own file, between the two lines, is said'
	);
	passes(
		['diff', 'CH=02'], qr/No difference/,
		'... where it is about another exercise, it is not'
	) if !(typed('start', 'CH=02'))[0];
	spew("$dir/src/sum.c", $finished =~ s/course: end 01-add/the end/r);
	says(
		['start', 'CH=all'], qr/has lost its two lines.*git checkout src\/sum\.c/s,
		'of a file that was spoiled nothing is cut out, and what takes that back is said'
	);
	spew("$dir/src/sum.c", $finished);
	remove_tree("$dir/.git");
}
spew("$dir/src/sum.c", $finished =~ s/a \+ b/a + b + 0/r);
passes(
	['check', 'CH=01'], qr/project's own src\/sum\.c is not what it was when you began.*Done/s,
	'... without git, too'
);
spew("$dir/src/sum.c", $finished);
typed('start', 'CH=02');

# ---- the project moves on ----
passes(['update', 'CH=01'], qr/up to date/, 'an update of what has not changed does nothing');
spew("$dir/src/sum.c", $moved_on);
passes(
	['check', 'CH=01'], qr/has changed since you began: make update CH=01.*Done/s,
	'that the project has changed is said'
);
passes(['diff', 'CH=01'], qr/^\+\treturn b \+ a;\n/m, 'diff shows what the learner has changed');
unlike(
	(typed('diff', 'CH=01'))[1], qr/small|return a \+ b/,
	'... and neither the project\'s change nor its answer'
);
passes(
	['update', 'CH=01'],
	qr/what the project has changed is in it.*It was before: work\/\.old\/01-add/s,
	'update brings it in'
);
is(
	slurp($add), $right =~ s/two functions/two small functions/r,
	'... beside what the learner has written'
);
unlike((typed('check', 'CH=01'))[1], qr/make update/, '... and then that is over');

spew($add, slurp($add) =~ s/two small functions/my functions/r);
spew("$dir/src/sum.c", $finished =~ s/two functions/two tiny functions/r);
says(
	['update', 'CH=01'], qr/the same lines:\n  work\/01-add\/src\/sum\.c:1\n/,
	'both have changed a line: update says where'
);
says(
	['check', 'CH=01'], qr/sum\.c:1: here you and the project/,
	'... and check waits until that is resolved'
);
spew($add, slurp($add) =~ s/^<<<<<<< .*?^=======\n(.*?)^>>>>>>> [^\n]*\n/$1/msr);
passes(['check', 'CH=01'], qr/Done/, '... which it is then');

my $card = slurp("$dir/tutorial/ex/01-add.ex");
spew("$dir/tutorial/ex/01-add.ex", $card =~ s/TODO: add\./TODO: add them both./r);
passes(
	['update', 'CH=01'], qr/begins otherwise now.*^\+.*add them both/ms,
	'where the exercise itself has changed, the answer stays, and the change is shown'
);
passes(['check', 'CH=01'], qr/Done/, '... so it is still right');
remove_tree("$dir/work/.base");
passes(
	['update', 'CH=01'], qr/between the two 'course:' lines is in it/,
	'a copy without a base is fitted in'
);
passes(['diff', 'CH=01'], qr/^\+\treturn b \+ a;\n/m, '... and has one from then on');
{
	# A path with what the tool needs, and neither git nor diff3; then with one of them.
	my $bin = "$tmp/bin";
	make_path($bin);
	for my $tool (qw(perl sh make gcc cc as ld timeout diff sleep env mkdir cat uname rm cp)) {
		my ($path) = grep { -x } map { "$_/$tool" } split /:/, $ENV{PATH};
		symlink $path, "$bin/$tool" if defined $path;
	}
	local $ENV{PATH} = $bin;
	spew("$dir/src/sum.c", $moved_on);
	says(
		['update', 'CH=01'], qr/takes git or diff3, and neither is installed/,
		'without git and diff3, update says what it needs'
	);
	my ($diff3) = grep { -x } '/usr/bin/diff3', '/bin/diff3';
	symlink $diff3, "$bin/diff3" if defined $diff3;
	SKIP: {
		skip 'no diff3', 1 if !defined $diff3;
		passes(['update', 'CH=01'], qr/is in it/, '... with diff3 alone it merges');
	}
}

# ---- what is built, at work ----
my ($status, $out) = typed('run', 'CH=01');
ok(
	$status == 2 && $out =~ m{/work/\.trees/01-add\nbuild/uvdso build\n.*Error 7}s,
	'run starts the script in the tree, tells it where things are, and hands on its status'
) or diag("$status\n$out");
spew("$dir/work/01-add/src/hang", '');
my $begin = time;
says(
	['run', 'CH=01'], qr/did not end within 1 s.*Error 124/s,
	'... and not for longer than its limit'
);
ok(time - $begin < 15, '... which it keeps');
unlink "$dir/work/01-add/src/hang";
says(
	['run', 'CH=02'], qr/there is nothing to run, only to check/,
	'an exercise without a script says so'
);
spew("$dir/tutorial/run/02-sub", "#!/bin/sh\necho minus\n");
chmod 0755, "$dir/tutorial/run/02-sub";
says(
	['run', 'CH=02'], qr/is not finished.*missing:\n  one - two\n/s,
	'what is not finished says what is missing'
);
passes(
	['mine'],
	qr/01  The add +yours\n.*02  The sub +the project.s: yours is not finished.*1 of 2 parts are yours.*uvdso: date\n/s,
	'mine runs on what is solved, and says what is not'
);
spew(
	$sub,
	$moved_on =~ s/a - b/-b + a/r =~ s/a \+ b/a * b/r =~
	    s/^(int sub)/static int helper(int x)\n{\n\treturn x;\n}\n\n$1/mr =~
	    s/-b \+ a/helper(a) - b/r
);
passes(['check', 'CH=02'], qr/Done: 02/, 'an answer with a function of its own beside it is right');
passes(['mine'], qr/2 of 2 parts are yours/, '... and both are put together');
my $both = slurp("$dir/work/.trees/mine/src/sum.c");
ok($both =~ /b \+ a/ && $both =~ /helper\(a\) - b/ && $both !~ /TODO/, '... in one file')
    or diag($both);

# ---- broken on purpose ----
passes(
	['break', 'CH=01'], qr/make break CH=01:other-sign\n +the other operation/,
	'break lists the mistakes'
);
says(
	['break', 'CH=01:luck'], qr/no such mistake. There are:\n  CH=01:other-sign/,
	'... and knows no other'
);
spew($add, $moved_on);
passes(
	['break', 'CH=01:other-sign'],
	qr/In your answer.*^\+\treturn a \* b;.*not ok  one \+ two.*as it was/ms,
	'the mistake is put into the learner\'s own words where it fits'
);
is(slurp($add), $moved_on, '... and the copy is left alone');
spew($add, $moved_on =~ s/a \+ b/b + a/r);
passes(
	['break', 'CH=01:other-sign'], qr/in other words than ours.*not ok  one \+ two/s,
	'... and where not, into the project\'s'
);
spew($add, $moved_on =~ s/a \+ b/a * b/r);
says(['break', 'CH=01:other-sign'], qr/is not finished/, 'what is not right yet is not broken');

# ---- interrupted, and two at once ----
# Starts a command in a process group of its own.
sub background {
	my (@command) = @_;
	my $pid = fork // BAIL_OUT("fork: $!");
	if (!$pid) {
		setpgrp;
		chdir $dir;
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$tmp/background";
		open STDERR, '>&', \*STDOUT;
		exec @command or POSIX::_exit(127);
	}
	setpgrp $pid, $pid;
	return $pid;
}

# The tool itself, in that group.
sub tool_in {
	my ($group) = @_;
	my @found;
	for my $path (glob '/proc/[0-9]*') {
		open my $stat, '<', "$path/stat" or next;
		my ($pid, $its) = (readline($stat) // '') =~ /^(\d+) \(.*\) \S \d+ (\d+)/ or next;
		open my $line, '<', "$path/cmdline" or next;
		push @found, $pid if $its == $group && (readline($line) // '') =~ /perl.*learn/;
	}
	return @found;
}

for my $signal ('INT', 'TERM', 'KILL') {
	spew($add, $right);
	typed('reset', 'CH=01');
	spew($add, $right);
	local $ENV{HALF} = 3;
	my $pid = background(qw(make -s check CH=01));
	my $tries = 0;
	sleep 0.01 until $tries++ > 500 || (-e "$dir/work/.trees/01-add/build/sum.o" && -s _ < 10);
	# KILL for the tool alone: what it has started goes on for a moment.
	kill $signal, $signal eq 'KILL' ? tool_in($pid) : -$pid;
	waitpid $pid, 0;
	kill 'KILL', -$pid;
	delete local $ENV{HALF};
	passes(
		['check', 'CH=01'], qr/Done: 01/,
		"after a build that was ended by $signal half-way, the next is right"
	);
}
spew("$dir/work/.trees/01-add/build/sum.o", 'half');
passes(['check', 'CH=01'], qr/Done: 01/, 'an object that is none is built again');

# Some editors remove a file and write it anew.
typed('reset', 'CH=01');
{
	my $pid = background(qw(make -s watch CH=01));
	my $said = sub {
		my $end = time + 20;
		sleep 0.05 until slurp("$tmp/background") =~ $_[0] || time > $end;
	};
	$said->(qr/Watching/);
	unlink $add;
	$said->(qr/is not there/);
	spew($add, $right);
	$said->(qr/Done/);
	my $ended = waitpid $pid, POSIX::WNOHANG();
	sleep 0.1 and $ended = waitpid $pid, POSIX::WNOHANG() if !$ended;
	like(
		slurp("$tmp/background"), qr/Watching.*is not there.*Done: 01/s,
		'watch goes on when the file is back'
	);
	kill 'KILL', -$pid;
	waitpid $pid, 0;
}
remove_tree("$dir/work/02-sub");
my @both = map { background(qw(make -s start CH=02)) } 1, 2;
my @status = map { waitpid $_, 0; $? >> 8 } @both;
is(
	join(' ', sort @status), '0 2',
	'of two starts at once, one begins and the other says that it is there'
);
spew($sub, $moved_on);
@both = map { background(qw(make -s check CH=02)) } 1, 2, 3;
@status = map { waitpid $_, 0; $? >> 8 } @both;
is("@status", '0 0 0', 'three checks at once all come to the same');

# ---- at random ----
my $seed = $ENV{UVDSO_FUZZ_SEED} // int(time * 1000) % 1000000;
note("seed $seed: UVDSO_FUZZ_SEED=$seed repeats it");
srand $seed;
my @deeds = (
	map({
			my $c = $_;
			sub { typed($c, 'CH=' . (qw(01 1 add 02 all), '', '../x')[rand 7]) }
	} qw(start check hint diff update solution reset run break)),
	sub { typed('mine') },
	sub { typed('learn') },
	sub { spew($add, $right) },
	sub { spew($sub, $moved_on) },
	sub { spew($add, substr $right, 0, rand length $right) },
	sub { unlink $add },
	sub { remove_tree("$dir/work/0" . (1 + int rand 2) . (qw(-add -sub))[rand 2]) },
	sub { remove_tree("$dir/work/.base") },
	sub { remove_tree("$dir/work/.trees") },
	sub { remove_tree("$dir/work/.trees/01-add/tests") },
	sub { spew("$dir/work/.trees/01-add/build/sum.o", 'x') },
	sub {
		spew("$dir/work/.progress", join '', map { chr rand 128 } 1 .. 40);
	},
	sub { remove_tree("$dir/work") },
	map({
			my $signal = $_;
			sub {
				my $pid = background(
					'make', '-s',
					(qw(start check reset update mine))[rand 5], 'CH=01'
				);
				sleep rand 0.15;
				kill $signal, -$pid;
				waitpid $pid, 0;
				kill 'KILL', -$pid;
				return (0, slurp("$tmp/background"));
			}
	} qw(INT TERM KILL)),
);
spew("$dir/src/sum.c", $moved_on);
my (@done, $wrong);
for my $round (1 .. $ROUNDS) {
	my $deed = int rand @deeds;
	push @done, $deed;
	my @got = $deeds[$deed]->();
	if (@got == 2 && !is_sane($got[1])) { $wrong = "said:\n$got[1]"; last }
	# What is green is right.
	my ($green, $said) = typed('check', 'CH=01');
	my $is_right = -f $add && slurp($add) =~ /return (?:a \+ b|b \+ a);\n.*end 01-add.*\}\n\z/s;
	if (!is_sane($said)) { $wrong = "said:\n$said"; last }
	if ($green == 0 && !$is_right) { $wrong = "green, and not right:\n$said"; last }
	next if $round % 10;
	($green, $said) = typed('reset', 'CH=01');
	if ($green) { $wrong = "reset does not mend it:\n$said"; last }
	spew($add, $right);
	($green, $said) = typed('check', 'CH=01');
	if ($green) { $wrong = "not green after reset and a right answer:\n$said"; last }
}
ok(
	!defined $wrong,
	"$ROUNDS accidents in a row, and each time what is green is right, and reset mends the rest"
) or diag("seed $seed, deeds @done\n$wrong");
my @left = grep { !/\.(?:busy)$/ } map { glob "'$dir'/work/$_" } '.trees/*.new', '.*.new';
is("@left", '', 'nothing of it is left lying about') or diag(`ls -la @{[quoted($dir)]}/work`);
done_testing;
