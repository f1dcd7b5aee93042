package Course::Learner;

# What a learner types: make learn, start, check, hint, diff, update, solution, reset, watch. What shows
# the finished work (run, mine, break) is in Play.pm, and what lies in work/ in Workspace.pm.

use strict;
use warnings;
use parent 'Course::Workspace';
use Time::HiRes qw(sleep);
use Course::Card;
use Course::Files qw(slurp spew matching discard);
use Course::Markdown;
use Course::Merge;
use Course::Said;
use Course::Tree;

sub new {
	my ($class, $top) = @_;
	my $self = $class->SUPER::new($top);
	$self->{colour} = -t STDOUT && !$ENV{NO_COLOR} && ($ENV{TERM} // 'dumb') ne 'dumb';
	return $self;
}

sub mark {
	my ($self, $ok) = @_;
	my $word = $ok ? 'ok    ' : 'not ok';
	return $self->{colour} ? "\e[" . ($ok ? 32 : 31) . "m$word\e[0m" : $word;
}

sub first_todo {
	my ($text) = @_;
	my $line = 0;
	for (split /^/, $text) { $line++; return $line if /\bTODO\b/ }
	return;
}

# ---- the commands; each returns the exit status ----

sub learn {
	my ($self) = @_;
	my @cards = $self->cards;
	my $done = grep { $self->state_of($_)->{state} eq 'done' } @cards;
	my ($minutes) = (0);

	print "uvdso, the course: $done of " . @cards . " exercises done\n\n";
	for my $card (@cards) {
		my $state = $self->state_of($card);
		my $says =
		    $state->{state} eq 'open'
		    ? 'started' . ($state->{hints} ? ", hint $state->{hints} of 3" : '')
		    : $state->{state};
		$minutes += $card->{minutes} if $state->{state} ne 'done';
		print sprintf(
			'  %-3s %-46s %3d min  %-4s  %s', @$card{qw(id title minutes tier)},
			$says
		) =~ s/\s*\z/\n/r;
	}
	my ($next) = $self->next_card;
	print "\n",
	    $next
	    ? "About $minutes minutes are left. Next: tutorial/$next->{name}.md, and make start CH=$next->{id}\n"
	    : "All done.\n";
	return 0;
}

sub next_card {
	my ($self, $after) = @_;
	my @open = grep { $self->state_of($_)->{state} ne 'done' } $self->cards;
	my ($next) = grep { !$after || $_->{name} gt $after->{name} } @open;
	return $next // $open[0];
}

sub start {
	my ($self, $ch) = @_;
	my $name = $self->copy_name($ch);
	$self->lock_copy($name);
	my $dir = $self->copy_dir($name);
	if (-e $dir || -l $dir) {
		my $why = join '', $self->broken($name);
		my $typed = $self->as_typed($name);
		die length $why
		    ? $why
		    : "work/$name is there already. make check $typed tests it, make reset $typed begins again\n";
	}
	return $self->begin($name);
}

sub begin {
	my ($self, $name) = @_;
	my %text = $self->make_copy($name);
	if ($name eq 'all') {
		print "Every exercise is cut out of these:\n",
		    map({ "  work/all/$_\n" } sort keys %text),
		    "make check CH=all says what is done.\n";
		return 0;
	}
	my $card = $self->card($name);
	$self->note_progress($card, state => 'open');
	my $line = first_todo($text{$card->{file}});
	print "$card->{id} $card->{title}, about $card->{minutes} minutes\n",
	    "  read  tutorial/" . $self->chapter_of($card) . "\n",
	    "  edit  work/$name/$card->{file}", $line ? ", line $line\n" : "\n",
	    "  then  make check CH=$card->{id}\n";
	$self->tell_notes($card, %text);
	# What takes long is built now, and not at the first check.
	my $tree = $self->tree($name, %text);
	$tree->make($tree->targets($card));
	return 0;
}

sub chapter_of {
	my ($self, $card) = @_;
	my ($page) = matching($self->{top}, "tutorial/$card->{chapter}-*.md");
	return defined $page ? $page =~ s{.*/}{}r : "$card->{name}.md";
}

sub tell_notes {
	my ($self, $card, %overlay) = @_;
	my @notes = $self->notes($card, %overlay);
	print "\n", map { "  $_\n" } @notes if @notes;
}

# The result of a card's tests on a copy. A point that the exercise is about and that nobody reached is
# as good as one that failed: where a test ends early, or is left out, nothing is done.
sub try_copy {
	my ($self, $card, $name, %overlay) = @_;
	my $result = $self->tree($name, %overlay)->try($card);
	return $result if !$result->{built};
	my $points = $result->{points};
	my %there = map { $_->{text} => 1 } @$points;
	my @absent = grep { !$there{$_} } @{$card->{red}};
	my @skips = grep { defined $_->{skip} } @$points;
	if (@absent && !@{$result->{failed}}) {
		if (@skips) {
			$result->{untested} = $skips[0]{skip};
		} else {
			push @$points, map { {
				ok => 0, text => $_,
				diag => "# the test has not come to this point\n",
				test => "@{$card->{tests}}"
			} } @absent;
		}
		push @{$result->{failed}}, @absent;
	}
	if (!@{$result->{failed}}) { $self->note_passed($name, %overlay) }
	return $result;
}

sub check {
	my ($self, $ch) = @_;
	my $name = $self->copy_name($ch);
	$| = 1;
	$self->lock_copy($name);
	my %overlay = $self->overlay($name);
	return $self->check_all(%overlay) if $name eq 'all';
	my $card = $self->card($name);

	print "$card->{id} $card->{title}: building and testing work/$name\n";
	$self->tell_notes($card, %overlay);
	$self->lacking($card) and return 1;
	my $result = $self->try_copy($card, $name, %overlay);
	return $self->tell_unbuilt($name, $result, %overlay) if !$result->{built};
	if (defined $result->{untested}) {
		print "\nThis exercise cannot be tested on this machine: $result->{untested}\n";
		return 1;
	}
	$self->tell_points($card, $result);
	my ($first) = grep { !$_->{ok} } @{$result->{points}};
	if ($first) {
		$self->tell_failure($card, $first, %overlay);
		return 1;
	}
	$self->note_progress($card, state => 'done');
	my $next = $self->next_card($card);
	print "\nDone: $card->{id} $card->{title}.\n",
	    $self->can_run($card) ? "make run CH=$card->{id} lets it do something real.\n" : '',
	    "make solution CH=$card->{id} shows the project's own answer beside yours.\n",
	    $next
	    ? "Next: tutorial/" . $self->chapter_of($next) . ", and make start CH=$next->{id}\n"
	    : "That was the last one: the course is done.\n";
	return 0;
}

sub can_run {
	my ($self, $card) = @_;
	return -x "$self->{top}/tutorial/run/$card->{name}";
}

# Why this machine cannot test an exercise, or nothing.
sub lack {
	my ($self, $card) = @_;
	require Course::Needs;
	return (grep { defined } map { Course::Needs::lacks($_) } @{$card->{needs}})[0];
}

sub lacking {
	my ($self, $card) = @_;
	my $why = $self->lack($card) // return 0;
	print "\nThis exercise cannot be tested on this machine: $why.\nmake doctor says more.\n";
	return 1;
}

sub tell_unbuilt {
	my ($self, $name, $result, %overlay) = @_;
	my $tree = $self->tree_of($name);
	my $said =
	    Course::Said::of_scripts($result->{said}, $tree, $name, $result->{targets}, %overlay);
	my @lines = split /^/,
	    Course::Said::in_copy($said // $result->{said}, $tree->{dir}, $name, %overlay);
	print "\nIt cannot be built:\n\n",
	    map({ "  $_" } grep { !/^make\b/ } @lines[0 .. ($#lines > 40 ? 40 : $#lines)]),
	    "\nThe first message is the one to look at; no test was run.\n";
	return 1;
}

# A line for each point that the exercise is about, and one for all others.
sub tell_points {
	my ($self, $card, $result) = @_;
	my %named = map { $_ => 1 } @{$card->{red}};
	my @others = grep { $_->{ok} && !$named{$_->{text}} } @{$result->{points}};
	print "\n";
	for (@{$result->{points}}) {
		next if $_->{ok} && !$named{$_->{text}};
		print '  ', $self->mark($_->{ok}), "  $_->{text}",
		    defined $_->{skip} ? " (skipped: $_->{skip})" : '', "\n";
	}
	print '  ', $self->mark(1), "  and " . @others . " more\n" if @others;
}

# The first point that fails, with all that its test says.
sub tell_why {
	my ($self, $point, $name, %overlay) = @_;
	my $diag = join '',
	    map { "  $_" }
	    grep { !/^\s*#\s+(?:Failed test|Looks like you failed|at \S+ line \d+\.)/ } split /^/,
	    Course::Said::in_copy(
		$point->{diag}, "$self->{top}/work/.trees/$name", $name,
		%overlay
	    );
	$diag =~ s/^  #? ?/  /mg;
	print "\nThe first that is not true yet:\n  $point->{text}\n", $diag,
	    "  ($point->{test})\n";
}

sub tell_failure {
	my ($self, $card, $point, %overlay) = @_;
	$self->tell_why($point, $card->{name}, %overlay);
	print $self->state_of($card)->{hints} < 3
	    ? "\nA hint: make hint CH=$card->{id}\n"
	    : "\nStill stuck? make solution CH=$card->{id} has the answer.\n";
}

sub check_all {
	my ($self, %overlay) = @_;
	my ($done, @cards) = (0, $self->cards);
	print "all exercises: building and testing work/all\n\n";
	my $tree = $self->tree('all', %overlay);
	for my $card (@cards) {
		my $result = $tree->try($card);
		if (!$result->{built}) {
			print '  ', $self->mark(0),
			    "  $card->{id} $card->{title}: cannot be built\n";
			return $self->tell_unbuilt('all', $result, %overlay);
		}
		my %passed = map { $_->{text} => 1 } grep { $_->{ok} } @{$result->{points}};
		my $failed = @{$result->{failed}} || grep { !$passed{$_} } @{$card->{red}};
		my $lacking = $self->lack($card);
		$done++ if !$failed;
		print '  ', $self->mark(!$failed), "  $card->{id} $card->{title}",
		    !$failed ? "\n"
		    : defined $lacking ? ": not on this machine: $lacking\n"
		    : ": $failed of " . @{$result->{points}} . " points\n";
	}
	print "\n$done of " . @cards . " are done.\n";
	return $done < @cards;
}

sub hint {
	my ($self, $ch) = @_;
	my $card = $self->card($ch);
	my $seen = $self->state_of($card)->{hints};
	my $level = $seen < 3 ? $seen + 1 : 3;
	$self->note_progress($card, hints => $level) if $level != $seen;
	print "Hint $level of 3, for $card->{id} $card->{title}\n\n",
	    map({ "  $_\n" } split /\n/, $card->{hint}[$level - 1]),
	    "\n",
	    $level < 3
	    ? "make hint CH=$card->{id} again says more.\n"
	    : "Still stuck? make solution CH=$card->{id} has the answer.\n";
	return 0;
}

# What the learner has changed since the beginning, and no word of the answer.
sub diff {
	my ($self, $ch) = @_;
	my $name = $self->copy_name($ch);
	my %copy = $self->overlay($name);
	my %base = $self->base($name);
	%base = $self->beginning($name) if !%base;
	my $out = '';
	for my $path (sort keys %copy) {
		my $old = $base{$path};
		my $label = defined $old ? "as it began: $path" : "the project's $path";
		$old //= -f "$self->{top}/$path" ? slurp("$self->{top}/$path") : '';
		$out .= Course::Merge::difference(
			$old, $copy{$path}, $label,
			"yours: work/$name/$path"
		);
	}
	print length $out ? $out : "No difference: work/$name is as it began.\n";
	return 0;
}

# What the project has changed since the beginning, into the copy.
sub update {
	my ($self, $ch) = @_;
	my $name = $self->copy_name($ch);
	$self->lock_copy($name);
	my %copy = $self->overlay($name);
	my %base = $self->base($name);
	my %now = $self->beginning($name);
	my ($aside, @conflicts);

	for my $path (sort keys %now) {
		next if ($base{$path} // '') eq $now{$path};
		my $at = "work/$name/$path";
		my ($text, $conflicts, @said);
		if (!defined $copy{$path}) {
			($text, $conflicts) = ($now{$path}, 0);
			@said = "This file is new in the exercise.\n";
		} elsif (!defined $base{$path}) {
			# Begun before bases were kept: yours, in the file as it is now.
			($text, my $whole) = $self->fit_regions($copy{$path}, $path);
			$conflicts = 0;
			@said =
			    $whole
			    ? "Its two 'course:' lines are gone, so it is left as it is.\n"
			    : "What you wrote between the two 'course:' lines is in it; all around is new.\n";
		} else {
			($text, $conflicts, @said) =
			    $self->merged($path, $copy{$path}, $base{$path}, $now{$path});
		}
		if ($text ne $copy{$path} // '') {
			$aside //= $self->aside($name);
			spew("$self->{top}/$aside/$path", $copy{$path}) if defined $copy{$path};
			spew("$self->{top}/$at", $text);
		}
		print "$at: what the project has changed is in it.\n", @said;
		print "It was before: $aside/$path\n" if defined $aside;
		if ($conflicts) {
			my $line = 0;
			push @conflicts,
			    map { $line++; /^<<<<<<< yours$/ ? "  $at:$line\n" : () } split /^/,
			    $text;
		}
	}
	if (!%base || grep { ($base{$_} // '') ne ($now{$_} // '') } keys %base, keys %now) {
		$self->put_aside_first($self->base_dir($name), %now);
	} else {
		print "work/$name is up to date: the project has changed nothing of it.\n";
	}
	$self->note_project($name);
	return 0 if !@conflicts;
	print "\nHere you and the project have changed the same lines:\n", @conflicts,
	    "Take what is right, and remove the lines with <<<, === and >>>.\n";
	return 1;
}

# A text with both changes. If the project has changed the beginning of an exercise where the learner has
# written the answer, the answer stays.
sub merged {
	my ($self, $path, $mine, $base, $now) = @_;
	my ($text, $conflicts) = Course::Merge::merge($mine, $base, $now);
	return ($text, 0) if !$conflicts;

	my @said;
	for my $card (grep { $_->{file} eq $path } $self->cards) {
		my ($yours, $was, $is) = map {
			my $side = $_;
			eval { (Course::Card::split_region($side, $card->{name}, $path))[1] }
		} $mine, $base, $now;
		next if grep({ !defined } $yours, $was, $is) || $was eq $is;
		$base = $card->replace($base, $yours);
		$now = $card->replace($now, $yours);
		push @said,
		    "The exercise itself begins otherwise now. Yours is left as it is between the two 'course:' lines; this is what changed there:\n",
		    Course::Merge::difference($was, $is, 'as it began', 'as it begins now');
	}
	($text, $conflicts) = Course::Merge::merge($mine, $base, $now) if @said;
	return ($text, $conflicts, @said);
}

# Asks once, so that nobody meets the answer by accident. Who is done sees both.
sub solution {
	my ($self, $ch) = @_;
	my $card = $self->card($ch);
	my $name = $card->{name};
	my $state = $self->state_of($card);
	if ($state->{state} ne 'done' && !$state->{asked}) {
		$self->note_progress($card, asked => 'asked');
		my $left = 3 - $state->{hints};
		print "The answer to $card->{id} $card->{title}: are you sure?",
		    $left
		    ? " There "
		    . ($left == 1 ? 'is 1 hint' : "are $left hints")
		    . " left: make hint CH=$card->{id}"
		    : '', "\n",
		    "make solution CH=$card->{id} once more shows it. Nothing of yours is changed.\n";
		return 0;
	}
	my $region = $card->region;
	print Course::Markdown::dedent($region);
	my $copy = "work/$name/$card->{file}";
	my $yours =
	    eval { (Course::Card::split_region(slurp("$self->{top}/$copy"), $name, $copy))[1]; };
	if ($state->{state} eq 'done' && defined $yours && $yours ne $card->stub) {
		print "\n", $yours eq $region
		    ? "Yours is the same.\n"
		    : Course::Merge::difference(
			$yours, $region, "yours: $copy",
			"the project's: $card->{file}"
		    );
	}
	print "\nIt is in $card->{file}. To go on from it:\n  cp $card->{file} $copy\n";
	return 0;
}

# Nothing that was written is lost: the old copy is kept beside. The tree is made anew, too.
sub reset {
	my ($self, $ch) = @_;
	my $name = $self->copy_name($ch);
	my $dir = $self->copy_dir($name);
	$self->lock_copy($name);
	if (-e $dir || -l $dir) {
		my $aside = $self->aside($name);
		rename $dir, "$self->{top}/$aside" or die "work/$name: $!\n";
		print "Yours is kept in $aside\n";
	}
	discard("$self->{top}/work/.trees/$name");
	return $self->begin($name);
}

# Looks at the times of the files, which works on any file system. Ends when all is true. While an
# editor saves, a file may be missing for a moment.
sub watch {
	my ($self, $ch) = @_;
	my $card = $self->card($ch);
	my $name = $card->{name};
	my $dir = $self->copy_dir($name);
	my ($seen, $broken) = ('', 0);

	$self->overlay($name);
	while (1) {
		my $now = join ' ',
		    map { my @s = Time::HiRes::stat("$dir/$_"); @s ? "$_ $s[7] $s[9]" : () }
		    -d $dir ? $self->copy_files($name) : ();
		my $why = join '', $self->broken($name);
		$broken = length $why ? $broken + 1 : 0;
		print "\n$why" if $broken == 4;
		if ($now ne $seen && !$broken) {
			$seen = $now;
			my $status = eval { $self->check($name) };
			print "\n$@" if !defined $status;
			$self->let_go($name);
			return 0 if defined $status && $status == 0;
			print "\nWatching work/$name: every save is tested. Ctrl-C ends it.\n";
		}
		sleep 0.25;
	}
}

1;
