"""Machines of their own on one machine: network namespaces on a bridge, each with an address, made and removed by a test.

The bridge lies in a namespace too, so that the firewall of this machine sees none of their traffic.
"""

import ipaddress
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

PREFIX = "surveylake-"
"""A namespace is called PREFIX, the process id of its maker, and its name."""
NAMESPACES = Path("/run/netns")
NETWORKS = [
    ipaddress.ip_network(f"10.{second}.{third}.0/24") for second in range(201, 251) for third in range(256)
]
NOBODY = "02:00:00:00:00:01"
"""A hardware address that nothing here has: what is sent to it is lost without a word."""
HUB = "hub"


@dataclass(frozen=True)
class Machine:
    """One namespace: its own addresses, its own loopback, its own processes."""

    name: str
    namespace: str
    address: str

    def command(self, *words: str) -> list[str]:
        """The command line that runs `words` here; the process id of what is started is that of `words`."""
        return ["ip", "netns", "exec", self.namespace, *words]

    def processes(self) -> list[psutil.Process]:
        """Whatever runs here now."""
        return _processes(self.namespace)

    def kill(self) -> None:
        """End all that runs here with SIGKILL, and wait until it is gone."""
        _kill(self.namespace)


@dataclass(frozen=True)
class Network:
    """The machines by name, and how this process itself is reached from them."""

    machines: dict[str, Machine]
    host: str

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    @contextmanager
    def parted(self, one: str, other: str) -> Iterator[None]:
        """Nothing passes between two machines while the block runs, in either direction: connections stay, packets are lost."""
        pair = self[one], self[other]
        try:
            for here, there in (pair, pair[::-1]):
                _ip(
                    "-n",
                    here.namespace,
                    "neigh",
                    "replace",
                    there.address,
                    "lladdr",
                    NOBODY,
                    "dev",
                    "eth0",
                    "nud",
                    "permanent",
                )
            yield
        finally:
            for here, there in (pair, pair[::-1]):
                _ip("-n", here.namespace, "neigh", "del", there.address, "dev", "eth0")


def refusal() -> str:
    """Why no network can be made here; empty when it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need ip, of iproute2"
    namespace = f"{PREFIX}{os.getpid()}-probe"
    done = _run("netns", "add", namespace)
    if done.returncode == 0:
        done = _run("-n", namespace, "link", "add", "probe", "type", "bridge")
    _run("netns", "del", namespace)
    return (
        f"no network namespace with a bridge can be made here: {done.stderr.strip()}"
        if done.returncode
        else ""
    )


@contextmanager
def network(*names: str) -> Iterator[Network]:
    """Make a machine of each name on one bridge, which this process is on too, and remove all with the block.

    What a test that was killed left behind goes first. Skips the test where there is no root or no `ip`.
    """
    if why := refusal():
        pytest.skip(why)
    _sweep()
    mine = f"{PREFIX}{os.getpid()}-"
    free = _free_network()
    host, *addresses = (str(address) for address, _ in zip(free.hosts(), ("host", *names), strict=False))
    machines = {
        name: Machine(name, f"{mine}{name}", address) for name, address in zip(names, addresses, strict=True)
    }
    here = f"sl{os.getpid()}"
    try:
        hub = f"{mine}{HUB}"
        _add(hub)
        _ip("-n", hub, "link", "add", "bridge", "type", "bridge")
        _ip("-n", hub, "link", "set", "dev", "bridge", "up")
        _ip("link", "add", here, "type", "veth", "peer", "name", "host", "netns", hub)
        _join(hub, "host")
        _ip("address", "add", f"{host}/{free.prefixlen}", "dev", here)
        _ip("link", "set", "dev", here, "up")
        for machine in machines.values():
            _add(machine.namespace)
            _ip(
                "-n",
                machine.namespace,
                "link",
                "add",
                "eth0",
                "type",
                "veth",
                "peer",
                "name",
                machine.name,
                "netns",
                hub,
            )
            _join(hub, machine.name)
            _ip(
                "-n",
                machine.namespace,
                "address",
                "add",
                f"{machine.address}/{free.prefixlen}",
                "dev",
                "eth0",
            )
            _ip("-n", machine.namespace, "link", "set", "dev", "eth0", "up")
        yield Network(machines, host)
    finally:
        for namespace in [path.name for path in NAMESPACES.glob(f"{mine}*")]:
            _remove(namespace)
        _run("link", "del", here)  # it goes with the hub, but not at once


def _add(namespace: str) -> None:
    _ip("netns", "add", namespace)
    _ip("-n", namespace, "link", "set", "dev", "lo", "up")


def _join(hub: str, port: str) -> None:
    """Put a link that ends in the hub on its bridge."""
    _ip("-n", hub, "link", "set", "dev", port, "master", "bridge", "up")


def _remove(namespace: str) -> None:
    """Remove a namespace and what runs in it; its links go with it, both ends."""
    _kill(namespace)
    _ip("netns", "del", namespace)


def _sweep() -> None:
    """Remove the namespaces of test processes that are gone."""
    for path in NAMESPACES.glob(f"{PREFIX}*"):
        maker = re.match(rf"{PREFIX}(\d+)-", path.name)
        if maker and not psutil.pid_exists(int(maker[1])):
            _remove(path.name)


def _free_network() -> ipaddress.IPv4Network:
    """A private network that no route of this machine leads to, begun with this process's own number."""
    routes = [
        word for line in _run("-4", "route").stdout.splitlines() for word in line.split()[:1] if "." in word
    ]
    taken = [ipaddress.ip_network(word, strict=False) for word in routes]
    first = os.getpid() % len(NETWORKS)
    return next(
        one for one in NETWORKS[first:] + NETWORKS[:first] if not any(one.overlaps(other) for other in taken)
    )


def _processes(namespace: str) -> list[psutil.Process]:
    found = []
    for pid in _run("netns", "pids", namespace).stdout.split():
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(int(pid)))
    return found


def _kill(namespace: str) -> None:
    """End what runs in a namespace; a process may have started another one meanwhile, so it is looked again."""
    while found := [one for one in _processes(namespace) if one.status() != psutil.STATUS_ZOMBIE]:
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(found, timeout=1)


def _ip(*words: str) -> None:
    done = _run(*words)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


def _run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
