package Course::Card;

# An exercise: its card in tutorial/ex, and the region of the finished source that it is about.
#
# The solution is the source itself. Two comment lines stand around the region,
#
#	/* course: begin 06-seqlock */ ... /* course: end 06-seqlock */
#
# and the card says what a learner gets in its place. So there is no second copy of anything, and
# the answer is what the project's own tests run on. The fields of a card are in WRITING.md.

use strict;
use warnings;
use Course::Files qw(slurp matching);
use Course::Markdown;

my %SINGLE = map { $_ => 1 } qw(title tier minutes file stub);
my %LIST = map { $_ => 1 } qw(needs tests build);
my %REPEATED = map { $_ => 1 } qw(red hint mutant right);

# A comment line of C, a linker script, assembly; of make, shell, Perl, a version script.
our $ANCHOR = qr{^[ \t]*(?:/\*|//|\#)[ \t]*course: (begin|end) ([\w.-]+)[ \t]*(?:\*/)?[ \t]*\n}m;

# All cards, by name. What is wrong with one is an exception, "FILE:LINE: what".
sub all {
	my ($class, $top) = @_;
	return map { $class->read($top, $_) }
	    sort map { s{.*/}{}r =~ s/\.ex$//r } matching($top, 'tutorial/ex/*.ex');
}

sub read {
	my ($class, $top, $name) = @_;
	my $path = "tutorial/ex/$name.ex";
	my $self = bless {
		name => $name, top => $top, path => $path,
		map({ $_ => [] } keys %LIST, keys %REPEATED)
	}, $class;
	my ($line, $into) = (0);

	$name =~ /^(\d\d[a-z]?)-[a-z0-9-]+$/
	    or die "$path: the name of a card is NN-some-words.ex\n";
	$self->{id} = $1;
	$self->{chapter} = substr $1, 0, 2;
	for (split /^/, slurp("$top/$path")) {
		$line++;
		if (s/^\t//) {
			$into or die "$path:$line: an indented line, and no field before it\n";
			$$into .= $_;
		} elsif (/^\s*$/) {
			$$into .= "\n" if $into;
		} elsif (/^#/) {
			undef $into;
		} elsif (/^(\w+):[ \t]*(.*)\n?$/) {
			my ($key, $value) = ($1, $2);
			if ($SINGLE{$key}) {
				exists $self->{$key} and die "$path:$line: $key: a second one\n";
				$self->{$key} = length $value ? "$value\n" : '';
				$into = \$self->{$key};
			} elsif ($LIST{$key}) {
				push @{$self->{$key}}, split ' ', $value;
				undef $into;
			} elsif ($REPEATED{$key}) {
				push @{$self->{$key}}, length $value ? "$value\n" : '';
				$into = \$self->{$key}[-1];
			} else {
				die "$path:$line: $key: no such field; there are "
				    . join(', ', sort keys %SINGLE, keys %LIST, keys %REPEATED)
				    . "\n";
			}
		} else {
			die
			    "$path:$line: neither 'field: value', nor a comment (#), nor a line that begins with a tab\n";
		}
	}
	for my $list (@$self{keys %REPEATED}) { s/\s+\z// for @$list }
	for (grep { defined } @$self{qw(title tier minutes file)}) {
		s/\s+\z//;
	}
	$self->{stub} =~ s/\A\n|\n+\z/\n/g if defined $self->{stub};
	$self->{stub} =~ s/\A\n// if defined $self->{stub};
	defined $self->{$_}
	    or die "$path: $_: there must be one\n"
	    for qw(title tier minutes file stub);
	@{$self->{$_}} or die "$path: $_: there must be one\n" for qw(tests red mutant);
	$self->{tier} =~ /^(core|deep)$/ or die "$path: tier: core or deep, not '$self->{tier}'\n";
	$self->{minutes} =~ /^\d+$/ or die "$path: minutes: a number, not '$self->{minutes}'\n";
	@{$self->{hint}} == 3 or die "$path: hint: three of them, not " . @{$self->{hint}} . "\n";
	@{$self->{$_}} <= 10 or die "$path: $_: at most ten\n" for qw(mutant right);
	$self->{mutants} = [map { $self->parse_variant('mutant', $_) } @{$self->{mutant}}];
	$self->{rights} = [map { $self->parse_variant('right', $_) } @{$self->{right}}];
	my %names;
	$names{$_->{name}}++ and die "$path: $_->{name}: two answers of this name\n"
	    for @{$self->{mutants}}, @{$self->{rights}};
	return $self;
}

# An answer that a learner might give: "NAME: what is wrong with it", or different; of a wrong one
# lines "says: words", which must be in what the learner is shown; and then Perl that changes the
# finished region in $_, or "region:" and the region itself, written as a stub is.
sub parse_variant {
	my ($self, $key, $text) = @_;
	$text =~ /\A([a-z0-9-]+): +(\S[^\n]*)\n((?:says: +\S[^\n]*\n)*)(.+)\z/s
	    or die
	    "$self->{path}: $key: first 'name: what it is', then indented the substitution: $text\n";
	my %variant = (name => $1, why => $2, code => $4);
	$variant{says} = [$3 =~ /^says: +(.+)$/mg];
	$key eq 'right' && @{$variant{says}}
	    and die "$self->{path}: right $variant{name}: says: nobody is told why it is right\n";
	$variant{region} = "$1\n" if $variant{code} =~ /\Aregion:\n(.*)\z/s;
	return \%variant;
}

# [name, begin or end, line] of every anchor in a text.
sub anchors {
	my ($text) = @_;
	my @found;
	while ($text =~ /$ANCHOR/g) {
		my ($what, $name, $at) = ($1, $2, $-[0]);
		push @found, [$name, $what, 1 + (substr($text, 0, $at) =~ tr/\n//)];
	}
	return @found;
}

# A text in three: up to the region of that name, the region, the rest.
sub split_region {
	my ($text, $name, $path) = @_;
	my @at;
	while ($text =~ /$ANCHOR/g) {
		push @at, [$1, $-[0], $+[0]] if $2 eq $name;
	}
	@at == 2 && $at[0][0] eq 'begin' && $at[1][0] eq 'end'
	    or die "$path: there must be one line 'course: begin $name'"
	    . " and after it one line 'course: end $name'\n";
	return (
		substr($text, 0, $at[0][2]), substr($text, $at[0][2], $at[1][1] - $at[0][2]),
		substr($text, $at[1][1])
	);
}

sub finished { my ($self) = @_; return slurp("$self->{top}/$self->{file}") }

# The finished region.
sub region {
	my ($self) = @_;
	return (split_region($self->finished, $self->{name}, $self->{file}))[1];
}

# A learner's region with a near miss in it, where the substitution fits what they have written.
sub spoiled {
	my ($self, $mutant, $region) = @_;
	return if defined $mutant->{region};
	local $_ = $region;
	return eval "$mutant->{code}\n; 1" && $_ ne $region ? $_ : undef;
}

# A text of the exercise's file, with something else in the region.
sub replace {
	my ($self, $text, $new) = @_;
	my ($before, undef, $after) = split_region($text, $self->{name}, $self->{file});
	return $before . $new . $after;
}

# What stands in the region at the start.
sub stub { my ($self) = @_; return $self->with_kept('stub', $self->{stub}) }

# A region as a card has it. A line "@keep /FIRST/ .. /LAST/" of it is that part of
# the finished region, indented as that line is: what the learner need not write is not said twice.
sub with_kept {
	my ($self, $what, $text) = @_;
	my @lines = split /^/, $self->region;
	my $stub = '';

	for (split /^/, $text) {
		if (!/^\s*\@keep\b/) {
			$stub .= $_;
			next;
		}
		my ($indent, $first, $last) = m{^(\s*)\@keep /(.+?)/(?: \.\. /(.+)/)?\s*$}
		    or die "$self->{path}: $what: \@keep /FIRST/ .. /LAST/ or \@keep /ONE/, not $_";
		my ($from) = grep { $lines[$_] =~ /$first/ } 0 .. $#lines;
		defined $from
		    or die
		    "$self->{path}: $what: no line of the finished region matches /$first/\n";
		my ($to) = defined $last ? grep { $lines[$_] =~ /$last/ } $from .. $#lines : $from;
		defined $to or die "$self->{path}: $what: no line from there on matches /$last/\n";
		$stub .=
		    Course::Markdown::dedent(join '', @lines[$from .. $to]) =~ s/^(?=.)/$indent/mgr;
	}
	return $stub;
}

# Every exercise of these cards at once: the files, by name, with each region at its start. Two
# exercises may be cut out of one file.
sub all_stubs {
	my (@cards) = @_;
	my %text;
	for my $card (@cards) {
		$text{$card->{file}} //= $card->finished;
		$text{$card->{file}} = $card->replace($text{$card->{file}}, $card->stub);
	}
	return %text;
}

# The region with another answer in it: a near miss, or one that is right, too.
sub mutated {
	my ($self, $variant) = @_;
	my $before = $self->region;
	local $_ = $before;
	if (defined $variant->{region}) {
		$_ = $self->with_kept($variant->{name}, $variant->{region});
	} else {
		eval "$variant->{code}\n; 1" or die "$self->{path}: mutant $variant->{name}: $@";
	}
	$_ ne $before
	    or die
	    "$self->{path}: mutant $variant->{name}: the substitution no longer fits the finished region\n";
	return $_;
}

sub mutant {
	my ($self, $name) = @_;
	my ($found) = grep { $_->{name} eq $name } @{$self->{mutants}}, @{$self->{rights}};
	return $found // die "$self->{path}: no mutant $name\n";
}

1;
