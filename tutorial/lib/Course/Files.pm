package Course::Files;

# Reading, writing, running: what all parts of the tool share.

use strict;
use warnings;
use Exporter 'import';
use File::Basename 'dirname';
use File::Glob ();
use File::Path 'make_path';
use File::Spec ();
use File::Temp ();
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

# What is run here goes to other directories.
$ENV{TMPDIR} = File::Spec->rel2abs($ENV{TMPDIR}) if length($ENV{TMPDIR} // '');

our @EXPORT_OK = qw(slurp spew capture matching);

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	return readline($file) // '';
}

sub spew {
	my ($path, $text) = @_;
	make_path(dirname($path));
	open my $file, '>', $path or die "$path: $!\n";
	print $file $text;
	close $file or die "$path: $!\n";
}

# The files below a directory that match a pattern. The directory may have any name, also one with blanks
# or brackets, which glob() takes for its own.
sub matching {
	my ($dir, $pattern) = @_;
	return File::Glob::bsd_glob($dir =~ s/([\\*?\[\]{}~])/\\$1/gr . "/$pattern");
}

# Where make has built the project that lies in this directory: its B. In the copies that the tool makes
# it is always build/.
sub built {
	my ($top) = @_;
	return File::Spec->rel2abs($ENV{UVDSO_BUILD} // 'build', $top);
}

# The tool must not leave a process behind when it is told to end.
my ($self, %running) = ($$);
$SIG{$_} = sub {
	POSIX::_exit(1) if $$ != $self;
	kill 'KILL', map { -$_ } keys %running;
	exit 1;
    }
    for qw(TERM INT HUP);

# Runs a command in a directory, standard output and error in one. Never longer than limit seconds,
# and nothing of its process group survives it. What make has said to us is not for the commands.
sub capture {
	my ($opt, @command) = @_;
	my $out = File::Temp->new(TEMPLATE => 'uvdso-course-XXXXXX', TMPDIR => 1);
	my $end = time + ($opt->{limit} // 60);
	my %result = (timed_out => 0);

	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		setpgrp;
		$SIG{$_} = 'DEFAULT' for qw(TERM INT HUP PIPE);
		delete @ENV{
			qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKEFILES B O T Q V CH CI PERL5LIB UVDSO_BUILD),
			grep { /^(HARNESS_|TEST_|GNUMAKEFLAGS)/ } keys %ENV
		};
		@ENV{keys %{$opt->{env}}} = values %{$opt->{env}} if $opt->{env};
		open STDIN, '<', '/dev/null' or POSIX::_exit(125);
		open STDOUT, '>>', $out->filename or POSIX::_exit(125);
		open STDERR, '>&', \*STDOUT or POSIX::_exit(125);
		chdir($opt->{dir} // '.') or POSIX::_exit(125);
		{ no warnings; exec {$command[0]} @command; }
		print STDERR "$command[0]: $!\n";
		POSIX::_exit(127);
	}
	$running{$pid} = 1;
	my $pause = 0.001;
	until (waitpid $pid, WNOHANG) {
		if (time > $end) {
			kill 'KILL', -$pid;
			waitpid $pid, 0;
			$result{timed_out} = 1;
			last;
		}
		sleep $pause;
		$pause *= 1.5 if $pause < 0.02;
	}
	@result{qw(status signal)} = ($? >> 8, $? & 127);
	kill 'KILL', -$pid;
	delete $running{$pid};
	$result{out} = slurp($out->filename);
	return \%result;
}

1;
