"""A Spark standalone cluster from the pyspark package: a master, and workers that share nothing with the driver.

Where the machine lets it, the second worker is in a network namespace of its own: it has another address, and of the
local stack's servers, which listen on the loopback, it sees what a forwarder brings there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scripts.local_stack.processes import LOOPBACK, Identity, free_port, spawn, stop, wait_until
from tests.conftest import SHORT_LIVED
from tests.package.environment import Environment

FORWARDER: Final = Path(__file__).with_name("forwarder.py")
_PATIENCE_SECONDS: Final = 60


@dataclass
class Cluster:
    """A master and the workers that have joined it.

    Attributes:
        spark: the environment whose Spark runs it.
        root: logs and work folders.
        host: the address that workers and drivers find the master, and the drivers, at.
        port: of the master.
        board: the port of its page, which tells of its workers.
        namespace: of the second worker; empty where the machine has none.
        workers: the daemons.
    """

    spark: Environment
    root: Path
    host: str
    port: int
    board: int
    namespace: str
    workers: list[Identity] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The master, as spark-submit takes it."""
        return f"spark://{self.host}:{self.port}"

    def conf(self, driver: Environment, workers: Environment) -> list[str]:
        """Returns spark-submit's arguments for a driver here whose workers use another environment's Python."""
        settings = {
            "spark.driver.host": self.host,
            "spark.driver.bindAddress": self.host,
            "spark.pyspark.driver.python": str(driver.python),
            "spark.pyspark.python": str(workers.python),
            "spark.executor.memory": "512m",
            "spark.executor.extraJavaOptions": SHORT_LIVED,
            "spark.driver.extraJavaOptions": SHORT_LIVED,
        }
        words = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
        return ["--master", self.url, *words]

    def add_worker(self, name: str, host: str, prefix: Sequence[str] = ()) -> None:
        """Starts a worker of one core with a work folder of its own."""
        arguments = ["--cores", "1", "--memory", "1g", "--host", host, "--webui-port", "0", "--work-dir"]
        daemon = ["org.apache.spark.deploy.worker.Worker", *arguments, str(self.root / name), self.url]
        self.workers.append(self.start(name, host, daemon, prefix))

    def start(self, name: str, host: str, daemon: Sequence[str], prefix: Sequence[str] = ()) -> Identity:
        """Starts one of Spark's daemons."""
        program = str(self.spark.spark_home / "bin" / "spark-class")
        env = {
            "SPARK_HOME": str(self.spark.spark_home),
            "SPARK_LOCAL_IP": host,
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": SHORT_LIVED,
            "PYTHONPATH": "",
        }
        return spawn([*prefix, program, *daemon], log=self.root / f"{name}.log", env=env)

    def ready(self, workers: int) -> bool:
        """Tells whether so many workers have joined the master."""
        with suppress(OSError), urllib.request.urlopen(f"http://{self.host}:{self.board}/json/", timeout=5) as page:
            return bool(page.read().decode().count('"ALIVE"') == workers + 1)  # the master itself is alive too
        return False

    def executors(self) -> list[int]:
        """Returns the JVMs that run tasks."""
        return _processes("CoarseGrainedExecutorBackend", str(self.root))

    def stop_workers(self) -> None:
        """Ends the workers, and with them their executors, as a machine that is gone does."""
        for worker in self.workers:
            stop(worker, signal.SIGKILL)
        for process in self.executors():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def python_daemons(environment: Environment) -> list[int]:
    """Returns the processes of an environment's Python that fork a worker for each task."""
    return _processes(str(environment.folder), "pyspark.daemon")


def _processes(*words: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            told = (entry / "cmdline").read_bytes().decode(errors="replace") if entry.name.isdigit() else ""
            told += str((entry / "cwd").readlink()) if told else ""
            if told and all(word in told for word in words):
                found.append(int(entry.name))
    return found


@contextmanager
def master(spark: Environment, root: Path) -> Iterator[Cluster]:
    """Yields a cluster without workers; at the end all of it is gone."""
    root.mkdir()
    namespace, host = _namespace()
    cluster = Cluster(spark, root, host, free_port(), free_port(), namespace)
    ports = ["--host", host, "--port", str(cluster.port), "--webui-port", str(cluster.board)]
    daemon = cluster.start("master", host, ["org.apache.spark.deploy.master.Master", *ports])
    try:
        assert wait_until(lambda: cluster.ready(0), _PATIENCE_SECONDS), (root / "master.log").read_text(
            encoding="utf-8"
        )
        yield cluster
    finally:
        cluster.stop_workers()
        stop(daemon, signal.SIGKILL)
        if namespace:
            _ip("netns", "delete", namespace)


@contextmanager
def with_workers(cluster: Cluster, ports: Sequence[int]) -> Iterator[Cluster]:
    """Yields the cluster with two workers of one core each.

    Args:
        cluster: the master.
        ports: of the loopback's servers that a worker in another network must reach.
    """
    cluster.add_worker("worker-1", cluster.host)
    forwarder = None
    if cluster.namespace:
        command = [sys.executable, str(FORWARDER), cluster.namespace, *map(str, ports)]
        forwarder = spawn(command, log=cluster.root / "forwarder.log")
        there = cluster.host.rpartition(".")[0] + ".2"
        cluster.add_worker("worker-2", there, ["ip", "netns", "exec", cluster.namespace])
    else:
        cluster.add_worker("worker-2", cluster.host)
    try:
        assert wait_until(lambda: cluster.ready(2), _PATIENCE_SECONDS), "the workers did not join"
        yield cluster
    finally:
        if forwarder is not None:
            stop(forwarder)


def _namespace() -> tuple[str, str]:
    """Returns a network namespace with a way to this one, and our address on it; the loopback where there is none."""
    name, net = f"kg{os.getpid()}", f"10.213.{os.getpid() % 250}"
    steps = [
        ("netns", "add", name),
        ("link", "add", f"{name}h", "type", "veth", "peer", "name", f"{name}w", "netns", name),
        ("addr", "add", f"{net}.1/30", "dev", f"{name}h"),
        ("link", "set", f"{name}h", "up"),
        ("-n", name, "addr", "add", f"{net}.2/30", "dev", f"{name}w"),
        ("-n", name, "link", "set", f"{name}w", "up"),
        ("-n", name, "link", "set", "lo", "up"),
    ]
    if os.geteuid() == 0 and all(_ip(*step) for step in steps):
        return name, f"{net}.1"
    _ip("netns", "delete", name)
    return "", LOOPBACK


def _ip(*words: str) -> bool:
    with suppress(FileNotFoundError):
        done = subprocess.run(["ip", *words], check=False, capture_output=True)  # noqa: S603, S607  iproute2
        return done.returncode == 0
    return False
