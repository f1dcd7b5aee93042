#!/bin/sh
exec build/tests/seqcount
