#!/usr/bin/perl
# A debugger on a program that runs on the vDSO: it finds the vDSO where the vector says,
# knows its functions, unwinds through them, and with `uvdso gdb` steps through our source.
use strict;
use warnings;
no warnings 'portable';    # addresses have 64 bits
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use RunTest;
use Test::More;

my $gdb = '/usr/bin/gdb';
my $top = "$FindBin::Bin/../..";
my $dir = temp_dir();
# No answer from outside is waited for, and no file of the user's is read.
my %quiet = (before => sub { delete $ENV{DEBUGINFOD_URLS}; $ENV{HOME} = "$dir"; chdir '/' });

plan skip_all => 'gdb is not installed (package gdb)' unless -x $gdb;

# A program that reads its clocks for as long as it is looked at.
sub live {
	my $p = spawn($UVDSO, @RUN, '--', program($_[0]), 60_000);
	my ($pid) = wait_until { slurp($p->{out}->filename) =~ /^ready (\d+)/ ? $1 : 0 };
	return ($p, $pid);
}

sub end {
	my ($p, $pid) = @_;
	kill 'KILL', $pid;
	finish($p);
}

# The output of gdb, given these commands. It goes through uvdso, or is attached plainly; then
# the program is named, because an ordinary user's exe link leads to uvdso.
sub ask {
	my ($how, $pid, @commands) = @_;
	my @cmd =
	    $how eq 'uvdso'
	    ? ($UVDSO, 'gdb', $pid)
	    : ($gdb, '-iex', 'set exec-file-mismatch off', program('compare.pie'), '-p', $pid);
	my $p = run(\%quiet, @cmd, '-nx', '-batch', map { ('-ex', $_) } 'set width 0', @commands);
	return $p->{out} . $p->{err};
}

my ($p, $pid) = live('compare.pie');
if (ask('plain', $pid, 'print 6 * 7') !~ /= 42/ || ask('plain', $pid, 'print $pc') !~ /0x/) {
	end($p, $pid);
	plan skip_all => 'ptrace is denied here';
}
my ($from_proc) =
    grep { $_ } map { $$_[0] == 33 ? $$_[1] : 0 } map { [unpack 'Q<2', $_] } unpack '(a16)*',
    slurp("/proc/$pid/auxv");

# Plain gdb, without a file of ours: what lies in memory is enough for the exported names.
{
	my $said = ask(
		'plain', $pid, 'info auxv',
		'print/x ((unsigned long (*)(unsigned long))getauxval)(33)',
		"info symbol ${PREFIX}gettimeofday", "break ${PREFIX}clock_gettime", 'continue',
		'backtrace'
	);
	my ($ehdr) = $said =~ /AT_SYSINFO_EHDR.*(0x\w+)/;
	is(
		hex($ehdr // 0), $from_proc,
		"gdb's `info auxv` and /proc/PID/auxv agree on where the vDSO is"
	) || diag $said;
	like($said, qr/^\$\d = \Q$ehdr\E$/m, "... and the program's getauxval() with them")
	    || diag $said;
	like(
		$said, qr/gettimeofday in section \.text of system-supplied DSO at \Q$ehdr\E/,
		'gdb takes the image there for the vDSO, and knows its functions'
	) || diag $said;
	like(
		$said, qr/^#0 .* in (?:$PREFIX)?clock_gettime.*\n(?:#\d.*\n)*#\d .* main \(/m,
		'a breakpoint in clock_gettime is hit, and from there the way leads back to main()'
	) || diag $said;
}

# uvdso gdb: with lines, variables and static functions.
{
	my $said = ask(
		'uvdso', $pid, "break ${PREFIX}clock_gettime", 'continue', 'backtrace',
		'info symbol $pc', 'info source',
		('step') x 8
	);
	like(
		$said,
		qr{^#0 +${PREFIX}clock_gettime \(clock=\d+, ts=0x\w+\) at vdso-src/gettime\.c:\d+$}m,
		'with `uvdso gdb` the function has its arguments and its line'
	) || diag $said;
	like(
		$said, qr/^#0 .*\n(?:#\d.*\n)*#\d .* main \(/m,
		'... and main() is still found from there'
	);
	like(
		$said, qr/^(?:$PREFIX)?clock_gettime in section \.text of system-supplied DSO/m,
		'`info symbol` names the function'
	);
	like(
		$said, qr{^Located in .*/vdso-src/gettime\.c$}m,
		'the source is found, from whatever folder'
	) || diag $said;

	# What is shown while stepping must be what stands in our files.
	my %source;
	for my $file (
		map { matching("$top/vdso-src", $_) } '*.[ch]', 'include/vdso/*.h',
		'arch/*/*.h'
	    )
	{
		my $n = 0;
		$source{++$n . "\t$_"} = 1 for split /\n/, slurp($file);
	}
	my @shown = grep { !/No such file/ } $said =~ /^(\d+\t.*)$/mg;    # those of the C library
	my @strange = grep { !$source{$_} } @shown;
	cmp_ok(@shown, '>=', 8, 'eight steps show eight lines') || diag $said;
	ok(!@strange, '... each a line of the vDSO\'s source') || diag "not in vdso-src: @strange";
	like(slurp("/proc/$pid/stat"), qr/\) [RSD] /, 'gdb leaves, and the program goes on');
}
end($p, $pid);

# The other C library, and no dynamic linker at all.
for my $kind (qw(static musl musl-static)) {
	SKIP: {
		my $why = missing(program("compare.$kind"));
		skip $why, 1 if $why;
		my ($p, $pid) = live("compare.$kind");
		my $said =
		    ask('uvdso', $pid, "break ${PREFIX}clock_gettime", 'continue', 'backtrace');
		like(
			$said,
			qr{^#0 +${PREFIX}clock_gettime .* at vdso-src/gettime\.c:\d+\n(?:#\d.*\n)*#\d .* main \(}m,
			"$kind: a breakpoint in the vDSO is hit, with its line, and main() is found"
		) || diag $said;
		end($p, $pid);
	}
}

# What cannot be.
{
	my $p = spawn($UVDSO, @RUN, program('compare.pie'), 60_000);
	my ($pid) = wait_until { slurp($p->{out}->filename) =~ /^ready (\d+)/ ? $1 : 0 };
	refused(
		run($UVDSO, 'gdb', attendant($pid, 'uvdso-keeper')), 125,
		qr/not on the vDSO of this uvdso|Permission denied/,
		'the timekeeper is not on the vDSO itself'
	);
	refused(
		run({env => {PATH => '/nowhere'}}, $UVDSO, 'gdb', $pid), 127,
		qr/gdb: not found in PATH/, 'without gdb in PATH: 127'
	);
	open my $file, '>', "$dir/gdb" or die;
	close $file;
	refused(
		run({env => {PATH => "$dir"}}, $UVDSO, 'gdb', $pid), 126,
		qr/gdb: Permission denied/, 'a gdb that cannot be run: 126'
	);
	end($p, $pid);
	refused(
		run($UVDSO, 'gdb', $pid), 125, qr/no such process/,
		'a process that is gone gives 125'
	);
	refused(
		run($UVDSO, 'gdb', $_), 125, qr/'$_' is not a process id/,
		"'$_' is not a process id"
	) for '', 'x', '12x';
	refused(run($UVDSO, 'gdb'), 125, qr/no PID given/, 'neither is nothing');
}

done_testing;
