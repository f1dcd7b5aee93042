#!/usr/bin/perl
# words.t - --help, the manual page and bash completion speak of the same commands and options.
#
# All three are written by hand, or nearly so; an option that one of them lacks does not exist for
# its reader. The options are compared one by one: `uvdso CMD --help` is what the parser knows, the
# manual page is read as source, and the completion is run, as bash runs it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd 'abs_path';
use RunTest;
use Test::More;

my $TOP = abs_path("$FindBin::Bin/../..");
my $MANUAL = "$TOP/loader/cli/uvdso.1";
my $COMPLETION = "$TOP/loader/cli/uvdso.bash-completion";

sub help { return run($UVDSO, @_, '--help')->{out} }

# ---- what --help says ---------------------------------------------------------------------
# COMMAND => {OPTION => what its argument is called, or ''}; '' is uvdso itself.
my @commands = help() =~ /^Commands:\n((?:  .*\n)+)/m ? $1 =~ /^  (\w+) /mg : ();
my %help;
for my $command ('', @commands) {
	my ($options) = help(split ' ', $command) =~ /^Options:\n((?: .*\n)+)/m;
	for (split /\n/, $options // '') {
		my ($letter, $name, $arg) = /^  (?:(-\w),|   ) (--[\w-]+)(?: (\S+))?(?:  |$)/
		    or next;
		$help{$command}{$_} = $arg // '' for grep { defined } $letter, $name;
	}
}
cmp_ok(scalar @commands, '>=', 9, '--help lists the commands');
is_deeply(
	[grep { !$help{$_}{'--help'} && !exists $help{$_}{'-h'} } '', @commands], [],
	'... and each has --help and -h'
);
is_deeply($help{run}, $help{trace}, 'run and trace have the same options');

for my $command ('', @commands) {
	my @words = split ' ', $command;
	my $long = run($UVDSO, @words, '--help');
	is_status($long, 0, "uvdso @words --help is no error");
	is($long->{err}, '', '... and says nothing on standard error');
	is_deeply(
		[map { run($UVDSO, @$_)->{out} } [@words, '-h'], ['help', @words]],
		[($long->{out}) x 2],
		"... uvdso @words -h and uvdso help @words say the same"
	);
	like($long->{out}, qr/\Ausage: uvdso/, '... the usage first');
	is_deeply(
		[grep { length > 80 && !/^  [a-z-]+ +\S/ } split /\n/, $long->{out}], [],
		'... in 80 columns'
	);
	like(
		$long->{out}, qr/^Exit status:\n(?:  .+\n)+\z/m,
		'... and at the end the exit statuses'
	);
}
like(help($_), qr/^  125 .*\n  126 .*\n  127 /m, "$_ says what 125 to 127 mean")
    for qw(run trace gdb);
like(help($_), qr/^  2 /m, "$_ says what 2 means") for qw(symbols check diff watch dump help);

# ---- the manual page ----------------------------------------------------------------------
my $manual = slurp($MANUAL) =~ s/\\-/-/gr;
my ($common) = $manual =~ /^\.SH OPTIONS\n(.*?)^\.SH /ms;
my ($commands) = $manual =~ /^\.SH COMMANDS\n(.*?)^\.SH /ms;
my %section = ('' => $common, $commands =~ /^\.SS (\w+)\n(.*?)(?=^\.SS |\z)/msg);

# The options of a section: each has a .TP, and then a line with its names.
sub manual_options {
	my ($text) = @_;
	my %options;
	for (($text // '') =~ /^\.TP\n(.*)/mg) {
		my $arg = /" \\fI(\w+)"$/
		    || /^\.BI \S+ " (\w+)"$/ ? $1 : /^\.BI \S+ " (\w+)" =/ ? "$1=+N[smhd]" : '';
		$options{$_} = $arg for grep { /^-/ } split /[ ",]+/;
	}
	return \%options;
}

my %page = map { $_ => manual_options($section{$_}) } keys %section;
like(
	$section{trace}, qr/^Its options are those of\n\.BR run \./m,
	'the manual page says that trace has the options of run'
);
$page{trace} = $page{run};
$page{$_} = {%{$page{$_}}, map { $_ => '' } '-h', '--help'} for keys %page;

is_deeply([sort keys %page], [sort keys %help], 'the manual page has a section for each command');
for my $command ('', @commands) {
	is_deeply(
		$page{$command}, $help{$command},
		"... and the options of uvdso $command, with the same names for their arguments"
	);
}
my %synopsis = map { $_ => 1 } $manual =~ /^\.B uvdso (\w+)/mg;
is_deeply(
	[sort keys %synopsis], [sort @commands],
	'... and a line for each command in its synopsis'
);
like($manual, qr/^\.SH "?$_"?$/m, "... and a section $_")
    for qw(NAME SYNOPSIS DESCRIPTION OPTIONS COMMANDS), 'EXIT STATUS',
    qw(ENVIRONMENT FILES NOTES EXAMPLES), 'SEE ALSO';
my ($version) = run($UVDSO, '--version')->{out} =~ /^uvdso (\d+\.\d+\.\d+)\n\z/;
like(
	$manual, qr/^\.TH UVDSO 1 \d{4}-\d\d-\d\d "uvdso \Q$version\E" /m,
	'... and the version that uvdso --version says'
);

SKIP: {
	my ($groff) = grep { -x } map { "$_/groff" } split /:/, $ENV{PATH};
	skip 'groff is not installed', 1 unless $groff;
	my $p = run($groff, '-man', '-ww', '-z', $MANUAL);
	is("$p->{status} $p->{out}$p->{err}", '0 ', 'groff has nothing to say against it');
}

# ---- the completion -----------------------------------------------------------------------
# What bash would offer for the last of these words.
sub offered {
	my $p = run(
		{before => sub { chdir $TOP }}, 'bash', '--norc', '-c',
		'. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _uvdso; printf "%s\n" "${COMPREPLY[@]}"',
		'bash', $COMPLETION, 'uvdso', @_
	);
	is($p->{err}, '', "completion of 'uvdso @_' says nothing on standard error")
	    if $p->{err} ne '';
	return grep { length } split /\n/, $p->{out};
}

is_deeply([sort(offered(''))], [sort @commands], 'the completion offers the commands');
is_deeply([sort(offered('help', ''))], [sort @commands], '... and for help, too');
for my $command ('', @commands) {
	my @words = split ' ', $command;
	is_deeply(
		[sort(offered(@words, '-'))], [sort keys %{$help{$command}}],
		"... and the options of uvdso $command"
	);
	# An option with an argument must not have the next word taken for the first operand.
	for my $option (sort grep { $help{$command}{$_} ne '' } keys %{$help{$command}}) {
		is_deeply(
			[sort(offered(@words, $option, 'x', '-'))], [sort keys %{$help{$command}}],
			"... $option of uvdso $command has an argument"
		);
		my @argument = offered(@words, $option, '');
		is_deeply(
			[grep { exists $help{$command}{$_} } @argument], [],
			'... which is not an option'
		);
	}
}
my @clocks = map { "$_=" } qw(boottime monotonic realtime tai);
is_deeply([sort(offered('run', '--offset', ''))], \@clocks, 'it offers the clocks of --offset');
is_deeply(
	[sort(offered('run', '--offset', '=', ''))], \@clocks,
	'... after an = that bash has made a word of its own'
);
is_deeply([offered('run', '--offset', '=', 'ta')], ['tai='], '... and a clock that has begun');
is_deeply(
	[offered('run', '--offset=ta')], ['--offset=tai='],
	'... also where bash leaves the word as it is'
);
is_deeply(
	[offered('run', '--offset', '=', 'tai', '=', '')], [],
	'... and nothing for the offset itself'
);
is_deeply(
	[offered('run', '--offset', 'tai', '=', '+1d', '--fol')], ['--follow'],
	'... and goes on after it'
);
is_deeply([offered('check', 'LICEN')], ['LICENSE'], 'it offers files to check');
is_deeply([offered('check', 'README.md', 'LICEN')], ['LICENSE'], '... several of them');
is_deeply([offered('check', '--', '-')], [], '... and no options after --');
is_deeply([offered('symbols', 'LICEN')], ['LICENSE'], '... one to symbols');
is_deeply([offered('symbols', 'README.md', 'LICEN')], [], '... but not two');
is_deeply([offered('diff', 'README.md', 'LICEN')], ['LICENSE'], '... two to diff');
is_deeply([offered($_, '')], [], "$_ takes no operands") for qw(watch dump);
is_deeply([offered('dump', '-o', 'LICEN')], ['LICENSE'], 'it offers files to write to');
ok((grep { $_ eq 'grep' } offered('run', '-v', 'gre')), 'it offers programs to run')
    or diag 'grep is one';
is_deeply([offered('trace', 'date', '--off')], [], '... whose options are not ours');
is_deeply([offered('trace', 'date', 'LICEN')], ['LICENSE'], '... and files for their arguments');
{
	my $p = spawn($UVDSO, 'run', program('signals.pie'));
	my $pid = wait_until { slurp($p->{out}->filename) =~ /^ready (\d+)/ ? $1 : 0 };
	my %pid = map { $_ => 1 } offered('gdb', '');
	ok($pid{$pid}, 'it offers processes to gdb: those on the vDSO')
	    or diag "expected $pid among ", join ' ', sort keys %pid;
	ok(!$pid{$$}, '... and no others');
	kill 'KILL', $pid;
	finish($p);
}
{
	my $p = run('bash', '--norc', '-c', '. "$1"; complete -p uvdso', 'bash', $COMPLETION);
	is($p->{out}, "complete -F _uvdso uvdso\n", 'bash knows what to call for uvdso');
}

done_testing;
