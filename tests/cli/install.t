#!/usr/bin/perl
# install.t - make install lays out what was built, where it belongs; make uninstall removes just that.
use strict;
use warnings;
use File::Find 'find';
use File::Temp 'tempdir';
use IPC::Open2 'open2';
use Test::More;
use lib 'tests/lib';
use Build;
use Elf;

# `make test CC=clang` has built with its choices: they are kept, or all would be built anew under the
# feet of the other tests.
my ($choices) = ($ENV{MAKEFLAGS} // '') =~ /(?:^|\s)-- (.*)/;
my $make = "make -s B=$BUILD " . ($choices // '');
delete @ENV{qw(MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CC LD ARCH B PREFIX DESTDIR)};
$ENV{LC_ALL} = 'C';
chomp(my $arch = `uname -m`);
my $tmp = tempdir(CLEANUP => 1);
my $dest = "$tmp/a package";

sub slurp {
	my ($path) = @_;
	open my $fh, '<:raw', $path or return '';
	local $/;
	return scalar <$fh>;
}

# Every file below a directory, with its mode.
sub files {
	my ($root) = @_;
	my @files;
	find(
		{
			no_chdir => 1,
			wanted => sub {
				push @files, sprintf '%s %o', substr($_, length $root),
				    (stat)[2] & 07777
				    if -f;
			}
		},
		$root
	);
	return join "\n", sort @files;
}

sub directories {
	my ($root) = @_;
	my @all;
	find({no_chdir => 1, wanted => sub { push @all, substr $_, length $root if -d }}, $root);
	return @all;
}

my $said = `$make install DESTDIR=@{[quoted($dest)]} PREFIX=/opt/x 2>&1`;
is("$?<$said>", '0<>', 'make install succeeds, without a word');
my $id = Elf->new(slurp("$BUILD/$arch/vdso.so"))->build_id;
my $debug = '/opt/x/lib/debug/.build-id/' . substr($id, 0, 2) . '/' . substr($id, 2) . '.debug';
# Of the source, what is common and what is this machine's.
my @source = grep { !m{^vdso-src/arch/(?!\Q$arch\E/)} } split /\n/, `find vdso-src -name '*.[chS]'`;
my $expected = join "\n", sort "$debug 644", (map { "/opt/x/share/uvdso/$_ 644" } @source),
    '/opt/x/share/bash-completion/completions/uvdso 644', '/opt/x/bin/uvdso 755',
    '/opt/x/include/uvdso.h 644',
    (map { "/opt/x/lib/$_ 644" } qw(libuvdso.a libuvdso.so libuvdso.so.0 pkgconfig/libuvdso.pc)),
    '/opt/x/include/uvdso/vdso_names.h 644', '/opt/x/share/man/man1/uvdso.1 644',
    '/opt/x/share/uvdso/installed 644';
is(
	files($dest), $expected,
	'command, library, headers, manual, completion, debug data and source are below DESTDIR and PREFIX, and nothing else'
);
is(
	slurp("$dest$debug"), slurp("$BUILD/$arch/vdso.so.dbg"),
	'the debug data of the image is where gdb looks for its build id'
);

open my $fh, '>', "$tmp/client.c" or BAIL_OUT("$tmp/client.c: $!");
print $fh <<'END';
#include <stdio.h>
#include <uvdso.h>
#include <uvdso/vdso_names.h>
int main(void)
{
	struct uvdso *vdso;
	char why[256];
	if (uvdso_boot(&vdso, NULL, why, sizeof(why)))
		return 1;
	puts(uvdso_symbol(vdso, VDSO_NAME("clock_gettime"), VDSO_VERSION) ? "found" : "not found");
	uvdso_shutdown(vdso);
	return 0;
}
END
close $fh;
my $compile = system
    "gcc @{[$ENV{TEST_SANITIZE} // '']} -Wall -Werror -I@{[quoted($dest)]}/opt/x/include @{[quoted($tmp)]}/client.c -L@{[quoted($dest)]}/opt/x/lib -l:libuvdso.a -o @{[quoted($tmp)]}/client";
is($compile, 0, 'a program is built with what was installed');
is($compile ? '' : `@{[quoted($tmp)]}/client`, "found\n", '... and finds a function of its vDSO');
is(
	`@{[quoted($dest)]}/opt/x/bin/uvdso run echo here`, "here\n",
	'the installed command runs a program'
);

# A stand-in for gdb: where is it told to look? The path has a blank in it, which gdb must not take
# for the end of a directory.
mkdir "$tmp/bin";
open $fh, '>', "$tmp/bin/gdb" or BAIL_OUT("$tmp/bin/gdb: $!");
print $fh "#!/bin/sh\nprintf '%s\\n' \"\$@\"\n";
close $fh;
chmod 0755, "$tmp/bin/gdb";
my $installed = "$dest/opt/x/bin/uvdso";
my $runner = open2(my $program, my $stdin, $installed, 'run', "$BUILD/tests/programs/signals.pie");
my ($pid) = <$program> =~ /^ready (\d+)/;
my $gdb =
    do { local $ENV{PATH} = "$tmp/bin:$ENV{PATH}"; `@{[quoted($installed)]} gdb $pid -x y 2>&1` };
my $bin = "$dest/opt/x/bin";
(my $quoted = $bin) =~ s/ /\\ /g;
like(
	$gdb, qr{^set debug-file-directory \Q$bin\E/../lib/debug:/usr/lib/debug$}m,
	'uvdso gdb looks for the debug data where it was installed'
);
like($gdb, qr{^directory \Q$quoted\E/../share/uvdso$}m, '... and for the source');
like($gdb, qr{^-p\n$pid\n-x\ny\n\z}m, '... of this process, with the arguments for gdb');
$gdb = do { local $ENV{PATH} = "$tmp/bin:$ENV{PATH}"; `$BUILD/uvdso gdb $pid 2>&1` };
like(
	$gdb, qr{^set debug-file-directory /\S.*/debug:}m,
	'in the tree it was built in, uvdso gdb finds both there'
);
like($gdb, qr{^directory /.*/debug/source$}m, '... the source, too');
rename "$dest$debug", "$dest$debug.away";
$gdb = `@{[quoted($installed)]} gdb $pid 2>&1`;
is($? >> 8, 125, 'without the debug data uvdso gdb fails');
like(
	$gdb, qr{^uvdso: $pid: .*\Q$id\E, in \Q$bin\E/debug or \Q$bin\E/\.\./lib/debug},
	'... and says where it looked for which build id'
);
rename "$dest$debug.away", "$dest$debug";

SKIP: {
	skip('gdb is not installed', 2) unless -x '/usr/bin/gdb';
	local $ENV{HOME} = $tmp;
	delete local $ENV{DEBUGINFOD_URLS};
	my $said =
	    `cd / && @{[quoted($installed)]} gdb $pid -nx -batch -ex 'set width 0' -ex 'list ${PREFIX}clock_gettime' -ex 'info source' 2>&1`;
	skip('ptrace is denied here', 2)
	    if $said =~ /ptrace: Operation not permitted|Could not attach/;
	like(
		$said, qr/^\d+\t.*\bclock_gettime\b/m,
		'gdb itself shows the source of a function of the vDSO'
	) or diag($said);
	like(
		$said, qr{^Located in .*/opt/x/share/uvdso/vdso-src/gettime\.c$}m,
		'... from where it was installed'
	) or diag($said);
}
kill 'TERM', $runner;
waitpid $runner, 0;

# The completion is found by the name of the command, and by its path.
my $completed =
    `bash --norc -c '. "\$1"; COMP_WORDS=(uvdso run --fo); COMP_CWORD=2; _uvdso; echo "\${COMPREPLY[*]}"' bash @{[quoted($dest)]}/opt/x/share/bash-completion/completions/uvdso`;
is($completed, "--force --follow\n", 'the installed completion completes');

# A new build: the list of the last time is removed first.
rename "$dest$debug", "$dest/opt/x/lib/debug/.build-id/" . substr($id, 0, 2) . '/old.debug';
(my $list = slurp("$dest/opt/x/share/uvdso/installed")) =~ s{[^/\n]+\.debug}{old.debug};
open $fh, '>', "$dest/opt/x/share/uvdso/installed" or BAIL_OUT($!);
print $fh $list;
close $fh;
system "$make install DESTDIR=@{[quoted($dest)]} PREFIX=/opt/x";
is(files($dest), $expected, 'installing again leaves nothing of the build before');

# Others' files stay.
my @others = map { "$dest/opt/x/$_" } 'bin/other', 'include/uvdso/other.h',
    'lib/debug/.build-id/' . substr($id, 0, 2) . '/other.debug';
for (@others) {
	open my $other, '>', $_ or BAIL_OUT("$_: $!");
	close $other;
}
$said = `$make uninstall DESTDIR=@{[quoted($dest)]} PREFIX=/opt/x 2>&1`;
is("$?<$said>", '0<>', 'make uninstall succeeds, without a word');
is(
	files($dest), join("\n", sort map { substr($_, length $dest) . ' 644' } @others),
	'only what others have put there is left'
);
unlink @others;
system
    "$make install DESTDIR=@{[quoted($dest)]} PREFIX=/opt/x && $make uninstall DESTDIR=@{[quoted($dest)]} PREFIX=/opt/x";
is(
	join(' ', grep { m{uvdso|build-id} } directories($dest)), '',
	'and none of our directories, when they are empty'
);
$said = `$make uninstall DESTDIR=@{[quoted($dest)]} PREFIX=/opt/x 2>&1`;
isnt($?, 0, 'a second uninstall fails');
like(
	$said, qr/^uvdso: install: .*nothing is installed there$/m,
	'... and says that nothing is there'
);
isnt(
	system("$make install DESTDIR=@{[quoted($tmp)]}/client.c 2>/dev/null"), 0,
	'where nothing can be written it fails'
);

done_testing;
