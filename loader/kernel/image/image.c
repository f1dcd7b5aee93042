/*
 * image.c - see image.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <host.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/image/elf_bytes.h"
#include "kernel/image/image.h"
#include "kernel/image/machine.h"

#define PIPE_PATIENCE_MS 5000

/* From image_blob.S. */
extern const unsigned char vdso_image_start[], vdso_image_end[];

struct image image_builtin(void)
{
	return (struct image){vdso_image_start, (size_t)(vdso_image_end - vdso_image_start)};
}

int image_read(const char *path, struct image *image)
{
	/* Not blocking: a FIFO instead of an image must not hang us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned char *bytes = NULL;
	size_t size = 0;
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		goto fail;
	errno = EISDIR;
	if (S_ISDIR(st.st_mode))
		goto fail;
	/* One byte more than allowed, to notice more; st_size is 0 for files in /proc. */
	bytes = malloc(IMAGE_MAX + 1);
	if (!bytes)
		goto fail;
	for (;;) {
		ssize_t got = read(fd, bytes + size, IMAGE_MAX + 1 - size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN) {
			/* A pipe: its writer may be slow, but not for ever. */
			struct pollfd pipe = {.fd = fd, .events = POLLIN};

			errno = ETIMEDOUT;
			if (poll(&pipe, 1, PIPE_PATIENCE_MS) > 0)
				continue;
		}
		if (got < 0)
			goto fail;
		if (got == 0)
			break;
		size += (size_t)got;
		errno = EFBIG;
		if (size > IMAGE_MAX)
			goto fail;
	}
	close(fd);
	*image = (struct image){bytes, size};
	return 0;
fail:
	err = -errno;
	free(bytes);
	close(fd);
	return err;
}

void image_free(struct image *image)
{
	free((void *)image->bytes);
	*image = (struct image){NULL, 0};
}

unsigned image_machine(const struct image *image)
{
	const struct elf_bytes elf = elf_bytes_of(image->bytes, image->size);

	if (!elf_inside(&elf, 0, EI_NIDENT) || memcmp(image->bytes, ELFMAG, SELFMAG))
		return 0;
	return elf_machine(&elf);
}

bool image_is_for_host(const struct image *image)
{
	return image_machine(image) == HOST_MACHINE &&
	       (image->bytes[EI_CLASS] == ELFCLASS64) == (HOST_CLASS == ELFCLASS64);
}

const char *image_machine_name(const struct image *image)
{
	const struct elf_bytes elf = elf_bytes_of(image->bytes, image->size);
	const struct machine *machine = machine_of(&elf);

	return machine ? machine->name : "another machine";
}

const char *host_machine_name(void)
{
	const unsigned bits = HOST_CLASS == ELFCLASS64 ? 64 : 32;

	for (unsigned i = 0; i < image_nr_machines; i++)
		if (image_machines[i].number == HOST_MACHINE && image_machines[i].bits == bits)
			return image_machines[i].name;
	return "another";
}

uint32_t image_entry(const struct image *image)
{
	const struct elf_bytes elf = elf_bytes_of(image->bytes, image->size);

	/* No image is longer than that. */
	return (uint32_t)elf_header(&elf).entry;
}
