package Port;
# Port.pm - tests what one port's machine.h supplies: port_test(ARCH).
#
# What can be run is run, on another machine by an emulator: machines/emulated/port.c. The order in which the counter is
# read cannot be, since an emulator on x86-64 keeps loads in order whatever the program asks for. So it
# is read off the code of the image. Any code that keeps the order will do; what our own looks like is
# for machine-code.t to say.
use strict;
use warnings;
use Exporter 'import';
use Build;

our @EXPORT = qw(port_test);
our @EXPORT_OK = qw(functions);

my $FAR = 8;    # instructions: what belongs together is closer

# Addresses are written with brackets on aarch64, with parentheses on riscv64.
my %machine = (
	aarch64 => {
		counter => qr/^mrs (x\d+), cntvct(?:ss)?_el0/, what => 'mrs of cntvct_el0',
		before => sub { $_[0] =~ /^isb/ }, before_what => 'an isb',
		loads => qr/^ld/, store => qr/^st/,
		why_before => 'the register is no memory, so no fence for memory holds its read'
		    . ' back: it may be read before the loads above are done. An isb'
		    . ' lets nothing begin before the branches on them are decided',
		why_after => 'the second look at the sequence counter may be done before the'
		    . ' register is read. It waits for loads: so let one wait for the'
		    . ' register, by an address that is made of the count (or a second isb)',
	},
	riscv64 => {
		counter => qr/^csrrs (\w+),time,zero/, what => 'rdtime',
		before => sub { fence_has($_[0], 'r', 'i') }, before_what => 'a fence r, i',
		after => sub { fence_has($_[0], 'i', 'r') }, after_what => 'a fence i, r',
		loads => qr/^(?:c\.)?l[bhwd]u?(?:sp)?\b/, store => qr/^(?:c\.)?s[bhwd](?:sp)?\b/,
		why_before => 'reading the counter counts as input from a device, which has no'
		    . ' order with loads unless a fence names both: it may be read before'
		    . ' the loads above are done',
		why_after => 'the second look at the sequence counter may be done before the'
		    . ' counter is read',
	},
);

# Does a fence of riscv64 order what is named here before what is named there?
sub fence_has {
	my ($text, $before, $after) = @_;
	return $text =~ /^fence (\w+),(\w+)$/ && index($1, $before) >= 0 && index($2, $after) >= 0;
}

# name => [instruction text ...] of an object, or of one function of it.
sub functions {
	my ($arch, $object, $one) = @_;
	my $which = defined $one ? "--disassemble=$one" : '-d';
	my (%code, $name);
	for (
		split /\n/,
		`$arch-linux-gnu-objdump $which --no-show-raw-insn -M no-aliases $object 2>/dev/null`
	    )
	{
		# Not the labels inside of a function, which ld.lld keeps on riscv64.
		if (/^[0-9a-f]+ <(.+)>:$/) { $name = $1 unless $1 =~ /^[.\$]/ }
		elsif ($name && /^ +[0-9a-f]+:\t(.*?)\s*$/) {
			(my $text = $1) =~ s/\s+/ /g;
			$text =~ s{ *(//|<).*}{};
			$text =~ s{ # .*}{};
			push @{$code{$name}}, $text;
		}
	}
	return \%code;
}

# Is what keeps the loads above in front there? Between it and the counter nothing may be loaded.
sub held_before {
	my ($m, $code, $at) = @_;
	for my $i (reverse(($at > $FAR ? $at - $FAR : 0) .. $at - 1)) {
		return 1 if $m->{before}->($code->[$i]);
		return 0 if $code->[$i] =~ $m->{loads};
	}
	return 0;
}

# And what keeps those below behind? On aarch64 that is a load with the count in its address, as it is or
# as something was calculated from it; or an isb.
sub held_after {
	my ($m, $code, $at, $register) = @_;
	my %from = ($register => 1, $register =~ s/^x/w/r => 1);
	for my $i ($at + 1 .. ($at + $FAR < $#$code ? $at + $FAR : $#$code)) {
		my $text = $code->[$i];
		if ($m->{after}) {
			return 1 if $m->{after}->($text);
			return 0 if $text =~ $m->{loads};
			next;
		}
		return 1 if $text =~ /^isb/;
		if ($text =~ $m->{loads}) {
			my ($address) = $text =~ /\[(.*?)\]/;
			return 1
			    if defined $address && grep { $from{$_} } $address =~ /\b([xw]\d+)\b/g;
			return 0;
		}
		my ($result, @operands) = $text =~ /\b([xw]\d+)\b/g or next;
		next if $text =~ $m->{store};
		my $is = grep { $from{$_} } @operands;
		($from{$_} = $is) for $result, $result =~ tr/xw/wx/r;
	}
	return 0;
}

sub skip_all {
	print "1..0 # SKIP $_[0]\n";
	exit 0;
}

my ($number, @failed) = (0);

sub point {
	my ($pass, $what) = @_;
	print $pass ? '' : 'not ', 'ok ', ++$number, " - $what\n";
	push @failed, $what if !$pass;
	return $pass;
}

sub said {
	my ($indent, $text) = @_;
	my ($line, $first) = ('', $indent);
	for my $word (split ' ', $text) {
		if (length("$line $word") > 75) {
			print "# $first$line\n";
			($line, $first) = ('', ' ' x length $indent);
		}
		$line .= length $line ? " $word" : $word;
	}
	print "# $first$line\n";
}

# The instructions around one, as a learner wrote them.
sub around {
	my ($code, $at) = @_;
	return map { "#   $code->[$_]\n" } grep { $_ >= 0 && $_ <= $#$code } $at - 3 .. $at + 3;
}

sub port_test {
	my ($arch) = @_;
	my $m = $machine{$arch};
	my ($emulator, $triple) = ("qemu-$arch", "$arch-linux-gnu");
	my $here = $arch eq $MACHINE;
	for my $tool ($here ? () : ($emulator, "$triple-gcc")) {
		skip_all("$tool is not installed")
		    if system "command -v $tool >/dev/null 2>&1";
	}
	my $dir = "$BUILD/$arch";
	my $program = ($here ? $BUILD : $dir) . '/tests/machines/emulated/port';
	-x $program or skip_all("nothing is built for $arch as for another machine");

	# Its points are ours, with what it says to each.
	$| = 1;
	my ($plan, $run) = (undef, 0);
	my $start = $here ? '' : "$emulator -L /usr/$triple ";
	open my $port, '-|', "$start$program $dir/vdso.so 2>&1"
	    or die "$emulator: $!\n";
	while (<$port>) {
		if (/^1\.\.(\d+)$/) {
			$plan = $1;
		} elsif (/^(not )?ok \d+ - (.*)$/) {
			$run++;
			point(!$1, $2);
		} else {
			print;
		}
	}
	close $port;
	point(0, "$arch: the program that tries it runs to its end")
	    if !defined $plan || $plan != $run;

	my $code = functions($arch, "$dir/vdso/gettime.o");
	my @reads;
	for my $name (sort keys %$code) {
		push @reads, [$code->{$name}, $_]
		    for grep { $code->{$name}[$_] =~ $m->{counter} } 0 .. $#{$code->{$name}};
	}
	my $stores = functions($arch, $program, 'code_stores')->{code_stores} // [];
	my ($early) = grep { !held_before($m, @$_) } @reads;
	my ($late) = grep {
		my ($of, $at) = @$_;
		my ($register) = $of->[$at] =~ $m->{counter};
		!held_after($m, $of, $at, $register)
	} @reads;
	my $unread = 'the data page is written in counts of this register, and of no other';
	my $none = "# expected  $m->{what} in the code of the image\n# got       none\n";

	if (!point(@reads && !$early, 'the counter is not read before the loads above it')) {
		print $early
		    ? (
			"# expected  $m->{before_what}, and no load between it and the counter\n",
			"# the code:\n", around(@$early)
		    )
		    : $none;
		said('why: ', $early ? $m->{why_before} : $unread);
	}
	if (!point(@reads && !$late, 'nor after those below it')) {
		print $late
		    ? (
			$m->{after}
			? "# expected  $m->{after_what}\n"
			: "# expected  a load whose address is made of the count\n",
			"# the code:\n", around(@$late)
		    )
		    : $none;
		said('why: ', $late ? $m->{why_after} : $unread);
	}
	my $order = join ', ',
	    map { $_ =~ $m->{counter} ? 'counter' : $_ =~ $m->{store} && !/\bsp\b/ ? 'store' : () }
	    @$stores;
	if (!point(
		@reads && $order eq 'store, counter, store',
		'and the compiler moves nothing past it'
	))
	{
		print @reads ? "# expected  store, counter, store\n# got       $order\n" : $none;
		said(
			'why: ',
			!@reads ? $unread
			: $order !~ /counter/
			? 'the statement is not volatile. Then the compiler may leave it out, move it,'
			    . ' or make it once for two'
			: 'the statement does not say that memory matters to it. Then the compiler may'
			    . ' move the loads of the data page past it, whatever stands in it'
		);
	}
	print "1..$number\n";
	exit(@failed ? 1 : 0);
}

1;
