package PrivateApt;

# Packages of any Debian release, for any machine, fetched by an apt of their own: it needs no root,
# and knows and changes nothing of what is installed here.
#
#	my $apt = PrivateApt->new(DIRECTORY, SUITE, ARCH);
#	if (my $why = $apt->update) { ... }
#	my @names = $apt->newest(qr/linux-image-6[0-9.-]+-arm64/);
#	my ($deb, $why) = $apt->download($names[0]);
#
# DIRECTORY holds the lists and what is downloaded; it is the caller's to keep or remove.

use strict;
use warnings;
use Build 'slurp';
use File::Path 'make_path';

# Where this machine has its packages from, or where everybody can have them from.
sub mirror {
	for my $path (glob '/etc/apt/sources.list /etc/apt/sources.list.d/*') {
		return $1
		    if slurp($path) =~
		    m{^(?:URIs:\s*|deb\s+(?:\[.*?\]\s+)?)(https?://\S+/debian)/?\s}m;
	}
	return 'http://deb.debian.org/debian';
}

sub new {
	my ($class, $state, $suite, $arch) = @_;
	make_path("$state/lists/partial", "$state/archives/partial");
	my %file = (
		'status' => '',
		'sources.list' => "deb @{[mirror()]} $suite main\n",
		'conf' => <<"END",
Dir::State "$state"; Dir::State::Lists "$state/lists"; Dir::State::status "$state/status";
Dir::Cache "$state"; Dir::Etc::SourceList "$state/sources.list"; Dir::Etc::SourceParts "-";
Dir::Etc::Preferences "-"; Dir::Etc::PreferencesParts "-";
APT::Architecture "$arch"; APT::Architectures "$arch";
APT::Sandbox::User "root"; Acquire::Languages "none";
END
	);
	for my $name (keys %file) {
		open my $file, '>', "$state/$name" or die "$state/$name: $!\n";
		print $file $file{$name};
		close $file or die "$state/$name: $!\n";
	}
	return bless {state => $state}, $class;
}

# A command with its output in the log; undef, or what apt says is wrong.
sub _run {
	my ($self, $what, @command) = @_;
	local $ENV{APT_CONFIG} = "$self->{state}/conf";
	my $log = "$self->{state}/log";
	my $status = system('sh', '-c', 'cd "$0" && exec "$@" >log 2>&1', $self->{state}, @command);
	exit 130 if $status & 127;    # ^C, which system() keeps from us
	return undef if $status == 0;
	my ($error) = slurp($log) =~ /^E: (.*)/m;
	return "$what: " . ($error // 'failed');
}

# Before its version 2.3 apt-get has no word for it, and takes lists that cannot be had for a warning.
sub update {
	my ($self) = @_;
	my $why = $self->_run('apt-get update', 'apt-get', 'update', '-q');
	return $why if $why;
	my $log = slurp("$self->{state}/log");
	return undef if $log !~ /^W: Some index files failed to download/m;
	my ($failed) = $log =~ /^W: Failed to fetch (.*)/m;
	return 'apt-get update: ' . ($failed // 'some lists cannot be had');
}

sub _natural { return $_[0] =~ s/(\d+)/sprintf '%08d', $1/ger }

# The packages whose whole name matches, the newest first.
sub newest {
	my ($self, $pattern) = @_;
	local $ENV{APT_CONFIG} = "$self->{state}/conf";
	my @names = grep { /^(?:$pattern)$/ } split /\n/, `apt-cache pkgnames 2>/dev/null`;
	return sort { _natural($b) cmp _natural($a) } @names;
}

# What a package depends on, by name; of alternatives the first.
sub depends {
	my ($self, $package) = @_;
	local $ENV{APT_CONFIG} = "$self->{state}/conf";
	my ($line) = `apt-cache show --no-all-versions '$package' 2>/dev/null` =~ /^Depends: (.*)/m;
	return map { /^\s*([a-z0-9+.-]+)/ ? $1 : () } split /,/, $line // '';
}

# The packages that no Debian is without.
sub essential {
	my ($self) = @_;
	local $ENV{APT_CONFIG} = "$self->{state}/conf";
	return
	    grep { length } map { /^Essential: yes/m && /^Package: (\S+)/m ? $1 : '' } split /\n\n/,
	    `apt-cache dumpavail 2>/dev/null`;
}

# The packages that an empty system has after these were installed, in the order in which they would be.
# Dies if apt cannot say.
sub with_depends {
	my ($self, @packages) = @_;
	my @command = qw(apt-get install -q --simulate --no-install-recommends);
	my $why = $self->_run('apt-get install', @command, @packages);
	die "$why\n" if $why;
	return slurp("$self->{state}/log") =~ /^Inst (\S+)/mg;
}

# (the path of the package's file) or (undef, why it cannot be had)
sub download {
	my ($self, $package) = @_;
	my ($why, $deb) = $self->download_all($package);
	return $why ? (undef, $why) : $deb;
}

# (undef, the paths of the packages' files) or (why they cannot be had)
sub download_all {
	my ($self, @packages) = @_;
	unlink glob "'$self->{state}'/*.deb";
	my $why = $self->_run(
		"apt-get download @packages[0 .. ($#packages > 2 ? 2 : $#packages)]",
		'apt-get', 'download', '-q', @packages
	);
	return $why if $why;
	return (undef, glob "'$self->{state}'/*.deb");
}

1;
