# Run `make` for a list. Everything works in a fresh clone with Go, git and make;
# `make test` installs what else it needs on Debian and Ubuntu.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# What stepsies version says: the tag (none: dev), the commit and its date.
VERSION   := $(shell git describe --tags --dirty 2>/dev/null || echo dev)
COMMIT    := $(shell git describe --always --dirty --exclude '*' --abbrev=12 2>/dev/null)
DATE      := $(shell git log -1 --format=%cs 2>/dev/null)
FUZZTIME  ?= 10s
BENCHTIME ?= 1s
COUNT     ?= 1

.PHONY: help build demo test test-race-all lint generate screenshots bench fuzz clean

help: ## Say what there is to run
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build bin/stepsies, one static program
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)' -o bin/stepsies ./cmd/stepsies

demo: build ## Run a server with sample stepsies in a temporary folder
	bin/stepsies demo

test: ## Install missing services (Debian, Ubuntu), then run every test
	@scripts/install-test-deps
	@scripts/test

test-race-all: ## Run every test with the race detector on SQLite too, which make test spares
	@scripts/install-test-deps
	@scripts/test -race-all

lint: ## Check format, vet, staticcheck, arrows, modules, generated files, known vulnerabilities
	@scripts/lint

generate: ## Write again what is generated: templates, OpenAPI document, editor bundle
	go tool templ generate -path internal/web
	go generate ./...

screenshots: ## Take pictures of every page, at both widths, light and dark, into docs/pictures
	go test -count=1 -timeout 20m -run '^TestEveryPageIsForEveryone$$' ./internal/web -args -pictures $(CURDIR)/docs/pictures

bench: ## Run all benchmarks (BENCHTIME=1s COUNT=1; compare two runs with: go tool benchstat)
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -count $(COUNT) -timeout 60m ./...

fuzz: ## Run each fuzz target for a while (FUZZTIME=10s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz

clean: ## Remove what build and test leave in the tree
	rm -rf bin coverage
