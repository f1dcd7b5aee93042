package Course::Markdown;

# A page of the course, in pieces: headings, links, code spans, fences with what their comments say.
#
# In front of a fence stand its directives, each a comment on a line of its own, which no reader sees:
#
#	<!-- run: start=06 norm=num,addr -->     before console
#	<!-- from: path#anchor -->               before c, ld, asm, make, diff

use strict;
use warnings;
use Course::Card;
use Course::Files qw(slurp);

sub read {
	my ($class, $path) = @_;
	return $class->parse($path, slurp($path));
}

sub parse {
	my ($class, $path, $text) = @_;
	my $self = bless {
		path => $path, lines => [split /^/, $text], headings => [], links => [],
		spans => [],
		fences => [], comments => [], problems => []
	}, $class;
	my ($fence, @directives, %slugs);

	for my $i (0 .. $#{$self->{lines}}) {
		local $_ = $self->{lines}[$i];
		my $line = $i + 1;

		if ($fence) {
			if (/^(`{3,})\s*$/ && length $1 >= $fence->{ticks}) {
				$fence->{end} = $line;
				undef $fence;
			} else {
				$fence->{body} .= $_;
			}
			next;
		}
		if (/^(\s*)(`{3,}|~{3,})[ \t]*(\S*)/) {
			my ($indent, $ticks, $lang) = ($1, $2, $3);
			push @{$self->{problems}},
			    "$line: a fence begins at the left edge, with backticks"
			    if $indent ne '' || $ticks =~ /~/;
			$fence = {
				line => $line, ticks => length $ticks, lang => $lang, body => '',
				directives => [@directives]
			};
			push @{$self->{fences}}, $fence;
			@directives = ();
			next;
		}
		if (/^<!--\s*(\w+):\s*(.*?)\s*-->\s*$/) {
			push @{$self->{comments}}, {key => $1, value => $2, line => $line};
			push @directives, $self->{comments}[-1]
			    if $1 =~ /^(run|from|write|insert)$/;
			next;
		}
		if (@directives) {
			push @{$self->{problems}},
			    "$_->{line}: $_->{key}: no fence follows on the next line"
			    for @directives;
			@directives = ();
		}
		if (/^(#+)\s+(.*?)\s*$/) {
			my $slug = slug($2);
			$slug .= "-$slugs{$slug}" if $slugs{$slug}++;
			push @{$self->{headings}},
			    {level => length $1, text => $2, slug => $slug, line => $line};
		}
		while (/(`+)(.+?)\1/g) { push @{$self->{spans}}, {text => $2, line => $line} }
		s/(`+).+?\1//g;
		while (/\[([^\]]*)\]\(\s*([^()\s]+)[^)]*\)/g) {
			push @{$self->{links}}, {text => $1, target => $2, line => $line};
		}
		while (/\b(?:src|href)="([^"]+)"/g) {
			push @{$self->{links}}, {text => '', target => $1, line => $line};
		}
		push @{$self->{links}}, {text => $1, target => $2, line => $line}
		    if /^\[([^\]]+)\]:\s*(\S+)/;
	}
	push @{$self->{problems}}, "$fence->{line}: this fence has no end" if $fence;
	return $self;
}

# The page again, with what its fences hold now.
sub text {
	my ($self) = @_;
	my @lines = @{$self->{lines}};
	for my $fence (@{$self->{fences}}) {
		@lines[$fence->{line} .. $fence->{end} - 2] =
		    ('') x ($fence->{end} - 1 - $fence->{line});
		$lines[$fence->{end} - 1] = $fence->{body} . $lines[$fence->{end} - 1];
	}
	return join '', @lines;
}

# As forges make them.
sub slug {
	my ($text) = @_;
	utf8::decode($text);
	$text = lc $text;
	$text =~ s/[^\w -]//g;
	$text =~ tr/ /-/;
	utf8::encode($text);
	return $text;
}

# The words of a directive: flags and key=value.
sub words {
	my ($directive) = @_;
	return map { /^([\w-]+)=(.*)$/ ? [$1, $2] : [$_, undef] } split ' ', $directive->{value};
}

# The text that "path#anchor" names: a region between anchors, or of C "name()" or "struct name".
sub listing {
	my ($top, $from) = @_;
	my ($path, $anchor) = $from =~ /^([^#]+)#(.+)$/ or die "from: path#anchor, not '$from'\n";
	die "$path: no such file\n" if !-f "$top/$path";
	my $text = slurp("$top/$path");
	my $region;

	if ($anchor =~ /^(\w+)\(\)$/) {
		$text =~ /^((?!static_assert)[^\s#\/*][^\n;]*\b\Q$1\E\((?:[^;{]*)\n?\{\n.*?^\}\n)/ms
		    or die "$path: no function $1() that begins at the left edge\n";
		$region = $1;
	} elsif ($anchor =~ /^((?:struct|union|enum)\s+\w+)$/) {
		$text =~ /^(\Q$1\E \{\n.*?^\};\n)/ms or die "$path: no $1\n";
		$region = $1;
	} else {
		(undef, $region) = Course::Card::split_region($text, $anchor, $path);
		$region =~ s/$Course::Card::ANCHOR//g;
	}
	return dedent($region);
}

# Without the indentation that all lines have.
sub dedent {
	my ($text) = @_;
	my ($least) = sort { length $a <=> length $b } map { /^([ \t]*)\S/ ? $1 : () } split /^/,
	    $text;
	$text =~ s/^\Q$least\E//mg if length($least // '');
	return $text;
}

1;
