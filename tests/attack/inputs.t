#!/usr/bin/perl
# inputs.t - hostile environments, offsets and images for `uvdso run`: it hands on the first, and
# takes or refuses the others with a sentence; it never dies of one.
use strict;
use warnings;
no warnings 'portable';    # numbers of 64 bits
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;

my $attacker = program('attacker.pie');
my $dir = temp_dir();

# ---- environment -----------------------------------------------------------------------------
my $native = run($attacker, 'strange', $attacker, 'environment')->{out};
like($native, qr/^environment 5\d\d /, 'an environment with doubles, gaps and 100000 bytes in one');
for my $how ([], ['--exec=hand'], ['--follow']) {
	my $p = run($attacker, 'strange', $UVDSO, 'run', @$how, '--', $attacker, 'environment');
	is($p->{out}, $native, "... arrives byte for byte: run @$how") || diag $p->{err};
}

# ---- offsets ---------------------------------------------------------------------------------
# A program that asks no clock, so that all which can happen is uvdso's doing.
my $small = program('small.static');

# 'taken', 'refused', or what else there was.
sub outcome {
	my ($p) = @_;
	return 'taken' if $p->{status} == 7 && !$p->{signal} && $p->{err} eq '';
	return 'refused'
	    if $p->{status} =~ /^12[56]$/
	    && !$p->{signal}
	    && $p->{out} eq ''
	    && $p->{err} =~ /\Auvdso: [^\n]+\n\z/;
	return "status $p->{status}, signal $p->{signal}: $p->{err}";
}

my @refused = (
	'', '+', '-', '+-1', '--1', ' +1', '+1 ', '+1x', "+1\n", '0x10', '+1e9', '+1.', '+.5',
	'+1.5.5', '1',
	'+9223372036854775807', '+9223372036854775808', '-9223372036854775808',
	'+18446744073709551616', '+106751991167301d', '+9223372037', '+' . '9' x 5000,
	'+1' . '0' x 5000, '-9223372036', '-106751d', "+\xff", '+%n%n%n'
);
my @taken = ('+0', '-0', '+1', '-1', '+1.5', '+00000000000000000000001', '+1000d', '+60m');
for my $clock (qw(realtime monotonic boottime tai)) {
	# All for one, the numbers for the others.
	my @these = grep { $clock eq 'realtime' || /^[-+]\d{5,20}$/ } @refused;
	my %got = map { $_ => outcome(uvdso('--offset', "$clock=$_", '--', $small)) } @these;
	is(
		join(', ', grep { $got{$_} ne 'refused' } @these), '',
		"$clock: offsets that are none, or beyond what a clock can show, are refused"
	    )
	    || diag map { substr($_, 0, 40) . ": $got{$_}\n" }
	    grep { $got{$_} ne 'refused' } @these;
}
my @not = grep { outcome(uvdso('--offset', "realtime=$_", '--', $small)) ne 'taken' } @taken;
is("@not", '', 'those that are, are taken');

# ---- images ----------------------------------------------------------------------------------
# With random mistakes, from a fixed seed: what is accepted lets a program run that does not call
# it, and what is not is refused by name. ATTACK_IMAGES=1000 for more.
my $images = $ENV{ATTACK_IMAGES} // 10;
my ($build) = $UVDSO =~ m{(.*)/};
my %seed = (ours => slurp((glob "$build/*/vdso.so")[0] // ''));
run($UVDSO, 'dump', '-o', "$dir/kernel.so");
$seed{"the kernel's"} = slurp("$dir/kernel.so");
my $state = 1;

sub draw { return ($state = ($state * 1103515245 + 12345) & 0x7fffffff) % $_[0] }

for my $whose (sort keys %seed) {
	my $bytes = $seed{$whose};
	SKIP: {
		skip 'there is no such image here', 1 if length $bytes < 1000;
		my (@odd, %count);
		for my $number (1 .. $images) {
			my $image = $bytes;
			for (0 .. draw(4)) {
				my $kind = draw(8);
				# Headers and tables first: there is more to be believed in them.
				my $at = draw($kind < 5 ? 1024 : length $image);
				substr $image, $at, 1, chr draw(256);
				$image = substr $image, 0, draw(length $image) if $kind == 7;
			}
			open my $file, '>', "$dir/image.so" or die;
			print $file $image;
			close $file;
			for my $how ([], ['--force'], ['--force', '--exec=hand']) {
				my $got =
				    outcome(uvdso(@$how, '--image', "$dir/image.so", '--', $small));
				$count{$got}++;
				push @odd, "image $number, @$how: $got"
				    if $got !~ /^(?:taken|refused)$/;
			}
		}
		is(
			scalar @odd, 0,
			"$images images like $whose with mistakes: refused by a sentence, or the program runs"
		) || diag map { "$_\n" } @odd;
		diag join ', ', map { "$count{$_} $_" } sort keys %count if $ENV{ATTACK_IMAGES};
	}
}

done_testing();
