"""Data as people send them: each collapse says what the component owned, and the cure that fits."""

import re

import numpy as np
import pandas as pd
import pytest

from emtools import Mixture, MultivariateMixture, data, fit
from emtools.collapse import Collapse
from emtools.scale.chunks import fit_chunks, fit_dask

FAITHFUL = data.old_faithful()
WAITING = FAITHFUL[:, 1]
OUTLIER = "Nothing else is near: an outlier, or a code such as -999"
TIED = "Equal values leave no width"


def message(*given, **options):
    with pytest.raises(Collapse) as info:
        fit(*given, **options, rng=1)
    return str(info.value)


class TestWhatItOwned:
    def test_one_far_observation(self):
        said = message(np.append(WAITING, 1e6), 3)
        assert "has collapsed: no width is left to it. " in said
        assert "owns 1 observation, x[272] = 1000000. " + OUTLIER in said

    @pytest.mark.parametrize("code", [-999, -9999, 99999])
    def test_a_code_for_what_is_missing(self, code):
        X = FAITHFUL.copy()
        X[17] = code
        said = message(X, 3)
        assert f"owns 1 observation, x[17] = [{code}, {code}]. {OUTLIER}" in said

    def test_a_code_in_several_rows(self):
        x = WAITING.copy()
        x[[3, 40, 99]] = -999
        said = message(x, 3)
        assert "owns 3 observations, the first is x[3] = -999, all of this value. " in said
        assert OUTLIER in said

    @pytest.mark.parametrize("n_components", [1, 2])
    def test_a_wild_row_that_makes_the_start_itself_flat(self, n_components):
        said = message(np.vstack([FAITHFUL, [1e9, 1e9]]), n_components)
        assert "at iteration 0" in said
        assert "owns 1 observation, x[272] = [1000000000, 1000000000]. " + OUTLIER in said
        assert "say the same" not in said

    def test_tied_values(self):
        rounded = np.random.default_rng(11).normal(0, 0.4, 500).round()
        said = message(rounded, 2)
        assert re.search(r"= -?[01], all of this value. " + TIED, said)
        for x in ([0, 1] * 30, np.repeat([0, 1, 2, 7], [80, 9, 6, 5])):
            assert TIED in message(x, 2)
        assert TIED in message(np.append(np.repeat([[1.0, 2.0]], 60, axis=0), FAITHFUL, axis=0), 3)

    def test_a_lonely_observation_among_others(self):
        said = message([1.0, 2.0, 3.0], 3)
        assert re.search(r"owns 1 observation, x\[\d\] = [123]. Start elsewhere", said)
        assert 'covariance="tied"' in said

    def test_who_shares_one_shape_is_not_told_to(self):
        said = message([1.0, 2.0], 2, covariance="tied")
        assert 'covariance="tied"' not in said
        assert "min_std" in said

    def test_too_few_for_so_many_columns(self):
        rng = np.random.default_rng(0)
        X = np.append(rng.normal(size=(40, 3)), [[6, 6, 6], [6.5, 6, 6]], axis=0)
        start = MultivariateMixture([0.9, 0.1], [[0, 0, 0], [6.2, 6, 6]], [np.eye(3)] * 2)
        said = message(X, start)
        assert "component 1 " in said
        assert "owns 2 observations, the first is x[40] = [6, 6, 6]. " in said
        assert "So few span no volume in 3 columns" in said

    def test_many_columns_are_cut_short(self):
        X = np.append(np.random.default_rng(0).normal(size=(60, 6)), np.full((1, 6), 1e6), axis=0)
        assert "x[60] = [1000000, 1000000, 1000000, 1000000, ...]" in message(X, 2)

    def test_rows_of_weight_zero_do_not_shift_the_names(self):
        x, weights = np.append(WAITING, 1e6), np.ones(273)
        weights[:100] = 0
        assert "x[272] = 1000000" in message(x, 3, sample_weight=weights)

    def test_vanished(self):
        said = message(WAITING, Mixture([0.5, 0.5], [70, 1e6], [10, 1]))
        assert "component 1 (counted from 0) has vanished" in said
        assert "Start elsewhere, or fit fewer components" in said
        assert "min_std" not in said

    def test_several_wild_rows(self):
        said = message(np.vstack([FAITHFUL, [[1e9, 1e9]] * 3]), 2)
        assert "owns 3 observations, the first is x[272] = [1000000000, 1000000000]" in said

    def test_a_wild_row_is_not_blamed_on_the_columns_of_a_given_start(self):
        start = MultivariateMixture([0.5, 0.5], [[2, 55], [4, 80]], [np.diag([1, 30.0])] * 2)
        said = message(np.vstack([FAITHFUL, [1e9, 1e9]]), start)
        assert "owns 1 observation, x[272]" in said
        assert "Columns" not in said

    def test_who_owns_nothing(self):
        """Next to nothing is left of it, and it is the likeliest of no observation."""
        x = np.append(np.linspace(-3, 3, 300), [3.5, 3.6])
        said = message(x, Mixture([1 - 1e-5, 1e-5], [0, 3.5], [1.2, 0.01]))
        assert "at iteration 1" in said
        assert "owns" not in said
        assert "Start elsewhere" in said

    def test_as_many_rows_as_columns_span_no_volume(self):
        X = np.random.default_rng(0).normal(size=(40, 3))
        X = np.append(X, [[6, 6, 6], [6.5, 6, 6], [6.5, 6.1, 6]], axis=0)
        start = MultivariateMixture([0.9, 0.1], [[0, 0, 0], [6.2, 6, 6]], [np.eye(3)] * 2)
        assert "So few span no volume in 3 columns" in message(X, start)


class TestFlatData:
    @pytest.mark.parametrize("n_components", [1, 2])
    @pytest.mark.parametrize("covariance", ["full", "tied"])
    def test_columns_that_repeat_are_named_whatever_the_start(self, n_components, covariance):
        X = np.column_stack([WAITING, 6000 * WAITING + 3])
        weights = np.full(n_components, 1 / n_components)
        start = MultivariateMixture(weights, X[:n_components], [np.diag(X.var(0))] * n_components)
        assert "Columns 0, 1 of x say the same" in message(X, start, covariance=covariance)

    def test_a_share_of_a_column_is_named_too(self):
        z = np.random.default_rng(0).normal(size=(200, 2))
        assert "Columns 0, 1, 2 of x" in message(np.column_stack([z, z @ [1, 0.05]]), 2)

    @pytest.mark.parametrize("covariance", ["full", "tied", "diag"])
    def test_a_floor_below_what_float64_can_tell(self, covariance):
        X = np.column_stack([FAITHFUL, np.full(272, 1e8)])
        said = message(X, 2, covariance=covariance, min_std=1e-9)
        assert "a larger min_std" in said
        assert "Columns" not in said

    @pytest.mark.parametrize("covariance", ["full", "tied"])
    def test_a_column_that_repeats_another_is_named(self, covariance):
        X = np.column_stack([WAITING, FAITHFUL[:, 0], 60 * WAITING + 3])
        said = message(X, 2, covariance=covariance)
        assert "Columns 0, 2 of x say the same" in said
        assert 'covariance="diag"' in said

    def test_shares_that_sum_to_a_hundred(self):
        shares = np.random.default_rng(1).dirichlet([3, 4, 5], 200) * 100
        X = np.column_stack([shares[:, 0], WAITING[:200], shares[:, 1:]])
        assert "Columns 0, 2, 3 of x say the same" in message(X, 2)

    def test_a_start_without_width(self):
        said = message(WAITING, Mixture([0.5, 0.5], [50, 80], [5, 1e-12]))
        assert "at iteration 0, component 1 " in said
        assert "The start itself has no width there" in said

    def test_a_flat_start_of_ones_own_is_not_blamed_on_the_data(self):
        needle = np.array([[1, 1 - 1e-15], [1 - 1e-15, 1]])
        start = MultivariateMixture([0.5, 0.5], [[2, 55], [4, 80]], [np.eye(2), needle])
        said = message(FAITHFUL, start)
        assert "The start itself has no width there" in said
        assert "Columns" not in said

    def test_of_a_frame_the_names_are_those_of_its_columns_and_rows(self):
        frame = pd.DataFrame(FAITHFUL, columns=["eruption", "wait"])
        frame["seconds"] = 60 * frame["wait"]
        assert "Columns 'wait', 'seconds' of x say the same" in message(frame, 2)
        frame = frame[["eruption", "wait"]].set_index(np.arange(1000, 1272))
        frame.iloc[17] = -999
        assert "x.iloc[17] = [-999, -999]" in message(frame, 3)


class TestElsewhere:
    def test_chunks(self):
        chunks = [WAITING[:100], WAITING[:0], np.append(WAITING[100:], 1e6)]
        start = Mixture([0.3, 0.3, 0.4], [55, 80, 1e6], [5, 5, 1e3])
        with pytest.raises(Collapse, match=r"owns 1 observation, chunks\[2\]\[172\] = 1000000"):
            fit_chunks(chunks, start)

    def test_rows_of_a_frame(self):
        frame = pd.DataFrame({"wait": np.append(WAITING, 1e6)})["wait"]
        with pytest.raises(Collapse, match=r"chunks\[0\]\.iloc\[272\] = 1000000"):
            fit_chunks([frame], Mixture([0.3, 0.3, 0.4], [55, 80, 1e6], [5, 5, 1e3]))

    def test_a_start_drawn_from_chunks_says_whose_rows_it_names(self):
        with pytest.raises(Collapse, match="x: 273 observations drawn from the chunks"):
            fit_chunks([WAITING, np.array([1e6])], 3, rng=0)

    def test_dask(self):
        import dask

        X = FAITHFUL.copy()
        X[17] = -999
        start = MultivariateMixture(
            [0.4, 0.5, 0.1], [[2, 55], [4, 80], [-999, -999]], [np.diag([1, 30.0])] * 3
        )
        with (
            dask.config.set(scheduler="synchronous"),
            pytest.raises(Collapse, match=r"chunks\[0\]\[17\] = \[-999, -999\]"),
        ):
            fit_dask([dask.delayed(X)], start)
