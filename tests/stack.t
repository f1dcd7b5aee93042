#!/bin/sh
exec build/tests/stack
