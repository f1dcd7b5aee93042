#!/bin/sh
exec build/tests/halted
