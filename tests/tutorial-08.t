#!/bin/sh
exec tutorial/learn prove CH=08
