#!/bin/sh
exec build/tests/path
