package Course::Proof;

# What is proven of a page of the course and of its exercise.
#
#   red      with the stub it builds, and fails exactly the points that the card names
#   green    finished, it passes all of them
#   right    an answer of another shape passes all of them, too
#   mutants  each near miss builds, fails at least one of them, and what the learner is shown then
#            has the words that lead to the cause
#   prose    every console block prints what the page shows, in the order of the page
#
# Book.pm has what can be said of all pages without running anything.

use strict;
use warnings;
use File::Temp ();
use Test::More;
our $TODO;
use Course::Book;
use Course::Card;
use Course::Console;
use Course::Files qw(slurp spew matching);
use Course::Markdown;
use Course::Needs;
use Course::Tree;

sub new { my ($class, $top) = @_; return bless {top => $top}, $class }

# The page that CH means, by number or by name, and its cards.
sub find {
	my ($self, $ch) = @_;
	defined $ch && length $ch or die "which page? For instance CH=06, or CH=glossary\n";
	my $number = $ch =~ /^\d$/ ? "0$ch" : $ch =~ /^(\d\d)/ ? $1 : undef;
	my @cards =
	    grep { defined $number && $_->{chapter} eq $number } Course::Card->all($self->{top});
	my ($page) =
	    grep { -e } defined $number
	    ? matching($self->{top}, "tutorial/$number-*.md")
	    : map { "$self->{top}/$_" } "tutorial/$ch.md",
	    grep { $_ eq "$ch.md" } @Course::Book::OUTSIDE;
	defined $page || @cards
	    or die "CH=$ch: no page tutorial/$ch*.md and no card tutorial/ex/$ch*.ex\n";
	return ($page, @cards);
}

sub scratch {
	my ($self) = @_;
	my $dir = File::Temp->newdir('uvdso-course-XXXXXX', TMPDIR => 1);
	my $tree = Course::Tree->new($self->{top}, "$dir/uvdso");
	$tree->sync;
	$tree->{keep} = $dir;
	return $tree;
}

# Tries a card's tests with another region in the finished file.
sub try {
	my ($self, $tree, $card, $region) = @_;
	$tree->sync($card->{file} => $card->replace($card->finished, $region));
	return $tree->try($card);
}

sub list {
	return join '', map { "    $_\n" } @_ ? @_ : '(none)';
}

sub red {
	my ($self, $ch) = @_;
	my (undef, @cards) = $self->find($ch);
	@cards or die "CH=$ch: no card\n";
	for my $card (@cards) {
		my $result = $self->try($self->scratch, $card, $card->stub);
		$result->{built} or die "the stub cannot be built:\n$result->{said}";
		print "# $card->{path}\n", map { "red: $_\n" } @{$result->{failed}};
	}
	return 0;
}

sub prove {
	my ($self, $ch) = @_;
	return $self->prove_all if ($ch // '') eq 'all';
	my ($page, @cards) = $self->find($ch);

	# A tree for all exercises of the page: each try brings all its files up to date.
	my $tree = @cards ? $self->scratch : undef;
	$self->prove_exercise($_, $tree) for @cards;
	undef $tree;
	$self->prove_prose($page) if defined $page;
	done_testing();
	return Test::More->builder->is_passing ? 0 : 1;
}

sub prove_exercise {
	my ($self, $card, $tree) = @_;
	my $name = $card->{name};
	my %named = map { $_ => 1 } @{$card->{red}};
	my $count = 3 + @{$card->{rights}} + 2 * @{$card->{mutants}};

	SKIP: {
		for (@{$card->{needs}}) {
			my $why = Course::Needs::lacks($_);
			skip $why, $count if $why;
		}
		my $result = $self->try($tree, $card, $card->stub);
		ok($result->{built}, "$name: the stub builds without a warning")
		    or diag("it must fail a test, and not the compiler:\n$result->{said}");
		my %failed = map { $_ => 1 } @{$result->{failed}};
		my @too_few = grep { !$failed{$_} } @{$card->{red}};
		my @too_many = grep { !$named{$_} } @{$result->{failed}};
		ok(
			!@too_few && !@too_many,
			"$name: the stub fails exactly the points that the card names"
		    )
		    or diag(
			"$card->{path} names these, and they pass or are not there:\n",
			list(@too_few),
			"these fail, and the card does not name them:\n", list(@too_many),
			"tutorial/learn red CH=$card->{id} prints what fails"
		    );

		$result = $self->try($tree, $card, $card->region);
		my %seen = map { $_->{text} => 1 } @{$result->{points}};
		my @absent = grep { !$seen{$_} } @{$card->{red}};
		ok(
			$result->{built} && !@{$result->{failed}} && !@absent,
			"$name: the finished source passes all of them"
		    )
		    or diag(
			$result->{built}
			? "these fail:\n"
			    . list(@{$result->{failed}})
			    . "these are not there:\n"
			    . list(@absent)
			: $result->{said}
		    );

		$self->prove_right($tree, $card, $_) for @{$card->{rights}};
		$self->prove_mutant($tree, $card, $_) for @{$card->{mutants}};
	}
}

# The result of another answer, or nothing, and a point that has failed.
sub try_variant {
	my ($self, $tree, $card, $variant, $what) = @_;
	my $region = eval { $card->mutated($variant) };
	my $said = $@;
	my $result = defined $region ? $self->try($tree, $card, $region) : undef;

	return $result if $result && $result->{built};
	fail($what);
	diag(
		$result
		? "$variant->{name} cannot be built, so it proves nothing:\n$result->{said}"
		: $said
	);
	return;
}

sub prove_right {
	my ($self, $tree, $card, $right) = @_;
	my $what = "$card->{name}: this is right, too: $right->{why}";
	my $result = $self->try_variant($tree, $card, $right, $what) or return;
	my %passed = map { $_->{text} => 1 } grep { $_->{ok} } @{$result->{points}};

	ok(!@{$result->{failed}} && !grep({ !$passed{$_} } @{$card->{red}}), $what)
	    or diag(
		"whoever writes $right->{name} is told that it is wrong:\n",
		shown($result)
	    );
}

sub prove_mutant {
	my ($self, $tree, $card, $mutant) = @_;
	my $what = "$card->{name}: the near miss is refused: $mutant->{why}";
	my $result = $self->try_variant($tree, $card, $mutant, $what) or return;
	# A point that was never reached is as good as one that failed.
	my %passed = map { $_->{text} => 1 } grep { $_->{ok} } @{$result->{points}};
	my @caught = grep { !$passed{$_} } @{$card->{red}};
	my $shown = shown($result);

	ok(@caught, $what)
	    or diag(
		"mutant $mutant->{name} passes every point that the card names: whoever writes this is told that it is right\n",
		@{$result->{failed}}
		? ("other points fail:\n", list(@{$result->{failed}}))
		: ()
	    );
	note("  $_") for @caught;
	my @unsaid = grep { index(on_one_line($shown), on_one_line($_)) < 0 } @{$mutant->{says}};
	ok(!@unsaid, "$card->{name}: ... and the learner is told why")
	    or diag(
		"mutant $mutant->{name} must lead to these words:\n", list(@unsaid),
		"the learner reads:\n", $shown
	    );
}

# What a learner sees of a failure, as Learner.pm shows it: all of the first point.
sub shown {
	my ($result) = @_;
	my ($first) = grep { !$_->{ok} } @{$result->{points}};
	return $first ? "$first->{text}\n$first->{diag}" : '';
}

sub on_one_line { my ($text) = @_; return $text =~ s/^#//mgr =~ s/\s+/ /gr }

# What a learner sees for each answer of a card, to be read when the card is written.
sub seen {
	my ($self, $ch, $only) = @_;
	my (undef, @cards) = $self->find($ch);
	for my $card (@cards) {
		my $tree = $self->scratch;
		for my $variant (@{$card->{rights}}, @{$card->{mutants}}) {
			next if defined $only && $variant->{name} ne $only;
			my $result = $self->try($tree, $card, $card->mutated($variant));
			print "== $card->{id}:$variant->{name}: $variant->{why}\n",
			    $result->{built}
			    ? shown($result) || "Done.\n"
			    : "It cannot be built:\n$result->{said}";
			print map { "      also: $_\n" }
			    @{$result->{failed}}[1 .. $#{$result->{failed}}];
		}
	}
	return 0;
}

# Every exercise at once, as by make start CH=all. A stub that is right alone may leave something
# unused beside another one. And one may stand in the way of another's test, so here it is only
# asked that each can be built, and none is green.
sub prove_all {
	my ($self) = @_;
	my @cards = Course::Card->all($self->{top});
	my $tree = $self->scratch;

	$tree->sync(Course::Card::all_stubs(@cards));
	for my $card (@cards) {
		my $result = $tree->try($card);
		ok(
			$result->{built},
			"$card->{name}: the stub builds beside those of all other exercises"
		    )
		    or diag(
			"after make start CH=all a learner gets no further than this:\n$result->{said}"
		    );
		SKIP: {
			my ($lack) =
			    grep { defined } map { Course::Needs::lacks($_) } @{$card->{needs}};
			skip $lack, 1 if defined $lack;
			ok(
				$result->{built} && @{$result->{failed}},
				"$card->{name}: there it is not done"
			    )
			    or diag(
				$result->{built}
				? "make check CH=all would say that it is done, before a line is written"
				: "no test was run"
			    );
		}
	}
	done_testing();
	return Test::More->builder->is_passing ? 0 : 1;
}

sub prove_prose {
	my ($self, $path) = @_;
	my $page = Course::Markdown->read($path);
	my $name = $path =~ s{^\Q$self->{top}\E/}{}r;
	my @blocks = grep {
		$_->{lang} eq 'console'
		    || grep { $_->{key} =~ /^(write|insert)$/ }
		    @{$_->{directives}}
	} @{$page->{fences}};
	return pass("$name: has no console block") if !@blocks;
	my $tree = $self->scratch;

	for my $fence (@blocks) {
		my $at = "$name, line $fence->{line}";
		if ($fence->{lang} ne 'console') {
			ok(
				eval { Course::Console::type_in($tree, $fence); 1 },
				"$at: what the page says to type in has its place"
			) or diag($@);
			next;
		}
		my $lack = eval {
			Course::Console::run(
				$tree, $fence,
				sub {
					my ($command, $problem) = @_;
					chomp(my $what = $command->{command});
					$what =~ s/\\\n\s*/ /g;
					$what =~ s/#/\\#/g;
					ok(!defined $problem, "$at: \$ $what") or diag(
						"$problem",
						"This page must show what is printed. tutorial/learn rewrite CH="
						    . (
							  $name =~ m{([^/]*)\.md$}
							? $1 =~ s/^(\d\d).*/$1/r
							: $name
						    )
						    . " puts it there."
					);
				}
			);
		};
		if ($@) { fail("$at: can be run"); diag($@) }
		SKIP: { skip $lack, 1 if defined $lack }
	}
}

# Puts the real output into a page; to be read as a diff. What matches already stays as it is; with
# "all" only what has a "..." or a "[..]" in it does. A translation gets the same fences.
sub rewrite {
	my ($self, $ch, $all) = @_;
	my ($path) = $self->find($ch);
	defined $path or die "CH=$ch: no page\n";
	my $page = Course::Markdown->read($path);
	my $tree = $self->scratch;
	my $changed = 0;

	for my $fence (@{$page->{fences}}) {
		my $body = '';
		my $new;
		if (grep { $_->{key} =~ /^(write|insert)$/ } @{$fence->{directives}}) {
			Course::Console::type_in($tree, $fence);
		} elsif ($fence->{lang} eq 'console') {
			my $lack = Course::Console::run(
				$tree, $fence,
				sub {
					my ($command, $problem, $differs) = @_;
					print "line $fence->{line}: ", (split /\n/, $problem)[0],
					    "\n"
					    if defined $problem && !$differs;
					my $keep = !$differs
					    && (  !$all
						|| $command->{expected} =~ /^\.\.\.$|\[\.\.\]/m);
					$body .= $command->{typed}
					    . ($keep ? $command->{expected} : $command->{got});
				}
			);
			defined $lack
			    ? print "line $fence->{line}: not run: $lack\n"
			    : ($new = $body);
		} elsif (my ($from) = grep { $_->{key} eq 'from' } @{$fence->{directives}}) {
			$new = Course::Markdown::listing($self->{top}, $from->{value});
		}
		next if !defined $new || $new eq $fence->{body};
		$changed++;
		$fence->{body} = $new;
	}
	spew($path, $page->text) if $changed;
	print "$path: $changed blocks rewritten", $changed ? "; read the diff\n" : "\n";
	for my $translation (matching($path =~ m{^(.*)/([^/]+)$} ? ($1, "*/$2") : ())) {
		my $theirs = Course::Markdown->read($translation);
		@{$theirs->{fences}} == @{$page->{fences}}
		    or print "$translation: other fences; left as it is\n" and next;
		$theirs->{fences}[$_]{body} = $page->{fences}[$_]{body}
		    for 0 .. $#{$page->{fences}};
		spew($translation, $theirs->text) if $theirs->text ne slurp($translation);
	}
	return 0;
}

sub book {
	my ($self) = @_;
	my $book = Course::Book->new($self->{top});
	for my $check ($book->checks) {
		my ($what, @problems) = @$check;
		ok(!@problems, $what) or diag(map { "$_\n" } @problems);
	}
	TODO: {
		local $TODO = 'the translation is to be brought up to date';
		fail($_) for $book->stale, $book->untermed;
		$TODO = 'the glossary is to be brought up to date';
		fail($_) for $book->unlisted;
		$TODO = 'the card is to be completed';
		fail($_) for $book->unexplained;
		$TODO = 'the link is to lead to the translation';
		fail($_) for $book->detours;
	}
	done_testing();
	return Test::More->builder->is_passing ? 0 : 1;
}

sub hash {
	my ($self, $ch) = @_;
	my ($path) = $self->find($ch);
	print '<!-- translates: ', $path =~ s{.*/}{}r, ' ', Course::Book::prose_hash($path),
	    " -->\n";
	return 0;
}

# For who has the source of the pinned kernel; see the head of kernel-refs for where to get it.
sub refs {
	my ($self, $dir) = @_;
	defined $dir && -d "$dir/lib/vdso"
	    or die "refs: which directory? It must be a kernel's source tree\n";
	my $refs = Course::Book::kernel_refs($self->{top});
	my $bad = 0;
	for my $path (sort keys %{$refs->{files}}) {
		my $text = -f "$dir/$path" ? slurp("$dir/$path") : undef;
		defined $text or print "$path: not there\n" and $bad++ and next;
		for (sort keys %{$refs->{files}{$path}}) {
			my $name = s/\(\)$//r;
			$text =~ /\b\Q$name\E\b/ or print "$path: no $_\n" and $bad++;
		}
	}
	print keys(%{$refs->{files}}) . " files of $refs->{tag} looked at, $bad problems\n";
	return $bad ? 1 : 0;
}

1;
