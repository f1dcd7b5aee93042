package Course::Book;

# What must be true of all pages and cards together, found out by reading alone.
#
# checks() gives a list of [what is true if it passes, problem...]. A problem names its place.

use strict;
use warnings;
use Digest::SHA 'sha1_hex';
use File::Basename 'dirname';
use Course::Card;
use Course::Console;
use Course::Files qw(slurp matching);
use Course::Workspace;
use Course::Markdown;
use Course::Needs;
use Course::Tree;

our @HEADINGS = (
	'Goal', 'You need', 'Three invariants', 'Predict first', 'The idea', 'Walk-through',
	'Your turn',
	'Break it on purpose', 'Compare with the kernel', 'What we left out', 'Go further', 'Recap'
);
# The same in the words of a translation, by its folder.
our %TRANSLATED = (
	'zh-CN' => [
		'目标', '准备', '三条不变式', '先猜后看', '思路', '逐步演示', '轮到你了', '故意弄坏', '与内核对照', '没有讲到的',
		'更进一步', '小结'
	],
);
# Pages outside of tutorial/ that are checked and executed like the others.
our @OUTSIDE = ('CONTRIBUTING.md');
# Languages of listings, which are a part of the source or typed in by the reader.
my %LISTING = map { $_ => 1 } qw(c ld asm make);

sub new {
	my ($class, $top) = @_;
	my $self = bless {top => $top, pages => {}}, $class;
	# All pages, by their path in the project.
	my @outside = grep { -e } map { "$top/$_" } @OUTSIDE;
	for my $path (matching($top, 'tutorial/*.md'), matching($top, 'tutorial/*/*.md'), @outside)
	{
		my $name = substr $path, length($top) + 1;
		next if $name =~ m{^tutorial/(?:site|lib|ex)/};
		$self->{pages}{$name} = Course::Markdown->read($path);
	}
	$self->{chapters} = [grep { m{^tutorial/\d\d-[^/]+\.md$} } sort keys %{$self->{pages}}];
	$self->{translated} =
	    [grep { m{^tutorial/[^/]+/\d\d-[^/]+\.md$} } sort keys %{$self->{pages}}];
	return $self;
}

sub checks {
	my ($self) = @_;
	my @cards = eval { Course::Card->all($self->{top}) };
	return ['the cards can be read', $@ =~ s/\n\z//r] if $@;
	$self->{cards} = \@cards;
	return map { [$_->[0], $_->[1]->($self)] } (
		['anchors, cards and chapters exist once each and name each other', \&check_names],
		[
			'every card has what it promises, and its stub and near misses fit the source',
			\&check_cards
		],
		[
			'every chapter has the headings of the template, in their order',
			\&check_headings
		],
		['every fence says what it is', \&check_fences],
		['what the reader types in is said to go where', \&check_typed],
		['what stands for any output is said to', \&check_patterns],
		['every listing is what stands in the source', \&check_listings],
		['every link leads somewhere', \&check_links],
		[
			'every kernel reference is well-formed, and on the list of the pinned kernel',
			\&check_kernel
		],
		['every file and every function that a page names is there', \&check_named],
		[
			'every chapter shows the failure that its exercise begins with',
			\&check_failure_shown
		],
		['every page with commands has a test that executes it', \&check_executed],
		['the map lists every page', \&check_map],
		[
			'every translation of the glossary has its entries, in the words of the chapters',
			\&check_glossaries
		],
		[
			'every entry of the glossary leads to the chapter that explains it',
			\&check_glossary
		],
		['every translation has the fences of its original', \&check_translations],
		['no translation has a word that its table of terms forbids', \&check_words],
	);
}

# Translations whose original has changed: not a failure, but to be done.
sub stale {
	my ($self) = @_;
	return map {
		my $of = $self->changed_original($_);
		defined $of ? "$_: its original, $of, has changed since" : ()
	} sort keys %{$self->{pages}};
}

# The original of a translation, if it has changed since.
sub changed_original {
	my ($self, $name) = @_;
	my ($comment) = grep { $_->{key} eq 'translates' } @{$self->{pages}{$name}{comments}};
	my ($of, $hash) = split ' ', $comment ? $comment->{value} : '';
	return undef if !defined $hash || !-e "$self->{top}/tutorial/$of";
	return prose_hash("$self->{top}/tutorial/$of") ne $hash ? "tutorial/$of" : undef;
}

# Near misses of which it is not held what a learner is told, and cards without another right answer:
# to be done, and no failure.
sub unexplained {
	my ($self) = @_;
	return map {
		my $card = $_;
		(@{$card->{rights}} ? () : "$card->{path}: right: no answer of another shape"),
		    map { "$card->{path}: mutant $_->{name}: no says:" }
		    grep { !@{$_->{says}} }
		    @{$card->{mutants}}
	} @{$self->{cards}};
}

# Of what a translator translates: all but the fences, which are the same in all languages.
sub prose_hash {
	my ($path) = @_;
	my $page = Course::Markdown->read($path);
	my @lines = @{$page->{lines}};
	@lines[$_->{line} - 1 .. $_->{end} - 1] = ('') x ($_->{end} - $_->{line} + 1)
	    for grep { $_->{end} } @{$page->{fences}};
	return substr sha1_hex(join '', grep { /\S/ } @lines), 0, 12;
}

# path => {line => [name, what]} of all anchors in the sources.
sub anchors {
	my ($self) = @_;
	return $self->{anchors} if $self->{anchors};
	my %anchors;
	for my $path (Course::Tree::files($self->{top})) {
		next
		    if $path =~ m{^tutorial/(?!run/)|\.md$|^tests/.*\.t$}
		    || -s "$self->{top}/$path" > 500_000;
		my @found = Course::Card::anchors(slurp("$self->{top}/$path"));
		$anchors{$path} = \@found if @found;
	}
	return $self->{anchors} = \%anchors;
}

sub check_names {
	my ($self) = @_;
	my (@problems, %where);
	my %card = map { $_->{name} => $_ } @{$self->{cards}};
	my %used =
	    map { $_ => 1 }
	    map { $_->{value} =~ /#([\w.-]+)$/ ? $1 : () }
	    map { @{$_->{comments}} } values %{$self->{pages}};

	for my $path (sort keys %{$self->anchors}) {
		for (@{$self->anchors->{$path}}) {
			my ($name, $what, $line) = @$_;
			push @{$where{$name}{$what}}, "$path:$line";
			$where{$name}{path} = $path;
		}
	}
	for my $name (sort keys %where) {
		my ($begin, $end) = map { scalar @{$where{$name}{$_} // []} } qw(begin end);
		push @problems,
		    "anchor $name: $begin begin and $end end, in "
		    . join(' ', map { @{$where{$name}{$_} // []} } qw(begin end))
		    if $begin != 1 || $end != 1;
		push @problems,
		    "$where{$name}{path}: anchor $name: no card tutorial/ex/$name.ex, and no page shows it"
		    if !$card{$name} && !$used{$name};
		push @problems,
		    "$card{$name}{path}: file: $card{$name}{file}, but the anchor is in $where{$name}{path}"
		    if $card{$name} && $card{$name}{file} ne $where{$name}{path};
	}
	for my $card (@{$self->{cards}}) {
		push @problems,
		    "$card->{path}: no region 'course: begin $card->{name}' in $card->{file}"
		    if !$where{$card->{name}};
		my @pages = grep { m{/\Q$card->{chapter}\E-} } @{$self->{chapters}};
		push @problems,
		    "$card->{path}: "
		    . @pages
		    . " chapters tutorial/$card->{chapter}-*.md, not one"
		    if @pages != 1;
		push @problems, "$card->{path}: its chapter is called $pages[0]"
		    if @pages == 1
		    && $card->{name} =~ /^\d\d-/
		    && $pages[0] ne "tutorial/$card->{name}.md";
		push @problems, "$card->{path}: tests: no test $_"
		    for grep { !defined Course::Tree::find_test($self->{top}, $_) }
		    @{$card->{tests}};
	}
	my $to = eval { Course::Workspace::moved($self->{top}) };
	push @problems, $@ =~ s/\n\z//r if !$to;
	push @problems,
	    "tutorial/moved: $_ is there again: a learner's copy of it would be moved away"
	    for grep { m{/} && -e "$self->{top}/$_" } sort keys %{$to // {}};
	push @problems, "tutorial/moved: there is no $_"
	    for grep { m{/} && !-e "$self->{top}/$_" && !$to->{$_} } sort values %{$to // {}};
	for my $page (@{$self->{chapters}}) {
		my ($number) = $page =~ m{/(\d\d)};
		push @problems, "$page: no card tutorial/ex/$number-*.ex"
		    if !grep { $_->{chapter} eq $number } @{$self->{cards}};
	}
	return @problems;
}

sub check_cards {
	my ($self) = @_;
	my @problems;
	for my $card (@{$self->{cards}}) {
		my $region = eval { $card->region };
		if (!defined $region) { push @problems, $@ =~ s/\n\z//r; next }
		for my $try (
			sub { $card->stub },
			map {
				my $mutant = $_;
				sub { $card->mutated($mutant) }
			} @{$card->{rights}},
			@{$card->{mutants}}
		    )
		{
			eval { $try->(); 1 } or push @problems, $@ =~ s/\n\z//r;
		}
		my $stub = eval { $card->stub } // '';
		push @problems,
		    map { "$_: $card->{id} has no mutant of that name" }
		    $self->unknown_breaks($card);
		push @problems, "$card->{path}: stub: no TODO in it" if $stub !~ /\bTODO\b/;
		push @problems, "$card->{path}: stub: it is the finished region"
		    if $stub eq $region;
		push @problems, "$card->{path}: minutes: $card->{minutes}; a chapter takes 5 to 45"
		    if $card->{minutes} < 5 || $card->{minutes} > 45;
		push @problems, "$card->{path}: red: twice: $_" for do {
			my %n;
			grep { $n{$_}++ == 1 } @{$card->{red}};
		};
		push @problems, "$card->{path}: needs: $_: not known"
		    for grep { !Course::Needs::known($_) } @{$card->{needs}};
		my @kept = split /^/, $stub;
		my %kept = map { $_ => 1 } @kept;
		for my $line (grep { !$kept{$_} } split /^/, $region) {
			$line =~ s/^\s+|\s+$//g;
			next if length $line < 12 || $line =~ m{^(?:/?\*|#\s|//)};
			push @problems, "$card->{path}: a hint holds a line of the answer: $line"
			    for grep { index($_, $line) >= 0 } @{$card->{hint}};
		}
	}
	return @problems;
}

# Where a text names a command that breaks this exercise, and there is no such near miss.
sub unknown_breaks {
	my ($self, $card) = @_;
	my %known = map { $_->{name} => 1 } @{$card->{mutants}};
	my @unknown;
	for my $name (@{$self->{chapters}}, @{$self->{translated}}) {
		push @unknown, map { "$name: make break CH=$card->{id}:$_" }
		    grep { !$known{$_} }
		    slurp("$self->{top}/$name") =~ /\bmake break CH=\Q$card->{id}\E:([a-z0-9-]+)/g;
	}
	return @unknown;
}

sub check_headings {
	my ($self) = @_;
	my @problems;
	for my $name (@{$self->{chapters}}, @{$self->{translated}}) {
		my $page = $self->{pages}{$name};
		my ($locale) = $name =~ m{^tutorial/([^/]+)/};
		my @template = $locale ? @{$TRANSLATED{$locale} // []} : @HEADINGS;
		my @first = grep { $_->{level} == 1 } @{$page->{headings}};
		my ($number) = $name =~ m{/(\d\d)-};
		push @problems,
		    "$name: the first heading is '# $number Title', and there is no other of that level"
		    if @first != 1 || $first[0]{text} !~ /^\Q$number\E \S/;
		my @got = map { $_->{text} } grep { $_->{level} == 2 } @{$page->{headings}};

		for my $i (0 .. ($#got > $#template ? $#got : $#template)) {
			next if ($got[$i] // '') eq ($template[$i] // '');
			push @problems,
			    "$name: heading "
			    . ($i + 1)
			    . " is '## "
			    . ($got[$i] // '(none)')
			    . "', the template has '## "
			    . ($template[$i] // '(none)') . "'";
			last;
		}
		my ($card) = grep { "tutorial/$_->{name}.md" eq $name } @{$self->{cards}};
		push @problems,
		    "$name: the title is '$first[0]{text}', its card says '$number $card->{title}'"
		    if $card && @first == 1 && $first[0]{text} ne "$number $card->{title}";
	}
	return @problems;
}

sub check_fences {
	my ($self) = @_;
	my @problems;
	for my $name (sort keys %{$self->{pages}}) {
		my $page = $self->{pages}{$name};
		push @problems, map { "$name:$_" } @{$page->{problems}};
		for my $fence (@{$page->{fences}}) {
			my ($at, $lang) = ("$name:$fence->{line}", $fence->{lang});
			my %key = map { $_->{key} => 1 } @{$fence->{directives}};
			if ($lang eq 'console') {
				eval {
					Course::Console::options($fence);
					Course::Console::parse($fence->{body})
					    or die "no command in it\n";
					1;
				}
				    or push @problems, "$at: " . $@ =~ s/\n\z//r;
			} elsif ($LISTING{$lang}) {
				push @problems,
				    "$at: $lang: '<!-- from: path#anchor -->' on the line before says where it stands; 'write:' or 'insert:' that the reader types it"
				    if !grep { $key{$_} } qw(from write insert);
			} elsif ($lang eq 'text') {
				push @problems,
				    "$at: text is an illustration: no directive before it"
				    if %key;
			} else {
				push @problems,
				    "$at: a fence is console, c, ld, asm, make or text, not '$lang'";
			}
		}
	}
	return @problems;
}

# A reader sees no directive: the text before the fence names the file.
sub check_typed {
	my ($self) = @_;
	my @problems;
	for my $name (sort keys %{$self->{pages}}) {
		my $page = $self->{pages}{$name};
		my $last = 0;
		for my $fence (@{$page->{fences}}) {
			my %named = map { $_->{text} => 1 }
			    grep { $_->{line} > $last && $_->{line} < $fence->{line} }
			    @{$page->{spans}};
			for (grep { $_->{key} =~ /^(?:write|insert)$/ } @{$fence->{directives}}) {
				my ($path) = split ' ', $_->{value};
				push @problems,
				    "$name:$fence->{line}: the text does not say that this goes into `$path`"
				    if !$named{$path};
			}
			$last = $fence->{end} // $fence->{line};
		}
	}
	return @problems;
}

# "..." and "[..]" are no output. A page that has one of them, or the first chapter, says what it is.
sub check_patterns {
	my ($self) = @_;
	my @problems;
	for my $name (sort keys %{$self->{pages}}) {
		my $page = $self->{pages}{$name};
		my ($first) =
		    sort grep { $name =~ m{^tutorial/} && m{^\Q@{[$name =~ s{[^/]*$}{}r]}\E00-} }
		    keys %{$self->{pages}};
		my %said = map { $_->{text} => 1 } map { @{$_->{spans}} } $page,
		    $first ? $self->{pages}{$first} : ();
		for my $fence (grep { $_->{lang} eq 'console' } @{$page->{fences}}) {
			my %has = (
				'...' => scalar $fence->{body} =~ /^\.\.\.$/m,
				'[..]' => scalar $fence->{body} =~ /\[\.\.\]/
			);
			push @problems,
			    "$name:$fence->{line}: the text does not say what `$_` stands for"
			    for grep { $has{$_} && !$said{$_} } sort keys %has;
		}
	}
	return @problems;
}

sub check_listings {
	my ($self) = @_;
	my @problems;
	for my $name (sort keys %{$self->{pages}}) {
		for my $fence (@{$self->{pages}{$name}{fences}}) {
			for my $from (grep { $_->{key} eq 'from' } @{$fence->{directives}}) {
				my $at = "$name:$fence->{line}";
				my $region =
				    eval { Course::Markdown::listing($self->{top}, $from->{value}) };
				if (!defined $region) {
					push @problems, "$at: " . $@ =~ s/\n\z//r;
					next;
				}
				next if $region eq $fence->{body};
				my @want = split /^/, $region;
				my @got = split /^/, $fence->{body};
				my ($i) = grep { ($want[$_] // '') ne ($got[$_] // '') }
				    0 .. (@want > @got ? $#want : $#got);
				push @problems,
				    "$at: it is not $from->{value}; line "
				    . ($i + 1)
				    . " there is\n    "
				    . ($want[$i] // "(its end)\n")
				    . "  and here\n    "
				    . ($got[$i] // "(its end)\n")
				    . "  tutorial/learn rewrite brings the page up to date";
			}
		}
	}
	return @problems;
}

sub check_links {
	my ($self) = @_;
	my @problems;
	for my $name (sort keys %{$self->{pages}}) {
		for my $link (@{$self->{pages}{$name}{links}}) {
			my $target = $link->{target};
			next if $target =~ m{^(?:https?|mailto):};
			my ($file, $anchor) = $target =~ /^([^#]*)(?:#(.*))?$/;
			my $path = length $file ? dirname($name) . "/$file" : $name;
			1 while $path =~ s{(?:^|(?<=/))(?!\.\./)[^/]+/\.\./}{};
			$path =~ s{(?:^|(?<=/))\./}{}g;
			$path =~ s{/$}{};
			if ($path =~ /^\.\./ || !-e "$self->{top}/$path") {
				push @problems, "$name:$link->{line}: $target: there is no $path";
			} elsif (defined $anchor && $self->{pages}{$path}) {
				push @problems,
				    "$name:$link->{line}: $target: $path has no such heading; it has "
				    . join(
					' ',
					map { "#$_->{slug}" } @{$self->{pages}{$path}{headings}}
				    )
				    if !grep { $_->{slug} eq $anchor }
				    @{$self->{pages}{$path}{headings}};
			}
		}
	}
	return @problems;
}

# {tag, files => {path => {function => 1}}}
sub kernel_refs {
	my ($top) = @_;
	my %refs = (files => {});
	my $line = 0;
	for (split /^/, slurp("$top/tutorial/kernel-refs")) {
		$line++;
		next if /^\s*(?:#|$)/;
		if (/^tag: (v\d+\.\d+)$/) { $refs{tag} = $1 }
		elsif (m{^([\w.-]+/[\w./-]+)((?: \w+(?:\(\))?)*)\s*$}) {
			$refs{files}{$1}{$_} = 1 for $1 ? (split(' ', $2)) : ();
			$refs{files}{$1} //= {};
		} else {
			die
			    "tutorial/kernel-refs:$line: neither 'tag: v6.12' nor 'path function() ...'\n";
		}
	}
	$refs{tag} or die "tutorial/kernel-refs: no line 'tag: v6.12'\n";
	return \%refs;
}

sub check_kernel {
	my ($self) = @_;
	my $refs = eval { kernel_refs($self->{top}) } or return $@ =~ s/\n\z//r;
	my @problems;
	for my $name (sort keys %{$self->{pages}}) {
		my $shown = 0;
		for my $span (@{$self->{pages}{$name}{spans}}) {
			my $text = $span->{text};
			next
			    unless $text =~
			    m{^(?:arch|include|lib|kernel|fs|mm|drivers|tools|Documentation|init)/}
			    && $text !~ /[*<]/;
			my $at = "$name:$span->{line}: $text";
			my ($path, $function) = $text =~ m{^([\w./-]+?)/?(?: (\w+(?:\(\))?))?$};
			if (!defined $path) {
				push @problems,
				    "$at: a kernel reference is `path` or `path function()`";
			} elsif ($refs->{files}{$path}) {
				push @problems,
				    "$at: not in tutorial/kernel-refs: look it up at $refs->{tag} and add it"
				    if defined $function && !$refs->{files}{$path}{$function};
				$shown++;
			} elsif (defined $function
				|| !grep { index($_, "$path/") == 0 } keys %{$refs->{files}})
			{
				push @problems,
				    "$at: not in tutorial/kernel-refs: look it up at $refs->{tag} and add it";
			}
		}
		push @problems,
		    "$name: no kernel reference in it, like `lib/vdso/gettimeofday.c do_hres()`"
		    if !$shown && grep { $_ eq $name } @{$self->{chapters}};
	}
	return @problems;
}

# `name()` is in some source, or on the kernel's list; `folder/file` is there. Prose rots where nothing
# else looks at it.
sub check_named {
	my ($self) = @_;
	my @problems;
	my $all = join "\n",
	    map { slurp("$self->{top}/$_") }
	    grep { !m{^tutorial/(?!demo|run)|\.md$} } Course::Tree::files($self->{top});
	my %kernel =
	    map { $_ => 1 }
	    map { keys %$_ }
	    values %{(eval { kernel_refs($self->{top}) } // {files => {}})->{files}};
	my %known = map { $_ => 1 } $all =~ /\b(\w+)\b/g;
	for my $name (sort keys %{$self->{pages}}) {
		my %written = map { $_->{value} => 1 } grep { $_->{key} eq 'write' }
		    map { @{$_->{directives}} } @{$self->{pages}{$name}{fences}};
		for my $span (@{$self->{pages}{$name}{spans}}) {
			if ($span->{text} =~ /^(\w+)\(\)$/) {
				push @problems,
				    "$name:$span->{line}: $span->{text}: no source has that name"
				    if !$known{$1} && !$kernel{"$1()"};
			} elsif ($span->{text} =~
				m{^((?:vdso-src|linker-scripts|loader|tests|tutorial)/[\w./-]*)})
			{
				my $path = $1 =~ s{[/.]$}{}r;
				next if $path =~ m{/(?:ARCH|ROOM|NAME|NN-name)\b};  # stands for any
				next if $written{$path};
				push @problems,
				    "$name:$span->{line}: $span->{text}: there is no $path"
				    if !-e "$self->{top}/$path";
			}
		}
	}
	return @problems;
}

sub check_failure_shown {
	my ($self) = @_;
	my @problems;
	for my $card (@{$self->{cards}}) {
		my ($name) = grep { m{/\Q$card->{chapter}\E-} } @{$self->{chapters}} or next;
		my @blocks = grep {
			       $_->{lang} eq 'console'
			    && $_->{body} =~ /^\$ make check CH=\Q$card->{id}\E\b/m
		} @{$self->{pages}{$name}{fences}};
		my @red = grep {
			index($_->{body}, $card->{red}[0]) >= 0
			    && $_->{body} =~ /^The first that is not true yet:$/m
		} @blocks;
		my @green = grep { $_->{body} =~ /^Done: /m } @blocks;
		push @problems,
		    "$name: no console block with 'make check CH=$card->{id}' in which '$card->{red}[0]' fails"
		    if !@red;
		push @problems,
		    "$name: no console block with 'make check CH=$card->{id}' that ends in 'Done:' (run: solve=$card->{id})"
		    if !@green;
	}
	return @problems;
}

sub check_executed {
	my ($self) = @_;
	my $table = -e "$self->{top}/tests/table" ? slurp("$self->{top}/tests/table") : '';
	my @problems;
	for my $name (sort keys %{$self->{pages}}) {
		next if $name =~ m{^tutorial/[^/]+/}; # a translation has the fences of its original
		my ($short) = $name =~ m{/(\d\d)-} ? $1 : $name =~ m{([^/]+)\.md$};
		my $test = $name =~ m{/} ? $short : lc $short;
		next
		    unless grep({ $_->{lang} eq 'console' } @{$self->{pages}{$name}{fences}})
		    || grep { $_->{chapter} eq $short } @{$self->{cards}};
		push @problems,
		    "$name: no line in tests/table: course/$test tutorial/learn prove CH=$short"
		    if $table !~ m{^course/\Q$test\E +tutorial/learn prove CH=\Q$short\E$}m;
	}
	return @problems;
}

sub check_map {
	my ($self) = @_;
	my $map = $self->{pages}{'tutorial/README.md'} or return 'tutorial/README.md: not there';
	my @pages = map { m{^tutorial/([^/]+\.md)$} && $1 ne 'README.md' ? $1 : () }
	    sort keys %{$self->{pages}};
	my @problems;
	# A translated map that is stale need not know the newest page.
	for my $name (
		'tutorial/README.md',
		grep { m{/README\.md$} && !defined $self->changed_original($_) }
		$self->translations
	    )
	{
		my %linked =
		    map { $_->{target} =~ s{^\.\./}{}r => 1 } @{$self->{pages}{$name}{links}};
		push @problems, map { "$name: no link to $_" } grep { !$linked{$_} } @pages;
	}
	return @problems;
}

# The terms that a page explains: what is bold in it, in lower case. With a full stop it is emphasis.
sub terms {
	my ($page) = @_;
	my (@terms, %fenced);
	for my $fence (@{$page->{fences}}) {
		$fenced{$_} = 1 for $fence->{line} .. $fence->{end} // $fence->{line};
	}
	for my $i (grep { !$fenced{$_ + 1} } 0 .. $#{$page->{lines}}) {
		push @terms,
		    map { {term => lc, line => $i + 1} }
		    grep { !/[.?!:,]$/ } $page->{lines}[$i] =~ /\*\*([^*]+)\*\*/g;
	}
	return @terms;
}

# An entry is a line "- **term**: what it is. [NN](NN-name.md)", in the order of the alphabet.
sub check_glossary {
	my ($self) = @_;
	my $name = 'tutorial/glossary.md';
	my $glossary = $self->{pages}{$name} or return;
	my (@problems, $last);
	for my $entry (terms($glossary)) {
		my ($term, $line) = @$entry{qw(term line)};
		my $at = "$name:$line: $term";
		my @chapters = map { "tutorial/$_->{target}" }
		    grep { $_->{line} == $line && $_->{target} =~ /^\d\d-/ } @{$glossary->{links}};
		push @problems, "$at: no link to the chapter that explains it" if !@chapters;
		for my $chapter (grep { $self->{pages}{$_} } @chapters) {
			push @problems, "$at: it is not in bold in $chapter"
			    if !grep { $_->{term} eq $term } terms($self->{pages}{$chapter});
		}
		push @problems, "$at: it comes after $last" if defined $last && $term le $last;
		$last = $term;
	}
	return @problems;
}

# A translation of the glossary has the entries of the original, in the same order, each
# "- **term**（English）：...", or without the brackets where the term is the English one. It leads
# to the same chapters, and those that are translated have the term in bold. One that is stale is
# not held against the entries that it cannot know yet.
sub check_glossaries {
	my ($self) = @_;
	my $original = $self->{pages}{'tutorial/glossary.md'} or return;
	my @problems;
	for my $name (grep { m{^tutorial/[^/]+/glossary\.md$} } sort keys %{$self->{pages}}) {
		next if defined $self->changed_original($name);
		my $page = $self->{pages}{$name};
		my @want = terms($original);
		my @got = terms($page);
		push @problems, "$name: " . @got . ' entries, and the original has ' . @want
		    if @got != @want;
		for my $i (0 .. (@got < @want ? $#got : $#want)) {
			my ($term, $line) = @{$got[$i]}{qw(term line)};
			my $at = "$name:$line: $term";
			my ($english) =
			    $page->{lines}[$line - 1] =~ /^- \*\*[^*]+\*\*(?:（([^）]+)）)?：/
			    or push(@problems, "$at: it is not '- **term**（English）：'"), next;
			if (!grep { form($_) eq form($want[$i]{term}) } $term, $english // ()) {
				push @problems,
				    "$at: the original has $want[$i]{term} here; the entries are in its order";
				last;
			}
			my @chapters = chapters_of($page, $line);
			my @theirs = chapters_of($original, $want[$i]{line});
			push @problems,
			    "$at: it leads to "
			    . ("@chapters" || 'no chapter')
			    . ", and the original to @theirs"
			    if "@chapters" ne "@theirs";
			for my $chapter (map { dirname($name) . "/$_" } @chapters) {
				my $translated = $self->{pages}{$chapter} or next;
				push @problems, "$at: it is not in bold in $chapter"
				    if !grep { $_->{term} eq $term } terms($translated);
			}
		}
	}
	return @problems;
}

# Which form a term is in does not matter: "relocates" is found as "relocation".
sub form {
	my ($term) = @_;
	return lc($term) =~ s/(?:e?s|ion)$//r;
}

# The chapters that a line of a page links to, by the names of their files.
sub chapters_of {
	my ($page, $line) = @_;
	return map { $_->{target} =~ m{(?:^|/)(\d\d-[^/#]+)$} ? $1 : () }
	    grep { $_->{line} == $line } @{$page->{links}};
}

# Links of a translation to a page in English that is translated, too: not a failure, or each new
# translation would make the others fail; but to be done.
sub detours {
	my ($self) = @_;
	my @detours;
	for my $name ($self->translations) {
		push @detours,
		    map { "$name:$_->{line}: $_->{target}: there is a translation of it" }
		    grep {
			       $_->{target} =~ m{^\.\./([^/#]+\.md)(?:#|$)}
			    && $self->{pages}{dirname($name) . "/$1"}
		    } @{$self->{pages}{$name}{links}};
	}
	return @detours;
}

# Terms that the glossary has not got: not a failure, but to be done. What begins a point of a list
# is a heading for it, and no term.
sub unlisted {
	my ($self) = @_;
	my $glossary = $self->{pages}{'tutorial/glossary.md'} or return;
	my %listed = map { $_->{term} => 1 } terms($glossary);
	my @unlisted;
	for my $name (@{$self->{chapters}}) {
		my $page = $self->{pages}{$name};
		push @unlisted, map { "$name:$_->{line}: $_->{term}: not in tutorial/glossary.md" }
		    grep {
			      !$listed{$_->{term}}++
			    && $page->{lines}[$_->{line} - 1] !~ /^\s*[-*\d.]+\s+\*\*/
		    } terms($page);
	}
	return @unlisted;
}

sub fence_key {
	my ($fence) = @_;
	return join "\n", $fence->{lang},
	    map({ "$_->{key}: $_->{value}" } @{$fence->{directives}}), $fence->{body};
}

sub check_translations {
	my ($self) = @_;
	my @problems;
	for my $name ($self->translations) {
		my $page = $self->{pages}{$name};
		my ($comment) = grep { $_->{key} eq 'translates' } @{$page->{comments}};
		if (      !$comment
			|| $comment->{line} != 1
			|| $comment->{value} !~ /^(\S+\.md) ([0-9a-f]{12})$/
			|| !$self->{pages}{"tutorial/$1"})
		{
			push @problems,
			    "$name: its first line is '<!-- translates: NN-name.md HASH -->', as tutorial/learn hash prints it";
			next;
		}
		my $original = $self->{pages}{"tutorial/$1"};
		my ($theirs, $ours) = map { $_->{fences} } $original, $page;
		push @problems, "$name: " . @$ours . " fences, and $1 has " . @$theirs
		    if @$ours != @$theirs;
		my ($i) = grep { fence_key($ours->[$_]) ne fence_key($theirs->[$_]) }
		    0 .. (@$ours < @$theirs ? $#$ours : $#$theirs);
		push @problems,
		    "$name:$ours->[$i]{line}: this fence is not the one of $1:$theirs->[$i]{line}; fences are the same in all languages"
		    if defined $i;
	}
	return @problems;
}

# All that is translated, chapters and other pages. TERMS.md is for the translators.
sub translations {
	my ($self) = @_;
	return grep { m{^tutorial/[^/]+/} && !m{/TERMS\.md$} } sort keys %{$self->{pages}};
}

# The rows of a TERMS.md, "| English | term | note | not | words |":
# {terms => {english => [term...]}, not => [[word, term]...]}. A word may stand for several.
sub translated_terms {
	my ($self, $name) = @_;
	my $table = $self->{pages}{$name} or return;
	my %found = (terms => {}, not => []);
	my $headed;
	for (@{$table->{lines}}) {
		my ($english, $term, undef, $not) = /^\|(.*)\|(.*)\|(.*)\|(.*)\|$/
		    or undef $headed, next;
		if (!$headed) { $headed = $english =~ /^-+$/; next }
		s/^\s+|\s+$//g for $english, $term, $not;
		push @{$found{terms}{lc $english}}, $term;
		push @{$found{not}}, map { [$_, $term] } grep { length } split /、/, $not;
	}
	return \%found;
}

# The lines of prose, as [number, text]: no fences, no code spans, no targets of links.
sub prose {
	my ($page) = @_;
	my %fenced =
	    map { $_ => 1 } map { $_->{line} .. $_->{end} // $_->{line} } @{$page->{fences}};
	return map { [$_, $page->{lines}[$_ - 1] =~ s/`[^`]*`/``/gr =~ s/\]\([^)]*\)/]()/gr] }
	    grep { !$fenced{$_} } 1 .. @{$page->{lines}};
}

sub check_words {
	my ($self) = @_;
	my $site = 'tutorial/site';
	my @problems;
	for my $locale (sort keys %TRANSLATED) {
		my $table = $self->translated_terms("tutorial/$locale/TERMS.md") or next;
		my %lines = map { $_ => [prose($self->{pages}{$_})] }
		    grep { m{^tutorial/\Q$locale\E/} } $self->translations;
		# What else the site shows: its own pages, and the words that its code has.
		for my $path (matching($self->{top}, "$site/$locale/*.md")) {
			my $name = substr $path, length($self->{top}) + 1;
			$lines{$name} = [prose(Course::Markdown->read($path))];
		}
		my @code = map { matching($self->{top}, "$site/$_") } '*.mjs', 'theme/*.{mjs,vue}';
		for my $path (grep { -e } @code) {
			my $name = substr $path, length($self->{top}) + 1;
			my $number = 0;
			$lines{$name} = [map { [++$number, $_] } split /^/, slurp($path)];
		}
		for my $name (sort keys %lines) {
			for my $line (@{$lines{$name}}) {
				my ($number, $text) = @$line;
				push @problems,
				    "$name:$number: $_->[0]: the table of terms says $_->[1]"
				    for grep { index($text, $_->[0]) >= 0 } @{$table->{not}};
			}
		}
	}
	return @problems;
}

# Bold terms with the English one behind them, "**term**（English）" or "（**term**，English）", that
# are not those of the table.
sub untermed {
	my ($self) = @_;
	my @untermed;
	for my $name ($self->translations) {
		my $table = $self->translated_terms(dirname($name) . '/TERMS.md') or next;
		for my $line (prose($self->{pages}{$name})) {
			my ($number, $text) = @$line;
			while ($text =~
				/\*\*([^*]+)\*\*(?:（([A-Za-z][\w^ -]*)|，([A-Za-z][\w^ -]*)）)/g)
			{
				my ($term, $english) = ($1, $2 // $3);
				my @known = @{$table->{terms}{lc $english} // []};
				next if grep { $_ eq $term } @known;
				push @untermed,
				    "$name:$number: $english is $term here, and in TERMS.md "
				    . (@known ? join ' or ', @known : 'nothing');
			}
		}
	}
	return @untermed;
}

1;
