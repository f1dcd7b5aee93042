package Build;

# Where make has put what it built, and how a path is told to a shell.
#
# $BUILD is the B of `make test B=...`, which make hands on in UVDSO_BUILD. What is built for the machine
# that is tested is in $TESTED (TEST_BUILD): the same, or for another machine B/ARCH. Both are absolute,
# or from the top of the project, and have no character that is special in a shell: the Makefile
# refuses others. All other paths may have any: quoted() makes words of them, and matching() lists what
# is below one.

use strict;
use warnings;
use Exporter 'import';
use File::Glob ();

our @EXPORT = qw($BUILD $TESTED $PATIENCE quoted matching);
our $BUILD = $ENV{UVDSO_BUILD} // 'build';
our $TESTED = $ENV{TEST_BUILD} // $BUILD;
# By which a limit in seconds is longer than on other machines: TEST_SLOW, of an emulated one.
our $PATIENCE = $ENV{TEST_SLOW} || 1;

sub quoted {
	return join ' ', map { "'" . s/'/'\\''/gr . "'" } @_;
}

# What glob() would find for PATTERN in a directory, if no name had blanks or brackets.
sub matching {
	my ($dir, $pattern) = @_;
	return File::Glob::bsd_glob($dir =~ s/([\\*?\[\]{}~])/\\$1/gr . "/$pattern");
}

1;
