#!/usr/bin/perl
# A program cannot tell that uvdso started it, except by the vDSO: what it finds at its
# start is what it finds when the kernel alone starts it.
use strict;
use warnings;
no warnings 'portable';    # addresses have 64 bits
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Build;
use RunTest;
use Test::More;

# Starts a program plainly and by uvdso; returns the facts that each of them printed.
sub both {
	my ($opt, @cmd) = @_;
	my %by = (
		plain => run($opt, @cmd),
		uvdso => run({%$opt, argv0 => undef}, $UVDSO, @RUN, '--', @cmd)
	);

	for my $how (sort keys %by) {
		my $p = $by{$how};
		next if !$p->{status} && !$p->{signal} && !$p->{timed_out};
		fail("$cmd[0] starts ($how)");
		diag "status $p->{status}, signal $p->{signal}: $p->{err}";
	}
	# Standard output and error are new files each time.
	$_->{out} =~ s/^(fd [12]) .*/$1/mg for values %by;
	return map { facts($_->{out}) } @by{qw(plain uvdso)};
}

# The lines of some kinds are the same after both starts.
sub same {
	my ($plain, $uvdso, $kinds, $what) = @_;
	is_deeply([map { $uvdso->{$_} } @$kinds], [map { $plain->{$_} } @$kinds], $what)
	    || diag 'kinds: ', join ' ', @$kinds;
}

# {type} = value, and the types in their order.
sub vector {
	my ($facts) = @_;
	my (%value, @order);
	for (@{$facts->{auxv}}) {
		my ($type, $value) = split;
		$value{$type} = hex $value;
		push @order, $type;
	}
	return (\%value, \@order);
}

# Mappings as [start, end, permissions, name].
sub maps {
	return
	    map { /^(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)$/ ? [hex $1, hex $2, $3, $4] : (); }
	    @{$_[0]->{map}};
}

use constant {AT_BASE_TYPE => 7, AT_SYSINFO_EHDR => 33};

# What differs by nature, or is compared in another way.
my %apart = map { $_ => 1 } qw(auxv map random exe);

for my $kind (qw(pie nopie static static-pie execstack musl musl-static)) {
	SKIP: {
		my $path = program("start.$kind");
		my $why = missing($path);
		skip $why, 12 if $why;
		my ($plain, $uvdso) = both({}, $path, 'one', '', 'three  words');
		my @kinds = grep { !$apart{$_} } sort keys %$plain;
		# Three pages below the kernel's image there may be anything.
		$_ = [grep { !/^data-cannot-be-made-writable no$/ } @$_] for $plain->{check};
		$_ = [grep { !/^data-cannot-be-made-writable yes$/ } @$_]
		    for $plain->{check}, $uvdso->{check};

		is_deeply([sort keys %$uvdso], [sort keys %$plain], "$kind: all facts are there");
		is_deeply(
			{map { $_ => $uvdso->{$_} } @kinds}, {map { $_ => $plain->{$_} } @kinds},
			"$kind: arguments, environment, names, signals, descriptors, limits are those "
			    . 'of a plain start'
		);
		my @no = grep { / no$/ } @{$uvdso->{check}};
		ok(
			!@no,
			"$kind: headers, entry, ids, the three ways to the vector agree; the data is sealed"
		) || diag "wrong: @no";

		my ($old, $order) = vector($plain);
		my ($new, $new_order) = vector($uvdso);
		is_deeply(
			$new_order, $order,
			"$kind: the vector has the kernel's entries in its order"
		);
		my @other = grep {
			my $is_address = $old->{$_} > 0xffff_ffff || $_ == AT_BASE_TYPE;
			!$is_address && $new->{$_} != $old->{$_} && $_ != 3 && $_ != 9;
		} @$order;
		ok(!@other, "$kind: entries that are no addresses are the kernel's")
		    || diag "entries of type @other differ";

		# The mappings: ours, and no others but the program's.
		my @maps = maps($uvdso);
		my ($image) = grep { $_->[0] == $new->{+AT_SYSINFO_EHDR} } @maps;
		ok(
			$image && $image->[2] eq 'r-xp' && $image->[3] =~ m{^/memfd:vdso},
			"$kind: AT_SYSINFO_EHDR is the beginning of our image, mapped r-x"
		) || diag "got @{$image || ['no mapping']}";
		my ($data) = grep { $image && $_->[0] == $image->[0] - 3 * $STRIDE } @maps;
		ok(
			       $data
			    && $data->[1] - $data->[0] == $STRIDE
			    && $data->[2] eq 'r--s'
			    && $data->[3] =~ m{^/memfd:vvar},
			"$kind: the data page is three strides below it, read-only"
		) || diag "got @{$data || ['nothing']}";
		my %names = map { $_->[3] => 1 } maps($plain);
		my @more = grep { $_->[3] !~ m{^/memfd:(vdso|vvar) } && !$names{$_->[3]} } @maps;
		ok(!@more, "$kind: nothing else is mapped that a plain start has not")
		    || diag map { sprintf "%x-%x %s %s\n", @$_ } @more;
		# Where signal handlers return through it it must stay.
		my $stays = $MACHINE ne 'x86_64';
		my @kernels = grep { $_->[3] =~ /^\[(vdso|vvar)/ } @maps;
		ok(
			$stays == (@kernels > 0),
			"$kind: the kernel's vDSO " . ($stays ? 'stays' : 'is gone')
		) || diag "left: ", map { $_->[3] } @kernels;
		my ($pages, $plain_pages) = map {
			my $sum = 0;
			$sum += $_->[1] - $_->[0] for grep { $_->[3] eq '' } maps($_);
			$sum;
		} $uvdso, $plain;
		# Between data page and image lies what only a namespace fills.
		is(
			$pages - $STRIDE, $plain_pages,
			"$kind: no memory without a name is left over from the start"
		);
		my @writable = grep { $_->[3] =~ /memfd/ && $_->[2] =~ /w/ } @maps;
		ok(!@writable, "$kind: no mapping of the vDSO can be written")
		    || diag map { "@$_" } @writable;

		SKIP: {
		       # Linux wants CAP_CHECKPOINT_RESTORE (40) or CAP_SYS_ADMIN (21) to change it.
		       # Who has neither lets the kernel exec, and needs ptrace(2).
			my ($cap) = slurp('/proc/self/status') =~ /^CapEff:\s+(\w+)/m;
			skip
			    'changing the exe link of a process needs CAP_CHECKPOINT_RESTORE or ptrace',
			    1
			    unless hex($cap) & (1 << 40 | 1 << 21)
			    || !run($UVDSO, 'run', '--follow', '/bin/true')->{status};
			is($uvdso->{exe}[0], $path, "$kind: /proc/PID/exe is the program");
		}
	}
}

my $start = program('start.pie');

# Arguments and environments that are unusual.
{
	my @many = map { "argument-$_" } 1 .. 5000;
	my ($plain, $uvdso) = both({}, $start, @many);
	is($uvdso->{argc}[0], 5001, 'five thousand arguments arrive');
	same($plain, $uvdso, [qw(argv cmdline)], '... each of them, and in /proc/PID/cmdline');

	my %env = map { ("NAME_$_" => $_ x 100) } 1000 .. 2299;
	($plain, $uvdso) = both({env => {%env, EMPTY => ''}}, $start);
	cmp_ok(
		length(join '', @{$uvdso->{env}}), '>', 500 << 10,
		'an environment of 500 KiB arrives'
	);
	is_deeply(
		$uvdso->{environ}, [join('', map { "$_|" } @{$uvdso->{env}})],
		'... as in /proc/PID/environ'
	);
	is_deeply(
		[sort @{$uvdso->{env}}], [sort map { "$_=" . ($env{$_} // '') } keys %env, 'EMPTY'],
		'... all of it'
	);

	# A quarter of the stack's limit, but always 128 KiB, is the kernel's limit for them.
	my @limited = ('/bin/sh', '-c', 'ulimit -s $1; shift; exec "$@"', 'sh');
	for ([256, 120], [1024, 250], [8192, 2040]) {
		my ($stack, $kib) = @$_;
		my @big = ('x' x 100_000) x int($kib * 1024 / 100_000);
		push @big, 'y' x ($kib * 1024 - 100_000 * @big - 1500);
		my @cmd = (program('end.pie'), 5, @big);
		is_status(
			run({env => {}}, @limited, $stack, @cmd), 5,
			"a plain start takes $kib KiB of arguments with a stack of $stack KiB"
		);
		is_status(
			run({env => {}}, @limited, $stack, $UVDSO, @RUN, @cmd), 5,
			'... and so does uvdso'
		);
	}

	my @cmd = ('/usr/bin/env', '-i', 'Z=1', 'D=2', 'A=3', 'C=4', 'B=5', $UVDSO, @RUN, $start);
	is_deeply(
		facts(run(@cmd)->{out})->{env}, ['Z=1', 'D=2', 'A=3', 'C=4', 'B=5'],
		'the environment keeps its order'
	);
	my $none = facts(run('/usr/bin/env', '-i', $UVDSO, @RUN, $start)->{out});
	ok(!exists $none->{env} && $none->{argc}, 'an empty environment stays empty');

	my $p = run({argv0 => ''}, $UVDSO, @RUN, $start);
	is_deeply(
		facts($p->{out})->{argv}, [$start],
		'uvdso may have an empty name itself: the program has its own'
	);
	is_deeply(
		facts(uvdso('-v', $start)->{out})->{argv}, [$start],
		'options of uvdso do not reach the program'
	);
	is_deeply(
		facts(uvdso($start, '-v', '--', '--offset')->{out})->{argv},
		[$start, '-v', '--', '--offset'], 'options of the program do not reach uvdso'
	);
}

# Fresh bits.
{
	my @random = map { facts(uvdso($start)->{out})->{random}[0] } 1 .. 3;
	my %different = map { $_ => 1 } @random;
	is(keys %different, 3, 'AT_RANDOM points to other bytes at each start') || diag "@random";
	ok(!grep({ /^(00)+$/ } @random), '... which are not all zero');

	my %where;
	for (1 .. 3) {
		my ($vector) = vector(facts(uvdso($start)->{out}));
		$where{$_}{$vector->{$_}} = 1 for AT_SYSINFO_EHDR, 3, 7;
	}
	is(keys %{$where{$_->[0]}}, 3, "each start puts $_->[1] elsewhere")
	    for [AT_SYSINFO_EHDR, 'the vDSO'], [3, 'the program'], [7, 'its interpreter'];
	SKIP: {
		skip 'setarch is not installed (package util-linux)', 1
		    unless -x '/usr/bin/setarch';
		my @fixed = map {
			my $p = run('/usr/bin/setarch', '-R', $UVDSO, @RUN, $start);
			my $facts = facts($p->{out});
			delete $facts->{random};
			$facts;
		} 1 .. 2;
		# AT_RANDOM's bytes are random all the same, but not where they lie.
		is_deeply($fixed[0]{auxv}, $fixed[1]{auxv}, 'setarch -R fixes all addresses');
	}
}

# What is inherited: masks, ignored signals, descriptors, limits.
{
	my %odd = (
		before => sub {
			POSIX::sigprocmask(
				POSIX::SIG_BLOCK(),
				POSIX::SigSet->new(POSIX::SIGUSR1())
			);
			$SIG{PIPE} = 'IGNORE';
			POSIX::dup2(0, 9);
			POSIX::setpgid(0, 0);
			# A pending signal stays with the process that it was sent to.
		}
	);
	my ($plain, $uvdso) = both(\%odd, $start);
	my ($blocked) = grep { /SigBlk/ } @{$uvdso->{signals}};
	my ($ignored) = grep { /SigIgn/ } @{$uvdso->{signals}};
	ok(
		hex((split ' ', $blocked)[1]) & 1 << POSIX::SIGUSR1() - 1,
		'a signal that uvdso was started with blocked is blocked'
	);
	ok(
		hex((split ' ', $ignored)[1]) & 1 << POSIX::SIGPIPE() - 1,
		'one that was ignored is ignored'
	);
	same($plain, $uvdso, ['signals'], '... and no others, and none is pending');
	same($plain, $uvdso, ['fd'], 'the open descriptors are those of a plain start');
	is(scalar(grep { /^9 / } @{$uvdso->{fd}}), 1, '... among them one that was handed down');

	ok(
		grep({ $_ eq 'renamed ' || $_ eq 'renamed' } @{$uvdso->{renamed}}),
		'a program can rename itself'
	);
}

# The first instruction, before any C library.
{
	my ($plain, $uvdso) = both({}, program('bare'));
	my %registers = (
		x86_64 => {rdx => 0, fs => 0, gs => 0, mxcsr => 0x1f80, fcw => 0x37f},
		aarch64 => {map { $_ => 0 } qw(x0 x29 x30 fpcr fpsr tpidr)},
		riscv64 => {map { $_ => 0 } qw(a0 ra tp fcsr)},
	);
	my %expected = (
		'sp-misaligned' => 0, argc => 1, rseq => 0, 'robust-list' => 0,
		'tid-address' => 0, %{$registers{$MACHINE}}
	);
	is(hex($uvdso->{$_}[0] // 'fff'), $expected{$_}, "at the entry $_ is $expected{$_}")
	    for sort keys %expected;
	is_deeply($uvdso, $plain, 'at the entry everything is as after a plain start');
}

# Memory that grows.
for my $kind (qw(pie nopie static static-pie)) {
	my $p = uvdso(program("memory.$kind"));
	is_status($p, 0, "$kind: a program may use six megabytes of stack and a large heap");
	is(
		$p->{out}, "stack\nblocks\nblocks in [heap]\nbrk\n",
		"$kind: small blocks come from [heap], which grows"
	);
}
{
	my @small = ('/bin/sh', '-c', 'ulimit -s 2048; exec "$@"', 'sh');
	my $p = run(@small, $UVDSO, @RUN, program('memory.pie'));
	is($p->{signal}, POSIX::SIGSEGV(), 'a stack limit of two megabytes is still the limit');

	is(
		uvdso(program('memory.execstack'), 'code')->{out}, "code on the stack gives 42\n",
		'a program that asks for an executable stack gets one'
	);
	is(
		uvdso(program('memory.pie'), 'code')->{signal}, POSIX::SIGSEGV(),
		'one that does not ask has none'
	);
}

# --keep-kernel-vdso
{
	my $facts = facts(uvdso('--keep-kernel-vdso', $start)->{out});
	ok(grep({ $_->[3] eq '[vdso]' } maps($facts)), '--keep-kernel-vdso keeps it mapped');
	my ($vector) = vector($facts);
	my ($image) = grep { $_->[0] == $vector->{+AT_SYSINFO_EHDR} } maps($facts);
	like($image->[3], qr/memfd:vdso/, '... and the vector leads to ours all the same');
}

done_testing;
