/*
 * desk.c - see desk.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/base/descriptor.h"
#include "kernel/base/error.h"
#include "kernel/base/proc.h"
#include "kernel/base/wait.h"
#include "kernel/clock/desk.h"

/* How many interruptions, and datagrams of strangers, a wait for an answer puts up with. */
#define TURNS_MAX 1000

/* How long to wait before a request is sent again, if there was no room for it. */
#define SEND_PAUSE_NS 2000000

/*
 * Bound to a name that the kernel chooses, with the credentials of each sender. Returns the
 * socket or -errno.
 */
static int open_socket(void)
{
	static const struct sockaddr_un any = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1, err;

	if (fd < 0)
		return error_from("socket");
	fd = above_stdio(fd);
	if (!setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) &&
	    !bind(fd, (const struct sockaddr *)&any, sizeof(any.sun_family)))
		return fd;
	err = error_from("bind");
	descriptor_close(fd);
	return err;
}

int desk_open(struct desk *desk)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(address);
	size_t size;

	*desk = (struct desk)DESK_NONE;
	desk->fd = open_socket();
	if (desk->fd < 0)
		return desk->fd;
	if (getsockname(desk->fd, (struct sockaddr *)&address, &length)) {
		int err = error_from("getsockname");

		desk_close(desk);
		return err;
	}
	/* The null byte that makes the name abstract is shown as "@". */
	size = length - offsetof(struct sockaddr_un, sun_path);
	if (size < 2 || size >= sizeof(desk->name)) {
		desk_close(desk);
		return -EPROTO;
	}
	memcpy(desk->name, address.sun_path, size);
	desk->name[0] = '@';
	return 0;
}

void desk_close(struct desk *desk)
{
	if (desk->fd >= 0)
		descriptor_close(desk->fd);
	desk->fd = -1;
}

/* One datagram and its sender. Returns its size or -errno. */
static ssize_t receive(int fd, void *to, size_t size, struct desk_visitor *sender)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec part = {to, size};
	struct msghdr message = {
		.msg_name = &sender->address,
		.msg_namelen = sizeof(sender->address),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	struct ucred who;
	ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);

	if (got < 0)
		return error_from("recvmsg");
	sender->length = message.msg_namelen;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_CREDENTIALS)
		return -EPROTO;
	memcpy(&who, CMSG_DATA(header), sizeof(who));
	sender->pid = who.pid;
	sender->uid = who.uid;
	return got;
}

/* The line of /proc/PID/uid_map where every user is mapped: "0 0 4294967295". */
#define EVERY_USER 4294967295ul

/*
 * In a user namespace all users that are not mapped have the same number, which may be ours as
 * well (user_namespaces(7)). Then the number does not tell who the sender is.
 */
static bool is_one_user(uid_t uid)
{
	char text[256], *at = text;
	bool from_first;

	if (proc_text(0, "uid_map", text, sizeof(text)) > 0) {
		from_first = strtoul(at, &at, 10) == 0;
		strtoul(at, &at, 10); /* whom the first one is outside */
		if (from_first && strtoul(at, NULL, 10) == EVERY_USER)
			return true;
	}
	return proc_text(0, "../sys/kernel/overflowuid", text, sizeof(text)) > 0 &&
	       strtoul(text, NULL, 10) != uid;
}

int desk_next(const struct desk *desk, void *request, size_t size, struct desk_visitor *visitor)
{
	ssize_t got = receive(desk->fd, request, size, visitor);

	if (got < 0)
		return (int)got;
	if (visitor->uid != 0 && (visitor->uid != getuid() || !is_one_user(visitor->uid)))
		return -EPERM;
	return (size_t)got == size ? 0 : -EPROTO;
}

/* By an empty datagram, which the visitor does not take for an answer. */
bool desk_waits(const struct desk *desk, const struct desk_visitor *visitor)
{
	return sendto(desk->fd, NULL, 0, MSG_DONTWAIT | MSG_NOSIGNAL,
		      (const struct sockaddr *)&visitor->address, visitor->length) == 0 ||
	       (errno != ECONNREFUSED && errno != ENOENT);
}

void desk_answer(const struct desk *desk, const struct desk_visitor *visitor,
		 const void *answer, size_t size)
{
	sendto(desk->fd, answer, size, MSG_DONTWAIT | MSG_NOSIGNAL,
	       (const struct sockaddr *)&visitor->address, visitor->length);
}

static long long now_ms(void)
{
	struct timespec ts = {0, 0};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits for the answer; datagrams of other processes are dropped. */
static int wait_for_answer(int fd, pid_t server, long long end, void *answer, size_t size)
{
	long long left;
	struct pollfd event = {.fd = fd, .events = POLLIN};
	struct desk_visitor sender;
	unsigned times = 0;

	for (int turn = 0; turn < TURNS_MAX && (left = end - now_ms()) > 0; turn++) {
		int events = poll(&event, 1, (int)left);
		ssize_t got;

		if (events < 0 && !interrupted(&times))
			return error_from("poll");
		if (events <= 0)
			continue;
		got = receive(fd, answer, size, &sender);
		if (got > 0 && sender.pid == server)
			return (size_t)got == size ? 0 : -EPROTO;
	}
	return -ETIMEDOUT;
}

/* While the queue of the desk is full, it tries again. */
static int send_request(int fd, const struct sockaddr_un *address, socklen_t length,
			long long end, const void *request, size_t size)
{
	while (sendto(fd, request, size, MSG_NOSIGNAL, (const struct sockaddr *)address,
		      length) < 0) {
		if (errno != EAGAIN || now_ms() >= end)
			return errno == EAGAIN ? -ETIMEDOUT : error_from("sendto");
		pause_ns(SEND_PAUSE_NS);
	}
	return 0;
}

int desk_ask(pid_t server, const char *name, const void *request, size_t request_size,
	     void *answer, size_t answer_size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strnlen(name, DESK_NAME_MAX);
	long long end = now_ms() + DESK_PATIENCE_MS;
	int fd = open_socket(), err;

	if (fd < 0)
		return fd;
	memcpy(address.sun_path + 1, name + 1, length - 1);
	err = send_request(fd, &address,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length), end,
			   request, request_size);
	if (!err)
		err = wait_for_answer(fd, server, end, answer, answer_size);
	descriptor_close(fd);
	return err;
}
