#!/bin/sh
# Adds up the lines "passed failed skipped" of the file given and prints the closing line.
# Fails when something failed, or when nothing passed.
awk '{ p += $1; f += $2; s += $3 } END {
  printf "%d passed, %d failed, %d skipped\n", p, f, s
  exit (f > 0 || p == 0)
}' "$1"
