package RunTest;

# What the tests of `uvdso run` share: starting programs with a limit on their time and
# looking at everything that they leave behind.

use strict;
use warnings;
use Build qw(slurp);
use Cwd 'abs_path';
use Exporter 'import';
use File::Basename 'dirname';
use File::Spec ();
use File::Temp ();
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT =
    qw(%SYS @COUNTER $UVDSO $UVDSO_DYNAMIC @RUN run spawn finish uvdso wait_until slurp program missing facts
    attendant attendants shows is_status refused temp_dir no_counter);

my $TOP = abs_path(dirname(__FILE__) . '/../..');
# Another machine's tests have a build of their own, and an emulator (tests/lib/run-test).
my $BUILD = File::Spec->rel2abs($Build::TESTED, $TOP);
my @EMULATOR = split ' ', $ENV{TEST_EMULATOR} // '';
our $UVDSO = "$BUILD/uvdso";
# The same, linked dynamically, for what puts a library in (LD_PRELOAD).
our $UVDSO_DYNAMIC = "$BUILD/tests/uvdso-dynamic";

# The subcommand. A test that holds for --follow as well runs once more with another one
# (tests/table), which is in this variable.
our @RUN = split ' ', $ENV{UVDSO_RUN} // 'run';

# Numbers of system calls; all other machines than x86-64 have those of asm-generic/unistd.h.
our %SYS =
    $Build::MACHINE eq 'x86_64'
    ? (madvise => 28, ptrace => 101, prctl => 157, seccomp => 317, socketpair => 53)
    : (madvise => 233, ptrace => 117, prctl => 167, seccomp => 277, socketpair => 199);
$SYS{pidfd_getfd} = 438;

# For tests that count system calls: with the counter the vDSO makes none, whatever the kernel keeps
# time with.
our @COUNTER = ('--counter=always');
# Seconds that a program may take; fewer once one took too long.
my $LIMIT = 20 * $Build::PATIENCE;

-x $UVDSO or BAIL_OUT("$UVDSO is not built: run `make test` at the top");

# The runner's limit ends a test with SIGTERM, a user with ^C, and where prove has gone so a test can
# print nothing more: then, too, nothing is left behind.
my $self = $$;
my %running;
my $end = sub {
	POSIX::_exit(1) if $$ != $self;
	$SIG{PIPE} = 'IGNORE';
	# It may be such a test itself, which then ends what it has started.
	kill 'TERM', map { -$_ } keys %running;
	my $late = time + 3;
	sleep 0.01 while time < $late && grep { waitpid($_, WNOHANG) == 0 } keys %running;
	kill 'KILL', map { -$_ } keys %running;
	exit 1;    # and the temporary files go
};
$SIG{$_} = $end for 'TERM', grep { ($SIG{$_} // '') ne 'IGNORE' } qw(HUP INT PIPE);

# spawn({OPTION => ...}, PROGRAM, ARG...) starts a program, as the leader of a process group:
#   argv0    what it gets for its own name         env      its whole environment
#   before   code to run in the child first        stdin    a path, else /dev/null
# Its output goes to files that are gone when the handle is.
sub spawn {
	my %opt = ref $_[0] ? %{+shift} : ();
	my @cmd = @_;
	my %p = (
		(
			map { $_ => File::Temp->new(TEMPLATE => 'uvdso-test-XXXXXX', TMPDIR => 1) }
			    qw(out err)
		),
		cmd => substr "@cmd[0 .. ($#cmd > 9 ? 9 : $#cmd)]",
		0,
		500
	);

	$p{pid} = fork // die "fork: $!";
	if (!$p{pid}) {
		setpgrp;
		open STDIN, '<', $opt{stdin} // '/dev/null' or POSIX::_exit(99);
		open STDOUT, '>>', $p{out}->filename or POSIX::_exit(99);
		open STDERR, '>>', $p{err}->filename or POSIX::_exit(99);
		# File::Temp keeps its own descriptors, which are close-on-exec.
		%ENV = %{$opt{env}} if $opt{env};
		$opt{before}->() if $opt{before};
		unshift @cmd, @EMULATOR, $opt{argv0} ? ('-0', $opt{argv0}) : ()
		    if @EMULATOR && $cmd[0] =~ /^\Q$BUILD/;
		{
			no warnings;
			exec {$cmd[0]} $opt{argv0} && !@EMULATOR ? $opt{argv0} : $cmd[0],
			    @cmd[1 .. $#cmd];
		}
		POSIX::_exit(98);
	}
	$running{$p{pid}} = 1;
	return \%p;
}

# Waits for the end of what spawn() started. Fills status, signal, out and err, and left:
# true if a process of the group was still there afterwards (it is killed).
sub finish {
	my ($p) = @_;
	my $end = time + $LIMIT;
	my $got;

	until (($got = waitpid $p->{pid}, WNOHANG) != 0) {
		if (time > $end) {
			kill 'KILL', -$p->{pid};
			waitpid $p->{pid}, 0;
			$p->{timed_out} = 1;
			diag "$p->{cmd}: did not end within $LIMIT s";
			$LIMIT = 2 * $Build::PATIENCE;
			last;
		}
		sleep 0.002;
	}
	delete $running{$p->{pid}};
	$p->{signal} = $? & 127;
	$p->{core} = $? & 128;
	$p->{status} = $? >> 8;
	$p->{left} = kill 0, -$p->{pid};
	kill 'KILL', -$p->{pid} if $p->{left};
	$p->{$_} = slurp($p->{$_}->filename) for qw(out err);
	$p->{err} =~ s/^uvdso: counter  not used, so .*\n//m if slow_counter();
	return $p;
}

# Does the kernel keep time with something else than a counter? Then `run` may say that clocks are
# slow, which is not what its tests are about.
sub slow_counter {
	my $source = slurp('/sys/devices/system/clocksource/clocksource0/current_clocksource');
	return $source !~ /^(tsc|arch_sys_counter|riscv_clocksource)$/;
}

sub run { return finish(spawn(@_)) }

# run() for uvdso run ARG..., or what is in its place.
sub uvdso {
	my @opt = ref $_[0] ? shift : ();
	return run(@opt, $UVDSO, @RUN, @_);
}

# Calls the code until it returns something true, but not for longer than the limit.
sub wait_until(&) {
	my ($code) = @_;
	my $end = time + $LIMIT;
	my $result;

	sleep 0.005 until ($result = $code->()) || time > $end;
	$LIMIT = 2 * $Build::PATIENCE unless $result;
	return $result;
}

# The attendant of a process by its name: uvdso-keeper, uvdso-watchdog or uvdso-follow. Its
# process id, once it is there; 0 if it does not come.
sub attendant {
	my ($pid, $name) = @_;
	return wait_until { (attendants($pid, $name))[0] // 0 };
}

# All that there are now, of one name or of any.
sub attendants {
	my ($pid, $name) = @_;
	$name //= 'uvdso-\w+';
	return map { m{(\d+)/cmdline} }
	    grep { slurp($_) =~ /^$name of $pid[ \0]/ } glob '/proc/[1-9]*/cmdline';
}

# The test program NAME.KIND.
sub program { return "$BUILD/tests/programs/$_[0]" }

# Why a program cannot be had, or nothing.
sub missing {
	my ($path) = @_;
	return if -x $path;
	return 'musl-gcc is not installed (package musl-tools)' if $path =~ /\.musl/;
	return 'this C library has no rcrt1.o' if $path =~ /\.static-pie/;
	return "$path is not installed" if $path !~ m{^\Q$BUILD\E/};
	return "$path is not built";
}

# Why a point about fine clocks without a system call makes no sense here; undef where it does.
my $no_counter;

sub no_counter {
	$no_counter //=
	    run($UVDSO, 'run', '-v', 'true')->{err} =~ /^uvdso: counter +not used/m ? 1 : 0;
	return $no_counter ? 'no usable counter here' : undef;
}

# "key value" lines as a hash of lists.
sub facts {
	my %facts;
	push @{$facts{$1}}, $2 while $_[0] =~ /^(\S+) ?(.*)$/mg;
	return \%facts;
}

# shows(WHAT, [NAME...], PROGRAM, ARG...) runs a program twice, and has two points. It prints
# "name seconds" lines, each with a time: the right one, and when the vDSO is shifted the
# shifted one, which only our vDSO can give it. With {parse => CODE} for a first argument
# the code makes such lines of what it prints; the other options are spawn()'s.
sub shows {
	my %opt = ref $_[0] ? %{+shift} : ();
	my ($what, $names, @cmd) = @_;
	my $parse = delete $opt{parse} // sub { $_[0] };

	SKIP: {
		my $why = missing($cmd[0]);
		skip $why, 2 if $why;
		for my $days (0, 1000) {
			my $from = int time;
			my $p = uvdso(
				\%opt, $days ? ('--offset', "realtime=+${days}d") : (), '--',
				@cmd
			);
			my $to = time + 1;
			my $facts = facts($parse->($p->{out}));
			my $shift = 86400 * $days;
			my @wrong = grep {
				my $s = $facts->{$_}[0];
				!defined $s || $s < $from + $shift || $s > $to + $shift;
			} @$names;

			ok(
				!@wrong && $p->{status} == 0 && !$p->{signal} && !$p->{left},
				$days
				? "$what shows the time of the vDSO, $days days from now"
				: "$what shows the time when nothing is shifted"
			    )
			    || diag "$cmd[0]: expected each of @$names between ", $from + $shift,
			    ' and ',
			    $to + $shift, ", wrong: @wrong\n$p->{out}$p->{err}",
			    $days
			    ? 'The program does not read our vDSO'
			    : 'The vDSO tells a wrong time';
		}
	}
}

# The program ended by itself, with this status, and left no process behind.
sub is_status {
	my ($p, $status, $what) = @_;
	my $fine = !$p->{timed_out} && !$p->{signal} && !$p->{left} && $p->{status} == $status;
	return ok($fine, $what) || diag_end($p, "status $status");
}

sub diag_end {
	my ($p, $expected) = @_;
	diag "$p->{cmd}\n  expected: $expected\n  got: status $p->{status}",
	    $p->{signal} ? ", signal $p->{signal}" : '', $p->{left} ? ', a process left over' : '',
	    "\n  standard error: $p->{err}";
	return 0;
}

# uvdso refused: this status, one line "uvdso: what: why" that matches, nothing else said.
sub refused {
	my ($p, $status, $line, $what) = @_;
	my $fine =
	       !$p->{timed_out}
	    && !$p->{signal}
	    && !$p->{left}
	    && $p->{status} == $status
	    && $p->{out} eq ''
	    && $p->{err} =~ /\Auvdso: [^\n]+: [^\n]+\n\z/
	    && $p->{err} =~ $line;
	return ok($fine, $what)
	    || diag_end($p, "status $status, nothing on standard output ('$p->{out}'), and one "
		    . "line on standard error, 'uvdso: what: why', that matches $line");
}

sub temp_dir { return File::Temp->newdir('uvdso-test-XXXXXX', TMPDIR => 1) }

1;
