#!/bin/sh
exec build/tests/clocks
