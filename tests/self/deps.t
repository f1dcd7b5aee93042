#!/usr/bin/perl
# deps.t - make deps and make doctor, on machines that this one is not.
#
# Both ask other programs about the machine: dpkg-query, apt-get, id. Here these are stand-ins, so
# that every answer can be had, and nothing is installed.
use strict;
use warnings;
use Test::More;
use lib 'tests/lib';
use Build;
use Fcntl;
use File::Temp qw(tempdir);
use POSIX ();
use Time::HiRes qw(time);

my $tests = 'tests';
my $dir = tempdir(CLEANUP => 1);

sub stand_in {
	my ($name, $script) = @_;
	# A new file, always: a link of that name leads to the machine's own command.
	unlink "$dir/$name";
	sysopen my $fh, "$dir/$name", O_WRONLY | O_CREAT | O_EXCL, 0755 or die "$name: $!";
	print $fh "#!/bin/sh\n$script\n";
	close $fh or die "$name: $!";
}

# With these commands in PATH and no others. Status and all output, and what apt-get was called with,
# simulations left out.
sub run {
	my ($script) = @_;
	unlink "$dir/apt";
	my $out = `PATH=@{[quoted($dir)]} /bin/sh $script 2>&1 </dev/null`;
	open my $fh, '<', "$dir/apt" or return ($? >> 8, $out, '');
	local $/;
	return ($? >> 8, $out, <$fh>);
}

for my $tool (qw(sed cut tr sh grep ls cat getconf fold dirname)) {
	my ($path) = grep { -x } map { "$_/$tool" } split /:/, $ENV{PATH};
	symlink $path, "$dir/$tool" or die $tool;
}
# One of these machines, and this kernel.
sub machine {
	my ($name) = @_;
	stand_in(
		'uname',
		qq{case "\$1" in -m) echo $name ;; *) echo @{[(POSIX::uname())[2]]} ;; esac}
	);
}
machine('x86_64');
# `dpkg-query -W -f FORMAT PACKAGE...`: all is installed, but what $dir/lacks names.
my $dpkg_query = <<'END';
shift 3
for package in "$@"; do
	case " $LACKS " in
	*" $package "*) [ -z "$REMOVED" ] || echo "$package config-files" ;;
	*) echo "$package installed" ;;
	esac
done
END
stand_in('dpkg-query', $dpkg_query);
stand_in('id', 'echo $USER_ID');
# `apt-get -s` answers as Debian's does for packages that $UNKNOWN or $CONFLICTS name.
my $apt_get = <<'END';
case " $* " in
*' -s '*)
	for package in "$@"; do
		case " $UNKNOWN " in *" $package "*)
			echo "E: Unable to locate package $package" >&2
			exit 100 ;;
		esac
		case " $CONFLICTS " in *" $package "*)
			case " $* " in *' --no-remove '*)
				echo 'E: Packages need to be removed but remove is disabled.' >&2
				exit 100 ;;
			esac
			echo 'Remv gcc-multilib [4:12.2.0-3]' ;;
		esac
	done
	exit 0 ;;
esac
END
stand_in('apt-get', qq(${apt_get}echo "\$DEBIAN_FRONTEND \$*" >>"$dir/apt"; [ -z "\$APT_FAILS" ]));
@ENV{qw(LACKS REMOVED USER_ID APT_FAILS UNKNOWN CONFLICTS)} = ('', '', 0, '', '', '');

sub slurp {
	my ($path) = @_;
	open my $fh, '<', $path or die "$path: $!";
	local $/;
	return scalar <$fh>;
}

my $begin = time;
my ($status, $out, $apt) = run("$tests/setup/deps");
my $seconds = time - $begin;
is("$status<$out><$apt>", '0<><>', 'with all packages there, deps says nothing and does nothing');
cmp_ok($seconds, '<', 0.3, 'in no time');

@ENV{qw(LACKS USER_ID)} = ('lld strace', 1000);
($status, $out, $apt) = run("$tests/setup/deps");
is($status, 1, 'a user who is not root is told so by the status');
like(
	$out,
	qr/^  apt-get update && apt-get install -y --no-install-recommends --no-remove strace lld$/m,
	'and by the one command to run, with what is missing and no more'
);
is($apt, '', 'nothing is tried');

$ENV{USER_ID} = 0;
($status, $out, $apt) = run("$tests/setup/deps");
is($status, 0, 'root gets the packages installed');
like(
	$apt,
	qr/\Anoninteractive update .*\nnoninteractive install .*--no-install-recommends --no-remove strace lld\n\z/,
	'those that are missing, after an update, without a question and without recommended ones'
);

$ENV{REMOVED} = 1;
($status, $out, $apt) = run("$tests/setup/deps");
like(
	$apt, qr/ strace lld$/m,
	'a package that was removed and left its configuration is missing, too'
);

$ENV{APT_FAILS} = 1;
($status, $out) = run("$tests/setup/deps");
is($status, 1, 'a failure of apt-get is passed on');
like($out, qr/could not install: strace lld$/m, 'with what was to be installed');

# ---- what cannot be had is left out, and nothing is removed for it ----
@ENV{qw(LACKS APT_FAILS REMOVED)} = ('lld gcc-aarch64-linux-gnu age gcc-i686-linux-gnu', '', '');
@ENV{qw(CONFLICTS UNKNOWN)} = ('gcc-aarch64-linux-gnu gcc-i686-linux-gnu', 'age');
($status, $out, $apt) = run("$tests/setup/deps");
is($status, 0, 'a package that cannot be had stops nothing');
like($apt, qr/ --no-remove lld\n\z/, 'what can be had is installed, and nothing is removed');
like(
	$out, qr/^  gcc-$_-linux-gnu: conflicts with gcc-multilib$/m,
	"$_: what it conflicts with is said"
) for qw(aarch64 i686);
like($out, qr/^  age: Unable to locate package age$/m, 'and what the system does not know');
like(
	$out, qr/Tests that need them are skipped.*To have them, remove/s,
	'with what that means, and what to do'
);
$ENV{USER_ID} = 1000;
($status, $out, $apt) = run("$tests/setup/deps");
is("$status<$apt>", '1<>', 'a user who is not root is asked for what can be had');
like($out, qr/ --no-remove lld$/m, '... and for no more');
stand_in('apt-cache', 'echo " 100 /var/lib/dpkg/status"');
($status, $out) = run("$tests/setup/deps");
like(
	$out,
	qr/^  apt-get .* --no-remove lld age gcc-aarch64-linux-gnu gcc-i686-linux-gnu$/m,
	'... but for all of it where nothing is known of any package'
);
stand_in('apt-cache', 'echo " 500 http://deb.debian.org/debian bookworm/main amd64 Packages"');
$ENV{LACKS} = 'gcc-aarch64-linux-gnu age';
is((run("$tests/setup/deps"))[0], 0, 'with nothing left to install, the user goes on');
@ENV{qw(LACKS UNKNOWN USER_ID)} = ('gcc', 'gcc', 0);
is((run("$tests/setup/deps"))[0], 1, 'but not without a compiler');

# ---- another machine: what Debian does not have there is not asked for ----
@ENV{qw(LACKS CONFLICTS UNKNOWN USER_ID)} = (
	join(
		' ', map({ "gcc-$_-linux-gnu" } qw(aarch64 riscv64 x86-64 i686)),
		qw(libc6-i386 valgrind)
	),
	'', '',
	1000
);
{
	my %asked = (
		x86_64 =>
		    'valgrind gcc-aarch64-linux-gnu gcc-riscv64-linux-gnu gcc-i686-linux-gnu libc6-i386',
		aarch64 => 'valgrind gcc-riscv64-linux-gnu gcc-x86-64-linux-gnu gcc-i686-linux-gnu',
		riscv64 => '',
		i686 => 'valgrind gcc-aarch64-linux-gnu gcc-riscv64-linux-gnu'
	);
	for my $machine (sort keys %asked) {
		machine($machine);
		my ($status, $out) = run("$tests/setup/deps");
		my ($asked) = $out =~ /--no-remove (.*)/;
		is(
			$asked // '', $asked{$machine},
			"on $machine these are asked for, if all are missing"
		);
		is(
			$status, $asked ? 1 : 0,
			'... and only if something is missing the user must do something'
		);
	}
	machine('x86_64');
}

# ---- what demo and exercises need ----
@ENV{qw(LACKS CONFLICTS UNKNOWN USER_ID)} = ('strace clang gcc-aarch64-linux-gnu', '', '', 0);
($status, $out, $apt) = run("$tests/setup/deps core");
like($apt, qr/ --no-remove strace\n\z/, 'core asks for no other compiler');
@ENV{qw(USER_ID APT_FAILS)} = (1000, 1);
($status, $out) = run("$tests/setup/deps core");
is($status, 0, 'they go on without strace');
like($out, qr/ --no-remove strace$/m, 'but not without a word');
$ENV{USER_ID} = 0;
is((run("$tests/setup/deps core"))[0], 0, '... and when apt-get fails');
$ENV{LACKS} = 'strace perl';
is((run("$tests/setup/deps core"))[0], 1, 'not without perl');

# ---- too old ----
@ENV{qw(LACKS APT_FAILS)} = ('', '');
for (
	['gcc', 'gcc (Debian 8.3.0-6) 8.3.0', 'gcc 8.3 (needs 9.0)'],
	['gcc', 'gcc (Debian 10.2.1-6) 10.2.1 20210110', ''],
	['gcc', 'gcc (Debian 16.2.0-4) 16.2.0', ''],
	['ld.bfd', 'GNU ld (GNU Binutils for Debian) 2.31.1', 'ld.bfd 2.31 (needs 2.34)'],
	['ld.bfd', 'GNU ld (GNU Binutils for Debian) 2.47.50.20261021', ''],
	['make', 'GNU Make 4.1', 'make 4.1 (needs 4.2)'],
	['getconf', 'glibc 2.28', 'glibc 2.28 (needs 2.31)'],
	['uname', '4.19.0-27-amd64', 'kernel 4.19 (needs 5.1)'],
    )
{
	my ($tool, $says, $old) = @$_;
	my $link = readlink "$dir/$tool";
	stand_in($tool, "echo '$says'");
	my ($status, $out) = run("$tests/setup/deps core");
	is(
		"$status $out",
		$old ? "1 deps: uvdso is made for Debian 11 and later; too old here: $old\n" : '0 ',
		"$says: " . ($old ? 'too old, which is said' : 'new enough')
	);
	unlink "$dir/$tool";
	symlink $link, "$dir/$tool" if $link;
}
machine('x86_64');

# What the site takes is asked for by word, and only then.
@ENV{qw(LACKS REMOVED USER_ID APT_FAILS)} = ('', '', 1000, '');
($status, $out) = run("$tests/setup/deps tutorial browser");
like(
	$out, qr/^  apt-get .*--no-remove nodejs npm chromium$/m,
	'for the site, node and a browser are asked for'
);
is((run("$tests/setup/deps"))[0], 0, 'and else they are not');
stand_in($_, 'exit 0') for qw(npm chromium);
stand_in('node', 'case $2 in *18*) exit 1 ;; esac');
($status, $out) = run("$tests/setup/deps tutorial browser");
like($out, qr/remove nodejs npm$/m, 'a node that is too old is none');
stand_in('node', 'exit 0');
($status, $out) = run("$tests/setup/deps tutorial browser");
is("$status<$out>", '0<>', 'and one that comes from elsewhere than Debian will do');
($status, $out) = run("$tests/setup/deps machine");
like(
	$out, qr/remove qemu-system-x86 qemu-system-arm qemu-system-misc\b/m,
	'for real kernels, three emulators'
);
is((run("$tests/setup/deps tutoral"))[0], 1, 'a word that it does not know is an error');
($status, $out) = run("$tests/setup/deps format");
like(
	$out, qr/remove clang-format perltidy shfmt$/m,
	'for the format of the sources, three formatters'
);
stand_in($_, 'exit 0') for qw(clang-format perltidy);
($status, $out) = run("$tests/setup/deps format");
like($out, qr/remove shfmt$/m, '... and only those that are missing');
unlink map { "$dir/$_" } qw(clang-format perltidy);
# (A daemon is in a directory that the path may not have.)
($status, $out) = run("$tests/setup/deps uses");
like(
	$out,
	qr/remove redis-server redis-tools default-jdk-headless golang-go postgresql(?: cron)?$/m,
	'for real uses, servers and run time systems'
);
($status, $out) = run("$tests/setup/deps faketime");
like(
	$out, qr/remove faketime datefudge default-jdk-headless golang-go rustc ruby$/m,
	'for the matrix, tools and languages, and of these only those that are missing'
);
unlink map { "$dir/$_" } qw(node npm chromium);
$ENV{USER_ID} = 0;

unlink "$dir/dpkg-query";
($status, $out) = run("$tests/setup/deps");
is($status, 1, 'on another system what is missing is only named');
like($out, qr/not Debian.*: .*\bgcc\b.*\bstrace\b/, 'by its tools');
stand_in($_, 'exit 0') for qw(gcc make ld.bfd readelf perl prove);
($status, $out) = run("$tests/setup/deps core");
is(
	"$status<$out>",
	"0<deps: this is not Debian. Please install what has these tools: strace script setarch unshare\n>",
	'and the demo goes on with the tools of the build'
);
stand_in($_, 'exit 0')
    for qw(gcc make ld.bfd readelf perl prove clang ld.lld musl-gcc strace python3 script
    valgrind setcap qemu-x86_64
    busybox age-keygen coreutils lua5.4 gdb
    setarch unshare
    aarch64-linux-gnu-gcc aarch64-linux-gnu-ld.bfd riscv64-linux-gnu-gcc riscv64-linux-gnu-ld.bfd
    i686-linux-gnu-gcc i686-linux-gnu-ld.bfd i686-linux-gnu-g++ gdb-multiarch eu-elflint pkg-config groff spin
    openssl sqlite3);
($status, $out) = run("$tests/setup/deps");
is("$status<$out>", '0<>', 'and with all of them there, it is content');

# ---- doctor ----
my $here = `$tests/setup/doctor 2>&1`;
is($?, 0, 'doctor succeeds');
like($here, qr/^  ok  machine +$MACHINE/m, 'and says what is there');
like(
	$here, qr/^  ok  versions +glibc [\d.]+, .*make [\d.]+, perl [\d.]+$/m,
	'... in which versions'
);

# ---- the oldest versions, as CONTRIBUTING.md states them ----
my $minimum = slurp('tests/setup/minimum');
my $stated = slurp('CONTRIBUTING.md');
my @oldest = $minimum =~ /^hold (\S+) (\S+)/mg;
cmp_ok(scalar @oldest, '>=', 12, 'there are some');
while (my ($name, $oldest) = splice @oldest, 0, 2) {
	$name = {kernel => 'Linux', 'ld.bfd' => 'GNU ld'}->{$name} // $name;
	$oldest =~ s/\.0$//;
	like($stated, qr/\b\Q$name $oldest\E\b/, "CONTRIBUTING.md states $name $oldest");
}
is_deeply([grep { length > 80 } split /\n/, $here], [], 'in at most 80 columns');

# Each port is a machine on which programs run.
{
	my $cat = readlink "$dir/cat";
	my %source = (
		x86_64 => 'tsc', i686 => 'tsc', aarch64 => 'arch_sys_counter',
		riscv64 => 'riscv_clocksource'
	);
	# What this kernel has says nothing of those.
	stand_in('perl', 'exit 0');
	for my $machine (sort keys %source) {
		machine($machine);
		stand_in('cat', "echo $source{$machine}");
		my ($status, $out) = run("$tests/setup/doctor");
		my $port = $machine =~ s/i686/i386/r;
		like(
			$out, qr/^  ok  machine +$port, /m,
			"on $machine doctor finds that there is a port"
		);
		like(
			$out, qr/^  ok  clocksource +$source{$machine}, so the counter is used$/m,
			'... and the clocksource that is its counter'
		);
		unlike($out, qr/not asked for/, '... and asks what its kernel has');
	}
	machine('s390x');
	my ($status, $out) = run("$tests/setup/doctor");
	like(
		$out,
		qr/^  --  machine +s390x\n +there is no port to it, only to aarch64 i386 riscv64\n? *x86_64:/m,
		'another machine has none'
	);
	machine('x86_64');
	unlink "$dir/cat", "$dir/perl";
	symlink $cat, "$dir/cat";
}

# The numbers by which it asks are those of the machine's headers.
{
	my $doctor = slurp("$tests/setup/doctor");
	my %gcc = map { $_ => "$_-linux-gnu-gcc" } qw(x86_64 aarch64 riscv64);
	my %numbers;
	$numbers{$1} = {map { split /=/ } split ' ', $2}
	    while $doctor =~ /^(x86_64|i386|aarch64)\b[^\n]*\)\n[^;]*?numbers='([^']+)'/mg;
	$numbers{riscv64} = $numbers{aarch64};
	$gcc{i386} = 'i686-linux-gnu-gcc';
	is_deeply(
		[sort keys %numbers], [qw(aarch64 i386 riscv64 x86_64)],
		'each port has its numbers'
	);
	for my $machine (sort keys %numbers) {
		my $gcc = $machine eq $MACHINE ? 'gcc' : $gcc{$machine};
		my @names = sort keys %{$numbers{$machine}};
		SKIP: {
			skip "$gcc is not installed", 1
			    if !grep { -x "$_/$gcc" } split /:/, $ENV{PATH};
			my $source = join '', "#include <sys/syscall.h>\n",
			    map { "$_=SYS_$_\n" } @names;
			my %real = map { split /=/ } grep { /^\w+=\d+$/ } split /\n/,
			    `printf '%s' '$source' | $gcc -E -P -xc -`;
			is_deeply(
				\%real, $numbers{$machine},
				"$machine: the numbers are those of its headers"
			);
		}
	}
}

unlink "$dir/$_" for qw(clang script);
stand_in('strace', 'exit 1');
stand_in('make', 'echo GNU Make 4.1');
stand_in('perl', 'exit 1');
stand_in('cat', 'echo hpet');
stand_in('grep', 'exit 1');
($status, $out) = run("$tests/setup/doctor");
is($status, 0, 'a machine that lacks something is no error');
like(
	$out, qr/^  --  $_->[0] +.*$_->[1].*\n {18}$_->[2]/m,
	"it names what a lack turns off: $_->[0]"
    )
    for ['clang', 'not installed', 'no make CC=clang'],
    ['script', 'not installed', 'the tests that need a terminal'],
    ['strace', 'ptrace is denied', 'demo and tests count no system calls'],
    ['memfd', 'F_SEAL_FUTURE_WRITE', 'the data page cannot be protected'],
    ['prctl', 'PR_SET_MM_MAP', '/proc/PID/auxv'],
    ['node', 'no node', 'no make tutorial'],
    ['chromium', 'not installed', 'the test of the site'],
    ['clocksource', 'hpet, not tsc', 'no counter'];
is_deeply([grep { length > 80 } split /\n/, $out], [], 'and that in 80 columns, too');

# A hypervisor's clock, on a CPU that promises nothing, and on one that does.
for my $invariant (1, 0) {
	stand_in('cat', 'echo kvm-clock');
	stand_in('grep', $invariant ? 'exit 0' : 'exit 1');
	($status, $out) = run("$tests/setup/doctor");
	my $line = $invariant ? '  ok  counter +it is invariant' : '  --  counter +no invariant';
	like(
		$out, qr/^  ok  clocksource +kvm-clock, .*\n$line/m,
		'kvm-clock is as good as the counter ' . ($invariant ? 'is' : 'is not')
	);
}

done_testing;
