#!/usr/bin/perl
# mutants.t - mistakes in the image's clock code, each of which a test must notice.
#
# A copy of vdso-src/ is changed in one place, the image's C is built from it on the machine made for
# tests, and fake and interleave are run on that. One of them must fail. The mistakes are those that
# were made in real vDSOs, and those that are easily made when this one is changed.
#
# A change that no longer fits the source is a failure as well: then the line in the table below wants
# to be brought up to date. Not in the table is what nobody can notice, here or elsewhere: a division
# inside the retry loop (it only takes long), a barrier that is missing (fake.h keeps all loads in order).
use strict;
use warnings;
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build;

$ENV{LC_ALL} = 'C';
my ($cc) = grep { !system "command -v $_ >/dev/null 2>&1" } qw(gcc clang);
plan(skip_all => 'no compiler') unless $cc;

my $tmp = tempdir(CLEANUP => 1);
my @programs = qw(fake interleave);

# [what is wrong, file below vdso-src, change of its text]
my ($gettime, $seqcount, $cycles) =
    ('gettime.c', map { "include/vdso/$_" } qw(seqcount.h cycles.h));
my $retry = qr/if \(likely\(!vdso_read_retry\(vd, seq\)\)\)\s*return true;/;
my @mutants = (
	# the sequence counter
	[
		'a fine clock does not look at the number again', $gettime,
		sub { s/(\*sec = [^\n]*\n\s*)$retry/$1return true;/ }
	],
	[
		'a coarse clock does not look at the number again', $gettime,
		sub { s/return likely\(!vdso_read_retry\(vd, seq\)\)/return true/ }
	],
	[
		'an odd number is as good as an even one', $gettime,
		sub { s/(read_hres\(.*?)unlikely\(seq & 1\)/${1}0/s }
	],
	[
		'an odd number is as good as an even one for coarse clocks', $gettime,
		sub { s/(gettime_coarse\(.*?)unlikely\(seq & 1\)/${1}0/s }
	],
	[
		'... in the second copy', $gettime,
		sub { s/(seq = vdso_read_begin\(copy\);\s*)if \(seq & 1\)/$1if (0)/ }
	],
	[
		'a coarse reader waits for the first copy', $gettime,
		sub { s/copy = &vd\[CS_RAW\]/copy = vd/ }
	],
	[
		'a coarse reader reads the first copy under the number of the second', $gettime,
		sub { s/read_copy\(copy, \(u32\)clock/read_copy(vd, (u32)clock/ }
	],
	[
		'what the kernel says is not dropped when the data page has come back', $gettime,
		sub { s/if \(!vdso_read_retry\(vd, first\)\)\s*return ret;/return ret;/ }
	],
	[
		'it is dropped always', $gettime,
		sub { s/if \(!vdso_read_retry\(vd, first\)\)(\s*return ret;)/if (0)$1/ }
	],
	[
		'the second look at the number comes before the copy', $gettime,
		sub {
			s/(bool read_copy\([^\n]*\n\{\n)(.*?)return likely\(!vdso_read_retry\(vd, seq\)\);/$1\tbool bad = vdso_read_retry(vd, seq);\n\n$2return !bad;/s;
		}
	],
	[
		'the counter is read before the number', $gettime,
		sub {
			s/(read_hres\(.*?\{\n)(.*?)arch_counter\(\)/$1\tu64 now = arch_counter();\n$2now/s;
		}
	],
	[
		'the seconds are read after the second look', $gettime,
		sub {
			s/(\t\t\*sec = [^\n]*\n)(\t\tif \(likely\(!vdso_read_retry\(vd, seq\)\)\))\s*return true;/$2 {\n$1\t\t\treturn true;\n\t\t}/;
		}
	],
	[
		'a reader that gives up hands out what it has', $gettime,
		sub { s/(read_hres\(.*?return true;\s*\}\s*)return false;/$1return true;/s }
	],
	['a reader waits for ever', $gettime, sub { s/tries > 0; tries--/tries > 0;/ }],
	[
		'a coarse reader waits for ever', $gettime,
		sub { s/(gettime_coarse\(.*?)tries > 0; tries--/$1tries > 0;/s }
	],
	[
		'a reader gives up at once', $gettime,
		sub { s/#define MAX_TRIES \d+/#define MAX_TRIES 1/ }
	],
	[
		'a coarse reader does not wait for a data page that comes back', $gettime,
		sub { s/(tries = )ARCH_COARSE_WAITS/${1}256/ }
	],
	[
		'the number is compared for order', $seqcount,
		sub { s/memory_order_relaxed\) != start/memory_order_relaxed) > start/ }
	],
	[
		'the number is compared without its low bits', $seqcount,
		sub {
			s/return (atomic_load[^;]*memory_order_relaxed\)) != start/return ($1 ^ start) >> 2/;
		}
	],
	['the writer does not step at the end', $seqcount, sub { s/begun\.seq \+ 1/begun.seq/ }],
	['the writer does not step at the beginning', $seqcount, sub { s/\(seq \+ 1\) \| 1/seq/ }],
	[
		'the heir of a dead writer makes the number even', $seqcount,
		sub { s/\(seq \+ 1\) \| 1/seq + 1/ }
	],
	[
		'an abandoned data page comes back without a word', $seqcount,
		sub { s/now\.clock_mode = VDSO_CLOCKMODE_NONE;/;/ }
	],

	# the counter
	[
		'the mask comes before the subtraction', $cycles,
		sub { s/\(now - last\) & mask/(now & mask) - last/ }
	],
	['no mask', $cycles, sub { s/\(now - last\) & mask/now - last/ }],
	[
		'a counter that is behind is not noticed', $cycles,
		sub { s/return delta > mask >> 1/return false/ }
	],
	['behind begins one late', $cycles, sub { s/delta > mask >> 1/delta > (mask >> 1) + 1/ }],
	['behind begins one early', $cycles, sub { s/delta > mask >> 1/delta >= mask >> 1/ }],
	['behind is what is behind in 64 bits', $cycles, sub { s/delta > mask >> 1/delta >> 63/ }],
	[
		'no clamp to the base', $gettime,
		sub { s/(vdso_delta_negative\(delta, mask\)\)\n\s*)delta = 0;/$1;/ }
	],
	[
		'an old base is good for ever', $gettime,
		sub { s/(else if \(delta > max\)\n\s*)return false;/$1;/ }
	],
	[
		'max_cycles is too old already', $gettime,
		sub { s/(max = read_once64\(&vd->max_cycles\))/$1 - 1/ }
	],
	[
		'max_cycles + 1 is not too old', $gettime,
		sub { s/(max = read_once64\(&vd->max_cycles\))/$1 + 1/ }
	],
	[
		'a counter that wraps is never masked', $gettime,
		sub { s/delta = vdso_delta\(now, last, mask\);/delta = now - last;/ }
	],
	[
		'the product has 32 bits', $cycles,
		sub { s/base \+ delta \* mult/base + (u32)(delta * mult)/ }
	],
	[
		'mult has a sign', $cycles,
		sub { s/base \+ delta \* mult/base + delta * (u64)(int32_t)mult/ }
	],
	[
		'the shift comes before the base', $gettime,
		sub {
			s/\*ns = snsec >> ([^;]*);/*ns = ((snsec - vd->basetime[clock].nsec) >> $1) + (vd->basetime[clock].nsec >> $1);/;
		}
	],
	[
		'mode NONE reads the counter', $gettime,
		sub { s/read_once_s32\(&vd->clock_mode\) == VDSO_CLOCKMODE_NONE/0/ }
	],

	# a data page that nobody keeps
	[
		'an abandoned data page is waited for', $gettime,
		sub { s/>= VDSO_CLOCKMODE_ABANDONED/> VDSO_CLOCKMODE_ABANDONED/ }
	],
	[
		'time() believes an abandoned data page, and an update under way', $gettime,
		sub { s/unlikely\(seq & 1 \|\| (vdso_read_retry)/unlikely($1/ }
	],
	[
		'time() does not look at the number again', $gettime,
		sub {
			s/unlikely\(seq & 1 \|\| vdso_read_retry\(vd, seq\)\)\)(\s*return time_slow)/seq & 1)$1/;
		}
	],
	[
		'a coarse clock falls back to the kernel\'s coarse clock', $gettime,
		sub { s/s32 fine = clock - [^;]*;/s32 fine = clock;/ }
	],
	[
		'... when its patience is at an end', $gettime,
		sub { s/(\}\n\treturn ask_kernel\()fine/$1clock/ }
	],

	# the clocks
	[
		'RAW goes by the disciplined base', $gettime,
		sub { s/bit & VDSO_RAW \? &vd\[CS_RAW\] : vd/vd/ }
	],
	[
		'everything goes by the base of RAW', $gettime,
		sub { s/bit & VDSO_RAW \? &vd\[CS_RAW\] : vd/&vd[CS_RAW]/ }
	],
	[
		'a negative clock id is taken for a small one', $gettime,
		sub { s/(int gettime\(.*?)\(u32\)clock < VDSO_BASES/$1clock < VDSO_BASES/s }
	],
	[
		'alarms are taken for fine clocks',
		$gettime,
		sub {
			s/bit & \(VDSO_HRES \| VDSO_RAW\)\)\)/bit & (VDSO_HRES | VDSO_RAW | 0x300)))/;
		}
	],
	['a second is one too long', $gettime, sub { s/ns >= NSEC_PER_SEC/ns > NSEC_PER_SEC/ }],
	['only one second is carried', $gettime, sub { s/while (\(ns >= NSEC_PER_SEC\))/if $1/ }],
	['the carried second is lost', $gettime, sub { s/\t\tsec\+\+;\n// }],
	[
		'an error changes its sign', $gettime,
		sub { s/return ret \? ret : vd/return ret ? -ret : vd/ }
	],
	[
		'an error is swallowed',
		$gettime,
		sub { s/return ret \? ret : vd/return vd/ }
	],

	# namespaces
	[
		'the page of offsets looks like a writer at work', $gettime,
		sub { s/(read_hres\(.*?)if \(nothing_to_wait_for\(vd\)\)\s*return false;/$1/s }
	],
	[
		'... to a coarse reader', $gettime,
		sub {
			s/(gettime_coarse\(.*?)if \(nothing_to_wait_for\(vd\)\)/$1if (read_once_s32(&vd->clock_mode) == VDSO_CLOCKMODE_ABANDONED)/s;
		}
	],
	[
		'no offset',
		$gettime,
		sub { s/(\tns \+= read_once64\(&vd->offset[^\n]*\n\tset_timespec)/\treturn 0;\n$1/ }
	],
	[
		'the offset is added twice', $gettime,
		sub { s/(\tsec \+= \(u64\)read_once_s64\(&vd->offset[^\n]*\n)/$1$1/ }
	],
	[
		'the nanoseconds of an offset are forgotten', $gettime,
		sub { s/\tns \+= read_once64\(&vd->offset[^\n]*\n// }
	],
	['an offset has no sign', $gettime, sub { s/\(u64\)(read_once_s64\(&vd->offset)/(u32)$1/ }],
	[
		'the offset is added to what an error left', $gettime,
		sub { s/if \(ret < 0 \|\| (\(u32\)clock >= VDSO_BASES\)\s*return ret)/if ($1/ }
	],
	[
		'ids above 11 have offsets', $gettime,
		sub { s/(ret < 0 \|\| \(u32\)clock) >= VDSO_BASES/$1 > VDSO_BASES/ }
	],
	[
		'alarms have no offset', $gettime,
		sub {
			s/(ret < 0 \|\| \(u32\)clock >= VDSO_BASES)/$1 || (VDSO_BIT(clock) \& 0x300)/;
		}
	],
	[
		'what the kernel answers has all offsets added', $gettime,
		sub { s/vd \+= CS_KERNEL;/vd += CS_RAW;/ }
	],
	[
		'... and so has what the data page says', $gettime,
		sub { s/if \(ret\)(\s*vd \+=)/if (1)$1/ }
	],
	[
		'a coarse clock of a namespace is read whatever its number', $gettime,
		sub {
			s/ \|\| \(seq = vdso_read_begin\(data\)\) & 1/ || (seq = vdso_read_begin(data), 0)/;
		}
	],
	[
		'a fine clock of a namespace is read as a coarse one', $gettime,
		sub { s/!is_coarse\(clock\) \|\| // }
	],
	[
		'what a system call answers is not shifted',
		$gettime,
		sub {
			s/(\t\}\n\t)if \(is_namespace\(vd\)\)(\s*return gettime_timens)/$1if (is_namespace(vd) \&\& (u32)clock < VDSO_BASES \&\& (VDSO_BIT(clock) & (VDSO_HRES | VDSO_RAW | VDSO_COARSE)))$2/;
		}
	],
	[
		'time() of a namespace is that of MONOTONIC_COARSE', $gettime,
		sub { s/gettime\(VDSO_CLOCK_REALTIME_COARSE/gettime(VDSO_CLOCK_MONOTONIC_COARSE/ }
	],
	[
		'the time zone is the page of offsets\'', $gettime,
		sub { s/(unlikely\(tz\).*?)if \(is_namespace\(vd\)\)/$1if (0)/s }
	],
	[
		'the resolution is the page of offsets\'', $gettime,
		sub { s/(ns;\s*)if \(unlikely\(is_namespace\(vd\)\)\)/$1if (0)/ }
	],
	[
		'gettimeofday() asks the kernel past the namespace', $gettime,
		sub { s/if \(!is_namespace\(vd\)\)/if (1)/ }
	],

	# the other functions
	['gettimeofday() needs a tv', $gettime, sub { s/if \(likely\(tv\)\)/if (1)/ }],
	['gettimeofday() needs a tz', $gettime, sub { s/if \(unlikely\(tz\)\)/if (1)/ }],
	['gettimeofday() gives nanoseconds', $gettime, sub { s/(tv_nsec) \/ NSEC_PER_USEC/$1/ }],
	[
		'gettimeofday() asks the kernel without tz', $gettime,
		sub { s/\(long\)tv, \(long\)tz\)/(long)tv, 0)/ }
	],
	[
		'gettimeofday() loses an error', $gettime,
		sub {
			s/(gettimeofday_slow\(tv, tz, &ts\);\s*)if \(ret <= 0\)\s*return ret;/$1(void)ret;/;
		}
	],
	['time() stores at NULL', $gettime, sub { s/if \(result\)\s*// }],
	['time() does not store', $gettime, sub { s/\*result = now/(void)result/ }],
	['... where it is slow', $gettime, sub { s/\*result = ret/(void)result/ }],
	['clock_getres() stores at NULL', $gettime, sub { s/if \(likely\(res\)\) \{/{/ }],
	['clock_getres() leaves the seconds', $gettime, sub { s/\tres->tv_sec = 0;\n//g }],
	[
		'clock_getres() takes coarse for fine',
		$gettime,
		sub {
			s/(ns = read_once32\(&vd->)hrtimer_res/$1coarse_res/;
		}
	],
	['getcpu() stores at NULL', 'getcpu.c', sub { s/if \(node\)\s*// }],
	[
		'getcpu() gives the node for the CPU', 'getcpu.c',
		sub { s/both & ARCH_CPU_MASK/both >> ARCH_NODE_SHIFT/ }
	],
);

sub slurp { open my $fh, '<', $_[0] or BAIL_OUT("$_[0]: $!"); local $/; return scalar <$fh> }

sub spew {
	my ($path, $text) = @_;
	open my $fh, '>', $path or BAIL_OUT("$path: $!");
	print $fh $text;
	close $fh;
}

# Builds and runs the tests on a source tree. Gives '' if both pass, what failed, or undef with a
# message if it cannot be built. What is the same for all trees is built once, and outside of them.
my $flags = '-std=gnu11 -O1 -w -D_GNU_SOURCE';

sub test_tree {
	my ($tree, $own_tests) = @_;
	my $include = "-I@{[quoted($tree)]}/include -I@{[quoted($tree)]}/arch/fake";
	my $said =
	    `$cc $flags $include -c @{[quoted($tree)]}/gettime.c -o @{[quoted($tree)]}/gettime.o 2>&1`;
	$said .=
	    `$cc $flags $include -c @{[quoted($tree)]}/getcpu.c -o @{[quoted($tree)]}/getcpu.o 2>&1`
	    unless $?;
	return (undef, $said) if $?;
	for my $program (@programs) {
		my $object = $own_tests ? "$tree/$program.o" : "$tmp/$program.o";
		if (!-e $object) {
			$said =
			    `$cc $flags $include -Itests/lib -c 'tests/vdso/$program.c' -o @{[quoted($object)]} 2>&1`;
			return (undef, $said) if $?;
		}
		$said =
		    `$cc @{[quoted($object)]} @{[quoted($tree)]}/gettime.o @{[quoted($tree)]}/getcpu.o -o @{[quoted($tree)]}/$program 2>&1`;
		return (undef, $said) if $?;
		# A mutant may go round in circles, or write where it may not.
		my $out = `ulimit -c 0; timeout 5 @{[quoted($tree)]}/$program 2>&1`;
		return $out =~ /^(not ok .*)/m ? $1 : "$program: status $?" if $?;
	}
	return '';
}

sub copy_tree {
	my ($name) = @_;
	system('cp', '-r', 'vdso-src', "$tmp/$name") == 0 or BAIL_OUT('cannot copy vdso-src');
	return "$tmp/$name";
}

my ($verdict, $said) = test_tree(copy_tree('unchanged'));
is($verdict, '', 'the tests pass on the source as it is') or BAIL_OUT($said // $verdict);

for my $i (0 .. $#mutants) {
	my ($what, $file, $change) = @{$mutants[$i]};
	my $tree = copy_tree("mutant$i");
	my $before = slurp("$tree/$file");
	my $changed;
	{ local $_ = $before; $change->(); $changed = $_; }
	if ($changed eq $before) {
		fail("$what: noticed");
		diag("the change no longer fits $file: bring it up to date");
		next;
	}
	spew("$tree/$file", $changed);
	# The writer of seqcount.h is in the tests.
	($verdict, $said) = test_tree($tree, $file eq $seqcount);
	if (!defined $verdict) {
		fail("$what: noticed");
		diag("it cannot be built, so it proves nothing:\n$said");
	} elsif (!ok($verdict ne '', "$what: noticed")) {
		diag("expected: fake or interleave fails on it\n     got: both pass");
	} else {
		note($verdict);
	}
	system('rm', '-rf', $tree);
}
done_testing();
