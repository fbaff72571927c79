"""Every stored secret can be sealed anew, whatever happens meanwhile, and none is lost by it."""

import os
import subprocess
import sys
import threading
from datetime import timedelta
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent, User
from apikeys import transitions, vault
from apikeys.exchanges.base import Credentials
from apikeys.flows import rotate
from apikeys.flows.submit import submit
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from tests.apikeys.rows import make_key
from tests.stack import ROOT, database_url

ROWS = 10_000


@pytest.fixture
def old(settings: Settings) -> str:
    return settings.SEAL_PUBLIC_KEYS.partition(":")[0]  # type: ignore[no-any-return]


@pytest.fixture
def new(settings: Settings, old: str) -> str:
    """A newer pair, before the old one, from now on."""
    private, public = vault.generate_pair()
    settings.SEAL_PRIVATE_KEYS = f"{private},{settings.SEAL_PRIVATE_KEYS}"
    settings.SEAL_PUBLIC_KEYS = f"{public},{settings.SEAL_PUBLIC_KEYS}"
    return public.partition(":")[0]


def credentials(number: int) -> Credentials:
    return Credentials(f"Key{number:061d}", f"Secret{number:058d}")


def sealed_rows(customer: User, number: int) -> list[ApiKey]:
    """Active keys of as many bots, not saved, under the newest seal key of this moment."""
    bots = Bot.objects.bulk_create(
        Bot(bot_id=f"0x1A2 / AliceDoe / B-{at}", customer=customer, exchange="binance", market="spot")
        for at in range(number)
    )
    rows = []
    for at, bot in enumerate(bots):
        key_id = uuid4()
        sealed = vault.seal(credentials(at), key_id=key_id, bot_id=bot.bot_id, exchange=bot.exchange)
        rows.append(
            ApiKey(
                id=key_id,
                bot=bot,
                status=KeyStatus.ACTIVE,
                last_four=f"{at:04d}"[-4:],
                fingerprint=f"{at:064d}",
                sealed=sealed.ciphertext,
                seal_id=sealed.seal_id,
                submitted_at=timezone.now(),
            )
        )
    return rows


def opened(key: ApiKey) -> Credentials:
    bot = key.bot
    return vault.open_sealed(
        bytes(key.sealed or b""), key.seal_id, key_id=key.pk, bot_id=bot.bot_id, exchange=bot.exchange
    )


def run() -> str:
    out = StringIO()
    call_command("rotate_seal_key", stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.django_db
def test_it_seals_every_live_secret_anew_and_says_which_key_may_go(
    alice: User, old: str, settings: Settings, request: pytest.FixtureRequest
) -> None:
    rows = ApiKey.objects.bulk_create(sealed_rows(alice, 3))
    ended = make_key(rows[0].bot, KeyStatus.RETIRED, "0000", timedelta(days=1))
    new = request.getfixturevalue("new")
    said = run()
    for number, key in enumerate(ApiKey.objects.live().select_related("bot").order_by("fingerprint")):
        assert key.seal_id == new
        assert opened(key) == credentials(number)
    assert "3 done, 0 left" in said
    assert f"No row needs these seal keys any more: {old}." in said
    assert "backups" in said
    ended.refresh_from_db()
    assert (ended.sealed, ended.seal_id) == (None, "")
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor_kind) == ("keys_sealed_anew", "system")
    assert event.detail == {"number": "3", "seal_id": new}
    # What is done stays done.
    before = list(ApiKey.objects.values_list("pk", "sealed"))
    assert "0 sealed anew" in run()
    assert list(ApiKey.objects.values_list("pk", "sealed")) == before
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db
def test_it_brings_no_wiped_secret_back_and_overwrites_nothing_newer(
    alice: User, request: pytest.FixtureRequest
) -> None:
    ended, elsewhere, untouched = ApiKey.objects.bulk_create(sealed_rows(alice, 3))
    new = request.getfixturevalue("new")
    (batch,) = rotate._batches()
    anew, _ = rotate._seal_anew(batch)
    # All this happens between reading the rows and writing them.
    transitions.move(ended, KeyStatus.REVOKED, now=timezone.now())
    ApiKey.objects.filter(pk=elsewhere.pk).update(sealed=b"by another rotation", seal_id="00000000")
    assert rotate._store(anew) == 1
    for key in (ended, elsewhere, untouched):
        key.refresh_from_db()
    assert (ended.sealed, ended.seal_id) == (None, "")
    assert (bytes(elsewhere.sealed or b""), elsewhere.seal_id) == (b"by another rotation", "00000000")
    assert untouched.seal_id == new


@pytest.mark.django_db
def test_it_is_not_disturbed_by_a_second_rotation(
    alice: User, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    ApiKey.objects.bulk_create(sealed_rows(alice, 10))
    new = request.getfixturevalue("new")
    monkeypatch.setattr(rotate, "_AT_ONCE", 3)
    one, other = rotate.rotate(), rotate.rotate()
    assert [next(one).done, next(other).done, next(one).done] == [3, 3, 6]
    assert [step.done for step in other] == [4]
    assert list(one) == []
    assert set(ApiKey.objects.values_list("seal_id", flat=True)) == {new}


@pytest.mark.django_db
def test_it_names_what_does_not_open_and_does_the_rest(
    alice: User, old: str, settings: Settings, request: pytest.FixtureRequest
) -> None:
    rows = sealed_rows(alice, 5)
    rows[1].sealed, rows[3].sealed = rows[3].sealed, rows[1].sealed
    ApiKey.objects.bulk_create(rows)
    new = request.getfixturevalue("new")
    out = StringIO()
    with pytest.raises(CommandError, match=r"^2 stored secrets do not open"):
        call_command("rotate_seal_key", stdout=out, stderr=out)
    for key in (rows[1], rows[3]):
        assert f"Key {key.pk}: A sealed value does not open" in out.getvalue()
    under = dict(ApiKey.objects.values_list("pk", "seal_id"))
    assert [under[key.pk] for key in rows] == [new, old, new, old, new]
    assert "No row needs" not in out.getvalue()


@pytest.mark.django_db
def test_it_says_what_it_needs(settings: Settings) -> None:
    settings.SEAL_PRIVATE_KEYS = ""
    with pytest.raises(CommandError, match="Run it where the check workers run"):
        run()
    settings.SEAL_PRIVATE_KEYS = vault.generate_pair()[0]
    with pytest.raises(CommandError, match="lacks the private half of the newest"):
        run()


def rotating(settings: Settings) -> subprocess.Popen[str]:
    """The command as an operator starts it, over the database of the test."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")} | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database_url(),
        "SEAL_PUBLIC_KEYS": settings.SEAL_PUBLIC_KEYS,
        "SEAL_PRIVATE_KEYS": settings.SEAL_PRIVATE_KEYS,
    }
    command = [sys.executable, "-u", "manage.py", "rotate_seal_key"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def done_in(line: str) -> int:
    """Of "2000 done, 8000 left". Not always round: who ends a key takes its row from under a batch."""
    number, _, words = line.partition(" ")
    return int(number) if words.startswith("done") else 0


class People:
    """Customers who hand over keys and disconnect others, until told to stop."""

    def __init__(self, bots: list[Bot], to_end: list[ApiKey]) -> None:
        self.submitted: dict[UUID, Credentials] = {}
        self.ended: list[UUID] = []
        self._bots, self._to_end = iter(bots), iter(to_end)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._act)

    def __enter__(self) -> "People":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _act(self) -> None:
        for bot, key in zip(self._bots, self._to_end, strict=False):
            if self._done.wait(0.02):
                break
            handed = credentials(ROWS + bot.pk)
            submitted = submit(
                bot=bot,
                customer=bot.customer,
                credentials=handed,
                trimmed=False,
                replaces=None,
                address="192.0.2.1",
            )
            self.submitted[submitted.pk] = handed
            transitions.move(key, KeyStatus.REVOKED, now=timezone.now())
            self.ended.append(key.pk)
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_it_seals_10_000_secrets_anew_though_killed_in_the_middle_while_keys_are_submitted(
    alice: User, old: str, settings: Settings, request: pytest.FixtureRequest
) -> None:
    rows = sealed_rows(alice, ROWS)
    ApiKey.objects.bulk_create(rows, batch_size=500)
    expected = {row.pk: credentials(number) for number, row in enumerate(rows)}
    bots = list(Bot.objects.select_related("customer").order_by("-pk")[:2000])
    people_seal_with = settings.SEAL_PUBLIC_KEYS
    new = request.getfixturevalue("new")
    both = settings.SEAL_PUBLIC_KEYS

    # Web processes that were not started anew yet go on sealing under the old key.
    with rotating(settings) as first:
        settings.SEAL_PUBLIC_KEYS = people_seal_with
        with People(bots[:1000], rows[::10]) as before:
            assert next(line for line in first.stdout or () if done_in(line) >= 2000)
            first.kill()
    under = set(ApiKey.objects.live().values_list("seal_id", flat=True))
    assert under == {old, new}, "it was killed in the middle"

    settings.SEAL_PUBLIC_KEYS = both
    with People(bots[1000:], rows[5::10]) as after:
        said, _ = rotating(settings).communicate()
    assert f"No row needs these seal keys any more: {old}." in said, said

    assert before.submitted
    assert after.submitted
    expected |= before.submitted | after.submitted
    ended = {*before.ended, *after.ended}
    live = ApiKey.objects.live().select_related("bot")
    assert set(live.values_list("seal_id", flat=True)) == {new}
    assert {key.pk: opened(key) for key in live.iterator()} == {
        pk: handed for pk, handed in expected.items() if pk not in ended
    }
    assert not ApiKey.objects.filter(pk__in=ended, sealed__isnull=False).exists()
