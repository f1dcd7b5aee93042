package Course::Site;

# What the site is rendered from: the pages with what the site must know of each, the diagrams in
# either colours, and the files that pages link to. All of it in one folder, where VitePress runs.
#
#	course.json           the pages, in their order
#	pages/                the pages; README.md is index.md
#	pages/zh-CN/          the same in Chinese. What is not translated is there in English, and says so,
#	                      so that every page has its other language
#	pages/img/            NAME.light.svg, NAME.dark.svg
#	pages/public/source/  the files
#	.vitepress/           tutorial/site: the configuration

use strict;
use warnings;
use File::Basename 'dirname';
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use Course::Book;
use Course::Diagram;
use Course::Files qw(slurp spew matching);
use Course::Markdown;

my @LOCALES = ('zh-CN');

sub assemble {
	my ($class, $top, $dir) = @_;
	my $book = Course::Book->new($top);
	my %stale = map { m{^tutorial/([^:]+):} ? ($1 => 1) : () } $book->stale;
	my (@pages, %files);

	remove_tree("$dir/pages", "$dir/.vitepress");
	for my $name (map { m{^tutorial/([^/]+)\.md$} ? $1 : () } sort keys %{$book->{pages}}) {
		my ($number) = $name =~ /^(\d\d)-/;
		my %titles = (root => title($book->{pages}{"tutorial/$name.md"}));
		put("$dir/pages", $name, slurp("$top/tutorial/$name.md"), {chapter => $number});
		for my $locale (@LOCALES) {
			my $path = "tutorial/$locale/$name.md";
			my $translated = $book->{pages}{$path};
			$titles{$locale} = title($translated) if $translated;
			put(
				"$dir/pages/$locale",
				$name,
				slurp($translated ? "$top/$path" : "$top/tutorial/$name.md"),
				{
					chapter => $number, fallback => !$translated,
					stale => $stale{"$locale/$name.md"}
				}
			);
		}
		next if $name eq 'README';
		push @pages, {
			name => $name, number => $number, titles => \%titles,
			part => !defined $number ? 'around' : $number <= 10 ? 'core' : 'deep'
		};
	}
	for my $svg (matching($top, 'tutorial/img/*.svg')) {
		my ($name) = $svg =~ m{([^/]+)\.svg$};
		my ($light, $dark) = Course::Diagram::colours(slurp($svg));
		write_file("$dir/pages/img/$name.light.svg", $light);
		write_file("$dir/pages/img/$name.dark.svg", $dark);
	}
	for my $page (sort keys %{$book->{pages}}) {
		for my $link (@{$book->{pages}{$page}{links}}) {
			my $path = resolve($page, $link->{target} =~ s/#.*//r);
			$files{$path} = 1
			    if defined $path && $path !~ /\.(?:md|svg)$/ && -f "$top/$path";
		}
	}
	write_file("$dir/pages/public/source/$_.txt", slurp("$top/$_")) for sort keys %files;
	write_file("$dir/.vitepress/$_", slurp("$top/tutorial/site/$_"))
	    for map { substr $_, length "$top/tutorial/site/" }
	    matching("$top/tutorial/site", '{*.mjs,theme/*}');
	write_file(
		"$dir/course.json",
		JSON::PP->new->utf8->canonical->pretty->encode(
			{pages => \@pages, files => [sort keys %files]}
		)
	);
	return scalar @pages;
}

sub write_file {
	my ($path, $text) = @_;
	make_path(dirname($path));
	spew($path, $text);
}

# A page, and in front of it what theme and pages.mjs ask for.
sub put {
	my ($dir, $name, $text, $facts) = @_;
	my $front = join '', map {
		$facts->{$_}
		    ? "$_: " . ($_ eq 'chapter' ? "'$facts->{$_}'" : 'true') . "\n"
		    : ()
	} sort keys %$facts;
	write_file(
		"$dir/" . ($name eq 'README' ? 'index' : $name) . '.md',
		($front ? "---\n$front---\n\n" : '') . $text
	);
}

sub title {
	my ($page) = @_;
	my ($first) = grep { $_->{level} == 1 } @{$page->{headings}};
	my $text = $first ? $first->{text} : $page->{path} =~ s{.*/|\.md$}{}gr;
	utf8::decode($text);
	return $text =~ s/[`*]//gr;
}

# Where a relative link of a page leads, from the top of the project.
sub resolve {
	my ($page, $target) = @_;
	return if $target eq '' || $target =~ m{^(?:[a-z]+:|/)};
	my @path = split m{/}, dirname($page);
	for (split m{/}, $target) {
		if ($_ eq '..') { @path ? pop @path : return }
		elsif ($_ ne '.' && $_ ne '') { push @path, $_ }
	}
	return join '/', @path;
}

1;
