#!/bin/sh
exec build/tests/chacha
