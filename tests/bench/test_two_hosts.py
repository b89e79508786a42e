"""A link between two hosts that is cut and restored costs no result, and a person is told what matters.

The hosts are network namespaces of this machine, joined by a switch in a third one: driver and scheduler on one, the
workers on the other. They share the file system, so that nothing is said here of a worker's own copies of files.
"""

import os
import shutil
import signal
import subprocess
import uuid
from contextlib import suppress

import pytest

from .conftest import fingerprint
from .dask_processes import GENERATE, DaskProcesses, Host, start, stored, wait_for

pytest.importorskip("distributed", reason="no Dask: pip install -e '.[cluster]'")

SUITE = """
draws = 6
block = 1
methods = ["held"]
controls = false
datasets = ["iris"]
classifiers = ["logistic-regression"]
scenarios = ["imbalance:count=12"]
"""
#: after how long a silent connection is given up; by default after 30 s, and this is the least that Dask can do
TIMEOUT = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "11s"}
#: how often a unit calls its method: for the draw and its inner folds
CALLS = 4


class Hosts:
    """Two hosts and the switch between them; nothing of it is seen from the namespace of this process."""

    def __init__(self):
        self.name = f"augbench-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.driver = Host("192.0.2.1", ("ip", "netns", "exec", f"{self.name}-driver"))
        self.worker = Host("192.0.2.2", ("ip", "netns", "exec", f"{self.name}-worker"))

    def __enter__(self):
        try:
            for host in ("driver", "worker", "switch"):
                self._may("netns", "add", f"{self.name}-{host}")
            self._may(*self._at("switch"), "link", "add", "switch", "type", "bridge")
            self._ip(*self._at("switch"), "link", "set", "dev", "switch", "up")
            for host, address in (("driver", self.driver.address), ("worker", self.worker.address)):
                veth = ("eth0", "type", "veth", "peer", "name", f"to-{host}", "netns", f"{self.name}-switch")
                self._may(*self._at(host), "link", "add", *veth)
                self._ip(*self._at("switch"), "link", "set", "dev", f"to-{host}", "master", "switch", "up")
                self._ip(*self._at(host), "address", "add", f"{address}/24", "dev", "eth0")
                self._ip(*self._at(host), "link", "set", "dev", "eth0", "up")
                self._ip(*self._at(host), "link", "set", "dev", "lo", "up")
            self._may(*self.driver.prefix[1:], "true")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for host in ("driver", "worker", "switch"):
            # (also those that were not made)
            subprocess.run(["ip", "netns", "delete", f"{self.name}-{host}"], capture_output=True)

    def cut(self):
        self._ip(*self._at("switch"), "link", "set", "dev", "to-worker", "down")

    def restore(self):
        self._ip(*self._at("switch"), "link", "set", "dev", "to-worker", "up")

    def _at(self, host):
        return "-netns", f"{self.name}-{host}"

    def _ip(self, *arguments):
        subprocess.run(["ip", *arguments], check=True)

    def _may(self, *arguments):
        """Do what is not allowed everywhere."""
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
        if done.returncode:
            why = done.stderr.strip().rpartition("\n")[2]
            pytest.skip(f"network namespaces are not allowed here: ip {' '.join(arguments)}: {why}")


@pytest.fixture
def hosts():
    if not shutil.which("ip"):
        pytest.skip("no 'ip' for network namespaces: apt-get install iproute2")
    if os.geteuid():
        pytest.skip("network namespaces need root")
    with Hosts() as hosts:
        yield hosts


@pytest.fixture
def dask(tmp_path, hosts):
    with DaskProcesses(tmp_path) as processes:
        yield processes


class Gate:
    """A plugin's method waits at it on workers with `environment`, and counts its calls before and behind it."""

    BODY = f"""
        folder = os.environ.get("GATE")
        if folder:
            open(f"{{folder}}/before", "a").write(".")
            while not os.path.exists(f"{{folder}}/open"): time.sleep(0.05)
            open(f"{{folder}}/behind", "a").write(".")
        {GENERATE}
    """

    def __init__(self, folder):
        self.environment = {"GATE": str(folder)}
        self._open, self._before, self._behind = folder / "open", folder / "before", folder / "behind"
        self._before.touch()
        self._behind.touch()

    def open(self):
        self._open.touch()

    def close(self):
        self._open.unlink()

    def behind(self):
        return self._behind.stat().st_size

    def holds(self):
        return self._before.stat().st_size > self.behind()


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


@pytest.fixture
def options(tmp_path, plugin):
    (tmp_path / "suite.toml").write_text(SUITE)
    return tmp_path / "suite.toml", "--plugin", plugin(Gate.BODY, "held")


def start_here(dask, hosts, *options):
    """Start a run on the driver's host; return it and the file of what it says."""
    said = dask.folder / f"said-{len(dask.running)}"
    with said.open("w") as stderr:
        return start(dask.folder, dask, *options, host=hosts.driver, stderr=stderr), said


def pass_time(run, seconds):
    with suppress(subprocess.TimeoutExpired):
        run.wait(seconds)


def fingerprint_of_one_process(folder, bench, options):
    alone = bench("run", *options, "--no-site", "--store", "alone.sqlite", "--jobs", 1)
    assert alone.returncode == 0, alone.stderr
    return fingerprint(folder / "alone.sqlite")


def test_a_link_that_is_cut_while_units_are_computed_costs_no_result(bench, tmp_path, hosts, dask, gate, options):
    """A cut of two seconds goes unnoticed; after a longer one the worker is given up, and another one goes on."""
    dask.start_scheduler(host=hosts.driver, **TIMEOUT)
    dask.start_worker(hosts.worker, **TIMEOUT, **gate.environment)
    run, said = start_here(dask, hosts, *options)
    wait_for(gate.holds, run)
    before = stored(tmp_path / "dask.sqlite")
    hosts.cut()
    gate.open()
    wait_for(lambda: gate.behind() == CALLS, run)
    gate.close()
    pass_time(run, 2)
    # the unit has ended, and its result has not come through
    assert stored(tmp_path / "dask.sqlite") == before
    hosts.restore()
    wait_for(lambda: gate.holds() and stored(tmp_path / "dask.sqlite") > before, run)
    assert said.read_text() == ""

    hosts.cut()
    alone = fingerprint_of_one_process(tmp_path, bench, options)
    wait_for(lambda: f"{dask.address} has no workers now: start some with 'dask worker" in said.read_text(), run)
    hosts.restore()
    # (Dask's worker that was given up ends by itself)
    dask.start_worker(hosts.worker)
    run.communicate(timeout=120)
    assert run.returncode == 0, said.read_text()
    lost, _, again = said.read_text().splitlines()
    assert lost.startswith("1 worker lost (tcp://192.0.2.2:")
    assert again == f"{dask.address} has workers again"
    assert fingerprint(tmp_path / "dask.sqlite") == alone


def test_while_the_link_is_cut_ctrl_c_stops_and_the_same_command_goes_on(bench, tmp_path, hosts, dask, gate, options):
    """The same command may be given while the link is still cut; then it waits."""
    dask.start_scheduler(host=hosts.driver, **TIMEOUT)
    dask.start_worker(hosts.worker, **TIMEOUT, **gate.environment)
    run, said = start_here(dask, hosts, *options)
    wait_for(gate.holds, run)
    hosts.cut()
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130
    units = stored(tmp_path / "dask.sqlite")
    # (the baseline comes first)
    assert units >= 1
    stopped = f"stopped: {units} units are stored, {12 - units} are left; the same command goes on here\n"
    assert said.read_text() == stopped

    again, said = start_here(dask, hosts, *options)
    alone = fingerprint_of_one_process(tmp_path, bench, options)
    wait_for(lambda: f"{dask.address} has no workers" in said.read_text(), again)
    hosts.restore()
    dask.start_worker(hosts.worker)
    stdout, _ = again.communicate(timeout=120)
    assert again.returncode == 0, said.read_text()
    assert f"{units} stored before" in stdout
    assert fingerprint(tmp_path / "dask.sqlite") == alone
