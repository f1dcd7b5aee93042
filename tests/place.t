#!/bin/sh
exec build/tests/place
