#!/usr/bin/perl
# code.t - the model of the sequence counter (clocks.pml) has the steps that the source has.
#
# A model proves something about the code only as long as it is its model. So each step names the lines
# that it stands for, and each access to shared memory, barrier and look at a clock in the functions
# of the model is in some step, or is left out with a reason.
use strict;
use warnings;
use Test::More;
use lib qw(tests/model tutorial/lib);
use Model;

my $table = Model::steps();
my @steps = @{$table->{steps}};
my @left_out = @{$table->{left_out}};
my $pml = Model::slurp('tests/model/clocks.pml');
my $remedy =
    "read the change, change clocks.pml and steps, run `make model`, and then `tests/model/model --compared`\n";

# The steps of the model and those of the table are the same.
my %prints = map { $_ => 1 } $pml =~ /\bSTEP\((\w+),/g;
delete $prints{name};
my %listed = map { $_->{name} => 1 } @steps;
is(
	join(' ', grep { !$listed{$_} } sort keys %prints), '',
	'each step of the model is in the table of steps'
);
is(join(' ', grep { !$prints{$_} } sort keys %listed), '', 'and the table has no other');

# Their lines are in the source.
my (%code, @missing);
for my $line ((map { @{$_->{lines}} } @steps), @left_out) {
	my $code = $code{"$line->{path} $line->{function}"} //=
	    ' ' . eval { Model::code($line->{path}, $line->{function}) } // '';
	# A text may have the comment that names a pair: then that must be there, too.
	my $whole = Model::listing($line->{path}, $line->{function}) =~ s/\s+/ /gr;
	push @missing, "$line->{path}: $line->{function}: $line->{text}"
	    if index($whole, $line->{text} =~ s/\s+/ /gr) < 0;
}
is(join("\n", @missing), '', 'each step stands for a line of the source') or diag($remedy);

# No access in these functions is unknown to the model.
my $access =
    qr/\b(?:read_once\w*|write_once\w*|atomic_\w+|__atomic_\w+|vdso_(?:read_begin|read_retry|read_head|change_head|abandon|try_begin|write_end)|arch_counter|arch_syscall\d|sampler_clock|look)\s*\(/;
my @unknown;
for my $function (Model::functions($table)) {
	my ($path, $name) = @$function;
	my $code = Model::listing($path, $name);
	$code =~ s/^.*?\n\{\n//s;    # its own name
	my @known = map { $_->{text} =~ s/\s+/ /gr }
	    grep { $_->{path} eq $path && $_->{function} eq $name } (map { @{$_->{lines}} } @steps),
	    @left_out;
	# Comments go, unless they name a pair; a statement may have several lines.
	my $text = $code =~ s/\s+/ /gr;
	$text =~ s/\Q$_\E/ /g for sort { length $b <=> length $a } @known;
	$text =~ s{/\*.*?\*/}{}g;
	push @unknown, "$path: $name: $1" while $text =~ /($access[^;]*)/g;
}
is(
	join("\n", @unknown), '',
	'each access, barrier and look at a clock of these functions is in a step'
) or diag($remedy);

# And the functions are what they were when somebody compared.
my @changed = grep { ($table->{digest}{"$_->[0] $_->[1]"} // '') ne Model::digest(@$_) }
    Model::functions($table);
is(
	join(' ', map { "$_->[0] $_->[1]" } @changed), '',
	'the functions are what they were when the model was compared with them'
) or diag($remedy);

# What once.h and seqcount.h define is in the model, or made of what is.
my %in_model = map { $_->[1] => 1 } Model::functions($table);
$in_model{$_} = 1 for 'vdso_write_begin()',  # vdso_try_begin() again and again: for tests and own.c
    'vdso_next_odd()';                       # no access
my @functions =
    Model::slurp('vdso-src/include/vdso/seqcount.h') =~ /^static inline [^\n]*?\b(vdso_\w+)\(/mg;
is(
	join(' ', grep { !$in_model{"$_()"} } @functions), '',
	'no function of seqcount.h is without a step'
);

# The guards of the table are those that can be taken out.
my %guard = Model::guards();
my ($names) = $pml =~ /guard_name\[\] = \{(.*?)\};/s;
my %switch = map { $_ => 1 } $names =~ /"(\w+)"/g;
my %named = map { $_ => 1 } map {
	$_, grep { $_ ne '-' } split /,/, $guard{$_}{liberty}
    }
    grep { $guard{$_}{scene} ne 'none' && !$guard{$_}{alias} } keys %guard;
$named{$_} = 1 for map { split /,/, $guard{$_}{liberty} } grep { $guard{$_}{alias} } keys %guard;
is(
	join(' ', grep { !$named{$_} && $_ ne 'fresh' } sort keys %switch), '',
	'each switch of the model is a guard of the table'
);
is(
	join(' ', grep { !$switch{$_} } sort keys %named), '',
	'and each guard of the table is a switch of the model'
);
done_testing();
