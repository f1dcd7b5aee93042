#!/usr/bin/perl
# capstone.t - the exercise of chapter 16 takes any function that is right, and refuses what is not, with the
# words that lead to the cause.
#
# The right ones are whole answers, in tests/course/capstone/. The wrong ones change the project's own, or one
# of these.
use strict;
use warnings;
use Test::More;
use lib 'tutorial/lib', 'tests/lib';
use Course::Card;
use Course::Files qw(slurp);
use Course::Needs;
use Course::Proof;

my $top = '.';
my $card = Course::Card->read($top, '16-measuring');
my %answer = (
	own => $card->region,
	map { $_ => slurp("tests/course/capstone/$_.c") } qw(since uptime where)
);

# Without one, what reads a fine clock is wrong at once.
my $counter = !Course::Needs::lacks('tsc');

# What is wrong, in which answer, and how; and what the learner must read.
my @wrong = (
	[
		'its node lists a name that nothing has', 'since',
		sub { s/ ns_since; \}/ ns_sinse; }/ },
		qr/the node lists a name, and there is no function of that name/
	],
	[
		'no node lists it', 'own',
		sub { s/^\t(?:global:|\t(?:__vdso_)?coarse_ns;) +\\\n//mg },
		qr/__vdso_coarse_ns is in the image, but hidden/
	],
	[
		'its node is one of Linux', 'where', sub { s/WHERE/LINUX_5.0/ },
		qr/cpu_and_node: LINUX_5\.0.*a promise of Linux/s
	],
	[
		'its node is that of all others', 'since', sub { s/MINE_1/LINUX_2.6/ },
		qr/duplicate version tag|a promise of Linux/
	],
	[
		'no plain name', 'since', sub { s/ ns_since; \}/ }/ },
		qr/ns_since: not there.*EXPORT makes both/s
	],
	[
		'its plain name is another function',
		'where',
		sub {
			s/^EXPORT\(u32, cpu_and_node, \(void\)\)/VDSO_EXPORTED u32 cpu_and_node(void);\nVDSO_EXPORTED u32 __vdso_cpu_and_node(void);\nu32 cpu_and_node(void)\n{\n\treturn 0;\n}\n\nu32 __vdso_cpu_and_node(void)/m;
		},
		qr/cpu_and_node is not weak/
	],
	[
		'its plain name is of the C library', 'own',
		sub { s/coarse_ns\b/clock/g; s/, clock_ns_fn/$&/g },
		qr/clock is a function of the C library/
	],
	[
		'its name is taken', 'own',
		sub { s/EXPORT\(long, coarse_ns, /EXPORT(long, time, /; s/coarse_ns;/time;/g },
		qr/multiple definition.*a name that is taken already/s
	],
	[
		'it counts its calls',
		'where',
		sub {
			s/^EXPORT/static u32 calls;\n\n$&/m;
			s/\treturn both >>/\tcalls++;\n\tboth += calls;\n$&/;
		},
		qr/rule no-bss.*share one image/s
	],
	[
		'a table of pointers',
		'where',
		sub {
			s/^EXPORT/static const char *const table[] = {"a", "b"};\n\n$&/m;
			s/\treturn both >>/\tif (table[both & 1] == (void *)1)\n\t\treturn 1;\n$&/;
		},
		qr/rule no-relocations.*nobody puts an address/s
	],
	[
		'it calls a function that is not in the image', 'since',
		sub { s/VDSO_PREFIX\(clock_gettime\)/__vdso_clock_read/g },
		qr/undefined|undefined reference/
	],
	[
		'nobody has written down what it does', 'uptime', sub { s{/\*.*?\*/}{}s },
		qr/no prototype of tenths/
	],
	[
		'no system call is named', 'since', sub { s/clock_gettime\(2\)/nothing/ },
		qr/no system call/
	],
	[
		'a table fills the image',
		'where',
		sub {
			s/^EXPORT/static const u8 table[4096] = {1, 2};\n\n$&/m;
			s/\treturn both >>/\tboth += table[both];\n$&/;
		},
		qr/fits into two pages/
	],
	[
		'the namespace is passed over',
		'own',
		sub {
			s/VDSO_PREFIX\(clock_gettime\)\(VDSO_CLOCK_MONOTONIC_COARSE, &now\)/arch_syscall2(ARCH_NR_CLOCK_GETTIME, VDSO_CLOCK_MONOTONIC_COARSE, (long)&now)/;
		},
		qr/in a time namespace.*must add the offset/s
	],
	[
		'another clock where it falls back',
		'uptime',
		sub {
			s/ARCH_NR_CLOCK_GETTIME, VDSO_CLOCK_BOOTTIME/ARCH_NR_CLOCK_GETTIME, VDSO_CLOCK_REALTIME/;
		},
		$counter ? qr/without a usable counter.*not from/s : qr/not from/
	],
	[
		'no look at the mode', 'uptime',
		sub { s/vd->clock_mode != VDSO_CLOCKMODE_COUNTER \|\| // },
		$counter
		? qr/without a usable counter.*the mode of the data page is NONE/s
		: qr/not from/
	],
	[
		'it waits for an even number',
		'own',
		sub {
			s/\tu32 seq = vdso_read_begin\(vd\);/\tu32 seq;\n\n\twhile ((seq = vdso_read_begin(vd)) & 1)\n\t\tarch_relax();/;
			s/(\t\twhile|\tstruct answer now)/$1/;
		},
		qr/in a time namespace.*it did not end/s
	],
	[
		'always a system call',
		'since',
		sub {
			s/VDSO_PREFIX\(clock_gettime\)\(VDSO_CLOCK_MONOTONIC, &now\)/arch_syscall2(ARCH_NR_CLOCK_GETTIME, VDSO_CLOCK_MONOTONIC, (long)&now)/;
			s/^VDSO_EXPORTED.*\n//m;
		},
		qr/in a time namespace/
	],
	[
		'always a system call, of one that no namespace shifts',
		'where',
		sub {
			s/\treturn both >> ARCH_NODE_SHIFT << 16/\tarch_syscall2(ARCH_NR_CLOCK_GETTIME, 0, 0);\n$&/;
		},
		qr/1000 system calls, number 228/
	],
	[
		'the program looks at nothing', 'where',
		sub { s/now == before;/true;/; s/now != before/now == 77777777/ },
		qr/the program notices.*a thousand right answers/s
	],
	[
		'any version will do', 'uptime',
		sub { s/dlvsym\(vdso, "tenths", "TENTHS_1.0"\)/dlsym(vdso, "tenths")/ },
		qr/another version.*took the function/s
	],
	[
		'the program cannot do without', 'where',
		sub { s/function \? (.*) : by_kernel\(\)/$1/ }, qr/killed by signal 11/
	],
);

# One tree for all, in which make builds what own.c takes part in.
my $tree = Course::Proof->new($top)->scratch;

sub first_failure {
	my ($region) = @_;
	$tree->sync('vdso-src/own.c' => $card->replace($card->finished, $region));
	my ($first) = grep { !$_->{ok} } $tree->run_test('image/own');
	return $first ? "$first->{text}\n" . $first->{diag} =~ s/^# ?//mgr : '';
}

for my $name (qw(since uptime where)) {
	is(first_failure($answer{$name}), '', "$name.c is right, too");
}
for (@wrong) {
	my ($what, $name, $change, $words) = @$_;
	local $_ = $answer{$name};
	$change->();
	isnt($_, $answer{$name}, "$name.c can be changed: $what");
	like(first_failure($_), $words, "refused: $what");
}
done_testing();
