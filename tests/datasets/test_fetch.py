import gzip
import hashlib
import io
import os
import socket
import zipfile
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from augbench.bench.datasets_command import fetch_dataset
from augbench.datasets import MissingDataError, fetch, make
from augbench.datasets.fetch import cache_folder, download, locate
from augbench.datasets.sources import Source, sources
from augbench.errors import InputError

CONTENT = b"bool_in=0\n" * 2000


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/absent":
            self.send_error(404)
            return
        body = b"<html>maintenance</html>" if self.path == "/wrong" else CONTENT
        body = self.server.served.get(self.path, body)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path == "/truncated" else body)
        self.server.requests_seen.append(self.path)  # type: ignore[attr-defined]

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(serve: Callable[..., ThreadingHTTPServer]) -> ThreadingHTTPServer:
    running = serve(_Handler)
    running.requests_seen = []  # type: ignore[attr-defined]
    running.served = {}  # type: ignore[attr-defined]
    return running


def source_at(url: str) -> Source:
    return replace(sources()["card"], urls=(url,), sha256=hashlib.sha256(CONTENT).hexdigest())


def address(server: ThreadingHTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/{path}"


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("progress", [False, True])
def test_download_then_locate(cache: Path, server: ThreadingHTTPServer, progress: bool) -> None:
    source = source_at(address(server, "good"))
    path = download(source, progress)
    assert path == cache / "proben1" / "card1.dt" == locate(source)
    assert path.read_bytes() == CONTENT
    assert files_below(cache) == [path]
    assert download(source) == path
    assert server.requests_seen == ["/good"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("absent", "the server answered 404 Not Found"),
        ("wrong", "is not the expected one for 'card'"),
        ("truncated", "the connection broke before the whole file had come"),
    ],
)
def test_failed_download_leaves_nothing(cache: Path, server: ThreadingHTTPServer, path: str, words: str) -> None:
    source = source_at(address(server, path))
    with pytest.raises(InputError, match=words) as error:
        download(source)
    message = str(error.value)
    assert source.urls[0] in message
    assert "\n" not in message
    assert files_below(cache) == []


def test_unreachable_server(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as bound:  # bound, not listening: nobody answers there
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/card1.dt"
        with pytest.raises(InputError, match=f"from {url}: the server cannot be reached"):
            download(source_at(url))
    assert files_below(cache) == []


def test_download_replaces_a_broken_cached_file(cache: Path, server: ThreadingHTTPServer) -> None:
    source = source_at(address(server, "good"))
    path = cache / source.file
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:100])
    with pytest.raises(InputError, match="is not the expected file of 'card'"):
        locate(source)
    assert download(source).read_bytes() == CONTENT


def test_absent_data_say_how_to_get_them(cache: Path) -> None:
    with pytest.raises(MissingDataError) as error:
        make("card").load()  # type: ignore[attr-defined]
    assert "fetch it with: bench datasets fetch card" in str(error.value)
    assert "point AUGBENCH_DATA at a folder that holds proben1/card1.dt" in str(error.value)
    assert not cache.exists()  # loading never downloads


def test_data_folder_comes_first_and_is_never_written(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    (folder / "proben1").mkdir(parents=True)
    (folder / "proben1" / "card1.dt").write_bytes((real_data / "proben1" / "card1.dt").read_bytes())
    monkeypatch.setenv("AUGBENCH_DATA", str(folder))
    monkeypatch.setenv("AUGBENCH_CACHE", str(tmp_path / "cache"))
    before = {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}
    for path in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert fetch("card") == folder / "proben1" / "card1.dt"
        assert make("card").load().X.shape == (690, 51)  # type: ignore[attr-defined]
        with pytest.raises(MissingDataError):
            make("heart").load()  # type: ignore[attr-defined]
        assert {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]} == before
        assert not (tmp_path / "cache").exists()
    finally:
        for path in before:
            path.chmod(0o755)


@pytest.mark.parametrize("damage", ["one byte", "truncated"])
def test_wrong_file_in_the_data_folder(
    damage: str, cache: Path, server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_at(address(server, "good"))
    path = tmp_path / "data" / source.file
    path.parent.mkdir(parents=True)
    wrong = CONTENT[:-1] if damage == "truncated" else b"X" + CONTENT[1:]
    path.write_bytes(wrong)
    monkeypatch.setenv("AUGBENCH_DATA", str(tmp_path / "data"))
    for call in (locate, download):  # nor does a download hide it
        with pytest.raises(InputError) as error:
            call(source)
        for part in (str(path), source.sha256, hashlib.sha256(wrong).hexdigest(), "bench datasets fetch card"):
            assert part in str(error.value)
    assert path.read_bytes() == wrong
    assert server.requests_seen == []  # type: ignore[attr-defined]


def test_a_changed_file_is_checked_again(cache: Path) -> None:
    source = source_at("http://127.0.0.1/never")
    path = cache / source.file
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert locate(source) == path
    path.write_bytes(b"X" + CONTENT[1:])
    os.utime(path, ns=(1, 1))
    with pytest.raises(InputError, match="is not the expected file"):
        locate(source)


def test_fetch_names(cache: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'glass'"):
        fetch("glas")
    with pytest.raises(InputError, match="'iris' comes with scikit-learn: there is nothing to fetch"):
        fetch("iris")


def zipped(name: str, content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("readme.txt", b"not this one")
        file.writestr(name, content)
    return archive.getvalue()


def test_a_member_is_taken_out_of_an_archive(cache: Path, server: ThreadingHTTPServer) -> None:
    server.served = {"/a.zip": zipped("inner.dt", CONTENT)}  # type: ignore[attr-defined]
    source = replace(source_at(address(server, "a.zip")), member="inner.dt")
    path = download(source)
    assert path.read_bytes() == CONTENT
    assert files_below(cache) == [path]


@pytest.mark.parametrize("served", ["no zip", "cut zip", "other name", "other content"])
def test_a_wrong_archive_leaves_nothing(served: str, cache: Path, server: ThreadingHTTPServer) -> None:
    good = zipped("inner.dt", CONTENT)
    wrong = {
        "no zip": CONTENT,
        "cut zip": good[: len(good) // 2],
        "other name": zipped("outer.dt", CONTENT),
        "other content": zipped("inner.dt", CONTENT[1:]),
    }
    server.served = {"/a.zip": wrong[served]}  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="is not the expected one for 'card'"):
        download(replace(source_at(address(server, "a.zip")), member="inner.dt"))
    assert files_below(cache) == []


def several(server: ThreadingHTTPServer, contents: dict[str, bytes]) -> Source:
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return replace(sources()["card"], file="set", urls=(address(server, "set"),), sha256="", files=sha256)


def test_a_set_of_several_files(
    cache: Path,
    server: ThreadingHTTPServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    contents = {"one/0.csv": b"first", "two/0.csv": b"second", "two/1.csv": b"third"}
    server.served = {f"/set/{name}": content for name, content in contents.items()}  # type: ignore[attr-defined]
    source = several(server, contents)
    monkeypatch.setitem(sources(), "card", source)
    data = tmp_path / "data" / "set" / "one"
    data.mkdir(parents=True)
    (data / "0.csv").write_bytes(b"first")
    monkeypatch.setenv("AUGBENCH_DATA", str(tmp_path / "data"))
    with pytest.raises(MissingDataError, match=r"fetch it with: bench datasets fetch card.*holds set/two/0\.csv"):
        [locate(part) for part in source.parts]
    fetch_dataset(["card"])  # the command, in this process
    assert f"card: {cache / 'set'}" in "".join(capsys.readouterr().out.splitlines())
    assert fetch("card") == cache / "set"
    assert server.requests_seen == ["/set/two/0.csv", "/set/two/1.csv"]  # type: ignore[attr-defined]
    assert [locate(part).read_bytes() for part in source.parts] == list(contents.values())
    other = several(server, {**contents, "two/1.csv": b"changed"})
    assert source.info.content_hash != other.info.content_hash


@pytest.mark.parametrize("level", [1, 9])
def test_compressed_files_are_known_by_their_content(level: int, cache: Path, server: ThreadingHTTPServer) -> None:
    packed = gzip.compress(CONTENT, level)
    server.served = {"/set/a.gz": packed}  # type: ignore[attr-defined]
    (source,) = several(server, {"a.gz": CONTENT}).parts
    path = download(source)
    assert path.read_bytes() == packed
    for wrong in (packed[:-20], gzip.compress(CONTENT[1:]), CONTENT):
        path.write_bytes(wrong)
        with pytest.raises(InputError, match=f"{path} is not the expected file of 'card'"):
            locate(source)
    server.served = {"/set/a.gz": packed[:-20]}  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="is not the expected one for 'card'"):
        download(source)


def test_an_entry_has_one_file_or_several() -> None:
    with pytest.raises(InputError, match="either 'sha256' or 'files', not both"):
        replace(sources()["card"], files={"a": "b"})
    with pytest.raises(InputError, match="without 'sha256' or 'files' it cannot be 'verified'"):
        replace(sources()["card"], sha256="")


def test_cache_folder_of_this_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUGBENCH_CACHE", raising=False)
    assert cache_folder().name == "augbench"
    assert cache_folder().is_absolute()
