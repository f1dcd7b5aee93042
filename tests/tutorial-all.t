#!/bin/sh
# tutorial-all.t - make start CH=all: every exercise of the course at once.
exec tutorial/learn prove CH=all
