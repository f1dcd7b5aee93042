#!/bin/sh
exec build/tests/lookup
