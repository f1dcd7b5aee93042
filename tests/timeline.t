#!/bin/sh
exec build/tests/timeline
