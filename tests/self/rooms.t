#!/usr/bin/perl
# The rooms of the source, as loader/rooms describes them: nobody includes or calls what that file
# does not allow, no files go round in a circle, and only the command prints.
#
# Includes are read from the sources, calls from what nm(1) says of the objects: an undefined name
# is an arrow to the file that defines it. Each check is a function of plain data, and is first
# shown a made-up house with one fault in it.
use strict;
use warnings;
use File::Find ();
use Test::More;
use lib 'tests/lib';
use Build;

my $ROOMS = 'loader/rooms';
my $MAX_SUBJECTS = 14;
my @SOURCES = ('loader', 'vdso-src');
# What writes to a stream or to a terminal. To memory, as snprintf(3), is fine.
my $OUTPUT =
    qr/^(?:__)?(?:v?f?w?printf|v?dprintf|f?puts|fputs|f?putc|putchar|fputwc|fwrite|perror|psignal|fflush|_IO_putc|
	putw?c|putwchar|fputws|__assert_fail|assert|
	v?errx?|v?warnx?|error|error_at_line|syslog|stdout|stderr)(?:_unlocked|_chk)?$/x;

# ---- the rules ----

# {name, line, uses => {room => 1}} of each room, in order.
sub rooms {
	my ($text) = @_;
	my (@rooms, $line);
	for (split /\n/, $text) {
		$line++;
		next if /^#|^\s/ || $_ eq '';
		my ($name, $uses) = /^(\S+):\s*(.*)$/
		    or die "$ROOMS:$line: neither 'room: rooms', nor a comment, nor indented\n";
		push @rooms,
		    {name => $name, line => $line, uses => {map { $_ => 1 } split ' ', $uses}};
	}
	return @rooms;
}

# A room may only use rooms above it, so that the rules themselves have no circle.
sub check_rooms {
	my (@rooms) = @_;
	my (%above, @problems);
	for my $room (@rooms) {
		push @problems,
		    "$ROOMS:$room->{line}: $room->{name} uses $_, which is no room above it"
		    for grep { !$above{$_} } sort keys %{$room->{uses}};
		push @problems, "$ROOMS:$room->{line}: $room->{name} is there twice"
		    if $above{$room->{name}}++;
	}
	return @problems;
}

sub room_of {
	my ($path, @rooms) = @_;
	my ($room) = sort { length $b->{name} <=> length $a->{name} }
	    grep { $path =~ m{^\Q$_->{name}\E[/.]} } @rooms;
	return $room;
}

# An arrow is {from, line, to, how}. All that loader/rooms does not allow.
sub check_arrows {
	my ($arrows, @rooms) = @_;
	my @problems;
	for my $arrow (@$arrows) {
		my ($from, $to) = map { room_of($_, @rooms) } @$arrow{qw(from to)};
		my $at = "$arrow->{from}:$arrow->{line}: $arrow->{how}";
		if (!$from || !$to) {
			push @problems,
			    "$at: "
			    . ($from ? $arrow->{to} : $arrow->{from})
			    . " is in no room of $ROOMS";
		} elsif ($from->{name} ne $to->{name} && !$from->{uses}{$to->{name}}) {
			push @problems,
			    "$at: $from->{name} may not use $to->{name} ($ROOMS:$from->{line})";
		}
	}
	return @problems;
}

# Circles of arrows among files: each once, with the arrow that closes it.
sub check_circles {
	my ($arrows) = @_;
	my (%to, %state, @problems);
	push @{$to{$_->{from}}}, $_ for grep { $_->{from} ne $_->{to} } @$arrows;
	my $visit;
	$visit = sub {
		my ($file, @way) = @_;
		$state{$file} = 'open';
		for my $arrow (@{$to{$file} // []}) {
			my $next = $arrow->{to};
			my $seen = $state{$next} // '';
			if ($seen eq 'open') {
				my @circle = (@way, $file);
				shift @circle while $circle[0] ne $next;
				push @problems, "$file:$arrow->{line}: $arrow->{how}: a circle: "
				    . join(' -> ', @circle, $next);
			} elsif (!$seen) {
				$visit->($next, @way, $file);
			}
		}
		$state{$file} = 'done';
	};
	$visit->($_) for grep { !$state{$_} } sort keys %to;
	return @problems;
}

# objects: source => {defines => [names], needs => [names]}.
sub call_arrows {
	my ($objects, $line_of) = @_;
	my (%where, @arrows);
	for my $file (keys %$objects) { $where{$_} = $file for @{$objects->{$file}{defines}} }
	for my $file (sort keys %$objects) {
		push @arrows,
		    map { {
			from => $file, line => $line_of->($file, $_), to => $where{$_},
			how => "uses $_ of $where{$_}"
		    } }
		    grep { $where{$_} } sort @{$objects->{$file}{needs}};
	}
	return @arrows;
}

sub check_output {
	my ($objects, $line_of) = @_;
	my @problems;
	for my $file (grep { !m{^loader/cli/} } sort keys %$objects) {
		push @problems,
		    "$file:"
		    . $line_of->($file, $_)
		    . ": $_: only loader/cli prints; tell it by an error or an event (base/error.h, base/event.h)"
		    for grep { /$OUTPUT/ } @{$objects->{$file}{needs}};
	}
	return @problems;
}

# A .c and its .h are one subject.
sub check_crowds {
	my (@files) = @_;
	my %subjects;
	for (@files) {
		my ($dir, $name) = m{^(.*)/([^/.]+)\.[chS]$} or next;
		$subjects{$dir}{$name} = 1;
	}
	return map {
		my $n = keys %{$subjects{$_}};
		$n > $MAX_SUBJECTS
		    ? "$_: $n subjects, $MAX_SUBJECTS at most: is it two rooms?"
		    : ()
	} sort keys %subjects;
}

# ---- this tree ----

sub slurp {
	my ($path) = @_;
	open my $fh, '<', $path or die "$path: $!\n";
	local $/;
	return scalar <$fh>;
}

sub sources {
	my @files;
	File::Find::find(
		{no_chdir => 1, wanted => sub { push @files, $_ if -f && /\.[chS]$/ }},
		grep { -d } @SOURCES
	);
	return sort @files;
}

# A path without "..".
sub plain {
	my ($path) = @_;
	1 while $path =~ s{(?:^|(?<=/))(?!\.\./)[^/]+/\.\./}{};
	return $path;
}

# Where an include may lead: it depends on the machine that is built for, so all of them count.
sub include_arrows {
	my (@files) = @_;
	my %is = map { $_ => 1 } @files;
	my @arrows;
	for my $file (@files) {
		my ($own) = $file =~ m{/arch/(\w+)/};
		my @machines =
		    $own ? ($own) : map { m{^vdso-src/arch/(\w+)/machine\.h$} ? $1 : () } @files;
		my ($line, $dir) = (0, $file =~ s{/[^/]*$}{}r);
		for (split /\n/, slurp($file)) {
			$line++;
			/^\s*#\s*include\b/ or next;
			my ($quote, $name) = /^\s*#\s*include\s*(["<])([^">]+)[">]/;
			if (!defined $name) {
				push @arrows,
				    {
					from => $file, line => $line, to => $_,
					how => 'includes not by a plain name'
				    };
				next;
			}
			my @places = (
				$quote eq '"' ? plain("$dir/$name") : (), "loader/$name",
				"vdso-src/include/$name",
				map { ("loader/kernel/arch/$_/$name", "vdso-src/arch/$_/$name") }
				    @machines
			);
			my @targets = grep { $is{$_} } @places;
			@targets = ($name) if !@targets && $quote eq '"';
			push @arrows,
			    map { {from => $file, line => $line, to => $_, how => "includes $name"
			    } } @targets;
		}
	}
	return @arrows;
}

# Sources without an object of their own, or with one that is older: nm would say nothing of them.
sub not_built {
	my (@files) = @_;
	my $machine = `uname -m` =~ s/\n//r =~ s/^i\d86$/i386/r;
	my $dir = "$TESTED/$machine";
	my @problems;
	for my $file (grep { m{^loader/.*\.c$} && !m{^loader/examples/} } @files) {
		next if $file =~ m{/arch/(\w+)/} && $1 ne $machine;
		my ($source, $object) = map { (stat)[9] } $file, "$dir/" . $file =~ s/c$/o/r;
		push @problems, "$file: no object in $dir that is as new"
		    if ($object // 0) < $source;
	}
	return @problems;
}

# Of this machine's objects, those whose source is still there.
sub objects {
	my (%objects, @found);
	my $machine = `uname -m` =~ s/\n//r =~ s/^i\d86$/i386/r;
	my $dir = "$TESTED/$machine/loader";
	File::Find::find({no_chdir => 1, wanted => sub { push @found, $_ if /\.o$/ }}, $dir)
	    if -d $dir;
	for my $object (sort @found) {
		my ($source) =
		    grep { -f }
		    map { 'loader' . substr($object, length $dir) =~ s/o$/$_/r } qw(c S)
		    or next;
		my %of = (defines => [], needs => []);
		for (split /\n/, `nm -P -g @{[quoted($object)]}`) {
			my ($name, $type) = /^(\S+) (\w)/ or next;
			push @{$type =~ /[Uw]/ ? $of{needs} : $of{defines}}, $name =~ s/@.*//r;
		}
		$objects{$source} = \%of;
	}
	return \%objects;
}

# The line of a file that has a name, or that of none.
sub line_of {
	my ($file, $name) = @_;
	my $line = 0;
	$name =~ s/^__|_chk$//g;
	for (split /\n/, slurp($file)) {
		$line++;
		return $line if /\b\Q$name\E\b/ && !/^\s*(?:\/?\*|#)/;
	}
	return 0;
}

sub none {
	my ($what, @problems) = @_;
	ok(!@problems, $what) or diag(join "\n", @problems);
}

sub finds {
	my ($what, $pattern, @problems) = @_;
	ok(@problems == 1 && $problems[0] =~ $pattern, "in a made-up house it finds $what")
	    or diag("expected one problem, like $pattern, got:\n", map { "  $_\n" } @problems);
}

# ---- made-up houses ----

my @house = rooms("# floors\nlow:\n\tnothing\nhigh: low\n\ttext\nside: low\n");

sub arrow {
	my ($from, $to) = @_;
	return {from => $from, line => 7, to => $to, how => "includes $to"};
}

is_deeply([check_rooms(@house)], [], 'a made-up house of three rooms is in order');
is_deeply(
	[
		check_arrows(
			[
				arrow('high/a.c', 'low/b.h'), arrow('low/a.c', 'low/b.h'),
				arrow('side.c', 'low/x/y.h')
			],
			@house
		)
	],
	[],
	'there, arrows go down, or stay in their room'
);
finds(
	'a room that uses one below it in the list',
	qr{^loader/rooms:1: low uses high, which is no room above it$},
	check_rooms(rooms("low: high\nhigh:\n"))
);
finds(
	'a room that is described twice', qr{^loader/rooms:2: low is there twice$},
	check_rooms(rooms("low:\nlow:\n"))
);
finds(
	'an include upwards',
	qr{^low/a\.c:7: includes high/b\.h: low may not use high \(loader/rooms:2\)$},
	check_arrows([arrow('low/a.c', 'high/b.h')], @house)
);
finds(
	'an include to a neighbour',
	qr{^side/a\.c:7: .*: side may not use high \(loader/rooms:6\)$},
	check_arrows([arrow('side/a.c', 'high/b.h')], @house)
);
finds(
	'a file that is in no room', qr{^high/a\.c:7: .*: attic/b\.h is in no room},
	check_arrows([arrow('high/a.c', 'attic/b.h')], @house)
);
finds(
	'a circle of includes',
	qr{^low/c\.h:7: includes low/a\.h: a circle: low/a\.h -> low/b\.h -> low/c\.h -> low/a\.h$},
	check_circles([
		arrow('low/a.h', 'low/b.h'), arrow('low/b.h', 'low/c.h'),
		arrow('low/c.h', 'low/a.h'), arrow('low/d.c', 'low/a.h')
	])
);
{
	my $seven = sub { 7 };
	my %objects = (
		'low/a.c' => {defines => ['a'], needs => ['b', 'memcpy']},
		'low/b.c' => {defines => ['b'], needs => ['a', 'snprintf', '__vsnprintf_chk']},
		'high/c.c' => {defines => ['c'], needs => ['a', 'fprintf']},
		'loader/cli/d.c' => {defines => ['d'], needs => ['puts']}
	);
	finds(
		'two files that call each other', qr{^low/b\.c:7: uses a of low/a\.c: a circle: },
		check_circles([call_arrows(\%objects, $seven)])
	);
	finds(
		'a program part that prints', qr{^high/c\.c:7: fprintf: only loader/cli prints},
		check_output(\%objects, $seven)
	);
	$objects{'low/b.c'}{needs} = ['c'];
	finds(
		'a call upwards',
		qr{^low/b\.c:7: uses c of high/c\.c: low may not use high \(loader/rooms:2\)$},
		check_arrows([call_arrows(\%objects, $seven)], @house)
	);
	like($_, $OUTPUT, "$_ is output")
	    for
	    qw(printf vfprintf __fprintf_chk dprintf puts fputs_unlocked perror warnx stderr fflush);
	unlike($_, $OUTPUT, "$_ is none")
	    for qw(snprintf __vsnprintf_chk asprintf sscanf write strerror error_self);
}
finds('a crowd', qr{^low: 15 subjects}, check_crowds('low/a.h', map { "low/$_.c" } 'a' .. 'o'));

# ---- this one ----

my @rooms = rooms(slurp($ROOMS));
my @files = sources();
my @includes = include_arrows(@files);
my $objects = objects();
my @calls = call_arrows($objects, \&line_of);

is(plain('a/b/../../c/./d.h'), 'c/./d.h', 'a path leads where it leads, however it is written');

none("$ROOMS: every room uses only rooms above it", check_rooms(@rooms));
none(
	"$ROOMS: every room is there",
	map {
		my $room = $_;
		grep({ m{^\Q$room->{name}\E[/.]} } @files)
		    ? ()
		    : "$ROOMS:$room->{line}: there is no $room->{name}"
	} @rooms
);
none(
	'every source file is in a room',
	map { room_of($_, @rooms) ? () : "$_: in no room of $ROOMS" } @files
);
cmp_ok(scalar @includes, '>', 150, 'the includes have been read: ' . @includes);
cmp_ok(
	scalar @calls, '>', 150,
	'the calls have been read: ' . @calls . ', of ' . keys(%$objects) . ' objects'
);
none('every source has been built, so that its calls are known', not_built(@files));
none('no file includes what its room may not use', check_arrows(\@includes, @rooms));
none('no file calls what its room may not use', check_arrows(\@calls, @rooms));
none('no includes go round in a circle', check_circles(\@includes));
none('no calls between files go round in a circle', check_circles(\@calls));
none('only the command prints', check_output($objects, \&line_of));
none(
	"no directory of loader/kernel has more than $MAX_SUBJECTS subjects",
	check_crowds(grep { m{^loader/kernel/} } @files)
);

done_testing();
