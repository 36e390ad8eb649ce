"""What the tests of drawings share."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from cases import DOCUMENT_START

from emtools import arrays, data, multivariate


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def path(waiting):
    path = [DOCUMENT_START]
    for _ in range(5):
        path.append(arrays.m_step(waiting, arrays.e_step(waiting, path[-1])))
    return path


@pytest.fixture
def clouds():
    """Old Faithful and two bells with its fitted means."""
    X = data.old_faithful()
    return X, multivariate.mixture_at(X, np.array([[2.04, 54.5], [4.29, 80.0]]))
