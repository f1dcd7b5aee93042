package Mutants;

# Mistakes of one line in the source, and whether the test that must notice one does.
#
# tests/mutants/table lists them. Each is put into a copy of the project, what depends on it is built
# there, and its tests are run until one of them fails. The copy begins with what the project has
# built, so that no more is built than a change asks for.
#
# A mutated loader may send a signal to every process of the user. So each test runs in a namespace of
# process ids, and everything that it has started ends with it. Where there is no such namespace, files
# that send signals are left out.

use strict;
use warnings;
use Cwd 'abs_path';
use Digest::MD5 'md5_hex';
use File::Basename 'dirname';
use File::Temp ();
use List::Util qw(min);
use Time::HiRes qw(sleep time);

our $TOP;

BEGIN {
	$TOP = abs_path(dirname(__FILE__) . '/../..');
	unshift @INC, "$TOP/tutorial/lib";
}
use Course::Files qw(slurp spew capture discard);
use Course::Tree;

# Seconds. CPU: the work that a process of a test may do, if the table does not say. The others are for
# machines that are busy: what a test that waits may take, and make.
my ($CPU, $WALL, $BUILD) = (5, 300, 1800);

# ---- the table -----------------------------------------------------------------------------
# A file, and the tests that are asked in this order, for what follows:
#
#	== FILE: TEST...
#	== FILE: TEST... (30 s of work)
#
# A mistake, in a sentence. Indented below it are the text that is changed, without its indentation, and
# what stands there afterwards. The text is in the file once, or once in the function that is named. If
# a line does not tell enough, Perl changes the file, in $_:
#
#	what is wrong
#		in FUNCTION
#		- TEXT
#		+ TEXT
#		s/OLD/NEW/
#		test TEST...
#		lives: why no test can notice, or need to
#		open: what a test would take that notices; until there is one, no sample has it
#
# "test build" is for what the build itself refuses. # begins a comment.
sub table {
	my ($path) = @_;
	my (@all, %section, $mutant, %seen);
	my $n = 0;
	for (split /\n/, slurp($path)) {
		$n++;
		my $bad = sub { die "$path:$n: $_[0]\n" };
		next if /^#/ || /^\s*$/;
		if (/^== (\S+): (\S.*?)(?: \((\d+) s of work\))?$/) {
			%section = (file => $1, tests => [split ' ', $2], cpu => $3 // $CPU);
			-f "$TOP/$1" or $bad->("$1: no such file");
		} elsif (/^[^\t]/) {
			%section or $bad->('a mutant before the first == FILE: TEST');
			$seen{$_}++ and $bad->("'$_': a second one");
			push @all,
			    $mutant = {
				%section, name => $_, id => substr(md5_hex($_), 0, 12), line => $n,
				old => [], new => []
			    };
		} elsif (!$mutant) {
			$bad->('an indented line, and no mutant before it');
		} elsif (/^\tin (\w+)$/) {
			$mutant->{in} = $1;
		} elsif (/^\t([-+])(?: (.*))?$/) {
			push @{$mutant->{$1 eq '-' ? 'old' : 'new'}}, $2 // '';
		} elsif (/^\ttest (\S.*)$/) {
			$mutant->{tests} = [split ' ', $1];
		} elsif (/^\tlives: (\S.*)$/) {
			$mutant->{lives} = $1;
		} elsif (/^\topen: (\S.*)$/) {
			$mutant->{open} = $1;
		} elsif (/^\t(s[^\w\s].*)$/) {
			$mutant->{code} .= "$1\n";
		} else {
			$bad->("neither a mutant nor a line of one: $_");
		}
	}
	for (@all) {
		!@{$_->{old}} == !!$_->{code}
		    or die "$path:$_->{line}: $_->{name}: either lines - and +, or s/// \n";
	}
	return @all;
}

# Where in a text a function begins and ends: from its name, at the beginning of a line or after a type
# there, to the first closing brace at the beginning of one.
sub extent {
	my ($text, $function) = @_;
	while ($text =~ /^(?:[a-z_][^\n;]*[\s*])?\Q$function\E\(/mg) {
		my $from = $-[0];
		pos($text) = $from;
		next if $text !~ /\G[^;{]*?\{.*?^\}/msg;
		return ($from, pos $text);
	}
	return;
}

# The file with the mistake in it; undef if the change does not fit.
sub mutated {
	my ($mutant, $text) = @_;
	if ($mutant->{code}) {
		local $_ = $text;
		my $done = eval "$mutant->{code}; 1";
		die "$mutant->{name}: $@" if !$done;
		return $_ eq $text ? undef : $_;
	}
	my ($from, $to) = $mutant->{in} ? extent($text, $mutant->{in}) : (0, length $text);
	return if !defined $to;
	my $old = join '\s*', map { quotemeta } @{$mutant->{old}};
	$old =
	      ($mutant->{old}[0] =~ /^\w/ ? '\b' : '')
	    . $old
	    . ($mutant->{old}[-1] =~ /\w$/ ? '\b' : '');
	my $new = join "\n", @{$mutant->{new}};
	my $part = substr $text, $from, $to - $from;
	my @found;
	push @found, [$-[0], $+[0]] while $part =~ /$old/g;
	return if @found != 1;
	substr($part, $found[0][0], $found[0][1] - $found[0][0]) = $new;
	substr($text, $from, $to - $from) = $part;
	return $text;
}

# ---- one of them ---------------------------------------------------------------------------
# The command by which a test cannot reach a process outside; empty where the system has none.
my @apart;
my $looked;

sub apart {
	return @apart if $looked++;
	for (['unshare'], ['unshare', '--map-current-user']) {
		my @try = (@$_, qw(--pid --fork --mount-proc --kill-child));
		next if capture({limit => 60}, @try, 'true')->{status};
		@apart = @try;
		last;
	}
	return @apart;
}

sub wild {
	my ($mutant) = @_;
	return !apart() && slurp("$TOP/$mutant->{file}") =~ /\bkill\(|tgkill|pidfd_send|reboot\(/;
}

# A copy of the project to try them in.
sub tree {
	my ($dir) = @_;
	my $tree = Course::Tree->new($TOP, "$dir/uvdso");
	$tree->sync;
	return $tree;
}

sub is_test {
	my ($name) = @_;
	return 1 if grep { -e "$TOP/tests/$name.$_" } qw(c t);
	return slurp("$TOP/tests/table") =~ /^\Q$name\E\s/m;
}

# What make must build for a test.
sub target {
	my ($tree, $test) = @_;
	return "build/tests/$test" if -e "$tree->{dir}/tests/$test.c";
	# One that is a program with other arguments.
	my ($command) = slurp("$TOP/tests/table") =~ /^\Q$test\E\s+(\S.*)/m;
	return "build/tests/$1"
	    if ($command // '') =~ m{build\}/tests/(\S+)} && -e "$tree->{dir}/tests/$1.c";
	return 'build/tests/vdso/interleave-halves' if $test eq 'vdso/interleave-halves';
	return 'i386-course' if $test eq 'machines/trampolines';
	return ('build/uvdso', 'i386-programs') if $test eq 'machines/i386';
	return ('build/uvdso', 'build/tests/uvdso-dynamic')
	    if $test =~ m{^run/(?:failing-calls|denied)$};
	return 'all' if $test =~ m{^(?:library|build|cli/install)};
	return () if $test =~ m{^(?:course|self)/};
	my $script = -e "$TOP/tests/$test.t" ? slurp("$TOP/tests/$test.t") : '';
	# What a script starts, and has code of the loader in it.
	return (
		'build/uvdso',
		$script =~ /UVDSO_DYNAMIC|use Faults/ ? 'build/tests/uvdso-dynamic' : (),
		map { "build/tests/programs/$_" } $script =~ /\bprogram\('(booted|opaque)'/g
	);
}

sub failures {
	my ($out) = @_;
	return grep { !/# (?:todo|skip)/i } $out =~ /^(not ok\b.*)\n/mg;
}

# For what a test leaves that is ended at its first failure.
sub temporary {
	my ($tree) = @_;
	my $dir = dirname($tree->{dir}) . '/tmp';
	return $dir if -d $dir;
	mkdir $dir and chmod 01777, $dir or die "$dir: $!\n";
	return $dir;
}

# Runs a test in the tree, until something in it fails. '' if it passes, 'skipped' or why it did not.
sub run_test {
	my ($tree, $test, $cpu) = @_;
	my $run = capture(
		{
			dir => $tree->{dir}, limit => $WALL, enough => sub { failures($_[0]) > 0 },
			env => {
				PERL5LIB => 'tests/lib', TEST_BUILD => 'build',
				TMPDIR => temporary($tree)
			}
		},
		apart(),
		'sh', '-c',
		'ulimit -c 0; ulimit -t "$2"; tests/lib/run-test "$1"; exit $?',
		'sh',
		$test,
		$cpu
	);
	my $out = $run->{out};
	my @bad = failures($out);
	return $bad[0] =~ s/^not ok \d+ - //r if @bad;
	return "did not end within $WALL s" if $run->{timed_out};
	return "Bail out! $1" if $out =~ /^Bail out!\s*(.*)/m;
	my $status = $run->{status};
	return "was killed by signal " . ($status - 128) if $status > 128;
	return "ended with status $status" if $status || $run->{signal};
	return 'skipped' if $out =~ /^1\.\.0/m;
	return '';
}

sub make {
	my ($tree, @targets) = @_;
	return '' if !@targets;
	my $run = capture(
		{dir => $tree->{dir}, limit => $BUILD}, 'make', '-s', '--no-print-directory',
		'CHECK_IMAGE=no', 'LENIENT=-w',
		@targets
	);
	return "make did not end within $BUILD s" if $run->{timed_out};
	return $run->{status} ? $run->{out} || 'make failed' : '';
}

# Puts a text in the place of a file of the tree. make takes files of the same tick of the file system's
# clock to be up to date.
sub put {
	my ($tree, $file, $text) = @_;
	sleep 0.012;
	spew("$tree->{dir}/$file", $text);
}

# A test that fails without the mistake as well notices nothing. Asked once for all trees: they lie side
# by side, and so does what is known. '' if it passes, or why it does not.
sub fails_anyway {
	my ($tree, $mutant, $test) = @_;
	my $known = dirname(dirname($tree->{dir})) . "/passes-$mutant->{cpu}-" . $test =~ tr{/}{-}r;
	return '' if -e $known;
	put($tree, $mutant->{file}, slurp("$TOP/$mutant->{file}"));
	my $said = make($tree, target($tree, $test)) || run_test($tree, $test, $mutant->{cpu});
	spew($known, '') if $said eq '';
	return $said;
}

# Tries one: {verdict, said, seconds}. The verdict is noticed, survived, lives (and a sentence says
# why), outdated, unbuilt, idle (its sentence is wrong: it is noticed), unsound (its test fails anyway)
# or left.
sub try {
	my ($tree, $mutant) = @_;
	my $from = time;
	my $end = sub { return {verdict => $_[0], said => $_[1], seconds => time - $from} };
	return $end->('left', 'no namespace of process ids here, and the file sends signals')
	    if wild($mutant);
	my $text = mutated($mutant, slurp("$TOP/$mutant->{file}"));
	return $end->(
		'outdated',
		"the change does not fit $mutant->{file} any more, or fits it twice"
	) if !defined $text;
	put($tree, $mutant->{file}, $text);
	if ($mutant->{file} =~ /\.pm$/) {
		my $run = capture(
			{dir => $tree->{dir}, limit => $WALL},
			$^X, '-Itutorial/lib', '-Itests/lib', '-c', $mutant->{file}
		);
		return $end->('unbuilt', $run->{out}) if $run->{status};
	}
	my $skipped = 0;

	for my $test (@{$mutant->{tests}}) {
		my $said = make($tree, target($tree, $test));
		if ($test eq 'build') {
			return $end->('noticed', 'by the build: ' . first_line($said))
			    if length $said;
			next;
		}
		return $end->('unbuilt', $said) if length $said;
		$said = run_test($tree, $test, $mutant->{cpu});
		$skipped++ if $said eq 'skipped';
		next if $said eq '' || $said eq 'skipped';
		my $anyway = fails_anyway($tree, $mutant, $test);
		return $end->('unsound', "$test: $anyway") if length $anyway;
		return $end->($mutant->{lives} ? 'idle' : 'noticed', "$test: $said");
	}
	return $end->('left', "@{$mutant->{tests}}: skipped on this machine")
	    if $skipped == @{$mutant->{tests}};
	return $end->('lives', $mutant->{lives}) if $mutant->{lives};
	return $end->('survived', $mutant->{open} // '');
}

sub first_line {
	my ($said) = @_;
	my ($line) = $said =~ /^(.*(?:error|rule|assert|failed).*)$/mi;
	return $line // $said =~ s/\n.*//sr;
}

# ---- what is said of it ----------------------------------------------------------------------
our @VERDICTS = qw(noticed lives left survived idle unsound outdated unbuilt);
our %WORDS = (
	noticed => 'noticed',
	lives => 'live with a reason',
	left => 'left out',
	survived => 'SURVIVED',
	idle => 'noticed in spite of a reason',
	unsound => 'with a test that fails anyway',
	outdated => 'do not fit the source',
	unbuilt => 'cannot be built',
);

# What is to be done about each that is no good.
my %TEACH = (
	survived =>
	    "expected  %s fails\n     got  all pass\n     why  nobody would notice this mistake: write the test that does, or take the\n          guard away; if neither makes sense, say why in a line 'lives: ...'\n",
	idle => "its line 'lives:' can go: a test notices it\n",
	unsound =>
	    "it proves nothing: the test fails in a copy of the project without the mistake, too\n",
	outdated => "bring it up to date in tests/mutants/table\n",
	unbuilt =>
	    "it proves nothing: no test has been asked. If the build is to refuse it, say 'test build'\n",
);

sub told {
	my ($mutant, $result) = @_;
	my $verdict = $result->{verdict};
	my $said = sprintf "%s: %s: %s (%.1f s)\n", $WORDS{$verdict}, @$mutant{qw(file name)},
	    $result->{seconds};
	$said .= "     $result->{said}\n" if length $result->{said};
	my $tests = join ' or ', @{$mutant->{tests}};
	$said .= '     ' . $TEACH{$verdict} =~ s/%s/$tests/r if $TEACH{$verdict};
	return $said;
}

# ---- all of them ---------------------------------------------------------------------------
# Tries mutants, so many at once, those of one file in one tree one after the other. Calls back with each
# mutant and its result, until it returns false.
sub try_all {
	my ($jobs, $hear, @mutants) = @_;
	my $dir = File::Temp->newdir('uvdso-mutants-XXXXXX', TMPDIR => 1);
	# Tests are somebody else at times.
	chmod 0711, $dir;
	my (%of, @groups, %workers);
	push @{$of{"$mutants[$_]{file} @{$mutants[$_]{tests}}"}}, $_ for 0 .. $#mutants;
	for my $group (map { $of{$_} } sort { @{$of{$b}} <=> @{$of{$a}} || $a cmp $b } keys %of) {
		push @groups, [splice @$group, 0, 12] while @$group;
	}
	my @free = map { "$dir/$_" } 1 .. min($jobs, scalar @groups);
	my $end = sub {
		kill 'TERM', map { $_->{pid} } values %workers;
		exit 130;
	};
	local @SIG{qw(HUP INT TERM)} = ($end) x 3;

	while (@groups || %workers) {
		while (@groups && @free) {
			my $worker = {slot => shift @free, said => ''};
			$worker->{pid} = open $worker->{out}, '-|', $^X, "$TOP/tests/mutants/run",
			    '--work',
			    $worker->{slot}, map { $mutants[$_]{id} } @{shift @groups}
			    or die "$^X: $!\n";
			$workers{fileno $worker->{out}} = $worker;
		}
		my $ready = '';
		vec($ready, $_, 1) = 1 for keys %workers;
		select $ready, undef, undef, undef;
		for my $worker (map { $workers{$_} } grep { vec $ready, $_, 1 } keys %workers) {
			if (!sysread $worker->{out}, $worker->{said}, 65536, length $worker->{said})
			{
				delete $workers{fileno $worker->{out}};
				close $worker->{out} or die "a worker has failed\n";
				push @free, $worker->{slot};
			}
			while ($worker->{said} =~ s/^(\w+)\t(\w+)\t([\d.]+)\t(.*)\n//) {
				my ($id, $verdict, $seconds, $said) = ($1, $2, $3, $4);
				my ($mutant) = grep { $_->{id} eq $id } @mutants;
				$hear->(
					$mutant,
					{
						verdict => $verdict, seconds => $seconds,
						said => $said =~ s/\x01/\n/gr
					}
				);
			}
		}
	}
}

# Some for a day: those that a test in C must notice, which is quick, in an order of that day. Those of
# one file are neighbours, two at a time, because the second costs less. Not with tests that wait long
# for what does not come.
sub sample {
	my ($seed, @mutants) = @_;
	my %of;
	my $order = sub { md5_hex("$seed $_[0]{name}") };
	my @quick =
	    grep { $_->{tests}[0] !~ m{^(?:foreign/images|run/keeper|run/attendant)$} } @mutants;
	for (grep { -e "$TOP/tests/$_->{tests}[0].c" && !$_->{lives} && !$_->{open} } @quick) {
		push @{$of{$_->{file}}}, $_;
	}
	my @pairs;
	for my $file (keys %of) {
		my @shuffled = sort { $order->($a) cmp $order->($b) } @{$of{$file}};
		push @pairs, [splice @shuffled, 0, 2] while @shuffled;
	}
	return map { @$_ } sort { $order->($a->[0]) cmp $order->($b->[0]) } @pairs;
}

# A worker: tries these mutants of the table, in a tree of its own.
sub work {
	my ($slot, $table, @ids) = @_;
	my %of = map { $_->{id} => $_ } table($table);
	my $tree = tree($slot);
	local $| = 1;
	for (@ids) {
		my $result = try($tree, $of{$_});
		my $said = substr $result->{said} =~ s/\n/\x01/gr, 0, 3000;
		printf "%s\t%s\t%.2f\t%s\n", $_, @$result{qw(verdict seconds)}, $said;
	}
}

1;
