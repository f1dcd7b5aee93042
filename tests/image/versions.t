#!/usr/bin/perl
# versions.t - what an image exports, and under which version: the promise that its version script makes.
#
# The names and versions are those that readelf prints; the hash is read from the bytes, because
# readelf does not show it. What else an image must be is in image.t.
use strict;
use warnings;
use Test::More;
use lib 'tests/lib';
use Build;
use Elf;

plan skip_all => 'the image of x86-64 is not built here (make deps)' if !-e "$BUILD/x86_64/vdso.so";

my $page = "$BUILD/x86_64/vdso.so";
my $node = 'LINUX_2.6';
my @names = sort qw(clock_getres clock_gettime getcpu getrandom gettimeofday time);

$ENV{LC_ALL} = 'C';
my $dynsyms = `readelf -W --dyn-syms $page 2>&1`;
$? == 0 or BAIL_OUT("readelf: $dynsyms");

# name => {address, bind, version}. ld.bfd adds an absolute symbol with the name of the node.
my %exported;
for (split /\n/, $dynsyms) {
	/^ +\d+: (\w+) +\d+ \w+ +(WEAK|GLOBAL) +\w+ +(\w+) ([^@\s]+)(?:(@@?)(\S+))?/ or next;
	$exported{$4} = {address => $1, bind => $2, version => defined $6 ? "$5$6" : 'no version'}
	    unless $3 eq 'ABS' && $4 !~ /^vdso/;
}

sub point {
	my ($what, $expected, $got, @why) = @_;
	ok($expected eq $got, $what)
	    or diag("expected  $expected\ngot       $got\nwhy: ", join "\n     ", @why);
}

sub is_exported {
	my ($name, $bind) = @_;
	my $symbol = $exported{$name} or return "$name: not there";
	return "$name: $symbol->{version}" if $symbol->{version} ne "\@\@$node";
	return $symbol->{bind} eq $bind ? () : "$name: $symbol->{bind}";
}

sub all_or { return @_ ? join ', ', @_ : 'all of them' }

my $versions = `readelf -W -V $page 2>&1`;
my @definitions =
    map { s/\s+$//r } $versions =~ /Flags: (?:BASE|none) +Index: \d+ +Cnt: \d+ +Name: (.*)/g;
point(
	'there are two versions: the file itself, and one node', "linux-vdso.so.1, $node",
	@definitions ? join(', ', @definitions) : 'no versions',
	'a C library for x86-64 asks for functions of LINUX_2.6, and takes no others. Go does',
	'not even start on an image without versions'
);

# System V's hash, which is in the ABI: four bits are moved up with each letter.
my $hash = 0;
for my $letter (unpack 'C*', $node) {
	$hash = ($hash << 4) + $letter;
	$hash = ($hash ^ ($hash >> 24 & 0xf0)) & 0x0fffffff;
}
my $elf = eval {
	open my $fh, '<:raw', $page or die;
	Elf->new(do { local $/; <$fh> });
};
my ($there) = grep { $_->{ndx} == 2 } @{$elf ? $elf->{verdefs} : []};
point(
	'the node has the hash of that name', sprintf('%#x', $hash),
	$there ? sprintf('%#x', $there->{hash}) : 'no node',
	'the hash is compared first, and the name only if it is the same'
);

point(
	'six functions are exported with that version, each with the prefix __vdso_', 'all of them',
	all_or(map { is_exported("__vdso_$_", 'GLOBAL') } @names),
	'these are the names that C libraries ask for; without one of them the program makes',
	'a system call each time, and nobody tells'
);
point(
	'each has its plain name, too: weak, and the same function', 'all of them',
	all_or(
		map {
			my $plain = $_;
			my @wrong = is_exported($plain, 'WEAK');
			@wrong ? @wrong
			    : $exported{$plain}{address} eq
			    ($exported{"__vdso_$plain"}{address} // '') ? ()
			    : "$plain: elsewhere";
		} @names
	),
	'that was promised once, and programs that are as old as the promise still run'
);
my %meant = map { $_ => 1, "__vdso_$_" => 1 } @names;
point(
	'nothing else is exported', 'nothing',
	join(', ', grep { !$meant{$_} } sort keys %exported) || 'nothing',
	'who finds a name may use it, and then it can never be taken back. vdso_loaded_end is',
	'an address that the linker script made for itself'
);

done_testing();
