"""Each check accepts right answers, names the slips it knows, and never stops a notebook."""

import numpy as np
import pytest

from emtools import Mixture, arrays, data, logspace, loops
from emtools.em import still_to_gain
from emtools.exercises import chapter_01, chapter_02, chapter_03, chapter_05

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


RIGHT = [
    (chapter_01.e_step_by_hand, [0.2315]),
    (chapter_01.e_step_by_hand, [np.float64(0.231475)]),
    (chapter_01.m_step_by_hand, [54.8, 5.879]),
    (chapter_01.lopsided_weights, [after(1, (*DOCUMENT, 9, 1))]),
    (chapter_01.lopsided_weights, [[74.2955, 52.1903, 11.7534, 4.8840, 0.8463, 0.1537]]),
    (chapter_01.lopsided_weights, [as_array(after(1, (*DOCUMENT, 0.9, 0.1)))]),
    (chapter_01.other_way_round, [after(100, (53, 77, *DOCUMENT[2:], 1, 1))]),
    (chapter_01.one_wild_value, [1000, 7]),
    (chapter_01.other_way_round, [[54.61, 80.09, 5.871, 5.868, 0.3609, 0.6391]]),
    (chapter_01.one_wild_value, [np.array([1000.0]), 7]),
    (chapter_02.shapes, [[(272, 2), (272,), (2,), (272,)]]),
    (chapter_02.shapes, [((272, 2), 272, 2, 272)]),
    (chapter_02.memory, [160]),
    (chapter_03.lse_by_hand, [-999.3069, 0]),
    (chapter_03.lse_by_hand, [-1000 + np.log(2), 0.0]),
    (chapter_03.smallest_wait, [306.2]),
    (chapter_03.smallest_wait, [306.19698]),
    (chapter_03.smallest_wait, [306.6]),
    (chapter_03.lse_by_hand, [-999.307, 0]),
    (chapter_03.build_lse, [np.logaddexp.reduce]),
    (chapter_03.judge_a_cure, [lambda x, mixture: logspace.e_step(x, mixture)[0]]),
    (chapter_03.other_units, [-220.2433]),
    (chapter_05.narrower_spike, [4.6960]),
    (chapter_05.narrower_spike, [np.array([2.3934 + np.log(10)])]),
    (chapter_05.who_collapses, [1, 2]),
    (chapter_05.acid_lakes, [-187.2345, -184.6447]),
    (chapter_05.acid_lakes, [-187.234513217, np.float64(-184.64470891)]),
]


@pytest.mark.parametrize(("check", "answers"), RIGHT)
def test_right_answers(check, answers):
    assert verdict_of(check, *answers).right is True


WRONG = [
    (chapter_01.e_step_by_hand, [0.0832], "one half"),
    (chapter_01.e_step_by_hand, [0.4502], "squared"),
    (chapter_01.e_step_by_hand, [0.4667], "distances"),
    (chapter_01.e_step_by_hand, [0.7685], "long bell"),
    (chapter_01.e_step_by_hand, [0], "all or nothing"),
    (chapter_01.e_step_by_hand, [23.15], "between 0 and 1"),
    (chapter_01.e_step_by_hand, ["a quarter"], "a quarter"),
    (chapter_01.m_step_by_hand, [27.4, 5.879], "soft count"),
    (chapter_01.m_step_by_hand, [52, 5.879], "left out"),
    (chapter_01.m_step_by_hand, [56.667, 5.879], "counted whole"),
    (chapter_01.m_step_by_hand, [54.8, 34.56], "square root"),
    (chapter_01.m_step_by_hand, [54.8, 4.157], "not by 5"),
    (chapter_01.m_step_by_hand, [54.8, 7.5895], "Two slips"),
    (chapter_01.lopsided_weights, [after(1, (*DOCUMENT, 1, 1))], "equal weights"),
    (chapter_01.lopsided_weights, [after(100, (*DOCUMENT, 9, 1))], "many iterations"),
    (chapter_01.lopsided_weights, [Ellipsis], "Hand over"),
    (chapter_01.other_way_round, [after(100, (*DOCUMENT, 1, 1))], "77 and 53"),
    (chapter_01.other_way_round, [after(1, (53, 77, *DOCUMENT[2:], 1, 1))], "100 iterations"),
    (chapter_01.one_wild_value, [96, 7], "No bell ends up on 96"),
    (chapter_01.one_wild_value, [1000, 8], "nan appears"),
    (chapter_01.one_wild_value, [1000, 6], "still 2.87"),
    (chapter_02.shapes, [[(272, 2), (272, 1), (2,), (272,)]], "Expression 2"),
    (chapter_02.shapes, [[(272, 2), (272,), (2, 1), (272,)]], "Expression 3"),
    (chapter_02.shapes, [[(272, 2)]], "four"),
    (chapter_02.shapes, [7], "list"),
    (
        chapter_02.wrong_axis,
        [arrays.m_step(WAITING, arrays.e_step(WAITING, START))],
        "right mixture",
    ),
    (chapter_02.wrong_axis, [START], "axis=0"),
    (chapter_02.count_first, [lambda x, resp, times: None], "return Mixture"),
    (chapter_02.count_first, [lambda x, resp, times: 1 / 0], "ZeroDivisionError"),
    (chapter_02.memory, [80], "each component"),
    (chapter_02.memory, [20], "8 bytes"),
    (chapter_02.three_bells, [START], "three components"),
    (chapter_03.lse_by_hand, [-2000, 0], "multiplies"),
    (chapter_03.lse_by_hand, [-np.inf, 0], "maximum out"),
    (chapter_03.lse_by_hand, [-1000, 0], "log 2"),
    (chapter_03.lse_by_hand, [-1000.6931, 0], "added"),
    (chapter_03.lse_by_hand, [-999.3069, -800], "Which term"),
    (chapter_03.smallest_wait, [305.7], "around 300"),
    (chapter_03.judge_a_cure, [logspace.e_step], "alone"),
    (chapter_01.e_step_by_hand, [3.3201], "odds of long"),
    (chapter_01.e_step_by_hand, [0.23], "Four digits"),
    (chapter_02.shapes, [[((1, 2), 3)] * 4], "four tuples"),
    (chapter_01.one_wild_value, [272, 7], "index"),
    (chapter_03.smallest_wait, [38.6], "standard deviations"),
    (chapter_03.smallest_wait, [118.7], "5.87 minutes each"),
    (chapter_03.smallest_wait, [281.2], "still alive"),
    (chapter_03.build_lse, [lambda row: np.max(row)], "easy row"),
    (
        chapter_03.build_lse,
        [lambda row: np.max(row) + np.log(np.sum(np.exp(row - np.max(row))))],
        "-inf alone",
    ),
    (chapter_03.judge_a_cure, [lambda x, m: np.full((len(x), 2), 0.5)], "66 minutes"),
    (chapter_03.other_units, [-786.6792], "divided"),
    (chapter_03.other_units, [-779.7715], "82 densities"),
    (chapter_05.narrower_spike, [3.3934], "not 1"),
    (chapter_05.narrower_spike, [2.3934], "last line"),
    (chapter_05.narrower_spike, [0.0909], "rises"),
    (chapter_05.narrower_spike, [6.9986], "too far"),
    (chapter_05.narrower_spike, [3.0866], "not by 2"),
    (chapter_05.who_collapses, [2, 2], "counts from 0"),
    (chapter_05.who_collapses, [0, 2], "spread"),
    (chapter_05.who_collapses, [10, 2], "Which component"),
    (chapter_05.who_collapses, [1, 1], "4.3e-5"),
    (chapter_05.who_collapses, [1, 3], "nan"),
    (chapter_05.who_collapses, [1, 4], "stds of 3"),
    (chapter_05.acid_lakes, [-184.6447, -187.2345], "other way round"),
    (chapter_05.acid_lakes, [-187.25, -184.6447], "From 4 and 5: -187.25 is not it. Close"),
    (chapter_05.acid_lakes, [-187.2345, -190.0], "From 4 and 7: -190 is not it. Are the stds"),
]


@pytest.mark.parametrize(("check", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(check, answers, hint):
    verdict = verdict_of(check, *answers)
    assert verdict.right is False
    assert hint in verdict.message


@pytest.mark.parametrize(
    ("check", "n_answers"),
    [
        (chapter_01.e_step_by_hand, 1),
        (chapter_01.m_step_by_hand, 2),
        (chapter_01.lopsided_weights, 1),
        (chapter_01.other_way_round, 1),
        (chapter_01.one_wild_value, 2),
        (chapter_02.shapes, 1),
        (chapter_02.wrong_axis, 1),
        (chapter_02.memory, 1),
        (chapter_02.three_bells, 1),
        (chapter_03.lse_by_hand, 2),
        (chapter_03.smallest_wait, 1),
        (chapter_03.other_units, 1),
        (chapter_05.narrower_spike, 1),
        (chapter_05.who_collapses, 2),
        (chapter_05.acid_lakes, 2),
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
    verdict = verdict_of(chapter_03.judge_a_cure, lambda x, m: CURES[hint](joint_density(x, m)))
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

    assert verdict_of(chapter_02.count_first, lambda x, r, t: arrays.m_step(x, r)).right is None
    assert "all use times" in verdict_of(chapter_02.count_first, only_means).message
    assert "sum to one" in verdict_of(chapter_02.count_first, unnormalised).message


def with_widths(variance):
    """An M-step whose variances come from the sums of squares, the soft counts, a and b."""

    def m_step(x, resp, a, b):
        mixture, counts = arrays.m_step(x, resp), resp.sum(axis=0)
        squares = counts * mixture.stds**2
        return mixture._replace(stds=np.sqrt(variance(squares, counts, a, b)))

    return m_step


def test_a_prior_on_the_widths():
    right = with_widths(lambda s, n, a, b: (s + 2 * b) / (n + 2 * (a + 1)))
    assert verdict_of(chapter_05.prior_on_widths, right).right is True
    plain = verdict_of(chapter_05.prior_on_widths, lambda x, resp, a, b: arrays.m_step(x, resp))
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
    verdict = verdict_of(chapter_05.prior_on_widths, with_widths(variance))
    assert verdict.right is False
    assert hint in verdict.message


@pytest.mark.parametrize("check", [chapter_05.prior_on_widths, chapter_05.rule_of_your_own])
@pytest.mark.parametrize("nonsense", [None, "text", 3, lambda *given: 1 / 0, lambda *given: {}])
def test_nonsense_functions_are_survived(check, nonsense):
    assert verdict_of(check, nonsense).right is False


def test_the_prior_leaves_weights_and_means_alone():
    def moved(x, resp, a, b):
        mixture = arrays.m_step(x, resp)
        return mixture._replace(means=mixture.means + 1)

    assert "weights and means stay" in verdict_of(chapter_05.prior_on_widths, moved).message


def plain_aitken(history):
    if len(history) < 3:
        return False
    before, gain = np.diff(history[-3:])
    return gain * gain / before / (1 - gain / before) < 1e-4


@pytest.mark.parametrize(
    ("stop", "right", "hint"),
    [
        (lambda history: len(history) > 4 and still_to_gain(history) < 1e-4, True, "step 77"),
        (lambda history: len(history) > 300, True, "step 300"),
        (lambda history: len(history) > 1 and history[-1] - history[-2] < 1e-4, None, "-1095.2888"),
        (plain_aitken, False, "growing"),
        (lambda history: len(history) > 72, False, "0.001 is allowed"),
        (lambda history: False, False, "never stops"),
    ],
)
def test_stopping_rules(stop, right, hint):
    verdict = verdict_of(chapter_05.rule_of_your_own, stop)
    assert verdict.right is right
    assert hint in verdict.message
