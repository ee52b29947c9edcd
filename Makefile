# Every check by its name, the same here and in CI. `./setup.sh` makes .venv.
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# A process for each core; each takes the next test when it has none.
PARALLEL := -n auto --dist worksteal
SHELL_FILES := setup.sh .ci/run ci/github playbooks/roles/kubernetes_binaries/files/kubeadm-once \
  playbooks/roles/container_images/files/import-images \
  playbooks/roles/os_baseline/files/keep-clock playbooks/roles/os_baseline/files/write-files \
  templates/completion/bash
# A Go program, which comes from where the artefacts' sources do.
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

.PHONY: check lint docs unit contract artifacts test e2e fault-samples faults bench generated man

check: lint docs unit contract

lint: $(BIN)/actionlint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict playbooks .yamllint .ansible-lint action.yml ci
	cd playbooks && PATH="$(CURDIR)/$(BIN):$$PATH" ansible-lint --offline --profile production
	shellcheck $(SHELL_FILES)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml ci/*/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci ci/gitlab.yml
	$(BIN)/actionlint ci/github-workflow.yml

$(BIN)/actionlint:
	GOBIN="$(abspath $(BIN))" "$$(PYTHONPATH=. $(BIN)/python .ci/go.py)" install $(ACTIONLINT)

unit:
	$(PYTEST) tests/unit $(PARALLEL)

contract:
	$(PYTEST) tests/contract tests/playbooks $(PARALLEL)

# The site, in site/: every link and anchor is checked. Not --quiet, for which nothing is a warning.
docs:
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Real virtual machines; minutes with KVM, half an hour without.
e2e:
	$(PYTEST) tests/e2e --timeout 5400

# A few minutes of what `faults` does for hours; the seed is printed.
fault-samples:
	$(PYTEST) tests/faults $(PARALLEL) --timeout 1800

faults:
	BOOTSTRAP_FAULT_SCALE=long $(PYTEST) tests/faults $(PARALLEL) --timeout 28800

# Built before the contract tests, some of which run the real kubectl and kubeadm.
artifacts:
	$(BIN)/bootstrap artifacts build

# In the order of what is quick to fail; the seconds of each are for CI's record.
test:
	@for phase in lint docs unit artifacts contract fault-samples e2e; do \
	  began=$$(date +%s); $(MAKE) --no-print-directory $$phase || exit; \
	  echo "== $$phase took $$(($$(date +%s) - began)) s"; \
	done

bench:
	$(BIN)/python benchmarks/run.py

# What is made from the code: what help and completion read, and pages of docs/reference. Tests
# fail when one is stale.
generated:
	$(BIN)/python -m bootstrap.cli.describing
	$(BIN)/python -m docs.reference.generate

# Manual pages of every command, from the commands themselves.
man:
	$(BIN)/bootstrap man build/man/man1
