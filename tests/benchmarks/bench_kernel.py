"""`make bench`: the kernel behind `fit` against its peers, on the same work in the same run.

Milliseconds an iteration, by the difference of a long and a short fit from the same start, so that
reading, checking and starting cost nobody anything. Peers take turns, and the ratio is the median
over the turns. The figures go to figures.json beside this file, the picture to docs.
`--quick` runs everything once on less data, to see that it runs.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numba import njit
from sklearn.mixture import GaussianMixture

import emtools
from emtools import Mixture, MultivariateMixture, kernel
from emtools.scale import chunks

HERE = Path(__file__).resolve().parent
PICTURE = HERE.parents[1] / "docs" / "benchmark.png"
WORK = {  # N, D, K: times faster than scikit-learn that the course asks of itself, and hopes for
    (1_000_000, 1, 2): (25, 40),
    (1_000_000, 1, 5): (18, 30),
    (2_000, 1, 2): (8, 15),
    (100_000, 2, 3): (12, 25),
    (200_000, 8, 8): (10, 20),
    (100_000, 16, 16): (8, 12),
}
SECONDS = 0.6  # how much longer than the short fit the long one should take


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # scikit-learn's: not converged, which is the point
    size, turns = (50, 1) if options.quick else (1, options.turns)
    figures = {
        "machine": machine(),
        "versions": versions(),
        "fits": [compare(*work, size, turns) for work in WORK],
        "floor": floor(1_000_000 // size, turns),
        "floor without AVX-512": without_avx_512("floor", 1_000_000 // size, turns),
        "growth": growth(10_000_000 // size),
        "file": file_and_memory(100_000_000 // size),
        "dask": one_worker_or_two(20_000_000 // size),
    }
    for key in ("floor", "floor without AVX-512", "growth", "file", "dask"):
        print(key, json.dumps(figures[key], indent=1))
    if not options.quick:
        (HERE / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
        draw(figures)


def compare(n_samples, n_features, n_components, size, turns):
    """Milliseconds an iteration of each peer on one piece of work, and the ratios to ours."""
    X, start = problem(max(n_samples // size, 1000), n_features, n_components)
    peers = {"emtools": ours, "scikit-learn": scikit_learn}
    if n_features == 1:
        peers["numba loop"] = numba_loop
    if has_mclust():
        peers["mclust"] = mclust
    means = {name: run(X, start, [3])[1] for name, run in peers.items()}  # compiles the loop, too
    for name in peers:  # the same iterates, or there is nothing to compare
        np.testing.assert_allclose(means[name], means["emtools"], rtol=1e-6, err_msg=name)
    counts = {name: counts_for(run, X, start) for name, run in peers.items()}
    times = [
        {name: milliseconds(run, X, start, counts[name]) for name, run in peers.items()}
        for _ in range(turns)
    ]
    found = {"N": len(X), "D": n_features, "K": n_components, "milliseconds": {}, "ratio": {}}
    for name in peers:
        found["milliseconds"][name] = round(statistics.median(t[name] for t in times), 4)
        ratios = [t[name] / t["emtools"] for t in times]
        found["ratio"][name] = [round(f(ratios), 2) for f in (statistics.median, min, max)]
    asked, hoped = WORK[n_samples, n_features, n_components]
    print(f"N = {len(X):,}, D = {n_features}, K = {n_components} (asked {asked} x, aim {hoped} x)")
    for name in peers:
        median, lowest, highest = found["ratio"][name]
        print(f"  {name:13} {found['milliseconds'][name]:10.4g} ms  {median:6.3g} x", end="")
        print(f"  (turns {lowest:.3g} to {highest:.3g})", flush=True)
    return found


def problem(n_samples, n_features, n_components):
    """Observations of K bells of width 1 that overlap, and a start a little beside their means."""
    rng = np.random.default_rng(n_features + 10 * n_components)
    means = rng.normal(0, 4 / np.sqrt(n_features), (n_components, n_features))
    X = means[rng.integers(n_components, size=n_samples)] + rng.normal(size=(n_samples, n_features))
    weights = np.full(n_components, 1 / n_components)
    return X, MultivariateMixture(
        weights, means + 0.3, np.tile(np.eye(n_features), (n_components, 1, 1))
    )


def counts_for(run, X, start):
    """Iterations of a short and a long fit that differ by about SECONDS."""
    (short, long), _ = run(X, start, [2, 6])
    return 2, 2 + int(np.clip(SECONDS / max((long - short) / 4, 1e-6), 4, 5000))


def milliseconds(run, X, start, counts):
    """One iteration, by the difference of two fits."""
    (short, long), _ = run(X, start, counts)
    done = min(counts[1], 12) if run is mclust else counts[1]
    return (long - short) / (done - counts[0]) * 1e3


def timed(fit, counts):
    """Seconds of a fit of each of these numbers of iterations, and the last one's means."""
    seconds = []
    for count in counts:
        begin = time.perf_counter()
        means = fit(count)
        seconds.append(time.perf_counter() - begin)
    return seconds, np.reshape(means, (-1,))


def ours(X, start, counts):
    if X.shape[1] == 1:
        X, start = X[:, 0], Mixture(start.weights, start.means[:, 0], np.ones(len(start.means)))
    return timed(lambda n: emtools.fit(X, start, tol=0, max_iter=n).parameters.means, counts)


def scikit_learn(X, start, counts):
    def fit(n):
        model = GaussianMixture(
            len(start.weights),
            weights_init=start.weights,
            means_init=start.means,
            precisions_init=np.linalg.inv(start.covariances),
            tol=0,
            reg_covar=0,
            max_iter=n,
        )
        return model.fit(X).means_

    return timed(fit, counts)


def numba_loop(X, start, counts):
    return timed(lambda n: compiled(X[:, 0], start.weights, start.means[:, 0], n), counts)


@njit
def compiled(x, weights, means, n_iter):
    """One pass of a compiled loop an iteration, in log space, log-likelihood included."""
    n_components = len(weights)
    stds = np.ones(n_components)
    joint = np.empty(n_components)
    for _ in range(n_iter):
        log_peaks = np.log(weights) - np.log(stds) - np.log(2 * np.pi) / 2
        counts, sums, squares = np.zeros((3, n_components))
        log_likelihood = 0.0
        for x_n in x:
            highest = -np.inf
            for k in range(n_components):
                joint[k] = log_peaks[k] - 0.5 * ((x_n - means[k]) / stds[k]) ** 2
                highest = max(highest, joint[k])
            total = 0.0
            for k in range(n_components):
                joint[k] = np.exp(joint[k] - highest)
                total += joint[k]
            log_likelihood += highest + np.log(total)
            for k in range(n_components):
                share = joint[k] / total
                counts[k] += share
                sums[k] += share * (x_n - means[k])
                squares[k] += share * (x_n - means[k]) ** 2
        shifts = sums / counts
        weights, means = counts / len(x), means + shifts
        stds = np.sqrt(squares / counts - shifts**2)
    return means


MCLUST = """
suppressMessages(library(mclust))
a <- commandArgs(TRUE); N <- as.integer(a[2]); D <- as.integer(a[3]); K <- as.integer(a[4])
f <- file(a[1], "rb")
X <- matrix(readBin(f, "double", N * D), N, byrow = TRUE)
means <- matrix(readBin(f, "double", K * D), D)
close(f)
one <- if (D == 1) list(modelName = "V", d = 1, G = K, sigmasq = rep(1, K)) else
  list(modelName = "VVV", d = D, G = K, sigma = array(diag(D), c(D, D, K)),
       cholsigma = array(diag(D), c(D, D, K)))
data <- if (D == 1) X[, 1] else X
mean <- if (D == 1) means[1, ] else means
for (n in as.integer(a[-(1:4)])) {
  control <- emControl(eps = 0, tol = c(0, 0), itmax = c(n, n))
  least <- Inf
  for (i in 1:(if (N < 10000) 50 else 1)) {
    begin <- as.numeric(Sys.time())
    found <- em(data, modelName = one$modelName, control = control, warn = FALSE,
                parameters = list(pro = rep(1 / K, K), mean = mean, variance = one))
    least <- min(least, as.numeric(Sys.time()) - begin)
  }
  cat(format(least, digits = 9), "\\n")
}
cat(format(as.vector(found$parameters$mean), digits = 17), "\\n")
"""


def has_mclust():
    if not shutil.which("Rscript"):
        return False
    asked = ["Rscript", "-e", "stopifnot(requireNamespace('mclust', quietly = TRUE))"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def mclust(X, start, counts):
    """mclust's em, timed inside R; at most 12 iterations, since it stops when it has arrived."""
    counts = [min(count, 12) for count in counts]
    with tempfile.NamedTemporaryFile() as file:
        file.write(X.tobytes() + start.means.tobytes())
        file.flush()
        sizes = map(str, (*X.shape, len(start.means), *counts))
        asked = ["Rscript", "-e", MCLUST, file.name, *sizes]
        lines = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split("\n")
    return [float(line) for line in lines[: len(counts)]], np.fromstring(
        lines[len(counts)], sep=" "
    )


def floor(n_samples, turns):
    """Our step in units of its one exponential an observation, at NumPy's own speed.

    In one thread by the time of the processor, which others on the machine disturb less.
    """
    values, out = np.random.default_rng(0).uniform(-5, 0, 16_384), np.empty(16_384)
    exponentials, steps = [], []
    for _ in range(turns):
        exponential = least(lambda: np.exp(values, out=out), clock=time.process_time)
        exponentials.append(1e9 * exponential / len(values))
        one = seconds_a_step(n_samples, 1, 20, clock=time.process_time)
        steps.append([1e9 * s / n_samples for s in (one, seconds_a_step(n_samples, None, 20))])
    exponential, (one, all_threads) = min(exponentials), np.min(steps, axis=0).tolist()
    return {
        "an exponential, ns": round(exponential, 2),
        "a step in one thread, ns an observation": round(one, 2),
        "one thread, times the floor": round(one / exponential, 2),
        "all threads, times the floor": round(all_threads / exponential, 2),
    }


def without_avx_512(function, *arguments):
    """What a function here gives where NumPy may not use AVX-512; None if it does not anyway."""
    names = [name for name in vector_instructions() if is_avx_512(name)]
    if not names:
        return None
    code = f"import bench_kernel, json; print(json.dumps(bench_kernel.{function}(*{arguments})))"
    environment = os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(names)}
    asked = {"capture_output": True, "text": True, "check": True, "cwd": HERE}
    child = subprocess.run([sys.executable, "-c", code], env=environment, **asked)
    return json.loads(child.stdout)


def seconds_a_step(n_samples, n_threads, times, clock=time.perf_counter):
    """The quickest of some steps of the kernel in one dimension, K = 2."""
    X, start = problem(n_samples, 1, 2)
    step = kernel.step_on(X, None, "full", n_threads)
    return least(lambda: step(start), times, clock)


def least(work, times=200, clock=time.perf_counter):
    """The shortest of some repetitions, in seconds."""
    seconds = []
    for _ in range(times):
        begin = clock()
        work()
        seconds.append(clock() - begin)
    return min(seconds)


def growth(most):
    """Milliseconds a step for N from 1e4 to 1e7, and the slope of their logarithms."""
    sizes = [most // 1000, most // 100, most // 10, most]
    found = {"N": sizes}
    for name, n_threads in {"one thread": 1, "all threads": None}.items():
        times = [seconds_a_step(size, n_threads, max(7, most // size // 10)) for size in sizes]
        slope = np.polyfit(np.log(sizes), np.log(times), 1)[0]
        found[name] = {"exponent": round(slope, 3)}
        found[name]["milliseconds"] = [round(t * 1e3, 4) for t in times]
    return found


CHILD = """
import sys, time
from pathlib import Path
import numpy as np
from emtools import Mixture, MultivariateMixture, kernel
from emtools.scale import chunks

def peak():  # of this program alone: what getrusage says would hold the parent's, too
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM"))

path, way = sys.argv[1:]
base = peak()
if way == "file":
    start = Mixture(np.full(2, .5), np.array([.3, 3.5]), np.ones(2))
    fits = {}
    for n in (2, 12):
        begin = time.perf_counter()
        chunks.fit_file(path, start, tol=0, max_iter=n)
        fits[n] = time.perf_counter() - begin
    seconds = (fits[12] - fits[2]) / 10
else:
    x = np.load(path)
    step = kernel.step_on(x[:, None], None, "full")
    mixture = MultivariateMixture(np.full(2, .5), np.array([[.3], [3.5]]), np.ones((2, 1, 1)))
    step(mixture)
    begin = time.perf_counter()
    for _ in range(10):
        mixture, _ = step(mixture)
    seconds = (time.perf_counter() - begin) / 10
print(seconds, (peak() - base) / 1024)
"""


def file_and_memory(n_samples):
    """Seconds an iteration of a .npy file, mapped and in memory, and the map's peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        x = np.lib.format.open_memmap(path, "w+", np.float64, (n_samples,))
        rng = np.random.default_rng(0)
        for part in np.array_split(x, max(1, n_samples // 1_000_000)):
            part[:] = rng.normal(size=len(part)) + 4 * rng.integers(2, size=len(part))
        x.flush()
        del x, part
        asked = [[sys.executable, "-c", CHILD, str(path), way] for way in ("file", "memory")]
        outputs = [
            subprocess.run(a, capture_output=True, text=True, check=True).stdout for a in asked
        ]
    (mapped, peak), (held, _) = [tuple(map(float, output.split())) for output in outputs]
    return {
        "N": n_samples,
        "seconds, mapped": round(mapped, 4),
        "seconds, in memory": round(held, 4),
        "rate, mapped / in memory": round(held / mapped, 3),
        "peak memory over the interpreter's, MB": round(peak, 1),
    }


def one_worker_or_two(n_samples, n_chunks=16):
    """Seconds an iteration with one Dask worker, with two, and in one process without Dask."""
    import dask
    from dask.distributed import Client, LocalCluster

    start = Mixture(np.full(2, 0.5), np.array([0.3, 3.5]), np.ones(2))
    found, means = {"N": n_samples, "chunks": n_chunks}, {}

    def measured(name, fit, chunks):
        """The difference of a long fit and a short one: without the preparations of either."""
        seconds = []
        for n_iter in (5, 25) * 5:
            begin = time.perf_counter()
            means[name] = fit(chunks, start, tol=0, max_iter=n_iter).parameters.means
            seconds.append(time.perf_counter() - begin)
        found[name] = round(np.median(np.subtract(seconds[1::2], seconds[::2])) / 20, 4)

    for n_workers, name in ((1, "seconds, one worker"), (2, "seconds, two workers")):
        options = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": None}
        with LocalCluster(**options) as cluster, Client(cluster):
            made = [dask.delayed(drawn)(i, n_samples // n_chunks) for i in range(n_chunks)]
            measured(name, chunks.fit_dask, dask.persist(*made))
    parts = [drawn(i, n_samples // n_chunks) for i in range(n_chunks)]
    measured("seconds, one process without Dask", chunks.fit_chunks, parts)
    one, two, none = means.values()
    found["two workers, times one"] = round(
        found["seconds, one worker"] / found["seconds, two workers"], 2
    )
    found["largest relative difference of means"] = float(
        max(np.abs(two / one - 1).max(), np.abs(none / one - 1).max())
    )
    return found


def drawn(seed, n_samples):
    """A chunk of observations, the same wherever it is drawn."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=n_samples) + 4 * rng.integers(2, size=n_samples)


def machine():
    """What the figures depend on and can be said without naming anybody's machine."""
    names = [line for line in cpu_lines() if line.startswith("model name")]
    return {
        "processor": names[0].split(":")[1].strip() if names else platform.machine(),
        "processors": os.cpu_count(),
        "vector instructions": vector_instructions(),
        "system": platform.system(),
        "load before": round(os.getloadavg()[0], 2),
    }


def vector_instructions():
    """What NumPy has found here beyond what it takes for granted."""
    return np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])


def is_avx_512(name):
    """Whether these are the instructions with which NumPy takes many float64 exponentials."""
    return name == "X86_V4" or name.startswith("AVX512")


def cpu_lines():
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def versions():
    """Of Python and every package that takes part."""
    found = {
        name: version(name) for name in ("em-course", "numpy", "scikit-learn", "numba", "dask")
    }
    if has_mclust():
        asked = ["Rscript", "-e", "cat(format(packageVersion('mclust')))"]
        found["mclust"] = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return {"python": platform.python_version()} | found


def draw(figures):
    """How many times longer than ours each peer takes: one row for each piece of work."""
    fits = figures["fits"]
    peers = {"numba loop": "#E69F00", "mclust": "#CC79A7", "scikit-learn": "#0072B2"}
    ax = Figure(figsize=(8, 4.6), layout="constrained").subplots()
    ax.axvline(1, color="black", linewidth=1.5)
    for row, fit in enumerate(fits):
        for (name, colour), shift in zip(peers.items(), (-0.24, 0, 0.24), strict=True):
            if name in fit["ratio"]:
                ratio = fit["ratio"][name][0]
                ax.plot([1, ratio], [row + shift] * 2, color=colour, linewidth=1.5)
                ax.plot(ratio, row + shift, "o", color=colour, markersize=6, label=name)
                place = (max(1, ratio), row + shift)
                text = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
                ax.annotate(label(name, fit, ratio), place, fontsize=9, **text)
    ax.set_yticks(range(len(fits)), [work_of(fit) for fit in fits])
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.set_xlim(0.3, 180)
    ax.set_xticks([0.5, 1, 2, 5, 10, 20, 50], ["0.5", "1", "2", "5", "10", "20", "50"])
    ax.minorticks_off()
    ax.set_xlabel("times as long as emtools for one iteration, log-likelihood included")
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.set_title(title(figures["machine"]), loc="left", fontsize=10)
    ax.figure.savefig(PICTURE, dpi=130)


def title(machine):
    """The processor that was measured on, and what its speed depends on most."""
    found = any(map(is_avx_512, machine["vector instructions"]))
    avx_512 = "with AVX-512" if found else "without AVX-512"
    return f"{machine['processor']} {avx_512}, {machine['processors']} processors"


def work_of(fit):
    """What a row of the picture is about, with our own time."""
    ours = fit["milliseconds"]["emtools"]
    return f"N = {fit['N']:,}, D = {fit['D']}, K = {fit['K']}\nemtools: {ours:.2g} ms"


def label(name, fit, ratio):
    """A peer's name, its ratio to ours and its time."""
    times = f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"
    time = fit["milliseconds"][name]
    return f"{name} {times} ({time:.2g} ms)" if time < 10 else f"{name} {times} ({time:.0f} ms)"


if __name__ == "__main__":
    main()
