#!/bin/sh
exec build/tests/reader
