#!/usr/bin/perl
# The loader, the clocks, the resolver, protection, namespaces and programs of riscv64, emulated.
use strict;
use warnings;
use lib 'tests/lib';
use OtherMachine;

run_all('riscv64', 'qemu-riscv64', 'riscv64-linux-gnu');
