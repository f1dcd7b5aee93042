package Course::Tree;

# A tree to build and to run tests in: the project, with some files of the learner's in their place.
#
# It is a copy, so that nothing that is done in it reaches the project, and it begins with what the
# project has built already: only what the changed files take part in is built again. A file that
# changes gets the time of now, all others keep theirs, and make does the rest.
#
# A tree is made aside, and gets its name when it is complete. While something is built in it, a file
# DIR.busy lies beside it: who finds that there, and has the lock, comes after one that was
# interrupted, perhaps in the middle of an object, and makes the tree anew.

use strict;
use warnings;
use File::Basename 'dirname';
use File::Copy ();
use File::Find ();
use File::Path 'make_path';
use Time::HiRes qw(sleep utime);
use Course::Files qw(slurp spew capture matching discard);

my $LIMIT = $ENV{UVDSO_COURSE_LIMIT} // 30;    # seconds that a test of a chapter may take

# What linkers say of an object that is none.
my $HALF =
    qr/file format not recognized|file truncated|file is empty|malformed archive|unknown file type|not an? (?:ELF|archive)/i;

sub new {
	my ($class, $from, $dir) = @_;
	return bless {from => $from, dir => $dir}, $class;
}

# Work on the tree: until done, as often as begun, it is not to be trusted.
sub begin {
	my ($self) = @_;
	return if $self->{begun}++;
	discard($self->{dir}) if -e "$self->{dir}.busy";
	spew("$self->{dir}.busy", "$$\n") if !-e "$self->{dir}.busy";
}

sub done {
	my ($self) = @_;
	unlink "$self->{dir}.busy" if !--$self->{begun};
}

sub make_aside {
	my ($self, %overlay) = @_;
	my $aside = bless {from => $self->{from}, dir => "$self->{dir}.new"}, ref $self;
	discard($aside->{dir});
	make_path($aside->{dir});
	$aside->copy_built;
	$aside->fill(%overlay);
	discard($self->{dir});
	rename $aside->{dir}, $self->{dir} or die "$self->{dir}: $!\n";
}

# The test that a card names: ROOM/NAME, or NAME alone if one room has it. Nothing if there is none.
sub find_test {
	my ($top, $name) = @_;
	my @found = grep { !m{^(?:lib|programs|bench)/} }
	    map { m{/tests/(.*)\.[ct]$} }
	    matching("$top/tests", $name =~ m{/} ? "$name.[ct]" : "*/$name.[ct]");
	return @found == 1 ? $found[0] : undef;
}

# Paths below a directory, without what is not the project's.
sub files {
	my ($dir) = @_;
	my @files;
	File::Find::find(
		{
			no_chdir => 1,
			wanted => sub {
				return if $_ eq $dir;
				my $path = substr $_, length($dir) + 1;
				if ($path =~ m{^(?:build|work|\.git|tutorial/site)$}
					|| m{/node_modules$})
				{
					$File::Find::prune = 1;
				} elsif (-f) {
					push @files, $path;
				}
			}
		},
		$dir
	);
	return @files;
}

sub copy_file {
	my ($from, $to) = @_;
	make_path(dirname($to));
	File::Copy::copy($from, $to) or die "$to: $!\n";
	my @stat = Time::HiRes::stat($from);
	chmod $stat[2] & 07777 | 0200, $to;
	utime $stat[8], $stat[9], $to;
}

# What make has built in the project: a cache. It may be empty. What a file was made from is told by
# paths that begin with B, which is build in the copy.
sub copy_built {
	my ($self, @parts) = @_;
	my $b = $ENV{UVDSO_BUILD} // 'build';
	my ($from, $to) = (Course::Files::built($self->{from}), "$self->{dir}/build");
	@parts = qw(x86_64 fake tests uvdso internal.a bench) if !@parts;
	for my $part (grep { -e "$from/$_" } @parts) {
		File::Find::find(
			{
				no_chdir => 1,
				wanted => sub {
					return unless -f;
					my $there = $to . substr $_, length $from;
					make_path(dirname($there));
		      # Programs are large. Linkers make a new file, so a link is as good as a copy.
					return
					    if m{/build/tests/(?:.*/)?[^/]*(?<!\.dep)$} && link $_,
					    $there;
					copy_file($_, $there);
					rename_deps($there, $b) if $b ne 'build' && /\.dep$/;
				}
			},
			"$from/$part"
		);
	}
}

sub rename_deps {
	my ($path, $b) = @_;
	spew($path, slurp($path) =~ s{^\Q$b\E/}{build/}gmr =~ s{(?<=\s)\Q$b\E/}{build/}gr);
}

# Brings the tree up to date. What is in the overlay, path => text, stands before the project's.
sub sync {
	my ($self, %overlay) = @_;
	$self->begin;
	-d $self->{dir} ? $self->fill(%overlay) : $self->make_aside(%overlay);
	$self->done;
}

sub fill {
	my ($self, %overlay) = @_;
	my ($from, $dir) = @$self{qw(from dir)};
	my %wanted = map { $_ => 1 } files($from), keys %overlay;

	$wanted{$_} or unlink "$dir/$_" for files($dir);
	# A file system's clock has ticks, and make takes files of the same tick to be up to date.
	sleep 0.01;
	for my $path (keys %wanted) {
		if (defined $overlay{$path}) {
			next if -e "$dir/$path" && slurp("$dir/$path") eq $overlay{$path};
			unlink "$dir/$path";
			spew("$dir/$path", $overlay{$path});
			chmod +(stat "$from/$path")[2] & 07777 | 0200, "$dir/$path"
			    if -e "$from/$path";
			next;
		}
		if (!-e "$dir/$path") {
			copy_file("$from/$path", "$dir/$path");
			next;
		}
		my @a = Time::HiRes::stat("$from/$path");
		my @b = Time::HiRes::stat("$dir/$path");
		next if $a[7] == $b[7] && $a[9] == $b[9];
		next if slurp("$from/$path") eq slurp("$dir/$path");
		unlink "$dir/$path";
		spew("$dir/$path", slurp("$from/$path"));
		chmod $a[2] & 07777 | 0200, "$dir/$path";
	}
}

# What must be built for these tests: of tests/NAME.c that test, for any other test everything.
sub targets {
	my ($self, $card) = @_;
	my %targets = map { $_ => 1 } @{$card->{build}},
	    map { -e "$self->{dir}/tests/$_.c" ? "build/tests/$_" : 'all' } $self->tests($card);
	return sort keys %targets;
}

# The full names of a card's tests.
sub tests {
	my ($self, $card) = @_;
	return map { find_test($self->{dir}, $_) // $_ } @{$card->{tests}};
}

# What was built half, perhaps by a make in the project that had not come to its end when it was
# copied, is built again.
sub make {
	my ($self, @targets) = @_;
	my $make = sub {
		return capture(
			{dir => $self->{dir}, limit => 180}, 'make', '-s', '-j2',
			'--no-print-directory', 'CHECK_IMAGE=no', @targets
		);
	};
	$self->begin;
	my $run = $make->();
	if ($run->{status} && $run->{out} =~ /$HALF/) {
		discard("$self->{dir}/build");
		$run = $make->();
	}
	$self->done if !$run->{timed_out};
	return $run;
}

# Runs a test. Every point is {ok, text, skip, diag}; anything else that goes wrong is a point, too.
sub run_test {
	my ($self, $test) = @_;
	my $run = capture(
		{dir => $self->{dir}, limit => $LIMIT, env => {PERL5LIB => 'tests/lib'}},
		'tests/lib/run-test', $test
	);
	my (@points, $plan, $bailed, $skipped);

	for (split /^/, $run->{out}) {
		if (/^(not )?ok\b\s*\d*(?:\s*-)?\s*(.*?)\s*$/) {
			my ($ok, $text) = (!$1, $2);
			my $skip = $text =~ s/\s*#\s*skip\s*(.*)$//i ? $1 : undef;
			my $todo = $text =~ s/\s*#\s*todo\b.*$//i;
			push @points,
			    {ok => $ok || $todo, text => $text, skip => $skip, diag => ''};
		} elsif (/^1\.\.(\d+)(?:\s*#\s*skip\S*\s*(.*?))?\s*$/i) {
			($plan, $skipped) = ($1, $2);
		} elsif (/^Bail out!\s*(.*)/) {
			$bailed = $1;
		} elsif (@points) {
			$points[-1]{diag} .= $_;
		}
	}
	my $problem =
	    $run->{timed_out}
	    ? "did not end within $LIMIT s: is there a loop without an end?"
	    : $run->{signal} ? "was killed by signal $run->{signal}"
	    . ($run->{signal} == 11 ? ' (a bad address)' : '')
	    : defined $bailed ? "could not begin: $bailed"
	    : !defined $plan ? "ended with status $run->{status} before its last point"
	    : $plan != @points ? 'ran ' . @points . " of $plan points"
	    : $run->{status} && !grep({ !$_->{ok} } @points) ? "ended with status $run->{status}"
	    : undef;
	push @points, {ok => 0, text => "$test $problem", diag => @points ? '' : $run->{out}}
	    if defined $problem;
	push @points, {ok => 1, text => $test, skip => $skipped, diag => ''} if !@points;
	$_->{test} = $test for @points;
	return @points;
}

# Builds and runs a card's tests. {built, said, points, failed => descriptions}.
sub try {
	my ($self, $card) = @_;
	my @targets = $self->targets($card);
	my $make = $self->make(@targets);
	return {
		built => 0, said => $make->{out}, targets => \@targets, points => [],
		failed => []
	    }
	    if $make->{status} || $make->{timed_out};
	$self->begin;
	my @points = map { $self->run_test($_) } $self->tests($card);
	$self->done;
	return {
		built => 1, said => $make->{out}, points => \@points,
		failed => [map { $_->{text} } grep { !$_->{ok} } @points]
	};
}

1;
