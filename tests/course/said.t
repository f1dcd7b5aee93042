#!/usr/bin/perl
# said.t - what compiler and linker say of a learner's copy names its file and its line, also in linker
# scripts, which the linker sees only after the preprocessor, and in the middle of a macro.
use strict;
use warnings;
use Cwd 'getcwd';
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib', 'tutorial/lib';
use Build;
use Course::Card;
use Course::Files qw(slurp spew capture);
use Course::Needs;
use Course::Tree;

$ENV{LC_ALL} = 'C';
$ENV{NO_COLOR} = 1;
my $tmp = tempdir('uvdso-said-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $tree = Course::Tree->new(getcwd(), "$tmp/uvdso");
$tree->sync;
my %card = map { $_->{id} => $_ } Course::Card->all(getcwd());

# Of the finished file: what is changed, and what is in the line that must be named.
my @cases = (
	[
		'03', 'a semicolon is missing in a macro', sub { s/__vdso_time;/__vdso_time / },
		qr/clock_getres; /
	],
	[
		'03', 'a node has a word that is none', sub { s/global: /gloal: / },
		qr/gloal:|clock_gettime; /
	],
	[
		'03', 'a name that no object has', sub { s/__vdso_getcpu;/__vdso_getcp; / },
		qr/__vdso_getcp;/
	],
	['02', 'a semicolon is missing in a list', sub { s/(FILEHDR PHDRS);/$1 / }, qr/PT_DYNAMIC/],
	[
		'02', 'a rule of their own is broken',
		sub { $_ .= "\nASSERT(SIZEOF(.text) == 4, \"four bytes\")\n" }, qr/four bytes/
	],
	[
		'02', 'a segment may be written and executed',
		sub { s/PT_LOAD FLAGS\(5\)/PT_LOAD FLAGS(7)/ }, qr/FLAGS\(7\)/
	],
	[
		'06', 'a name that no one knows',
		sub { s/vdso_read_begin\(vd\)/vdso_read_first(vd)/ }, qr/vdso_read_first/
	],
	[
		'06', 'a function that is declared and not there',
		sub {
			s/(vdso_read_begin)\(vd\)/missing_$1(vd)/
			    and
			    s/^(static INLINE bool is_coarse)/u32 missing_vdso_read_begin(const struct vdso_data *vd);\n\n$1/m;
		},
		qr/missing_vdso_read_begin\(vd\);/
	],
);
for my $ld ('ld.bfd', 'ld.lld') {
	SKIP: {
		my $lack = $ld eq 'ld.lld' ? Course::Needs::lacks($ld) : undef;
		skip $lack, scalar @cases if defined $lack;
		for (@cases) {
			my ($id, $what, $change, $line) = @$_;
			# Two are GNU ld's alone, and one time is enough for what the compiler says.
			next if $ld eq 'ld.lld' && ($id eq '06' || $what =~ /segment/);
			my $card = $card{$id};
			my $copy = "work/$card->{name}/$card->{file}";
			local $_ = $card->finished;
			my $before = $_;
			$change->();
			$_ ne $before or BAIL_OUT("$what: the change does not fit");
			my @text = split /^/;
			capture({dir => "$tmp/uvdso", limit => 120}, qw(make -s start), "CH=$id")
			    if !-e "$tmp/uvdso/$copy";
			spew("$tmp/uvdso/$copy", $_);
			my $run = capture(
				{dir => "$tmp/uvdso", limit => 120}, qw(make -s check),
				"CH=$id", "LD=$ld"
			);
			my ($named) = $run->{out} =~ /^  (?:[^\n]*ld[^\n]*: )?\Q$copy\E:(\d+):/m;
			# GNU ld says it from 2.39 on.
			next if $what =~ /segment/ && $run->{out} !~ /RWX/;
			ok(
				$run->{status} && defined $named && $text[$named - 1] =~ $line,
				"$ld: $what: the line of the copy is named"
			) or diag($run->{out});
		}
	}
}
done_testing;
