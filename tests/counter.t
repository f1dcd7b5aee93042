#!/bin/sh
exec build/tests/counter
