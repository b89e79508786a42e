import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from augbench import methods
from augbench.methods.neural import batches, training
from augbench.methods.neural.batches import Source
from augbench.methods.neural.networks import VAE, PredictiveVAE, PublishedPredictiveVAE, Shape
from augbench.methods.neural.training import Schedule, TrainingSet, stack_width, train
from augbench.progress import listening

COLUMNS = 4
SIZES = (20, 24, 100, 500)


def build_vae(generators):
    return VAE(generators, Shape(COLUMNS, (), 2, (7, 5)), 1.0)


def build_wide(generators):
    return VAE(generators, Shape(COLUMNS, (), 2, (64, 64), "bernoulli", n_conditions=2), 1.0)


def build_published(generators):
    return PublishedPredictiveVAE(generators, Shape(COLUMNS, (), 2, (10, 10), "mse"), (1.0, -0.5, 0.1))


def build_predictive(generators):
    return PredictiveVAE(generators, Shape(COLUMNS, (), 2, (6,), "mse"), (1.0, 0.01, 0.1), 2)


BUILDS = [build_vae, build_wide, build_published, build_predictive]


def one_set(n, seed, held=0, data_seed=None, **more):
    rng = np.random.default_rng(seed if data_seed is None else data_seed)
    x = rng.beta(2, 2, size=(n, COLUMNS))
    x[:, 1] = 0.5 * (x[:, 0] + x[:, 1])
    rows = rng.permutation(n)
    split = {"pool": rows[held:], "validation": rows[:held]} if held else {}
    return TrainingSet(x, (x[:, 0] > 0.5).astype(int), seed, f"set {seed}", **split, **more)


def weights(trained):
    return [one.detach().numpy() for one in trained.network.parameters()]


def assert_same_bits(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        assert a.tobytes() == b.tobytes()
    assert one.history.equals(other.history)
    assert (one.name, one.steps, one.diverged) == (other.name, other.steps, other.diverged)


def assert_close(one, other, tolerance=1e-12):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
    assert one.history.columns.tolist() == other.history.columns.tolist()
    np.testing.assert_allclose(one.history.drop(columns="model"), other.history.drop(columns="model"), atol=1e-11)
    assert (one.name, one.steps) == (other.name, other.steps)


@pytest.mark.filterwarnings("ignore:training diverged")
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("batch_size", [20, 24, 33])
def test_what_the_others_contain_moves_no_bit(build, n, batch_size):
    rng = np.random.default_rng(0)
    schedule = Schedule(25, batch_size)
    for position, R in ((0, 2), (3, 7)):
        mine = one_set(n, 100)
        others = [one_set(m, seed) for seed, m in enumerate((20, 24, 100, 500, 20, 24)[: R - 1])]
        noise = [
            TrainingSet(1e3 * rng.standard_normal((m, COLUMNS)), rng.integers(2, size=m), int(rng.integers(2**60)))
            for m in (500, 3, 77, 20, 1, 24)[: R - 1]
        ]
        results = [
            train(build, [*some[:position], mine, *some[position:]], schedule)[position] for some in (others, noise)
        ]
        assert_same_bits(*results)
        assert not results[0].diverged


@pytest.mark.parametrize("build", BUILDS)
def test_nor_when_the_others_break_or_stop_at_other_times(build):
    schedule = Schedule(60, 20, patience=2, check_every=7, early=10)
    results = []
    for others in (
        [one_set(90, 1, held=70), one_set(20, 2, held=2)],
        [one_set(20, 3, held=1, steps=33), one_set(500, 4, held=130)],
    ):
        results.append(train(build, [others[0], one_set(30, 100, held=9), others[1]], schedule)[1])
    broken = one_set(90, 1, held=70)
    broken.x[:] = np.nan
    with pytest.warns(UserWarning, match="training diverged .*: set 1$"):
        results.append(train(build, [broken, one_set(30, 100, held=9), one_set(20, 2, held=2)], schedule)[1])
    for one in results[1:]:
        assert_same_bits(results[0], one)
        for a, b in zip(one.early.parameters(), results[0].early.parameters(), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("patience", [0, 2])
def test_alone_equals_in_a_stack(monkeypatch, build, patience):
    # Adam on the published loss, which rewards the KL divergence, multiplies rounding errors without bound
    optimizer = "rmsprop" if build is build_published else "adam"
    schedule = Schedule(130, 20, 3e-3, optimizer, patience=patience, check_every=10, early=15, dtype="float64")
    sets = [one_set(n, seed, held=n // 4) for seed, n in enumerate(SIZES)]
    together = train(build, sets, schedule)
    # one replicate draws ahead for more steps than a stack; so do short budgets
    monkeypatch.setattr(batches, "STEPS_AHEAD", 9)
    for one, stacked in zip(sets, together, strict=True):
        alone = train(build, [one], schedule)[0]
        assert_close(alone, stacked)
        for a, b in zip(alone.early.parameters(), stacked.early.parameters(), strict=True):
            np.testing.assert_allclose(a.detach(), b.detach(), rtol=0, atol=1e-12)
    initial = build([np.random.default_rng(0)])
    assert [one.shape for one in together[0].network.parameters()] == [one.shape for one in initial.parameters()]


HASH = """
import numpy as np, sys, hashlib, torch
from augbench.methods.neural.networks import VAE, Shape
from augbench.methods.neural.training import Schedule, TrainingSet, train
torch.set_num_threads(int(sys.argv[1]))
rng = np.random.default_rng(0)
sets = [TrainingSet(rng.random((n, 4)), np.zeros(n, int), n) for n in (20, 24, 100, 33)]
done = train(lambda g: VAE(g, Shape(4, (), 2, (64, 64)), 1.0), sets, Schedule(30, 20))
weights = [p.detach().numpy().tobytes() for one in done for p in one.network.parameters()]
print(hashlib.sha256(b"".join(weights)).hexdigest())
"""


def test_same_bits_in_every_process_whatever_its_threads():
    rng = np.random.default_rng(0)
    sets = [TrainingSet(rng.random((n, 4)), np.zeros(n, int), n) for n in (20, 24, 100, 33)]
    done = train(lambda g: VAE(g, Shape(4, (), 2, (64, 64)), 1.0), sets, Schedule(30, 20))
    here = hashlib.sha256(b"".join(one.tobytes() for each in done for one in weights(each))).hexdigest()
    other = subprocess.run([sys.executable, "-c", HASH, "2"], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == here


def test_one_thread_trains_and_threads_are_given_back_also_after_an_error():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    heard = []
    try:
        with listening(lambda *_: heard.append(torch.get_num_threads())):
            train(build_vae, [one_set(20, 0)], Schedule(3))
        assert heard == [1]
        assert torch.get_num_threads() == 2
        with pytest.raises(ValueError, match="optimizer must be 'adam' or 'rmsprop', not 'sgd'"):
            train(build_vae, [one_set(20, 0)], Schedule(3, optimizer="sgd"))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_what_a_trained_network_gives_does_not_depend_on_threads():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3000, 20)), np.repeat([0, 1], [2900, 100])
    before = torch.get_num_threads()
    given = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            detector = methods.AutoencoderDetector(steps=20, hidden=[64], random_state=0).fit(X, y)
            rows = methods.VAE(steps=20, hidden=[64, 64], random_state=0).fit_resample(X, y)[0]
            given.append((detector.score_samples(X), detector.threshold_, rows.to_numpy()))
    finally:
        torch.set_num_threads(before)
    for one, other in zip(*given, strict=True):
        assert np.array_equal(one, other)


def plain_adam(plain):
    return plain.PlainVAE(COLUMNS, (), 2, (7, 5)), lambda p: torch.optim.Adam(p, lr=1e-3)


def plain_rmsprop(plain):
    network = plain.PlainPublished(COLUMNS, 2, (10, 10), (1.0, -0.5, 0.1))
    return network, lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.9, eps=1e-7)


@pytest.mark.parametrize(("build", "reference"), [(build_vae, plain_adam), (build_published, plain_rmsprop)])
def test_training_is_that_of_a_plain_module(plain, build, reference):
    optimizer = "adam" if build is build_vae else "rmsprop"
    schedule = Schedule(60, 13, learning_rate=1e-3, optimizer=optimizer, dtype="float64")
    sets = [one_set(n, n) for n in (20, 33, 50)]
    done = train(build, sets, schedule)
    for r, one in enumerate(sets):
        network, make = reference(plain)
        plain.copy_of(build([np.random.default_rng([0, one.seed])]), 0, network)
        step_of = make(network.parameters())
        noises = build([np.random.default_rng(0)]).noises()
        for step, batch in enumerate(Source([one], noises, schedule).batches(60)):
            step_of.zero_grad()
            parts = network.losses(batch.x[0].T, batch.y[0], plain.rows_first(batch.noise, 0))
            parts["loss"].backward()
            step_of.step()
            for name, value in parts.items():
                assert done[r].history[name][step] == pytest.approx(value.item(), rel=1e-8, abs=1e-10)
        for mine, stacked in zip(network.parameters(), done[r].network.parameters(), strict=True):
            np.testing.assert_allclose(stacked[0].detach().reshape(mine.shape), mine.detach(), rtol=0, atol=1e-9)


def test_seeds_decide_and_differ():
    same_rows = [one_set(30, seed, data_seed=0) for seed in (1, 2, 1)]
    one, other, again = train(build_vae, same_rows, Schedule(20, 8, dtype="float64"))
    assert_close(one, again)
    assert np.abs(weights(one)[1] - weights(other)[1]).max() > 0.1
    assert_same_bits(*(train(build_vae, [one_set(30, 1)], Schedule(20, 8))[0] for _ in range(2)))


def test_step_budgets_of_their_own():
    schedule = Schedule(60, 20, dtype="float64", early=20)
    budgets = (None, 0, 1, 17, 230)
    sets = [one_set(30, seed, steps=steps) for seed, steps in enumerate(budgets)]
    done = train(build_vae, sets, schedule)
    assert [one.steps for one in done] == [60, 0, 1, 17, 230]
    assert [one.history["step"].max() if len(one.history) else 0 for one in done] == [60, 0, 1, 17, 230]
    for one, stacked in zip(sets, done, strict=True):
        alone = train(build_vae, [one], schedule)[0]
        for a, b in zip(weights(alone), weights(stacked), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)
    untrained = build_vae([np.random.default_rng([0, sets[1].seed])])
    for a, b in zip(weights(done[1]), untrained.parameters(), strict=True):
        assert np.array_equal(a, b.detach())
    # early weights are those after 20 steps, or the last
    after_20 = train(build_vae, sets[:1], Schedule(20, 20, dtype="float64"))[0]
    for a, b in zip(done[0].early.parameters(), weights(after_20), strict=True):
        np.testing.assert_allclose(a.detach(), b, rtol=0, atol=1e-12)
    for a, b in zip(done[3].early.parameters(), weights(done[3]), strict=True):
        assert np.array_equal(a.detach(), b)


def validation_loss(trained, one):
    rows = one.validation
    x = torch.from_numpy(one.x[rows].T)[None].to(next(trained.network.parameters()).dtype)
    noise = batches.still(trained.network.noises(), 1, len(rows), Schedule(1, dtype="float64"))
    batch = training.Batch(x, torch.from_numpy(one.y[rows])[None], noise)
    return trained.network.losses(batch)["loss"].item()


def test_plateau_stops_each_replicate_and_keeps_its_best_weights():
    schedule = Schedule(600, 20, learning_rate=5e-3, patience=3, check_every=10, dtype="float64")
    sets = [one_set(n, seed, held=held) for seed, (n, held) in enumerate([(24, 6), (100, 20), (500, 150)])]
    done = train(build_vae, sets, schedule)
    last = [int(one.history["step"].max()) for one in done]
    assert min(last) < 600
    assert len(set(last)) > 1
    for one, trained, end in zip(sets, done, last, strict=True):
        losses = trained.history.set_index("step")["validation"].dropna()
        assert losses.index.tolist() == list(range(10, end + 1, 10))
        assert losses[trained.steps] == pytest.approx(validation_loss(trained, one), rel=1e-10)
        assert losses.min() >= losses[trained.steps] * (1 - 1e-4 * np.sign(losses[trained.steps])) - 1e-12
        assert end == 600 or end == trained.steps + 30
        # frozen: longer training of the whole stack changes nothing
    longer = train(build_vae, sets, Schedule(900, 20, 5e-3, patience=3, check_every=10, dtype="float64"))
    for before, after, end in zip(done, longer, last, strict=True):
        if end < 600:
            assert_close(before, after, tolerance=0)


def test_plateau_needs_rows_to_watch():
    with pytest.raises(ValueError, match="stopping on a plateau needs validation rows in every training set"):
        train(build_vae, [one_set(20, 0, held=5), one_set(20, 1)], Schedule(10, patience=2))


def test_no_rows_no_sets():
    assert train(build_vae, [], Schedule(3)) == []
    with pytest.raises(ValueError, match="class 7: there are no rows to train on"):
        TrainingSet(np.empty((0, 2)), np.empty(0, dtype=int), 0, "class 7")


@pytest.mark.parametrize("build", BUILDS)
def test_chunks_change_nothing(monkeypatch, build):
    schedule = Schedule(60, 20, dtype="float64", early=5)
    sets = [one_set(n, seed) for seed, n in enumerate((20, 24, 100, 500, 20))]
    whole = train(build, sets, schedule)
    heard = []
    monkeypatch.setattr(training, "STACK_WIDTH", 2)
    with listening(lambda *said: heard.append(said)):
        cut = train(build, sets, schedule)
    for one, other in zip(whole, cut, strict=True):
        assert_close(one, other)
    assert heard == [("training", step, 180) for step in (50, 60, 110, 120, 170, 180)]


def test_stacks_fit_the_budget_of_memory(monkeypatch):
    sets = [one_set(100, seed) for seed in range(7)]
    widths = []

    def build(generators):
        widths.append(len(generators))
        return build_wide(generators)

    assert stack_width(build_wide, sets, Schedule(5)) == training.STACK_WIDTH
    monkeypatch.setattr(training, "STACK_BYTES", 3 * 2**20)
    width = stack_width(build_wide, sets, Schedule(5))
    assert 1 < width < 7
    assert stack_width(build_wide, sets, Schedule(5, dtype="float64")) < width
    assert stack_width(build_wide, sets, Schedule(5, 2000)) < width
    assert stack_width(build_wide, [*sets, one_set(100_000, 8)], Schedule(5)) == 1
    assert stack_width(build_wide, sets, Schedule(10**6)) == 1
    train(build, sets, Schedule(5))
    assert max(widths) == width
    monkeypatch.setattr(training, "STACK_BYTES", 1)
    assert stack_width(build_wide, sets, Schedule(5)) == 1


MEMORY = """
import numpy as np
from augbench.methods.neural import training
from augbench.methods.neural.networks import VAE, Shape
def peak(): return next(int(x.split()[1]) / 1024 for x in open("/proc/self/status") if x.startswith("VmHWM"))
rng = np.random.default_rng(0)
def build(g): return VAE(g, Shape(200, (), 10, (128, 128), "bernoulli"), 1.0)
sets = [training.TrainingSet(rng.random((100, 200), dtype=np.float32), np.zeros(100, int), r) for r in range(40)]
training.train(build, sets[:1], training.Schedule(2))
for budget in (32, 2048):
    training.STACK_BYTES = budget * 2**20
    before = peak()
    done = training.train(build, sets, training.Schedule(3))
    results = sum(p.nbytes for one in done for p in one.network.parameters()) / 2**20
    print(min(40, training.stack_width(build, sets, training.Schedule(3))), peak() - before - results)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_stays_in_the_budget():
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    (narrow, small), (wide, large) = (map(float, line.split()) for line in run.stdout.splitlines())
    assert narrow < 15
    assert wide == 40
    # beside what is handed back; 32 MiB more for the numbers drawn ahead
    assert small < 32 + 32
    assert small < large < 2048


def test_only_what_diverges_is_reported():
    sets = [one_set(30, seed) for seed in range(3)]
    good = train(build_vae, sets, Schedule(30, 8))
    sets[1].x[4] = np.nan
    with pytest.warns(UserWarning, match=r"training diverged \(the loss was not a number\): set 1$"):
        done = train(build_vae, sets, Schedule(30, 8))
    assert [one.diverged for one in done] == [False, True, False]
    assert not np.isfinite(done[1].history["loss"].iloc[-1])
    for r in (0, 2):
        assert_same_bits(good[r], done[r])


def test_divergence_after_a_replicate_has_ended_is_not_its_own():
    # the row of NaN comes up after the first replicate's three steps
    one = one_set(8, 0, steps=3)
    order = batches.Rows(np.random.default_rng([1, 0]), np.arange(8)).take(8)
    one.x[order[-1]] = np.nan
    other = one_set(8, 1, steps=300)
    done = train(build_vae, [one, other], Schedule(1, 2))
    assert [each.diverged for each in done] == [False, False]
    assert np.isfinite(done[0].history["loss"]).all()
    assert done[0].history["step"].tolist() == [1, 2, 3]


def test_a_weight_that_is_no_number_after_the_last_step_is_divergence():
    with pytest.warns(UserWarning, match="training diverged"):
        done = train(build_vae, [one_set(30, 0)], Schedule(1, 8, learning_rate=1e39))
    assert np.isfinite(done[0].history["loss"]).all()
    assert done[0].diverged


def test_early_weights_are_the_same_however_early_training_stops():
    schedule = Schedule(200, 20, patience=1, check_every=2, early=20, dtype="float64")
    # the rows that are watched are infinitely far off, so nothing is ever better
    hasty = one_set(30, 0, held=8)
    hasty.x[hasty.validation] = 1e200
    with pytest.warns(UserWarning, match="training diverged .*: set 0$"):
        alone = train(build_vae, [hasty], schedule)[0]
    assert alone.history["step"].max() == 2
    with pytest.warns(UserWarning, match="training diverged .*: set 0$"):
        together = train(build_vae, [hasty, one_set(100, 1, held=20)], schedule)
    assert together[1].history["step"].max() > 20
    hasty.validation = None
    to_the_end = train(build_vae, [hasty], Schedule(20, 20, dtype="float64"))[0]
    for a, b, c in zip(alone.early.parameters(), together[0].early.parameters(), weights(to_the_end), strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=0, atol=1e-12)
        np.testing.assert_allclose(a.detach(), c, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("steps", "points"), [(7, 7), (200, 200), (201, 101), (999, 200)])
def test_history_holds_means(steps, points):
    schedule = Schedule(steps, 8, dtype="float64")
    one = one_set(30, 0)
    history = train(build_vae, [one], schedule)[0].history
    assert history.columns.tolist() == ["model", "step", "loss", "reconstruction", "kl"]
    assert len(history) == points
    assert history["step"].iloc[-1] == steps
    assert set(history["model"]) == {"set 0"}
    np.testing.assert_allclose(history["loss"], history["reconstruction"] + history["kl"], rtol=1e-10)
    if steps == 201:
        # the first 200 steps are the same, a row each there and a row for two here
        fine = train(build_vae, [one], Schedule(200, 8, dtype="float64"))[0].history
        np.testing.assert_allclose(history["loss"][:100], fine["loss"].to_numpy().reshape(100, 2).mean(axis=1))
        assert history["step"].tolist() == [*range(2, 201, 2), 201]
