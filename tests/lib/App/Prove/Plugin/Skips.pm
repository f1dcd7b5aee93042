package App::Prove::Plugin::Skips;

# A plugin for prove(1): a run that is honest about what it did not do.
#
#   prove -PSkips=tests/skips-allowed ...
#
# - Lists every skip with its reason, before prove's own summary.
# - With CI in the environment, a skip that the given file does not allow fails the run:
#   on a machine made for testing, a skip means that the machine is incomplete.
# - A run in which no test point was executed fails. prove itself calls that NOTESTS and
#   ends with status 0.
#
# A failure is handed to prove as one more test that failed, so that its last lines and
# its status are its own. A line of the file is the test's file and a regular expression
# that the reason must match; # begins a comment.

use strict;
use warnings;
use parent 'TAP::Harness';
use TAP::Parser;

my $list;       # the file of what is allowed
my %skipped;    # {file}{reason} = how many points; 0: the whole file

sub load {
	my ($class, $p) = @_;
	($list) = @{$p->{args}};
	$p->{app_prove}->harness($class);
	return 1;
}

sub make_parser {
	my ($self, $job) = @_;
	my ($parser, $session) = $self->SUPER::make_parser($job);
	my $file = $job->filename;

	$parser->callback(
		test => sub {
			my $result = shift;
			$skipped{$file}{$result->explanation}++ if $result->has_skip;
		}
	);
	$parser->callback(
		plan => sub {
			my $plan = shift;
			$skipped{$file}{$plan->explanation} ||= 0 if $plan->has_skip;
		}
	);
	return ($parser, $session);
}

# Returns the function that says whether a skip is allowed.
sub read_list {
	my @rules;
	if (defined $list) {
		open my $file, '<', $list or die "$list: $!\n";
		while (<$file>) {
			s/^#.*|\s+#.*|\s+$//g;
			next unless /\S/;
			my ($test, $reason) = /^\s*(\S+)\s+(\S.*)$/
			    or die "$list:$.: not a test's file and a regular expression\n";
			push @rules, [$test, qr/$reason/];
		}
	}
	return sub {
		my ($test, $reason) = @_;
		$test =~ s{^\./}{};
		return grep { $_->[0] eq $test && $reason =~ $_->[1] } @rules;
	};
}

# Short names: the formatter makes columns, and has measured the tests' names already.
sub add_failure {
	my ($aggregate, $name, $why) = @_;
	my $parser = TAP::Parser->new({tap => "not ok 1 - $why\n1..1\n"});
	print "\nFAILED: $why\n";
	$parser->run;
	$aggregate->add($name, $parser);
}

sub summary {
	my ($self, $aggregate, @rest) = @_;
	my @unlisted;

	my $allowed = read_list();
	print "\nSkipped, and why:\n" if %skipped;
	for my $test (sort keys %skipped) {
		for my $reason (sort keys %{$skipped{$test}}) {
			my $count = $skipped{$test}{$reason};
			my $says =
			    $allowed->($test, $reason)
			    ? ''
			    : ' [not in ' . ($list // 'a list') . ']';
			push @unlisted, $test if $says;
			printf "  %s: %s: %s%s\n", $test,
			    $count ? "$count of its points" : 'all of it',
			    $reason, $says;
		}
	}
	add_failure(
		$aggregate, 'skips',
		'a skip that ' . ($list // 'a list') . ' does not allow, and CI is set'
	) if $ENV{CI} && @unlisted;
	add_failure($aggregate, 'run', 'no test was executed')
	    if $aggregate->total == $aggregate->skipped;
	return $self->SUPER::summary($aggregate, @rest);
}

1;
