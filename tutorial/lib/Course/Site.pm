package Course::Site;

# What the site is rendered from: the pages with what the site must know of each, the diagrams in
# either colours, and the files that pages link to. All of it in one folder, where VitePress runs.
#
#	course.json           the pages, in their order
#	pages/                the pages; site/front.md is index.md, README.md is course.md
#	pages/zh-CN/          the same in Chinese. What is not translated is there in English, and says so,
#	                      so that every page has its other language
#	pages/img/            NAME.light.svg, NAME.dark.svg
#	pages/public/source/  the files
#	pages/public/bytes.json  the bytes of the built image, explained (Bytes.pm)
#	.vitepress/           tutorial/site: the configuration

use strict;
use warnings;
use File::Basename 'dirname';
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use Course::Book;
use Course::Bytes;
use Course::Diagram;
use Course::Files qw(slurp spew matching);
use Course::Markdown;

my @LOCALES = ('zh-CN');
# The order in which a reader meets the pages.
my @PARTS = qw(front map core deep play around);

sub assemble {
	my ($class, $top, $dir) = @_;
	my $book = Course::Book->new($top);
	my %stale = map { m{^tutorial/([^:]+):} ? ($1 => 1) : () } $book->stale;
	my (@pages, %files);

	remove_tree("$dir/pages", "$dir/.vitepress");
	for my $page (pages($top, $book)) {
		my ($name, $file, $number) = @$page{qw(name file number)};
		my %titles = (root => title(Course::Markdown->read("$top/$page->{dir}/$file")));
		put(
			"$dir/pages", $name, slurp("$top/$page->{dir}/$file"),
			{chapter => $number, dir => $page->{dir}}
		);
		for my $locale (@LOCALES) {
			my $path = "$page->{dir}/$locale/$file";
			my $translated = -e "$top/$path";
			my $from = $translated ? $path : "$page->{dir}/$file";
			$titles{$locale} = title(Course::Markdown->read("$top/$path"))
			    if $translated;
			put(
				"$dir/pages/$locale",
				$name,
				slurp("$top/$from"),
				{
					chapter => $number, fallback => !$translated,
					stale => $stale{"$locale/$file"},
					dir => dirname($from)
				}
			);
		}
		next if $page->{part} eq 'front';
		push @pages,
		    {name => $name, number => $number, titles => \%titles, part => $page->{part}};
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
	write_file(
		"$dir/pages/public/bytes.json",
		JSON::PP->new->utf8->canonical->encode(Course::Bytes::map_of(
			Course::Files::built($top) . '/' . ($ENV{ARCH} || 'x86_64')
		))
	);
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

# All pages, in their order: {name, dir, file, number, part}.
sub pages {
	my ($top, $book) = @_;
	my @pages =
	    ({name => 'index', dir => 'tutorial/site', file => 'front.md', part => 'front'});
	for (sort keys %{$book->{pages}}) {
		my ($name) = m{^tutorial/([^/]+)\.md$} or next;
		my ($number) = $name =~ /^(\d\d)-/;
		push @pages,
		    {
			name => $name eq 'README' ? 'course' : $name,
			dir => 'tutorial', file => "$name.md", number => $number,
			part => $name eq 'README' ? 'map'
			: !defined $number ? 'around'
			: $number <= 10 ? 'core'
			: 'deep'
		    };
	}
	push @pages,
	    map { {name => $_, dir => 'tutorial/site', file => "$_.md", part => 'play'} }
	    qw(stepper bytes);
	my %order = map { $PARTS[$_] => $_ } 0 .. $#PARTS;
	return sort { $order{$a->{part}} <=> $order{$b->{part}} } @pages;
}

sub write_file {
	my ($path, $text) = @_;
	make_path(dirname($path));
	spew($path, $text);
}

# A page, and in front of it what theme and pages.mjs ask for.
sub put {
	my ($dir, $name, $text, $facts) = @_;
	my $front = join '',
	    map { "$_: " . ($facts->{$_} eq '1' ? 'true' : "'$facts->{$_}'") . "\n" }
	    grep { $facts->{$_} } sort keys %$facts;
	$text = "---\n---\n\n$text" if $text !~ /^---\n/;
	write_file("$dir/$name.md", $text =~ s/^---\n/---\n$front/r);
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
