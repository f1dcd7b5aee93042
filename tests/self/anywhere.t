#!/usr/bin/perl
# anywhere.t - the project in another place: below a name with blanks, quotes and brackets, without git,
# and as a source that is only read, with B elsewhere.
#
# Everything is tried in one copy. What is built there must be what is built here, bit for bit.
use strict;
use warnings;
use File::Find ();
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build qw(:DEFAULT slurp);

# `make test CC=clang` compares with what that has built.
my ($choices) = ($ENV{MAKEFLAGS} // '') =~ /(?:^|\s)-- (.*)/;
$choices = join ' ', grep { /^(?:CC|LD)=/ } split ' ', $choices // '';
delete @ENV{
	qw(MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CC LD B T CH CI UVDSO_BUILD TEST_BUILD PERL5LIB NO_COLOR),
	grep { /^HARNESS_/ } keys %ENV
};
$ENV{LC_ALL} = 'C';
chomp(my $arch = `uname -m`);
my $tmp = tempdir(CLEANUP => 1);
my $top = "$tmp/it's a [copy] {of} \"uvdso\" \$HOME";

# What a command in the copy says on either stream, and its status.
sub said {
	my ($command) = @_;
	my $out = `cd @{[quoted($top)]} && { timeout 100 $command; } 2>&1 </dev/null`;
	return ($? >> 8) . "<$out>";
}

# Every path below a directory, with its size and when it was changed last.
sub paths {
	my ($dir) = @_;
	my @paths;
	File::Find::find(
		{
			no_chdir => 1,
			wanted => sub {
				my @stat = lstat;
				push @paths, join ' ', substr($_, length $dir), @stat[2, 7, 9, 10];
			}
		},
		$dir
	);
	return join "\n", sort @paths;
}

mkdir $top or BAIL_OUT("$top: $!");
is(
	system(
		      'tar c --exclude=./.git --exclude=./build --exclude=./work --exclude='
		    . quoted("./$BUILD")
		    . ' . | tar x -C '
		    . quoted($top)
	),
	0,
	'the project is copied'
) or BAIL_OUT('no copy');

# ---- below a name with everything in it ----
is(said("make -s -j2 $choices"), '0<>', 'it is built, without a word');
for my $file ("$arch/vdso.so", "$arch/vdso.so.dbg") {
	ok(
		slurp("$BUILD/$file") ne '' && slurp("$BUILD/$file") eq slurp("$top/build/$file"),
		"$file is the same, bit for bit"
	);
}
unlike(slurp("$top/build/uvdso"), qr/\Q$tmp/, 'the command does not name the place')
    if $choices !~ /clang/;
like(said('build/uvdso run echo runs'), qr/^0<runs\n>$/, 'a program runs on the vDSO');
my $tests = "make -s -j2 $choices test T='map/place vdso/cycles course/book"
    . ($arch eq 'x86_64' ? " vdso/chacha-code'" : "'");
like(
	said($tests), qr/^0<.*^Result: PASS$/ms,
	'tests pass: in C, as a script, and of the table'
);
like(
	said("make -s $choices start CH=00"), qr{^0<00 .*^  edit  work/00-setup/\S+, line \d+$}ms,
	'an exercise begins'
);
like(
	said("make -s $choices check CH=00"), qr/\n  not ok  .*\nThe first that is not true yet:/s,
	'... and is tested'
);
my $dest = "$tmp/it's a \"stage\"";
my $to = 'DESTDIR=' . quoted($dest =~ s/\$/\$\$/gr) . ' PREFIX="/opt/o\'ne two"';
is(said("make -s $choices install $to"), '0<>', 'it is installed below such names as well');
like(
	said(quoted("$dest/opt/o'ne two/bin/uvdso") . ' --version'), qr/^0<uvdso [\d.]+\n>$/,
	'... where the command runs'
);
is(said("make -s uninstall $to"), '0<>', '... and can be removed');
like(
	said('make -s install PREFIX=opt'), qr/^2<uvdso: install: opt: .*\n/,
	'PREFIX is a path from /'
);

# ---- B elsewhere, and the source is only read ----
system 'rm', '-rf', "$top/build", "$top/work";
system 'chmod', '-R', 'a-w', $top;
my $before = paths($top);
my $b = "B=$tmp/elsewhere";
like(said("make -s -j2 $choices $b demo"), qr{^0<.*^8/8  .*>$}ms, 'with B elsewhere the demo runs');
like(said("$tests $b"), qr/^0<.*^Result: PASS$/ms, 'tests pass');
like(
	said("make -s $b doctor"), qr/^  ok  uvdso +has run a program/m,
	'make doctor finds what was built'
);
is(paths($top), $before, 'nothing was written to the source');
SKIP: {
	skip 'root may write everywhere', 1 if !$>;
	like(
		said("make -s $b start CH=00"),
		qr/^2<learn: .*: Permission denied\. Your exercises go to work/,
		'an exercise says what it needs'
	);
}
system 'chmod', '-R', 'u+w', $top;

# ---- what make cannot do, or must not ----
my %refused = (
	'' => 'one word', 'a b' => 'one word', "a\tb" => 'one word', '-x' => 'option',
	map({ ("a${_}b" => 'for its own') } qw(' " ` \\ * ? [ ~ { < & ; ! = % : |), '(', '#', '$$'),
	map({ ($_ => 'this project lies in it') } '.', '..', '/', $tmp, "$tmp/", '../.'),
);
my @wrong = grep {
	said("make -n help B=" . quoted($_)) !~
	    /^2<Makefile:\d+: \*\*\* B='[^\n]*\Q$refused{$_}\E.*Stop\.\n>$/
} sort keys %refused;
is(
	"@wrong", '',
	'B that cannot be, or that make clean must not remove, is refused with the reason'
);
like(said('make -n help B=../o,b+@e-'), qr/^0</, '... and others are not');

done_testing;
