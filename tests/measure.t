#!/bin/sh
exec build/tests/measure
