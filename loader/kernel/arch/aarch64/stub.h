/*
 * aarch64/stub.h - the stub of a function whose calls are counted (image/counted.h): not
 * written yet.
 */
#include "kernel/arch/no_stub.h"
