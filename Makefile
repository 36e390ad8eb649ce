# make course   set everything up and open JupyterLab at chapter 00
# make test     set everything up and run every check
# The rest is for those who change the course; .github/CONTRIBUTING.md says when.

PYTHON ?= python3
PY := .venv/bin/python
BUILD := $(PY) docs/build.py
# nbval compares every stored output but pictures; a cell may take two minutes, not nbval's half hour.
NBVAL := $(PY) -m pytest -c /dev/null --rootdir . -p no:cacheprovider --nbval --nbval-current-env --nbval-cell-timeout 120 \
	--nbval-sanitize-with tests/nbval.cfg --numprocesses 2 --dist loadscope

.PHONY: course test notebooks renumber timing bench lock links clean
.DEFAULT_GOAL := course

# root_dir: JupyterLab must see pyproject.toml, which says where a saved chapter's text goes.
# default_url: the address it prints leads to chapter 00, for whoever has to copy it.
# allow-root: in a container there is often nobody else, and JupyterLab would not start.
course: .venv/reader
	$(PY) -m jupyterlab --LabApp.extension_manager=readonly --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/$(FIRST) $(ALLOW_ROOT)
FIRST := notebooks/00_start_here.ipynb
ALLOW_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

test: .venv/developer
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder tests/test_browser.py tests # the longest first
	$(NBVAL) notebooks

# The text in notebooks/source becomes the executed notebooks; tables and the README's picture follow.
notebooks: .venv/developer
	$(BUILD)

# Carry a number that has changed in notebooks/source/course.toml through the whole repository.
renumber: .venv/developer
	$(BUILD) --renumber

# What is promised about time, on a machine that does nothing else: not part of `make test`.
timing: .venv/developer
	$(PY) -m pytest -m timing
	$(PY) tests/benchmarks/bench_answer.py --quick # that they run; their figures are those of `make bench`
	$(PY) tests/benchmarks/bench_kernel.py --quick

# The first measures the time to the answer, the second that of a step, against peers, mclust among them if R has it;
# both draw a picture of the README. On a quiet machine, for about half an hour.
bench: .venv/developer
	$(PY) tests/benchmarks/bench_answer.py
	$(PY) tests/benchmarks/bench_kernel.py
	$(PY) -m pytest tests/benchmarks/bench_speed.py --benchmark-columns=min,median,rounds --benchmark-sort=name

# Write the repository's address, which stands in pyproject.toml, wherever it is needed.
links: .venv/developer
	$(BUILD) --links

# Two locks for every Python and system at once: the reader's, and the developer's with the first as constraint.
lock: .venv/developer
	$(PY) -m uv pip compile $(COMPILE) pyproject.toml --output-file binder/requirements.txt
	$(PY) -m uv pip compile $(COMPILE) pyproject.toml --extra test --extra book --extra coursework --extra lite --constraint binder/requirements.txt \
		--output-file tests/requirements.txt
COMPILE := --quiet --universal --upgrade --python-version 3.11 --no-header --no-annotate --no-emit-index-url

# The course with Python in the browser, as a site in build/lite. Pyodide is downloaded from its own site.
.PHONY: lite lite-test
lite: .venv/developer
	$(PY) docs/lite.py

# Every chapter and every solution there, in Chromium; SITE=build/lite tries the site that `make lite` has built.
lite-test: .venv/developer
	EMTOOLS_EVERY_CHAPTER=1 EMTOOLS_REQUIRE_BROWSER=1 EMTOOLS_SITE=$(SITE) $(PY) -m pytest tests/test_lite.py --durations=0

# The course as a web site that reads offline, in build/book; with `make pdf` also as one PDF in it, for which Chromium
# has to be there.
.PHONY: book pdf
book: .venv/developer
	$(PY) docs/book.py
pdf: .venv/developer
	$(PY) docs/book.py --pdf

clean:
	rm -rf .venv

.venv/reader: binder/requirements.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit('The course needs Python 3.11 or newer; this is %d.%d. Name another: make PYTHON=python3.12' % sys.version_info[:2] if sys.version_info < (3, 11) else 0)"
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --requirement binder/requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(PY) -m jupyterlab.labextensions disable $(NEWS) # nobody is asked whether to fetch news
	@touch $@
NEWS := @jupyterlab/apputils-extension:announcements

.venv/developer: .venv/reader tests/requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
	@touch $@

# Begin a chapter: make chapter NUMBER=17 FILE=toss_a_coin TITLE="Toss a coin" MODULE=coin
.PHONY: chapter
chapter: .venv/developer
	$(PY) docs/new_chapter.py "$(NUMBER)" "$(FILE)" "$(TITLE)" "$(MODULE)"

# Coursework: assignments for nbgrader, of a secret seed that is another each year; their grading, and once the answers
# in words are marked, feedback and tables anew; slides. docs/pages/lecturers.md says when.
.PHONY: coursework grade feedback slides
COURSEWORK := $(PY) docs/coursework.py
coursework: .venv/developer
	$(COURSEWORK) build --seed "$(SEED)" $(if $(TEXTS),--texts "$(TEXTS)") $(CHAPTERS)
grade: .venv/developer
	$(COURSEWORK) grade --seed "$(SEED)" $(if $(AGAIN),--again) $(ASSIGNMENT)
feedback: .venv/developer
	$(COURSEWORK) feedback --seed "$(SEED)" $(ASSIGNMENT)
slides: .venv/developer
	$(PY) docs/slides.py $(if $(OFFLINE),--offline "$(OFFLINE)") $(CHAPTERS)
