"""What WebAssembly lacks where Python runs in a browser: refusals of linear algebra, and threads.

A processor notes each invalid operation, and `np.linalg` refuses a matrix by that note.
WebAssembly keeps no such note: a matrix that has no Cholesky factor gives NaN there, and nobody is
told. Whoever relies on LinAlgError, as all that watches over collapses does, would be misled. And
there are no threads. `emtools` mends both when it is imported in a browser, and only there.
"""

import concurrent.futures
import logging
from functools import wraps

import numpy as np

# What NumPy says elsewhere.
REFUSALS = {
    "cholesky": "Matrix is not positive definite",
    "inv": "Singular matrix",
    "solve": "Singular matrix",
}
NO_THREADS = "There are no threads in a browser: what is meant for them runs one after the other."


def mend():
    """Let `np.linalg` refuse again, and a pool of threads work without them; once is enough."""
    for name, message in REFUSALS.items():
        setattr(np.linalg, name, refusing(getattr(np.linalg, name), message))
    concurrent.futures.ThreadPoolExecutor.submit = do_now
    # On every page anew: "building the font cache".
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


def refusing(function, message):
    """The same function of matrices, but if it makes NaN of finite ones, it raises LinAlgError."""

    @wraps(function)
    def refusing_function(*matrices, **options):
        answer = function(*matrices, **options)
        if np.isnan(answer).any() and all(np.isfinite(matrix).all() for matrix in matrices):
            raise np.linalg.LinAlgError(message)
        return answer

    return refusing_function


def do_now(pool, task, /, *arguments, **options):
    """In place of `ThreadPoolExecutor.submit`: do the task at once, here. Says so once a pool."""
    if not hasattr(pool, "has_said_so"):
        pool.has_said_so = True
        print(NO_THREADS)
    future = concurrent.futures.Future()
    try:
        future.set_result(task(*arguments, **options))
    except Exception as error:
        future.set_exception(error)
    return future
