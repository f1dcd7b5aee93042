#!/bin/sh
exec build/tests/advance
