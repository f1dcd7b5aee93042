#!/bin/sh
# The image checker under wrong bytes: see image_fuzz.c.
exec build/tests/image_fuzz "$@"
