import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from augbench.datasets.rstream import RStream
from augbench.datasets.simulated import published_logistic_data

needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="Rscript is not installed")


def r_output(code: str, tmp_path: Path) -> np.ndarray:
    """Run R code that leaves its numbers in `out`; return them bit for bit."""
    script = tmp_path / "run.R"
    target = tmp_path / "out.bin"
    script.write_text(f'{code}\nwriteBin(as.double(out), "{target}", endian="little")\n')
    subprocess.run(["Rscript", "--vanilla", str(script)], check=True, capture_output=True, timeout=120)
    return np.fromfile(target, dtype="<f8")


def test_known_values() -> None:
    assert RStream(50).runif(3).round(7).tolist() == [0.7087271, 0.4376599, 0.2000049]
    assert (RStream(42).sample(10) + 1).tolist() == [1, 5, 10, 8, 2, 4, 6, 9, 7, 3]


@needs_r
@pytest.mark.parametrize("seed", [0, 1, 50, -7, 2147483647])
def test_every_call_consumes_what_r_consumes(seed: int, tmp_path: Path) -> None:
    """One stream through all kinds of call: a word too many or too few anywhere spoils all that follows."""
    code = f"""
    set.seed({seed}); out <- c(runif(5), runif(700, -2, 3))
    p <- c(0, 1, .5, runif(400), 1e-12, 1 - 1e-12)
    out <- c(out, rbinom(length(p), 1, p), runif(1))
    for (n in c(1, 2, 3, 16, 17, 1000, 65536, 65537, 131073)) {{
      out <- c(out, sample(n, min(n, 500)), runif(1), sample(n, 37, replace=TRUE), runif(1))
    }}
    out <- c(out, sample(3000), sample(5, 1), sample(5, 0), runif(1))
    """
    stream = RStream(seed)
    parts = [stream.runif(5), stream.runif(700, -2, 3)]
    p = np.r_[0, 1, 0.5, stream.runif(400), 1e-12, 1 - 1e-12]
    parts += [stream.rbinom(p), stream.runif(1)]
    for n in (1, 2, 3, 16, 17, 1000, 65536, 65537, 131073):
        parts += [stream.sample(n, min(n, 500)) + 1, stream.runif(1), stream.sample(n, 37, True) + 1, stream.runif(1)]
    parts += [stream.sample(3000) + 1, stream.sample(5, 1) + 1, stream.sample(5, 0) + 1, stream.runif(1)]
    np.testing.assert_array_equal(np.concatenate(parts), r_output(code, tmp_path))


@needs_r
@pytest.mark.parametrize(("seed", "n", "m", "keep"), [(100, 1237, 411, 0.0201), (51, 20011, 3, 0.0005)])
def test_published_order_of_calls(seed: int, n: int, m: int, keep: float, tmp_path: Path) -> None:
    code = f"""
    invlogit <- function(x) 1 / (1 + exp(-x))
    set.seed({seed}); k <- 10; bet <- c(1,1.5,2,2.5,0,-1,-1.5,-2,-2.5,0)
    xTR <- matrix(runif({n}*k), ncol=k); yTR <- rbinom({n}, 1, invlogit(xTR%*%bet))
    xTS <- matrix(runif({m}*k), ncol=k); yTS <- rbinom({m}, 1, invlogit(xTS%*%bet))
    rows1 <- which(yTR == 1); kept <- sample(length(rows1), {keep}*length(rows1))
    unused <- sample(1:(sum(yTR == 0) + length(kept)))
    over <- sample(length(kept), length(rows1), replace=TRUE)
    out <- c(t(xTR), yTR, t(xTS), yTS, rows1[kept] - 1, over - 1)
    """
    data = published_logistic_data(seed, keep, n_train=n, n_test=m)
    ours = [data.X_train.ravel(), data.y_train, data.X_test.ravel(), data.y_test, data.kept, data.oversampled]
    np.testing.assert_array_equal(np.concatenate(ours), r_output(code, tmp_path))


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 5000])
def test_smaller_sample_begins_the_larger_one(n: int) -> None:
    whole = RStream(3).sample(n)
    assert sorted(whole.tolist()) == list(range(n))
    for size in {0, 1, n // 2, n}:
        assert RStream(3).sample(n, size).tolist() == whole[:size].tolist()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.sample(0), "n must be positive"),
        (lambda s: s.sample(3, 4), "cannot take 4 of 3"),
        (lambda s: s.sample(10**8, 1), "at most"),
        (lambda s: s.rbinom(np.array([0.5, 1.5])), r"\[0, 1\]"),
        (lambda s: s.rbinom(np.array([np.nan])), r"\[0, 1\]"),
        (lambda s: RStream(2**31), "32-bit"),
    ],
)
def test_refused(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(RStream(1))
