#!/bin/sh
exec build/tests/getrandom-secrets
