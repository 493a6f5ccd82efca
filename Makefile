# The front door: each target makes the environments it needs.
#   make demo    a song from a workflow, on the miniature; CAPTION="calm kalimba in D minor, 90 bpm"
#                asks for one of your own
#   make examples   the ten examples of the Python API, on the miniature
#   make test    every test this machine can run, in each ComfyUI it has; one table at the end
#   make test-browser   of these the workflows in ComfyUI's page; needs a ComfyUI, node and Chromium
#   make test-every-frontend   the same, each ComfyUI in each version of the page
#   make test-ray       many songs on a local Ray, which it installs (500 MB)
#   make test-music     what the trained miniature plays, on many requests (half an hour)
#   make keep-music     measure that anew after the miniature was trained, for its tests and document
#   make test-processors   the core's tests under other instruction sets and threads (hours)
#   make test-versions     the core's tests with the oldest and the newest packages (10 GB)
#   make test-saving       kills, two processes and full disks while files are saved (Linux, minutes)
#   make soak    300 prompts through one server: its memory and its temp folder (half an hour)
#   make determinism     one song ten times in each way (ten minutes)
#   make out-of-memory   memory ends at every function of ours (ten minutes)
#   make fuzz    every reader of foreign data on new inputs, for an hour
#   make abuse   every input of every node at, below and above its limits, through a ComfyUI (hours)
#   make lint    ruff and pyright
#   make bench   ratios against diffusers and, where present, ComfyUI and the official pipeline, whose
#                checkout ACESTEP_PATH names and whose Python ACESTEP_PYTHON
# COMFYUI_PATH names the checkouts of ComfyUI, several with : between; without it they are
# ~/comfy/ComfyUI*. demo and bench take one: the first named, else ~/comfy/ComfyUI, else the newest.

PYTHON ?= python3
TESTING := $(PYTHON) -m tools.testing
ENVIRONMENTS := $(PYTHON) -m tools.testing.environments
VENV := .venv

.PHONY: setup demo examples test test-browser test-every-frontend test-ray test-music keep-music \
	test-processors test-versions test-saving soak determinism out-of-memory fuzz abuse lint bench clean
setup:
	$(ENVIRONMENTS)

# a caption reaches the program as it was typed, whatever it holds
ifneq ($(origin CAPTION),undefined)
override export CAPTION := $(value CAPTION)
endif

demo:
	$(ENVIRONMENTS) run -m tools.demo

examples:
	$(ENVIRONMENTS) core
	$(VENV)/bin/python -m api_examples

test:
	$(TESTING)

test-browser:
	$(TESTING) --only browser

test-every-frontend:
	$(TESTING) --only browser --every-frontend

test-ray:
	$(ENVIRONMENTS) core
	$(VENV)/bin/python -m pip install -q -r requirements-ray.txt
	$(TESTING) --only ray

test-music:
	MUSIC=all $(TESTING) --only music

FIGURES := $(VENV)/bin/python -m tools.miniature figures --keep tests/music/reached.json

keep-music:
	$(ENVIRONMENTS) core
	$(FIGURES) --quick --repeats 4
	$(VENV)/bin/python -m tests.music.broken
	$(FIGURES) --repeats 2 --plots docs
	$(VENV)/bin/python -m tools.docs.music_tables

test-processors:
	$(TESTING) processors

test-versions:
	$(TESTING) versions

test-saving:
	$(ENVIRONMENTS) core
	for trial in kills together full; do \
		$(VENV)/bin/python -m tools.testing.save_trials $$trial || exit 1; done
	$(VENV)/bin/python -m tools.testing.batch_trials kills --times 50
	$(VENV)/bin/python -m tools.testing.batch_trials together

soak:
	$(ENVIRONMENTS) run -m tools.testing.soak

determinism:
	$(ENVIRONMENTS) run -m tools.testing.determinism

out-of-memory:
	OUT_OF_MEMORY=all $(ENVIRONMENTS) run -m pytest tests/nodes/test_out_of_memory.py

fuzz:
	$(ENVIRONMENTS) core
	$(VENV)/bin/python -m tools.testing.fuzz

abuse:
	ABUSE_EVERY=1 $(ENVIRONMENTS) run -m pytest tests/host/test_server_abuse.py --log-cli-level=INFO

lint:
	$(TESTING) --lint --only lint

bench:
	$(ENVIRONMENTS) run -m benchmarks.text_to_music
	$(ENVIRONMENTS) run -m benchmarks.dit_step
	$(ENVIRONMENTS) run -m benchmarks.real_song

clean:
	rm -rf $(VENV) .venv-hosts output build
