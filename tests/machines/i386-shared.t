#!/usr/bin/perl
# i386-shared.t - one data page, read by a 64-bit and a 32-bit program at once: see shared-page.c.
use strict;
use warnings;
use lib 'tests/lib';
use Build;
use Test::More;
use RunTest;

my $here = "$BUILD/tests/machines/i386";
my $there = "$BUILD/i386/tests/machines/i386";
plan skip_all => 'this takes an x86-64 and its i686-linux-gnu-gcc (make deps)'
    unless -x "$here/shared-page" && -x "$there/reader";
plan skip_all => 'this kernel runs no 32-bit programs'
    if run("$BUILD/i386/uvdso", '--help')->{status} == 98;
exec "$here/shared-page", "$here/reader", "$there/reader";
