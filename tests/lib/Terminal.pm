package Terminal;

# A terminal for a test: a pseudoterminal, with a program in its foreground. Linux's own way
# to one, because no module for it comes with perl.

use strict;
use warnings;
use Build ();
use Exporter 'import';
use Fcntl;
use POSIX ();

our @EXPORT = qw(on_terminal look type stops resize);

use constant {TIOCSPTLCK => 0x40045431, TIOCGPTN => 0x80045430, TIOCSWINSZ => 0x5414};

# Starts a command in the foreground of a new terminal, the way a job-control shell does:
# a session leader that stays, and a process group for the job. Returns the terminal, the
# leader's pid and a pipe on which the leader tells the job's pid and its fate.
sub on_terminal {
	my @cmd = @_;
	my ($number, $unlock) = (pack('i', 0), pack('i', 0));
	sysopen my $master, '/dev/ptmx', O_RDWR | O_NOCTTY or return;
	ioctl $master, TIOCSPTLCK, $unlock or return;
	ioctl $master, TIOCGPTN, $number or return;
	my $slave = '/dev/pts/' . unpack 'i', $number;
	-e $slave or return;
	pipe my $tell, my $told;
	my $leader = fork // die;

	if (!$leader) {
		alarm 60 * $Build::PATIENCE;
		POSIX::setsid();
		sysopen my $tty, $slave, O_RDWR
		    or POSIX::_exit(1);    # becomes the terminal of the session
		POSIX::dup2(fileno $tty, $_) for 0 .. 2;
		my $job = fork // POSIX::_exit(1);
		if (!$job) {
			POSIX::setpgid(0, 0);
			local $SIG{TTOU} = 'IGNORE';
			POSIX::tcsetpgrp(0, $$);
			$SIG{TTOU} = 'DEFAULT';
			{ no warnings; exec @cmd; }
			POSIX::_exit(98);
		}
		syswrite $told, "job $job\n";
		while (waitpid($job, POSIX::WUNTRACED()) == $job) {
			my $status = $?;
			if (-e "/proc/$job") {    # not reaped, so stopped: $? does not tell
				syswrite $told, "stopped\n";
				next;
			}
			syswrite $told, 'ended ' . ($status >> 8) . ' ' . ($status & 127) . "\n";
			last;
		}
		POSIX::_exit(0);
	}
	close $told;
	fcntl $_, F_SETFL, O_NONBLOCK for $master, $tell;
	return {master => $master, leader => $leader, tell => $tell, shown => '', told => ''};
}

# Reads what there is; returns the terminal's text.
sub look {
	my ($t) = @_;
	my $bytes;
	$t->{shown} .= $bytes while sysread $t->{master}, $bytes, 4096;
	$t->{told} .= $bytes while sysread $t->{tell}, $bytes, 4096;
	$t->{shown} =~ s/\r|\^[CZ]//g;    # and the echo of the keys
	return $t->{shown};
}

# How often the leader has seen the job stop.
sub stops { my ($t) = @_; return scalar(() = $t->{told} =~ /stopped/g) }

sub type { my ($t, $keys) = @_; syswrite $t->{master}, $keys }

# Gives the terminal another size; its foreground is told by SIGWINCH.
sub resize {
	my ($t, $rows, $columns) = @_;
	return ioctl $t->{master}, TIOCSWINSZ, pack 'S4', $rows, $columns, 0, 0;
}

1;
