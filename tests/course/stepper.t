#!/usr/bin/perl
# stepper.t - the page that steps through the sequence counter: its steps are those of the source, and
# its model hands out a wrong time exactly where a barrier or a check is off.
use strict;
use warnings;
use Digest::SHA 'sha1_hex';
use Test::More;
use lib 'tutorial/lib';
use Course::Files qw(slurp capture);
use Course::Markdown;

# The code of the model has one step, switch or source on a line, which is easily read here.
my $model = 'tutorial/site/theme/stepper.mjs';
my $text = slurp($model);
my @steps;
push @steps, {from => $1, line => $2} while $text =~ /\bfrom: '([^']+)', line: '([^']+)'/g;
my @sources;
while ($text =~ /\{ path: '([^']+)', names: \[([^\]]+)\], digest: '([^']+)' \}/g) {
	my ($path, $names, $digest) = ($1, $2, $3);
	push @sources, {path => $path, digest => $digest, names => [$names =~ /'([^']+)'/g]};
}
cmp_ok(scalar @steps, '>', 20, 'the steps and switches can be read from the model');
cmp_ok(scalar @sources, '>', 4, 'and the functions that they are taken from');

my %function;
for my $source (@sources) {
	$function{$_} = Course::Markdown::listing('.', "$source->{path}#$_")
	    for @{$source->{names}};

	# Without comments and layout.
	my $code = join "\n", @function{@{$source->{names}}};
	$code =~ s{/\*.*?\*/}{}gs;
	$code =~ s/\s+/ /g;
	my $digest = substr sha1_hex($code), 0, 12;
	is(
		$source->{digest}, $digest,
		"$source->{path}: the functions are what they were when the steps were written"
	    )
	    or diag(
		"why: the page says that it steps through @{$source->{names}}.\n",
		"Compare $model and words.mjs beside it with them, change what is different, ",
		"and put in the digest $digest"
	    );
}
is(
	join(
		"\n",
		map { "$_->{from}: $_->{line}" }
		    grep {
			index(($function{$_->{from}} // '') =~ s/\s+/ /gr, $_->{line} =~ s/\s+/ /gr)
			    < 0
		    } @steps
	),
	'',
	'each step and each switch is a line of the function that it names'
);

# The loads of a reader come in the order of the source, as far as the model has them.
my ($reader) = $text =~ /^export const READER = \[\n(.*?)^\]/ms;
my @order = $reader =~ /\bword: '(\w+)'/g;
my $body = $function{'read_hres()'};
$body =~ s/vdso_read_begin\(vd\)/$function{'vdso_read_begin()'}/;
$body =~ s/ns_at\([^;]*?\)\)\)/$function{'ns_at()'}/;
$body =~ s/!vdso_read_retry\(vd, seq\)/$function{'vdso_read_retry()'}/;
my %word = (
	seq => 'seq', clock_mode => 'mode', cycle_last => 'last', mult => 'mult', nsec => 'nsec',
	sec => 'sec'
);
my @loads = map { $word{$_} // () }
    $body =~ /(?:read_once\w*|atomic_load_explicit)\(&vd->(?:basetime\[clock\]\.)?(\w+)/g;
is("@order", "@loads", 'the reader of the model loads in the order of read_hres()');

my ($writer) = $text =~ /^export const WRITER = \[\n(.*?)^\]/ms;
my @stores = map { $word{$_} // () }
    map { /write_once\w*\(&\w+->(\w+)/g } @function{qw(set_line() set_base())};
is(
	join(' ', grep { $_ ne 'seq' } $writer =~ /\bword: '(\w+)'/g), "@stores",
	'and its writer stores in the order of the timekeeper'
);

SKIP: {
	skip 'node 18 is not installed', 1
	    if system(
		"node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' >/dev/null 2>&1"
	    );
	my $run = capture({limit => 60}, 'node', 'tests/course/stepper.mjs');
	is($run->{status}, 0, 'the model does what the page says, in all orders of steps')
	    or diag($run->{out});
	note($run->{out});
}
done_testing;
