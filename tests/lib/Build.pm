package Build;

# Where make has put what it built, and how a path is told to a shell.
#
# $BUILD is the B of `make test B=...`, which make hands on in UVDSO_BUILD. What is built for the machine
# that is tested is in $TESTED (TEST_BUILD): the same, or for another machine B/ARCH. Both are absolute,
# or from the top of the project, and have no character that is special in a shell: the Makefile
# refuses others. All other paths may have any. quoted() makes words of them.

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw($BUILD $TESTED quoted);
our $BUILD = $ENV{UVDSO_BUILD} // 'build';
our $TESTED = $ENV{TEST_BUILD} // $BUILD;

sub quoted {
	return join ' ', map { "'" . s/'/'\\''/gr . "'" } @_;
}

1;
