import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from augbench.datasets import MissingDataError, make
from augbench.datasets.series import Ai4iDataset, SkabDataset
from augbench.datasets.sources import sources
from augbench.errors import InputError

SKAB = "datetime;A1;A2;Current;Pressure;Temperature;Thermocouple;Voltage;Flow;anomaly;changepoint\n"
AI4I = "UDI,Product ID,Type,Air,Process,Speed,Torque,Wear,Machine failure,TWF,HDF,PWF,OSF,RNF\n"


@pytest.fixture
def series_files(real_data: Path) -> Path:
    if not (real_data / "timeseries" / "skab").is_dir():
        pytest.skip(f"no series in {real_data}")
    return real_data


def put(cache: Path, path: str, text: str) -> str:
    (cache / path).parent.mkdir(parents=True, exist_ok=True)
    (cache / path).write_bytes(text.encode())
    return hashlib.sha256(text.encode()).hexdigest()


def test_one_series_for_each_skab_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = "2020-03-09 10:14:3{0};{0};2;3;4;5;6;7;8.5;{1};0.0"
    one = SKAB + "\n".join(row.format(i, float(i > 1)) for i in range(3)) + "\n"
    two = SKAB + "\r\n".join(row.format(i, 0.0) for i in (7, 8)) + "\r\n"
    files = {
        name: put(cache, f"timeseries/skab/{name}", text) for name, text in {"v/1.csv": one, "o/0.csv": two}.items()
    }
    source = replace(sources()["skab"], files=files, rows=5, class_counts=(4, 1))
    monkeypatch.setitem(sources(), "skab", source)
    table = SkabDataset().load()
    assert table.X.columns.tolist() == SKAB.split(";")[1:9]
    assert table.X["A1"].tolist() == [0, 1, 2, 7, 8]
    assert table.y.tolist() == [0, 0, 1, 0, 0]
    assert table.series is not None
    assert table.series.tolist() == [0, 0, 0, 1, 1]
    assert table.series.dtype == table.y.dtype == np.int64
    monkeypatch.setitem(sources(), "skab", replace(source, class_counts=(3, 2)))
    with pytest.raises(InputError, match=r"'skab' has class counts \(4, 1\), expected \(3, 2\)"):
        SkabDataset().load()


def test_ai4i_in_the_order_of_time(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"{i},M{i},{'LMH'[i % 3]},{i}.5,2,3,4,5,{int(i == 7)},0,0,0,0,1" for i in range(1, 251)]
    sha256 = put(cache, "timeseries/ai4i2020.csv", "\ufeff" + AI4I + "\n".join(lines[::-1]) + "\n")
    monkeypatch.setitem(sources(), "ai4i", replace(sources()["ai4i"], sha256=sha256, rows=250, class_counts=(249, 1)))
    table = Ai4iDataset().load()
    assert table.X.columns.tolist() == ["Type", "Air", "Process", "Speed", "Torque", "Wear"]
    assert table.X["Air"].tolist() == [i + 0.5 for i in range(1, 251)]
    assert table.X["Type"].tolist()[:3] == ["M", "H", "L"]
    assert [str(dtype) for dtype in table.X.dtypes] == ["category"] + ["float64"] * 5
    assert np.flatnonzero(table.y).tolist() == [6]
    assert np.bincount(table.series).tolist() == [100, 100, 50]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "first"), [("skab", "timeseries/skab/valve1/0.csv"), ("ai4i", "timeseries/ai4i2020.csv")]
)
def test_facts_are_known_without_the_files(cache: Path, name: str, first: str) -> None:
    info = make(name).info
    assert info.series
    assert info.group == "series"
    assert info.n_rows == {"skab": 37_401, "ai4i": 10_000}[name]
    for call in (make(name).check_present, make(name).load):  # type: ignore[attr-defined]
        with pytest.raises(MissingDataError, match=f"bench datasets fetch {name}, .*holds {first}"):
            call()
    assert not make("card").info.series


def test_the_real_skab(series_files: Path) -> None:
    dataset = SkabDataset()
    table = dataset.load()
    assert table.series is not None
    sizes = np.bincount(table.series)
    assert len(sizes) == 34
    assert (sizes[0], sizes[16], sizes[20], sizes[33]) == (
        1147,
        1125,
        745,
        905,
    )  # valve1/0, valve2/0, other/1, other/14
    shares = pd.Series(table.y).groupby(table.series).mean()
    assert shares.between(0.25, 0.5).all()
    assert table.X.iloc[0].tolist() == pd.read_csv(
        series_files / "timeseries" / "skab" / "valve1" / "0.csv", sep=";"
    ).iloc[0, 1:9].tolist()  # fmt: skip
    assert not table.X.isna().to_numpy().any()


def test_the_real_ai4i(series_files: Path) -> None:
    table = Ai4iDataset().load()
    assert table.X.columns.tolist()[0] == "Type"
    assert table.X["Type"].value_counts().to_dict() == {"L": 6000, "M": 2997, "H": 1003}
    assert "Tool wear [min]" in table.X.columns
    assert not {"UDI", "Product ID", "TWF", "HDF", "PWF", "OSF", "RNF"} & set(table.X.columns)
    # the order is that of time: the tool wears until it is changed
    assert (np.diff(table.X["Tool wear [min]"]) >= 0).mean() > 0.98
    assert np.bincount(table.series).tolist() == [100] * 100  # type: ignore[arg-type]
