/*
 * run.c - uvdso run: the command line of run_program(), which `uvdso trace` has as well.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "kernel/run/run.h"
#include "kernel/run/supervise.h"

static const char help[] =
	"usage: uvdso run [OPTION]... [--] PROGRAM [ARG]...\n"
	"\n"
	"Runs an unmodified program on the page: static or dynamic, PIE or not, a script,\n"
	"by path or from PATH. It finds our page where it expects the kernel's vDSO.\n"
	"\n"
	"  --offset CLOCK=+N[smhd]  shift a clock (realtime, monotonic, boottime, tai) by\n"
	"                           N seconds, minutes, hours or days; or -N. Repeatable\n"
	"  --image FILE             run on the page in FILE instead of the built-in one\n"
	"  --force                  ... even if it fails `uvdso check`\n"
	"  --no-counter             as if this machine had no usable counter: the fine\n"
	"                           clocks make system calls, the coarse ones do not\n"
	"  --keep-kernel-vdso       leave the kernel's own vDSO mapped as well; i386: and\n"
	"                           system calls to it, which are faster there\n"
	"  --follow                 the programs that this one starts get the page as well\n"
	"  -v, --verbose            say what is done\n"
	"\n"
	"An offset shifts what the clocks show. It does not shift absolute timeouts, timers\n"
	"or the times of files: these are compared with the kernel's own clocks.\n"
	"\n"
	"Programs that this one starts get the kernel's vDSO again; not so with --follow. It\n"
	"traces the whole tree with ptrace(2): gdb and strace do not work inside, and what a\n"
	"setuid program may do there is what ptrace(2) leaves it.\n"
	"\n"
	"The exit status is the program's; a signal that kills it kills uvdso, too. 127: no\n"
	"such program, 126: it cannot be run, 125: uvdso itself failed.\n";

enum { OPT_OFFSET = 256, OPT_IMAGE, OPT_FORCE, OPT_NO_COUNTER, OPT_KEEP, OPT_FOLLOW, OPT_HELP };

static const struct option options[] = {
	{"offset", required_argument, NULL, OPT_OFFSET},
	{"image", required_argument, NULL, OPT_IMAGE},
	{"force", no_argument, NULL, OPT_FORCE},
	{"no-counter", no_argument, NULL, OPT_NO_COUNTER},
	{"keep-kernel-vdso", no_argument, NULL, OPT_KEEP},
	{"follow", no_argument, NULL, OPT_FOLLOW},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

int run_options(int argc, char **argv, const char *usage, struct run_request *request)
{
	int option, status;
	const char *why;

	*request = (struct run_request){
		.image = image_builtin(),
		.image_name = "built-in image",
		.envp = environ,
		.events = {.tell = print_event},
	};
	opterr = 0;
	/* "+": the first word that is no option is the program. */
	while ((option = getopt_long(argc, argv, "+:v", options, NULL)) != -1) {
		switch (option) {
		case OPT_OFFSET:
			why = timens_parse(optarg, &request->timens);
			if (why) {
				complain("--offset", "'%s': %s", optarg, why);
				return STATUS_SELF;
			}
			break;
		case OPT_IMAGE:
			status = image_read(optarg, &request->image);
			if (status) {
				complain(optarg, "%s", strerror(-status));
				return STATUS_SELF;
			}
			request->image_name = optarg;
			break;
		case OPT_FORCE:
			request->force = true;
			break;
		case OPT_NO_COUNTER:
			request->no_counter = true;
			break;
		case OPT_KEEP:
			request->keep_kernel_vdso = true;
			break;
		case OPT_FOLLOW:
			request->follow = true;
			break;
		case 'v':
			request->events.verbose = true;
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			return STATUS_OK;
		default:
			complain(argv[0], "%s: %s; see `uvdso %s --help`", argv[optind - 1],
				 option == ':' ? "needs an argument" : "no such option",
				 argv[0]);
			return STATUS_SELF;
		}
	}
	if (optind == argc) {
		complain(argv[0], "no program given; see `uvdso %s --help`", argv[0]);
		return STATUS_SELF;
	}
	request->argv = argv + optind;
	return RUN_OPTIONS_GOOD;
}

int run_request(const struct run_request *request, int *wait_status)
{
	struct error error = {0};

	fflush(NULL);
	if (!run_program(request, wait_status, &error))
		return 0;
	complain(error.what, "%s", error.why);
	return error.status;
}

int cmd_run(int argc, char **argv)
{
	struct run_request request;
	int status = run_options(argc, argv, help, &request), wait_status;

	if (status != RUN_OPTIONS_GOOD)
		return status;
	status = run_request(&request, &wait_status);
	if (status)
		return status;
	die_like(wait_status);
}
