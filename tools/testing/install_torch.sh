#!/bin/sh
# Install torch 2.13.0 for the Python given as $1: the CPU wheel where one is offered, else the index's own.
set -eu
"$1" -m pip install -q "torch==2.13.0+cpu" 2>/dev/null || "$1" -m pip install -q "torch==2.13.0"
