"""What is kept of a mail: JSON, from which it reads the same."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from notifications.facts import freeze, thaw
from notifications.kinds import MailKind
from notifications.models import Mail
from notifications.render import render, render_stored, subject_of
from tests.notifications.samples import CONTEXTS


@dataclass(frozen=True)
class Credentials:
    api_key: str
    secret: str


@pytest.mark.parametrize("kind", MailKind, ids=lambda kind: kind.value)
def test_it_reads_the_same_after_it_was_kept_as_json(kind: MailKind) -> None:
    kept = json.loads(json.dumps(freeze(CONTEXTS[kind])))
    mail = Mail(kind=kind, subject=subject_of(kind, kept), context=kept)
    assert render_stored(mail) == render(kind, CONTEXTS[kind])


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=-3))])
def test_it_gives_times_back_as_times(zone: timezone) -> None:
    at = datetime(2026, 11, 22, 17, 46, 31, 123456, tzinfo=zone)
    kept = json.loads(json.dumps(freeze({"at": at, "many": [{"at": at}, None, True, 3]})))
    thawed = thaw(kept)
    assert (thawed["at"], thawed["many"]) == (at, [{"at": at}, None, True, 3])


def test_it_keeps_each_text_on_one_line() -> None:
    evil = "Jane\r\nBcc:\tevil\u2028\u202e  Doe "
    kept = freeze({"name": evil, "many": [{"name": evil}], "choice": MailKind.WELCOME})
    assert (kept["name"], kept["many"][0]["name"]) == ("Jane Bcc: evil Doe",) * 2
    assert type(kept["choice"]) is str


@pytest.mark.parametrize(
    "value",
    [
        # Such an object knows more than a template names, and all of it would be kept.
        Credentials("key", "secret"),
        b"bytes",
        object(),
        {"$time": "now"},
        [{1: "number"}],
        datetime(2026, 11, 22),  # noqa: DTZ001
    ],
)
def test_it_keeps_nothing_but_facts(value: Any) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)):
        freeze({"fact": value})
