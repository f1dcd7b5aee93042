package Course::Play;

# What was built, at work: make run, mine and break.
#
# A chapter's make run is a script, tutorial/run/NN-name. It starts in the tree of the learner's copy, in
# which everything is built that make builds by itself, with UVDSO=build/uvdso and B=build in its
# environment. Its exit status is that of make run.

use strict;
use warnings;
use parent 'Course::Learner';
use Course::Card;
use Course::Files qw(slurp capture show);
use Course::Merge;
use Course::Needs;
use Course::Said;

my $RUN_LIMIT = $ENV{UVDSO_RUN_LIMIT} // 60;    # seconds that a run may take; a shell has longer
my $TALK_LIMIT = 3600;

# What the scripts find built.
my @BUILT = qw(build/uvdso build/x86_64/vdso.so);

# Whether a copy passes its tests; if not, that is said.
sub solved {
	my ($self, $card, $name, %overlay) = @_;
	return 1 if $self->has_passed($name, %overlay);
	$self->lacking($card) and return 0;
	my $result = $self->try_copy($card, $name, %overlay);
	if (!$result->{built}) {
		$self->tell_unbuilt($name, $result, %overlay);
		return 0;
	}
	return 1 if !@{$result->{failed}};
	print "work/$name is not finished, so there is nothing to see yet. This is missing:\n",
	    map({ "  $_\n" } @{$result->{failed}}),
	    "make check CH=$card->{id} says more.\n";
	return 0;
}

sub run {
	my ($self, $ch) = @_;
	my $card = $self->card($ch);
	my $name = $card->{name};
	$| = 1;
	$self->can_run($card)
	    or die
	    "$card->{id} $card->{title}: there is nothing to run, only to check: make check CH=$card->{id}\n";
	$self->lock_copy($name);
	my %overlay = $self->overlay($name);
	$self->tell_notes($card, %overlay);
	$self->solved($card, $name, %overlay) or return 1;
	my $tree = $self->tree($name, %overlay);
	my $make = $tree->make(@BUILT);
	return $self->tell_unbuilt($name, {said => $make->{out}, targets => \@BUILT}, %overlay)
	    if $make->{status} || $make->{timed_out};
	return $self->play($tree, "tutorial/run/$name");
}

# Runs a command in a tree, for the user to see.
sub play {
	my ($self, $tree, @command) = @_;
	my $limit = -t STDIN && -t STDOUT ? $TALK_LIMIT : $RUN_LIMIT;
	my $status = show(
		{
			dir => $tree->{dir}, limit => $limit,
			env => {UVDSO => 'build/uvdso', B => 'build'}
		},
		@command
	);
	print "It did not end within $limit s, and was ended.\n" if $status == 124;
	return $status;
}

# ---- all of it together ----

my @PARTS = (
	[qr{^(?:vdso-src|linker-scripts)/} => 'the image'],
	[qr{^(?:loader/kernel/(?:time|clock)|tutorial/run)/} => 'the clock'],
	[qr{^loader/kernel/} => 'the loader'],
	[qr{^loader/libc/} => 'the C library'],
	[qr{} => 'the rest'],
);

sub part_of {
	my ($card) = @_;
	return (grep { $card->{file} =~ $_->[0] } @PARTS)[0][1];
}

sub mine {
	my ($self) = @_;
	my (%text, %says);
	$| = 1;
	my ($mine, @cards) = (0, $self->cards);
	for my $card (@cards) {
		$says{$card->{name}} = $self->put_in($card, \%text);
		$mine++ if $says{$card->{name}} eq 'yours';
	}
	for my $part (map { $_->[1] } @PARTS) {
		my @here = grep { part_of($_) eq $part } @cards or next;
		print "$part\n",
		    map { sprintf "  %-3s %-46s  %s\n", $_->{id}, $_->{title}, $says{$_->{name}} }
		    @here;
	}
	print "\n$mine of " . @cards . " parts are yours",
	    $mine < @cards ? ", the others are the project's.\n" : ".\n";
	if (!$mine) {
		print "Solve one, and it is put in here: make start CH=$cards[0]{id}\n";
		return 1;
	}

	$self->lock_copy('mine');
	my $tree = $self->tree('mine', %text);
	my $make = $tree->make(@BUILT);
	if ($make->{status} || $make->{timed_out}) {
		print "\nTogether they cannot be built:\n\n",
		    map { "  $_" } split /^/,
		    Course::Said::in_copy($make->{out}, $tree->{dir}, '*', %text);
		return 1;
	}
	# What is called python3 may be a script that starts another one.
	my $python =
	      Course::Needs::tool('python3')
	    ? capture({limit => 10}, qw(python3 -c), 'import sys; print(sys.executable)')
	    : undef;
	my ($python3) = $python && !$python->{status} ? $python->{out} =~ m{^(/.*)$}m : ();
	my $traces =
	    !capture({dir => $tree->{dir}, limit => 10}, qw(build/uvdso trace true))->{status};
	for my $command (
		[qw(build/uvdso check -v build/x86_64/vdso.so)],
		[qw(build/uvdso run date)],
		[qw(build/uvdso run --offset realtime=+1000d date)],
		[
			'build/uvdso',
			$traces ? 'trace' : 'run',
			defined $python3
			? (
				$python3,
				'-c',
				'import time; print("python3:", time.ctime(), "and", time.monotonic_ns(), "ns")'
			    )
			: 'date'
		]
	    )
	{
		print "\n\$ ", join(' ', map { /[^\w\/.=+-]/ ? "'$_'" : $_ } @$command), "\n";
		my $status = $self->play($tree, @$command);
		return $status if $status;
	}
	return 0;
}

# Puts what is solved of a card into these texts, path => text. Says whose that part is now.
sub put_in {
	my ($self, $card, $text) = @_;
	my ($name, $file) = @$card{qw(name file)};
	return "the project's: make start CH=$card->{id}"
	    if !-e $self->copy_dir($name) && !-d $self->base_dir($name);
	my $why = join '', $self->broken($name);
	return "the project's: " . (split /\n/, $why)[0] if length $why;
	$self->lock_copy($name);
	my %overlay = $self->overlay($name);
	if (!$self->has_passed($name, %overlay)) {
		return "the project's: this machine cannot test it" if defined $self->lack($card);
		my $result = $self->try_copy($card, $name, %overlay);
		return "the project's: yours is not finished, make check CH=$card->{id}"
		    if !$result->{built} || @{$result->{failed}};
	}
	$self->let_go($name);
	my %base = $self->base($name);
	for my $path (sort keys %overlay) {
		my $now = $text->{$path}
		    // (-f "$self->{top}/$path" ? slurp("$self->{top}/$path") : undef);
		if (!defined $now) {
			$text->{$path} = $overlay{$path};
			next;
		}
		my $put = $self->fitted(
			$card, $now, $base{$path} // slurp("$self->{top}/$path"),
			$overlay{$path}
		);
		return "the project's: what you have changed in $path does not fit with the others"
		    if !defined $put;
		$text->{$path} = $put;
	}
	return 'yours';
}

# A copy's changes since its base, in a text in which other exercises may be solved already.
sub fitted {
	my ($self, $card, $now, $base, $copy) = @_;
	my @now = eval { Course::Card::split_region($now, $card->{name}, '') };
	my @base = eval { Course::Card::split_region($base, $card->{name}, '') };
	my @copy = eval { Course::Card::split_region($copy, $card->{name}, '') };
	return $now[0] . $copy[1] . $now[2]
	    if @now && @base && @copy && $copy[0] eq $base[0] && $copy[2] eq $base[2];
	# Between the lines of another exercise, its own answer counts.
	for my $other (grep { $_->{file} eq $card->{file} && $_->{name} ne $card->{name} }
		$self->cards)
	{
		my ($is) = map {
			(eval { Course::Card::split_region($_, $other->{name}, '') })[1]
		} $now;
		defined $is or next;
		for ($base, $copy) {
			my @was = eval { Course::Card::split_region($_, $other->{name}, '') };
			$_ = $was[0] . $is . $was[2] if @was;
		}
	}
	$now = $now[0] . $base[1] . $now[2] if @now && @base;
	my ($text, $conflicts) = Course::Merge::merge($copy, $base, $now);
	return $conflicts ? undef : $text;
}

# ---- a mistake, on purpose ----

# CH=06:NAME puts one of the card's mistakes into the learner's answer, in a tree of its own: the copy in
# work/ is never touched, so nothing needs to be taken back.
sub break {
	my ($self, $ch) = @_;
	my ($which, $mistake) = split /:/, $ch // '', 2;
	my $card = $self->card($which);
	my $name = $card->{name};
	if (!defined $mistake || $mistake !~ /\S/) {
		print "$card->{id} $card->{title}: what can be broken\n",
		    map { "  make break CH=$card->{id}:$_->{name}\n      $_->{why}\n" }
		    @{$card->{mutants}};
		return 0;
	}
	my ($mutant) = grep { $_->{name} eq lc $mistake =~ s/^\s+|\s+$//gr } @{$card->{mutants}};
	$mutant
	    or die "CH=$ch: no such mistake. There are:\n",
	    map { "  CH=$card->{id}:$_->{name}\n" } @{$card->{mutants}};
	$| = 1;
	$self->lock_copy($name);
	my %overlay = $self->overlay($name);
	$self->solved($card, $name, %overlay) or return 1;

	print "$card->{id} $card->{title}: $mutant->{why}\n";
	$self->lock_copy('broken');
	for my $try ($self->broken_answers($card, $mutant, $overlay{$card->{file}})) {
		my ($text, $what) = @$try;
		my %broken = (%overlay, $card->{file} => $text);
		my $result = $self->tree('broken', %broken)->try($card);
		my %passed = map { $_->{text} => 1 } grep { $_->{ok} } @{$result->{points}};
		next if !$result->{built} || !grep { !$passed{$_} } @{$card->{red}};
		print "\n$what";
		$self->tell_points($card, $result);
		my ($first) = grep { !$_->{ok} } @{$result->{points}};
		$self->tell_why($first, 'broken') if $first;
		print "\nYour copy is as it was, without the mistake: work/$name/$card->{file}\n";
		return 0;
	}
	print "\nNo test has noticed it. That should not be: please report it.\n";
	return 1;
}

# The texts to try, the nearest to the learner's own first, and what to say of each: the mistake in their
# own words if it fits them, and else the project's answer with the mistake, in their file or in ours.
sub broken_answers {
	my ($self, $card, $mutant, $copy) = @_;
	my @answers;
	my @part = eval { Course::Card::split_region($copy, $card->{name}, $card->{file}) };
	my $own = @part ? $card->spoiled($mutant, $part[1]) : undef;
	push @answers,
	    [
		$part[0] . $own . $part[2],
		"In your answer that is:\n\n"
		    . (
			Course::Merge::difference($part[1], $own, 'yours', 'broken') =~
			    s/^(?:---|\+\+\+|@@).*\n//mgr
		    )
	    ]
	    if defined $own;
	my $ours = $card->mutated($mutant);
	my $says =
	    "Your answer is written in other words than ours, so here it is ours that has the mistake:\n\n"
	    . (Course::Merge::difference($card->region, $ours, 'ours', 'broken') =~
		    s/^(?:---|\+\+\+|@@).*\n//mgr);
	push @answers, [$part[0] . $ours . $part[2], $says] if @part;
	push @answers, [$card->replace($card->finished, $ours), $says];
	return @answers;
}

1;
