#!/bin/sh
exec build/tests/resolver-hostile
