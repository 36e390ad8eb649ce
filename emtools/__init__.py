"""The code of the course, one module for each chapter; README.md has the table.

Importing it imports NumPy and nothing heavier: figures are in `emtools.course.plots`, sliders in
`emtools.course.widgets`.
"""

from emtools.fitting import fit, labels, log_density, responsibilities, sample
from emtools.mixture import Mixture
from emtools.multivariate import MultivariateMixture

__all__ = [
    "Mixture",
    "MultivariateMixture",
    "fit",
    "labels",
    "log_density",
    "responsibilities",
    "sample",
]
__version__ = "0.1.0"
