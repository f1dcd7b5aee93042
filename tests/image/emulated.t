#!/bin/sh
# emulated.t - the image under valgrind, which is a CPU of its own and lacks some instructions:
# getcpu() must be fitted with one that it has, as its CPUID says. And again under qemu-user.
. tests/lib/tap.sh

# Without debug information: valgrind gives up on what newer compilers write there.
program=$(mktemp) || exit 1
trap 'rm -f "$program"' EXIT
strip -o "$program" "${UVDSO_BUILD:-build}/tests/image/alternatives"

if command -v valgrind >/dev/null 2>&1; then
	out=$(timeout -k 5 60 valgrind -q "$program" here 2>/dev/null)
	kernel=${out#kernel }
	kernel=${kernel%% *}
	is "$out" "kernel $kernel ours $kernel" 'under valgrind getcpu() says what the system call says'
else
	skip 'valgrind is not installed'
fi
if command -v qemu-x86_64 >/dev/null 2>&1; then
	# qemu-user knows one CPU number, 0, for every instruction that asks for one.
	out=$(timeout -k 5 60 qemu-x86_64 "$program" here 2>/dev/null)
	like "$out" 'kernel * ours 0' 'under qemu-user getcpu() says 0, which is all that it knows'
else
	skip 'qemu-x86_64 is not installed (package qemu-user)'
fi
done_testing
