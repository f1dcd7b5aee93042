package Course::Said;

# What compiler, linker and tests have said of a tree, with the names that the learner knows: file and
# line of the copy, so that an editor can jump there.
#
# A compiler names the file, below the tree. A linker is harder. Its script has gone through the
# preprocessor, so the line that it names is one of the result, and a macro of ten lines is one line
# there. So after a failure the script is made once more, from a copy in which every line begins with a
# word that says which it is. Each of these words becomes the end of a line, and the linker is asked
# again: now every line that it names is known to be one of the copy.

use strict;
use warnings;
use Course::Files qw(slurp spew);
use Time::HiRes ();

my $SCRIPT = qr{build/[^\s:]+\.lds};

sub in_copy {
	my ($said, $tree, $name, %overlay) = @_;
	$said =~ s{(?<![\w/.-])(?:\./)?\Q$_\E(?=:)}{work/$name/$_}g for keys %overlay;
	$said =~ s{^((?:\S*ld(?:\.\w+)?(?:-\d+)?: ?)?)((?:error: )?)($SCRIPT):(\d+):([^\n]*\n)}{
		my ($who, $error, $file, $number, $what) = ($1, $2, $3, $4, $5);
		my @script = -e "$tree/$file" ? split /\n/, slurp("$tree/$file") : ();
		$who =~ s/:$/: /;
		"work/.trees/$name/$file:$number: $who$error" . ($what =~ s/^ //r)
		    . ($number && $number <= @script ? "    $number | $script[$number - 1]\n" : '')
	}gme;
	return join '', map { of_rule($_, $name, %overlay) } split /^/, $said;
}

# A linker's message without a place, about something that only one line of the learner's scripts can be
# meant by: its own words for a rule, or the name of a symbol.
sub of_rule {
	my ($said, $name, %overlay) = @_;
	my ($who, $what) =
	    $said =~ /^((?:\S*\/)?(?:[\w-]*-)?ld(?:\.\w+)?(?:-\d+)?: )(?:error: |warning: )?(.*\S)/
	    or return $said;
	my @words = ($what, $what =~ /(\b__\w+)/g, $what =~ /\b(LOAD) segment/ ? 'PT_LOAD' : ());
	for my $word (@words) {
		my @found;
		for my $path (grep { m{^linker-scripts/} } sort keys %overlay) {
			my $line = 0;
			my @text = split /^/, $overlay{$path};
			# Comments are full of names.
			for (split /^/, $overlay{$path} =~ s{/\*.*?\*/}{$& =~ tr/\n//cdr}gser) {
				push @found, [$path, $line + 1, $text[$line]]
				    if /(?<![\w.])\Q$word\E(?!\w)/;
				$line++;
			}
		}
		next if @found != 1;
		my ($path, $line, $text) = @{$found[0]};
		return "work/$name/$path:$line: $said    $line | $text";
	}
	return $said;
}

# Asks the linker again, in a way that its lines are the learner's: what it has said then. Nothing if it
# has named no line of a script, or the script is not the learner's.
sub of_scripts {
	my ($said, $tree, $name, $targets, %overlay) = @_;
	my ($script) = $said =~ /($SCRIPT):\d+:/ or return;
	my @paths = grep { m{^linker-scripts/.*\.(?:S|h)$} } sort keys %overlay or return;
	my ($dir, @origin) = $tree->{dir};

	$tree->begin;
	for my $path (@paths) {
		spew("$dir/$path", numbered($overlay{$path}, scalar @origin));
		push @origin, map { [$path, $_] } 1 .. ($overlay{$path} =~ tr/\n//) + 1;
	}
	unlink "$dir/$script";
	my $made = $tree->make($script);
	for my $path (@paths) {
		spew("$dir/$path", $overlay{$path});
		Time::HiRes::utime(1, 1, "$dir/$path");
	}
	if (!-e "$dir/$script") {
		$tree->done;
		return;
	}
	my (@lines, @from);
	my $at;
	for my $line (split /^/, slurp("$dir/$script")) {
		chomp $line;
		for my $part (split /(\bUVDSO_LINE_\d+_\b)/, $line) {
			if ($part =~ /^UVDSO_LINE_(\d+)_$/) {
				$at = $1;
			} elsif ($part =~ /\S/) {
				push @lines, $part;
				push @from, $at;
			}
		}
	}
	spew("$dir/$script", join '', map { "$_\n" } @lines);
	$said = $tree->make(@$targets)->{out};
	unlink "$dir/$script";
	# These files have the time of long ago now, and the next make must see them.
	Time::HiRes::utime(undef, undef, "$dir/$_") for @paths;
	$tree->done;

	my $known = 0;
	$said =~ s{^((?:\S*ld(?:\.\w+)?(?:-\d+)?: ?)?)((?:error: )?)\Q$script\E:(\d+):([^\n]*\n)}{
		my ($who, $error, $number, $what) = ($1, $2, $3, $4);
		my $from = $number ? $from[$number - 1] : undef;
		my ($path, $line) = defined $from ? @{$origin[$from]} : ();
		$who =~ s/:$/: /;
		$known++ if defined $path;
		defined $path
		    ? "work/$name/$path:$line: $who$error" . ($what =~ s/^ //r) . "    $line | "
		    . ((split /\n/, $overlay{$path})[$line - 1] // '') . "\n"
		    : "work/.trees/$name/$script: $who$error" . ($what =~ s/^ //r)
	}gme;
	# It quotes the line, and that was shown.
	$said =~ s/^>>>[^\n]*\n//gm if $known;
	return $known ? $said : undef;
}

# A text in which every line begins with its number, where the preprocessor lets it through.
sub numbered {
	my ($text, $first) = @_;
	my ($number, $inside, $out) = ($first, '', '');
	for (split /^/, $text) {
		my $word = "UVDSO_LINE_${number}_";
		$number++;
		my $continues = /\\\n?\z/;
		if ($inside eq 'other') {
			# A condition goes on: nothing may be added.
		} elsif ($inside eq '' && /^\s*#/) {
			$inside =
			    s/^(\s*#\s*define\s+\w+(?:\([^()]*\))?)/$1 $word / ? 'define' : 'other';
		} else {
			s/^/$word /;
		}
		$inside = '' if !$continues;
		$out .= $_;
	}
	return $out;
}

1;
