.DEFAULT_GOAL := help
.PHONY: help setup demo demo-deploy demo-embedded demo-form demo-mcp test test-long bench format

help: ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: ## prepare .venv and Chromium; called by the others
	@scripts/setup.sh

demo: setup ## approval server, example airline and an agent; HEADLESS=1 lets Chromium play the person
	@HEADLESS=$(HEADLESS) .venv/bin/python -m examples.airline.demo

demo-embedded: setup ## one Flask application with its approval server inside, and an agent; HEADLESS=1 as above
	@HEADLESS=$(HEADLESS) .venv/bin/python -m examples.quick.demo

demo-deploy: setup ## approval server, deploy service and CI jobs; HEADLESS=1 as above
	@HEADLESS=$(HEADLESS) .venv/bin/python -m examples.deploy.demo

demo-form: setup ## an agent that only has a browser books on a web site; HEADLESS=1 lets Chromium play both
	@HEADLESS=$(HEADLESS) .venv/bin/python -m examples.airline_form.demo

demo-mcp: setup ## somebody else's MCP server, unmodified, behind the proxy; HEADLESS=1 lets Chromium play the person
	@HEADLESS=$(HEADLESS) .venv/bin/python -m examples.mcp.demo

test: setup ## everything that has to hold, in at most a quarter of an hour
	@scripts/test.sh

test-long: setup ## the same code with the full rounds of races, kills and fuzzing
	@ONEACT_ROUNDS=long scripts/test.sh

bench: setup ## what a check, a loop and the log cost, as ratios within one run
	@.venv/bin/python bench/check.py && .venv/bin/python bench/loop.py && .venv/bin/python bench/log.py

format: setup ## put the code in its form
	@.venv/bin/ruff check -q --fix . ; .venv/bin/ruff format -q .
