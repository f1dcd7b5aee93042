#!/bin/sh
# The page under valgrind, which is a CPU of its own and lacks some instructions: getcpu()
# must be fitted with one that it has, by what its CPUID says. And again under qemu-user.
echo 1..2
# Without debug information: valgrind gives up on what newer compilers write there.
program=$(mktemp) || exit 1
trap 'rm -f "$program"' EXIT
strip -o "$program" build/tests/image/alternatives
if command -v valgrind >/dev/null 2>&1; then
	out=$(timeout 60 valgrind -q "$program" here 2>/dev/null)
	set -- $out
	if [ "$#" -eq 4 ] && [ "$2" = "$4" ]; then
		echo "ok 1 - under valgrind getcpu() says what the system call says"
	else
		echo "not ok 1 - under valgrind getcpu() says what the system call says"
		echo "# expected: kernel N ours N, got: $out" >&2
	fi
else
	echo 'ok 1 # SKIP valgrind is not installed'
fi
if command -v qemu-x86_64 >/dev/null 2>&1; then
	# qemu-user knows one CPU number, 0, for every instruction that asks for one.
	out=$(timeout 60 qemu-x86_64 "$program" here 2>/dev/null)
	case $out in
	*'ours 0') echo 'ok 2 - under qemu-user getcpu() says 0, which is all that it knows' ;;
	*)
		echo 'not ok 2 - under qemu-user getcpu() says 0, which is all that it knows'
		echo "# expected: kernel N ours 0, got: $out" >&2
		;;
	esac
else
	echo 'ok 2 # SKIP qemu-x86_64 is not installed (package qemu-user)'
fi
