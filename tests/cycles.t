#!/bin/sh
exec build/tests/cycles
