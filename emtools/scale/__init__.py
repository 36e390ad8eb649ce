"""The same EM step on data of any size, and what it will cost."""

from emtools.scale.chunks import Again, fit_chunks, fit_dask, fit_file
from emtools.scale.stream import fit_stream

__all__ = ["Again", "fit_chunks", "fit_dask", "fit_file", "fit_stream"]
