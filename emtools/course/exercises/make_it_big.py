"""Checks for the exercises of chapter 16, make it big."""

import tempfile
import tracemalloc
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from emtools import data, logspace
from emtools.course.exercises import (
    Verdict,
    answer_of,
    in_turn,
    is_close,
    judge,
    not_yet,
    numbers_of,
    parts_of,
    right,
    to_do,
)
from emtools.mixture import Mixture

START = Mixture(np.array([0.5, 0.5]), np.array([50.0, 80.0]), np.array([5.0, 5.0]))
FAR = 1e6  # minutes; added to the waits, so that the centre of the chapter is no centre for them
CHUNKS = np.split(data.waiting() + FAR, [30, 80, 180, 212])  # lengths 30, 50, 100, 32, 60
MANY = 200_000  # waits in a file that is too large to hold, as far as a check is concerned
N_ROWS = 100  # of a chunk that is asked for: 272 waits make three, the last one short


def passes_and_minutes(passes: float | None, minutes: float | None) -> Verdict:
    """Passes of 28 steps from a mixture over a file of 100 GB, and their minutes at 500 MB/s."""
    return in_turn(
        judge(
            passes,
            31,
            [
                (28, "Steps alone. What else goes through the file: before them, and at the end?"),
                (29, "n_iter + 1: the look at the log-likelihood is there. And before the steps?"),
                (30, "One short: the centre, and the sums of the terms, are a pass each."),
                (32, "One too many: a pass for a start is needed only if start is a number."),
            ],
            what="Two numbers: passes, then minutes.",
            hint="Passes first: the page counted n_iter + 3.",
        ),
        judge(
            minutes,
            31 * 200 / 60,
            [
                (31 * 200, "In minutes, please; that is seconds."),
                (31 * 200 / 3600, "In minutes, please; that is hours."),
                (200 / 60, "That is one pass."),
                (28 * 200 / 60, "That is 28 passes; you have counted 31."),
                (31 * 100 * 1024**3 / 500e6 / 60, "100 GB are 1e11 bytes here, not 100 GiB."),
                (31 * 100 / 500 / 60, "A GB is a thousand MB."),
            ],
            what="The passes are right. And how many minutes do they take?",
            hint="A pass is 100e9 / 500e6 seconds.",
            because="An hour and three quarters. It is the disk you wait for; so a start from a "
            "stream, or a larger tol, saves more than a faster processor.",
            rtol=1e-2,
        ),
    )


def sums_about(x, mixture, centre):
    """Sums of 1, x and x**2 about a centre, weighted by the responsibilities, (K, 3)."""
    means, variances = mixture.means - centre, mixture.stds**2
    constant = np.log(mixture.weights / mixture.stds) - means**2 / variances / 2
    rows = np.stack([constant, means / variances, -0.5 / variances], axis=1)
    table = np.stack([np.ones_like(x), x - centre, (x - centre) ** 2])
    joint = rows @ table
    resp = np.exp(joint - np.logaddexp.reduce(joint, axis=0))
    return resp @ table.T


def from_sums(sums, centre):
    """The mixture that these sums about a centre make."""
    counts, first, second = sums.T
    shifts = first / counts
    return Mixture(counts / counts.sum(), centre + shifts, np.sqrt(second / counts - shifts**2))


def step_on_chunks(step: Callable | None) -> Verdict:
    """One EM step from chunks of unequal lengths, far from the centre of the chapter."""
    if step is None:
        return to_do("A function of a list of chunks and a mixture.")
    start = Mixture(START.weights.copy(), START.means + FAR, START.stds.copy())
    put_together = []
    found = answer_of(step, watched(CHUNKS, put_together), start)
    found = parts_of(found, start)
    if isinstance(found, Verdict):
        return found
    numbers = np.ravel(found._replace(means=found.means - FAR))
    whole = in_one(data.waiting())
    if is_close(numbers, np.ravel(whole), 1e-10) and put_together:
        return not_yet(
            f"The numbers are right, but np.{put_together[-1]} has put the chunks together. Think "
            "of files that do not fit into memory: what can be added up instead?"
        )
    if is_close(numbers, np.ravel(whole), 1e-10):
        return right("Three sums for each bell are all that EM needs, wherever they come from.")
    if is_close(numbers, np.ravel(START), 1e-10):
        return to_do("That is the mixture you were given. What does EM need from each chunk?")
    for wrong, slip in chunk_slips(whole):
        if is_close(numbers, np.ravel(wrong), 1e-6):
            return not_yet(slip)
    shifts = numbers[2:4] - whole.means
    if np.ptp(shifts) < 1e-6 and abs(shifts[0]) > 1:
        return not_yet(
            f"Both means are off by {shifts[0]:,.6g} minutes. Sums about a centre give means "
            "counted from it: was the centre added back, and the same one?"
        )
    if is_close(numbers, np.ravel(whole), 1e-3):
        return not_yet(
            "Close, but not to 1e-10. Is it the page's own `centre`, 70.9? These waits lie near "
            f"{CHUNKS[0][0]:,.0f}: it is as far from them as zero. Find the mean of all from the "
            "chunks."
        )
    parts = ("weights", "means", "stds")
    for name, ours, theirs in zip(parts, numbers.reshape(3, 2), whole, strict=True):
        if not is_close(ours, theirs, 1e-10):
            shift = FAR if name == "means" else 0.0
            ours, theirs = (
                ", ".join(f"{number:.10g}" for number in part + shift) for part in (ours, theirs)
            )
            return not_yet(f"The {name} are {ours}; they should be {theirs}.")
    return not_yet("Not to 1e-10.")


def watched(chunks, noted):
    """The same chunks; NumPy's functions that put all of them together are noted by name.

    What is taken to plain lists or arrays first goes unseen.
    """
    n_samples = sum(len(chunk) for chunk in chunks)

    class Chunk(np.ndarray):
        def __array_function__(self, function, types, arguments, options):
            result = super().__array_function__(function, types, arguments, options)
            if n_samples in getattr(result, "shape", ()):
                noted.append(function.__name__)
            return result

    return [chunk.view(Chunk) for chunk in chunks]


def in_one(x):
    """One step on waits in one array, as chapter 03 does it."""
    return logspace.m_step(x, logspace.e_step(x, START)[0])


def chunk_slips(whole):
    """Wrong ways to put chunks together, with what to say to each; for waits that are not far."""
    n_samples = len(data.waiting())
    owned = whole.weights * n_samples
    chunks = [chunk - FAR for chunk in CHUNKS]
    each = [in_one(chunk) for chunk in chunks]
    lengths = [len(chunk) for chunk in chunks]
    counts = np.array([mixture.weights * n for mixture, n in zip(each, lengths, strict=True)])
    fields = [np.array([mixture[field] for mixture in each]) for field in range(3)]
    weights, means = (
        counts.sum(axis=0) / sum(lengths),
        np.average(fields[1], axis=0, weights=counts),
    )
    within = np.sqrt(np.average(fields[2] ** 2, axis=0, weights=counts))
    mixture = START
    for chunk in chunks:
        mixture = logspace.m_step(chunk, logspace.e_step(chunk, mixture)[0])
    own = sum(sums_about(chunk, START, chunk.mean()) for chunk in chunks)
    return [
        (
            from_sums(own, np.concatenate(chunks).mean()),
            "The sums of each chunk are about its own mean. Sums add up only if all are about one "
            "point: find the mean of all first.",
        ),
        (
            Mixture(*(field.mean(axis=0) for field in fields)),
            "That is the average of the chunks' answers. A mean is a quotient: add up sums, then "
            "divide once. Averaging is right only for equal soft counts.",
        ),
        (
            Mixture(*(np.average(field, axis=0, weights=lengths) for field in fields)),
            "That averages the chunks' answers by their lengths. Right for the weights; a mean is "
            "divided by a soft count, which is not the length.",
        ),
        (
            Mixture(weights, means, within),
            "Weights and means are right. The stds leave out how far the chunks' means lie apart: "
            "add up squares about one common point.",
        ),
        (
            Mixture(weights, means, np.average(fields[2], axis=0, weights=counts)),
            "Weights and means are right. A std is a root of an average of squares: average the "
            "squares, about one common point.",
        ),
        (
            mixture,
            "That takes a whole step for each chunk, one after the other. One E-step with one "
            "mixture for all of them; then one M-step.",
        ),
        (
            Mixture(*(part[::-1] for part in whole)),
            "The two bells have changed places. A step keeps them in the order of its mixture.",
        ),
        *(
            (
                whole._replace(stds=whole.stds * np.sqrt(n / (n - 1))),
                "Weights and means are right. The variances are divided by one too few: by the "
                "soft counts, without - 1.",
            )
            for n in (n_samples, owned)
        ),
        *(
            (one, f"That is the {which} chunk alone. Add up the sums of all.")
            for which, one in zip(("first", "second", "third", "fourth", "last"), each, strict=True)
        ),
    ]


def rows_of_csv(read: Callable | None) -> Verdict:
    """Chunks of a CSV file that can be gone through twice, without holding all of it."""
    if read is None:
        return to_do("A function of a path and a number of rows.")
    waits = data.waiting()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "waits.csv"
        np.savetxt(path, waits, fmt="%.1f", header="waiting", comments="")
        chunks = answer_of(read, str(path), N_ROWS)
        if isinstance(chunks, Verdict):
            return chunks
        if isinstance(chunks, str) and chunks == str(path):
            return to_do("That is the path still. Read the file at it, some rows at a time.")
        try:
            passes = [list(islice(iter(chunks), 2 * len(waits))) for _ in range(2)]
        except Exception as error:  # whatever a reader hands over
            return not_yet(why_it_stops(chunks, error))
    verdict = verdict_on_passes(passes, waits, is_list=isinstance(chunks, (list, tuple)))
    if verdict.right and peak_of_two_chunks(read) > 8 * MANY:
        return not_yet(
            f"Right in number, but of a file of {MANY:,} waits it held all before the second chunk "
            "came. Read as you go: the next lines only, when they are asked for."
        )
    return verdict


def why_it_stops(chunks, error):
    """What to say of what a reader returned, if it cannot be gone through."""
    if callable(chunks) and not hasattr(chunks, "__iter__"):
        return "That is the function that reads; what goes through it anew each time is `Again`."
    # The `Again` of the page, of the shelf, or one of the reader's own.
    if not callable(getattr(chunks, "read", callable)) or "is not callable" in str(error):
        return "`Again` wants the function, read, not what a call of it returns, read()."
    if "waiting" in str(error):
        return "The first line holds the name of the column: skip it, in each pass."
    return f"Going through what it returns stops with {type(error).__name__}."


def peak_of_two_chunks(read):
    """Bytes in use, at most, until the second chunk of a long file has come; 0 if it fails."""
    was_tracing = tracemalloc.is_tracing()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.csv"
        path.write_text("waiting\n" + "70.5\n" * MANY)
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            chunks = answer_of(read, str(path), N_ROWS)
            list(islice(iter(chunks), 2))
            return tracemalloc.get_traced_memory()[1] - before
        except Exception:  # it has gone through a shorter one: let it pass
            return 0
        finally:
            if not was_tracing:
                tracemalloc.stop()


def verdict_on_passes(passes, waits, is_list):
    """What to say of the chunks that came in two passes."""
    once, again = passes
    if once and not again:
        return not_yet(
            "The second pass is empty: a generator, and an open file, are gone through once. "
            "Return something whose `__iter__` begins anew, such as `Again` of a function, and "
            "open the file inside that function."
        )
    if any(isinstance(chunk, (int, float, np.number)) for chunk in once):
        return not_yet(
            "What comes, one after the other, are single waits. `fit_chunks` wants arrays: "
            "chunks of some rows each, read when they are asked for."
        )
    if any(is_text(chunk) for chunk in once):
        return not_yet("Those are lines of text, and no arrays of numbers yet: np.loadtxt.")
    arrays = [numbers_of(chunk) for chunk in once]
    if not arrays or any(array is None for array in arrays):
        return not_yet("The chunks should be arrays of numbers: np.loadtxt, and the line of names?")
    lengths = [array.size for array in arrays]
    found = np.concatenate([array.ravel() for array in arrays])
    if np.isnan(found).any() and len(found) == len(waits) + 1:
        return not_yet("The first line holds the name of the column: skip it, in each pass.")
    if len(found) != len(waits):
        lost = {len(waits) - 1: "The first wait is missing: was a line skipped too many?"}
        lost |= {len(waits) - len(waits) % N_ROWS: "The last chunk, which is short, is missing."}
        lost |= {len(waits) - 2: "A wait of later chunks is missing: skip the names only once."}
        other = f"There are {len(found)} waits; the file has {len(waits)}."
        return not_yet(lost.get(len(found), other))
    if not is_close(found, waits, 1e-6):
        return not_yet("As many waits as there should be, but not the same ones.")
    if max(lengths) > N_ROWS:
        return not_yet(f"A chunk has {max(lengths)} rows; no more than {N_ROWS} were asked for.")
    if len(again) != len(once):
        return not_yet(f"The first pass has {len(once)} chunks, the second {len(again)}.")
    if is_list:
        return not_yet("Right in number, but a list holds all chunks at once. Read as you go.")
    return right("One chunk at a time, as often as EM asks. Any reader will do in its place.")


def is_text(chunk):
    """Whether a chunk is lines of a file as they are, which `fit_chunks` does not take."""
    rows = chunk if isinstance(chunk, (list, tuple)) else [chunk]
    kind = getattr(getattr(chunk, "dtype", None), "kind", "")
    return kind == "U" or any(isinstance(row, str) for row in rows)


def left_of_the_start(shares: list[float] | None) -> Verdict:
    """Share of the averages that is still from the start after 100 chunks, exponents 1 and 0.6."""

    def left(first, last):
        """The two shares left by the chunks from t = first to t = last."""
        t = np.arange(first, last + 1)
        return np.array([np.prod(1 - (t + 2.0) ** -alpha) for alpha in (1, 0.6)])

    slow, quick = expected = left(0, 99)
    last = left(99, 99)
    sums = [np.sum((np.arange(100) + 2.0) ** -alpha) for alpha in (1, 0.6)]
    hint = (
        "Two numbers: the product of 1 - (t + 2)**-alpha over t = 0, ..., 99, for alpha = 1 and "
        "0.6."
    )
    if is_near(shares, expected):
        hint = "As a guess it is, to a power of ten. Now by code. " + hint
    return judge(
        shares,
        expected,
        [
            ([quick, slow], "In the order 1, then 0.6, please."),
            ([101.0**-1, 101**-0.6], "Those are the last two shares eta of a new chunk."),
            (last, "That is what the last chunk alone leaves. All hundred leave a share of it."),
            ([x**100 for x in last], "The share changes from chunk to chunk: a product over t."),
            ([1 - slow, 1 - quick], "That share is *not* from the start any more."),
            (left(0, 98), "One chunk short: t goes from 0 to 99."),
            (left(0, 100), "One chunk too many: t goes from 0 to 99."),
            (left(1, 100), "t goes from 0 to 99, not from 1 to 100."),
            (100 * expected, "In percent, that is. As shares, please: between 0 and 1."),
            (np.log10(expected), "Those are the logarithms, to base 10, of the shares."),
            (np.log(expected), "Those are the logarithms of the shares."),
            (np.exp(-np.array(sums)), "exp(-eta) is 1 - eta for small eta only; multiply 1 - eta."),
            ([0, quick], "eta_0 is 2**-alpha, not 1: something is left."),
            ([0, 0], "eta_0 is 2**-alpha, not 1: something is left."),
        ],
        what="Two numbers, by code: for alpha = 1, then for 0.6.",
        hint=hint,
        because="For alpha = 1 it is 1/101: the start counts like one chunk among 101. For 0.6 it "
        "is gone, and so are the early chunks: quick to forget, and noisy.",
        rtol=5e-3,
    )


def is_near(answer, expected):
    """Whether each number is the expected one to a power of ten."""
    numbers = numbers_of(answer)
    if numbers is None or numbers.shape != expected.shape or not np.all(numbers > 0):
        return False
    return bool(np.all(np.abs(np.log10(numbers / expected)) <= 0.5))
