#!/usr/bin/perl
# Languages with run time systems of their own, each with its own way to the vDSO: Go parses
# the image itself, busybox is static, others go through a C library. See programs.t for
# C, the shell, perl and python.
#
# Real programs stand for the languages whose compilers are large: age-keygen writes the time
# into its output and is Go, the coreutils are Rust.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use RunTest;
use Test::More;
use Time::Local 'timegm';

# "# created: 2029-08-20T12:45:30Z" as "created SECONDS".
sub created {
	my ($text) = @_;
	my ($y, $m, $d, @hms) = $text =~ /^# created: (\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z$/m
	    or return '';
	return 'created ' . timegm(reverse(@hms), $d, $m - 1, $y);
}

shows(
	{parse => \&created, env => {}}, 'a Go program (age-keygen)', ['created'],
	'/usr/bin/age-keygen'
);
shows('a Rust program (coreutils)', ['date'], '/usr/bin/coreutils', 'date', '+date %s.%N');
shows(
	"a C++ program ($_), with its clocks, a thread and an exception",
	[qw(system high-resolution exception)],
	program("chrono.$_")
) for qw(pie static);

shows('a static program (busybox)', ['date'], '/bin/busybox', 'date', '+date %s');
shows(
	"busybox's shell, and an applet that it runs without an exec", [qw(seconds realtime date)],
	'/bin/busybox', 'sh', '-c',
	'echo seconds $EPOCHSECONDS; echo realtime $EPOCHREALTIME; date "+date %s"'
);
shows("busybox's awk", ['systime'], '/bin/busybox', 'awk', 'BEGIN { print "systime " systime() }');
shows('Lua', ['time'], '/usr/bin/lua5.4', '-e', 'print("time " .. os.time())');
shows('awk (mawk)', ['systime'], '/usr/bin/mawk', 'BEGIN { print "systime " systime() }');
shows(
	'node, in its main thread and in a worker', [qw(now worker)], '/usr/bin/node', '-e',
	<<'JAVASCRIPT');
const { Worker } = require("worker_threads");
console.log("now", Date.now() / 1000);
new Worker('require("worker_threads").parentPort.postMessage(Date.now())', { eval: true })
	.on("message", (ms) => console.log("worker", ms / 1000));
JAVASCRIPT

done_testing;
