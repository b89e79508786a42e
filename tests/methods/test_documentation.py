"""What `bench list methods NAME` shows of a method: from the docstrings, of every method that there is."""

import pytest
from augbench import InputError, methods
from augbench.methods import allowed_parameters
from augbench.methods.documentation import parameters, text

EVERY = [*methods.names(), "smote+gc", "vae+gc"]


@pytest.mark.parametrize("name", EVERY)
def test_every_parameter_of_every_method_has_a_default_and_a_meaning(name):
    found = parameters(name)
    assert [one.name for one in found] == allowed_parameters(name)
    assert all(one.default and one.meaning for one in found), found
    assert not {"sampling_strategy", "random_state", "augmenter"} & {one.name for one in found}
    shown = text(name)
    assert shown.startswith(methods.describe(name.removesuffix("+gc")))
    assert "----" not in shown
    assert "Parameters" not in shown
    assert "]_" not in shown


def test_meanings_come_from_the_class_or_the_nearest_base_that_tells_more_than_where_to_look():
    found = {one.name: one for one in parameters("latent-interpolation-noise")}
    assert found["noise"].meaning.startswith("σ, the standard deviation of ε")  # its own
    assert found["alpha"].meaning.startswith("α, the step towards the neighbour")  # its base's
    assert found["beta"].default == "1.0"  # VAEFamily's
    assert found["likelihood"].meaning.startswith('{"gaussian", "bernoulli", "mse"}: Of numeric columns')
    assert found["learning_rate"].meaning == "The optimizer's step size."  # NeuralAugmenter's, "As in" in between
    published = {one.name: one for one in parameters("predictive-vae-published")}
    assert (published["batch_size"].default, published["batch_size"].meaning) == ("160", "Rows per step.")


def test_a_filtered_method_has_the_parameters_of_both():
    found = {one.name: one for one in parameters("smote+gc")}
    assert found["k_neighbors"].default == "5"
    assert found["gc_noise"].meaning.startswith("Standard deviation of the noise")
    assert "The filter: Any augmenter NAME" in text("smote+gc")
    for name, message in (("smoet", "did you mean 'smote'"), ("class-weight+gc", "is an adjuster")):
        for function in (text, parameters):
            with pytest.raises(InputError, match=message):
                function(name)


def test_the_command_line_shows_it(bench):
    shown = bench("list", "methods", "latent-noise")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("One VAE over all classes")
    lines = {line.split()[0]: line for line in shown.stdout.splitlines() if line.strip()}
    assert lines["parameter"].split() == ["parameter", "default", "meaning"]
    assert lines["steps"].split()[1] == "6000"
    assert "Gradient steps (Adam)" in lines["steps"]
    assert bench("list", "methods", "class-weight").stdout.endswith("no parameters\n")
    for words, message in (
        (("methods", "smoet"), "unknown method 'smoet': did you mean 'smote' or 'svm-smote'?"),
        (("datasets", "iris"), "only methods can be asked for by name; found 'bench list datasets iris'"),
    ):
        refused = bench("list", *words)
        assert (refused.returncode, refused.stderr) == (2, f"error: {message}\n")
    assert "NAME" in bench("list", "--help").stdout


def test_an_unknown_parameter_says_where_they_are_listed():
    with pytest.raises(InputError, match=r"did you mean 'k_neighbors'\? \(bench list methods smote\)"):
        methods.make("smote", {"k_neighbours": 3})
