#!/usr/bin/perl
# The loader, the clocks, the resolver, protection, namespaces and programs of aarch64, emulated.
use strict;
use warnings;
use lib 'tests/lib';
use OtherMachine;

run_all('aarch64', 'qemu-aarch64', 'aarch64-linux-gnu');
