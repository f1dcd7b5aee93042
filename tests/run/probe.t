#!/usr/bin/perl
# A program cannot tell that uvdso started it: whatever execve(2) promises or changes is as after
# a native start. tests/programs/probe.c says what it finds, tests/programs/surroundings.c makes
# what it is started in unusual, and all its lines are compared.
#
# Addresses are compared by what they point to, and what is random by its range. What differs all
# the same is listed in tests/lib/probe-differences, each with its reason, as it is in the manual.
use strict;
use warnings;
no warnings 'portable';    # addresses have 64 bits
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd 'abs_path';
use Build;
use POSIX ();
use Build;
use RunTest;
use Test::More;

my $TOP = abs_path("$FindBin::Bin/../..");
my $dir = temp_dir();
my $ROOT = $> == 0;

# ---- what may differ ----------------------------------------------------------------------
# [WAYS, FACTS, REASON]: the ways of starting, a regular expression for names, and a sentence.
my @differences = map { [split /\t+/] } grep { !/^#|^$/ } split /\n/,
    slurp("$TOP/tests/lib/probe-differences");

sub allowed {
	my ($way, $fact) = @_;
	return grep { $way =~ /^(?:$_->[0])$/ && $fact =~ /^(?:$_->[1])$/ } @differences;
}

# The manual says each of them in the same words.
my $manual = slurp("$TOP/loader/cli/uvdso.1");
$manual =~ s/^\.(?:B|BR|I|IR|RB|BI) (.*)/join '', $1 =~ m{"[^"]*"|\S+}g/gme;
$manual =~ s/\\f.|"|\\%//g;
$manual =~ s/\\-/-/g;
$manual =~ s/\s+/ /g;
for my $reason (do {
	my %seen;
	grep { !$seen{$_}++ } map { $_->[2] } @differences;
})
{
	ok(index($manual, $reason) >= 0, 'the manual says: ' . ($reason =~ s/[.:;,].*//r))
	    || diag "not in uvdso.1: $reason";
}

# ---- what a probe says, so that two starts can be compared ----------------------------------
# The mappings, each [start, end, permissions, name], without any vDSO.
sub maps {
	my @maps;
	for (@{$_[0]->{map}}) {
		my ($start, $end, $perms, $name) = /^(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)$/ or next;
		push @maps, [hex $start, hex $end, $perms, $name];
	}
	# What has no permissions is between the data pages.
	return grep {
		$_->[3] !~ m{^\[v|^/memfd:v}
		    && !($_->[2] eq '---p' && $_->[1] - $_->[0] == $STRIDE)
	} @maps;
}

my %named = (
	3 => 'headers', 7 => 'interpreter', 9 => 'entry', 15 => 'platform', 25 => 'random',
	31 => 'execfn', 32 => 'vdso-entry', 33 => 'vdso'
);

# ($facts, $random): names and values to be compared, and the numbers that are drawn anew.
sub normal {
	my ($out, $pid) = @_;
	my $facts = facts($out);
	my @maps = maps($facts);
	my (%normal, %random, %address);

	for my $name (grep { /^\@/ } keys %$facts) {
		my $value = hex $facts->{$name}[0];
		$name =~ /^\@(?:vector-(\d+)|(.*))$/;
		$address{defined $1 ? $named{$1} : $2} = $value;
	}
	my ($program) = map { $_->[0] } grep { $_->[3] =~ m{/probe[^/]*$} } @maps;
	my ($interpreter) = map { $_->[0] } grep { $_->[3] =~ m{/ld[-.][^/]*$} } @maps;
	my ($stack) = grep { $_->[3] eq '[stack]' } @maps;
	my $place = sub {
		my ($value) = @_;
		return 'nothing' if !$value;
		return 'stack' if $value >= $stack->[0] && $value <= $stack->[1];
		return sprintf 'program+%x', $value - $program
		    if $value >= $program && $value <= $address{end};
		return 'brk' if $value == $address{brk};
		return sprintf 'interpreter+%x', $value - $interpreter
		    if $interpreter && $value >= $interpreter && $value < $interpreter + (1 << 24);
		return 'elsewhere';
	};

	# The stack from its end downwards. The only random distance is below the strings.
	my $strings = $address{'argv-0'} // $address{execfn};
	$normal{"string-$_"} = $address{$_} - $strings for grep { /^(?:argv|env)-/ } keys %address;
	$normal{'stack-strings'} = $stack->[1] - $strings;
	$normal{'stack-execfn'} = $stack->[1] - $address{execfn};
	$normal{'stack-platform'} = $address{platform} - $address{random};
	$normal{'stack-vector'} = $address{vector} - $address{sp};
	$normal{'stack-vector-size'} = $address{'vector-end'} - $address{vector};
	$normal{'stack-random-is-next'} = $address{random} >= $address{'vector-end'}
	    && $address{random} < $address{'vector-end'} + 16;
	my $gap = $strings - $address{platform};
	$normal{'stack-gap-in-range'} = $gap >= 0 && $gap < 8192 + 32;

	$normal{"place-$_"} = $place->($address{$_}) for qw(headers interpreter entry end sp);
	$normal{'place-heap'} = $address{brk} > $address{end} ? 'after the program' : 'before it';
	my $is_data = sub { $_[0][0] >= $program && $_[0][0] <= $address{end} };
	$normal{mapping} = join ', ', map {
		my $size = $_->[3] eq '[stack]' ? '' : sprintf '%x', $_->[1] - $_->[0];
		$_->[3] . " $_->[2] $size"
	} grep { $_->[3] ne '' || $is_data->($_) } @maps;
	# Memory without a name: the interpreter's own, which lies anywhere among the libraries.
	$normal{'mapping-without-name'} = join ', ', sort map { sprintf '%x', $_->[1] - $_->[0] }
	    grep { $_->[3] eq '' && !$is_data->($_) } @maps;
	# Usually the stack is above all else; without a limit on it libraries grow upwards.
	$normal{order} = join ' ', map { $_->[3] =~ s{.*/}{}r || 'unnamed' } grep { $_->[3] } @maps;

	my $low = $normal{'place-heap'} eq 'before it';
	%random = (
		gap => $gap, $low ? 'among-libraries' : 'program' => $program, stack => $stack->[1],
		$interpreter ? (interpreter => $interpreter) : (),
		heap => $low ? $address{brk} : $address{brk} - $address{end}
	);

	# Without randomisation it is known where everything lies.
	if (hex $facts->{personality}[0] & 0x40000) {
		$normal{"at-$_"} = sprintf '%x', $random{$_} for keys %random;
	}

	# Numbers of processes.
	my %who = ($pid => 'SELF', $$ => 'STARTER');
	my $who = sub { $_[0] =~ s/\b(\d+)\b/$who{$1} \/\/ $1/ger };
	for my $name (grep { !/^\@/ } keys %$facts) {
		next if $name =~ /^(?:map|stat|status)$/;
      # An interpreter has run before, and leaves addresses of its own in them, and below the stack.
		next
		    if $interpreter
		    && $name =~
		    /^(?:(?:vector-)?register|xmm|st|xstate|fs-base|f[cst]w|words-below-sp)/;
		# The kernel of riscv64 leaves registers as they were.
		next if $MACHINE eq 'riscv64' && $name =~ /^(?:vector-)?register/;
		my @values = @{$facts->{$name}};
		@values = map { $who->(sprintf '%d', hex) } @values
		    if $name =~ /^(?:pid|parent|process-group|session)$/;
		@values = map { $who->($_) } @values if $name =~ /^descriptor-/;
		# Standard output and error are new files each time.
		@values = grep { !/^(?:ino|pos):/ } @values if $name =~ /^descriptor-[12]$/;
		$normal{$name} = join ' | ', @values;
	}

	# /proc/PID/stat: not what is counted or moves. Addresses by what they point to.
	my ($comm, $rest) = $facts->{stat}[0] =~ /^\d+ \((.*)\) (.*)/;
	my @field = (undef, $pid, $comm, split ' ', $rest);
	my %counted = map { $_ => 1 } 9 .. 17, 21 .. 25, 28 .. 30, 34 .. 37, 39, 42 .. 44, 47 .. 51;
	for my $i (1 .. $#field) {
		$normal{"stat-$i"} = $who->($field[$i]) unless $counted{$i} || !defined $field[$i];
	}
	$normal{"stat-$_"} = $place->($field[$_]) for 26 .. 28, 45 .. 51;
	$normal{'stat-flags'} = $field[9] & ~0x100;
	$normal{'used-privileges'} = $field[9] & 0x100 ? 'yes' : 'no';    # PF_SUPERPRIV
	$normal{'stat-strings'} = join ' ', map { $_ - $strings } @field[48 .. 51];

	# /proc/PID/status: not what is counted, nor how much memory.
	for (@{$facts->{status}}) {
		my ($name, $value) = /^(\w+):\s*(.*)/ or next;
		next if $name =~ /^(?:Vm|Rss|SigQ|\w*ctxt_switches|HugetlbPages)/;
		$normal{"status-$name"} = $who->($value);
	}
	my ($peak) = grep { /^VmPeak/ } @{$facts->{status}};
	$normal{'peak-is-small'} = $peak =~ /(\d+)/ && $1 < 2000 ? 'yes' : 'no' if !$interpreter;
	return (\%normal, \%random);
}

# ---- starting it in every way ---------------------------------------------------------------
my $UVDSO32 = 'build/i386/uvdso';
my %probe = (
	map({ $_ => [program("probe.$_"), $UVDSO] } qw(static pie static-pie),
		$MACHINE eq 'x86_64' ? 'in-the-way' : ()),
	$MACHINE eq 'x86_64'
	? (i386 => ["$TOP/build/i386/tests/machines/i386/probe.static", "$TOP/$UVDSO32"])
	: (),
);

# An i386 program from before there was PT_GNU_STACK.
sub make_old {
	my ($from, $to) = @_;
	my $bytes = slurp($from);
	my ($at, $count) = (unpack('x28 V', $bytes), unpack('x44 v', $bytes));
	for my $i (0 .. $count - 1) {
		substr $bytes, $at + 32 * $i, 4, pack 'V', 0
		    if unpack('V', substr $bytes, $at + 32 * $i, 4) == 0x6474e551;
	}
	open my $file, '>', $to or die "$to: $!";
	print $file $bytes;
	close $file;
	chmod 0755, $to;
}
if ($probe{i386} && -x $probe{i386}[0]) {
	make_old($probe{i386}[0], "$dir/probe-old");
	$probe{'old i386'} = ["$dir/probe-old", $probe{i386}[1]];
}

my %ways = (
	native => [], hand => ['run', '--exec=hand', '--'],
	kernel => ['run', '--exec=kernel', '--'],
	follow => ['run', '--follow', '--'],
);
mkdir "$dir/in";
my @shell = ('/bin/sh', '-c');
# PR_SET_MDWE, of Linux 6.3: nothing that was writable may become executable.
my $no_write_and_execute = "syscall $SYS{prctl}, 65, 1, 0, 0, 0; exec \@ARGV";
my %surroundings = (
	plain => [],
	unusual => [program('surroundings.pie'), "$dir/in"],
	'without a limit on the stack' => [@shell, 'ulimit -s unlimited && exec "$@"', 'sh'],
	'without memory to write and execute' => [$^X, '-e', $no_write_and_execute],
	'with setarch -R' => ['/usr/bin/setarch', '-R'],
);

sub probe {
	my ($kind, $way, $surroundings) = @_;
	my ($program, $uvdso) = @{$probe{$kind}};
	my $p = run(
		@{$surroundings{$surroundings}}, $way eq 'native' ? () : ($uvdso, @{$ways{$way}}),
		$program, 'one', '', 'three  words'
	);
	if ($p->{status} || $p->{signal}) {
		diag "$kind, $surroundings, by $way: status $p->{status}, signal $p->{signal}: ",
		    $p->{err};
		return;
	}
	return normal($p->{out}, $p->{pid});
}

for my $kind ('static', 'pie', 'static-pie', 'in-the-way', 'i386', 'old i386') {
	next if !$probe{$kind} && $MACHINE ne 'x86_64';
	SKIP: {
		skip 'there is no i686-linux-gnu-gcc (make deps)', 1 if !$probe{$kind};
		skip 'this kernel runs no 32-bit programs', 1
		    if $kind =~ /i386/ && run($UVDSO32, '--help')->{status} == 98;
		for my $surroundings (sort keys %surroundings) {
			# Where all its memory is executable none of it may be.
			next if $kind eq 'old i386' && $surroundings =~ /write and execute/;
			next
			    if $surroundings{$surroundings}[0]
			    && !-x $surroundings{$surroundings}[0];
			my ($native) = probe($kind, 'native', $surroundings);
			# Without randomisation kernels before 6.15 leave the heap there.
			next
			    if $kind eq 'static-pie'
			    && ($native->{'place-heap'} // '') eq 'after the program';
			for my $way (qw(kernel follow hand)) {
				my ($ours) = probe($kind, $way, $surroundings);
				my %all = map { $_ => 1 } keys %{$native // {}},
				    keys %{$ours // {}};
				my @wrong = !$native || !$ours ? () : grep {
					       ($native->{$_} // 'none') ne ($ours->{$_} // 'none')
					    && !allowed("$way" . ($ROOT ? '' : '-user'), $_)
					    && !allowed("$way, $surroundings", $_)
				} sort keys %all;
				ok(
					$native && $ours && !@wrong && keys %all > 250,
					"$kind, $surroundings, by $way: all that it finds is as natively"
				    )
				    || diag map {
					      "$_\n  native: "
					    . ($native->{$_} // 'none')
					    . "\n  by $way: "
					    . ($ours->{$_} // 'none') . "\n"
				    } @wrong;
			}
		}
	}
}

# ---- what is drawn anew at each start --------------------------------------------------------
# Ten draws from a range lie within a sixteenth of it once in ten thousand million times.
for my $kind ('static', 'pie', 'static-pie', 'i386') {
	next
	    if !$probe{$kind} || ($kind eq 'i386' && run($UVDSO32, '--help')->{status} == 98);
	my %range;
	for my $way (qw(native kernel hand)) {
		my @draws = map { (probe($kind, $way, 'plain'))[1] } 1 .. 10;
		for my $what (keys %{$draws[0]}) {
			my @sorted = sort { $a <=> $b } map { $_->{$what} } @draws;
			$range{$what}{$way} = $sorted[-1] - $sorted[0];
		}
	}
	my @narrow = grep {
		my $range = $range{$_};
		grep { $range->{$_} * 16 < $range->{native} } qw(kernel hand)
	} sort keys %range;
	ok(!@narrow, "$kind: the ranges of @{[sort keys %range]} are not smaller than natively")
	    || diag map {
		my $what = $_;
		map { sprintf "%s by %s: %x\n", $what, $_, $range{$what}{$_} }
		    qw(native kernel hand)
	    } @narrow;
}

# ---- what may not be started -----------------------------------------------------------------
my $copy = "$dir/copy";

sub make_copy {
	my ($mode) = @_;
	unlink $copy;
	open my $file, '>', $copy or die "$copy: $!";
	print $file slurp($probe{static}[0]);
	close $file;
	chmod $mode, $copy;
}
my ($major, $minor) = (POSIX::uname())[2] =~ /^(\d+)\.(\d+)/;
my $asks = $major > 6 || ($major == 6 && $minor >= 8);
my @script = ("$dir/script", "#!$copy\n");
open my $file, '>', $script[0] or die;
print $file $script[1];
close $file;
chmod 0755, $script[0];

for my $way (qw(native kernel hand)) {
	my @start =
	    $way eq 'native' ? ($surroundings{unusual}[0], "$dir/in") : ($UVDSO, @{$ways{$way}});
	my $says = $way eq 'native' ? qr/: Text file busy$/ : qr/\Auvdso: \S+: Text file busy\n\z/;
	make_copy(0755);
	is(run(@start, $copy)->{status}, 0, "by $way: a program that nobody writes to runs");
	open my $writer, '>>', $copy or die;
	my %done = (
		'a program' => run(@start, $copy),
		'the interpreter of a script' => run(@start, $script[0])
	);
	close $writer;
	open $writer, '>>', $script[0] or die;
	$done{'a script'} = run(@start, $script[0]);
	close $writer;

	for my $what (sort keys %done) {
		SKIP: {
			skip 'the kernel cannot be asked before Linux 6.8', 1
			    if $way eq 'hand' && !$asks;
			my $p = $done{$what};
			ok(
				$p->{status} && $p->{err} =~ $says,
				"by $way: $what that is open for writing is refused"
			) || diag "status $p->{status}: $p->{err}";
		}
	}
	# What may not be read uvdso cannot start; root may read everything.
	make_copy(0111);
	my $p = run(@start, $copy);
	if ($ROOT || $way eq 'native') {
		is($p->{status}, 0, "by $way: a program without permission to read it runs");
	} else {
		refused(
			$p, 126, qr/executable, but not readable/,
			"by $way: ... is refused, and why"
		);
	}
}

done_testing;
