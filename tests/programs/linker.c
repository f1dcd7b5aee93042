/*
 * linker.c - what the dynamic linker of glibc says of the vDSO: the object that it lists, and
 * the functions that it finds in it, by name and version. "key value" lines.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "libc/vdso_names.h"

static int list(struct dl_phdr_info *info, size_t size, void *ehdr)
{
	int segments = 0, has_frames = 0;

	(void)size;
	/* The image is linked at address 0. */
	if (info->dlpi_addr != (uintptr_t)ehdr)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		segments += info->dlpi_phdr[i].p_type == PT_LOAD;
		has_frames |= info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME;
	}
	printf("object %s, %d segments, %s\n", info->dlpi_name, segments,
	       has_frames ? "can be unwound" : "cannot be unwound");
	return 0;
}

static void find(void *handle, const char *name, const char *version)
{
	void *address = dlvsym(handle, name, version);
	Dl_info info;

	if (!address)
		printf("refused %s@%s: %s\n", name, version, dlerror());
	else if (dladdr(address, &info))
		printf("found %s@%s in %s at %lx\n", name, version, info.dli_fname,
		       (unsigned long)info.dli_fbase);
	else
		printf("found %s@%s nowhere\n", name, version);
}

int main(int argc, char **argv)
{
	void *ehdr = (void *)getauxval(AT_SYSINFO_EHDR);
	void *handle = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
	int (*gettime)(clockid_t, struct timespec *);
	struct timespec ts = {-1, -1};

	printf("image %lx\n", (unsigned long)ehdr);
	dl_iterate_phdr(list, ehdr);
	if (!handle) {
		printf("no handle: %s\n", dlerror());
		return 1;
	}
	for (int i = 1; i + 1 < argc; i += 2)
		find(handle, argv[i], argv[i + 1]);
	gettime = (int (*)(clockid_t, struct timespec *))dlsym(handle,
							       VDSO_NAME("clock_gettime"));
	if (gettime && !gettime(CLOCK_REALTIME, &ts))
		printf("date %lld\n", (long long)ts.tv_sec);
	return 0;
}
