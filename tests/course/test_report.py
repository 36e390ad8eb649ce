"""Printing and comparing, as every notebook does it."""

from types import SimpleNamespace

import numpy as np
import pytest

from emtools.course.report import expect, in_words, report, report_path
from emtools.mixture import Mixture
from emtools.multivariate import MultivariateMixture

MIXTURE = Mixture(np.array([0.25, 0.75]), np.array([50.0, 80.0]), np.array([5.0, 6.5]))


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (54.614857, 4, "54.61"),
        (0.3, 4, "0.3000"),
        (-0.0, 4, "0.000"),
        (np.float64(19276.53), 4, "19277"),
        (-1034.00174983, 9, "-1034.00175"),
        (9.99996, 4, "10.00"),
        (1.523e-8, 4, "1.523e-8"),
        (5.6e-107, 2, "5.6e-107"),
        (1234567.0, 4, "1234567"),
        (12345678.0, 4, "1.235e7"),
        (12345678.0, 8, "12345678"),
        (np.nan, 4, "nan"),
        (-np.inf, 4, "-inf"),
        (272, 3, "272"),
    ],
)
def test_one_number_in_words(value, digits, text):
    assert in_words(value, digits) == text


def test_report_of_a_mixture_in_two_dimensions(capsys):
    covariances = np.array([[[4.0, 1.0], [1.0, 9.0]], [[0.25, 0.0], [0.0, 1.0]]])
    means = np.array([[1.0, 50.0], [2.0, 80.0]])
    report(MultivariateMixture(np.array([0.25, 0.75]), means, covariances), "a fit")
    assert capsys.readouterr().out == (
        "a fit\n"
        "component    weight   mean[0]   mean[1]    std[0]    std[1]\n"
        "        0    0.2500     1.000     50.00     2.000     3.000\n"
        "        1    0.7500     2.000     80.00    0.5000     1.000\n"
    )


def test_report_of_a_mixture(capsys):
    report(MIXTURE, "fit")
    assert capsys.readouterr().out == (
        "fit\n"
        "component    weight      mean       std\n"
        "        0    0.2500     50.00     5.000\n"
        "        1    0.7500     80.00     6.500\n"
    )


def fit_of(parameters, log_likelihood, n_iter, converged):
    """What `report` wants of a fit, whatever else a `Fit` holds."""
    return SimpleNamespace(
        parameters=parameters, log_likelihood=log_likelihood, n_iter=n_iter, converged=converged
    )


@pytest.mark.parametrize(("converged", "said"), [(True, "yes"), (False, "no")])
def test_report_of_a_fit(converged, said, capsys):
    report(MIXTURE, "fit")
    table = capsys.readouterr().out
    report(fit_of(MIXTURE, -1034.00175, 2, converged), "fit")
    ending = f"log-likelihood: -1034.0017  iterations: 2  converged: {said}\n"
    assert capsys.readouterr().out == table + ending


def test_report_of_a_fit_in_two_dimensions_has_its_table(capsys):
    mixture = MultivariateMixture(np.ones(1), np.zeros((1, 2)), np.eye(2)[None])
    report(fit_of(mixture, -2.5, 0, True), digits=2)
    head, row, end = capsys.readouterr().out.splitlines()
    assert head.split() == ["component", "weight", "mean[0]", "mean[1]", "std[0]", "std[1]"]
    assert row.split() == ["0", "1.0", "0.0", "0.0", "1.0", "1.0"]
    assert end.startswith("log-likelihood: -2.50000  ")


def test_report_of_numbers(capsys):
    report([0.25, np.array([2.0])[0]], "two")
    report(1.5)
    assert capsys.readouterr().out == "two: 0.2500  2.000\n1.500\n"


def test_report_of_a_path_names_each_part_and_prints_the_chosen_iterations(capsys):
    report_path([MIXTURE, MIXTURE._replace(means=np.array([51.0, 79.0]))], (0, 1), digits=3)
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[1:] == [f"{n}[{k}]" for n in Mixture._fields for k in (0, 1)]
    assert first.split() == ["0", "0.250", "0.750", "50.0", "80.0", "5.00", "6.50"]
    assert second.split()[3:5] == ["51.0", "79.0"]


def test_expect_says_who_agrees(capsys):
    expect(54.6148571, 54.614857, source="mclust", rtol=1e-6, label="mean")
    assert capsys.readouterr().out == "mean: agrees with mclust (54.614857) to 1e-06\n"


@pytest.mark.parametrize(
    ("value", "published"),
    [
        (54.61492, 54.614857),  # off by 1.2e-6
        (np.nan, 54.614857),
        ([1.0, 2.0], [1.0]),
        ([1.0, 2.0], [2.0, 1.0]),
        (1e-20, 0.0),
        (5.0, np.inf),
        (np.inf, np.inf),
        ([], []),
    ],
)
def test_expect_stops_where_they_differ(value, published):
    with pytest.raises(AssertionError, match=r"mean: found .* but mclust has"):
        expect(value, published, source="mclust", rtol=1e-6, label="mean")


@pytest.mark.parametrize(("value", "rtol"), [(1.1, 0.095), (-1.1, 0.095), (0.9, 0.0999)])
def test_the_tolerance_is_a_share_of_the_published_value(value, rtol):
    """One tenth away: of 1.1 that is 0.0909, of 0.9 0.111, of the published one 0.1."""
    with pytest.raises(AssertionError, match="relative tolerance"):
        expect(value, np.sign(value), source="mclust", rtol=rtol, label="mean")
    expect(value, np.sign(value), source="mclust", rtol=0.1001, label="mean")


def test_expect_takes_a_mixture():
    expect(MIXTURE, MIXTURE, source="itself", rtol=1e-15, label="mixture")
