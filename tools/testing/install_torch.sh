#!/bin/sh
# Install torch 2.13.0 for the Python given as $1: the CPU wheel where one is offered, else the index's own.
set -eu
python=$1
install() { "$python" -m pip install -q --no-compile "$1"; }
install "torch==2.13.0+cpu" 2>/dev/null || install "torch==2.13.0"
