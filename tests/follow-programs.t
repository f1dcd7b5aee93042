#!/usr/bin/perl
# run-programs.t once more, with --follow: every kind of program.
# There the kernel starts the program and the page is put in from outside.
use strict;
use warnings;
use FindBin;

$ENV{UVDSO_RUN} = 'run --follow';
exec {$^X} $^X, "$FindBin::Bin/run-programs.t" or die "run-programs.t: $!\n";
