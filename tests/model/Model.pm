package Model;

# What clocks.pml, its steps and its guards are, and a trace in plain words.

use strict;
use warnings;
use Digest::SHA 'sha1_hex';
use lib 'tutorial/lib';
use Course::Markdown;

my $dir = 'tests/model';

sub slurp { open my $fh, '<', $_[0] or die "$_[0]: $!\n"; local $/; return scalar <$fh> }

# The table of steps: ({name, who, words, lines => [{path, function, text}]}, ...), what is left out,
# and the digests.
sub steps {
	my (@steps, @left_out, %digest);
	for (split /\n/, slurp("$dir/steps")) {
		next if /^#/ || !/\S/;
		if (/^= (\S+) (\S+) (\w+)$/) { $digest{"$1 $2"} = $3 }
		elsif (/^- (\S+) (\S+\(\)) ([^\t]+)\t+(.+)$/) {
			push @left_out, {path => $1, function => $2, text => $3, why => $4};
		} elsif (/^\t(\S+) (\S+\(\)) (.+)$/) {
			push @{$steps[-1]{lines}}, {path => $1, function => $2, text => $3};
		} elsif (/^(\w+)\t+(\w+)\t+(.+)$/) {
			push @steps, {name => $1, who => $2, words => $3, lines => []};
		} else {
			die "$dir/steps: what is this? $_\n";
		}
	}
	return {steps => \@steps, left_out => \@left_out, digest => \%digest};
}

sub guards {
	my %guard;
	for (split /\n/, slurp("$dir/guards")) {
		next if /^#/ || !/\S/;
		my ($name, $scene, $liberty, $why) = split /\t+/, $_, 4;
		$guard{$name} = {
			scene => $scene, liberty => $liberty, why => $why,
			alias => $name =~ /-/ || $name eq 'hole'
		};
	}
	return %guard;
}

sub names {
	return grep { !/^#/ && /\S/ } map { (split /\t+/)[0] // '' } split /\n/,
	    slurp("$dir/guards");
}

# A function without its comments and layout.
sub code {
	my ($path, $function) = @_;
	my $text = listing($path, $function);
	$text =~ s{/\*.*?\*/}{}gs;
	return $text =~ s/\s+/ /gr;
}

sub listing {
	my ($path, $function) = @_;
	my ($name) = $function =~ /(\w+)/;
	my $text = slurp($path);
	# What the image exports begins with EXPORT(type, name, ...).
	return $1 if $text =~ /^(EXPORT\([^\n]*\b\Q$name\E, .*?^\}\n)/ms;
	return Course::Markdown::listing('.', "$path#$function");
}

sub digest { return substr sha1_hex(code(@_)), 0, 12 }

# All functions that a step names.
sub functions {
	my ($table) = @_;
	my %seen;
	return grep { !$seen{"$_->[0] $_->[1]"}++ }
	    map { [$_->{path}, $_->{function}] } (map { @{$_->{lines}} } @{$table->{steps}}),
	    @{$table->{left_out}};
}

sub compared {
	my $text = slurp("$dir/steps");
	$text =~ s/^= .*\n//mg;
	$text .= join '', sort map { "= $_->[0] $_->[1] " . digest(@$_) . "\n" } functions(steps());
	open my $fh, '>', "$dir/steps" or die "$dir/steps: $!\n";
	print $fh $text;
	close $fh;
}

# What is behind an assertion: the comment of its line.
sub property {
	my ($broken) = @_;
	return 'a clock goes back' if $broken =~ /told_/;
	return 'a copy is torn' if $broken =~ /x==y/;
	return 'an unusable counter is read' if $broken =~ /rm!=0/;
	return 'somebody waits for what nobody will end' if $broken =~ /rm!=2/;
	return 'the offset of a namespace is missing' if $broken =~ /shifted/;
	return 'somebody waits for ever, or while there is something to read';
}

# Tells a trace: who, what, and the line of the source.
sub tell {
	my %step = map { $_->{name} => $_ } @{steps()->{steps}};
	my %word = (
		head => 'the number', head2 => 'the number of the second copy', x => 'one word',
		y => 'another word', x2 => 'one word of the second copy',
		y2 => 'another word of the second copy', t => 'the seconds for time()'
	);
	my $n = 0;
	for (@_) {
		my ($visible, $name, $value) = /^(visible )?(\w+) (-?\d+)$/ or next;
		my $step = $visible
		    ? {
			who => 'memory', words => "shows the writer's store to $word{$name}: %d",
			lines => []
		    }
		    : $step{$name};
		die "model: no step $name in $dir/steps\n" if !$step;
		my $words = $step->{words} =~ s/%d/$value/r;
		printf "%4d  %-8s  %s\n", ++$n, $step->{who}, $words;
		printf "%16s%s: %s\n", '', $step->{lines}[0]{path} =~ s{.*/}{}r,
		    $step->{lines}[0]{text}
		    if @{$step->{lines}};
	}
}

# For tests/model/stories.
sub keep {
	my ($name, @trace) = @_;
	mkdir $ENV{KEEP};
	open my $fh, '>', "$ENV{KEEP}/$name" or die "$ENV{KEEP}/$name: $!\n";
	print $fh map { "$_\n" } @trace;
	close $fh;
}

1;
