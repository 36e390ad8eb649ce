"""Each check accepts right answers, names the slips it knows, and never stops a notebook."""

import numpy as np
import pytest

from emtools import Mixture, arrays, data, fit, logspace, loops, multivariate
from emtools.course.exercises import (
    fit_two_bells,
    go_to_many_dimensions,
    make_it_fast_and_big,
    see_why_em_climbs,
    start_well_stop_well,
    trade_loops_for_arrays,
    work_in_log_space,
)
from emtools.em import aitken_gap

WAITING = data.waiting()
DOCUMENT = (77, 53, np.std(WAITING), np.std(WAITING) / 2)
START = Mixture(np.array([0.5, 0.5]), np.array([77.0, 53.0]), np.array(DOCUMENT[2:]))


def verdict_of(check, *answers):
    verdict = check(*answers)
    assert repr(verdict).startswith(("Right. ", "Not yet. ", "To do. "))
    return verdict


def after(n_iterations, parameters):
    for _ in range(n_iterations):
        parameters = loops.m_step(WAITING, loops.e_step(WAITING, parameters))
    return parameters


def as_array(values):
    return [np.array([value]) for value in values]


AFTER_4100 = Mixture(
    np.array([0.2100, 0.1536, 0.6363]),
    np.array([50.941, 59.818, 80.159]),
    np.array([3.752, 4.237, 5.792]),
)
MUSEUM = {"right": 0, "1 variance as std": 1, "2 old mean": 2, "6 wrong axis": 6}

RIGHT = [
    (fit_two_bells.e_step_by_hand, [0.2315]),
    (fit_two_bells.e_step_by_hand, [np.float64(0.231475)]),
    (fit_two_bells.m_step_by_hand, [54.8, 5.879]),
    (fit_two_bells.lopsided_weights, [after(1, (*DOCUMENT, 9, 1))]),
    (fit_two_bells.lopsided_weights, [[74.2955, 52.1903, 11.7534, 4.8840, 0.8463, 0.1537]]),
    (fit_two_bells.lopsided_weights, [as_array(after(1, (*DOCUMENT, 0.9, 0.1)))]),
    (fit_two_bells.other_way_round, [after(100, (53, 77, *DOCUMENT[2:], 1, 1))]),
    (fit_two_bells.one_wild_value, [1000, 7]),
    (fit_two_bells.other_way_round, [[54.61, 80.09, 5.871, 5.868, 0.3609, 0.6391]]),
    (fit_two_bells.one_wild_value, [np.array([1000.0]), 7]),
    (trade_loops_for_arrays.shapes, [[(272, 2), (272,), (2,), (272,)]]),
    (trade_loops_for_arrays.shapes, [((272, 2), 272, 2, 272)]),
    (trade_loops_for_arrays.memory, [160]),
    (work_in_log_space.lse_by_hand, [-999.3069, 0]),
    (work_in_log_space.lse_by_hand, [-1000 + np.log(2), 0.0]),
    (work_in_log_space.smallest_wait, [306.2]),
    (work_in_log_space.smallest_wait, [306.19698]),
    (work_in_log_space.smallest_wait, [306.6]),
    (work_in_log_space.lse_by_hand, [-999.307, 0]),
    (work_in_log_space.build_lse, [np.logaddexp.reduce]),
    (work_in_log_space.judge_a_cure, [lambda x, mixture: logspace.e_step(x, mixture)[0]]),
    (work_in_log_space.other_units, [-220.2433]),
    (see_why_em_climbs.linkage_by_hand, [0.6320]),
    (see_why_em_climbs.coins_by_hand, [0.7130, 0.5813]),
    (see_why_em_climbs.ignorant_bound, [-3102.6384, 2012.8575]),
    (go_to_many_dimensions.density_by_hand, [-5.0310]),
    (go_to_many_dimensions.density_by_hand, [np.array([[-5.03102]])]),
    (go_to_many_dimensions.count_parameters, [[44, 24, 26, 17]]),
    (go_to_many_dimensions.count_parameters, [np.array([44, 24, 26, 17])]),
    (go_to_many_dimensions.in_seconds, [(0, 0, 0, 5)]),
    (go_to_many_dimensions.equal_circles, [lambda m: multivariate.tied(multivariate.spherical(m))]),
    (go_to_many_dimensions.equal_circles, [lambda m: multivariate.spherical(multivariate.tied(m))]),
    (go_to_many_dimensions.mend_the_table, [-1126.6931]),
    (go_to_many_dimensions.mend_the_table, [-1126.6930824]),
    (go_to_many_dimensions.mend_the_table, [-2236.2605]),
    (start_well_stop_well.narrower_spike, [4.6960]),
    (start_well_stop_well.narrower_spike, [np.array([2.3934 + np.log(10)])]),
    (start_well_stop_well.who_collapses, [1, 2]),
    (start_well_stop_well.acid_lakes, [-187.2345, -184.6447]),
    (start_well_stop_well.acid_lakes, [-187.234513217, np.float64(-184.64470891)]),
    (make_it_fast_and_big.ten_million, [1.2, 125]),
    (make_it_fast_and_big.ten_million, [1.25, 128]),
    (make_it_fast_and_big.how_narrow, [0.0074, 15.8]),
    (make_it_fast_and_big.how_narrow, [0.00745058, 15.8114]),
    (make_it_fast_and_big.left_of_the_start, [[1 / 101, 4.2098e-7]]),
]


@pytest.mark.parametrize(("check", "answers"), RIGHT)
def test_right_answers(check, answers):
    assert verdict_of(check, *answers).right is True


WRONG = [
    (fit_two_bells.e_step_by_hand, [0.0832], "one half"),
    (fit_two_bells.e_step_by_hand, [0.4502], "squared"),
    (fit_two_bells.e_step_by_hand, [0.4667], "distances"),
    (fit_two_bells.e_step_by_hand, [0.7685], "long bell"),
    (fit_two_bells.e_step_by_hand, [0], "all or nothing"),
    (fit_two_bells.e_step_by_hand, [23.15], "between 0 and 1"),
    (fit_two_bells.e_step_by_hand, ["a quarter"], "a quarter"),
    (fit_two_bells.m_step_by_hand, [27.4, 5.879], "soft count"),
    (fit_two_bells.m_step_by_hand, [52, 5.879], "left out"),
    (fit_two_bells.m_step_by_hand, [56.667, 5.879], "counted whole"),
    (fit_two_bells.m_step_by_hand, [54.8, 34.56], "square root"),
    (fit_two_bells.m_step_by_hand, [54.8, 4.157], "not by 5"),
    (fit_two_bells.m_step_by_hand, [54.8, 7.5895], "Two slips"),
    (fit_two_bells.lopsided_weights, [after(1, (*DOCUMENT, 1, 1))], "equal weights"),
    (fit_two_bells.lopsided_weights, [after(100, (*DOCUMENT, 9, 1))], "many iterations"),
    (fit_two_bells.lopsided_weights, [Ellipsis], "Hand over"),
    (fit_two_bells.other_way_round, [after(100, (*DOCUMENT, 1, 1))], "77 and 53"),
    (fit_two_bells.other_way_round, [after(1, (53, 77, *DOCUMENT[2:], 1, 1))], "100 iterations"),
    (fit_two_bells.one_wild_value, [96, 7], "No bell ends up on 96"),
    (fit_two_bells.one_wild_value, [1000, 8], "nan appears"),
    (fit_two_bells.one_wild_value, [1000, 6], "still 2.87"),
    (trade_loops_for_arrays.shapes, [[(272, 2), (272, 1), (2,), (272,)]], "Expression 2"),
    (trade_loops_for_arrays.shapes, [[(272, 2), (272,), (2, 1), (272,)]], "Expression 3"),
    (trade_loops_for_arrays.shapes, [[(272, 2)]], "four"),
    (trade_loops_for_arrays.shapes, [7], "list"),
    (
        trade_loops_for_arrays.wrong_axis,
        [arrays.m_step(WAITING, arrays.e_step(WAITING, START))],
        "right mixture",
    ),
    (trade_loops_for_arrays.wrong_axis, [START], "axis=0"),
    (trade_loops_for_arrays.count_first, [lambda x, resp, times: None], "return Mixture"),
    (trade_loops_for_arrays.count_first, [lambda x, resp, times: 1 / 0], "ZeroDivisionError"),
    (trade_loops_for_arrays.memory, [80], "each component"),
    (trade_loops_for_arrays.memory, [20], "8 bytes"),
    (trade_loops_for_arrays.three_bells, [START], "three components"),
    (
        trade_loops_for_arrays.three_bells,
        [Mixture(np.ones(3), np.zeros(3), -np.ones(3))],
        "all stds 5",
    ),
    (trade_loops_for_arrays.three_bells, [AFTER_4100], "thousands"),
    (work_in_log_space.judge_a_cure, [lambda x, m: np.ones(3)], "stopped"),
    (fit_two_bells.e_step_by_hand, [1], "wholly"),
    (work_in_log_space.lse_by_hand, [-2000, 0], "multiplies"),
    (work_in_log_space.lse_by_hand, [-np.inf, 0], "maximum out"),
    (work_in_log_space.lse_by_hand, [-1000, 0], "log 2"),
    (work_in_log_space.lse_by_hand, [-1000.6931, 0], "added"),
    (work_in_log_space.lse_by_hand, [-999.3069, -800], "Which term"),
    (work_in_log_space.smallest_wait, [305.7], "around 300"),
    (work_in_log_space.judge_a_cure, [logspace.e_step], "alone"),
    (fit_two_bells.e_step_by_hand, [3.3201], "odds of long"),
    (fit_two_bells.e_step_by_hand, [0.23], "Four digits"),
    (trade_loops_for_arrays.shapes, [[((1, 2), 3)] * 4], "four tuples"),
    (fit_two_bells.one_wild_value, [272, 7], "index"),
    (work_in_log_space.smallest_wait, [38.6], "standard deviations"),
    (work_in_log_space.smallest_wait, [118.7], "5.87 minutes each"),
    (work_in_log_space.smallest_wait, [281.2], "still alive"),
    (work_in_log_space.build_lse, [lambda row: np.max(row)], "easy row"),
    (
        work_in_log_space.build_lse,
        [lambda row: np.max(row) + np.log(np.sum(np.exp(row - np.max(row))))],
        "-inf alone",
    ),
    (work_in_log_space.judge_a_cure, [lambda x, m: np.full((len(x), 2), 0.5)], "66 minutes"),
    (work_in_log_space.other_units, [-786.6792], "divided"),
    (work_in_log_space.other_units, [-779.7715], "82 densities"),
    (see_why_em_climbs.linkage_by_hand, [0.717472], "split in half"),
    (see_why_em_climbs.linkage_by_hand, [0.472222], "none of the 125"),
    (see_why_em_climbs.linkage_by_hand, [0.807107], "all 125"),
    (see_why_em_climbs.linkage_by_hand, [0.25], "responsibility"),
    (see_why_em_climbs.coins_by_hand, [0.5813, 0.7130], "swapped"),
    (see_why_em_climbs.coins_by_hand, [0.8, 0.45], "share it out"),
    (see_why_em_climbs.coins_by_hand, [0.66, 0.66], "for ever"),
    (see_why_em_climbs.coins_by_hand, [0.7967, 0.5197], "tenth step"),
    (see_why_em_climbs.coins_by_hand, [0.7, 0.5], "expected tosses"),
    (see_why_em_climbs.ignorant_bound, [-3102.6384, -2012.8575], "never negative"),
    (see_why_em_climbs.ignorant_bound, [-1089.7809153683, 0], "touches"),
    (see_why_em_climbs.catch_an_exhibit, [lambda exhibit: False, MUSEUM], "right code"),
    (see_why_em_climbs.catch_an_exhibit, [lambda exhibit: 1 / 0, MUSEUM], "ZeroDivisionError"),
    (see_why_em_climbs.catch_an_exhibit, [lambda exhibit: None, MUSEUM], "returned None"),
    (go_to_many_dimensions.density_by_hand, [-5.6276], "beside the diagonal"),
    (go_to_many_dimensions.density_by_hand, [-7.1560], "wrong side"),
    (go_to_many_dimensions.density_by_hand, [-5.7242], "half of it"),
    (go_to_many_dimensions.density_by_hand, [-3.1931], "last term"),
    (go_to_many_dimensions.density_by_hand, [-4.1121], "D is 2"),
    (go_to_many_dimensions.density_by_hand, [-7.5310], "halved"),
    (go_to_many_dimensions.density_by_hand, [-4.0310], "square each"),
    (go_to_many_dimensions.density_by_hand, [0.006532], "logarithm"),
    (go_to_many_dimensions.density_by_hand, [-5.03], "not it"),
    (go_to_many_dimensions.count_parameters, [[45, 25, 27, 18]], "sum to one"),
    (go_to_many_dimensions.count_parameters, [[42, 22, 24, 15]], "forgotten"),
    (go_to_many_dimensions.count_parameters, [[62, 30, 26, 17]], "symmetric"),
    (go_to_many_dimensions.count_parameters, [[62, 24, 26, 17]], "symmetric"),
    (go_to_many_dimensions.count_parameters, [[32, 18, 26, 17]], "corner"),
    (go_to_many_dimensions.count_parameters, [[44, 24, 18, 17]], "variances"),
    (go_to_many_dimensions.count_parameters, [[44, 24, 26, 15]], "own variance"),
    (go_to_many_dimensions.count_parameters, [[44, 24, 18, 15]], "12 and 3"),
    (go_to_many_dimensions.count_parameters, [[30, 10, 12, 3]], "12 means"),
    (go_to_many_dimensions.count_parameters, [[44, 24]], "Four numbers"),
    (go_to_many_dimensions.in_seconds, [[0, 0, 0, 0]], "first column"),
    (go_to_many_dimensions.in_seconds, [[5, 0, 0, 0]], "order"),
    (go_to_many_dimensions.in_seconds, [[0, 0, 5, 5]], "stretch"),
    (go_to_many_dimensions.in_seconds, [[272, 272, 272, 267]], "differs"),
    (go_to_many_dimensions.in_seconds, [[272] * 4], "differs"),
    (go_to_many_dimensions.equal_circles, [multivariate.spherical], "differ in size"),
    (go_to_many_dimensions.equal_circles, [multivariate.tied], "not circles"),
    (go_to_many_dimensions.equal_circles, [multivariate.diag], "along the axes"),
    (go_to_many_dimensions.equal_circles, [lambda m: m.weights], "stopped with AttributeError"),
    (
        go_to_many_dimensions.equal_circles,
        [lambda m: m._replace(weights=m.weights[::-1])],
        "stay as they",
    ),
    (
        go_to_many_dimensions.equal_circles,
        [lambda m: m._replace(covariances=np.eye(3))],
        "(K, D, D)",
    ),
    (
        go_to_many_dimensions.equal_circles,
        [lambda m: circles(m, m.covariances * 0 + 1)],
        "it should be",
    ),
    (go_to_many_dimensions.mend_the_table, [-1130.26396], "does not have"),
    (go_to_many_dimensions.mend_the_table, [-1154.51697], "not 0"),
    (go_to_many_dimensions.mend_the_table, [-1138.70057], "filled in"),
    (go_to_many_dimensions.mend_the_table, [-3120.61862], "twice"),
    (go_to_many_dimensions.mend_the_table, [-1030.28168], "more than needed"),
    (go_to_many_dimensions.mend_the_table, [-1034.00175], "more than needed"),
    (start_well_stop_well.narrower_spike, [3.3934], "not 1"),
    (start_well_stop_well.narrower_spike, [2.3934], "last line"),
    (start_well_stop_well.narrower_spike, [0.0909], "rises"),
    (start_well_stop_well.narrower_spike, [6.9986], "too far"),
    (start_well_stop_well.narrower_spike, [3.0866], "not by 2"),
    (start_well_stop_well.who_collapses, [2, 2], "counts from 0"),
    (start_well_stop_well.who_collapses, [0, 2], "spread"),
    (start_well_stop_well.who_collapses, [10, 2], "Which component"),
    (start_well_stop_well.who_collapses, [1, 1], "4.3e-5"),
    (start_well_stop_well.who_collapses, [1, 3], "nan"),
    (start_well_stop_well.who_collapses, [1, 4], "stds of 3"),
    (start_well_stop_well.acid_lakes, [-184.6447, -187.2345], "other way round"),
    (
        start_well_stop_well.acid_lakes,
        [-187.25, -184.6447],
        "From 4 and 5: -187.25 is not it. Close",
    ),
    (
        start_well_stop_well.acid_lakes,
        [-187.2345, -190.0],
        "From 4 and 7: -190 is not it. Are the stds",
    ),
    (make_it_fast_and_big.ten_million, [0.12, 125], "for a million"),
    (make_it_fast_and_big.ten_million, [12, 125], "not a hundred"),
    (make_it_fast_and_big.ten_million, [3.4, 125], "slope 1"),
    (make_it_fast_and_big.ten_million, [1.2, 142.9], "One of them is missing"),
    (make_it_fast_and_big.ten_million, [1.2, 166.7], "three tables alone"),
    (make_it_fast_and_big.ten_million, [1.2, 200], "eight columns"),
    (make_it_fast_and_big.ten_million, [1.2, 333], "x and one table"),
    (make_it_fast_and_big.ten_million, [1.2, 500], "That is one table"),
    (make_it_fast_and_big.ten_million, [1.2, 1000], "x alone"),
    (make_it_fast_and_big.ten_million, [1.2, 15.6], "not bits"),
    (make_it_fast_and_big.ten_million, [1.2, 125e6], "In millions"),
    (make_it_fast_and_big.ten_million, [1.2, 7], "1 + 3 * 2 + 1"),
    (make_it_fast_and_big.how_narrow, [1.11e-7, 15.8], "has a square"),
    (make_it_fast_and_big.how_narrow, [5.55e-5, 15.8], "Take the root"),
    (make_it_fast_and_big.how_narrow, [0.00527, 15.8], "half of epsilon"),
    (make_it_fast_and_big.how_narrow, [0.0149, 15.8], "not 1000"),
    (make_it_fast_and_big.how_narrow, [3.355e7, 15.8], "Upside down"),
    (make_it_fast_and_big.how_narrow, [0.02, 15.8], "solve eps"),
    (make_it_fast_and_big.how_narrow, [0.00745, 22.4], "*twice*"),
    (make_it_fast_and_big.how_narrow, [0.00745, 11.18], "twice the loss already"),
    (make_it_fast_and_big.how_narrow, [0.00745, 0.5], "has a square"),
    (make_it_fast_and_big.how_narrow, [0.00745, 250], "Take the root"),
    (make_it_fast_and_big.how_narrow, [0.00745, 31.6], "not 1000"),
    (make_it_fast_and_big.how_narrow, [0.00745, 20], "its limit is 1000"),
    (make_it_fast_and_big.left_of_the_start, [[4.2098e-7, 1 / 101]], "In the order"),
    (make_it_fast_and_big.left_of_the_start, [[1 / 101, 101**-0.6]], "new chunk"),
    (make_it_fast_and_big.left_of_the_start, [[1 - 1 / 101, 1 - 101**-0.6]], "last chunk alone"),
    (make_it_fast_and_big.left_of_the_start, [[0.36971, 0.0013]], "product of"),
    (make_it_fast_and_big.left_of_the_start, [[1 - 1 / 101, 1.0]], "not*"),
    (make_it_fast_and_big.left_of_the_start, [[0, 0]], "something is left"),
]


def circles(mixture, covariances):
    return mixture._replace(covariances=covariances)


def size_of_circles(mixture):
    """The right (3, 3, 3) covariances of the check on equal circles, to be spoilt."""
    return multivariate.tied(multivariate.spherical(mixture)).covariances


SPOILT = {
    "weight them": lambda m: np.tile(
        np.trace(m.covariances, axis1=1, axis2=2).mean() / 3 * np.eye(3), (3, 1, 1)
    ),
    "divide by D": lambda m: 3 * size_of_circles(m),
    "standard deviations": lambda m: np.sqrt(size_of_circles(m)),
}


@pytest.mark.parametrize("hint", SPOILT)
def test_circles_of_the_wrong_size_are_recognised(hint):
    verdict = verdict_of(go_to_many_dimensions.equal_circles, lambda m: circles(m, SPOILT[hint](m)))
    assert verdict.right is False
    assert hint in verdict.message


def test_the_stub_of_equal_circles_is_a_stub_and_nonsense_is_survived():
    assert verdict_of(go_to_many_dimensions.equal_circles, lambda mixture: mixture).right is None
    for nonsense in (None, 7, "text", lambda: 0, lambda m: None, lambda m: "abc"):
        assert verdict_of(go_to_many_dimensions.equal_circles, nonsense).right is False


def test_numbers_of_the_mended_table_are_those_of_fit():
    X = data.old_faithful()
    wait = X[:, 1]
    table = np.column_stack([X, 60 * wait])
    kept = np.delete(table, 10, axis=0)
    zero, filled = X.copy(), X.copy()
    zero[10, 0], filled[10, 0] = 0, kept[:, 0].mean()
    problems = [
        (kept[:, :2], "full", True),
        (kept[:, [0, 2]], "full", True),
        (X, "full", False),
        (zero, "full", False),
        (filled, "full", False),
        (kept, "diag", False),
        (kept[:, 1], "full", False),
        (wait, "full", False),
    ]
    for x, covariance, right in problems:
        rng = np.random.default_rng(1)
        end = fit(x, 2, covariance=covariance, rng=rng).log_likelihood
        verdict = verdict_of(go_to_many_dimensions.mend_the_table, end)
        assert verdict.right is right
        assert "is not it" not in verdict.message


@pytest.mark.parametrize(("check", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(check, answers, hint):
    verdict = verdict_of(check, *answers)
    assert verdict.right is False
    assert hint in verdict.message


@pytest.mark.parametrize(
    ("check", "n_answers"),
    [
        (fit_two_bells.e_step_by_hand, 1),
        (fit_two_bells.m_step_by_hand, 2),
        (fit_two_bells.lopsided_weights, 1),
        (fit_two_bells.other_way_round, 1),
        (fit_two_bells.one_wild_value, 2),
        (trade_loops_for_arrays.shapes, 1),
        (trade_loops_for_arrays.wrong_axis, 1),
        (trade_loops_for_arrays.memory, 1),
        (trade_loops_for_arrays.three_bells, 1),
        (work_in_log_space.lse_by_hand, 2),
        (work_in_log_space.smallest_wait, 1),
        (work_in_log_space.other_units, 1),
        (see_why_em_climbs.linkage_by_hand, 1),
        (see_why_em_climbs.coins_by_hand, 2),
        (see_why_em_climbs.ignorant_bound, 2),
        (go_to_many_dimensions.density_by_hand, 1),
        (go_to_many_dimensions.count_parameters, 1),
        (go_to_many_dimensions.in_seconds, 1),
        (go_to_many_dimensions.mend_the_table, 1),
        (start_well_stop_well.narrower_spike, 1),
        (start_well_stop_well.who_collapses, 2),
        (start_well_stop_well.acid_lakes, 2),
        (make_it_fast_and_big.ten_million, 2),
        (make_it_fast_and_big.how_narrow, 2),
        (make_it_fast_and_big.left_of_the_start, 1),
    ],
)
def test_a_stub_is_told_what_to_do_and_nonsense_is_survived(check, n_answers):
    assert verdict_of(check, *[None] * n_answers).right is None
    for nonsense in ("text", [], {}, object(), np.nan, np.zeros((3, 3)), lambda: 0):
        assert verdict_of(check, *[nonsense] * n_answers).right is False


def joint_density(x, mixture):
    scaled = (x[:, None] - mixture.means) / mixture.stds
    return mixture.weights * np.exp(-0.5 * scaled**2) / (mixture.stds * np.sqrt(2 * np.pi))


CURES = {
    "half and half": lambda joint: (joint + 1e-300) / (joint + 1e-300).sum(1, keepdims=True),
    "sums to 0": lambda joint: joint / (joint.sum(axis=1, keepdims=True) + 1e-300),
}


@pytest.mark.parametrize("hint", CURES)
def test_cover_ups_are_recognised(hint):
    verdict = verdict_of(
        work_in_log_space.judge_a_cure, lambda x, m: CURES[hint](joint_density(x, m))
    )
    assert verdict.right is False
    assert hint in verdict.message


def test_a_forgotten_count_is_a_stub_and_a_forgotten_variance_is_not():
    def only_means(x, resp, times):
        owned = resp * times[:, None]
        counts = owned.sum(axis=0)
        means = owned.T @ x / counts
        return Mixture(counts / times.sum(), means, arrays.m_step(x, resp).stds)

    def unnormalised(x, resp, times):
        mixture = arrays.m_step(x, resp)
        return mixture._replace(weights=(resp * times[:, None]).sum(axis=0) / len(x))

    assert (
        verdict_of(trade_loops_for_arrays.count_first, lambda x, r, t: arrays.m_step(x, r)).right
        is None
    )
    assert "all use times" in verdict_of(trade_loops_for_arrays.count_first, only_means).message
    assert "sum to one" in verdict_of(trade_loops_for_arrays.count_first, unnormalised).message


def test_a_test_that_sees_only_what_falls_is_a_stub():
    falls = (1, 6)
    assert (
        verdict_of(see_why_em_climbs.catch_an_exhibit, lambda e: e not in falls, MUSEUM).right
        is None
    )
    verdict = verdict_of(see_why_em_climbs.catch_an_exhibit, lambda e: e != 2, MUSEUM)
    assert verdict.right
    assert "2 old mean" in verdict.message


def with_widths(variance):
    """An M-step whose variances come from the sums of squares, the soft counts, a and b."""

    def m_step(x, resp, a, b):
        mixture, counts = arrays.m_step(x, resp), resp.sum(axis=0)
        squares = counts * mixture.stds**2
        return mixture._replace(stds=np.sqrt(variance(squares, counts, a, b)))

    return m_step


def test_a_prior_on_the_widths():
    right = with_widths(lambda s, n, a, b: (s + 2 * b) / (n + 2 * (a + 1)))
    assert verdict_of(start_well_stop_well.prior_on_widths, right).right is True
    plain = verdict_of(
        start_well_stop_well.prior_on_widths, lambda x, resp, a, b: arrays.m_step(x, resp)
    )
    assert plain.right is None


@pytest.mark.parametrize(
    ("variance", "hint"),
    [
        (lambda s, n, a, b: ((s + 2 * b) / (n + 2 * (a + 1))) ** 2, "variances"),
        (lambda s, n, a, b: (s + 2 * b) / n, "2(a + 1) is missing"),
        (lambda s, n, a, b: s / (n + 2 * (a + 1)), "2b is missing"),
        (lambda s, n, a, b: (s + b) / (n + a + 1), "factor of 2"),
        (lambda s, n, a, b: (s + 2 * b) / (n + 2 * a), "not a"),
        (lambda s, n, a, b: (s / n + 2 * b) / (n + 2 * (a + 1)), "multiply by N_k"),
        (lambda s, n, a, b: s / n + b, "adds b to the variance"),
        (lambda s, n, a, b: (np.sqrt(s / n) + b) ** 2, "adds b to the width"),
        (lambda s, n, a, b: s * 0 + 7, "gives 0.755929"),
    ],
)
def test_wrong_priors_are_recognised(variance, hint):
    verdict = verdict_of(start_well_stop_well.prior_on_widths, with_widths(variance))
    assert verdict.right is False
    assert hint in verdict.message


@pytest.mark.parametrize(
    "check", [start_well_stop_well.prior_on_widths, start_well_stop_well.rule_of_your_own]
)
@pytest.mark.parametrize("nonsense", [None, "text", 3, lambda *given: 1 / 0, lambda *given: {}])
def test_nonsense_functions_are_survived(check, nonsense):
    assert verdict_of(check, nonsense).right is False


def test_the_prior_leaves_weights_and_means_alone():
    def moved(x, resp, a, b):
        mixture = arrays.m_step(x, resp)
        return mixture._replace(means=mixture.means + 1)

    assert (
        "weights and means stay" in verdict_of(start_well_stop_well.prior_on_widths, moved).message
    )


def plain_aitken(history):
    if len(history) < 3:
        return False
    before, gain = np.diff(history[-3:])
    return gain * gain / before / (1 - gain / before) < 1e-4


@pytest.mark.parametrize(
    ("stop", "right", "hint"),
    [
        (lambda history: len(history) > 4 and aitken_gap(history) < 1e-4, True, "step 77"),
        (lambda history: len(history) > 300, True, "step 300"),
        (lambda history: len(history) > 1 and history[-1] - history[-2] < 1e-4, None, "-1095.2888"),
        (plain_aitken, False, "growing"),
        (lambda history: len(history) > 72, False, "0.001 is allowed"),
        (lambda history: False, False, "never stops"),
    ],
)
def test_stopping_rules(stop, right, hint):
    verdict = verdict_of(start_well_stop_well.rule_of_your_own, stop)
    assert verdict.right is right
    assert hint in verdict.message


NEAR = 1_000_070.0  # in the middle of the chunks of that exercise


def chunk_sums(chunks, mixture, centre):
    """A right answer to the exercise on chunks, about any centre in their middle."""
    each = [make_it_fast_and_big.sums_about(chunk, mixture, centre) for chunk in chunks]
    return make_it_fast_and_big.from_sums(sum(each), centre)


def one_by_one(chunks, mixture):
    return [arrays.m_step(chunk, logspace.e_step(chunk, mixture)[0]) for chunk in chunks]


def averaged(chunks, mixture, weigh):
    answers = one_by_one(chunks, mixture)
    weights = [weigh(chunk, answer) for chunk, answer in zip(chunks, answers, strict=True)]
    columns = [np.array([answer[field] for answer in answers]) for field in range(3)]
    weights = np.broadcast_to(np.reshape(weights, (len(chunks), -1)), columns[0].shape)
    return Mixture(*(np.average(column, axis=0, weights=weights) for column in columns))


def in_turn(chunks, mixture):
    for chunk in chunks:
        [mixture] = one_by_one([chunk], mixture)
    return mixture


def means_right(chunks, mixture, stds):
    return chunk_sums(chunks, mixture, NEAR)._replace(stds=stds(chunks, mixture))


def counted(chunk, answer):
    return answer.weights * len(chunk)


def widths_within(chunks, mixture):
    squared = [answer._replace(stds=answer.stds**2) for answer in one_by_one(chunks, mixture)]
    counts = [counted(*pair) for pair in zip(chunks, squared, strict=True)]
    return np.sqrt(np.average([answer.stds for answer in squared], axis=0, weights=counts))


def about_their_own_means(chunks, mixture):
    sums = sum(make_it_fast_and_big.sums_about(chunk, mixture, chunk.mean()) for chunk in chunks)
    return make_it_fast_and_big.from_sums(sums, np.concatenate(chunks).mean())


@pytest.mark.parametrize(
    ("step", "right", "hint"),
    [
        (lambda c, m: chunk_sums(c, m, NEAR), True, "wherever they come from"),
        (lambda c, m: in_turn([np.concatenate(c)], m), True, "Three sums"),
        (lambda c, m: tuple(chunk_sums(c, m, NEAR)), True, "Three sums"),
        (lambda c, m: m, None, "What does EM need from each chunk"),
        (None, None, "A function"),
        (lambda c, m: averaged(c, m, lambda *_: 1), False, "average of the chunks' answers"),
        (lambda c, m: averaged(c, m, lambda x, _: len(x)), False, "by their lengths"),
        (
            lambda c, m: means_right(c, m, lambda *given: averaged(*given, counted).stds),
            False,
            "root of an average",
        ),
        (lambda c, m: means_right(c, m, widths_within), False, "how far the chunks' means"),
        (in_turn, False, "One E-step with one"),
        (lambda c, m: one_by_one(c, m)[-1], False, "last chunk alone"),
        (lambda c, m: one_by_one(c, m)[0], False, "first chunk alone"),
        (lambda c, m: chunk_sums(c, m, 70.897), False, "the page's own `centre`"),
        (lambda c, m: chunk_sums(c, m, 0.0), False, "as far from them as zero"),
        (lambda c, m: chunk_sums(c, m, c[0].mean()), True, "Three sums"),
        (about_their_own_means, False, "about its own mean"),
        (lambda c, m: chunk_sums(c[1:], m, NEAR), False, "The weights are"),
        (lambda c, m: 1 / 0, False, "ZeroDivisionError"),
        (lambda c, m: None, False, "not NoneType"),
        (lambda c, m: (m, 0.0), False, "without the log-likelihood"),
        (lambda c, m: np.zeros(3), False, "Return a Mixture"),
        (7, False, "stopped with TypeError"),
    ],
)
def test_a_step_on_chunks(step, right, hint):
    verdict = verdict_of(make_it_fast_and_big.step_on_chunks, step)
    assert verdict.right is right
    assert hint in verdict.message


def test_a_step_on_chunks_that_changes_its_mixture_spoils_no_later_check():
    def careless(chunks, mixture):
        for part in mixture:
            part += 1.0
        return mixture

    make_it_fast_and_big.step_on_chunks(careless)
    np.testing.assert_array_equal(make_it_fast_and_big.START, [[0.5, 0.5], [50, 80], [5, 5]])
