/*
 * tap.c - a point that fails shows what was expected and what came (tap.h).
 *
 * Every other test fails so rarely that nobody would notice if it showed nothing. Here the
 * failures are made: this program runs itself, and reads what it says.
 */
#include "tap.h"

static const char failures[] =
	"not ok 1 - a sum\n"
	"# expected  5\n"
	"# got       4\n"
	"not ok 2 - an errno\n"
	"# expected  -1\n"
	"# got       -22\n"
	"not ok 3 - a mask\n"
	"# expected  0\n"
	"# got       3735928559 (0xdeadbeef)\n"
	"not ok 4 - a word\n"
	"# expected  \"one\"\n"
	"# got       \"other\"\n"
	"not ok 5 - no word\n"
	"# expected  NULL\n"
	"# got       \"other\"\n"
	"not ok 6 - an address\n"
	"# expected  0x1000\n"
	"# got       NULL\n"
	"not ok 7 - a limit\n"
	"# expected  < 1.5\n"
	"# got       2.5\n"
	"not ok 8 - a state\n"
	"# expected  neither\n"
	"# got       2 of both\n"
	"# why: a reason that is longer than a line of eighty columns is wrapped, and each\n"
	"#      line of it stands below the first\n"
	"not ok 9 - lines\n"
	"# expected  \"one\"\n"
	"# got       \"ok 1\n"
	"# ok 2\"\n"
	"1..9\n";

static int fail(void)
{
	char other[] = "other";
	double length = 2.5;

	is(2 + 2, 5, "a sum");
	is(-22, -1, "an errno");
	is(0xdeadbeefu, 0, "a mask");
	is(other, "one", "a %s", "word");
	is(other, NULL, "no word");
	is((const int *)NULL, (void *)0x1000, "an address");
	cmp_ok(length, <, 1.5, "a limit");
	if (!ok(false, "a state")) {
		expected("neither");
		but_got("%d of both", 2);
		because("a reason that is longer than a line of eighty columns is wrapped, and "
			"each line "
			"of it stands below the first");
	}
	is("ok 1\nok 2", "one", "lines");
	return done_testing();
}

int main(int argc, char **argv)
{
	char command[4096], said[4096], one[] = "one";
	bool same = true;
	FILE *file;

	if (argc > 1)
		return fail();
	snprintf(command, sizeof(command), "exec '%s' fail 2>&1", argv[0]);
	file = popen(command, "r");
	if (!file)
		bail_out("popen: no shell");
	said[fread(said, 1, sizeof(said) - 1, file)] = '\0';
	ok(pclose(file) != 0, "a test with points that fail ends with an error");
	is(said, failures, "each of them shows both values, and the reason");

	same &= is(2 + 2, 4, "equal numbers are equal");
	same &= is("one", one, "so are words that lie in two places");
	same &= is((char *)NULL, NULL, "... and two that are not there");
	same &= cmp_ok(argc, >=, 1, "and a limit that is kept is kept");
	ok(same, "a point says whether it passes");
	return done_testing();
}
