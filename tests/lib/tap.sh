# shellcheck shell=sh
# tap.sh - the Test Anything Protocol for tests in sh, which read it with `. tests/lib/tap.sh`.
#
#	is GOT WANT DESCRIPTION         the two are equal
#	like GOT PATTERN DESCRIPTION    it matches, as in case
#	skip WHY                        one point that this machine cannot have
#	skip_all WHY                    the whole test, before its first point
#	done_testing                    the plan, and the end
#
# A point that fails shows both values, and returns 1: is ... || because 'REASON'.
tap_run=0 tap_failed=0

tap_point() {
	tap_run=$((tap_run + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_run - $2"
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_run - $2"
	printf '# expected  %s\n# got       %s\n' "$3" "$4" >&2
	return 1
}

is() {
	[ "$1" = "$2" ]
	tap_point $? "$3" "$2" "$1"
}

like() {
	# shellcheck disable=SC2254 # a pattern is meant
	case $1 in $2) tap_point 0 "$3" ;; *) tap_point 1 "$3" "$2" "$1" ;; esac
}

because() {
	echo "# why: $1" >&2
}

skip() {
	tap_run=$((tap_run + 1))
	echo "ok $tap_run # SKIP $1"
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing() {
	echo "1..$tap_run"
	[ "$tap_failed" = 0 ]
	exit
}
