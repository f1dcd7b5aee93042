#!/bin/sh
exec build/tests/interleave-halves
