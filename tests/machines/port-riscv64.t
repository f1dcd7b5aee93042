#!/usr/bin/perl
# port-riscv64.t - vdso-src/arch/riscv64/machine.h: its system calls and its counter.
use strict;
use warnings;
use lib 'tests/lib';
use Port;

port_test('riscv64');
