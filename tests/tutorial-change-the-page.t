#!/bin/sh
exec tutorial/learn prove CH=change-the-page
