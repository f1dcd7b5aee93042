package Course::Console;

# The console blocks of a page, executed: what the reader sees is what came, in a tree of its own.
#
# A page shows one real run. Another machine has other numbers, so both sides go through the
# normalisers that the block names, and "..." alone on a line stands for any lines, "[..]" within a
# line for any text. Shape is compared, values are not.

use strict;
use warnings;
use Course::Card;
use Course::Files qw(slurp spew capture);
use Course::Markdown;
use Course::Needs;

my $LIMIT = 60;    # seconds for one command

our %NORM = (
	num =>
	    sub { s/(?:(?<=\s)[ \t]*|^[ \t]*|\b)-?\b\d[\d,]*(?:\.\d+)?\b/N/mg; s/[ \t]+N\b/ N/g },
	addr => sub { s/\b0x[0-9a-f]+\b/ADDR/g; s/\b[0-9a-f]{8,16}\b/ADDR/g },
	time => sub {
		s/\b[A-Z][a-z]{2} [A-Z][a-z]{2} +\d+ [\d:]{8}(?: [AP]M)? \w+ \d{4}\b/DATE/g;
		s/\b\d+(?:\.\d+)? ?(?:ns|us|ms|s|min)\b/TIME/g;
	},
	ver => sub { s/\b\d+(?:\.\d+)+[\w.+~-]*/VERSION/g },
	space => sub { s/[ \t]+/ /g },
);

# The commands of a block: {command, expected}. A line after a backslash belongs to the command.
sub parse {
	my ($body) = @_;
	my @commands;
	for (split /^/, $body) {
		if (/^\$ (.*\n)/) {
			push @commands, {command => $1, typed => $_, expected => ''};
		} elsif (!@commands) {
			die "a console block begins with '\$ command'\n";
		} elsif ($commands[-1]{expected} eq '' && $commands[-1]{command} =~ /\\\n\z/) {
			$commands[-1]{typed} .= $_;
			$commands[-1]{command} .= s/^> //r;
		} else {
			$commands[-1]{expected} .= $_;
		}
	}
	return @commands;
}

# What a run directive says.
sub options {
	my ($fence) = @_;
	my %opt = (setup => [], norm => [], needs => [], exit => 0, limit => $LIMIT, tries => 1);
	for my $directive (@{$fence->{directives}}) {
		$directive->{key} eq 'run' or die "$directive->{key}: not before a console block\n";
		for (Course::Markdown::words($directive)) {
			my ($key, $value) = @$_;
			if ($key eq 'fresh') { push @{$opt{setup}}, [$key] }
			elsif (!defined $value || $value eq '') {
				die
				    "run: $key: fresh, or one of start, solve, mutant, norm, needs, exit, limit, tries with =value\n";
			} elsif ($key =~ /^(start|solve|mutant)$/) {
				push @{$opt{setup}}, [$key, $value];
			} elsif ($key eq 'norm') {
				$NORM{$_}
				    or die
				    "run: norm=$_: no such normaliser; there are @{[sort keys %NORM]}\n"
				    for split /,/, $value;
				push @{$opt{norm}}, split /,/, $value;
			} elsif ($key eq 'needs') {
				Course::Needs::known($_)
				    or die
				    "run: needs=$_: not known; there are @{[Course::Needs::names()]}\n"
				    for split /,/, $value;
				push @{$opt{needs}}, split /,/, $value;
			} elsif ($key =~ /^(exit|limit|tries)$/ && $value =~ /^\d+$/) {
				$opt{$key} = $value;
			} else {
				die
				    "run: $key=$value: fresh, or one of start, solve, mutant, norm, needs, exit, limit, tries with =value\n";
			}
		}
	}
	return \%opt;
}

sub normalise {
	my ($text, @norms) = @_;
	for ($text) {
		s/[ \t]+$//mg;
		# What another chapter or a changed file moves, and no reader looks for.
		s/(?<=^make: \*\*\* \[)[\w.\/-]+:\d+: /MAKEFILE: /mg;
		# A linker names itself as it was called, or with its path and its machine.
		s{^(\s*)(?:/\S*/)?(?:\w+-linux-gnu-)?(?=ld\.(?:bfd|lld): )}{$1}mg;
		s/^(  edit  work\S+), line \d+$/$1, line N/mg;
		s/^  ok      and \d+ more$/  ok      and N more/mg;
		# Where a chapter has nothing to run, it is not said.
		s/^make run CH=\w+ lets it do something real\.\n//mg;
		s/^(?:Next: tutorial.*|That was the last one: the course is done\.)$/NEXT/mg;
		# What is a part of something longer comes last.
		for my $norm (qw(time addr ver num space)) {
			$NORM{$norm}->() if grep { $_ eq $norm } @norms;
		}
	}
	return $text;
}

sub matches {
	my ($expected, $got, @norms) = @_;
	my $pattern = '';
	($expected, $got) = map { normalise($_, @norms) } $expected, $got;
	for (split /^/, $expected) {
		$pattern .= /^\.\.\.\n?\z/ ? '(?:.*\n)*?' : join '.*?',
		    map { quotemeta } split /\Q[..]\E/, $_, -1;
	}
	return $got =~ /\A$pattern\z/;
}

# The first line of each that differs; for the message.
sub difference {
	my ($expected, $got) = @_;
	return
	      "the page says:\n"
	    . ($expected =~ s/^/    /mgr || "    (nothing)\n")
	    . "it printed:\n"
	    . ($got =~ s/^/    /mgr || "    (nothing)\n");
}

# What stands for the place where the tree lies, which is another one each time.
sub without_place {
	my ($text, $dir) = @_;
	$text =~ s{\Q$dir\E}{/home/you/uvdso}g;
	return $text;
}

# Brings the tree into the state that a block asks for.
sub setup {
	my ($tree, $what, $value) = @_;
	if ($what eq 'fresh') {
		system 'rm', '-rf', "$tree->{dir}/work";
		return $tree->sync;
	}
	my ($name, $mutant) = split /:/, $value;
	my ($card) =
	    grep { $_->{id} eq $name || $_->{name} eq $name } Course::Card->all($tree->{from});
	$card or die "run: $what=$value: no such exercise\n";
	my $copy = "$tree->{dir}/work/$card->{name}/$card->{file}";
	if ($what eq 'start' || !-e $copy) {
		system 'rm', '-rf', map { "$tree->{dir}/work/$_$card->{name}" } '', '.base/';
		my $run = capture(
			{dir => $tree->{dir}, limit => 180}, 'tutorial/learn', 'start',
			$card->{name}
		);
		$run->{status} and die "run: $what=$value: $run->{out}\n";
	}
	spew($copy, $card->finished) if $what eq 'solve';
	if ($what eq 'mutant') {
		$mutant or die "run: mutant=CH:NAME, not mutant=$value\n";
		spew(
			$copy,
			$card->replace($card->finished, $card->mutated($card->mutant($mutant)))
		);
	}
}

# A c block that the reader types in: "write: path", or "insert: path after=/pattern/".
sub type_in {
	my ($tree, $fence) = @_;
	for my $directive (@{$fence->{directives}}) {
		my $path = $directive->{value};
		if ($directive->{key} eq 'write') {
			$path =~ m{^[\w./-]+$} && $path !~ /\.\./
			    or die "write: a path in the project, not '$path'\n";
			spew("$tree->{dir}/$path", $fence->{body});
		} elsif ($directive->{key} eq 'insert') {
			$path =~ m{^([\w./-]+) (after|before)=/(.+)/$} && $1 !~ /\.\./
			    or die
			    "insert: PATH after=/PATTERN/ or before=/PATTERN/, not '$path'\n";
			my ($file, $where, $pattern) = ($1, $2, $3);
			my @lines = split /^/, slurp("$tree->{dir}/$file");
			my @at = grep { $lines[$_] =~ /$pattern/ } 0 .. $#lines;
			@at == 1
			    or die "insert: /$pattern/ fits " . @at . " lines of $file, not one\n";
			splice @lines, $at[0] + ($where eq 'after'), 0, $fence->{body};
			unlink "$tree->{dir}/$file.new";
			spew("$tree->{dir}/$file", join '', @lines);
		}
	}
}

# Runs a block. Calls back with each command: ({command, expected, got}, problem or undef).
# Returns a reason if the machine lacks something for it.
sub run {
	my ($tree, $fence, $each) = @_;
	my $opt = options($fence);
	my @commands = parse($fence->{body});

	for (@{$opt->{needs}}) {
		my $lack = Course::Needs::lacks($_);
		return $lack if $lack;
	}
	setup($tree, @$_) for @{$opt->{setup}};
	my @results;
	for (1 .. $opt->{tries}) {
		@results =
		    map { one($tree, $commands[$_], $opt, $_ == $#commands) } 0 .. $#commands;
		last if !grep { defined $_->{problem} } @results;
	}
	$each->(@$_{qw(command problem differs)}) for @results;
	return;
}

# One command of a block, the last one or not.
sub one {
	my ($tree, $command, $opt, $last) = @_;
	my $wanted = $last ? $opt->{exit} : 0;
	my $run = capture(
		{
			dir => $tree->{dir},
			limit => $opt->{limit},
			env => {
				LC_ALL => 'C', TZ => 'UTC', TERM => 'dumb',
				NO_COLOR => 1, COLUMNS => 80, PAGER => 'cat'
			}
		},
		'/bin/sh',
		'-c',
		$command->{command}
	);
	my $got = $command->{got} = without_place($run->{out}, $tree->{dir});
	$command->{got} .= "\n" if length $got && $got !~ /\n\z/;
	my $status =
	      $run->{timed_out} ? "did not end within $opt->{limit} s"
	    : $run->{signal} ? "was killed by signal $run->{signal}"
	    : $run->{status} != $wanted
	    ? "status $run->{status}, expected $wanted (say exit=N if that is meant)"
	    : undef;
	my $differs = !matches($command->{expected}, $command->{got}, @{$opt->{norm}});
	my $difference =
	    $status || $differs ? difference($command->{expected}, $command->{got}) : undef;
	return {
		command => $command,
		problem => $status ? "$status. $difference" : $difference,
		differs => $differs,
	};
}

1;
