"""Print an estimate the same way everywhere (`report`), and hold it against a published one."""

import numpy as np

from emtools.kinds import as_text, in_words, known_kind
from emtools.mixture import Mixture


def report(value, label="", digits=4):
    """Print a mixture as a table, or numbers on one line, with the same digits everywhere.

    Parameters
    ----------
    value : mixture, Fit, float or 1-D array
        What to print; of covariances, the standard deviation of each feature.
    label : str
        Stands before the numbers, or above the table.
    digits : int
        Significant digits.
    """
    if hasattr(value, "parameters"):
        report_fit(value, label, digits)
        return
    if known_kind(value):
        print(f"{label}\n" * bool(label) + as_text(value, digits))
        return
    line = "  ".join(in_words(v, digits) for v in np.ravel(value))
    print(f"{label}: {line}" if label else line)


def report_fit(fit, label, digits):
    """Print the parameters that a fit found, and under them how high it ended, when and why."""
    report(fit.parameters, label, digits)
    height = in_words(fit.log_likelihood, digits + 4)  # in nats, where decimals count
    converged = "yes" if fit.converged else "no"
    print(f"log-likelihood: {height}  iterations: {fit.n_iter}  converged: {converged}")


def report_path(path, iterations, digits=5):
    """Print the mixture after each of several iterations, one line each.

    Parameters
    ----------
    path : list of Mixture
        The start and what each iteration made of it.
    iterations : sequence of int
        Which to print.
    digits : int
        Significant digits.
    """
    n_components = len(path[0].weights)
    heads = [f"{name}[{k}]" for name in Mixture._fields for k in range(n_components)]
    print("iteration" + "".join(f"{head:>12}" for head in heads))
    for iteration in iterations:
        numbers = (in_words(v, digits) for v in np.ravel(path[iteration]))
        print(f"{iteration:9}" + "".join(f"{number:>12}" for number in numbers))


def expect(value, published, *, source, rtol, label):
    """Compare an estimate with a number that somebody else found; print that they agree, or stop.

    Parameters
    ----------
    value : float, array or Mixture
        What was computed here.
    published : float or sequence
        What the source gives, with as many digits as it gives, in the same order.
    source : str
        Who published or computed it.
    rtol : float
        The largest relative difference that counts as agreement.
    label : str
        What is compared.

    Raises
    ------
    AssertionError
        If a value differs by more than `rtol` of the published one, or is not finite; the message
        holds both and the tolerance.
    """
    value, published = np.asarray(value, dtype=float), np.asarray(published, dtype=float)
    comparable = value.shape == published.shape and value.size > 0 and np.isfinite(published).all()
    if not comparable or not np.all(np.abs(value - published) <= rtol * np.abs(published)):
        raise AssertionError(
            f"{label}: found {value.tolist()}, but {source} has {published.tolist()} "
            f"(relative tolerance {rtol:g})"
        )
    numbers = ", ".join(f"{number:.15g}" for number in np.ravel(published))
    print(f"{label}: agrees with {source} ({numbers}) to {rtol:g}")
