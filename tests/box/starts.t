#!/bin/sh
# starts.t - programs start on the vDSO, whatever the kernel was started with: vdso=0, notsc,
# vsyscall=none, with any clocksource and any number of levels in its page tables.
#
# For a machine in a box (tests/setup/machine), where there is little more than a shell.
. tests/lib/tap.sh

uvdso=$TEST_BUILD/uvdso
programs=$TEST_BUILD/tests/programs
echo "# $(cat /proc/cmdline)"
echo "# clocksource $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
busybox=$(command -v busybox)

# Is there a vDSO of the kernel's?
[ "$(grep -c '\[vdso\]' /proc/self/maps)" = 0 ] && none=yes || none=

"$uvdso" run -v true 2>&1 | sed 's/^/# /'
is "$("$uvdso" run "$busybox" echo here 2>&1)" here 'run starts a program'
for how in kernel hand; do
	said=$("$uvdso" run --exec=$how "$busybox" echo here 2>&1)
	if [ "$how$none" = kernelyes ] && [ "$said" != here ]; then
		like "$said" 'uvdso: *' "--exec=$how says why it cannot, without a vDSO of the kernel's"
		echo "# $said"
	else
		is "$said" here "--exec=$how starts one"
	fi
done
year=$("$uvdso" run --offset realtime=+4000d "$busybox" date +%Y)
is "$((year - $(date +%Y) >= 10))" 1 'and its clock is shifted if that is wanted'

seen=
for kind in pie nopie static static-pie execstack; do
	[ -x "$programs/start.$kind" ] || continue
	seen="$seen $kind"
	said=$("$uvdso" run "$programs/start.$kind" one 2>&1)
	# What this kernel and this C library do not have is not there without us, either.
	"$programs/start.$kind" one 2>&1 | grep '^check' >/tmp/alone
	is "$(echo "$said" | grep '^check' | grep -v -e yes -e unsupported | grep -v -x -F -f /tmp/alone)" '' \
		"start.$kind finds nothing wrong that is right without us"
	like "$said" '*check*' "start.$kind has looked"
done
like "$seen" '* pie* static*' 'programs of more than one kind were there'
for kind in pie static; do
	[ "$kind" = static ] || [ -x "$programs/compare.$kind" ] || continue
	said=$("$uvdso" run "$programs/compare.$kind" 500 0 2>&1)
	like "$said" '*coarse 0 time 0*' "compare.$kind: the clocks are those of the kernel"
	like "$said" '*worst 0 back 0 *' "compare.$kind: and none is outside of two system calls"
done

# What puts the vDSO into programs that the kernel has started finds its own there, or refuses.
for command in 'run --follow' trace; do
	# Words, by design.
	# shellcheck disable=SC2086
	said=$("$uvdso" $command -- sh -c "'$busybox' echo first; '$busybox' echo second" 2>&1)
	status=$?
	if [ "$none" ]; then
		is $status 125 "$command refuses where the kernel has no vDSO"
		like "$said" 'uvdso: *vDSO*' "$command says why"
		echo "# $said"
	elif case $said in *pidfd_getfd*'not implemented'*) true ;; *) false ;; esac then
		skip 1 "pidfd_getfd(2) came with Linux 5.6"
	else
		like "$said" '*first*second*' "$command starts a tree of programs"
	fi
done

said=$("$uvdso" symbols --kernel 2>&1)
if [ "$none" ]; then
	like "$said" 'uvdso: *' 'symbols --kernel says that there is none'
else
	like "$said" '*clock_gettime*' "symbols --kernel reads the kernel's image"
fi
"$uvdso" watch -n 1 >/tmp/watch 2>&1
is $? 0 'watch shows a data page'
done_testing
