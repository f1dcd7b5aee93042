#!/bin/sh
# tutorial.t - what must be true of all pages and cards of the course together.
exec tutorial/learn book
