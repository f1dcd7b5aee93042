package Course::Learner;

# What a learner types: make learn, start, check, hint, diff, solution, reset, watch.
#
#	work/06-seqlock/vdso-src/gettime.c    the learner's copy, with the region cut out
#	work/.trees/06-seqlock/               the project with that copy in its place, to build and test
#	work/.progress                        a line a chapter: name, state, hints seen
#	work/.old/06-seqlock.1/               what a reset or a move has put aside
#
# All of work/ is ignored by git, so pulling never meets it. Any file that is put below work/NAME
# stands before the project's, also one that the exercise is not about.

use strict;
use warnings;
use File::Path 'make_path';
use POSIX ();
use Time::HiRes qw(sleep);
use Course::Card;
use Course::Files qw(slurp spew capture matching);
use Course::Markdown;
use Course::Tree;

sub new {
	my ($class, $top) = @_;
	return bless {
		top => $top,
		colour => -t STDOUT && !$ENV{NO_COLOR} && ($ENV{TERM} // 'dumb') ne 'dumb'
	}, $class;
}

# A learner's work lies in the project, beside what it is about: in work/.
sub need_work {
	my ($self) = @_;
	my $dir = "$self->{top}/work";
	$dir = $self->{top} if !-d $dir;
	POSIX::access($dir, POSIX::W_OK())
	    or die
	    "$dir: $!. Your exercises go to work/: take a copy of the project that can be written\n";
}

sub cards { my ($self) = @_; return @{$self->{cards} //= [Course::Card->all($self->{top})]} }

# The card that is meant by 6, 06, 06-seqlock or seqlock.
sub card {
	my ($self, $ch) = @_;
	defined $ch && length $ch
	    or die "which chapter? For instance: make $self->{command} CH=06\n";
	my $number = $ch =~ /^\d$/ ? "0$ch" : $ch;
	my @found = grep {
		       $_->{id} eq $number
		    || $_->{name} eq $ch
		    || $_->{name} =~ /^\d\d[a-z]?-\Q$ch\E$/
	} $self->cards;
	@found == 1
	    or die "CH=$ch: no such exercise. There are:\n",
	    map { "  $_->{id}  $_->{title}\n" } $self->cards;
	return $found[0];
}

# ---- progress ----

sub progress {
	my ($self) = @_;
	my $path = "$self->{top}/work/.progress";
	return $self->{progress} //= {
		-e $path
		? map {
			/^(\S+) (open|done) (\d)(?: (asked))?$/
			    ? ($1 => {state => $2, hints => $3, asked => $4})
			    : ()
		    }
		    split /\n/,
		slurp($path)
		: ()
	};
}

sub note_progress {
	my ($self, $card, %new) = @_;
	my $all = $self->progress;
	$all->{$card->{name}} = {state => 'open', hints => 0, %{$all->{$card->{name}} // {}}, %new};
	spew(
		"$self->{top}/work/.progress",
		join '',
		map {
			join(' ', $_, $all->{$_}{state}, $all->{$_}{hints}, $all->{$_}{asked} // ())
			    . "\n"
		} sort keys %$all
	);
}

sub state_of {
	my ($self, $card) = @_;
	return $self->progress->{$card->{name}} // {state => '', hints => 0};
}

# ---- the learner's copy ----

sub copy_dir { my ($self, $name) = @_; return "$self->{top}/work/$name" }

# The copy's files, path => text.
sub overlay {
	my ($self, $name) = @_;
	my $dir = $self->copy_dir($name);
	-d $dir
	    or die "work/$name is not there yet: make start CH="
	    . ($name =~ /^(\d+\w?)-/ ? $1 : $name) . "\n";
	return map { $_ => slurp("$dir/$_") }
	    grep { !/~$|\.sw.$|(?:^|\/)\.#|\.orig$|\.rej$/ } Course::Tree::files($dir);
}

sub tree {
	my ($self, $name) = @_;
	my $tree = Course::Tree->new($self->{top}, "$self->{top}/work/.trees/$name");
	$tree->sync($self->overlay($name));
	return $tree;
}

# ---- files that have moved ----

# The project renames its files, and a copy stands under the old path. tutorial/moved says where each
# has gone. A path may have moved more than once. A line without a slash is a name of the code that an
# exercise's region uses.
sub moved {
	my ($top) = @_;
	my (%to, $line);
	return \%to if !-e "$top/tutorial/moved";
	for (split /^/, slurp("$top/tutorial/moved")) {
		$line++;
		next if /^\s*(?:#|$)/;
		my ($old, $new) = /^(\S+) (\S+)$/
		    or die "tutorial/moved:$line: neither 'old-path new-path' nor a comment\n";
		$to{$old} = $new;
	}
	return \%to;
}

# Brings the copies below work/ to where the project has these files now. The surroundings of an
# exercise have changed with the move (other includes, other names), so what is moved is the
# learner's own region, into the file as it is now. The old copy is put aside as it was.
sub move_copies {
	my ($self) = @_;
	my $to = moved($self->{top});
	for my $dir (sort(matching("$self->{top}/work", '*'))) {
		my $name = $dir =~ s{.*/}{}r;
		my $aside;
		for my $old (grep { m{/} && -f "$dir/$_" } sort keys %$to) {
			my $new = $to->{$old};
			$new = $to->{$new} while $to->{$new};
			if (-e "$dir/$new") {
				print
				    "$old is now $new. work/$name has both, and only the second is used.\n\n";
				next;
			}
			my $text = slurp("$dir/$old");
			my ($fitted, $whole) = $self->fit_regions($text, $new);
			spew("$dir/$new", $fitted);
			chmod +(stat "$dir/$old")[2] & 07777 | 0200, "$dir/$new";
			$aside //= $self->aside($name);
			make_path("$self->{top}/$aside/$old" =~ s{/[^/]*$}{}r);
			rename "$dir/$old", "$self->{top}/$aside/$old"
			    or die "work/$name/$old: $!\n";
			rmdir $_
			    for
			    map { my @part = split m{/}, $old; "$dir/" . join '/', @part[0 .. $_] }
			    reverse 0 .. ($old =~ tr{/}{}) - 1;
			print "$old is now $new, and so is your copy in work/$name.\n",
			    $whole
			    ? "It is as you left it.\n"
			    : "What you wrote between the two 'course:' lines is in it; all around is new.\n",
			    "Your old copy is kept in $aside/$old\n\n";
		}
	}
}

# The regions of a learner's text in the project's file of that path; and whether it is the
# learner's whole text instead, because no region of it is to be found.
sub fit_regions {
	my ($self, $text, $path) = @_;
	my ($fitted, $found) = (slurp("$self->{top}/$path"), 0);
	for my $card (grep { $_->{file} eq $path } $self->cards) {
		my $region = eval { (Course::Card::split_region($text, $card->{name}, $path))[1] };
		next if !defined $region;
		my $to = moved($self->{top});
		for my $name (grep { !m{/} } keys %$to) {
			$region =~ s/\b\Q$name\E\b/$to->{$name}/g;
		}
		$fitted = $card->replace($fitted, $region);
		$found++;
	}
	return $found ? ($fitted, 0) : ($text, 1);
}

# A new directory for what must not be lost, from the top of the project.
sub aside {
	my ($self, $name) = @_;
	my $number = 1;
	$number++ while -e "$self->{top}/work/.old/$name.$number";
	make_path("$self->{top}/work/.old");
	return "work/.old/$name.$number";
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
	return $self->start_all if ($ch // '') eq 'all';
	my $card = $self->card($ch);
	my $dir = $self->copy_dir($card->{name});
	-e $dir
	    and die
	    "work/$card->{name} is there already. make check CH=$card->{id} tests it, make reset CH=$card->{id} begins again\n";
	my $text = $card->replace($card->finished, $card->stub);
	spew("$dir/$card->{file}", $text);
	chmod +(stat "$self->{top}/$card->{file}")[2] & 07777 | 0200, "$dir/$card->{file}";
	$self->note_progress($card, state => 'open');
	my $line = first_todo($text);
	print "$card->{id} $card->{title}, about $card->{minutes} minutes\n",
	    "  read  tutorial/" . $self->chapter_of($card) . "\n",
	    "  edit  work/$card->{name}/$card->{file}", $line ? ", line $line\n" : "\n",
	    "  then  make check CH=$card->{id}\n";
	# What takes long is built now, and not at the first check.
	my $tree = $self->tree($card->{name});
	$tree->make($tree->targets($card));
	return 0;
}

sub chapter_of {
	my ($self, $card) = @_;
	my ($page) = matching($self->{top}, "tutorial/$card->{chapter}-*.md");
	return defined $page ? $page =~ s{.*/}{}r : "$card->{name}.md";
}

# Every exercise at once, in one copy.
sub start_all {
	my ($self) = @_;
	-e $self->copy_dir('all') and die "work/all is there already. make check CH=all tests it\n";
	my %text = Course::Card::all_stubs($self->cards);
	for (sort keys %text) {
		spew($self->copy_dir('all') . "/$_", $text{$_});
		chmod +(stat "$self->{top}/$_")[2] & 07777 | 0200, $self->copy_dir('all') . "/$_";
	}
	print "Every exercise is cut out of these:\n", map({ "  work/all/$_\n" } sort keys %text),
	    "make check CH=all says what is done.\n";
	return 0;
}

# An error of the compiler names the learner's file, so that an editor can jump there.
sub name_copies {
	my ($self, $said, $name, %overlay) = @_;
	$said =~ s{(?<![\w/.-])\Q$_\E(?=:\d)}{work/$name/$_}g for keys %overlay;
	return $said;
}

sub check {
	my ($self, $ch) = @_;
	return $self->check_all if ($ch // '') eq 'all';
	my $card = $self->card($ch);
	my $name = $card->{name};
	my %overlay = $self->overlay($name);

	$| = 1;
	print "$card->{id} $card->{title}: building and testing work/$name\n";
	$self->lacking($card) and return 1;
	my $result = $self->tree($name)->try($card);
	return $self->tell_unbuilt($card, $name, $result, %overlay) if !$result->{built};
	$self->tell_points($card, $result);
	my ($first) = grep { !$_->{ok} } @{$result->{points}};
	if ($first) {
		$self->tell_failure($card, $first);
		return 1;
	}
	my $was = $self->state_of($card)->{state};
	$self->note_progress($card, state => 'done');
	my $next = $self->next_card($card);
	print "\nDone: $card->{id} $card->{title}.\n",
	    "make diff CH=$card->{id} shows your answer beside the project's own.\n",
	    $next
	    ? "Next: tutorial/" . $self->chapter_of($next) . ", and make start CH=$next->{id}\n"
	    : "That was the last one: the course is done.\n";
	return 0;
}

sub lacking {
	my ($self, $card) = @_;
	require Course::Needs;
	for (@{$card->{needs}}) {
		my $why = Course::Needs::lacks($_) or next;
		print
		    "\nThis exercise cannot be tested on this machine: $why.\nmake doctor says more.\n";
		return 1;
	}
	return 0;
}

# A linker script goes through the preprocessor, so a line that the linker names is one of the
# result: say where that is, and show the line, in which the learner's own can be recognised.
sub show_scripts {
	my ($self, $name, $said) = @_;
	$said =~ s{(?<![\w/.-])(build/[^\s:]+\.lds):(\d+):([^\n]*\n)}{
		my ($file, $number, $what) = ("work/.trees/$name/$1", $2, $3);
		my @script = -e "$self->{top}/$file" ? split /\n/, slurp("$self->{top}/$file") : ();
		"$file:$number:$what" . ($number && $number <= @script ? "    $number | $script[$number - 1]\n" : '');
	}ge;
	return $said;
}

sub tell_unbuilt {
	my ($self, $card, $name, $result, %overlay) = @_;
	my @lines = split /^/,
	    $self->show_scripts($name, $self->name_copies($result->{said}, $name, %overlay));
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

sub tell_failure {
	my ($self, $card, $point) = @_;
	my $state = $self->state_of($card);
	my $diag = join '',
	    map { "  $_" } grep { !/^\s*#\s+(?:Failed test|at \S+ line \d+\.)/ } split /^/,
	    $point->{diag};
	$diag =~ s/^  #? ?/  /mg;
	print "\nThe first that is not true yet:\n  $point->{text}\n", $diag,
	    "  ($point->{test})\n\n",
	    $state->{hints} < 3
	    ? "A hint: make hint CH=$card->{id}\n"
	    : "The answer beside yours: make diff CH=$card->{id}\n";
}

sub check_all {
	my ($self) = @_;
	my $tree = $self->tree('all');
	my ($done, @cards) = (0, $self->cards);
	$| = 1;
	print "all exercises: building and testing work/all\n\n";
	for my $card (@cards) {
		my $result = $tree->try($card);
		if (!$result->{built}) {
			print '  ', $self->mark(0),
			    "  $card->{id} $card->{title}: cannot be built\n";
			print "\n",
			    $self->name_copies($result->{said}, 'all', $self->overlay('all'));
			return 1;
		}
		my $failed = @{$result->{failed}};
		$done++ if !$failed;
		print '  ', $self->mark(!$failed), "  $card->{id} $card->{title}",
		    $failed ? ": $failed of " . @{$result->{points}} . " points\n" : "\n";
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
	    : "Still stuck? make diff CH=$card->{id}, or make solution CH=$card->{id}.\n";
	return 0;
}

sub diff {
	my ($self, $ch) = @_;
	my $card = $self->card($ch);
	$self->overlay($card->{name});
	my $copy = "work/$card->{name}/$card->{file}";
	my $run = capture(
		{dir => $self->{top}}, 'diff', '-u', '--label', "yours: $copy", '--label',
		"finished: $card->{file}", $copy, $card->{file}
	);
	print $run->{status} == 0 ? "No difference: yours is the finished file.\n" : $run->{out};
	return $run->{status} > 1 ? 2 : 0;
}

# Asks once, so that nobody meets the answer by accident.
sub solution {
	my ($self, $ch) = @_;
	my $card = $self->card($ch);
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
	print Course::Markdown::dedent($card->region);
	print
	    "\nIt stands in $card->{file}. To go on from it:\n  cp $card->{file} work/$card->{name}/$card->{file}\n";
	return 0;
}

# Nothing that was written is lost: the old copy is kept beside.
sub reset {
	my ($self, $ch) = @_;
	my $name = ($ch // '') eq 'all' ? 'all' : $self->card($ch)->{name};
	my $dir = $self->copy_dir($name);
	if (-d $dir) {
		my $aside = $self->aside($name);
		rename $dir, "$self->{top}/$aside" or die "work/$name: $!\n";
		print "Yours is kept in $aside\n";
	}
	return $self->start($name);
}

# Looks at the times of the files, which works on any file system. Ends when all is true.
sub watch {
	my ($self, $ch) = @_;
	my $card = $self->card($ch);
	my $dir = $self->copy_dir($card->{name});
	my $seen = '';

	while (1) {
		$self->overlay($card->{name});
		my $now = join ' ',
		    map { my @s = Time::HiRes::stat("$dir/$_"); @s ? "$_ $s[7] $s[9]" : () }
		    sort(Course::Tree::files($dir));
		if ($now ne $seen) {
			$seen = $now;
			delete $self->{progress};
			return 0 if $self->check($ch) == 0;
			print
			    "\nWatching work/$card->{name}: every save is tested. Ctrl-C ends it.\n";
		}
		sleep 0.25;
	}
}

1;
