"""``bench leaderboard --watch``: a real server on this machine, and a store that grows."""

import http.client
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from urllib.parse import urlsplit

import pytest
from augbench.bench.plan import make_plan
from augbench.bench.report import run_info
from augbench.bench.store import Store
from augbench.bench.suite import load_suite
from augbench.bench.watch import HOST, PORT, SiteServer, StoreLook, open_server
from augbench.errors import InputError

from ..conftest import BENCH

PAGES = {"index.html": "<body>index</body>", "method/a b.html": "<body>one</body>", "assets/site.js": "let a;"}
SUITE = """
draws = 2
methods = ["random-oversampling"]
controls = false
datasets = ["iris"]
classifiers = ["logistic-regression"]
"""
#: seconds that anything may take on a busy machine
PATIENCE = 120


@pytest.fixture
def server():
    with SiteServer(0) as one:
        thread = threading.Thread(target=one.serve_forever, daemon=True)
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def ask(url, path, method="GET", host=None):
    """Send one request as it is written; return status, type and body."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    connection.putrequest(method, path, skip_host=host is not None)
    if host is not None:
        connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.getheader("Content-Type"), answer.read().decode()
    connection.close()
    return found


def test_pages_have_the_script_and_other_files_are_as_they_are(server):
    server.show(PAGES)
    for path in ("/", "/index.html", "/?a=b"):
        status, kind, body = ask(server.url, path)
        assert (status, kind) == (200, "text/html; charset=utf-8")
        assert body.startswith("<body>index<script")
        assert f'data-version="{server.version}"></script>' in body
        assert body.endswith("</body>")
    assert ask(server.url, "/assets/site.js") == (200, "text/javascript; charset=utf-8", "let a;")
    assert "one" in ask(server.url, "/method/a%20b.html")[2]
    assert ask(server.url, "/-/version")[2] == server.version
    assert "location.reload" in ask(server.url, "/-/watch.js")[2]


def test_nothing_but_the_site_can_be_had(server, tmp_path):
    server.show(PAGES)
    (tmp_path / "secret").write_text("secret")
    for path in (
        "/../secret",
        f"/..{tmp_path}/secret",
        f"/{tmp_path}/secret",
        "/%2e%2e/secret",
        "/assets/",
        "/nothing",
    ):
        status, _, body = ask(server.url, path)
        assert status == 404, path
        assert "secret" not in body
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        assert ask(server.url, "/", method)[0] == 501
    assert server.server_address[0] == HOST == "127.0.0.1"


def test_a_page_of_elsewhere_cannot_read_it_under_another_name(server):
    server.show(PAGES)
    for host in ("evil.example", f"evil.example:{server.server_address[1]}", ""):
        status, _, body = ask(server.url, "/", host=host)
        assert status == 421
        assert "index" not in body
    for host in ("localhost", f"localhost:{server.server_address[1]}", "127.0.0.1"):
        assert ask(server.url, "/", host=host)[0] == 200


def test_what_is_no_address_and_a_reader_that_goes_are_no_traceback(server, capsys):
    server.show(PAGES | {"assets/large.js": "x" * 20_000_000})
    assert ask(server.url, "/", host="[")[0] == 421
    for path, status in (("http://[", b"400"), ("/assets/large.js", b"200")):
        with socket.create_connection(server.server_address) as reader:
            reader.sendall(f"GET {path} HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
            assert reader.recv(12) == b"HTTP/1.0 " + status
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(PATIENCE)
    assert "Traceback" not in capsys.readouterr().err


def test_a_new_site_takes_the_place_of_the_old_one_whole(server):
    server.show(PAGES)
    before = server.version
    server.show({"index.html": "<body>newer</body>"})
    assert server.version != before
    assert "newer" in ask(server.url, "/")[2]
    assert ask(server.url, "/assets/site.js")[0] == 404


def test_before_there_is_a_site_every_page_says_why(server):
    server.wait_for_results("the store has <no> run")
    status, kind, body = ask(server.url, "/method/smote.html")
    assert (status, kind) == (503, "text/html; charset=utf-8")
    assert "the store has &lt;no&gt; run" in body
    assert "/-/watch.js" in body


def test_a_port_that_is_taken(server):
    taken = server.server_address[1]
    with pytest.raises(InputError, match=f"cannot serve on port {taken}: address already in use; --port names another"):
        open_server(taken)
    # whoever holds the usual port, this test or another program
    with open_server(None) as first, open_server(None) as second:
        ports = [one.server_address[1] for one in (first, second)]
        assert ports[0] != ports[1]
        assert ports[1] != PORT


def test_the_page_in_a_browser_follows_the_site(server, browser):
    page = "<!doctype html><html lang='en'><head><title>{}</title></head><body><p>{}</p></body></html>"
    server.show({"index.html": page.format("one", "x")})
    tab = browser.new_page()
    tab.goto(server.url + "#kept")
    assert tab.title() == "one"
    server.show({"index.html": page.format("two", "y")})
    tab.wait_for_function("document.title === 'two'", timeout=1000 * PATIENCE)
    assert tab.url == server.url + "#kept"
    tab.close()


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "little.toml"
    path.write_text(SUITE)
    return path


@pytest.fixture
def store(tmp_path, suite):
    """A store with a run of which nothing is computed yet."""
    plan = make_plan(load_suite(str(suite)))
    with Store(tmp_path / "augbench-results" / "store.sqlite", write=True) as writer:
        writer.save_run(plan, run_info(plan, "bench run little.toml"))
    return tmp_path / "augbench-results" / "store.sqlite"


class Watcher:
    """A running ``bench leaderboard --watch`` whose output can be waited for."""

    def __init__(self, folder, *arguments):
        self.process = subprocess.Popen(
            [*BENCH, "leaderboard", "--watch", *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.lines = queue.Queue()
        self.seen = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def wait_for(self, words):
        """Return the first line from now on that has these words; fail where the program ends or takes too long."""
        deadline = time.monotonic() + PATIENCE
        while True:
            line = self.lines.get(timeout=max(0.1, deadline - time.monotonic()))
            self.seen.append(line)
            assert line, "".join(self.seen)
            if words in line:
                return line


def test_the_site_follows_a_run_and_ctrl_c_ends_it(bench, tmp_path, suite, store):
    watcher = Watcher(tmp_path, "--port", "0")
    try:
        url = watcher.wait_for("leaderboard: ").split()[1]
        assert watcher.wait_for("not shown:")
        assert ask(url, "/index.html")[0] == 503
        bench("run", suite, "--jobs", 1, "--quiet")
        watcher.wait_for("little: 2 of 2 units")
        status, _, page = ask(url, "/index.html")
        assert status == 200
        assert "random-oversampling" in page
        version = ask(url, "/-/version")[2]
        manifest = ask(url, "/manifest.html")[2]
        assert f'data-version="{version}"' in page
        bench("run", suite, "--draws", 7, "--jobs", 1, "--quiet")
        watcher.wait_for("little: 4 of 4 units")
        assert ask(url, "/-/version")[2] != version
        assert ask(url, "/manifest.html")[2] != manifest
        # what lies on disk asks for nothing
        written = (store.parent / "site" / "index.html").read_text()
        assert "random-oversampling" in written
        assert "/-/" not in written
        watcher.process.send_signal(signal.SIGINT)
        watcher.wait_for("ended")
        assert watcher.process.wait(PATIENCE) == 0
    finally:
        watcher.process.kill()
        watcher.process.wait()
    assert "Traceback" not in "".join(watcher.seen)
    with pytest.raises(ConnectionRefusedError):
        ask(url, "/")


def test_a_change_is_seen_also_where_the_file_is_another(store, tmp_path):
    with StoreLook(store) as look:
        first = look.mark()
        assert look.mark() == first
        with Store(store, write=True) as writer, writer.transaction() as connection:
            connection.execute("UPDATE runs SET started = 'now'")
        second = look.mark()
        assert second != first
        assert look.mark() == second
        copy = tmp_path / "copy.sqlite"
        with Store(copy, write=True):
            pass
        store.unlink()
        assert look.mark() == second
        copy.rename(store)
        third = look.mark()
        assert third != second
        assert look.mark() == third


def test_errors_before_anything_is_served(bench, store):
    done = bench("leaderboard", "--watch", "--store", "nothing.sqlite")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "there is no store nothing.sqlite" in done.stderr
    done = bench("leaderboard", "--port", 5)
    assert done.returncode == 2
    assert "--port is the port of --watch" in done.stderr
