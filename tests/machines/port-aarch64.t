#!/usr/bin/perl
# port-aarch64.t - vdso-src/arch/aarch64/machine.h: its system calls and its counter.
use strict;
use warnings;
use lib 'tests/lib';
use Port;

port_test('aarch64');
