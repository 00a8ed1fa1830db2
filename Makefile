# make drill    the first drill: a pair that comes with Firedrill, its primary loses power (root, or an ordinary user where the packages are installed)
# make test     all tests (root)
# make sweep    kills and stops our own programs at every numbered step of a drill, and looks for what is left (root)
# make check    format, module arrows, house rules
# make dist     a tarball of the programs
# YES=1 installs missing Debian packages without asking.

SWIFT ?= swift
export SWIFT YES

.PHONY: drill test sweep check build dist clean

drill:
	@tools/drill

test:
	@tools/install build clients test $(wildcard scenarios/*/system.yaml)
	@tools/test

sweep:
	@tools/install build clients test $(wildcard scenarios/*/system.yaml)
	@tools/sweep

check:
	@tools/check

build:
	$(SWIFT) build $$(tools/traits) -c release --explicit-target-dependency-import-check error

dist:
	@tools/dist

clean:
	rm -rf .build .build-dist dist
