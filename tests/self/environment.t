#!/usr/bin/perl
# environment.t - what the caller's environment may do to the build, the demo and the tests.
#
# It is used, or there is a sentence. The image is the same in each: see the head of the Makefile.
use strict;
use warnings;
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build qw(:DEFAULT slurp);

my ($choices) = ($ENV{MAKEFLAGS} // '') =~ /(?:^|\s)-- (.*)/;
$choices = join ' ', grep { /^(?:CC|LD)=/ } split ' ', $choices // '';
delete @ENV{
	qw(MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CC LD B T CI UVDSO_BUILD TEST_BUILD PERL5LIB),
	grep { /^HARNESS_/ } keys %ENV
};
chomp(my $arch = `uname -m`);
my $tmp = tempdir('uvdso-XXXXXX', DIR => '/tmp', CLEANUP => 1);
my $there = "$tmp/b";

sub said {
	my ($command) = @_;
	my $out = `{ timeout 100 env $command; } 2>&1 </dev/null`;
	return ($? >> 8) . "<$out>";
}

sub same_image {
	my ($what) = @_;
	my ($here, $other) = map { slurp("$_/$arch/vdso.so.dbg") } $BUILD, $there;
	ok($here ne '' && $here eq $other, "$what: the image is the same, bit for bit");
}

# Variables that no build may notice, and all at once.
my $harmless =
      "LD_RUN_PATH=/nowhere LDEMULATION=elf_i386 GNUTARGET=elf32-i386 GREP_OPTIONS=-v CDPATH=/:/usr"
    . ' POSIXLY_CORRECT=1 MAKEFLAGS=-rR';
# In Turkish I is not the large i; without it, a locale that is not there.
my $turkish = "localedef --no-archive -i tr_TR -f UTF-8 $tmp/tr_TR.UTF-8 2>/dev/null";
$harmless .= ' LC_ALL=tr_TR.UTF-8' . (system($turkish) ? '' : " LOCPATH=$tmp");
is(
	said("$harmless make -s -j2 -k --output-sync B=$there $choices"), '0<>',
	'it is built, without a word'
);
same_image('LD_RUN_PATH, make -rR and their like');
unlike(
	join(
		'', map { `LC_ALL=C readelf -dW $there/$_ 2>&1` } "$arch/vdso.so", 'uvdso',
		'libuvdso.so'
	),
	qr/R(?:UN)?PATH|Error/,
	'no LD_RUN_PATH is in what was linked'
);
like(
	said("$harmless make -s B=$there $choices demo"), qr{^0<.*^8/8  .*>$}ms,
	'make demo does not notice them, either'
);

# A test calls make, which must neither speak of the jobs of the make around it, nor of directories. It
# needs what all scripts need, which is in $BUILD.
open my $nested, '>', "$tmp/nested" or BAIL_OUT("$tmp/nested: $!");
print $nested <<'END';
#!/bin/sh
. tests/lib/tap.sh
is "$(make test-list T=map/place 2>&1)" map/place 'make says what it was asked'
is "$GREP_OPTIONS$CDPATH$POSIXLY_CORRECT$LD_RUN_PATH" '' 'and hands on no such variable'
done_testing
END
close $nested;
chmod 0755, "$tmp/nested";
like(
	said("$harmless make -s -w -k -j2 B=$BUILD $choices test T=$tmp/nested"),
	qr/^0<.*^Result: PASS$/ms, 'nor do the tests, which call make themselves'
);

# Flags for what is an ordinary program.
is(
	said(
		"CFLAGS='-O0 -DFROM_CFLAGS' CPPFLAGS=-DFROM_CPPFLAGS LDFLAGS='-Wl,-z,now -Wl,--defsym=from_ldflags=1'"
		    . " make -s -j2 B=$there $choices all"
	),
	'0<>',
	'with flags it is built again'
);
same_image('CFLAGS, CPPFLAGS and LDFLAGS');
like(`LC_ALL=C readelf -dW $there/$_`, qr/\bNOW\b/, "$_ is linked with LDFLAGS")
    for qw(uvdso libuvdso.so);
like(
	slurp("$there/$arch/.config"), qr/-O0 -DFROM_CFLAGS/,
	'CFLAGS are among the flags of the loader'
);
is(
	said("$there/uvdso run echo runs"), "0<runs\n>",
	'without optimisation, too, a program runs on the vDSO'
);

# Tools by name.
is(
	said("LD=ld AR=ar OBJCOPY=objcopy make -s B=$there CC=gcc $there/$arch/vdso.so"), '0<>',
	'LD=ld is a linker'
);
SKIP: {
	skip 'this run has chosen other tools', 1 if $choices;
	same_image('LD=ld and the other plain names');
}
like(
	said("LD=no-such-ld make -s B=$there all"),
	qr/^2<uvdso: ARCH=\S+: there is no no-such-ld;/, 'a linker that is not there is named'
);

# The directory for temporary files.
mkdir "$tmp/a b's" or BAIL_OUT($!);
my $test = "make -s B=$BUILD $choices test T=self/tap";
like(
	said("TMPDIR=" . quoted("$tmp/a b's") . " $test"), qr/^0<.*Result: PASS/s,
	'a TMPDIR with blanks and quotes is no obstacle'
);
like(
	said("TMPDIR=$tmp/nowhere $test"),
	qr{^2<(?:make: .*\n)*uvdso: $tmp/nowhere: no file can be made in it: }ms,
	'TMPDIR that is not there: make test says so'
);
SKIP: {
	my $private = $> ? 'unshare -Urm' : 'unshare -m';
	skip 'no file system can be mounted here', 1
	    if system "$private mount -t tmpfs none /mnt 2>/dev/null";
	like(
		said(
			"$private sh -c 'mount -t tmpfs -o noexec none $tmp/b/debug && TMPDIR=$tmp/b/debug $test'"
		),
		qr{^2<uvdso: $tmp/b/debug: no program in it can be run \(noexec\): }ms,
		'TMPDIR with noexec: make test says so'
	);
}

# Standard output that takes nothing.
for my $goal (qw(demo doctor sections test-list learn)) {
	like(
		said("sh -c 'make -s B=$BUILD $choices $goal >/dev/full'"),
		qr/^2<.*(?:cannot write|write error|I\/O error|Unable to flush)/s,
		"make $goal >/dev/full fails, and says why"
	);
}

done_testing;
