#!/bin/sh
exec build/tests/storm
