#!/bin/sh
exec build/tests/inject
