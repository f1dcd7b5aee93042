#!/bin/sh
exec build/tests/auxv
