"""Values planted into a whole journey are nowhere to be found afterwards: 0 hits in logs, tables, broker,
pages and mail, with every log line on and the net under the logs taken away.
"""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import celery
import pytest
from django.utils import timezone

from accounts.models import User
from apikeys.models import ApiKey, Bot
from notifications.kinds import MailKind
from notifications.models import Mail
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import CHECKS, MAIL, WEB, Stack, empty_broker, free_port
from tests.whole.grep import Source, broker, database, files, forms_of, hits, letters
from tests.whole.journey import Journey

LOUD = {"DJANGO_SETTINGS_MODULE": "tests.whole.settings_loud"}
VALUE = "Canary+7/secret=of the?tests~é"


@pytest.fixture
def journey(
    transactional_db: None,
    tmp_path: Path,
    simulator: Simulator,
    mail_sink: MailSink,
    alice: User,
    binance_bot: Bot,
    bybit_bot: Bot,
) -> Iterator[Journey]:
    empty_broker()
    stack = Stack(tmp_path, simulator, mail_sink, port=free_port(), extra=LOUD)
    try:
        stack.start(WEB, CHECKS, MAIL)
        yield Journey(stack, binance_bot, bybit_bot)
    finally:
        stack.stop()


def code_hits(sources: list[Source], codes: list[str]) -> list[str]:
    """Six digits stand in many a fraction of a second by chance, so a code is looked for as a word."""
    return [
        f"code {number} in {source.name}"
        for number, code in enumerate(codes)
        for source in sources
        if re.search(rb"(?<![0-9A-Za-z.])" + code.encode() + rb"(?![0-9A-Za-z])", source.content)
        or any(form in source.content for name, form in forms_of(code).items() if len(form) >= 8)
    ]


def test_it_leaves_no_trace_of_a_secret_or_a_code(journey: Journey) -> None:
    journey.sign_in()
    journey.is_told_what_is_wrong()
    journey.is_accepted_and_refreshed()
    journey.is_refused()
    journey.is_quoted_by_the_exchange()
    journey.meets_trouble()
    journey.meets_a_broken_page()
    journey.breaks_a_worker()
    journey.waits_in_the_broker()
    journey.looks_at_everything()

    logs, pages, tables, bells = journey.logs(), journey.pages(), list(database()), list(broker())
    mails = list(letters(journey.stack.sink.messages))
    everything = [*logs, *pages, *tables, *bells, *journey.queued, *mails]

    # Each kind of source is read at all: what belongs there is found by the same way of looking.
    key = ApiKey.objects.latest("submitted_at")
    for source, written in (
        (logs[0:1], "Request"),
        (logs[1:2], f"Key {key.pk}: accepted"),
        (logs[1:2], "DEBUG"),
        (pages, "0x1A2 / AliceDoe / BTC-1"),
        (tables, "alice@example.com"),
        (tables, key.fingerprint),
        (journey.queued, str(key.pk)),
        (mails, "0x1A2 / AliceDoe / BTC-1"),
    ):
        assert hits(source, {"marker": written}), f"{written} is in {source[0].name}"
    assert code_hits(mails, journey.codes[:1]), "the code is in its own mail"

    assert hits(everything, journey.values) == []
    others = [mail for mail in mails if "code" not in mail.name.lower()]
    assert others
    assert code_hits([*logs, *pages, *tables, *bells, *journey.queued, *others], journey.codes) == []


@pytest.mark.parametrize("name", forms_of(VALUE))
def test_it_would_find_a_value_in_each_form(name: str) -> None:
    found = hits([Source("a log", b"before " + forms_of(VALUE)[name] + b" after")], {"value": VALUE})
    assert f"value as {name} in a log" in found


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_it_would_find_a_value_in_base64_wherever_it_stands(before: int, encode) -> None:  # type: ignore[no-untyped-def]
    written = encode(b"x" * before + VALUE.encode() + b"y" * before)
    assert hits([Source("a body", written)], {"value": VALUE})
    assert not hits(
        [Source("a body", encode(b"something else altogether, and much longer"))], {"value": VALUE}
    )


@pytest.mark.django_db(transaction=True)
def test_it_would_find_a_value_in_each_place(tmp_path: Path) -> None:
    """The control of the grep: planted in a table, in a bell and in a file, it shows."""
    now = timezone.now()
    Mail.objects.create(
        kind=MailKind.WELCOME,
        owner_id=1,
        to="a@example.com",
        cause="1",
        subject="",
        text=VALUE,
        created_at=now,
        due_at=now,
    )
    celery.current_app.send_task("nobody.listens", args=[VALUE], queue="nobody")
    (tmp_path / "web.log").write_text(f"a line\nand {VALUE} in another\n")
    try:
        assert "value as plain in table notifications_mail" in hits(database(), {"value": VALUE})
        assert any("body" in hit for hit in hits(broker(), {"value": VALUE}))
    finally:
        empty_broker()
    assert any(hit.endswith("web.log") for hit in hits(files(tmp_path), {"value": VALUE}))
