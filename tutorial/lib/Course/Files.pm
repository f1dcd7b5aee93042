package Course::Files;

# Reading, writing, running: what all parts of the tool share.

use strict;
use warnings;
use Cwd ();
use Errno ();
use Exporter 'import';
use Fcntl qw(:flock);
use File::Basename qw(basename dirname);
use File::Glob ();
use File::Path qw(make_path remove_tree);
use File::Spec ();
use File::Temp ();
use POSIX qw(WNOHANG WUNTRACED);
use Time::HiRes qw(sleep time);

# What is run here goes to other directories.
$ENV{TMPDIR} = File::Spec->rel2abs($ENV{TMPDIR}) if length($ENV{TMPDIR} // '');

our @EXPORT_OK = qw(slurp spew capture show matching discard lock);

my $LOCK_LIMIT = 300;    # seconds: longer than any build

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	return readline($file) // '';
}

# Whoever looks at the path sees the old text or the new one. A link is followed: what it leads to
# is written. The name in between is one that editors use, too, so that nobody takes it for a source.
sub spew {
	my ($path, $text) = @_;
	$path = Cwd::realpath($path) // $path if -l $path;
	make_path(dirname($path));
	my @stat = stat $path;
	my $new = dirname($path) . "/.#" . basename($path) . ".$$";
	my $file;
	my $ok = open($file, '>', $new) && (print $file $text) && close $file;
	chmod $stat[2] & 07777, $new if $ok && @stat;
	$ok && rename $new, $path and return;
	my $why = $!;
	unlink $new;
	die "$path: $why\n";
}

# Removes a directory and what is in it. First it gets another name, so that nobody finds half of it.
sub discard {
	my ($dir) = @_;
	my $gone = "$dir.gone.$$";
	rename $dir, $gone;
	for my $old (matching(dirname($dir), basename($dir) . '.gone.*')) {
		remove_tree($old, {safe => 0, error => \my $ignored});
	}
}

# Takes a lock, which ends with the handle that is returned, or with this process. Whoever waits is
# told for what.
sub lock {
	my ($path, $what) = @_;
	make_path(dirname($path));
	my ($end, $told) = (time + $LOCK_LIMIT, time + 0.5);
	open my $file, '>>', $path or die "$path: $!\n";
	until (flock $file, LOCK_EX | LOCK_NB) {
		$!{EWOULDBLOCK} || $!{EINTR} or die "$path: $!\n";
		time < $end
		    or die
		    "another make has been at work on $what for $LOCK_LIMIT s: is one of yours hanging?\n";
		if ($told && time > $told) {
			print STDERR "learn: another make is at work on $what. Waiting for it\n";
			$told = 0;
		}
		sleep 0.02;
	}
	return $file;
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

# The tool must not leave a process behind when it is told to end. First they are asked: make removes
# what it has built half.
my ($self, %running) = ($$);
my %STATUS = (HUP => 129, INT => 130, TERM => 143);
$SIG{$_} = sub {
	my ($signal) = @_;
	POSIX::_exit($STATUS{$signal}) if $$ != $self;
	$SIG{$_} = 'IGNORE' for keys %STATUS;
	end_group($_) for keys %running;
	exit $STATUS{$signal};
    }
    for keys %STATUS;

# Ends a child and its process group: some time to do so by themselves, and then no more.
sub end_group {
	my ($pid) = @_;
	my $end = time + 1;
	kill 'TERM', -$pid;
	sleep 0.01 until waitpid($pid, WNOHANG) || time > $end;
	kill 'KILL', -$pid;
	waitpid $pid, 0;
	delete $running{$pid};
}

# What make has said to us is not for the commands.
sub own_environment {
	my ($more) = @_;
	delete @ENV{
		qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKEFILES B O T Q V CH CI PERL5LIB UVDSO_BUILD),
		grep { /^(HARNESS_|TEST_|GNUMAKEFLAGS)/ } keys %ENV
	};
	@ENV{keys %$more} = values %$more if $more;
}

# Runs a command in a directory, standard output and error in one. Never longer than limit seconds, and
# only until enough says of what it has printed that no more is wanted. Nothing of its process group
# survives it.
sub capture {
	my ($opt, @command) = @_;
	my $out = File::Temp->new(TEMPLATE => 'uvdso-course-XXXXXX', TMPDIR => 1);
	my $end = time + ($opt->{limit} // 60) * ($ENV{TEST_SLOW} || 1);
	my %result = (timed_out => 0);

	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		setpgrp;
		$SIG{$_} = 'DEFAULT' for keys %STATUS, 'PIPE';
		own_environment($opt->{env});
		open STDIN, '<', '/dev/null' or POSIX::_exit(125);
		open STDOUT, '>>', $out->filename or POSIX::_exit(125);
		open STDERR, '>&', \*STDOUT or POSIX::_exit(125);
		chdir($opt->{dir} // '.') or POSIX::_exit(125);
		{ no warnings; exec {$command[0]} @command; }
		print STDERR "$command[0]: $!\n";
		POSIX::_exit(127);
	}
	$running{$pid} = 1;
	my ($pause, $heard) = (0.001, 0);
	until (waitpid $pid, WNOHANG) {
		my $enough = $opt->{enough} && -s $out->filename > $heard;
		if ($enough) {
			my $said = slurp($out->filename);
			$heard = length $said;
			$enough = $opt->{enough}->($said);
		}
		if ($enough || time > $end) {
			kill 'KILL', -$pid;
			waitpid $pid, 0;
			$result{timed_out} = !$enough;
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

# Runs a command that the user sees and may talk to: it has our standard files, and if we are in the
# foreground of a terminal, it is, as a shell would start it. With a limit as well, and the same end.
# Returns its exit status as a shell tells it, 124 if the time was up.
sub show {
	my ($opt, @command) = @_;
	my $end = time + ($opt->{limit} // 60) * ($ENV{TEST_SLOW} || 1);
	my $group = getpgrp;
	my $terminal = -t STDIN && (POSIX::tcgetpgrp(0) // -1) == $group;

	local $| = 1;
	print '';
	local $SIG{TTOU} = 'IGNORE';
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		setpgrp;
		POSIX::tcsetpgrp(0, $$) if $terminal;
		$SIG{$_} = 'DEFAULT' for keys %STATUS, qw(PIPE TTOU);
		own_environment($opt->{env});
		chdir($opt->{dir} // '.') or POSIX::_exit(125);
		{ no warnings; exec {$command[0]} @command; }
		print STDERR "$command[0]: $!\n";
		POSIX::_exit(127);
	}
	$running{$pid} = 1;
	my $status;
	until (defined $status) {
		if (waitpid($pid, WNOHANG | WUNTRACED) == $pid) {
			# Of a child that is stopped, $? does not tell; but it is still there.
			if (!kill 0, $pid) {
				$status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
				last;
			}
			# ^Z: whoever has started us sees that all of it stops, and goes on.
			my $stopped = time;
			POSIX::tcsetpgrp(0, $group) if $terminal;
			kill 'TSTP', -$group;
			POSIX::tcsetpgrp(0, $pid) if $terminal && POSIX::tcgetpgrp(0) == $group;
			kill 'CONT', -$pid;
			$end += time - $stopped;
		}
		if (time > $end) {
			end_group($pid);
			$status = 124;
		}
		sleep 0.005;
	}
	kill 'KILL', -$pid;
	delete $running{$pid};
	POSIX::tcsetpgrp(0, $group) if $terminal;
	return $status;
}

1;
