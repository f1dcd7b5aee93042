/*
 * attendant.h - a process of ours beside a program that must not notice it.
 *
 * The process that was started becomes the program, so that its process id, its exit status,
 * its signals, timers, locks and children are what they would be without us. What we have to do
 * meanwhile is done by attendants: the timekeeper, its watchdog, and a tracer for --follow.
 *
 * An attendant stands apart where its owner becomes a program that knows nothing of us: it is
 * no child of its owner, but of whoever adopts orphans. Else, and where the owner itself would
 * adopt it (the first process of a PID namespace, PR_SET_CHILD_SUBREAPER), it is cloned with
 * exit signal 0 (clone(2)): a child that wait(2) does not see, unless it is told to look for
 * such children (__WALL, __WCLONE, which tracers use), and whose end sends no signal, unless
 * the owner has called execve(2) meanwhile (kernel/signal.c, do_notify_parent()).
 *
 * It has a session of its own, where no terminal and no kill(2) of a process group reaches it,
 * blocks all signals, holds none of the program's descriptors, keeps no directory busy, and
 * cannot be looked into (PR_SET_DUMPABLE) except by root; unless they have a tracer from birth.
 *
 * The program may have threads, so an attendant does only what is safe in a signal handler; and
 * it is cloned without the C library, whose fork(2) would run the program's own handlers
 * (pthread_atfork(3)) in it.
 */
#ifndef KERNEL_BASE_ATTENDANT_H
#define KERNEL_BASE_ATTENDANT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kernel/base/error.h"

struct attendant {
	pid_t pid;                   /* -1 if there is none */
	bool hidden;                 /* its exit signal is 0; qemu-user knows only SIGCHLD */
	int pidfd;                   /* of one that stands apart; -1 for a child */
	struct attendant_page *page; /* shared with it; NULL where there was no memory */
	int to, from;                /* pipes; -1 once closed */
	int held; /* the other end of to: so that writing never raises SIGPIPE */
};

#define ATTENDANT_NONE                                                   \
	{                                                                \
		.pid = -1, .pidfd = -1, .to = -1, .from = -1, .held = -1 \
	}

/* What an attendant gets: its argument, and its ends of the two pipes. It never returns. */
typedef void attendant_work(void *arg, int in, int out);

/*
 * Starts one. work may use all memory as it is now; its descriptors are still those of the
 * caller (close_all_but()). With apart, which is for processes without threads, it stands apart
 * if that can be; attendant->pidfd says so, to both. Returns 0 or -errno; then nothing is left.
 */
int attendant_start(struct attendant *attendant, bool apart, attendant_work *work, void *arg);

/*
 * For an attendant: one more, over itself. sibling->pid is 0 in the new one. It is a child of
 * our owner, too, as far as the system allows that; else ours, and sibling->hidden is false.
 * There are no pipes. Returns 0 or -errno.
 */
int attendant_clone_sibling(struct attendant *sibling);

/*
 * The sibling that an attendant has cloned, by the page that it shares with its owner: also
 * when it could not tell that any more. One that stands apart has no pidfd yet
 * (attendant_meet()).
 */
void attendant_find_sibling(const struct attendant *attendant, struct attendant *sibling);

/*
 * Reads size bytes that the attendant writes, or finds that it has ended: 0 or -errno, -ECHILD
 * for its end. The end of the pipe would not tell: a process that another thread is forking may
 * hold it open.
 */
int attendant_read(const struct attendant *attendant, void *bytes, size_t size);

/*
 * A question and its answer. The owner asks, with size bytes, and gets what the attendant has
 * answered: 0, or -errno with error filled; *answered is false if it may have answered, and
 * lives, but that could not be read. The attendant receives the question, or an error number
 * when there will be none, and answers, or ends as attendant_tell() does.
 */
int attendant_ask(const struct attendant *attendant, const void *question, size_t size,
		  bool *answered, struct error *error);
int attendant_receive(int in, void *question, size_t size);
void attendant_answer(int out, int result, const struct error *error);

/*
 * For an attendant: writes all of it, or ends; then its status is the error number, and what
 * the owner reads fails with it.
 */
void attendant_tell(int out, const void *bytes, size_t size);

/*
 * Of one that we have not cloned ourselves, while it is known to live: attendant_wait() then
 * works for it, though it is no child of ours.
 */
void attendant_meet(struct attendant *attendant);

/*
 * For an attendant: sets the command line that ps(1) shows: name, a literal, the process id of
 * its owner, and more, which may be empty. If that fails it keeps the command line of its
 * owner.
 */
void attendant_title(const char *name, pid_t owner, const char *more);

/* Closes the pipes. May be called twice. */
void attendant_release(struct attendant *attendant);

/*
 * Waits for its end, for some milliseconds at most, or ends it at once; and reaps it. Only one
 * of which we have a pidfd is meant, or a child of ours with its number and its exit signal: in
 * a forked child, or when the number belongs to another process now, both do nothing.
 */
void attendant_wait(struct attendant *attendant, unsigned ms);
void attendant_end(struct attendant *attendant);

#endif
