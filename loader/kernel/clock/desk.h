/*
 * desk.h - the socket at which the tracer of a tree takes requests from other processes.
 *
 * A datagram socket in the abstract namespace (unix(7)), so that nothing lies in the file
 * system and nothing is left behind. The kernel chooses its name, and the tracer shows it in
 * its command line, "uvdso-follow of PID @NAME". The kernel vouches for the sender of each
 * datagram (SCM_CREDENTIALS). Requests are taken from the user who owns the tree, and from
 * root; from root alone in a user namespace that does not map this user, since users that are
 * not mapped cannot be told apart. Answers are taken from the tracer alone.
 *
 * One datagram asks, one answers. Nothing waits on the tracer's side. Safe in a signal handler.
 */
#ifndef KERNEL_CLOCK_DESK_H
#define KERNEL_CLOCK_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

/* "@" and five hexadecimal digits, and some room. */
#define DESK_NAME_MAX 16

struct desk {
	int fd; /* -1: there is none, and nobody can ask */
	char name[DESK_NAME_MAX];
};

#define DESK_NONE         \
	{                 \
		.fd = -1, \
	}

struct desk_visitor {
	struct sockaddr_un address;
	socklen_t length;
	pid_t pid;
	uid_t uid;
};

/* Returns 0 or -errno; then desk->fd is -1. */
int desk_open(struct desk *desk);
void desk_close(struct desk *desk);

/*
 * The next request, of exactly size bytes. Returns 0; -EAGAIN if there is none; -EPERM if the
 * visitor, which is filled in, may not ask; another -errno if it cannot be read.
 */
int desk_next(const struct desk *desk, void *request, size_t size,
	      struct desk_visitor *visitor);

/*
 * Does it still wait for an answer? A visitor that has given up must not find out later that it
 * was served.
 */
bool desk_waits(const struct desk *desk, const struct desk_visitor *visitor);

/* A visitor that does not wait any more gets none. */
void desk_answer(const struct desk *desk, const struct desk_visitor *visitor,
		 const void *answer, size_t size);

/*
 * Sends a request to the process server, whose desk has that name, and waits DESK_PATIENCE_MS
 * at most. Returns 0; -ECONNREFUSED if there is no such desk; -ETIMEDOUT; or another -errno.
 */
#define DESK_PATIENCE_MS 5000
int desk_ask(pid_t server, const char *name, const void *request, size_t request_size,
	     void *answer, size_t answer_size);

#endif
