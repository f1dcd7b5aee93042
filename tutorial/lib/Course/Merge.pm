package Course::Merge;

# Two texts that were one, put together again.

use strict;
use warnings;
use File::Temp ();
use Course::Files qw(slurp spew capture);
use Course::Needs;

# What mine and theirs have each changed of base, in one text, and the number of places where both
# have changed the same lines; these stand between <<<<<<< and >>>>>>>.
sub merge {
	my ($mine, $base, $theirs) = @_;
	my $dir = File::Temp->newdir('uvdso-course-XXXXXX', TMPDIR => 1);
	spew("$dir/yours", $mine);
	spew("$dir/base", $base);
	spew("$dir/project", $theirs);
	my @command = Course::Needs::tool('git')
	    ? (
		qw(git -c merge.conflictStyle=merge merge-file -p -L yours -L base -L),
		'the project', qw(yours base project)
	    )
	    : Course::Needs::tool('diff3')
	    ? (qw(diff3 -m -E -L yours -L base -L), 'the project', qw(yours base project))
	    : die
	    "this takes git or diff3, and neither is installed: apt-get install git, or diffutils\n";
	my $run = capture({dir => "$dir"}, @command);
	my $conflicts = () = $run->{out} =~ /^<<<<<<< yours$/mg;
	$run->{status} && !$conflicts and die "$command[0]: $run->{out}\n";
	return ($run->{out}, $conflicts);
}

# The lines that differ, as diff -u shows them; nothing if none does.
sub difference {
	my ($old, $new, $old_label, $new_label) = @_;
	return '' if $old eq $new;
	my $dir = File::Temp->newdir('uvdso-course-XXXXXX', TMPDIR => 1);
	spew("$dir/old", $old);
	spew("$dir/new", $new);
	return capture(
		{dir => "$dir"}, 'diff', '-u', '--label', $old_label, '--label', $new_label,
		'old', 'new'
	)->{out};
}

1;
