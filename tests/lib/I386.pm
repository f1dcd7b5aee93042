package I386;

# What the tests of i386 share: is there a 32-bit build, and does this machine run it?

use strict;
use warnings;
use Exporter 'import';
use Test::More;
use Build;
use RunTest;

our @EXPORT = qw($UVDSO32 $PAGE32 program32);

# The build of i386 itself is at the same place.
our $UVDSO32 = "$BUILD/i386/uvdso";
our $PAGE32 = "$BUILD/i386/vdso.so";

-x $UVDSO32
    or plan skip_all => 'nothing is built for i386: there is no i686-linux-gnu-gcc (make deps)';
my $p = run($UVDSO32, '--help');
plan skip_all => 'this kernel runs no 32-bit programs' if $p->{status} == 98;
is($p->{status}, 0, 'the 32-bit uvdso runs here') or BAIL_OUT($p->{err});

# The program NAME.KIND of tests/machines/i386.
sub program32 { return "$BUILD/i386/tests/machines/i386/$_[0]" }

1;
