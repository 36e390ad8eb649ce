"""`make bench`: how soon `fit` and its peers have an answer, and how good it is.

Ours and scikit-learn take turns, seed by seed. Log-likelihoods are all computed by the same
function, from the parameters a peer returns; an end that `Fit.suspicious` names counts for nobody.
A peer that has used up its seconds on a piece of work gets no further seed, and a run that is then
under way is cut off; both are printed. The figures go to answers.json beside this file, the
picture to docs. `--quick` runs everything once on less data, to see that it runs.
"""

import argparse
import importlib.util
import json
import shutil
import subprocess
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from bench_kernel import has_mclust, machine, versions
from matplotlib.figure import Figure
from sklearn.mixture import GaussianMixture

import emtools
from emtools import Collapse, Mixture, MultivariateMixture, data
from emtools.starts import kmeans_plus_plus, quantiles

HERE = Path(__file__).resolve().parent
PICTURE = HERE.parents[1] / "docs" / "benchmark_answer.png"
N_SEEDS, N_STARTS = 10, 10
LARGE = 5_000  # observations; from here on a peer gets more seconds
SECONDS = {  # for all seeds of a small piece of work, of a large one
    "scikit-learn": (10, 30),
    "scikit-learn, tight": (15, 60),
    "gmmx": (10, 30),
    "mclust": (10, 20),
    "ten plain runs": (10, 30),
}
SAME = 1e-6  # nats: what differs by less is the same end
SLOW = 1000  # EM steps a start


class Piece(NamedTuple):
    """A piece of work."""

    name: str
    x: np.ndarray
    n_components: int


class Answer(NamedTuple):
    """What a peer found in one go, in how many seconds."""

    parameters: Any  # a mixture, or None: every start collapsed
    seconds: float
    n_steps: int | None = None  # of all starts together
    is_whole: bool = True  # False: cut off, so that seconds and steps are at least these


class Judged(NamedTuple):
    """An answer beside those of others."""

    seed: int
    seconds: float
    n_steps: int | None
    is_whole: bool
    log_likelihood: float  # -inf: none to believe


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], help="numbers of pieces of work, from 0")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # not converged: who ends rough shall end rough
    seeds, share = (range(1), 0.02) if options.quick else (range(N_SEEDS), 1)
    pieces = [*work(50 if options.quick else 1)]
    pieces = [pieces[int(i)] for i in options.only] or pieces
    figures = {"machine": machine(), "versions": versions() | peer_versions(), "pieces": []}
    for piece in pieces:
        found = compare(piece, seeds, share)
        figures["pieces"].append(as_figures(piece, found))
        print_piece(figures["pieces"][-1])
    figures["bounds"] = bounds(figures["pieces"])
    print_bounds(figures["bounds"])
    if options.quick or options.only:
        with tempfile.TemporaryDirectory() as folder:
            draw(figures["pieces"], Path(folder) / PICTURE.name)
    else:
        (HERE / "answers.json").write_text(json.dumps(figures, indent=1) + "\n")
        draw(figures["pieces"], PICTURE)


def work(size):
    """The twelve pieces; those that are drawn have an N that many times smaller."""
    for n_components in (2, 3, 4):
        yield Piece("waiting times", data.waiting(), n_components)
    yield Piece("galaxies", data.galaxies() / 1000, 4)
    yield Piece("acidity", data.acidity(), 3)
    yield Piece("iris", data.iris()[0], 3)
    yield Piece("Old Faithful", data.old_faithful(), 2)
    yield Piece("one bell", np.random.default_rng(7).normal(size=1000), 2)
    yield Piece("overlapping bells", bells(10_000 // size, 2, 5, 2.0, 0.5), 5)
    yield Piece("overlapping bells", bells(10_000 // size, 2, 8, 2.0, 0.5), 8)
    yield Piece("overlapping bells", bells(20_000 // size, 4, 6, 0.8, 0.15), 6)
    yield Piece("overlapping bells", three_bells(1_000_000 // size), 3)


def bells(n_samples, n_features, n_components, spread, variety):
    """Observations of K bells of different shapes that overlap."""
    rng = np.random.default_rng(n_components)
    means = rng.normal(0, spread, (n_components, n_features))
    shapes = variety * rng.normal(size=(n_components, n_features, n_features)) + np.eye(n_features)
    labels = rng.integers(n_components, size=n_samples)
    noise = rng.normal(size=(n_samples, n_features))
    return means[labels] + np.einsum("nij,nj->ni", shapes[labels], noise)


def three_bells(n_samples):
    """Numbers of three bells that overlap."""
    rng = np.random.default_rng(1)
    labels = rng.choice(3, size=n_samples, p=[0.4, 0.35, 0.25])
    return rng.normal(np.array([0, 2.5, 5.0])[labels], np.array([1, 1.5, 1])[labels])


def compare(piece, seeds, share):
    """What each peer found, seed by seed: {peer: [Judged, ...]}."""
    peers = {
        "emtools": ours,
        "scikit-learn": scikit_learn,
        "scikit-learn, tight": scikit_learn_tight,
        "ten plain runs": ten_plain_runs,
    }
    if has_mclust():
        peers["mclust"] = mclust
    if importlib.util.find_spec("gmmx"):
        peers["gmmx"] = gmmx
    is_large = len(piece.x) >= LARGE
    left = {name: seconds[is_large] * share for name, seconds in SECONDS.items()}
    found = {name: [] for name in peers}
    few = piece._replace(x=piece.x[:: max(1, len(piece.x) // 1000)])
    ours(few, 0, 1), scikit_learn(few, 0, 1)  # loads what they load when they are first called
    for seed in seeds:
        for name, run in peers.items():
            begin = time.perf_counter()
            if left.get(name, np.inf) > 0:
                answer = run(piece, seed, begin + left.get(name, np.inf))
                found[name].append(judged(piece, seed, answer))
                left[name] = left.get(name, np.inf) - answer.seconds
    return found


def judged(piece, seed, answer):
    """An answer with its log-likelihood, or -inf if it is none to believe."""
    log_likelihood = sane_log_likelihood(piece.x, answer.parameters)
    return Judged(seed, answer.seconds, answer.n_steps, answer.is_whole, log_likelihood)


def sane_log_likelihood(x, mixture):
    """In nats, by the same function for everybody; -inf for what has collapsed or is a spike."""
    if mixture is None:
        return -np.inf
    try:
        fit = emtools.fit(x, mixture, tol=0, max_iter=0)
    except ValueError:
        return -np.inf
    return -np.inf if fit.suspicious else fit.log_likelihood


def best_of(x, mixtures):
    """The highest of some mixtures that is sane, or None."""
    heights = [sane_log_likelihood(x, mixture) for mixture in mixtures]
    return mixtures[int(np.argmax(heights))] if max(heights, default=-np.inf) > -np.inf else None


def ours(piece, seed, _):
    """What a user types."""
    begin = time.perf_counter()
    fit = emtools.fit(piece.x, piece.n_components, rng=seed)
    return Answer(fit.parameters, time.perf_counter() - begin, fit.n_steps)


def scikit_learn(piece, seed, _):
    """Ten starts, all else as it comes."""
    X = piece.x.reshape(len(piece.x), -1)
    begin = time.perf_counter()
    model = GaussianMixture(piece.n_components, n_init=N_STARTS, random_state=seed).fit(X)
    return Answer(mixture_of(piece, model), time.perf_counter() - begin)


def scikit_learn_tight(piece, seed, deadline):
    """Ten starts to a tolerance at which its answers are comparable; each may collapse alone.

    It is asked for some iterations at a time, and goes on where it was, so that it can be cut off.
    """
    X = piece.x.reshape(len(piece.x), -1)
    options = {"tol": 1e-9, "reg_covar": 0, "warm_start": True}
    options["max_iter"] = 50 if len(X) > 100_000 else 200
    random_state = np.random.RandomState(seed)  # handed on from start to start, as n_init does it
    begin = time.perf_counter()
    n_steps, mixtures, is_late = 0, [], False
    for _ in range(N_STARTS):
        model = GaussianMixture(piece.n_components, random_state=random_state, **options)
        try:
            while not is_late and not getattr(model, "converged_", False):
                n_steps += model.fit(X).n_iter_
                is_late = time.perf_counter() > deadline
        except ValueError:  # a component has collapsed
            continue
        mixtures.append(mixture_of(piece, model))
        if is_late:
            break
    seconds = time.perf_counter() - begin
    return Answer(best_of(piece.x, mixtures), seconds, n_steps, not is_late)


def mixture_of(piece, model):
    """A fitted model of scikit-learn as a mixture for these observations."""
    return mixture_for(piece, model.weights_, model.means_, model.covariances_)


def mixture_for(piece, weights, means, covariances):
    """Arrays of shapes (K,), (K, D) and (K, D, D) as a mixture for these observations."""
    if piece.x.ndim == 1:
        return Mixture(weights, means[:, 0], np.sqrt(covariances[:, 0, 0]))
    return MultivariateMixture(weights, means, covariances)


def ten_plain_runs(piece, seed, deadline):
    """Ten starts as wide as the data, each followed by EM alone to where it ends."""
    begin = time.perf_counter()
    n_steps, mixtures, is_late = 0, [], False
    for start in wide_starts(piece, seed):
        run, steps, is_late = plain_run(piece.x, start, deadline)
        n_steps += steps
        mixtures += [] if run is None else [run.parameters]
        if is_late:
            break
    seconds = time.perf_counter() - begin
    return Answer(best_of(piece.x, mixtures), seconds, n_steps, not is_late)


def plain_run(x, start, deadline):
    """A run of EM in parts, so that it can be cut off; None if it collapses. And its steps."""
    n_steps, part = 0, 50 if len(x) > 100_000 else 2000
    while True:
        try:
            fit = emtools.fit(x, start, accelerate=False, max_iter=part)
        except Collapse as collapse:
            return None, n_steps + (collapse.iteration or 0), False
        n_steps, start = n_steps + fit.n_iter, fit
        if fit.converged or time.perf_counter() > deadline:
            return fit, n_steps, not fit.converged


def wide_starts(piece, seed):
    """k-means++ in units of the spread; in one dimension quantiles first."""
    rng = np.random.default_rng(seed)
    X = piece.x.reshape(len(piece.x), -1)
    spread = X.std(axis=0)
    means = [kmeans_plus_plus(X / spread, piece.n_components, rng) for _ in range(N_STARTS)]
    if piece.x.ndim == 1:
        means[0] = quantiles(X[:, 0] / spread, piece.n_components)[:, None]
    weights = np.full(piece.n_components, 1 / piece.n_components)
    covariances = np.stack([np.cov(X.T, bias=True).reshape(X.shape[1], -1)] * piece.n_components)
    return [mixture_for(piece, weights, m * spread, covariances) for m in means]


MCLUST = """
suppressMessages(library(mclust))
a <- commandArgs(TRUE); N <- as.integer(a[2]); D <- as.integer(a[3]); K <- as.integer(a[4])
f <- file(a[1], "rb"); X <- matrix(readBin(f, "double", N * D), N, byrow = TRUE); close(f)
data <- if (D == 1) X[, 1] else X
fit <- function(data) Mclust(data, G = K, modelNames = if (D == 1) "V" else "VVV", verbose = FALSE)
few <- try(fit(head(data, if (D == 1) 200 else NULL)), silent = TRUE) # compiles what it needs
set.seed(as.integer(a[5]))
begin <- as.numeric(Sys.time())
found <- fit(data)
cat(format(as.numeric(Sys.time()) - begin, digits = 9), "\\n")
p <- found$parameters
sigma <- if (D == 1) rep(p$variance$sigmasq, length.out = K) else p$variance$sigma
if (!is.null(found)) cat(format(c(p$pro, p$mean, sigma), digits = 17), "\\n")
"""


def mclust(piece, seed, _):
    """mclust's own way: hierarchical clustering of at most 2,000 observations, then EM."""
    X = piece.x.reshape(len(piece.x), -1)
    n_samples, n_features = X.shape
    n_components = piece.n_components
    with tempfile.NamedTemporaryFile() as file:
        file.write(np.ascontiguousarray(X).tobytes())
        file.flush()
        asked = [*map(str, (n_samples, n_features, n_components, seed))]
        asked = [shutil.which("Rscript"), "-e", MCLUST, file.name, *asked]
        lines = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split("\n")
    if not lines[1]:  # it found none
        return Answer(None, float(lines[0]))
    numbers = np.array(lines[1].split(), dtype=float)
    weights, rest = numbers[:n_components], numbers[n_components:]
    means = rest[: n_components * n_features].reshape(n_components, n_features)
    covariances = rest[means.size :].reshape(n_components, n_features, n_features)
    return Answer(mixture_for(piece, weights / weights.sum(), means, covariances), float(lines[0]))


def gmmx(piece, seed, _):
    """gmmx from ten starts, all else as it comes; in float32, since it takes nothing else."""
    from gmmx import EMFitter, GaussianMixtureModelJax

    X = piece.x.reshape(len(piece.x), -1).astype(np.float32)
    starts = []
    for start in wide_starts(piece, seed):
        means = start.means.reshape(piece.n_components, -1)
        parts = {"weights": start.weights, "means": means, "covariances": covariances_of(start)}
        parts = {name: part.astype(np.float32) for name, part in parts.items()}
        starts.append(GaussianMixtureModelJax.from_squeezed(**parts))
    EMFitter().fit(X, starts[0])  # compiles it for these shapes
    begin = time.perf_counter()
    fits = [EMFitter().fit(X, start) for start in starts]
    heights = [float(fit.log_likelihood) for fit in fits]  # waits until they are computed
    seconds = time.perf_counter() - begin
    mixtures = [
        in_float64(piece, fit.gmm) for fit, h in zip(fits, heights, strict=True) if np.isfinite(h)
    ]
    return Answer(best_of(piece.x, mixtures), seconds, sum(int(fit.n_iter) for fit in fits))


def in_float64(piece, model):
    """A model of gmmx as a mixture for these observations."""
    parts = model.weights_numpy, model.means_numpy, model.covariances.values_numpy
    weights, means, covariances = (np.asarray(part, dtype=float) for part in parts)
    covariances = (covariances + covariances.swapaxes(1, 2)) / 2
    return mixture_for(piece, weights / weights.sum(), means, covariances)


def covariances_of(mixture):
    """(K, D, D), of a mixture of either kind."""
    if isinstance(mixture, Mixture):
        return mixture.stds[:, None, None] ** 2
    return mixture.covariances


def peer_versions():
    """Of those that need not be there."""
    return {name: version(name) for name in ("gmmx", "jax") if importlib.util.find_spec(name)}


def as_figures(piece, found):
    """What was found on a piece of work, as numbers to keep."""
    n_features = 1 if piece.x.ndim == 1 else piece.x.shape[1]
    best = max(j.log_likelihood for all_seeds in found.values() for j in all_seeds)
    figures = {"name": piece.name, "N": len(piece.x), "D": n_features, "K": piece.n_components}
    figures |= {"best known": best, "peers": {}}
    for name, answers in found.items():
        below = [best - j.log_likelihood for j in answers]
        figures["peers"][name] = {
            "seeds": [j.seed for j in answers],
            "whole": [j.is_whole for j in answers],
            "seconds": [round(j.seconds, 6) for j in answers],
            "steps": [j.n_steps for j in answers],
            "nats below the best known": [round(b, 9) if b < np.inf else None for b in below],
            "found the best known": sum(b <= SAME for b in below),
        }
    return figures


def print_piece(figures):
    """A table of what each peer found."""
    name = "{name}, N = {N:,}, D = {D}, K = {K}: best known {best known:.7f}".format(**figures)
    print(f"\n{name}\n  {'':20}{'seconds':>10} {'(min to max)':>20} {'steps':>10}", end="")
    print("  median nats below the best known, and how often that was found")
    for name, peer in figures["peers"].items():
        seconds, steps = peer["seconds"], [s for s in peer["steps"] if s is not None]
        n_cut = peer["whole"].count(False)
        least = ">" if n_cut else ""
        turns = f"({min(seconds):.3g} to {max(seconds):.3g})"
        steps = f"{least}{median(steps):,.0f}" if steps else "-"
        cut = f", {n_cut} cut off" if n_cut else ""
        print(
            f"  {name:20}{least + format(median(seconds), '.3g'):>10} {turns:>20} {steps:>10}",
            end="",
        )
        print(f"  {median(below(peer)):.3g}; {peer['found the best known']}", end=" ")
        print(f"of {len(seconds)} seeds{cut}", flush=True)


def below(peer):
    """Nats below the best known for each seed; inf where no end was to be believed."""
    return [np.inf if b is None else b for b in peer["nats below the best known"]]


def bounds(pieces):
    """What the course asks of itself, what it hopes for, and what was measured."""
    rows, gained, ratios, longest = [], 0, [], (0, 1)

    def add(what, asked, hoped, measured, reached):
        row = {"what": what, "asked": asked, "aim": hoped, "measured": measured}
        rows.append(row | {"reached": "yes" if reached else "NO"})

    for piece in pieces:
        name = "{name}, N = {N:,}, D = {D}, K = {K}".format(**piece)
        mine, rough, tight, plain = (piece["peers"][peer] for peer in COMPARED)
        ratio = median(mine["seconds"]) / median(rough["seconds"])
        add(f"{name}: seconds / scikit-learn's", "1", "1/3", f"1/{1 / ratio:.3g}", ratio <= 1)
        for peer, found in (("tight", tight), ("ten plain runs", plain)):
            add(f"{name}: nats over {peer}", "no fewer", "", *told(gains(mine, found), found))
        gained += sum(gains(mine, tight))
        steps = median(mine["steps"])
        if median(plain["steps"]) > SLOW * N_STARTS or not any(plain["whole"]):
            ratios.append(steps / median(plain["steps"]))
        longest = max(longest, (max(mine["seconds"]), median(tight["seconds"])))
        asked = STEPS.get((piece["name"], piece["K"]))
        if asked:
            add(f"{name}: steps", f"{asked:,}", f"{asked // 2:,}", f"{steps:,.0f}", steps <= asked)
    add("nats over tight, all seeds", "", "> 0", f"{gained:.6g}", gained > 0)
    if ratios:
        said = f"1/{1 / median(ratios):.3g} (median of {len(ratios)} pieces)"
        add("steps / ten plain runs', if slow", "1/20", "1/50", said, median(ratios) <= 1 / 20)
    ratio = longest[0] / longest[1]
    said = f"1/{1 / ratio:.3g} ({longest[0]:.3g} s)"
    add("longest fit / tight on the same piece", "1/5", "1/20", said, ratio < 1 / 5)
    return rows


COMPARED = "emtools", "scikit-learn", "scikit-learn, tight", "ten plain runs"
STEPS = {  # at most, in all
    ("waiting times", 3): 1200,
    ("galaxies", 4): 700,
    ("acidity", 3): 700,
    ("one bell", 2): 3000,
}


def gains(mine, other):
    """How many nats mine are higher, for each seed that both have; of whole runs if there are any.

    Where the other has found nothing to believe, that counts as one nat.
    """
    of_mine = dict(zip(mine["seeds"], below(mine), strict=True))
    theirs = [*zip(other["seeds"], below(other), other["whole"], strict=True)]
    theirs = [one for one in theirs if one[2]] or theirs
    return [nats - of_mine[seed] if nats < np.inf else 1.0 for seed, nats, _ in theirs]


def told(found, other):
    """In how many seeds mine are lower and higher, the median, and whether that is well."""
    fewer, more = sum(g < -SAME for g in found), sum(g > SAME for g in found)
    cut = "" if any(other["whole"]) else ", cut off"
    said = f"lower {fewer}, higher {more}, median {median(found):.2g}{cut}"
    return said, fewer <= more and median(found) >= -SAME


def print_bounds(rows):
    """Asked, hoped for, measured, and whether it was reached."""
    print(f"\n{'':68}{'asked':>9} {'aim':>6}  measured")
    for row in rows:
        print("{what:68}{asked:>9} {aim:>6}  {measured:38} {reached}".format(**row))


LOOKS = {  # of each peer in the picture: its name there, colour, marker, size
    "emtools": ("emtools", "#D55E00", "o", 8),
    "scikit-learn": ("scikit-learn, ten starts", "#0072B2", "s", 6),
    "scikit-learn, tight": ("scikit-learn, ten starts to the end", "#56B4E9", "D", 6),
    "mclust": ("mclust", "#009E73", "^", 6),
}


def draw(pieces, path):
    """How long each peer takes, and how far below the best its answer is: a row for each piece."""
    figure = Figure(figsize=(10, 8), layout="constrained")
    time_ax, nats_ax = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
    for row, piece in enumerate(pieces):
        for ax in (time_ax, nats_ax):
            ax.axhspan(row - 0.5, row + 0.5, color="0.95" if row % 2 else "white", zorder=0)
        for place, (name, look) in enumerate(LOOKS.items()):
            if name in piece["peers"]:
                draw_peer(time_ax, nats_ax, row + (place - 1.5) / 5, piece["peers"][name], look)
    time_ax.set_yticks(range(len(pieces)), [work_of(piece) for piece in pieces])
    time_ax.set_ylim(len(pieces) - 0.5, -0.5)
    time_ax.set_xscale("log")
    time_ax.xaxis.set_major_formatter("{x:g}")
    time_ax.margins(x=0.08)
    time_ax.set_title("How long it takes", loc="left")
    time_ax.set_xlabel("seconds (arrow: stopped there, not finished)")
    ticks = {0: "0", 1e-4: "0.0001", 1e-2: "0.01", 1: "1", 100: "100"}
    nats_ax.set_xticks([*map(squeezed, ticks)], ticks.values())
    nats_ax.set_xlim(squeezed(0) - 0.5, squeezed(3000))
    nats_ax.axvline(squeezed(0), color="0.6", linewidth=1, zorder=1)
    nats_ax.set_title("How far the answer is from the best", loc="left")
    nats_ax.set_xlabel("log-likelihood below the best known, nats")
    for ax in (time_ax, nats_ax):
        ax.minorticks_off()
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
    handles = [
        time_ax.plot([], [], linestyle="", color=colour, marker=marker, markersize=size, label=name)
        for name, colour, marker, size in LOOKS.values()
    ]
    handles = [line for (line,) in handles]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path, dpi=110)


def draw_peer(time_ax, nats_ax, height, peer, look):
    """The median of its seeds, on a line from the least to the most; an arrow if it was cut off."""
    _, colour, marker, size = look
    seconds, nats = peer["seconds"], [squeezed(b) for b in below(peer) if b < np.inf]
    for ax, values in ((time_ax, seconds), (nats_ax, nats)):
        if values:
            ax.plot([min(values), max(values)], [height] * 2, color=colour, linewidth=1.5)
            ax.plot(median(values), height, color=colour, marker=marker, markersize=size, zorder=3)
    if not all(peer["whole"]):
        arrow = {"arrowstyle": "->", "color": colour, "linewidth": 1.5}
        place = {"xytext": (24, 0), "textcoords": "offset points", "va": "center"}
        arrow |= {"arrowstyle": "<-", "shrinkA": 0, "shrinkB": 0}
        time_ax.annotate("", (max(seconds), height), arrowprops=arrow, **place)


def squeezed(nats):
    """Where some nats stand on an axis that has a zero and is logarithmic above a millionth."""
    return max(np.log10(max(nats, SAME) / SAME), 0)


def work_of(piece):
    """What a row of the picture is about."""
    size = f"N = {piece['N']:,}" + (f", D = {piece['D']}" if piece["D"] > 1 else "")
    return f"{piece['name']}, K = {piece['K']}\n{size}"


if __name__ == "__main__":
    main()
