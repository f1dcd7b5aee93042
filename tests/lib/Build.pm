package Build;

# Where make has put what it built, and how a path is told to a shell.
#
# $BUILD is the B of `make test B=...`, which make hands on in UVDSO_BUILD. What is built for the machine
# that is tested is in $TESTED (TEST_BUILD): the same, or for another machine B/ARCH. Both are absolute,
# or from the top of the project, and have no character that is special in a shell: the Makefile
# refuses others. All other paths may have any: quoted() makes words of them, and matching() lists what
# is below one. slurp() reads a file, and returns '' for one that cannot be read. $MACHINE is the machine
# that make calls HOST, $IMAGE our image for it, and $PREFIX and $NODE are what begins the names of its
# functions, and their version.

use strict;
use warnings;
use Exporter 'import';
use File::Glob ();
use POSIX ();

our @EXPORT =
    qw($BUILD $TESTED $MACHINE $IMAGE $PREFIX $NODE $STRIDE $PAGE $PATIENCE quoted matching);
our @EXPORT_OK = qw(slurp);
our $BUILD = $ENV{UVDSO_BUILD} // 'build';
our $TESTED = $ENV{TEST_BUILD} // $BUILD;
our $MACHINE = (POSIX::uname())[4] =~ s/^i.86$/i386/r;
our $IMAGE = "$BUILD/$MACHINE/vdso.so";
our $PREFIX = $MACHINE eq 'aarch64' ? '__kernel_' : '__vdso_';
our $NODE = {aarch64 => 'LINUX_2.6.39', riscv64 => 'LINUX_4.15'}->{$MACHINE} // 'LINUX_2.6';

# From one data page to the next (vdso/datapage.h), on the machine that is tested; and its page, unless
# an emulator has a page of its own.
our $STRIDE = ($TESTED ne $BUILD ? $TESTED : $MACHINE) =~ /aarch64$/ ? 65536 : 4096;
our $PAGE = POSIX::sysconf(POSIX::_SC_PAGESIZE());
# By which a limit in seconds is longer than on other machines: TEST_SLOW, of an emulated one.
our $PATIENCE = $ENV{TEST_SLOW} || 1;

sub quoted {
	return join ' ', map { "'" . s/'/'\\''/gr . "'" } @_;
}

# What glob() would find for PATTERN in a directory, if no name had blanks or brackets.
sub matching {
	my ($dir, $pattern) = @_;
	return File::Glob::bsd_glob($dir =~ s/([\\*?\[\]{}~])/\\$1/gr . "/$pattern");
}

sub slurp {
	my ($path) = @_;
	open my $file, '<:raw', $path or return '';
	local $/;
	return readline($file) // '';
}

1;
