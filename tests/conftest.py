"""The observations most tests use, fresh for each test, and how hypothesis looks for trouble."""

import hypothesis
import pytest

from emtools import data, kernel

# The same examples each time, so that a reader's `make test` fails for a reason or not at all.
# Those who change the code search wider: pytest --hypothesis-profile=explore
hypothesis.settings.register_profile("course", max_examples=50, deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", max_examples=2000, deadline=None)
hypothesis.settings.load_profile("course")


@pytest.fixture
def waiting():
    return data.waiting()


@pytest.fixture
def galaxies():
    return data.galaxies()


@pytest.fixture
def exact_passes(monkeypatch):
    """A list that grows with each pass over the observations of the exact kind."""
    passes, exact_sums = [], kernel.exact_sums

    def counted(*arguments):
        passes.append(1)
        return exact_sums(*arguments)

    monkeypatch.setattr(kernel, "exact_sums", counted)
    return passes
