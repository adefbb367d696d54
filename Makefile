.PHONY: run phone test calls check bench quality train lock embedding-model help
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: ## set up what is missing and serve the demo city at http://127.0.0.1:8000
	@scripts/setup run
	@.venv/bin/stadtbot run

phone: ## set up what is missing and take calls from an exchange, by telephony.toml
	@scripts/setup phone
	@.venv/bin/stadtbot phone

test: ## set up what is missing, check the code, run all tests
	@scripts/setup dev
	@scripts/check
	@scripts/offline .venv/bin/pytest

calls: ## call the phone bridge over a real Asterisk, in some ten minutes
	@scripts/setup dev
	@scripts/offline .venv/bin/pytest -m calls tests/telephony

check: ## format, lint and types, in seconds
	@scripts/check

bench: ## measure; writes bench/results.json
	@scripts/setup dev
	@.venv/bin/python -m bench

quality: ## measure the answers; writes bench/quality.json and docs/quality.md
	@scripts/setup dev
	@.venv/bin/python -m bench.quality

train: ## train Rasa's model if its data has changed
	@scripts/setup run

embedding-model: ## train the bundled sentence-embedding model anew, in most of an hour
	@scripts/setup dev
	@scripts/embedding-model $(if $(WITHOUT_DING),--without-ding --output var/embedding/model-without-ding)

lock: ## compile the hash-pinned requirements anew
	@scripts/lock
