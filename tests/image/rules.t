#!/usr/bin/perl
# rules.t - the linker names each rule that an image breaks.
#
# The script of this image, its objects, and one more that needs what nobody gives an image. Such a
# mistake breaks several rules at once, and each of them must be named. segments.t has the two rules
# about variables.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Build;
use RunTest;
use Test::More;

my $built = "$BUILD/$MACHINE";
my $dir = temp_dir();

sub written {
	my ($path, $text) = @_;
	open my $file, '>', $path or BAIL_OUT("$path: $!");
	print $file $text;
	close $file;
}

# What the linker says of the image with this in it; nothing if there is one.
sub said_of {
	my ($name, $code) = @_;
	my ($c, $o, $so) = map { "$dir/$name.$_" } qw(c o so);
	written($c, $code);
	my $cc = run(qw(gcc -O2 -fPIC -ffreestanding -fvisibility=hidden -c), $c, '-o', $o);
	BAIL_OUT("gcc: $cc->{err}") if $cc->{status};
	my $ld = run(
		qw(ld.bfd -shared -nostdlib -Bsymbolic --eh-frame-hdr -z noexecstack -T),
		"$built/vdso/vdso.lds",
		(map { matching("$built/vdso", $_) } '*.o', 'arch/*/*.o'),
		$o, '-o', $so
	);
	return $ld->{status} ? "$ld->{out}$ld->{err}" : '';
}

is(said_of('good', "static int unused __attribute__((unused));\n"), '', 'nothing wrong, an image');

my $head = <<'END';
#define EXPORTED __attribute__((visibility("default")))
extern EXPORTED int elsewhere, there(void);
EXPORTED unsigned again(void);
EXPORTED int *where(void);
EXPORTED int call(void);
EXPORTED const char *word(int);
END
for (
	[
		'thread', 'a variable of each thread',
		'unsigned again(void) { static __thread unsigned calls = 7; return calls++; }',
		'rule no-tls'
	],
	[
		'address', 'a variable that is elsewhere',
		'int *where(void) { return &elsewhere; }',
		'rule no-got: nobody fills in a table of addresses; a symbol',
		'rule no-relocations (RELA, JMPREL)'
	],
	[
		'call', 'a call of a function that is elsewhere',
		'int call(void) { return there() + 1; }',
		'rule no-got: nobody fills in a table of addresses; a call',
		'rule no-plt',
		'rule no-relocations (RELA, JMPREL)'
	],
	[
		'pointer',
		'a pointer constant',
		'const char *word(int n) { static const char *const words[] = {"one", "two"}; return words[n]; }',
		'rule no-data',
		'rule no-relocations (RELA, JMPREL)'
	],
    )
{
	my ($name, $what, $code, @rules) = @$_;
	my $said = said_of($name, "$head$code\n");
	for my $rule (@rules) {
		ok($said =~ /\Q$rule\E/, "$what breaks $rule")
		    or diag(
			"expected  no image, and a message that names the rule\n     got  ",
			$said || "an image, without a word\n"
		    );
	}
}
done_testing();
