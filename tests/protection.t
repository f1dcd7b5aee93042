#!/bin/sh
exec build/tests/protection
