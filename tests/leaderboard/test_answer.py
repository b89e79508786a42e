"""The answer in words for one data set, on made-up scores with a known truth."""

import numpy as np
import pandas as pd
import pytest
from augbench.leaderboard import Results, compare, write_site

KINDS = {
    "none": ("baseline", "control"),
    "random-oversampling": ("augmenter", "control"),
    "threshold-tuned": ("adjuster", "control"),
}
DRAWS = 12


def results(gains, spread=0.5, draws=DRAWS, auroc=0.8, interest="bad", **run):
    """Return a run on one table: what each method gains in points, give or take a little."""
    rng = np.random.default_rng(0)
    rows = []
    for draw in range(draws):
        luck = rng.normal(0, 0.02)
        for method, gain in gains.items():
            score = 0.6 + luck + (gain + (rng.normal(0, spread) if method != "none" else 0)) / 100
            rows.append(
                {
                    "method": method, "dataset": "loans", "draw": draw, "macro_f1": score, "auroc": auroc + luck,
                    "recall_0": 0.2 + 5 * gain / 100, "f1_0": 0.3 + gain / 100, "recall_1": 0.95 - 2 * gain / 100,
                    "f1_1": 0.9, "n_train": 700, "n_test": 300, "seconds": 0.25, "fit_seconds": 0.5,
                    "classifier": "logistic-regression",
                }
            )  # fmt: skip
    methods = [
        {"method": name, "kind": KINDS.get(name, ("augmenter", ""))[0], "role": KINDS.get(name, ("", ""))[1]}
        for name in gains
    ]
    table = pd.DataFrame(methods).assign(family="", description="")
    facts = {"dataset": "loans", "group": "yours", "classes": ["bad", "good"], "class_of_interest": interest}
    return Results(pd.DataFrame(rows), table, pd.DataFrame([facts | {"fresh": False}]), run)


def told(*args, **kwargs):
    found = compare(results(*args, **kwargs)).answer
    return found.headline, found.lines


def line(lines, start):
    (found,) = [one for one in lines if one.startswith(start)]
    return found


def test_a_method_that_beats_every_control_helps_with_its_gain_certainty_and_price():
    headline, lines = told({"none": 0, "random-oversampling": 1, "threshold-tuned": 2, "smote": 6})
    assert headline.startswith("smote (+")
    assert "helps on loans, and more than every control (the strongest: threshold-tuned)" in headline
    gain = line(lines, "smote: macro F1")
    assert "p < .001 after Holm's correction" in gain
    assert "better by more than 0.5 points with probability > 99 %" in gain
    assert "p < .001" in line(lines, "smote against threshold-tuned, the strongest control: +")
    assert "recall of 'bad' 20.0 → 50.0, +30.0" in line(lines, "smote, by class")
    assert "F1 30.0 → 36.0, +6.0" in line(lines, "smote, by class")
    price = line(lines, "smote, the price")
    assert "recall of 'good' 95.0 → 83.0, −12.0" in price
    assert "0.25 s to make the rows" in price


def test_the_numbers_are_those_of_the_table():
    given = results({"none": 0, "random-oversampling": 1, "smote": 6})
    found = compare(given)
    row = found.table.set_index("method").loc["smote"]
    ends = f"[+{row['low']:.1f} to +{row['high']:.1f}]"
    assert f"+{row['delta']:.1f} {ends} against none" in line(found.answer.lines, "smote: macro F1")


def test_what_a_control_does_as_well_is_said_to_be_no_help():
    headline, lines = told({"none": 0, "random-oversampling": 6, "threshold-tuned": 6.2, "smote": 6})
    assert headline.startswith("No method helps on loans beyond what a control does. smote (+")
    assert "is better than doing nothing ('none')" in headline
    assert "Without adding a row threshold-tuned (moving the decision threshold, +" in headline
    assert "0." in line(lines, "smote against threshold-tuned, the strongest control")


def test_none_says_how_large_a_gain_may_have_been_missed():
    headline, lines = told({"none": 0, "random-oversampling": 0, "threshold-tuned": 0.2, "smote": 0.3}, spread=6)
    assert headline == "No method is shown to help on loans, of 3 methods compared, controls included."
    assert "the intervals reach up to +" in line(lines, "Not shown is not none")


def test_equal_scores_are_said_to_be_equal():
    headline, lines = told({"none": 0, "random-oversampling": 0, "smote": 0}, spread=0.1)
    assert headline.startswith("No")
    assert line(lines, "Every interval lies within ±0.5 points of none")


def test_a_control_alone_is_better():
    headline, _ = told({"none": 0, "random-oversampling": 0, "threshold-tuned": 5, "smote": 0})
    assert headline.startswith("No method helps on loans. What is better than doing nothing ('none'): without ")
    assert "threshold-tuned" in headline


def test_where_the_classifier_guesses_no_gain_counts():
    headline, lines = told({"none": 0, "random-oversampling": 4, "threshold-tuned": 4, "smote": 4}, auroc=0.5)
    assert headline.startswith("No: on loans the classifiers are not shown to do better than guessing")
    assert "guessing gives 0.50" in line(lines, "AUROC of none is 0.49")


def test_harm_is_told():
    _, lines = told({"none": 0, "random-oversampling": 0, "smote": -6})
    assert "smote −" in line(lines, "Worse than none (Holm p < .05)")


def test_without_controls_the_reader_is_told_what_is_missing():
    headline, _ = told({"none": 0, "smote": 6})
    assert "no control was run, so a trivial method may do as well" in headline


def test_two_draws_give_no_answer():
    headline, _ = told({"none": 0, "random-oversampling": 1, "smote": 6}, draws=2)
    assert headline == "No answer yet on loans: no test is possible (2 draws: too few draws)."


def test_the_class_of_interest_may_be_the_large_one():
    _, lines = told({"none": 0, "random-oversampling": 1, "smote": 6}, interest="good")
    assert "recall of 'good' 95.0 → 83.0" in line(lines, "smote, by class")
    assert "recall of 'bad' 20.0 → 50.0" in line(lines, "smote, the price")


def test_what_is_not_in_the_answer_is_named():
    given = results({"none": 0, "random-oversampling": 1, "smote": 6, "vae": 3}, left_out=["ctgan: needs ctgan"])
    given.scores.loc[(given.scores["method"] == "vae") & (given.scores["draw"] > 5), "status"] = "not run"
    lines = compare(given).answer.lines
    assert "6 of 12 scores not run" in line(lines, "Not in this answer: vae")
    assert line(lines, "Left out: ctgan: needs ctgan")


def test_several_classifiers_are_told_apart():
    first, second = (results({"none": 0, "random-oversampling": 1, "smote": 6}) for _ in range(2))
    scores = pd.concat([first.scores, second.scores.assign(classifier="mlp", macro_f1=second.scores["macro_f1"] + 0.1)])
    both = Results(scores, first.methods, first.datasets, {})
    assert "picked afterwards and not tested: mlp with smote" in line(compare(both).answer.lines, "Highest macro F1")


def test_only_one_whole_data_set_has_an_answer():
    one = results({"none": 0, "random-oversampling": 1, "smote": 6})
    two = pd.concat([one.scores, one.scores.assign(dataset="other")])
    assert compare(two).answer is None
    assert compare(one, metric="auroc").answer is None


def test_the_page_begins_with_the_answer(tmp_path):
    given = results({"none": 0, "random-oversampling": 1, "threshold-tuned": 2, "smote": 6})
    page = write_site(given, tmp_path).read_text()
    assert page.index("helps on loans, and more than every control") < page.index("<table")
    assert page.index("smote, the price: recall of &#39;good&#39;") < page.index("<table")


@pytest.mark.parametrize("seed", range(3))
def test_noise_alone_is_rarely_called_a_help(seed):
    rng = np.random.default_rng(seed)
    gains = {"none": 0, "random-oversampling": 0, "threshold-tuned": 0} | {f"m{i}": 0 for i in range(8)}
    given = results(gains, spread=2)
    given.scores["macro_f1"] += rng.normal(0, 0.02, len(given.scores))
    assert compare(given).answer.headline.startswith("No")
