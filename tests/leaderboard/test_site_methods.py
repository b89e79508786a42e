"""Pages of methods: what they say, that nothing of it is markup, and figures that agree with the tables."""

from __future__ import annotations

import base64
import html
import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard import compare
from augbench.leaderboard.plots_forest import forest
from augbench.leaderboard.results import Results
from augbench.leaderboard.samples import Sample, project, strip
from augbench.leaderboard.site import render_site
from augbench.leaderboard.site.methods import _command
from augbench.leaderboard.site.spent import costs

EVIL = "<script>alert('x')</script>&\"`$_{}"


def sample(seed, shift=0.0, shape=(), n=12, rarest=1):
    """Rows of two classes, the rarest first; with real rows' units."""
    rng = np.random.default_rng(seed)
    width = shape[0] * shape[1] if shape else 4
    y = np.repeat([rarest, 1 - rarest], [n // 3, n - n // 3])
    X = rng.normal(0, 1, (n, width)) + shift
    return Sample(X, y, np.full(width, 5.0), np.full(width, 2.0), shape)


def with_more(results):
    """A run whose methods say what they are, kept rows and curves, and where smote harms on one data set."""
    scores = results.scores.copy()
    rows = (scores["method"] == "smote") & (scores["dataset"] == "wine")
    scores.loc[rows, "macro_f1"] = (scores.loc[rows, "macro_f1"] - 0.2).clip(0, 1)
    scores["steps"] = np.where(scores["method"] == "vae", 500.0, np.nan)
    scores["exact_copies"] = np.where(scores["method"] == "random-oversampling", 1.0, np.nan)
    methods = results.methods.copy()
    smote = methods["method"] == "smote"
    methods["text"] = [["A row between neighbours."] if one else [] for one in smote]
    methods["citations"] = [["Chawla (2002), SMOTE"] if one else [] for one in smote]
    methods["name"] = methods["method"]
    parameter = {"name": "k_neighbors", "value": "3", "default": "5", "meaning": "Neighbours."}
    methods["parameters"] = [[parameter] if one else [] for one in smote]
    steps = pd.DataFrame({"step": [0, 100, 200], "loss": [3.0, 2.0, -1.5], "kl": [np.nan, np.inf, 0.5]})
    place = {"method": "vae", "dataset": "iris", "scenario": "full", "draw": 0}
    curves = [steps.assign(model=model, **place) for model in ("a", "b")]
    samples = {("none", "wine", "full"): sample(0), ("smote", "wine", "full"): sample(1, shift=30)}
    samples |= {
        ("none", "digits", "full"): sample(2, shape=(3, 5)),
        ("smote", "digits", "full"): sample(3, shape=(3, 5)),
    }
    samples |= {("smote", "iris", "full"): sample(4)}
    warned = [{"message": "did not converge", "methods": {"smote": 1234}}]
    run = dict(results.run) | {"warnings": warned, "command": "bench run quick -j 2"}
    return Results(scores, methods, results.datasets, run, training=pd.concat(curves), samples=samples)


@pytest.fixture(scope="module")
def rich(synthetic):
    return with_more(synthetic.results(n_draws=3))


@pytest.fixture(scope="module")
def pages(rich):
    return render_site(rich)


def words(markup):
    """The text that a reader sees."""
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", markup).split()))


def section(page, anchor):
    return page.partition(f'aria-labelledby="{anchor}"')[2].partition("</section>")[0]


def test_it_says_what_it_does_how_it_is_run_and_what_to_cite(pages):
    page = words(pages["method/smote.html"])
    assert "A row between neighbours." in page
    assert "Cite: Chawla (2002), SMOTE" in page
    assert "1 parameter, not at the default: k_neighbors = 3" in page
    assert "Run it: bench run quick -j 2 --methods smote" in page
    assert "1,234 units : did not converge" in page.replace("units:", "units :")


def test_the_command_names_a_method_as_the_command_line_does():
    assert _command("bench run claim.toml", "my smote", "smote") == "bench run claim.toml --methods 'my smote'"
    before = "bench run claim.toml --methods a,b --draws 3 --methods=c"
    assert _command(before, "smote", "smote") == "bench run claim.toml --draws 3 --methods smote"
    assert _command("pytest -q", "s", "smote") == "bench run --methods smote"
    assert _command("", "elsewhere", "") == ""
    # a comma would be taken for two names
    assert _command("bench run claim.toml", "smote(k=1,m=2)", "smote") == "bench run claim.toml"


def test_every_data_set_is_in_the_figure_and_in_the_table(rich, pages):
    page = pages["method/borderline-smote.html"]
    part = section(page, "sets")
    figure = part.partition("<svg")[2].partition("</svg>")[0]
    for name in rich.datasets["dataset"]:
        assert f">{name}</text>" in figure
        assert f'.html">{name}</a>' in part
    assert "fill: #" not in figure.replace("fill: #ffffff", "")
    assert "--up" in figure


def test_where_it_hurts_is_named_only_where_the_whole_interval_is_a_loss(pages):
    hurts = words(section(pages["method/smote.html"], "hurts"))
    assert re.search(r"wine : −\d+\.\d\d points, 95\xa0% interval −\d+\.\d\d to −\d", hurts.replace("wine:", "wine :"))
    assert "accuracy of class" in hurts or "%" in hurts
    assert "digits" not in hurts
    others = words(section(pages["method/borderline-smote.html"], "hurts"))
    assert "None: on none of 8 data sets" in others
    assert "hurts" not in pages["method/none.html"]


def test_without_intervals_nobody_claims_to_know_where_it_hurts(synthetic):
    page = render_site(synthetic.results(2, 2, failures=False))["method/smote.html"]
    assert "Not known: no data set has enough draws" in words(page)


def test_against_each_control_is_the_difference_of_the_differences(rich, pages):
    deltas = compare(rich).deltas
    part = section(pages["method/svm-smote.html"], "controls")
    shown = {words(row.partition("</th>")[0]): re.findall(r'data-v="([^"]*)"', row) for row in part.split("<tr>")[2:]}
    controls = {"none", "random-oversampling", "jitter", "constant-row", "uniform-noise", "class-weight", "prior-shift",
                "threshold-tuned"}  # fmt: skip
    assert set(shown) == controls
    for control in controls:
        expected = (deltas.loc["svm-smote"] - deltas.loc[control]).mean()
        # a failed draw takes the baseline's score, in both
        assert float(shown[control][1]) == pytest.approx(expected, abs=1e-6)
    assert "p-value" not in part
    assert set(
        re.findall(r'scope="row"><a href="[^"]*">([^<]*)', section(pages["method/jitter.html"], "controls"))
    ) == (controls - {"jitter"})


def test_copies_cost_and_failures_are_told(rich, pages):
    assert "mostly copies" in words(section(pages["method/random-oversampling.html"], "fidelity"))
    assert "fidelity" not in pages["method/class-weight.html"]
    assert "gradient steps 500" in words(section(pages["method/vae.html"], "costs"))
    gaps = words(section(pages["method/kmeans-smote.html"], "gaps"))
    assert re.search(r"failed , 18 scores: RuntimeError: No clusters found with <10> samples \( ?glass", gaps)
    assert "not run" in words(section(pages["method/vae.html"], "gaps"))
    assert "there is a score for every cell" in words(section(pages["method/jitter.html"], "gaps"))


def test_costs_average_draws_before_data_sets():
    scores = pd.DataFrame(
        {"dataset": ["a", "a", "a", "b", "b"], "status": ["ok"] * 4 + ["failed"], "seconds": [1.0, 1.0, 1.0, 3.0, 99.0]}
    )
    (line,) = costs(scores, scores.iloc[:0])
    assert (line["mean"], line["least"], line["least_on"], line["most_on"]) == ("2 s", "1 s", "a", "b")


def test_rows_are_drawn_only_where_real_ones_were_kept(pages):
    made = section(pages["method/smote.html"], "made")
    assert "wine" in made
    assert "iris" not in words(made)
    assert "12 generated rows, 12 of them outside" in made
    assert "made" not in re.findall(r'id="(\w+)"', pages["method/vae.html"])
    assert "made" not in re.findall(r'id="(\w+)"', pages["method/none.html"])


def test_images_are_shown_side_by_side_in_grey(pages):
    from PIL import Image

    made = section(pages["method/smote.html"], "made")
    found = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="(\d) (real|generated) images of class', made)
    assert [(int(n), what) for _, n, what in found] == [(4, "real"), (4, "generated"), (8, "real"), (8, "generated")]
    image = Image.open(io.BytesIO(base64.b64decode(found[0][0])))
    assert (image.mode, image.size) == ("LA", (8 * 6, 3))


def test_a_strip_has_the_units_of_the_data_and_gaps():
    real = Sample(
        np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([0, 1]), np.array([10.0, 10.0]), np.array([2.0, 3.0]), (1, 2)
    )
    found = strip(real, Sample(real.X, real.y), 1, 2)
    np.testing.assert_array_equal(found, [[14.0, 19.0, np.nan, np.nan, np.nan, np.nan]])


def test_the_projection_is_fitted_on_real_rows_alone():
    real = sample(0, n=30)
    plane, other = (project(real, sample(1, shift)) for shift in (0.0, 1000.0))
    np.testing.assert_array_equal(plane.real, other.real)
    values = np.linalg.svd(real.X - real.X.mean(axis=0), compute_uv=False) ** 2
    np.testing.assert_allclose(plane.shares, values[:2] / values.sum())
    flat = project(Sample(real.X[:, :1], real.y), Sample(real.X[:, :1] + 1, real.y))
    assert flat.shares == (1.0, 0.0)
    assert (flat.new[:, 1] == 0).all()
    same = project(Sample(np.ones((3, 2)), np.zeros(3, int)), Sample(np.ones((2, 2)), np.zeros(2, int)))
    assert same.shares == (0.0, 0.0)


def test_training_curves_are_the_mean_over_networks(pages):
    part = section(pages["method/vae.html"], "training")
    assert re.findall(r'data-v="([^"]*)"', part) == ["200", "-1.5", "0.5"]
    assert "−1.5" in words(part)
    assert ">loss</text>" in part
    assert 'id="training"' not in pages["method/smote.html"]


def test_a_wild_interval_is_cut_with_an_arrow_and_a_missing_one_is_an_open_circle():
    rows = [{"name": f"d{i}", "delta": 1.0, "low": 0.5, "high": 1.5} for i in range(6)]
    rows += [{"name": "wild", "delta": 300.0, "low": -500.0, "high": 900.0}]
    rows += [{"name": "bare", "delta": -1.0, "low": np.nan, "high": np.nan}]
    axes = forest(rows, "Δ macro F1 to none, points").axes[0]
    assert max(axes.get_xlim()) < 20
    lines = {line.get_marker(): line for line in axes.lines if len(line.get_xdata())}
    assert {"<", ">"} <= set(lines)
    assert [label.get_text() for label in axes.get_yticklabels()] == [one["name"] for one in rows]
    assert any(line.get_markerfacecolor() == "none" and len(line.get_xdata()) == 1 for line in axes.lines)


def test_colours_say_gain_or_loss_also_where_less_is_better(synthetic):
    results = synthetic.results(n_draws=3, failures=False, spread=0.2)
    lower = replace(results, scores=results.scores.assign(brier=1 - results.scores["macro_f1"]))
    pages = render_site(lower, "brier")
    for path in ("index.html", "methods.html", "cost.html", "dataset/wine.html"):
        rows = {
            name: row
            for row in re.findall(r"<tr.*?</tr>", pages[path], flags=re.S)
            for name in re.findall(r'href="(?:\.\./)?method/([\w-]+)\.html"', row)
            if "interval" in row
        }
        for name, shape in (("borderline-smote", "up"), ("uniform-noise", "down")):
            assert f'class="interval {shape}"' in rows[name], (path, name)
    controls = section(pages["method/borderline-smote.html"], "controls")
    assert set(re.findall(r'class="interval (\w+)"', controls)) <= {"up", "open"}
    forest = section(pages["method/uniform-noise.html"], "sets")
    assert "var(--down)" in forest
    assert "var(--up)" not in forest


def test_markup_and_mathematics_in_names_stay_text(rich):
    def evil(value):
        return EVIL if value in ("smote", "wine") else value

    scores = rich.scores.assign(**{key: rich.scores[key].map(evil) for key in ("method", "dataset")})
    scores.loc[scores["status"] != "ok", "error"] = EVIL
    methods = rich.methods.assign(method=rich.methods["method"].map(evil), description=EVIL, family=EVIL, name=EVIL)
    methods["text"] = methods["citations"] = [[EVIL]] * len(methods)
    methods["parameters"] = [[dict.fromkeys(("name", "value", "default", "meaning"), EVIL)]] * len(methods)
    datasets = rich.datasets.assign(dataset=rich.datasets["dataset"].map(evil), classes=[[EVIL] * 10] * 8)
    samples = {tuple(map(evil, key)): value for key, value in rich.samples.items()}
    training = rich.training.assign(method=EVIL).rename(columns={"loss": EVIL})
    run = dict(rich.run) | {"warnings": [{"message": EVIL, "methods": {EVIL: 2}}], "command": f"bench run {EVIL}"}
    pages = render_site(Results(scores, methods, datasets, run, training=training, samples=samples))
    everything = "".join(text for path, text in pages.items() if path.startswith(("method", "dataset")))
    assert "<script>" not in everything
    title = f"<h1>{html.escape(EVIL)}</h1>".replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    (page,) = [text for path, text in pages.items() if path.startswith("method/") and title in text]
    for anchor in ("sets", "made", "training", "warnings", "controls"):
        assert "&lt;script&gt;" in section(page, anchor), anchor


def test_of_several_scenarios_the_one_with_the_most_rows_is_drawn(rich):
    few = {(m, "wine", "few-shot:shots=2"): sample(7, n=4) for m in ("none", "smote")}
    page = render_site(replace(rich, samples=few | rich.samples))["method/smote.html"]
    assert "scenario full" in words(section(page, "made"))


def test_a_run_without_any_of_it_has_plain_pages(synthetic):
    bare = replace(synthetic.results(1, 1, failures=False))
    page = render_site(bare)["method/smote.html"]
    ids = re.findall(r'<h2 id="(\w+)"', page)
    assert {"sets", "hurts", "controls", "costs", "gaps", "how"} <= set(ids)
    assert not {"made", "training", "warnings"} & set(ids)
    assert "nan" not in words(page).lower()
    # one data set has no range
    assert "least" not in words(section(page, "costs"))
