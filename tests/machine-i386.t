#!/usr/bin/perl
# The loader, the clocks, the resolver, protection and namespaces of i386, which runs here as it is.
# (What seqcount.t takes half a minute for, i386-shared.t looks at as well.)
use strict;
use warnings;
use lib 'tests/lib';
use OtherMachine;

run_all('i386', '', 'i686-linux-gnu', 'seqcount');
