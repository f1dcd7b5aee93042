#!/usr/bin/perl
# runs.t - what make run shows of each exercise, with the finished source for the learner's; and what
# make mine shows of all of them.
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
my $top = getcwd();
my $tmp = tempdir('uvdso-runs-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $date = qr/^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \w+ \d{4}$/m;
my $time = qr/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9} UTC/;

# What is seen.
my %shows = (
	'00-setup' => qr/gone to CPU (\d+): your getcpu\(\) says CPU \1,.*$date/s,
	'01-system-call' => qr/naive.*yours.*\n  system call +[\d.]+ +[\d.]+.*By your numbers/s,
	'02-image' => qr/^  LOAD [^\n]* R E 0x1000\n.*ok \(\d+ rules\).*$date\n$date/ms,
	'03-versions' => qr/^__vdso_clock_gettime +LINUX_2\.6\n.*$date.*/ms,
	'04-auxv' =>
	    qr/envp +\d+ words.*clock says +$time.*COURSE|envp +2 words.*clock says +$time/s,
	'05-resolve' => qr/LINUX_2\.5 +not there.*It is $time.*that of uvdso.*It is $time/s,
	'05b-fallback' => qr/only DT_HASH is used.*LINUX_2\.5 +not there.*It is $time/s,
	'06-seqlock' =>
	    qr/TORN.*never was: [1-9]\d* times for the naive one, 0 times for yours.*$date/s,
	'07-cycles' => qr/in ns:.*#{50}/s,
	'08-timekeeper' => qr/gone back 0 times.*$date/s,
	'09-loader' => qr/r-xp  image.*r--s  data page.*r-xp  image.*$date/s,
	'10-programs' => qr/This is a shell\..*sh one two\n$date/s,
	'11-timens' => qr/\d/,
	'12-machines' => qr/us apart/,
	'12b-riscv64' => qr/us apart/,
	'13-getrandom' => qr/\d/,
	'14-signals' => qr/signal handler called.*ok 4/s,
	'15-debugging' =>
	    qr/kernel's vDSO: .*\d{4}\n.*our vDSO +: .*\d{4}\n.*no vDSO at all +: killed, status 159/s,
	'15b-faults' => qr/you +version __vdso_gettimeofday\n +checker +versions:/,
	'17-own-clock' => qr/at double speed:\n.*went back 0 times/s,
	'17b-rate' => qr/stopped.*went back 0 times/s,
	'17c-deadline' => qr/waits until.*hour.*waits until.*half the speed.*waits until/s,
	'10b-inject' => qr/(AT_SYSINFO_EHDR: +0x\w+\n).*(?!\1)AT_SYSINFO_EHDR: +0x\w+\n.*$date/s,
);

sub course {
	return capture({dir => "$tmp/uvdso", limit => 120}, qw(make -s --no-print-directory), @_);
}

# An exercise begins with the tree of the one before, which is brought up to date, since to make one
# takes longer than what is shown.
my $last;

sub hand_over {
	my ($name) = @_;
	my $trees = "$tmp/uvdso/work/.trees";
	rename "$trees/$last", "$trees/$name" or die "$trees/$last: $!\n" if defined $last;
	$last = $name;
	# It needs all of another machine.
	Course::Tree->new($top, "$trees/$name")->copy_built('i386') if $name eq '14-signals';
}

my @cards = Course::Card->all($top);
my $tree = Course::Tree->new($top, "$tmp/uvdso");
$tree->sync;
for my $card (@cards) {
	my $name = $card->{name};
	# A second exercise of a chapter may have nothing of its own.
	next if !-e "tutorial/run/$name" && $card->{id} =~ /[a-z]$/;
	ok(-x "tutorial/run/$name", "$name: there is something to run") or next;
	SKIP: {
		my ($lack) = grep { defined } map { Course::Needs::lacks($_) } @{$card->{needs}};
		skip $lack, 2 if defined $lack;
		hand_over($name);
	   # Who has not finished hears what is missing. (To begin the others would only take time.)
		if ($name =~ /^05-/) {
			course('start', "CH=$name");
			my $run = course('run', "CH=$name");
			ok(
				       $run->{status}
				    && $run->{out} =~ /is not finished.*\Q$card->{red}[0]\E/s,
				"$name: unfinished, it says what is missing"
			) or diag($run->{out});
		}
		spew("$tmp/uvdso/work/$name/$card->{file}", $card->finished);
		my $run = course('run', "CH=$name");
		ok(
			!$run->{status} && $run->{out} =~ ($shows{$name} // qr/\w/),
			"$name: finished, it shows something"
		) or diag("status $run->{status}\n$run->{out}");
	}
}
hand_over('mine');
my $run = course('mine');
my ($mine, $all) = $run->{out} =~ /^(\d+) of (\d+) parts are yours/m;
my $untested = () = $run->{out} =~ /this machine cannot test it$/mg;
ok(
	       !$run->{status}
	    && defined $mine
	    && $all == @cards
	    && $mine + $untested == $all
	    && $run->{out} =~ /ok \(\d+ rules\).*$date\n.*$date/s,
	'mine puts all of them together, and programs run on them'
) or diag($run->{out});
done_testing;
