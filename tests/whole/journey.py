"""The whole way of a customer through a running portal, with recognisable values planted into every step."""

import random
import string
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection

from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from tests.conftest import PASSWORD
from tests.mail_sink import Letter
from tests.stack import CHECKS, MAIL, WEB, Stack
from tests.whole.grep import Source, broker
from tests.whole.visitor import Page, Visitor, code_of
from tests.whole.waiting import wait_until

LETTERS = string.ascii_letters + string.digits
TRADES = {"ContractTrade": ["Order", "Position"]}


@dataclass(frozen=True)
class Planted:
    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)


@dataclass
class Journey:
    """The steps, to be called one after the other. `values`: all that was planted; `codes`: all mailed."""

    stack: Stack
    binance: Bot
    bybit: Bot
    values: dict[str, str] = field(default_factory=dict, repr=False)
    codes: list[str] = field(default_factory=list)
    queued: list[Source] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.visitor = Visitor(self.stack.url)

    def plant(self, name: str, exchange: str) -> Planted:
        """Values of the exchange's form. Their halves count too, so that no cut text hides one."""
        lengths = (64, 64) if exchange == "binance" else (18, 36)
        texts = ["".join(random.choices(LETTERS, k=length)) for length in (*lengths, 24)]
        for part, text in zip(("API key", "secret", "passphrase"), texts, strict=True):
            self.watch_for(f"{part} of {name}", text)
        return Planted(*texts)

    def watch_for(self, name: str, text: str) -> None:
        middle = len(text) // 2
        self.values |= {
            name: text,
            f"half the {name}": text[:middle],
            f"other half of the {name}": text[middle:],
        }

    def sign_in(self) -> None:
        self.visitor.sign_in("alice@example.com", PASSWORD)
        letter = self.stack.sink.wait_for(lambda letter: "code" in letter.subject.lower(), 60)
        self.codes.append(code_of(letter))
        self.visitor.get("/sign-in/code/")
        wrong = f"{(int(self.codes[0]) + 1) % 1_000_000:06d}"
        self.visitor.post("/sign-in/code/", {"code": wrong})
        assert self.visitor.post("/sign-in/code/", {"code": self.codes[0]}).location == "/"

    def send(self, bot: Bot, planted: Planted, **more: str) -> Page:
        self.visitor.get(f"/bots/{bot.pk}/key/")
        fields = {"api_key": planted.api_key, "secret": planted.secret, "passphrase": planted.passphrase}
        return self.visitor.post(f"/bots/{bot.pk}/key/", fields | more)

    def hand_over(self, bot: Bot, planted: Planted, until: KeyStatus | None = None) -> ApiKey:
        answer = self.send(bot, planted)
        assert answer.status == 302, answer.status
        key = ApiKey.objects.get(pk=UUID(answer.location.split("/")[2]))
        self.visitor.get(answer.location)
        if until:
            wait_until(ApiKey.objects.filter(pk=key.pk, status=until).exists, f"the key is {until}")
            self.visitor.get(answer.location)
        return key

    def is_told_what_is_wrong(self) -> None:
        """Error pages of the form, of a form without its token, and of somebody else's bot."""
        planted = self.plant("what was refused at the form", "binance")
        halves = planted.api_key[:32], planted.api_key[32:]
        for wrong in (
            {"api_key": f"{halves[0]} {halves[1]}"},
            {"api_key": planted.api_key[:-1]},
            {"api_key": planted.secret},
            {"secret": planted.secret + "é"},
            {"secret": f"-----BEGIN PRIVATE KEY-----{planted.secret}"},
            {"replaces": planted.secret},
        ):
            assert self.send(self.binance, planted, **wrong).status == 200
        fields = {"api_key": planted.api_key, "secret": planted.secret}
        assert self.visitor.post(f"/bots/{self.binance.pk}/key/", fields, token=False).status == 403
        assert self.visitor.post("/bots/999999/key/", fields).status == 404
        assert self.visitor.post("/keys/", fields).status == 404

    def is_accepted_and_refreshed(self) -> None:
        for name in ("a first key", "a second key"):
            planted = self.plant(name, "binance")
            self.stack.simulator.register("binance", planted.api_key, planted.secret)
            self.hand_over(self.binance, planted, KeyStatus.ACTIVE)

    def is_refused(self) -> None:
        planted = self.plant("a key that can withdraw", "binance")
        self.stack.simulator.register("binance", planted.api_key, planted.secret, enableWithdrawals=True)
        self.hand_over(self.binance, planted, KeyStatus.REFUSED)

    def is_quoted_by_the_exchange(self) -> None:
        """Bybit's error about a signature quotes what was signed, API key included."""
        planted = self.plant("a key with the wrong secret", "bybit")
        self.stack.simulator.register("bybit", planted.api_key, "another secret")
        self.hand_over(self.bybit, planted, KeyStatus.REFUSED)

    def meets_trouble(self) -> None:
        planted = self.plant("a key that met trouble", "bybit")
        self.stack.simulator.register("bybit", planted.api_key, planted.secret, permissions=TRADES)
        self.stack.simulator.behave("bybit", "hang_up", planted.api_key)
        key = self.hand_over(self.bybit, planted)
        wait_until(ApiKey.objects.filter(pk=key.pk, failed_checks=1).exists, "the check failed")
        self.visitor.get(f"/keys/{key.pk}/")
        self.stack.simulator.behave("bybit", "html", planted.api_key)
        wait_until(ApiKey.objects.filter(pk=key.pk, status=KeyStatus.REFUSED).exists, "the key is refused")

    def meets_a_broken_page(self) -> None:
        planted = self.plant("a key that broke the page", "bybit")
        with broken_audit():
            assert self.send(self.bybit, planted).status == 500

    def breaks_a_worker(self) -> None:
        planted = self.plant("a key that broke a worker", "bybit")
        self.stack.simulator.register("bybit", planted.api_key, planted.secret, permissions=TRADES)
        self.stack.simulator.behave("bybit", "hold", planted.api_key)
        key = self.hand_over(self.bybit, planted)
        wait_until(self.stack.simulator.held, "the exchange is asked")
        with broken_audit():
            self.stack.simulator.release()
            wait_until(lambda: b"Traceback" in self.stack.log(CHECKS).read_bytes(), "the worker failed")
        wait_until(ApiKey.objects.filter(pk=key.pk, status=KeyStatus.ACTIVE).exists, "it is active")

    def waits_in_the_broker(self) -> None:
        """Both workers are away, so that what rings for them stays where it can be read."""
        for name in (CHECKS, MAIL):
            self.stack.kill(name)
        planted = self.plant("a key that waits", "bybit")
        self.stack.simulator.register("bybit", planted.api_key, planted.secret, permissions=TRADES)
        key = self.hand_over(self.bybit, planted)
        Visitor(self.stack.url).sign_in("alice@example.com", PASSWORD)
        self.queued = list(broker())
        assert any(str(key.pk).encode() in source.content for source in self.queued), "the bell was read"
        self.stack.start(CHECKS, MAIL)
        wait_until(ApiKey.objects.filter(pk=key.pk, status=KeyStatus.ACTIVE).exists, "it is active")
        number = len(self.codes) + 1
        wait_until(lambda: len(self.code_letters()) == number, "the second code came")
        self.codes.append(code_of(self.code_letters()[-1]))

    def code_letters(self) -> list[Letter]:
        return [letter for letter in self.stack.sink.messages if "code" in letter.subject.lower()]

    def looks_at_everything(self) -> None:
        for path in ("/", "/security/", f"/bots/{self.binance.pk}/key/", f"/bots/{self.bybit.pk}/key/"):
            assert self.visitor.get(path).status == 200
        for key in ApiKey.objects.all():
            assert self.visitor.get(f"/keys/{key.pk}/").status == 200

    def logs(self) -> list[Source]:
        return [Source(f"{name}.log", self.stack.log(name).read_bytes()) for name in (WEB, CHECKS, MAIL)]

    def pages(self) -> list[Source]:
        shown = [
            Source(f"page {number}", page.headers.encode() + page.body)
            for number, page in enumerate(self.visitor.pages)
        ]
        return [*shown, Source("the cookies", repr(self.visitor.cookies).encode())]


@contextmanager
def broken_audit() -> Iterator[None]:
    """A table that every flow writes to is away, so that each of them ends in an exception."""
    table, away = "accounts_auditevent", "accounts_auditevent_away"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {away}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {away} RENAME TO {table}")
