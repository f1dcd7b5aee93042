package Course::Workspace;

# Where a learner's work lies, and what keeps it whole.
#
#	work/06-seqlock/vdso-src/gettime.c         the learner's copy, with the region cut out
#	work/.base/06-seqlock/vdso-src/gettime.c   that copy as it was at the beginning
#	work/.trees/06-seqlock/                    the project with that copy in its place, to build and test
#	work/.passed/06-seqlock                    what the copy was when it last passed all its tests, and
#	work/.passed/06-seqlock.project            the project's answer at the beginning: their digests
#	work/.progress                             a line a chapter: name, state, hints seen
#	work/.old/06-seqlock.1/                    what a reset, a move or an update has put aside
#	work/.lock/06-seqlock                      held by who works on one of these
#
# All of work/ is ignored by git, so pulling never meets it. Any file that is put below work/NAME
# stands before the project's, also one that the exercise is not about.
#
# A command may be interrupted anywhere. So whatever has more than one file is made aside and renamed,
# and a file is written in the same way (Course::Files::spew). What is missing then is said by the next
# command, with the one that mends it.

use strict;
use warnings;
use Digest::SHA 'sha1_hex';
use File::Path 'make_path';
use POSIX ();
use Course::Card;
use Course::Files qw(slurp spew capture matching discard lock);
use Course::Tree;

sub new {
	my ($class, $top) = @_;
	return bless {top => $top}, $class;
}

# A learner's work lies in the project, beside what it is about: in work/.
sub need_work {
	my ($self) = @_;
	my $dir = "$self->{top}/work";
	-d $dir || !-e $dir
	    or die "$dir is a file. Your exercises go to a directory of that name\n";
	$dir = $self->{top} if !-d $dir;
	POSIX::access($dir, POSIX::W_OK())
	    or die
	    "$dir: $!. Your exercises go to work/: take a copy of the project that can be written\n";
}

# Work on a copy and its tree, until this process ends or lets go.
sub lock_copy {
	my ($self, $name) = @_;
	$self->{locks}{$name} //= lock("$self->{top}/work/.lock/$name", "work/$name");
}

sub let_go {
	my ($self, $name) = @_;
	delete $self->{locks}{$name};
}

# ---- which exercise ----

sub cards { my ($self) = @_; return @{$self->{cards} //= [Course::Card->all($self->{top})]} }

# The card that is meant by 6, 06, 5b, 06-seqlock, seqlock, or a path that the shell has completed.
sub card {
	my ($self, $ch) = @_;
	my $wanted = lc($ch // '') =~ s/^\s+|\s+$//gr;
	length $wanted or die "which chapter? For instance: make $self->{command} CH=06\n";
	$wanted =~ s{^(?:\./)?(?:work|tutorial(?:/ex|/zh-cn)?)/}{};
	$wanted =~ s{/$|\.md$|\.ex$}{};
	$wanted = sprintf '%02d%s', $1, $2 if $wanted =~ /^0*(\d{1,2})([a-z]?)$/;
	my @found = grep {
		       $_->{id} eq $wanted
		    || $_->{name} eq $wanted
		    || $_->{name} =~ /^\d\d[a-z]?-\Q$wanted\E$/
	} $self->cards;
	@found == 1
	    or die 'CH=', $ch =~ s/[^ -~]/?/gr, ": no such exercise. There are:\n",
	    map { "  $_->{id}  $_->{title}\n" } $self->cards;
	return $found[0];
}

# The name of a copy: that of a card, or "all".
sub copy_name {
	my ($self, $ch) = @_;
	return ($ch // '') =~ /^\s*all\s*$/i ? 'all' : $self->card($ch)->{name};
}

# CH=06, for a name.
sub as_typed {
	my ($self, $name) = @_;
	return 'CH=' . ($name =~ /^(\d+\w?)-/ ? $1 : $name);
}

# What the project has for this copy to begin with: path => text.
sub beginning {
	my ($self, $name) = @_;
	my @cards = $name eq 'all' ? $self->cards : $self->card($name);
	my %text = eval { Course::Card::all_stubs(@cards) };
	return %text if %text;
	my $why = $@;
	for my $card (@cards) {
		my $edited = $self->project_edited($card) // next;
		die
		    "$edited.\nAn exercise is cut out of it: git checkout $card->{file} takes the edit back\n";
	}
	die $why;
}

# ---- progress ----

sub progress {
	my ($self) = @_;
	my $path = "$self->{top}/work/.progress";
	return {
		-e $path
		? map {
			/^(\S+) (open|done) (\d)(?: (asked))?$/
			    ? ($1 => {state => $2, hints => $3, asked => $4})
			    : ()
		    }
		    split /\n/,
		slurp($path)
		: ()
	};
}

# What was done stays done, whatever is begun anew.
sub note_progress {
	my ($self, $card, %new) = @_;
	my $lock = lock("$self->{top}/work/.lock/progress", 'work/.progress');
	my $all = $self->progress;
	my $old = $all->{$card->{name}} // {};
	$all->{$card->{name}} = {state => 'open', hints => 0, %$old, %new};
	$all->{$card->{name}}{state} = 'done' if ($old->{state} // '') eq 'done';
	spew(
		"$self->{top}/work/.progress",
		join '',
		map {
			join(' ', $_, $all->{$_}{state}, $all->{$_}{hints}, $all->{$_}{asked} // ())
			    . "\n"
		} sort keys %$all
	);
}

sub state_of {
	my ($self, $card) = @_;
	return $self->progress->{$card->{name}} // {state => '', hints => 0};
}

# ---- the learner's copy ----

sub copy_dir { my ($self, $name) = @_; return "$self->{top}/work/$name" }
sub base_dir { my ($self, $name) = @_; return "$self->{top}/work/.base/$name" }

# The copy as it was at the beginning: path => text. Nothing for one that was begun before these were
# kept, or whose base was removed.
sub base {
	my ($self, $name) = @_;
	my $dir = $self->base_dir($name);
	return if !-d $dir;
	return map { $_ => slurp("$dir/$_") } Course::Tree::files($dir);
}

# Writes files below a directory that is not there until all of them are.
sub put_aside_first {
	my ($self, $dir, %text) = @_;
	my $new = $dir =~ s{([^/]*)$}{.$1.new}r;
	discard($new);
	make_path($new);
	for my $path (sort keys %text) {
		spew("$new/$path", $text{$path});
		my @stat = stat "$self->{top}/$path";
		chmod $stat[2] & 07777 | 0200, "$new/$path" if @stat;
	}
	discard($dir) if -e $dir || -l $dir;
	rename $new, $dir or die "$dir: $!\n";
}

sub make_copy {
	my ($self, $name) = @_;
	my %text = $self->beginning($name);
	$self->put_aside_first($self->base_dir($name), %text);
	$self->note_project($name);
	$self->put_aside_first($self->copy_dir($name), %text);
	return %text;
}

sub note_project {
	my ($self, $name) = @_;
	spew("$self->{top}/work/.passed/$name.project", sha1_hex($self->regions($name)) . "\n");
}

# Why a copy is not to be tested, as a sentence with what mends it; nothing if it is whole.
sub broken {
	my ($self, $name) = @_;
	my ($dir, $ch) = ($self->copy_dir($name), $self->as_typed($name));
	if (!-e $dir && !-l $dir) {
		return -d $self->base_dir($name)
		    ? "work/$name is gone: it was removed, or has another name now. make start $ch begins again\n"
		    : "work/$name is not there yet: make start $ch\n";
	}
	my $mend = "to begin again: make reset $ch. What is there is kept in work/.old";
	-d $dir or return "work/$name is not a directory. \u$mend\n";
	my %base = $self->base($name);
	%base = $self->beginning($name) if !%base;
	for my $path (sort keys %base) {
		my ($file, $at) = ("$dir/$path", "work/$name/$path");
		if (!-e $file) {
			my @other = grep { !-e "$self->{top}/$_" } Course::Tree::files($dir);
			return "$at is not there. ",
			    @other
			    ? "This is: work/$name/$other[0]. If that is yours, give it back its name; or else $mend\n"
			    : "\u$mend\n";
		}
		-f $file or return "$at is not a file. \u$mend\n";
		-r $file or return "$at: $!\n";
		my $text = slurp($file);
		$text =~ /\S/ or return "$at is empty. \u$mend\n";
		if ($text =~ /^<<<<<<< .*^>>>>>>> /ms) {
			my $line = 1 + (substr($text, 0, $-[0]) =~ tr/\n//);
			return
			    "$at:$line: here you and the project have changed the same lines. Take what is right, and remove the lines with <<<, === and >>>\n";
		}
	}
	for my $path ($self->copy_files($name)) {
		my @part = split m{/}, $path;
		my ($file) = grep { -f "$self->{top}/$_" }
		    map { join '/', @part[0 .. $_] } 0 .. $#part - 1;
		return "work/$name/$file is a directory, and in the project a file. Move it away\n"
		    if defined $file;
		return "work/$name/$path is a file, and in the project a directory. Move it away\n"
		    if -d "$self->{top}/$path";
	}
	return;
}

# The names of a copy's files, without what editors leave.
sub copy_files {
	my ($self, $name) = @_;
	return
	    sort grep { !/~$|\.sw.$|(?:^|\/)(?:\.#|\#[^\/]*\#$)|\.orig$|\.rej$/ }
	    Course::Tree::files($self->copy_dir($name));
}

# The copy's files, path => text.
sub overlay {
	my ($self, $name) = @_;
	my $why = join '', $self->broken($name);
	die $why if length $why;
	return map { $_ => slurp($self->copy_dir($name) . "/$_") } $self->copy_files($name);
}

# The tree of a copy, up to date.
sub tree {
	my ($self, $name, %overlay) = @_;
	my $tree = $self->tree_of($name);
	$tree->sync(%overlay ? %overlay : $self->overlay($name));
	return $tree;
}

sub tree_of {
	my ($self, $name) = @_;
	return Course::Tree->new($self->{top}, "$self->{top}/work/.trees/$name");
}

# ---- what has passed ----

sub digest {
	my (%overlay) = @_;
	return sha1_hex(map { ($_, "\0", $overlay{$_}, "\0") } sort keys %overlay);
}

sub note_passed {
	my ($self, $name, %overlay) = @_;
	spew("$self->{top}/work/.passed/$name", digest(%overlay) . "\n");
}

# Whether this is what has passed before.
sub has_passed {
	my ($self, $name, %overlay) = @_;
	my $path = "$self->{top}/work/.passed/$name";
	return -f $path && slurp($path) eq digest(%overlay) . "\n";
}

# ---- what the project's own file has become ----

# Whether somebody has edited the project's file of an exercise between its two lines, where the copy
# should have been edited. With git that is known; without, only that it is another than at the
# beginning, which an update does as well.
sub project_edited {
	my ($self, $card) = @_;
	my $region = eval { $card->region };
	defined $region
	    or return
	    "The project's own $card->{file} has lost its two lines 'course: ... $card->{name}'";
	if (-e "$self->{top}/.git") {
		my $git = capture(
			{dir => $self->{top}, limit => 10},
			'git', 'show', "HEAD:./$card->{file}"
		);
		my $was = $git->{status} ? undef : eval {
			(Course::Card::split_region($git->{out}, $card->{name}, $card->{file}))[1];
		};
		return if defined $was && $was eq $region;
		return "The project's own $card->{file} has been edited" if defined $was;
	}
	my $path = "$self->{top}/work/.passed/$card->{name}.project";
	return if !-f $path || slurp($path) eq sha1_hex($self->regions($card->{name})) . "\n";
	return
	    "The project's own $card->{file} is not what it was when you began. If the project was updated, make update CH=$card->{id} ends this message. If not, it has been edited";
}

# The project's regions at the beginning, to be compared without git.
sub regions {
	my ($self, $name) = @_;
	return join '', map {
		eval { $_->region }
		    // ''
	} $name eq 'all' ? $self->cards : $self->card($name);
}

# What is to be said of it before anything else, as lines.
sub notes {
	my ($self, $card, %overlay) = @_;
	my $name = $card->{name};
	my @notes;
	if (defined(my $edited = $self->project_edited($card))) {
		push @notes, "$edited. That is not your copy:",
		    "yours is work/$name/$card->{file}, and only that is tested.";
		push @notes,
		    "git diff $card->{file} shows what was changed there, git checkout $card->{file} takes it back."
		    if -e "$self->{top}/.git";
	} elsif (my %base = $self->base($name)) {
		my %now = eval { $self->beginning($name) };
		push @notes,
		    "The project's $card->{file} has changed since you began: make update CH=$card->{id}",
		    'brings that into your copy.'
		    if grep { ($base{$_} // '') ne $now{$_} } keys %now;
	}
	for my $path (grep { $_ ne $card->{file} } sort keys %overlay) {
		push @notes, "work/$name/$path is yours, too, and "
		    . (-e "$self->{top}/$path" ? "stands before the project's." : 'is added.');
	}
	return @notes;
}

# ---- files that have moved ----

# The project renames its files, and a copy stands under the old path. tutorial/moved says where each
# has gone. A path may have moved more than once. A line without a slash is a name of the code that an
# exercise's region uses.
sub moved {
	my ($top) = @_;
	my (%to, $line);
	return \%to if !-e "$top/tutorial/moved";
	for (split /^/, slurp("$top/tutorial/moved")) {
		$line++;
		next if /^\s*(?:#|$)/;
		my ($old, $new) = /^(\S+) (\S+)$/
		    or die "tutorial/moved:$line: neither 'old-path new-path' nor a comment\n";
		$to{$old} = $new;
	}
	return \%to;
}

# Brings the copies below work/ to where the project has these files now. The surroundings of an
# exercise have changed with the move (other includes, other names), so what is moved is the
# learner's own region, into the file as it is now. The old copy is put aside as it was.
sub move_copies {
	my ($self) = @_;
	my $to = moved($self->{top});
	for my $dir (sort(matching("$self->{top}/work", '*'))) {
		my $name = $dir =~ s{.*/}{}r;
		my @old = grep { m{/} && -f "$dir/$_" } sort keys %$to or next;
		my $aside;
		$self->lock_copy($name);
		for my $old (grep { -f "$dir/$_" } @old) {
			my $new = $to->{$old};
			$new = $to->{$new} while $to->{$new};
			if (-e "$dir/$new") {
				print
				    "$old is now $new. work/$name has both, and only the second is used.\n\n";
				next;
			}
			my $text = slurp("$dir/$old");
			my ($fitted, $whole) = $self->fit_regions($text, $new);
			spew("$dir/$new", $fitted);
			chmod +(stat "$dir/$old")[2] & 07777 | 0200, "$dir/$new";
			$aside //= $self->aside($name);
			make_path("$self->{top}/$aside/$old" =~ s{/[^/]*$}{}r);
			rename "$dir/$old", "$self->{top}/$aside/$old"
			    or die "work/$name/$old: $!\n";
			rmdir $_
			    for
			    map { my @part = split m{/}, $old; "$dir/" . join '/', @part[0 .. $_] }
			    reverse 0 .. ($old =~ tr{/}{}) - 1;

			if (my %now = eval { $self->beginning($name) }) {
				$self->put_aside_first($self->base_dir($name), %now);
			}
			print "$old is now $new, and so is your copy in work/$name.\n",
			    $whole
			    ? "It is as you left it.\n"
			    : "What you wrote between the two 'course:' lines is in it; all around is new.\n",
			    "Your old copy is kept in $aside/$old\n\n";
		}
		$self->let_go($name);
	}
}

# The regions of a learner's text in the project's file of that path; and whether it is the
# learner's whole text instead, because no region of it is to be found.
sub fit_regions {
	my ($self, $text, $path) = @_;
	my ($fitted, $found) = (slurp("$self->{top}/$path"), 0);
	for my $card (grep { $_->{file} eq $path } $self->cards) {
		my $region = eval { (Course::Card::split_region($text, $card->{name}, $path))[1] };
		next if !defined $region;
		my $to = moved($self->{top});
		for my $name (grep { !m{/} } keys %$to) {
			$region =~ s/\b\Q$name\E\b/$to->{$name}/g;
		}
		$fitted = $card->replace($fitted, $region);
		$found++;
	}
	return $found ? ($fitted, 0) : ($text, 1);
}

# A new directory for what must not be lost, from the top of the project.
sub aside {
	my ($self, $name) = @_;
	my $number = 1;
	$number++ while -e "$self->{top}/work/.old/$name.$number";
	make_path("$self->{top}/work/.old");
	return "work/.old/$name.$number";
}

1;
