"""What several programs at once may rely on: order, no doubles, a newest picture, a clear end."""

from __future__ import annotations

import random
import socket
import threading
import time

import msgspec
import pytest

from myogestic_tui.app.interface import AddLabel, AddNote, Shutdown, Start, Stop, UndoLabel, View
from myogestic_tui.control.attachment import Attachment
from myogestic_tui.control.channel import Channel
from myogestic_tui.control.client import RecorderClient
from myogestic_tui.control.framing import JsonLines
from myogestic_tui.control.messages import PROTOCOL, Execute, Executed, Hello, Refused, Subscribe
from myogestic_tui.control.publisher import Publisher
from myogestic_tui.errors import ProtocolVersionError, RecorderGoneError
from tests.control.tiny import TinyRecorder, raw, read_all, serving
from tests.sending import wait_for


def framed(*messages: object) -> bytes:
    bodies = [msgspec.msgpack.encode(message) for message in messages]
    return b"".join(len(body).to_bytes(4, "big") + body for body in bodies)


def test_a_client_sees_the_status_and_starts_and_stops():
    with serving() as (server, recorder), RecorderClient(server.path) as client:
        assert client.status().state == "idle"
        assert client.execute(Start()).ok
        assert client.wait_for(lambda status: status.state == "recording", 120) is not None
        again = client.execute(Start())
        assert not again.ok
        assert "recording" in again.message
        assert client.execute(Stop()).path == "/tiny"
        assert recorder.commands[0].actor.startswith("tui ")


def test_once_a_command_is_answered_the_status_shows_what_it_did():
    with serving() as (server, _), RecorderClient(server.path) as client:
        client.execute(Start())
        for number in range(1, 101):
            assert client.execute(AddLabel(class_index=number % 4)).ok
            assert client.status().session.n_labels == number


def test_two_clients_of_50_labels_each_give_100_in_order_and_none_twice():
    sent: list[float] = []
    lock = threading.Lock()

    def press(path, seed):
        dice = random.Random(seed)
        with RecorderClient(path, program=f"viewer-{seed}") as client:
            for _ in range(50):
                time.sleep(dice.random() * 0.01)
                with lock:  # the order that the two operators saw
                    reply = client.execute(AddLabel(class_index=dice.randrange(4), timestamp=time.monotonic()))
                    sent.append(recorder.labels[-1].timestamp)
                assert reply.ok

    with serving() as (server, recorder):
        threads = [threading.Thread(target=press, args=(server.path, seed)) for seed in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        times = [label.timestamp for label in recorder.labels]
        assert len(times) == 100
        assert times == sorted(set(times)) == sent
        assert {command.actor.split()[0] for command in recorder.commands} == {"viewer-1", "viewer-2"}


def test_a_client_tells_of_envelopes_once_for_those_that_come_together():
    views = [View(stream="emg", columns=columns, n_channels=8) for columns in (56, 112)]
    told: list[list[object]] = []
    enough = threading.Event()

    def tell() -> None:
        told.append([client.envelope(view) for view in views])
        if sum(None not in one for one in told) == 8:
            enough.set()

    with serving() as (server, _), RecorderClient(server.path) as client:
        client.on_envelope = tell
        client.fps = 50
        tell()
        assert enough.wait(120)
        last = [one for one in told if None not in one][4:8]
    assert all(
        new is not old
        for one, before in zip(last[1:], last, strict=False)
        for new, old in zip(one, before, strict=True)
    )


def test_envelopes_come_while_a_view_is_asked_for_and_stop_when_it_is_not():
    view = View(stream="emg", columns=56, n_channels=8)
    with serving() as (server, recorder), RecorderClient(server.path) as client:
        client.fps = 50
        assert client.envelope(View(stream="nothing")) is None
        wait_for(lambda: client.envelope(view) is not None)
        first = client.envelope(view)
        assert (first.n_channels, len(first.low)) == (8, 8 * 56 * 4)
        wait_for(lambda: client.envelope(view).start > first.start)

        def rests() -> bool:
            before = recorder.frame
            time.sleep(0.3)
            return recorder.frame == before

        wait_for(rests)


def test_each_of_several_views_gets_its_own_envelope():
    views = [View(stream="emg", first_channel=first) for first in range(3)]
    with serving() as (server, _), RecorderClient(server.path) as client:
        wait_for(lambda: all(client.envelope(view) is not None for view in views))
        assert [client.envelope(view).first_channel for view in views] == [0, 1, 2]


def test_views_that_are_due_together_are_sent_together():
    """The first of them must not keep the others waiting, or what is shown side by side is of different times."""
    views = {number: View(stream="emg", first_channel=number) for number in range(3)}
    ours, theirs = socket.socketpair()
    with ours, theirs:
        one = Attachment(ours, JsonLines, "test", channel=Channel(ours, JsonLines()))
        one.subscribe(Subscribe(status=True, views=views, fps=10.0), 0.0)
        publisher = Publisher(TinyRecorder())
        for second in range(1, 4):
            publisher.publish([one], float(second))
            assert {number: sent.low for number, sent in one.sent.items()}.keys() == views.keys()
            assert set(one.channel._offers) == {"status", *views}
            one.channel._offers.clear()


def test_a_command_that_was_sent_again_after_a_lost_connection_is_not_carried_out_twice():
    with serving() as (server, recorder), RecorderClient(server.path) as client:
        recorder.release.clear()
        replies = []
        thread = threading.Thread(target=lambda: replies.append(client.execute(AddLabel(class_index=1))))
        thread.start()
        wait_for(lambda: server._attachments and server._attachments[0].outstanding == 1)
        server._attachments[0].socket.shutdown(2)
        wait_for(lambda: server._newest.get(client._name) and client._connections == 2)
        wait_for(lambda: any(pending.sent_on == 2 for pending in client._pending))
        recorder.release.set()
        thread.join(120)
        assert replies[0].ok
        assert len(recorder.labels) == 1
        assert client.execute(AddLabel(class_index=2)).ok
        assert len(recorder.labels) == 2


def test_the_same_number_of_the_same_client_is_answered_again():
    with serving() as (server, recorder):
        for _ in range(2):
            with raw(server) as one:
                command = Execute(id=7, command=AddLabel(class_index=1))
                one.sendall(framed(Hello(protocol=PROTOCOL, client="me"), command))
                answered = b""
                while b"Executed" not in answered:
                    answered += one.recv(4096)
        assert len(recorder.labels) == 1


def test_a_label_keeps_the_time_it_was_given_while_the_connection_was_away():
    with serving() as (server, recorder), RecorderClient(server.path) as client:
        pressed = time.monotonic() - 1.5
        server._attachments[0].socket.shutdown(2)
        assert client.execute(AddLabel(class_index=3, timestamp=pressed)).ok
        assert [label.timestamp for label in recorder.labels] == [pressed]


def test_a_recorder_that_says_goodbye_is_gone_with_its_reason():
    updates = threading.Event()
    with serving() as (server, _):
        client = RecorderClient(server.path, on_update=updates.set)
        server.close("the operator has ended it")
        wait_for(lambda: client.gone is not None)
    assert client.gone == "the operator has ended it"
    assert client.status().problems[0].text == client.gone
    reply = client.execute(AddLabel(class_index=1))
    assert not reply.ok
    assert "not done" in reply.message
    with pytest.raises(RecorderGoneError):
        client.wait_for(lambda status: status.state == "recording", 5)
    with pytest.raises(RecorderGoneError):
        client.reconnect(1.0)
    client.close()


def test_what_another_run_of_the_recorder_was_sent_is_reported_and_not_repeated():
    first, second = TinyRecorder(), TinyRecorder()
    first.release.clear()
    replies = []
    with serving(first) as (server, _):
        path = server.path
        client = RecorderClient(lambda: path)
        thread = threading.Thread(target=lambda: replies.append(client.execute(AddLabel(class_index=1))))
        thread.start()
        wait_for(lambda: server._attachments[0].outstanding == 1)
        with serving(second) as (other, _):
            path = other.path
            server._attachments[0].socket.shutdown(2)
            thread.join(120)
            assert not replies[0].ok
            assert "sent but not acknowledged" in replies[0].message
            assert client.gone is None
            assert client.execute(UndoLabel()).message == "there is no label to undo"
            assert len(second.commands) == 1
        client.close()
        first.release.set()


def test_another_version_is_refused_in_words_at_both_ends():
    with serving() as (server, _), raw(server) as one:
        one.sendall(framed(Hello(protocol=PROTOCOL + 1, program="newer")))
        answer = msgspec.msgpack.decode(read_all(one)[4:], type=Refused)
        assert answer.kind == "version"
        assert f"newer speaks {PROTOCOL + 1}" in answer.reason


def test_the_client_names_the_version_that_refused_it(monkeypatch):
    monkeypatch.setattr("myogestic_tui.control.client.PROTOCOL", PROTOCOL + 1)
    with serving() as (server, _), pytest.raises(ProtocolVersionError, match=f"speaks protocol {PROTOCOL}"):
        RecorderClient(server.path)


def test_shutdown_is_answered_before_the_end_begins():
    asked = threading.Event()
    with serving(on_shutdown=asked.set) as (server, _), RecorderClient(server.path) as client:
        assert client.execute(Shutdown()).ok
        assert asked.wait(120)


def test_the_number_of_viewers_is_told_and_known():
    counts: list[int] = []
    with serving(on_viewers=counts.append) as (server, _):
        with RecorderClient(server.path) as one, RecorderClient(server.path):
            assert one.wait_for(lambda status: status.viewers == 2, 120)
        wait_for(lambda: counts == [1, 2, 1, 0])
        wait_for(lambda: server.lonely_s > 0)


def test_a_command_with_a_time_that_is_no_number_is_refused():
    with serving() as (server, recorder), RecorderClient(server.path) as client:
        reply = client.execute(AddLabel(class_index=1, timestamp=float("nan")))
        assert not reply.ok
        assert "timestamp is nan" in reply.message
        assert not recorder.commands


@pytest.mark.parametrize("command", [AddLabel(class_index=10**30), AddNote(text="\udcff"), AddNote(text="x" * 2**20)])
def test_a_command_that_cannot_be_sent_is_refused_and_the_next_one_goes_out(command):
    with serving() as (server, _), RecorderClient(server.path) as client:
        assert "cannot be sent" in client.execute(command).message
        assert client.execute(Start()).ok


def test_more_views_than_a_screen_shows_are_refused():
    views = {number: View(stream="emg") for number in range(9)}
    with serving() as (server, _), raw(server) as one:
        one.sendall(framed(Hello(protocol=PROTOCOL), Subscribe(views=views)))
        assert b"9 views" in read_all(one)


def test_an_answer_arrives_where_the_client_is_now():
    with serving() as (server, recorder), raw(server) as old, raw(server) as new:
        recorder.release.clear()
        old.sendall(framed(Hello(protocol=PROTOCOL, client="me"), Execute(id=1, command=AddLabel(class_index=1))))
        wait_for(lambda: any(one.outstanding for one in server._attachments))
        new.sendall(framed(Hello(protocol=PROTOCOL, client="me")))
        wait_for(lambda: sum(one.client == "me" for one in server._attachments) == 2)
        recorder.release.set()
        data = b""
        while Executed.__name__.encode() not in data:
            data += new.recv(4096)


def test_a_recorder_that_ends_takes_nobody_new_and_keeps_who_is_there():
    with serving() as (server, _), RecorderClient(server.path) as there:
        server.retire()
        wait_for(lambda: not server.path.exists())
        with pytest.raises(RecorderGoneError):
            RecorderClient(server.path)
        assert there.execute(Start()).ok
