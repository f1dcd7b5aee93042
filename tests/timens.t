#!/bin/sh
exec build/tests/timens
