#!/bin/sh
exec build/tests/fake
