"""Fit a Gaussian mixture to your own data by EM, in one call: ``emtools.fit(x, n_components)``.

::

    import emtools

    found = emtools.fit(emtools.data.waiting(), 2)  # or your own (N,) or (N, D) array
    print(emtools.sorted_by_mean(found))

`fit` starts twenty times, follows the promising runs until nothing is left to gain, and returns a
`Fit`: its `parameters`, their `log_likelihood`, whether it has `converged`, and the different
`ends` that the search has found. Its parameters are a `Mixture` for (N,) and a
`MultivariateMixture` for (N, D); either is a start as well, in place of a number.

Afterwards, each given the `Fit` or its parameters: `predict(x, found)` for the most probable
component of each observation, `responsibilities(x, found)` for how probable each is,
`log_density(x, found)` for how likely the observation, `sample(found, n_samples, rng)` for new
ones, `sorted_by_mean(found)` to compare two fits.

How many components: ``emtools.selection.compare(x, 6)`` fits one to six of them, and says what
each criterion asks for.

What goes wrong says what to do: `Collapse`, a ValueError, if a component shrinks onto a point from
every start; `NotConverged`, a warning, if `max_iter` was too small; `Doubtful`, a warning, if there
is reason not to believe what was found.

This is the code of a course, chapter by chapter; README.md has the table. Importing it imports
NumPy and nothing heavier: figures are in `emtools.course.plots`, sliders in
`emtools.course.widgets`, data that do not fit in memory in `emtools.scale`.
"""

import sys

from emtools import data, families, selection
from emtools.collapse import Collapse
from emtools.em import Doubtful, NotConverged
from emtools.fitting import fit
from emtools.mixture import Mixture
from emtools.multivariate import MultivariateMixture
from emtools.predict import log_density, predict, responsibilities, sample, sorted_by_mean

__all__ = [
    "Collapse",
    "Doubtful",
    "Mixture",
    "MultivariateMixture",
    "NotConverged",
    "data",
    "families",
    "fit",
    "log_density",
    "predict",
    "responsibilities",
    "sample",
    "selection",
    "sorted_by_mean",
]
__version__ = "0.1.0"

if sys.platform == "emscripten":  # Python in a browser
    from emtools import wasm

    wasm.mend()
