#!/bin/sh
exec build/tests/alternatives
