"""The code of the course, one module for each chapter; README.md has the table.

Importing it imports NumPy and nothing heavier: figures are in `emtools.plots`, sliders in
`emtools.widgets`.
"""

from emtools.mixture import Mixture, sample

__all__ = ["Mixture", "sample"]
__version__ = "0.1.0"
