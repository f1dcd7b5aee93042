#!/bin/sh
exec build/tests/timekeeping
