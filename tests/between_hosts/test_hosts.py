"""Two hosts made of namespaces are two hosts for LSL, and leave nothing behind."""

from __future__ import annotations

import psutil

from .hosts import Outlet, Reader


def test_a_stream_of_a_host_whose_clock_is_ahead_is_found_read_and_compared(hosts, unique):
    two = hosts(ahead=5000)
    outlet = Outlet(two.sender, unique, source_id=f"{unique}-id")
    reader = Reader(two.recorder, name=unique)
    now = reader.until(state="live", count=200, offsets=1)
    assert now["uid"] == outlet.uid
    assert two.sender.run("hostname").stdout.strip() == f"sender-{unique}"


def test_closing_the_hosts_ends_all_that_ran_there(hosts):
    two = hosts()
    pids = [two.recorder.pid, two.sender.pid, two.sender.start("sleep", "1000").pid]
    two.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)
