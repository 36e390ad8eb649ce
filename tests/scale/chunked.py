"""Observations in chunks, and what "the same fit" means; no tests here."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from emtools import Mixture, MultivariateMixture, data, em

FAITHFUL = data.old_faithful()
WAITING = FAITHFUL[:, 1]
TWO_BELLS = Mixture([0.5, 0.5], [50, 80], [5, 5])
TWO_ELLIPSES = MultivariateMixture(
    [0.35, 0.65], [[2, 55], [4.3, 80]], [[[0.1, 0.5], [0.5, 35]], [[0.2, 1], [1, 35]]]
)
STRUCTURES = ["full", "tied", "diag", "spherical"]
BOTH = pytest.mark.parametrize(("x", "start"), [(WAITING, TWO_BELLS), (FAITHFUL, TWO_ELLIPSES)])


def cut(x, *places):
    """Chunks of x that begin at these places."""
    return np.split(x, places)


UNEVEN = (1, 30, 150, 151, 271)  # chunks of one row at the beginning, in the middle and at the end


def assert_same_parameters(seen, said, rtol=1e-10):
    """The same mixtures; what is near zero, in units of the largest of its kind."""
    assert type(seen) is type(said)
    for name in said._fields:
        ours, theirs = getattr(seen, name), getattr(said, name)
        assert_allclose(ours, theirs, rtol=rtol, atol=rtol * np.abs(theirs).max(), err_msg=name)


def assert_same_fit(seen, said, rtol=1e-10):
    assert isinstance(seen, em.Fit)
    assert (seen.n_iter, seen.converged) == (said.n_iter, said.converged)
    assert_allclose(seen.history, said.history, rtol=rtol)
    assert_allclose(seen.log_likelihood, said.log_likelihood, rtol=rtol)
    assert_same_parameters(seen.parameters, said.parameters, rtol)
