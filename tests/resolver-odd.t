#!/bin/sh
exec build/tests/resolver-odd
