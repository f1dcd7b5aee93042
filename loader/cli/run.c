/*
 * run.c - uvdso run: its options, which `uvdso trace` has as well, and run_program().
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "kernel/run/run.h"
#include "kernel/run/supervise.h"
#include "uvdso.h"

static struct run_request request;

static const char *set_exec(const char *text, void *to)
{
	enum run_exec *exec = to;

	if (!strcmp(text, "kernel"))
		*exec = RUN_BY_KERNEL;
	else if (!strcmp(text, "hand"))
		*exec = RUN_BY_HAND;
	else
		return "neither kernel nor hand";
	return NULL;
}

static const char *set_follow(const char *text, void *to)
{
	(void)text;
	*(enum run_follow *)to = RUN_FOLLOW;
	return NULL;
}

static const char *set_no_follow(const char *text, void *to)
{
	(void)text;
	*(enum run_follow *)to = RUN_FOLLOW_NOT;
	return NULL;
}

static const char *image_file;
static enum uvdso_counter counter;

const struct option_row run_options[] = {
	OPTIONS_CLOCK(&request.clocks),
	{0, "shift-files", NULL, set_flag, &request.shift_files,
	 "the times of files go with the clocks; each call of\n"
	 "stat(2) takes some microseconds more"},
	{0, "image", "FILE", set_text, &image_file,
	 "run on the image in FILE, which is checked first,\n"
	 "instead of the built-in one; also on a kernel's.\n"
	 "FILE may be kernel: the image of the running one"},
	{0, "force", NULL, set_flag, &request.force,
	 "run on it even if `uvdso check` finds it broken, or\n"
	 "nothing is known of the data pages that it reads"},
	OPTION_COUNTER(&counter),
	OPTION_NO_COUNTER(&counter),
	{0, "exec", "HOW", set_exec, &request.exec,
	 "start PROGRAM by the kernel's execve(2), or by hand;\n"
	 "HOW is kernel or hand (default: kernel, and by hand\n"
	 "where ptrace(2) is denied)"},
	{0, "keep-kernel-vdso", NULL, set_flag, &request.keep_kernel_vdso,
	 "leave the kernel's vDSO mapped as well; on i386\n"
	 "system calls go through it, which is faster"},
	{0, "follow", NULL, set_follow, &request.follow,
	 "run the programs that PROGRAM starts on the vDSO of\n"
	 "uvdso as well; the default if a clock is changed,\n"
	 "and then deadlines are converted, too"},
	{0, "no-follow", NULL, set_no_follow, &request.follow,
	 "change only the clocks that PROGRAM itself reads:\n"
	 "its deadlines, and the programs that it starts, go\n"
	 "by the machine's clocks"},
	OPTION_VERBOSE(&request.events.verbose, "say on standard error what is done"),
	{0},
};

static int run(int argc, char **argv);

const struct command command_run = {
	.name = "run",
	.summary = "run an unmodified program on the vDSO of uvdso",
	.operands = "PROGRAM [ARG]...",
	.first = "PROGRAM",
	.min = 1,
	.max = ANY_NUMBER,
	.program = true,
	.options = run_options,
	.failure = STATUS_SELF,
	.about = "Runs PROGRAM on the vDSO of uvdso: static or dynamic, PIE or not, or a\n"
		 "script; by path or from PATH. It finds the vDSO where it expects the\n"
		 "kernel's.\n",
	.notes =
		"A changed clock holds for PROGRAM and for everything that it starts. A wait\n"
		"until some time ends when that clock shows it. /proc keeps the machine's\n"
		"time, and so do file times without --shift-files. `uvdso clock` changes the\n"
		"clocks again while the tree runs.\n"
		"\n"
		"If no clock is changed, the programs that PROGRAM starts get the kernel's\n"
		"vDSO again, unless --follow is given. A tree that is followed is traced with\n"
		"ptrace(2): gdb and strace do not work inside, and a setuid program there has\n"
		"only the rights that ptrace(2) leaves it.\n",
	.ends = "  That of PROGRAM. A signal that kills it kills uvdso, too. And:\n"
		"  125  uvdso itself failed, wrong usage included\n"
		"  126  PROGRAM cannot be run\n"
		"  127  PROGRAM is not found\n",
	.run = run,
};

const char *set_offset(const char *text, void *to)
{
	return clock_wish_offset(text, to);
}

/* The image that was asked for; 0, or after a message the status to exit with. */
static int choose_image(struct image *image)
{
	int err;

	*image = image_builtin();
	if (!image_file)
		return 0;
	if (!strcmp(image_file, "kernel")) {
		image->bytes = kernel_image(&image->size);
		return image->bytes ? 0 : STATUS_SELF;
	}
	err = image_read(image_file, image);
	if (err)
		complain(image_file, "%s", strerror(-err));
	return err ? STATUS_SELF : 0;
}

const char *set_counter(const char *text, void *to)
{
	static const char *const names[] = {
		[UVDSO_COUNTER_AUTO] = "auto",
		[UVDSO_COUNTER_ALWAYS] = "always",
		[UVDSO_COUNTER_NEVER] = "never",
	};
	enum uvdso_counter *counter = to;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]))
			continue;
		*counter = (enum uvdso_counter)i;
		return NULL;
	}
	return "neither auto, always nor never";
}

const char *set_no_counter(const char *text, void *to)
{
	(void)text;
	return set_counter("never", to);
}

int run_with_options(const struct command *command, char **argv, struct trace *trace,
		     int *wait_status)
{
	struct error error = {0};
	int err = check_clocks(command, &request.clocks);

	if (err)
		return err;
	request.argv = argv;
	request.counter = (enum counter_choice)counter;
	request.envp = environ;
	request.image_name = image_file ? image_file : "built-in image";
	request.events.tell = print_event;
	request.trace = trace;
	err = choose_image(&request.image);
	if (err)
		return err;
	fflush(NULL);
	if (!run_program(&request, wait_status, &error))
		return 0;
	complain(error.what, "%s", error.why);
	return error.status;
}

static int run(int argc, char **argv)
{
	int wait_status, status = run_with_options(&command_run, argv, NULL, &wait_status);

	(void)argc;
	if (status)
		return status;
	die_like(wait_status);
}
