#!/usr/bin/perl
# run-start.t once more, with --follow: what a program finds at its start.
# There the kernel starts the program and the page is put in from outside.
use strict;
use warnings;
use FindBin;

$ENV{UVDSO_RUN} = 'run --follow';
exec {$^X} $^X, "$FindBin::Bin/run-start.t" or die "run-start.t: $!\n";
