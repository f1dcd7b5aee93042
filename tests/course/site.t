#!/bin/sh
# site.t - the site of the course in a real browser; tests/course/site.mjs has the test itself.
#
# It takes what `make deps tutorial test` installs, and is skipped elsewhere.
skip() { echo "1..0 # SKIP $1"; exit 0; }

node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null || skip 'node 18 is not installed'
[ -e build/site/.installed ] || skip 'the packages of the site are not installed: make tutorial'
browser=$(command -v chromium) || skip 'chromium is not installed'
exec node tests/course/site.mjs "$browser"
