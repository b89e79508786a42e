"""Claims on latent spaces, on made-up networks: the verdict follows from the numbers; files that keep them."""

from dataclasses import fields, replace

import numpy as np
import pytest
from augbench.errors import InputError
from augbench.reproduction import latent_store
from augbench.reproduction.experiment import Experiment, LatentSweep
from augbench.reproduction.latent import STEPS, Fit
from augbench.reproduction.latent_claims import latent_findings
from augbench.reproduction.latent_figures import address, planes_figure, sharpness_figure
from augbench.reproduction.latent_sections import latent_sections
from augbench.reproduction.latent_store import Swept, lacking, places, read_fit, stored, write_fit
from augbench.reproduction.pages import Run, write_pages
from augbench.reproduction.verdict import NOT_REPRODUCED, NOT_RUN, REPRODUCED, UNDECIDED

EVIL = "<script>alert('x')</script>&\"{{ 7 * 7 }}"


def sweep(**more):
    settings = {
        "name": "made-up",
        "title": "Made up",
        "dataset": {"name": "digits"},
        "rows": 1000,
        "held_out": 100,
        "seeds": 4,
        "betas": [0.5, 8],
        "dims": [2],
        "judged_beta": 0.5,
        "strips": ["1"],
    }
    return LatentSweep.model_validate(settings | more)


def made_up(beta, seed, rebuilt, drawn=60.0, gain=0.1, dim=2):
    """A network whose reconstructions have a sharpness of so many percent of the real images'."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 255, (12, 1, 4, 4)).astype(np.uint8)
    ones = np.ones(100)
    return Fit(
        beta=float(beta), dim=dim, seed=seed, started="2026-11-22T01:02:03+00:00", seconds=30.0,
        mean=rng.normal(size=(100, dim)).astype(np.float32), y=np.arange(100) % 10, kl=3 * ones, error=0.01 * ones,
        sharp_real=2 * ones, sharp_rebuilt=rebuilt / 50 * ones, sharp_drawn=drawn / 50 * ones,
        neighbours=0.5 + gain, neighbours_pca=0.5, real=image[:10], rebuilt=image[:10], drawn=image[:10],
        strips=np.resize(image, (1, STEPS, 1, 4, 4)), ends=image[None, :2],
    )  # fmt: skip


def swept(small, large, **more):
    fits = [made_up(0.5, seed, value, **more) for seed, value in enumerate(small)]
    fits += [made_up(8, seed, value, **more) for seed, value in enumerate(large)]
    return Swept(sweep(), fits, "", tuple("0123456789"))


def verdicts(one):
    return [found.verdict.word for found in latent_findings(one)]


def test_verdicts_follow_from_the_numbers():
    found = latent_findings(swept([60, 62, 61, 59], [20, 21, 19, 20]))
    blurred, drawn, short, drawn_short, structure = found
    assert blurred.verdict.word == REPRODUCED
    assert blurred.ours.mean == pytest.approx(-40.5)
    # paired by seed, corrected for shared rows: t(.975, 3) · s · √(1/4 + 100/1000)
    s = np.std([-40, -41, -42, -39], ddof=1)
    assert blurred.ours.high - blurred.ours.mean == pytest.approx(3.18245 * s * np.sqrt(0.35), rel=1e-4)
    assert "β 0.5 → 8, 2 dimensions" in blurred.row
    # the same in every seed, and no difference: no loss is shown
    assert drawn.verdict.word == NOT_REPRODUCED
    assert (short.verdict.word, short.ours.mean) == (REPRODUCED, pytest.approx(-39.5))
    assert drawn_short.ours.mean == pytest.approx(-40)
    assert structure.ours.mean == pytest.approx(10)
    sharper = verdicts(swept([20, 21, 19, 20], [60, 62, 61, 59]))
    assert sharper[0] == NOT_REPRODUCED
    assert verdicts(swept([60, 20, 61, 30], [20, 61, 19, 30]))[0] == UNDECIDED


def test_too_few_seeds_and_images_that_nobody_brought():
    assert set(verdicts(swept([60, 60], [20, 21]))) == {NOT_RUN}
    # a seed that has one β only is no pair
    assert latent_findings(swept([60, 62, 61, 59], [20, 21]))[0].ours.n_draws == 2
    assert latent_findings(Swept(sweep(optional=True), [], "no folder")) == []
    assert set(verdicts(Swept(sweep(), []))) == {NOT_RUN}
    (section,) = latent_sections(Swept(sweep(optional=True), [], "there is no folder"), "x")
    assert section.text == ("Not run: there is no folder.",)


def test_sections_have_planes_strips_images_and_numbers():
    sections = latent_sections(swept([60, 62, 61, 59], [20, 21, 19, 20]), "x")
    assert [one.title for one in sections] == [
        "Made up: the latent plane",
        "Made up: between two images of a class",
        "Made up: reconstructions and new images",
        "Made up: sharpness",
    ]
    plane = str(sections[0].figures[0].markup)
    assert "β = 0.5, KL 3.0 nats" in plane
    assert "var(--series-3)" in plane
    assert plane.count(">9<") == 3  # at its place in two planes, and in the legend
    assert str(sections[1].figures[0].markup).count("data:image/png") == 3
    rows = dict((row[0], row[1:]) for row in sections[3].rows)
    assert rows["2 dimensions, β\xa0=\xa08"][0] == "20.0 ± 1.5"
    assert rows["2 dimensions, β\xa0=\xa00.5"][2] == "10.0"


def test_the_axis_is_what_the_sweep_says_and_ten_classes_differ_without_colour():
    axes = sharpness_figure(swept([60, 62], [20, 21])).axes
    assert [one.get_text() for one in axes[0].get_xticklabels()] == ["0.5", "8"]
    turned = replace(swept([60, 62], [20, 21]), sweep=sweep(over="dim"))
    assert [one.get_text() for one in sharpness_figure(turned).axes[0].get_xticklabels()] == ["2"]
    lines = planes_figure([made_up(1, 0, 50)], tuple("0123456789")).axes[0].get_lines()
    looks = {(one.get_marker(), one.get_markerfacecolor() == "none") for one in lines}
    assert len(lines) == len(looks) == 10


def test_pictures_are_the_pixels():
    import base64
    import io

    from PIL import Image

    def pixels(**how):
        data = base64.b64decode(address(images, **how).partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(data)))

    images = np.array([[[[0.0, 255.0]]], [[[100.0, np.nan]]]])
    # light and opacity: ink is dark, a photo is as it is; nothing beside an image and where there is no pixel
    assert pixels(photos=False)[0].tolist() == [[255, 255], [0, 255], [255, 0], [155, 255], [255, 0], [255, 0]]
    assert pixels(photos=True)[0, :, 0].tolist() == [0, 255, 0, 100, 0, 0]
    assert pixels(photos=True)[0, :, 3].tolist() == [255, 255, 0, 255, 0, 0]
    images = np.array([[[[10.0]], [[20.0]], [[30.0]]]])
    assert pixels(photos=True)[0, 0].tolist() == [10, 20, 30, 255]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Pages of an experiment without grids, one sweep run and one not."""
    of_dims = [made_up(beta, seed, 50, dim=dim) for dim in (2, 5) for beta in (0.5, 8) for seed in range(3)]
    ran = Swept(sweep(title=EVIL, dims=[2, 5], strips=[EVIL]), of_dims, "", (*"012345678", EVIL))
    absent = Swept(sweep(optional=True), [], EVIL)
    content = {"name": "made-up", "title": "Made up", "question": EVIL}
    whole = Experiment.model_validate(content | {"latent": [ran.sweep.model_dump()]})
    run = Run(whole, {}, latent_findings(ran), quick=True, sites={}, latent=(ran, absent))
    return write_pages({"made-up": run}, tmp_path_factory.mktemp("pages") / "site").parent


def test_the_page_is_valid_html_and_says_what_was_run(site):
    text = (site / "made-up.html").read_text()
    parsers = pytest.importorskip("tinyhtml5.parser")
    parser = parsers.HTMLParser()
    parser.parse(text)
    assert not parser.errors, parser.errors[:3]
    assert "<script>alert" not in text
    assert "<dt>networks</dt><dd>12</dd>" in text
    assert "<dt>compute time of all processes</dt><dd>6 min</dd>" in text
    assert "<dt>date</dt><dd>2026-11-22</dd>" in text
    assert "<dt>scores</dt>" not in text


def test_the_page_is_accessible_and_fits_a_telephone(browser, site):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-playwright-python").Axe()
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 800}, color_scheme="dark")
    page = context.new_page()
    page.goto((site / "made-up.html").as_uri())
    options = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}, "preload": False}
    found = axe.run(page, options=options).response["violations"]
    assert not found, [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


@pytest.fixture
def kept(tmp_path):
    place = places(sweep(), tmp_path)[0]
    write_fit(place, made_up(0.5, 0, 60))
    return place


def test_a_file_gives_back_what_was_kept(kept, tmp_path):
    back, fit = read_fit(kept.path, kept.key), made_up(0.5, 0, 60)
    for field in fields(Fit):
        first, second = getattr(back, field.name), getattr(fit, field.name)
        assert type(first) is type(second), field.name
        np.testing.assert_array_equal(first, second)
    assert [(one.beta, one.seed) for one in stored(sweep(), tmp_path)] == [(0.5, 0)]
    assert [place.title for place, _ in lacking(places(sweep(seeds=2), tmp_path))] == [
        "β = 8 · 2 dimensions · seed 0",
        "β = 0.5 · 2 dimensions · seed 1",
        "β = 8 · 2 dimensions · seed 1",
    ]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:100],
        lambda data: b"",
        lambda data: data[: len(data) // 2] + b"\0" * 40 + data[len(data) // 2 + 40 :],
        lambda data: b"no archive at all",
    ],
)
def test_a_damaged_file_counts_as_none_and_is_named(kept, tmp_path, damage):
    kept.path.write_bytes(damage(kept.path.read_bytes()))
    with pytest.raises(InputError, match=r"made-up-b0\.5-d2.*-s0\.npz is damaged"):
        read_fit(kept.path, kept.key)
    assert stored(sweep(), tmp_path) == []
    wrong = [why for _, why in lacking(places(sweep(seeds=1), tmp_path))]
    assert "is damaged" in wrong[0]
    assert wrong[1] == ""


def test_what_decides_a_network_is_in_its_key_and_what_does_not_is_not(kept, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="holds something else"):
        read_fit(kept.path, "another")

    def key(**more):
        return places(sweep(**more), tmp_path)[0].key

    assert key(seeds=9, title="x", betas=[0.5, 1]) == kept.key
    others = [{"rows": 900}, {"held_out": 90}, {"strips": []}, {"params": {"steps": 5}}, {"dims": [3]},
              {"dataset": {"name": "iris"}}, {"betas": [1], "judged_beta": 1}]  # fmt: skip
    assert len({kept.key, *(key(**more) for more in others)}) == 1 + len(others)
    monkeypatch.setattr(latent_store, "source_hash", lambda *modules: "other code")
    assert key() != kept.key
