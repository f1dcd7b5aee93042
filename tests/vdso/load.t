#!/usr/bin/perl
# load.t - a writer flat out, and readers on every core, of 64 and of 32 bits: see load/load.c.
use strict;
use warnings;
use lib 'tests/lib';
use Build;
use Test::More;
use RunTest;

my $load = "$BUILD/tests/vdso/load/load";
my $reader = "$BUILD/tests/vdso/load/reader";
my $reader32 = "$BUILD/i386/tests/vdso/load/reader";
-x $load && -x $reader or plan skip_all => 'the readers are not built: run `make test` at the top';

# Without the compiler, or a kernel that runs such programs, those of one width.
my $both = -x $reader32 && run("$BUILD/i386/uvdso", '--help')->{status} != 98;
diag('no readers of 32 bits: this takes an x86-64 and its i686-linux-gnu-gcc (make deps)')
    unless $both;
exec $load, @ARGV, $reader, $both ? $reader32 : ();
