"""The embedded broker, between processes."""

from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from kombu.transport.virtual import Channel

import sequence_portal.broker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("queues", "processed", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


def channel_of(folder: Path) -> Any:
    options = {
        "data_folder_in": folder / "queues",
        "data_folder_out": folder / "queues",
        "processed_folder": folder / "processed",
        "control_folder": folder / "control",
        "store_processed": True,
    }
    channel = Connection("filesystem://", transport_options=options).channel()
    assert isinstance(channel, sequence_portal.broker.Channel), "the name leads to the broker that is mended"
    assert isinstance(channel, Channel)
    return channel


class Spy:
    """Looks at what others can see, in the moment in which it is made into text."""

    def __init__(self, folder: Path, pattern: str) -> None:
        self.folder, self.pattern = folder, pattern

    def __json__(self) -> list[str]:
        return [str(file) for file in self.folder.glob(self.pattern)]


def test_it_shows_a_message_to_nobody_before_it_is_whole(folder: Path) -> None:
    channel = channel_of(folder)
    channel._put("mail", {"seen": Spy(folder / "queues", "*.msg")})
    assert channel._get("mail") == {"seen": []}


def test_it_hands_messages_out_in_their_order_and_each_once(folder: Path) -> None:
    channel, other = channel_of(folder), channel_of(folder)
    channel._put("mail", {"number": 1})
    channel._put("checks", {"number": 2})
    assert other._size("mail") == 1
    assert other._get("mail") == {"number": 1}
    assert channel._size("mail") == 0
    assert channel._get("checks") == {"number": 2}


def test_it_remembers_every_queue_that_is_bound(folder: Path) -> None:
    channel, other = channel_of(folder), channel_of(folder)
    channel._queue_bind("mail", "mail", None, "mail")
    other._queue_bind("mail", "mail", None, "mail")
    other._queue_bind("mail", "more", None, "more")
    assert {bound.queue for bound in channel.get_table("mail")} == {"mail", "more"}
    assert len(channel.get_table("mail")) == 2
    assert not list(folder.rglob("*.part"))
