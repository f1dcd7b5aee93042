#!/bin/sh
# site.t - the site of the course in a real browser; tests/course/site.mjs has the test itself.
#
# It takes what `make deps tutorial test` installs, and is skipped elsewhere.
. tests/lib/tap.sh

node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null || skip_all 'node 18 is not installed'
[ -e "${UVDSO_BUILD:-build}/site/.installed" ] || skip_all 'the packages of the site are not installed: make tutorial'
browser=$(command -v chromium) || skip_all 'chromium is not installed'
exec node tests/course/site.mjs "$browser"
