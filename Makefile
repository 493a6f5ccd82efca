# The front door: each target makes the environment it needs.
#   make demo    a song from a workflow, on the miniature checkpoint
#   make examples   the ten examples of the Python API, on the miniature checkpoint
#   make test    every test this machine can run
#   make test-browser   the workflows in ComfyUI's page; needs a ComfyUI, node and Chromium
#   make test-ray       many songs on a local Ray, which it installs (500 MB)
#   make lint    ruff and pyright
#   make bench   ratios against diffusers and, where present, ComfyUI

PYTHON ?= python3
CHECKOUT := $(or $(COMFYUI_PATH),$(HOME)/comfy/ComfyUI)
VENV := .venv
HOST_VENV := .venv-host
HAS_HOST := $(wildcard $(CHECKOUT)/comfyui_version.py)

.PHONY: setup demo examples test test-browser test-browser-if-there test-ray lint bench clean
setup: $(VENV)/.done $(if $(HAS_HOST),$(HOST_VENV)/.done)

$(VENV)/.done: requirements-dev.txt tools/install_torch.sh
	$(PYTHON) -m venv $(VENV)
	sh tools/install_torch.sh $(VENV)/bin/python
	$(VENV)/bin/python -m pip install -q -r requirements-dev.txt
	touch $@

$(HOST_VENV)/.done: requirements-host.txt requirements.txt tools/install_torch.sh tools/host_requirements.py $(CHECKOUT)/requirements.txt
	$(PYTHON) -m venv $(HOST_VENV)
	sh tools/install_torch.sh $(HOST_VENV)/bin/python
	$(PYTHON) tools/host_requirements.py $(CHECKOUT)/requirements.txt > $(HOST_VENV)/requirements.txt
	$(HOST_VENV)/bin/python -m pip install -q -r $(HOST_VENV)/requirements.txt -r requirements.txt -r requirements-host.txt
	$(HOST_VENV)/bin/python -m pip install -q --no-deps spandrel
	touch $@

demo: setup
	$(if $(HAS_HOST),$(HOST_VENV),$(VENV))/bin/python -m tools.demo

examples: $(VENV)/.done
	$(VENV)/bin/python -m api_examples

test: setup
	$(VENV)/bin/python -m pytest
ifneq ($(HAS_HOST),)
	$(HOST_VENV)/bin/python -m pytest tests/nodes tests/host
else
	@echo "!!! HOST TESTS SKIPPED: no ComfyUI at $(CHECKOUT). Set COMFYUI_PATH to a checkout to run them. !!!"
endif

PLAYWRIGHT := build/browser/node_modules/playwright-core
$(PLAYWRIGHT):
	mkdir -p build/browser
	npm install --no-audit --no-fund --prefix build/browser playwright-core@1

# two ComfyUIs and two browsers side by side: a thread each
test-browser: setup $(PLAYWRIGHT)
	OMP_NUM_THREADS=1 $(if $(HAS_HOST),$(HOST_VENV),$(VENV))/bin/python -m pytest tests/browser

test-ray: setup
	$(VENV)/bin/python -m pip install -q -r requirements-ray.txt
	$(VENV)/bin/python -m pytest tests/ray

NODE := $(shell sh -c 'command -v node')
CHROMIUM := $(shell for each in chromium chromium-browser google-chrome; do command -v $$each && break; done)
HAS_BROWSER := $(and $(HAS_HOST),$(NODE),$(CHROMIUM))

# As .ci/run has it: a machine that lacks something says so and passes.
test-browser-if-there: setup
ifneq ($(HAS_BROWSER),)
	-$(MAKE) $(PLAYWRIGHT)
	OMP_NUM_THREADS=1 $(HOST_VENV)/bin/python -m pytest tests/browser
else
	@echo "!!! BROWSER TESTS SKIPPED: they need $(strip $(if $(HAS_HOST),,a ComfyUI at $(CHECKOUT),) $(if $(NODE),,node,) $(if $(CHROMIUM),,Chromium on the PATH,)) which this machine lacks. !!!"
endif

lint: $(VENV)/.done
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright

bench: setup
	$(if $(HAS_HOST),$(HOST_VENV),$(VENV))/bin/python -m benchmarks.text_to_music

clean:
	rm -rf $(VENV) $(HOST_VENV) output build
