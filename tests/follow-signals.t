#!/usr/bin/perl
# run-signals.t once more, with --follow: signals, terminals and the end.
# There the kernel starts the program and the page is put in from outside.
use strict;
use warnings;
use FindBin;

$ENV{UVDSO_RUN} = 'run --follow';
exec {$^X} $^X, "$FindBin::Bin/run-signals.t" or die "run-signals.t: $!\n";
