#!/bin/sh
# format.t - the sources are in the project's format, and `make format` puts them there.
. tests/lib/tap.sh

for language in c perl shell; do
	files=$(tests/setup/format --check $language)
	status=$?
	if [ $status = 3 ]; then
		skip "$files"
	else
		is "$status $files" '0 ' "$language: every file is in the format" || because 'make format puts them there'
	fi
done

# clang-format leaves this where it breaks a line of a comment that is too long.
is "$(grep -rnE '^ \*[[:alnum:]]' --include='*.[chS]' loader vdso-src tests tutorial)" '' \
	'no line of a comment has lost the blank after its star' || because 'write shorter lines'

# The same on files that are not.
reason=$(tests/setup/format --check)
if [ $? = 3 ]; then
	skip "$reason"
else
	dir=$(mktemp -d) || exit 1
	trap 'rm -rf "$dir"' EXIT
	mkdir -p "$dir/tests/setup"
	cp tests/setup/format "$dir/tests/setup/"
	cp .clang-format .perltidyrc "$dir/"
	printf 'int  main(void) { return 0; }\n' >"$dir/a.c"
	printf '#!/usr/bin/perl\nprint   1;\n' >"$dir/b"
	printf '#!/bin/sh\nif  true; then\necho\nfi\n' >"$dir/c.t"
	mkdir "$dir/work"
	cp "$dir/a.c" "$dir/work/mine.c"
	is "$("$dir/tests/setup/format" --check | xargs)" 'a.c b c.t' 'without git, too, a file that is not in the format is found, whatever its name'
	is "$("$dir/tests/setup/format" | xargs)" 'a.c b c.t' 'it is put there'
	is "$("$dir/tests/setup/format" --check)" '' '... and stays there'
fi
done_testing
