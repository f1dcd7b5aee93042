#!/usr/bin/perl
# trampolines.t - unwinding over the trampolines of i386, each by itself, without a vDSO.
#
# The points are those of machines/i386/trampolines.c, a 32-bit program.
use strict;
use warnings;
use lib 'tests/lib';
use Build;
use Test::More;

my $program = "$BUILD/i386/tests/machines/i386/trampolines";
-x $program
    or plan skip_all => 'nothing is built for i386: there is no i686-linux-gnu-gcc (make deps)';
{ no warnings 'exec'; exec $program; }
plan skip_all => 'this kernel runs no 32-bit programs';
