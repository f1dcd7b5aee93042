#!/bin/sh
exec build/tests/placement
