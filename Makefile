# One command for everything CI does: make check.
CARGO ?= cargo

.PHONY: check fmt lint test doc deny smoke run demo frames shots clean

check: fmt lint test doc smoke

fmt:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --all-targets --quiet -- -D warnings

test:
	$(CARGO) test --quiet

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --quiet

# Licences and advisories; needs cargo-deny and the advisory database.
deny:
	cargo deny --all-features check licenses bans sources

# A whole run of the default config in a temporary folder, twice: the second must find nothing to do.
smoke:
	$(CARGO) build --quiet
	.ci/smoke target/debug/evaltui

run:
	$(CARGO) run --release --quiet

demo:
	$(CARGO) run --release --quiet -- run

# Accept changed screen snapshots after looking at them.
frames:
	INSTA_UPDATE=always $(CARGO) test --quiet --lib ui::

# The pictures of the README.
shots:
	$(CARGO) run --quiet -- shots assets/shots

clean:
	$(CARGO) clean
