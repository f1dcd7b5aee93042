#!/usr/bin/perl
# run.t - `uvdso run` on another machine: a program that an emulator runs, on the vDSO.
#
# qemu-user before version 8.2 gives a program no vDSO at all; later ones give one of their own, which
# ours replaces.
# What is compared with a plain start in exec/start.t is left out where the emulator has its own
# idea of it: the names in /proc, book-keeping by prctl(2), and it has no ptrace(2).
use strict;
use warnings;
no warnings 'portable';    # addresses have 64 bits
use FindBin;
use lib "$FindBin::Bin/../../lib";
use Build;
use RunTest;
use Test::More;

my %expected = map { $_ => 1 } qw(argv-ends getauxval-is-the-stack's phnum-is-the-file's
    phdr-is-the-file's bias-is-whole-pages entry-is-the-file's base-is-the-interpreter's page-size ids
    not-secure image-is-elf data-cannot-be-made-writable getcpu);

for my $kind (qw(pie nopie static static-pie execstack)) {
	SKIP: {
		my $path = program("start.$kind");
		my $why = missing($path);
		skip $why, 10 if $why;
		my $plain =
		    facts(run({env => {A => 'b c'}}, $path, 'one', '', 'three  words')->{out});
		my $p = run(
			{env => {A => 'b c'}}, $UVDSO, 'run', '--', $path, 'one', '',
			'three  words'
		);
		my $facts = facts($p->{out});

		is_status($p, 0, "$kind: starts on the vDSO");
		is_deeply(
			$facts->{argv}, [$path, 'one', '', 'three  words'],
			"$kind: its arguments arrive"
		);
		is_deeply($facts->{env}, ['A=b c'], "$kind: and its environment");
		my @no = grep { !/ yes$/ && $expected{(split)[0]} } @{$facts->{check}};
		is(
			"@no", '',
			"$kind: headers, entry, ids, two ways to the vector agree; the data is sealed"
		);
		my %vector = map { (split)[0] => hex((split)[1]) } @{$facts->{auxv}};
		my %kernels = map { (split)[0] => hex((split)[1]) } @{$plain->{auxv}};
		is(
			join(' ', sort { $a <=> $b } keys %vector),
			join(' ', sort { $a <=> $b } keys %{{%kernels, 33 => 1}}),
			"$kind: the vector has the emulator's entries, and AT_SYSINFO_EHDR"
		);
		isnt($vector{33}, $kernels{33}, "$kind: ... which is not the emulator's");
		my @maps =
		    map { /^(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)$/ ? [hex $1, hex $2, $3, $4] : () }
		    @{$facts->{map}};
		my ($image) = grep { $_->[0] == ($vector{33} // -1) } @maps;
		ok(
			$image && $image->[2] =~ /^r-x/,
			"$kind: AT_SYSINFO_EHDR is where our image is, r-x"
		) || diag "got @{$image || ['no mapping']}";
		my ($data) = grep { $image && $_->[0] == $image->[0] - 3 * $STRIDE } @maps;
		ok(
			$data && $data->[2] =~ /^r--/,
			"$kind: the data page is three strides below it, read-only"
		) || diag "got @{$data || ['nothing']}";
		my @ours = grep { $_->[3] =~ m{/uvdso$} } @maps;
		is(scalar @ours, 0, "$kind: nothing of uvdso is left");
		is($facts->{name}[0], substr("start.$kind", 0, 15), "$kind: it has its own name");
	}
}

# The kernel starts a program with zeros in all registers but one: the emulator need not, but we do.
# One register holds the entry at last: one that the ABI gives to nobody.
is(
	uvdso(program('entry'))->{out}, ($UVDSO =~ /aarch64/ ? 'x17' : 'x6') . " .\n",
	'at the first instruction all registers are zero, but for a scratch register'
);

my $clocks = program('clocks.pie');
my %offset = (
	realtime => [1000 * 86400, 1000 * 86400], monotonic => [86400, 86400],
	boottime => [-60, -60],
	tai => [7200, 7200]
);
for my $how ([], ['--no-counter']) {
	my $what = "@$how" || 'plain';
	my $before = facts(run($clocks)->{out});
	my $ours = facts(uvdso(@$how, $clocks)->{out});
	my $after = facts(run($clocks)->{out});
	is_deeply(
		[sort keys %$ours], [sort keys %$before],
		"$what: every way to the time gives one"
	);
	my @clock = grep { !/^(pid|getcpu|getres)$/ } keys %$before;
	# A coarse clock is one period old at most, time() a second of it.
	my @outside = grep {
		$ours->{$_}[0] < $before->{$_}[0] - 0.02 || $ours->{$_}[0] > $after->{$_}[0] + 0.02
	} @clock;
	is("@outside", '', "$what: each is between the two of plain starts");
}
{
	my @shift = map { ('--offset', sprintf '%s=%+d', $_, $offset{$_}[0]) } sort keys %offset;
	my $before = facts(run($clocks)->{out});
	my $ours = facts(uvdso(@shift, $clocks)->{out});
	for my $clock (sort keys %offset) {
		my $by = $ours->{$clock}[0] - $before->{$clock}[0] - $offset{$clock}[0];
		ok($by > -0.1 && $by < 15, "an offset for $clock shifts it by so much")
		    || diag "off by $by";
	}
}

for my $kind (qw(pie static)) {
	my $p = uvdso(program("compare.$kind"), 300, 0);
	my ($worst, $back) = $p->{out} =~ /^worst (\d+) back (\d+)/m;
	is_status($p, 0, "$kind: compares its clocks with the kernel's for a while");
	is("$worst $back", '0 0', "$kind: each is between two system calls, and goes forwards");
}

is_status(uvdso(program('end.pie'), 7), 7, 'the status is the program\'s');
is_status(uvdso("$UVDSO-none"), 127, '127: no such program');
is_status(uvdso('/bin/sh'), 126, '126: a program for this machine, which is another');
{
	my $p = spawn($UVDSO, 'run', program('signals.pie'));
	wait_until { slurp($p->{out}->filename) =~ /ready/ };
	kill 'TERM', $p->{pid};
	is_status(finish($p), 7, 'a signal is passed on to the program');
	like($p->{out}, qr/^got TERM from \d+$/m, '... which handles it');
}

# ---- signal handlers, through the vDSO ----
SKIP: {
	my $path = program('sigreturn');
	skip 'no libstdc++ of that machine', 2 unless -x $path;
	my $p = uvdso($path);
	is_status($p, 0, 'a program whose handlers return through the vDSO');
	my %said = map { /^check (\S+) (\S+)$/ ? ($1 => $2) : () } split /\n/, $p->{out};
	is_deeply(
		\%said,
		{
			map { $_ => 'yes' }
			    qw(found handler-has-our-return-address
			    handler-returns-through-the-page backtrace-passes-the-page backtrace-finds-the-interrupted-instruction
			    registers-of-the-interrupted-code-are-right backtrace-goes-on-to-the-caller exception-is-caught-outside
			    exception-runs-destructors)
		},
		'a backtrace from inside a handler, and a C++ exception, get past the vDSO with all registers'
	) || diag $p->{out};
}

{
	my $p = run(program('calls'));
	like(
		$p->{out}, qr/^done 1$/m,
		'a program that boots a vDSO calls all its functions, and returns through it'
	);
	like(
		$p->{out}, qr/^calls same$/m,
		'getcpu, flush_icache and riscv_hwprobe answer as the system calls do'
	) if $UVDSO =~ /riscv64/;
}

done_testing;
