"""``bench reproduce`` of an experiment without grids: networks that are kept one by one, and its page."""

import re

import pytest
from augbench.bench.cli import app
from augbench.reproduction import experiment, known_experiments, latent, load_experiment
from augbench.reproduction.experiment import LatentSweep
from typer.testing import CliRunner

EXPERIMENT = """
title = "Small"
question = "Does it work?"

[[latent]]
name = "tiny"
title = "Tiny faces"
dataset = { name = "faces", params = { folder = "FOLDER", size = 8 } }
rows = 30
held_out = 20
seeds = 3
betas = [0.5, 4]
dims = [2]
judged_beta = 0.5
params = { likelihood = "bernoulli", steps = 5, hidden = [8] }
strips = ["Smiling"]
photos = true
[latent.quick]
betas = [0.5]
"""


@pytest.fixture
def small(tmp_path, monkeypatch, face_folder):
    """An experiment of a second, in the place of those that come with augbench."""
    folder = face_folder(tmp_path / "folder")
    (tmp_path / "small.toml").write_text(EXPERIMENT.replace("FOLDER", str(folder)))
    monkeypatch.setattr(experiment, "files", lambda package: tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words):
    found = CliRunner().invoke(app, ["reproduce", *words, "--jobs", "1"])
    return found.exit_code, found.output


def test_networks_are_trained_once_and_have_their_page(small):
    code, output = call("small", "--dry-run")
    assert code == 0
    assert "2 β × 1 dimension × 3 seeds: 6 networks, 6 to train" in output
    assert not (small / "augbench-reproduction").exists()
    code, output = call("small")
    assert code == 0, output
    assert "5 of 6 networks, about" in output
    assert "Of 5 expectations: " in output
    kept = sorted((small / "augbench-reproduction" / "small" / "latent").iterdir())
    assert len(kept) == 6
    site = small / "augbench-reproduction" / "site"
    page = (site / "small.html").read_text()
    assert "Reconstructions are blurred by a high β: sharpness, β 0.5 → 4, 2 dimensions" in page
    assert 'alt="11 images between two of class Smiling"' in page
    assert "Latent planes of Tiny faces" in page
    assert re.search(r"<dt>networks</dt><dd>6</dd>", page)
    assert "Classifier:" not in page
    assert "The grids" not in page
    assert len((site / "downloads" / "small.csv").read_text().splitlines()) == 6
    draws = (site / "index.html").read_text().partition("small.html")[2]
    assert '<td class="num">3</td>' in draws
    # once more: nothing is trained, and the same page
    times = [path.stat().st_mtime_ns for path in kept]
    code, output = call("small")
    assert "6 networks, 6 stored before, 0 to train" in output
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert (site / "small.html").read_text() == page
    # more seeds: only those
    assert "10 networks, 6 stored before, 4 to train" in call("small", "--draws", "5", "--dry-run")[1]
    # a damaged file is said and made again, the same
    whole = kept[2].read_bytes()
    kept[2].write_bytes(whole[:500])
    code, output = call("small")
    assert code == 0
    assert f"{kept[2].name} is damaged" in output
    assert "computed again" in output
    assert "6 networks, 5 stored before, 1 to train" in output
    assert len(kept[2].read_bytes()) == pytest.approx(len(whole), abs=20)


def test_the_small_version_is_another_folder(small):
    code, output = call("small", "--quick")
    assert code == 0, output
    assert "1 β × 1 dimension × 3 seeds: 3 networks" in output
    assert "is no evidence" in (small / "augbench-reproduction-quick" / "site" / "small.html").read_text()


def test_what_was_stopped_goes_on(small, monkeypatch):
    fit, asked = latent.fit, []

    def stopped(sweep, images, beta, dim, seed):
        asked.append((beta, dim, seed))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return fit(sweep, images, beta, dim, seed)

    monkeypatch.setattr(latent, "fit", stopped)
    code, output = call("small")
    assert code == 130
    assert "stopped: 2 networks are stored, 4 are left; the same command goes on here" in output
    code, output = call("small")
    assert code == 0, output
    assert "6 networks, 2 stored before, 4 to train" in output
    assert sorted(asked[:2] + asked[3:]) == [(beta, 2, seed) for beta in (0.5, 4.0) for seed in range(3)]


def test_images_that_the_user_has_not_brought_are_no_failure_and_others_are(small):
    text = (small / "small.toml").read_text()
    gone = text.replace(str(small / "folder"), str(small / "gone"))
    both = text + gone.partition("[[latent]]")[2].join(("[[latent]]", "")).replace('"tiny"', '"theirs"')
    (small / "small.toml").write_text(
        both.replace("photos = true\n[latent.quick]\nbetas = [0.5]\n", "optional = true\n")
    )
    code, output = call("small")
    assert code == 0, output
    assert output.count("not run: faces(") == 1
    assert "Of 5 expectations: " in output
    page = (small / "augbench-reproduction" / "site" / "small.html").read_text()
    assert "Not run: faces(" in page
    assert "there is no folder" in page
    (small / "small.toml").write_text(gone)
    code, output = call("small", "--out", "other")
    assert code == 1
    assert "left out: tiny has nothing to run: faces(" in output
    assert not (small / "other" / "site" / "small.html").exists()


def test_too_few_rows_are_said(small):
    (small / "small.toml").write_text((small / "small.toml").read_text().replace("rows = 30", "rows = 50"))
    code, output = call("small")
    assert code == 1
    assert "has 60 rows, 70 are needed" in output


@pytest.mark.parametrize("name", known_experiments())
def test_the_sweeps_that_come_with_augbench_can_be_planned(name, tmp_path):
    from augbench.methods import make
    from augbench.reproduction.latent_store import dataset_of, places

    for whole in load_experiment(name).latent:
        small = whole.small
        assert isinstance(small, LatentSweep)
        assert set(small.betas) <= set(whole.betas)
        assert set(small.dims) <= set(whole.dims)
        for sweep in (whole, small):
            make("latent-noise", sweep.params).check_parameters()
            info = dataset_of(sweep).info
            assert set(sweep.strips) <= set(info.classes)
            assert sweep.rows + sweep.held_out <= info.n_rows
            listed = places(sweep, tmp_path)
            assert len({one.path for one in listed}) == len(sweep.betas) * len(sweep.dims) * sweep.seeds
