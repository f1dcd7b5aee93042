#!/usr/bin/perl
# tutorial-checker.t - the checker of the course checks, and the learner's commands do what they say.
#
# A course of one chapter, which is right. It is spoiled in one place at a time, and each time the
# checker must say so, and where. Then its exercise is worked through, as a learner would.
use strict;
use warnings;
use Cwd 'getcwd';
use File::Path 'make_path';
use File::Temp 'tempdir';
use Test::More;
use lib 'tests/lib';
use Build;
use Time::HiRes qw(sleep time);

$ENV{LC_ALL} = 'C';
$ENV{NO_COLOR} = 1;
$ENV{UVDSO_COURSE_LIMIT} = 3;
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL CH B T)};
my $top = getcwd();
my $tmp = tempdir('uvdso-checker-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $good = "$tmp/good";

sub slurp { open my $fh, '<', $_[0] or BAIL_OUT("$_[0]: $!"); local $/; return readline($fh) // '' }

sub spew {
	my ($path, $text) = @_;
	make_path($path =~ s{/[^/]*$}{}r);
	open my $fh, '>', $path or BAIL_OUT("$path: $!");
	print $fh $text;
	close $fh;
	chmod 0755, $path if $path =~ /\.t$/;
}

# ---- a course that is right ----
spew("$good/Makefile", <<'END' =~ s/^ {8}/\t/mgr);
all: build/tests/sum/add
build/tests/%: tests/%.c src/add.c
        @mkdir -p $(@D)
        @if grep -q script src/add.c; then printf 'one\ntwo;\n' >build/add.lds; echo 'ld:build/add.lds:2: syntax error'; exit 1; fi
        @gcc -Wall -Wextra -Werror $^ -o $@
learn start check run hint diff update break solution reset watch mine:
        @tutorial/learn $@
END
spew("$good/src/add.c", <<'END');
struct pair {
	int a, b;
};

int add(int a, int b);

int add(int a, int b)
{
	int both[2] = {a, b};

	/* course: begin 01-add */
	a = both[0];
	b = both[1];
	return a + b;
	/* course: end 01-add */
}
END
spew("$good/tests/sum/add.c", <<'END');
#include <stdio.h>

int add(int a, int b);

int main(void)
{
	int two = add(1, 1) == 2, five = add(2, 3) == 5;

	printf("1..3\n%sok 1 - one and one is two\n", two ? "" : "not ");
	fflush(stdout);
	if (!two)
		fprintf(stderr, "# expected 2\n# got %d\n# why: sums are sums\n", add(1, 1));
	printf("%sok 2 - two and three is five\n", five ? "" : "not ");
	printf("ok 3 - nothing and nothing is nothing\n");
	return !two || !five;
}
END
spew("$good/tests/table", "course/01  tutorial/learn prove CH=01\n");
spew("$good/tutorial/kernel-refs", "# a list\ntag: v6.12\n\nlib/vdso/gettimeofday.c do_hres()\n");
spew(
	"$good/tutorial/README.md",
	"# Map\n\n[one](01-add.md), and [its goal](01-add.md#the-goal-of-it); [terms](glossary.md)\n"
	    =~ s/#the-goal-of-it/#goal/r
);
spew(
	"$good/tutorial/glossary.md",
	"# Terms\n\n- **remainder**: what is left. [01](01-add.md)\n- **sum**: what comes out. [01](01-add.md)\n"
);
spew(
	"$good/tutorial/moved",
	"# old new\nsrc/first.c src/old/sum.c\nsrc/old/sum.c src/add.c\nmine ours\n"
);
spew("$good/tutorial/ex/01-add.ex", <<'END');
# a comment
title: Adding
tier: core
minutes: 10
file: src/add.c
tests: add
red: one and one is two
red: two and three is five
hint:
	what is a sum?
hint:
	look at a pocket calculator
hint:
	the first and the second together
right: backwards: the other one first
	s/a \+ b/b + a/
right: in-steps: written out
	region:
		@keep /a = / .. /b = /
		a += b;
		return a;
mutant: minus: the difference
	says: sums are sums
	s/a \+ b/a - b/
mutant: twice: the first one twice
	s/a \+ b/a + a/
stub:
		@keep /a = / .. /b = /
		/* TODO: add them. */
		return 0 * (a + b) + (a & b & 0);
END
my @headings = (
	'Goal', 'You need', 'Three invariants', 'Predict first', 'The idea', 'Walk-through',
	'Your turn',
	'Break it on purpose', 'Compare with the kernel', 'What we left out', 'Go further', 'Recap'
);
my %text = (
	'Walk-through' => <<'END',
`...` are any lines, `[..]` is any part of one.

<!-- from: src/add.c#struct pair -->
```c
struct pair {
	int a, b;
};
```

<!-- from: src/add.c#01-add -->
```c
a = both[0];
b = both[1];
return a + b;
```

```console
$ printf 'one\ntwo\nthree\n'
one
...
th[..]e
```

<!-- run: norm=num,addr,time,ver,space -->
```console
$ echo "12 apples at 0x7ffd12345678 in 3.5 ms, gcc 12.2.0  on $(date -u)"
5000 apples at 0x1 in 1 ms, gcc 1.2.3 on Mon Jan  1 00:00:00 UTC 2024
```
END
	'Your turn' => <<'END',
```console
$ make start CH=01
...
```

<!-- run: exit=2 -->
```console
$ make check CH=01
01 Adding: building and testing work/01-add

  not ok  one and one is two
  not ok  two and three is five
  ok      and 1 more

The first that is not true yet:
  one and one is two
  expected 2
  got 0
  why: sums are sums
  (sum/add)

A hint: make hint CH=01
make: *** [Makefile:6: check] Error 1
```

<!-- run: solve=01 -->
```console
$ make check CH=01 | grep -e Done -e TODO
Done: 01 Adding.
```
END
	'Break it on purpose' => <<'END',
<!-- run: mutant=01:minus -->
```console
$ make check CH=01 2>&1 | grep '^  got'
  got 0
$ make check CH=01 >out 2>&1; test $? = 2
```

Put this into `src/note.txt`:

<!-- write: src/note.txt -->
```make
first
```

and this behind its first line, in `src/note.txt`:

<!-- insert: src/note.txt after=/^first/ -->
```make
second
```

```console
$ cat src/note.txt
first
second
```
END
	'Compare with the kernel' =>
	    "See `lib/vdso/gettimeofday.c do_hres()` in `lib/vdso/`, and `add()` in `tests/sum/add.c`.\n",
	'The idea' => "Two numbers have one **sum**, and a **remainder**. **Nothing else.**\n",
	'Go further' => "[The source](../src/add.c), [above](#goal).\n",
);
spew(
	"$good/tutorial/01-add.md", "# 01 Adding\n\n" . join '',
	map { "## $_\n\n" . ($text{$_} ? "$text{$_}\n" : '') } @headings
);
my @zh =
    ('目标', '准备', '三条不变式', '先猜后看', '思路', '逐步演示', '轮到你了', '故意弄坏', '与内核对照', '没有讲到的', '更进一步', '小结');
$text{$zh[$_]} = $text{$headings[$_]} for 0 .. $#zh;
$text{'思路'} = "两个数有一个**和**（sum），也许还有**余数**（remainder）。`总和`\n";
$text{'更进一步'} = "[源码](../../src/add.c)，[上文](#目标)，[标题](#01-加法和)。\n";
spew(
	"$good/tutorial/zh-CN/01-add.md", "TRANSLATES\n\n# 01 加法：和\n\n" . join '',
	map { "## $_\n\n" . ($text{$_} ? "$text{$_}\n" : '') } @zh
);
spew("$good/tutorial/zh-CN/TERMS.md", <<'END');
# 译名表

| 英文 | 中文 | 说明 | 不用 |
|---|---|---|---|
| sum | 和 | 总和 | 合计、总和 |
| remainder | 余数 | | |
END
make_path("$good/tutorial/site/theme");
spew("$good/tutorial/site/theme/words.mjs", "export const words = {\n\tsum: '和',\n}\n");
spew("$good/tutorial/site/theme/Layout.vue", "<template>\n\t<p>和</p>\n</template>\n");
system('cp', '-r', "$top/tutorial/learn", "$top/tutorial/lib", "$good/tutorial/") == 0
    or BAIL_OUT('no tool');
make_path("$good/tests/lib");
system('cp', "$top/tests/lib/run-test", "$good/tests/lib/") == 0 or BAIL_OUT('no runner');
{
	my $hash = `@{[quoted("$good/tutorial/learn")]} hash CH=01`;
	like(
		$hash, qr/^<!-- translates: 01-add\.md [0-9a-f]{12} -->$/,
		'hash prints the first line of a translation'
	);
	spew(
		"$good/tutorial/zh-CN/01-add.md",
		slurp("$good/tutorial/zh-CN/01-add.md") =~ s/TRANSLATES\n/$hash/r
	);
	my %other = (
		README => "[加法](01-add.md)，[术语](glossary.md)\n",
		glossary =>
		    "- **余数**（remainders）：剩下的。[01](01-add.md)\n- **和**（sum）：得出的。[01](01-add.md)\n"
	);
	for (sort keys %other) {
		my $first = `@{[quoted("$good/tutorial/learn")]} hash CH=$_`;
		spew("$good/tutorial/zh-CN/$_.md", "$first\n# 标题\n\n$other{$_}");
	}
}

sub run {
	my ($dir, $command) = @_;
	my $out = `cd @{[quoted($dir)]} && timeout 60 sh -c @{[quoted($command)]} 2>&1 </dev/null`;
	return ($? >> 8, $out);
}

my ($status, $out) = run($good, 'tutorial/learn book');
is($status, 0, 'a course that is right is found to be right') or BAIL_OUT($out);
like(
	$out, qr/^not ok .*01-add\.ex: mutant twice: no says: # TODO/m,
	'a near miss whose learner is told anything is something to do'
);
($status, $out) = run($good, 'tests/lib/run-test course/01');
is($status, 0, 'and its page and its exercise can be proven') or BAIL_OUT($out);
like(
	$out, qr/^ok \d+ - 01-add: the near miss is refused: the difference$/m,
	'... with a point for each near miss'
);
like(
	$out, qr/^ok \d+ - 01-add: this is right, too: written out$/m,
	'... and for each other answer that is right'
);
($status, $out) = run($good, 'tutorial/learn seen CH=01');
like(
	$out,
	qr/^== 01:in-steps: written out\nDone\.\n== 01:minus: the difference\none and one is two\n# expected 2\n/m,
	'seen shows what a learner is shown for each'
);

# ---- spoiled, one place at a time ----
my ($page, $card, $source, $test, $map, $zh, $terms, $entries) = (
	'tutorial/01-add.md', 'tutorial/ex/01-add.ex', 'src/add.c', 'tests/sum/add.c',
	'tutorial/README.md', 'tutorial/zh-CN/01-add.md', 'tutorial/glossary.md',
	'tutorial/zh-CN/glossary.md'
);
my @spoiled = (
	# what, file, change, what finds it, what it says
	[
		'a listing that was edited', $page, sub { s/^return a \+ b;$/return b + a;/m },
		'book', qr/$page:\d+: it is not src\/add\.c#01-add; line 3/
	],
	[
		'a source that was edited under its listing', $source,
		sub { s/int a, b;/int b, a;/ }, 'book', qr/it is not src\/add\.c#struct pair/
	],
	[
		'a listing of nothing', $page, sub { s/#struct pair/#struct pear/ }, 'book',
		qr/no struct pear/
	],
	[
		'a fence without a language', $page, sub { s/^```c$/```/m }, 'book',
		qr/a fence is console, c, ld/
	],
	[
		'a listing that does not say what of', $page,
		sub { s/<!-- from: src\/add\.c#struct pair -->\n// }, 'book',
		qr/says where it stands/
	],
	[
		'a directive with nothing to direct', $page, sub { s/(<!-- from: [^\n]*\n)/$1\n/ },
		'book', qr/from: no fence follows/
	],
	[
		'a fence without an end', $page, sub { s/```\n\n## Compare/\n## Compare/ }, 'book',
		qr/this fence has no end/
	],
	[
		'a normaliser that is not there', $page, sub { s/norm=num/norm=numb/ }, 'book',
		qr/norm=numb: no such normaliser/
	],
	[
		'a need that is not known', $page, sub { s/run: exit=2/run: exit=2 needs=luck/ },
		'book', qr/needs=luck: not known/
	],
	[
		'a heading that is missing', $page, sub { s/^## The idea\n//m }, 'book',
		qr/heading 5 is '## Walk-through', the template has '## The idea'/
	],
	[
		'a title that is not the card\'s', $page, sub { s/^# 01 Adding/# 01 Subtracting/ },
		'book', qr/its card says '01 Adding'/
	],
	[
		'a link to nothing', $page, sub { s/\.\.\/src\/add\.c\)/..\/src\/sub.c)/ }, 'book',
		qr/there is no src\/sub\.c/
	],
	[
		'a link to no heading', $map, sub { s/#goal/#gaol/ }, 'book',
		qr/README\.md:3: 01-add\.md#gaol: .* no such heading; it has .*#goal/
	],
	[
		'a kernel reference that is not on the list', $page, sub { s/do_hres/do_hers/ },
		'book', qr/do_hers\(\): not in tutorial\/kernel-refs/
	],
	[
		'a kernel reference that is none', $page, sub { s/do_hres\(\)/do hres, the loop/ },
		'book', qr/a kernel reference is `path`/
	],
	[
		'a kernel file that is not on the list', $page,
		sub { s/gettimeofday\.c/getdate.c/ }, 'book', qr/getdate\.c do_hres\(\): not in/
	],
	[
		'a chapter without a kernel reference', $page, sub { s/See `.*// }, 'book',
		qr/no kernel reference/
	],
	[
		'a function that is gone', $page, sub { s/`add\(\)`/`subtract()`/ }, 'book',
		qr/subtract\(\): no source has that name/
	],
	[
		'a file that is gone', $page, sub { s/`tests\/sum\/add\.c`/`tests\/sum\/sub.c`/ },
		'book', qr/there is no tests\/sum\/sub\.c/
	],
	[
		'a chapter that does not show the failure', $page,
		sub { s/  not ok  one and one is two\n//; s/yet:\n  one and one is two\n/yet:\n/ },
		'book', qr/in which 'one and one is two' fails/
	],
	[
		'a chapter that is not on the map', $map, sub { s/01-add\.md\b//g }, 'book',
		qr/README\.md: no link to 01-add\.md/
	],
	[
		'a page that is not on the map', $map, sub { s/glossary\.md// }, 'book',
		qr/README\.md: no link to glossary\.md/
	],
	[
		'a term that its chapter does not explain', $page, sub { s/\*\*sum\*\*/sum/ },
		'book', qr/glossary\.md:4: sum: it is not in bold in tutorial\/01-add\.md/
	],
	[
		'a term that leads nowhere', $terms, sub { s/ \[01\]\(01-add\.md\)$//m }, 'book',
		qr/glossary\.md:3: remainder: no link/
	],
	[
		'a term out of its order', $terms, sub { s/\*\*sum/**addend/ }, 'book',
		qr/addend: it comes after remainder/
	],
	[
		'an anchor that is nobody\'s', $source,
		sub { s/$/\n\/* course: begin 09-lost *\/\n\/* course: end 09-lost *\/\n/ },
		'book', qr/anchor 09-lost: no card/
	],
	[
		'an anchor without its end', $source, sub { s/\t\/\* course: end 01-add \*\/\n// },
		'book', qr/1 begin and 0 end/
	],
	[
		'a card without its chapter', $page, sub { $_ = undef }, 'book',
		qr/0 chapters tutorial\/01-\*\.md/
	],
	[
		'a card without its test', $test, sub { $_ = undef }, 'book',
		qr/01-add\.ex: tests: no test add$/m
	],
	[
		'a chapter without its test', 'tests/table', sub { s/CH=01/CH=02/ }, 'book',
		qr/01-add\.md: no line in tests\/table: course\/01 /
	],
	[
		'a file that has moved to nowhere', 'tutorial/moved',
		sub { s/ src\/add\.c$/ src\/gone.c/m }, 'book',
		qr/tutorial\/moved: there is no src\/gone\.c$/m
	],
	[
		'a file that has moved, and is there', 'tutorial/moved',
		sub { s/^src\/first\.c /src\/add.c /m }, 'book',
		qr/tutorial\/moved: src\/add\.c is there again/
	],
	[
		'a line of the moves that is none', 'tutorial/moved', sub { s/ src\/add\.c$//m },
		'book', qr/tutorial\/moved:3: neither 'old-path new-path'/
	],
	[
		'a file to type in that has no name', $page,
		sub { s/Put this into `src.note.txt`/Put this there/ },
		'book', qr/$page:\d+: the text does not say that this goes into `src\/note\.txt`/
	],
	[
		'a pattern that is taken for output', $page,
		sub { s/, `\[\.\.\]` is any part of one// },
		'book', qr/$page:\d+: the text does not say what `\[\.\.\]` stands for/
	],
	['a chapter without its card', $card, sub { $_ = undef }, 'book', qr/01-add\.md: no card/],
	[
		'a card with two hints', $card, sub { s/hint:\n\tlook[^\n]*\n// }, 'book',
		qr/hint: three of them, not 2/
	],
	[
		'a hint that is the answer', $card, sub { s/a pocket calculator/return a + b;/ },
		'book', qr/a hint holds a line of the answer/
	],
	[
		'a field that there is not', $card, sub { s/^tier:/tire:/m }, 'book',
		qr/01-add\.ex:3: tire: no such field/
	],
	['a stub without a TODO', $card, sub { s/TODO: // }, 'book', qr/no TODO/],
	[
		'a stub that keeps what is gone', $card, sub { s/keep \/a = /keep \/c = / },
		'book', qr/no line of the finished region matches \/c = \//
	],
	[
		'a near miss that no longer fits', $card,
		sub { s/s\/a \\\+ b\/a - b/s\/a \\* b\/a - b/ }, 'book',
		qr/mutant minus: the substitution no longer fits/
	],
	[
		'a command that breaks what no card has', $page,
		sub { s/^## Recap\n/$&\n`make break CH=01:mines`\n/m }, 'book',
		qr/$page: make break CH=01:mines: 01 has no mutant of that name/
	],
	[
		'a word of the site that is not to be used', 'tutorial/site/theme/words.mjs',
		sub { s/和/合计/ },
		'book', qr/words\.mjs:2: 合计: the table of terms says 和$/m
	],
	[
		'one that stands in the code of the site', 'tutorial/site/theme/Layout.vue',
		sub { s/和/合计/ },
		'book', qr/Layout\.vue:2: 合计: the table of terms says 和$/m
	],
	[
		'a translation with another fence', $zh, sub { s/^th\[/xh[/m }, 'book',
		qr/this fence is not the one of 01-add\.md/
	],
	[
		'a translation with a heading of its own', $zh, sub { s/^## 思路$/## 想法/m }, 'book',
		qr/zh-CN\/01-add\.md: heading 5 is '## 想法', the template has '## 思路'/
	],
	[
		'a translation that names a function that is gone', $zh,
		sub { s/`add\(\)`/`subtract()`/ }, 'book',
		qr/zh-CN\/01-add\.md:\d+: subtract\(\): no source has that name/
	],
	[
		'a translation with a link to no heading', $zh, sub { s/#01-加法和/#01-加法：和/ },
		'book', qr/zh-CN\/01-add\.md:\d+: #01-加法：和: .* no such heading; it has #01-加法和/
	],
	[
		'a translation with a word that is not to be used', $zh, sub { s/还有/还有总和，/ },
		'book', qr/zh-CN\/01-add\.md:\d+: 总和: the table of terms says 和$/m
	],
	[
		'a map in Chinese that lacks a page', 'tutorial/zh-CN/README.md',
		sub { s/glossary\.md/..\/moved/ }, 'book',
		qr/zh-CN\/README\.md: no link to glossary\.md/
	],
	[
		'a glossary in Chinese that lacks an entry', $entries, sub { s/^- \*\*余数.*\n//m },
		'book', qr/zh-CN\/glossary\.md: 1 entries, and the original has 2$/m
	],
	[
		'a glossary in Chinese in an order of its own', $entries,
		sub { s/(- \*\*余数.*\n)(- .*\n)/$2$1/ }, 'book',
		qr/zh-CN\/glossary\.md:5: 和: the original has remainder here/
	],
	[
		'one with a term that the chapter in Chinese does not have', $entries,
		sub { s/余数/余下的数/ }, 'book',
		qr/zh-CN\/glossary\.md:5: 余下的数: it is not in bold in tutorial\/zh-CN\/01-add\.md/
	],
	[
		'one that leads to no chapter', $entries, sub { s/\[01\].*$//m }, 'book',
		qr/zh-CN\/glossary\.md:5: 余数: it leads to no chapter, and the original to 01-add\.md/
	],
	[
		'one whose entry is not written as an entry', $entries, sub { s/（sum）：/（sum）/ },
		'book', qr/zh-CN\/glossary\.md:6: 和: it is not '- \*\*term\*\*（English）：'/
	],
	[
		'a function that is gone, named outside of the chapters', $entries,
		sub { s/$/ `subtract()`/ }, 'book',
		qr/zh-CN\/glossary\.md:\d+: subtract\(\): no source has that name/
	],
	[
		'a translation without its hash', $zh, sub { s/ [0-9a-f]{12} / / }, 'book',
		qr/its first line is/
	],

	[
		'a test that is always true', $test, sub { s/add\(1, 1\) == 2/add(1, 1) < 99/ },
		'prove', qr/names these, and they pass or are not there:\n#     one and one is two/
	],
	[
		'a point that the card does not name', $card, sub { s/red: two[^\n]*\n// },
		'prove', qr/these fail, and the card does not name them:\n#     two and three/
	],
	[
		'a point that was renamed', $test, sub { s/two and three is/three and two is/ },
		'prove', qr/they pass or are not there:\n#     two and three/
	],
	[
		'a stub that no longer compiles', $card, sub { s/return 0 \*/return zero */ },
		'prove', qr/it must fail a test, and not the compiler/
	],
	[
		'a stub that only warns', $card,
		sub { s/return 0 \*/int unused;\n\t\treturn 0 */ }, 'prove',
		qr/not ok \d+ - 01-add: the stub builds without a warning/
	],
	[
		'a finished source that fails', $source,
		sub { s/return a \+ b/return a + 2 * b - 1/ }, 'prove',
		qr/not ok \d+ - 01-add: the finished source passes/
	],
	[
		'a near miss that passes', $card, sub { s/a - b/b + a/ }, 'prove',
		qr/mutant minus passes every point/
	],
	[
		'a right answer that fails', $card, sub { s/b \+ a/b - a/ }, 'prove',
		qr/not ok \d+ - 01-add: this is right, too: the other one first\n.*whoever writes backwards is told that it is wrong:\n# one and one/s
	],
	[
		'a right answer that is the finished one', $card,
		sub { s/a \+= b;/return a + b;/; s/\t\treturn a;\n// },
		'book', qr/in-steps: the substitution no longer fits/
	],
	[
		'a right answer that is told why it is wrong', $card,
		sub { s/too\n|(?<=first\n)/\tsays: it is wrong\n/ }, 'book',
		qr/right backwards: says: nobody is told/
	],
	[
		'a near miss that is explained by something else', $test,
		sub { s/sums are sums/one is one/ }, 'prove',
		qr/minus must lead to these words:\n#     sums are sums\n# the learner reads:\n# one and one is two\n/
	],
	[
		'two answers of one name', $card, sub { s/twice:/minus:/ }, 'book',
		qr/minus: two answers/
	],
	[
		'a near miss that cannot be built', $card, sub { s/a - b/a - c/ }, 'prove',
		qr/# minus cannot be built/
	],
	[
		'a stub that crashes', $card, sub { s/(\/\* TODO)/__builtin_trap();\n\t\t$1/ },
		'prove', qr/sum\/add was killed by signal/
	],
	[
		'a transcript that was edited', $page, sub { s/^one$/won/m }, 'prove',
		qr/the page says:\n#     won\n/
	],
	[
		'a line of a transcript that was left out', $page,
		sub { s/^second\n```\n\n## C/```\n\n## C/m }, 'prove',
		qr/not ok \d+ - $page, line \d+: \$ cat src\/note\.txt/
	],
	[
		'an exit status that the page does not expect', $page,
		sub { s/test \$\? = 2/test \$? = 3/ }, 'prove', qr/status 1, expected 0/
	],
	[
		'an output that normalising does not excuse', $page,
		sub { s/5000 apples/5000 pears/ }, 'prove', qr/5000 pears/
	],
	[
		'a failure text that changed', $test, sub { s/sums are sums/sums are not/ },
		'prove', qr/why: sums are sums/
	],
	[
		'a place to insert that is gone', $page, sub { s/after=\/\^first/after=\/^third/ },
		'prove', qr/fits 0 lines of src\/note\.txt/
	],
);
for my $i (0 .. $#spoiled) {
	my ($what, $file, $change, $command, $says) = @{$spoiled[$i]};
	my $dir = "$tmp/spoiled";
	system('rm', '-rf', $dir);
	system('cp', '-r', $good, $dir) == 0 or BAIL_OUT('cannot copy');
	my $before = slurp("$dir/$file");
	{
		local $_ = $before;
		$change->();
		defined $_ ? spew("$dir/$file", $_) : unlink "$dir/$file";
		BAIL_OUT("$what: the change does not fit") if defined $_ && $_ eq $before;
	}
	($status, $out) =
	    run($dir, $command eq 'book' ? 'tutorial/learn book' : 'tutorial/learn prove CH=01');
	ok($status != 0 && $out =~ $says, "noticed: $what")
	    or diag("status $status, expected a failure that says $says:\n$out");
}

# A page outside of tutorial/: executed when it is asked for by name, and checked with the others.
{
	my $dir = "$tmp/outside";
	my $outside = "Read [a page]($page), and `src/add.c`.\n\n```console\n\$ echo 1\n1\n```\n";
	my $row = 'course/contributing tutorial/learn prove CH=CONTRIBUTING';
	system('cp', '-r', $good, $dir);
	spew("$dir/CONTRIBUTING.md", $outside);
	($status, $out) = run($dir, 'tutorial/learn book');
	ok(
		$status != 0 && $out =~ /CONTRIBUTING\.md: no line in tests\/table: \Q$row\E/,
		'CONTRIBUTING.md must have its test'
	) or diag($out);
	spew("$dir/tests/table", slurp("$dir/tests/table") . "$row\n");
	($status, $out) = run($dir, 'tutorial/learn book && tutorial/learn prove CH=CONTRIBUTING');
	ok(
		$status == 0 && $out =~ /^ok 1 - CONTRIBUTING\.md, line 3: \$ echo 1$/m,
		'... and then it is right, and can be proven'
	) or diag($out);
	spew("$dir/CONTRIBUTING.md", $outside =~ s/\n1\n/\n2\n/r =~ s/\Q$page\E/$page.not/r);
	($status, $out) = run($dir, 'tutorial/learn book; tutorial/learn prove CH=CONTRIBUTING');
	ok(
		       $status != 0
		    && $out =~ /CONTRIBUTING\.md:1: \Q$page.not\E: there is no/
		    && $out =~ /rewrite CH=CONTRIBUTING puts it there/,
		'... and a link that leads nowhere and a wrong line are noticed there, too'
	) or diag($out);
}

# Stale is not wrong.
system('cp', '-r', $good, "$tmp/stale");
spew("$tmp/stale/$page", slurp("$tmp/stale/$page") =~ s/See `/Look at `/r);
($status, $out) = run("$tmp/stale", 'tutorial/learn book');
ok(
	       $status == 0
	    && $out =~ /not ok .*its original, tutorial\/01-add\.md, has changed since # TODO/,
	'a translation whose original has changed is something to do, and no failure'
) or diag($out);
system('cp', '-r', $good, "$tmp/new");
spew("$tmp/new/$page", slurp("$tmp/new/$page") =~ s/one \*\*sum/one **answer**, one **sum/r);
($status, $out) = run("$tmp/new", 'tutorial/learn book');
ok(
	       $status == 0
	    && $out =~ /not ok .*01-add\.md:\d+: answer: not in tutorial\/glossary\.md # TODO/,
	'so is a term that is not in the glossary yet'
) or diag($out);

for (['sum', '加法'], ['total', '余数']) {
	my ($english, $term) = @$_;
	my $dir = "$tmp/$english";
	system('cp', '-r', $good, $dir);
	spew("$dir/$entries", slurp("$dir/$entries") =~ s/\*\*和\*\*/**$term**/r);
	spew("$dir/$zh", slurp("$dir/$zh") =~ s/\*\*和\*\*（sum）/**$term**（$english）/r);
	($status, $out) = run($dir, 'tutorial/learn book');
	my $known = $english eq 'sum' ? '和' : 'nothing';
	ok(
		       $status == 0
		    && $out =~
		    /not ok .*01-add\.md:\d+: $english is $term here, and in TERMS\.md $known # TODO/,
		"and a term of a translation for which its table has $known"
	) or diag($out);
}

system('cp', '-r', $good, "$tmp/later");
spew(
	"$tmp/later/$terms",
	slurp("$tmp/later/$terms") =~ s/(- \*\*sum)/- **rest**: [01](01-add.md)\n$1/r
);
spew("$tmp/later/$page", slurp("$tmp/later/$page") =~ s/one \*\*sum/one **rest**, one **sum/r);
($status, $out) = run("$tmp/later", 'tutorial/learn book');
ok(
	       $status == 0
	    && $out =~ /not ok .*its original, tutorial\/glossary\.md, has changed since # TODO/,
	'so is an entry that the glossary in Chinese has not got yet'
) or diag($out);
system('cp', '-r', $good, "$tmp/detour");
spew("$tmp/detour/$entries", slurp("$tmp/detour/$entries") =~ s/\(01-add/(..\/01-add/r);
($status, $out) = run("$tmp/detour", 'tutorial/learn book');
ok(
	       $status == 0
	    && $out =~
	    /not ok .*zh-CN\/glossary\.md:5: \.\.\/01-add\.md: there is a translation of it # TODO/,
	'so is a link of a translation to a page in English that is translated'
) or diag($out);

# ---- rewriting ----
spew(
	"$good/$page",
	slurp("$good/$page") =~ s/^one$/won/mr =~ s/^a = both\[0\];\n//mr =~ s/^th\[\.\.\]e\n//mr
);
($status, $out) = run($good, 'tutorial/learn rewrite CH=01');
my $rewritten = slurp("$good/$page");
like(
	$rewritten, qr/^\$ printf [^\n]*\none\ntwo\nthree\n```$/m,
	'rewrite puts what is printed into the page'
);
like($rewritten, qr/^```c\na = both\[0\];\nb = /m, '... and the listing that the source has');
like($rewritten, qr/^5000 apples/m, '... and leaves alone what matches');
is(join("\n", slurp("$good/$zh") =~ /^(three)$/m), 'three', 'a translation gets the same fences');
is((run($good, 'tutorial/learn prove CH=01'))[0], 0, 'and then the page can be proven again');

# ---- the learner's commands ----
my $copy = "$good/work/01-add/src/add.c";
my $finished = slurp("$good/src/add.c");
sub learner { return run($good, "make -s $_[0]") }

($status, $out) = learner('learn');
like($out, qr/0 of 1 exercises done\n\n  01  Adding +10 min  core\n/, 'learn lists the exercise');
($status, $out) = learner('check CH=01');
ok(
	$status && $out =~ /work\/01-add is not there yet: make start CH=01/,
	'check before start says what to do'
) or diag($out);
($status, $out) = learner('start CH=1');
ok(
	$status == 0 && -e $copy && $out =~ /edit  work\/01-add\/src\/add\.c, line 14$/m,
	'start makes the copy and names the line of the TODO'
) or diag($out);
is(slurp("$good/src/add.c"), $finished, 'the finished source is left alone');
($status, $out) = learner('start CH=add');
ok($status && $out =~ /is there already/, 'a second start touches nothing');
($status, $out) = learner('check CH=01');
ok(
	       $status
	    && $out =~ /^  not ok  one and one is two$/m
	    && $out =~
	    /expected 2\n  got 0\n  why: sums are sums\n  \(sum\/add\)\n\nA hint: make hint CH=01/,
	'a red check shows expected, got, why, and the hint command'
) or diag($out);
like((learner('hint CH=01'))[1], qr/Hint 1 of 3.*what is a sum/s, 'the first hint');
like((learner('hint CH=01'))[1], qr/Hint 2 of 3.*pocket calculator/s, '... the second');
like((learner('learn'))[1], qr/started, hint 2 of 3/, '... which the list knows');
like(
	(learner('hint CH=01'))[1], qr/Hint 3 of 3.*make solution CH=01/s,
	'... the third, and where to go on'
);
like((learner('hint CH=01'))[1], qr/Hint 3 of 3/, '... and there are no more');
like(
	(learner('diff CH=01'))[1], qr/^No difference: work\/01-add is as it began\.$/m,
	'diff shows nothing where nothing is changed, and not the answer'
);
unlike((learner('solution CH=01'))[1], qr/return a \+ b/, 'solution asks first');
like((learner('solution CH=01'))[1], qr/^return a \+ b;$/m, '... and then shows it');

spew($copy, slurp($copy) =~ s/return 0 \*/return zero */r);
($status, $out) = learner('check CH=01');
ok(
	       $status
	    && $out =~ /^  work\/01-add\/src\/add\.c:\d+:\d+: error/m
	    && $out =~ /no test was run/,
	'what cannot be built is said with the name of the copy'
) or diag($out);
spew($copy, "/* a script */\n$finished");
($status, $out) = learner('check CH=01');
ok(
	       $status
	    && $out =~
	    /^  work\/\.trees\/01-add\/build\/add\.lds:2: ld: syntax error\n +2 \| two;$/m,
	'a line of a linker script is shown, and where it lies'
) or diag($out);
spew($copy, $finished =~ s/return a \+ b/for (;;) ;/r);
($status, $out) = learner('check CH=01');
ok(
	$status && $out =~ /did not end within 3 s: is there a loop without an end/,
	'a test that hangs is ended, and said to hang'
) or diag($out);
($status, $out) = learner('reset CH=01');
ok(
	       $status == 0
	    && slurp($copy) =~ /TODO/
	    && slurp("$good/work/.old/01-add.1/src/add.c") =~ /for \(;;\)/,
	'reset begins again and keeps the old copy'
) or diag($out);

# A watch that sees the file change and ends when all is true.
my $pid = open(my $watch, '-|', "cd @{[quoted($good)]} && exec timeout 30 make -s watch CH=01 2>&1")
    // BAIL_OUT('no fork');
my $seen = '';
while (<$watch>) {
	$seen .= $_;
	spew($copy, $finished) if /^Watching/;
}
close $watch;
ok(
	$? == 0 && $seen =~ /Watching work\/01-add: every save is tested.*Done: 01 Adding/s,
	'watch tests every save, and ends with the last point'
) or diag($seen);
like(
	(learner('learn'))[1], qr/1 of 1 exercises done.*done\n.*All done/s,
	'and it is noted as done'
);
like(
	(learner('check CH=01'))[1], qr/That was the last one/,
	'after the last exercise the course is done'
);
like(slurp("$good/work/.progress"), qr/^01-add done 3 asked\n\z/, 'progress is a line a chapter');

# An update of the project reaches a copy that was begun before.
spew(
	"$good/tests/sum/add.c",
	slurp("$good/tests/sum/add.c") =~
	    s/nothing and nothing is nothing/none and none is none/r =~
	    s/add\(2, 3\) == 5/add(2, 3) == 6/r
);
($status, $out) = learner('check CH=01');
ok(
	$status && $out =~ /not ok  two and three is five/,
	'a test that is changed in the project is tested against at once'
) or diag($out);
spew("$good/tests/sum/add.c", slurp("$good/tests/sum/add.c") =~ s/== 6/== 5/r);

($status, $out) = learner('start CH=all');
ok($status == 0 && -e "$good/work/all/src/add.c", 'start CH=all cuts every exercise at once');
($status, $out) = learner('check CH=all');
ok(
	$status && $out =~ /^  not ok  01 Adding: 2 of 3 points$/m && $out =~ /^0 of 1 are done/m,
	'... and check CH=all counts them'
) or diag($out);
spew("$good/work/all/src/add.c", $finished);
is((learner('check CH=all'))[0], 0, '... until all are done');

# A file of the project moves, twice; the learner's copy follows, with what was written in it.
my $edited = $finished =~ s/\treturn a \+ b;/\t\/* mine *\/\n\treturn b + a;/r;
my $written = $edited =~ s/struct pair/struct couple/r;
system('rm', '-r', "$good/work/01-add", "$good/work/all");
spew("$good/work/01-add/src/first.c", $written);
spew("$good/work/all/src/old/sum.c", $finished =~ s/course: begin/course: start/r);
($status, $out) = learner('learn');
like(
	$out,
	qr{^src/first\.c is now src/add\.c, and so is your copy in work/01-add\.\n.*'course:' lines.*\nYour old copy is kept in work/\.old/01-add\.2/src/first\.c\n}m,
	'a copy whose file has moved is moved, and that is said'
) or diag($out);
is(
	slurp($copy), $edited =~ s/mine/ours/r,
	'... with what the learner wrote, in the file as it is now'
);
is(
	slurp("$good/work/.old/01-add.2/src/first.c"), $written,
	'... and the old copy is kept as it was'
);
ok(
	!-e "$good/work/01-add/src/first.c" && !-e "$good/work/all/src/old",
	'... nothing of it is left where it was'
);
like(
	$out,
	qr{^src/old/sum\.c is now src/add\.c, and so is your copy in work/all\.\nIt is as you left it\.\n}m,
	'a copy without its two lines is moved as it is'
) or diag($out);
like(slurp("$good/work/all/src/add.c"), qr/course: start/, '... to the last byte');
unlike((learner('learn'))[1], qr/is now/, 'the next time there is nothing to say');
is((learner('check CH=01'))[0], 0, 'and the exercise that was done is done');
spew("$good/work/01-add/src/first.c", $written);
like(
	(learner('learn'))[1], qr{work/01-add has both, and only the second is used},
	'where both are there, none is touched'
);
unlink "$good/work/01-add/src/first.c";

for (
	['start', qr/which chapter\?/],
	['start CH=77', qr/CH=77: no such exercise. There are:\n  01  Adding/]
    )
{
	($status, $out) = learner($_->[0]);
	ok($status && $out =~ $_->[1], "make $_->[0] says what is wrong") or diag($out);
}
($status, $out) = run($good, 'tutorial/learn dance');
ok($status == 2 && $out =~ /^learn: dance: no such command/, 'so does a command that there is not');
done_testing;
