"""Free coordinates: there and back, for every kind of parameters, and any numbers are good ones."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as some_arrays
from numpy.testing import assert_allclose

from emtools import Mixture, MultivariateMixture
from emtools.coordinates import (
    LEAST,
    NATURES,
    fields_of,
    free,
    nature_of,
    parameters_at,
    scales,
)


class Everything(NamedTuple):
    weights: np.ndarray
    rates: np.ndarray
    chances: np.ndarray
    coefficients: np.ndarray
    scales: np.ndarray
    transitions: np.ndarray
    anything: np.ndarray


class Markov(NamedTuple):
    start: np.ndarray
    transitions: np.ndarray
    emissions: Mixture


rng = np.random.default_rng(0)
FACTORS = rng.normal(size=(3, 2, 2))
MIXTURE = Mixture(np.array([0.2, 0.8]), np.array([-3.0, 1e6]), np.array([1e-3, 50.0]))
CASES = {
    "number": 0.6268,
    "array": np.array([-1.0, 0.0, 2.5]),
    "mixture": MIXTURE,
    "clouds": MultivariateMixture(
        np.array([0.2, 0.3, 0.5]), rng.normal(size=(3, 2)), FACTORS @ FACTORS.swapaxes(1, 2)
    ),
    "packed": MultivariateMixture(
        np.array([0.4, 0.6]), rng.normal(size=(2, 3)), rng.uniform(0.1, 4, (2, 3))
    ),
    "one": Mixture(np.ones(1), np.zeros(1), np.ones(1)),
    "everything": Everything(
        np.array([0.1, 0.9]), np.array([1.0, 3e-5]), np.array([[0.1, 0.9], [0.5, 0.999]]),
        rng.normal(size=(2, 4)), np.array([0.3, 7.0]), np.array([[0.9, 0.1], [0.5, 0.5]]),
        np.array([[-1.0]]),
    ),
    "nested": Markov(np.array([0.5, 0.5]), np.array([[0.7, 0.3], [0.2, 0.8]]), MIXTURE),
    "bare tuples": (MIXTURE, (np.array([1.0]), np.array([[2.0]]))),
}  # fmt: skip
each_case = pytest.mark.parametrize("name", CASES)


def flat(parameters):
    return np.concatenate([values.ravel() for _, values in fields_of(parameters)])


def shapes(parameters):
    if isinstance(parameters, tuple):
        return type(parameters), [shapes(part) for part in parameters]
    return np.shape(parameters)


@each_case
def test_there_and_back(name):
    parameters = CASES[name]
    numbers = free(parameters)
    assert numbers.ndim == 1
    assert np.isfinite(numbers).all()
    back = parameters_at(numbers, parameters)
    assert shapes(back) == shapes(parameters)
    assert_allclose(flat(back), flat(parameters), rtol=1e-12, atol=1e-14)


@each_case
def test_any_numbers_are_good_parameters(name):
    numbers = free(CASES[name])
    noise = np.random.default_rng(1).normal(0, 5, len(numbers))
    for field, values in fields_of(parameters_at(numbers + noise, CASES[name])):
        assert np.isfinite(values).all()
        if field in {"weights", "start", "transitions"}:
            assert_allclose(values.sum(axis=-1), 1)
            assert (values >= 0).all()
        if field in {"stds", "rates", "scales"}:
            assert (values > 0).all()
        if field == "chances":
            assert ((values >= 0) & (values <= 1)).all()
        if field == "covariances" and values.ndim == 3:
            assert_allclose(values, values.swapaxes(1, 2))
            assert (np.linalg.eigvalsh(values) > 0).all()


@each_case
def test_scales_are_one_for_each_number_positive_and_finite(name):
    numbers, units = free(CASES[name]), scales(CASES[name])
    assert units.shape == numbers.shape
    assert (units > 0).all()
    assert np.isfinite(units).all()


@given(some_arrays(float, (3,), elements=st.floats(-50, 50)))
def test_weights_do_not_care_for_a_common_number(logs):
    like = Mixture(np.full(3, 1 / 3), np.zeros(3), np.ones(3))
    numbers = np.concatenate([logs, np.zeros(6)])
    moved = numbers + np.repeat([7.0, 0], [3, 6])
    assert_allclose(
        parameters_at(numbers, like).weights, parameters_at(moved, like).weights, rtol=1e-9
    )


def test_zeros_and_ones_are_finite_and_come_back():
    edge = Everything(
        np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([[0.0, 1.0]]), np.zeros((1, 1)),
        np.array([0.0]), np.array([[0.0, 1.0]]), np.zeros(1),
    )  # fmt: skip
    numbers = free(edge)
    assert np.isfinite(numbers).all()
    assert_allclose(flat(parameters_at(numbers, edge)), flat(edge), atol=1e-15)
    assert np.isfinite(scales(edge)).all()
    assert (free(edge._replace(weights=np.array([LEAST / 2, 1.0]))) == numbers).all()


def test_what_is_no_covariance_is_refused():
    bad = CASES["clouds"]._replace(covariances=-CASES["clouds"].covariances)
    with pytest.raises(np.linalg.LinAlgError):
        free(bad)


def test_the_unit_of_the_data_does_not_matter():
    """Means in other units have scales in other units, so that displacements stay the same."""
    inches = MIXTURE._replace(means=MIXTURE.means / 2.54, stds=MIXTURE.stds / 2.54)
    means = slice(2, 4)
    assert_allclose(scales(inches)[means], scales(MIXTURE)[means] * 2.54)
    assert_allclose(np.delete(scales(inches), [2, 3]), np.delete(scales(MIXTURE), [2, 3]))
    packed = CASES["packed"]
    other = packed._replace(means=packed.means / 2.54, covariances=packed.covariances / 2.54**2)
    assert_allclose(scales(other)[2:8], scales(packed)[2:8] * 2.54)


def test_scales_are_the_complete_information_of_one_observation():
    weights, _, stds = MIXTURE
    wanted = np.concatenate([weights, weights / stds**2, 2 * weights])
    assert_allclose(scales(MIXTURE) ** 2, wanted)
    cloud = CASES["clouds"]
    first = scales(cloud)[3:9].reshape(3, 2) ** 2
    variances = np.diagonal(cloud.covariances, axis1=1, axis2=2)
    assert_allclose(first, cloud.weights[:, None] / variances)


def test_covariances_held_by_their_variances_are_known_by_their_shape():
    assert nature_of("covariances", np.ones((2, 3))) is not NATURES["covariances"]
    assert nature_of("covariances", np.ones((2, 3, 3))) is NATURES["covariances"]
    assert_allclose(free((np.array([3.0]),)), [3.0])  # no name: any number
