"""Invented bots, and for each the keys that it has had: refused, active, retired, and what waits now."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.audit_verbs import Verb
from apikeys import vault
from apikeys.exchanges.base import Credentials
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import Finding, FindingCode, Severity
from apikeys.flows.decide import Outcome
from apikeys.models import Bot, Handover
from apikeys.status import KeyStatus
from apikeys.wording import duplicate_finding, gave_up_finding
from demo.filling import answers, wanting
from demo.filling.answers import Answer
from demo.filling.book import Book, Customer
from demo.filling.bulk import as_json, next_number
from notifications.facts import Fact
from notifications.kinds import MailKind

COINS = "BTC ETH SOL XRP ADA DOGE AVAX LINK DOT LTC".split()  # noqa: SIM905
_EXCHANGES, _WEIGHTS = list(answers.MIX), list(answers.MIX.values())
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ANSWERED = timedelta(seconds=7)
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Life:
    """Of one bot; `active` is the row of the key that it trades with."""

    pk: int
    bot_id: str
    exchange: str
    market: str
    of: Customer
    account: str
    at: datetime
    active: dict[str, Any] | None = None

    @property
    def facts(self) -> dict[str, Fact]:
        adapter = EXCHANGES[self.exchange]
        return {
            "client_id": self.of.client_id,
            "bot_id": self.bot_id,
            "exchange_name": adapter.name,
            "market": self.market,
            "key_page": adapter.key_page,
        }


class Keys:
    """left: how many are still to be written.

    sealed: each live key is sealed for itself, a fifth of a millisecond each; else one value stands in all.
    """

    def __init__(self, book: Book, *, left: int, sealed: bool) -> None:
        self.book, self.left = book, left
        self._random, self._now = book.random, book.now
        self._numbers = itertools.count(next_number(Bot))
        self._sealed = sealed
        stand_in = Credentials("x" * 64, "x" * 64)
        self._stand_in = vault.seal(stand_in, key_id=UUID(int=0), bot_id="", exchange="")

    def of_customer(self, customer: Customer, number: int) -> None:
        """Bots until they have had this many keys together."""
        until = max(0, self.left - number)
        count = itertools.count(1)
        while self.left > until:
            self._bot(customer, f"{self._random.choice(COINS)}-{next(count)}", self.left - until)

    def _bot(self, customer: Customer, name: str, most: int) -> None:
        random = self._random
        exchange = random.choices(_EXCHANGES, _WEIGHTS)[0]
        came = (self._now - customer.came_at).total_seconds()
        bot = Life(
            pk=next(self._numbers),
            bot_id=f"{customer.client_id} / {name}",
            exchange=exchange,
            market=random.choice(EXCHANGES[exchange].markets).value,
            of=customer,
            account=f"{random.randrange(10**8, 10**10):010}",
            at=customer.came_at + timedelta(seconds=random.uniform(0, 0.7 * came)),
        )
        self.book.bots.add(
            id=bot.pk,
            bot_id=bot.bot_id,
            customer_id=customer.pk,
            exchange=exchange,
            market=bot.market,
            created_at=bot.at,
        )
        floor = self.left - most
        least = self.left - min(most, 1 + int(random.expovariate(1 / 2.2)))
        bot.at += timedelta(hours=random.expovariate(1 / 30))
        while self.left > least and bot.at < self._now - _DAY:
            self._past(bot)
        if self.left > floor and bot.at < self._now - 6 * _DAY and self.book.is_first("given up"):
            bot.at = self._now - 2 * _DAY
            self._refuse(bot, gave_up_finding(EXCHANGES[bot.exchange]))
        elif self.left > floor and bot.active and bot.at < self._now and (state := self._owed()):
            bot.at = self._now - timedelta(minutes=random.uniform(20, 60))
            self._present(bot, state)
        elif self.left > least and (drawn := random.random()) < 0.02:
            bot.at = self._now - timedelta(minutes=random.uniform(1, 60))
            self._present(bot, 50 * drawn)
        if bot.active:
            self._finish_active(bot)

    def _owed(self) -> float:
        """A state of the present that no bot is in yet; 0 once there is one of each."""
        return next((state for state in (0.1, 0.4, 0.6, 0.9) if self.book.is_first(f"present {state}")), 0.0)

    def _past(self, bot: Life) -> None:
        """One key, decided long ago, and when the next one came."""
        drawn = self._random.random()
        if drawn < 0.027:
            self._refuse(bot, duplicate_finding())
        elif drawn < 0.03:
            self._refuse(bot, gave_up_finding(EXCHANGES[bot.exchange]))
        elif drawn < 0.23:
            self._refuse(bot, self._answer(bot, self._random.choices(*_BAD)[0]))
        else:
            self._accept(bot)
            if self._random.random() < 0.03:
                bot.at += timedelta(days=self._random.expovariate(1 / 20))
                if bot.at < self._now:
                    self._revoke(bot)
            bot.at += timedelta(days=45 + self._random.expovariate(1 / 50))
            return
        bot.at += timedelta(minutes=5 + self._random.expovariate(1 / 300))

    def _present(self, bot: Life, drawn: float) -> None:
        """One key of the last hour, in a state that does not last."""
        if drawn < 0.2:
            self._wait(bot, None)
        elif drawn < 0.5:
            self._wait(bot, self._answer(bot, answers.AWAY))
        elif drawn < 0.7 and bot.active:
            bot.account, bot.active["account_id"] = f"{int(bot.account) + 1}", bot.account
            self._wait(bot, self._answer(bot, answers.OTHER_ACCOUNT))
        else:
            self._accept(bot, waits_for_engine=True)

    def _accept(self, bot: Life, *, waits_for_engine: bool = False) -> None:
        found = self._answer(bot, self._random.choices(*_GOOD)[0])
        if found.outcome is not Outcome.ACCEPTED:
            found = self._answer(bot, answers.BOUND)
        key, done = self._submitted(bot), bot.at + _ANSWERED
        self._checked(bot, key, found, done)
        key |= {"ready_at": done, "status": KeyStatus.READY}
        self._event(Verb.KEY_ACCEPTED, bot, key, done)
        if waits_for_engine:
            self._seal(bot, key)
            self._offer(key, done)
            self.book.keys.add(**key)
            return
        old, bot.active = bot.active, key
        if old:
            self._end(old, KeyStatus.RETIRED, done)
            self._event(Verb.KEY_RETIRED, bot, old, done)
        key |= {"activated_at": done, "status": KeyStatus.ACTIVE, "replaces_id": old and old["id"]}
        self._event(Verb.KEY_ACTIVATED, bot, key, done)
        kind = MailKind.API_REFRESH if old else MailKind.API_CONNECTED
        facts = bot.facts | {
            "new_last_four": key["last_four"],
            "old_last_four": old["last_four"] if old else "",
            "activated_at": done,
            "life": "Permanent" if key.get("permanent") else "Not stated",
            "warnings": [finding.to_do for finding in found.findings if finding.severity is Severity.WARN],
        }
        self.book.mail(kind, done, bot.of, f"{kind.value}:{key['id']}", facts)

    def _refuse(self, bot: Life, found: Answer | Finding) -> None:
        """For an answer, or for the portal's own finding: in use elsewhere, or no answer within a day."""
        key = self._submitted(bot)
        done = bot.at
        gave_up = False
        if isinstance(found, Answer):
            done += _ANSWERED
            self._checked(bot, key, found, done)
            findings = found.findings
        else:
            findings = (found,)
            key["findings_json"] = as_json([found.as_json()])
            if gave_up := found.code is FindingCode.EXCHANGE_UNAVAILABLE:
                done = bot.at = min(done + _DAY, self._now)
        self._end(key, KeyStatus.REFUSED, done)
        self._event(Verb.KEY_REFUSED, bot, key, done)
        facts = bot.facts | {
            "last_four": key["last_four"],
            "keeps_last_four": bot.active["last_four"] if bot.active else "",
            "findings": [f.as_json() for f in findings if f.severity is Severity.REFUSE],
            "not_your_doing": gave_up,
        }
        self.book.mail(MailKind.API_REFUSED, done, bot.of, f"api_refused:{key['id']}", facts)

    def _wait(self, bot: Life, found: Answer | None) -> None:
        """Not asked about yet, asked about in vain, or kept for a person."""
        key = self._submitted(bot)
        key["check_due_at"] = bot.at
        if found:
            self._checked(bot, key, found, bot.at + _ANSWERED)
        if found and found.outcome is Outcome.HELD:
            key |= {"held": True, "check_due_at": bot.at + 7 * _DAY}
            self._event(Verb.KEY_HELD, bot, key, bot.at + _ANSWERED)
        elif found:
            tries = self._random.randrange(1, 40)
            since = self._now - timedelta(minutes=20 * tries)
            key |= {
                "submitted_at": since,
                "failed_checks": tries,
                "failing_since": since,
                "check_due_at": self._now + timedelta(minutes=self._random.uniform(1, 30)),
            }
        self._seal(bot, key)
        self.book.keys.add(**key)

    def _revoke(self, bot: Life) -> None:
        key, bot.active = bot.active, None
        if key:
            self._event(Verb.KEY_REVOKED, bot, key, bot.at, by="customer")
            self._end(key, KeyStatus.REVOKED, bot.at)

    def _finish_active(self, bot: Life) -> None:
        """Looked at within the last day, and again within the next."""
        key = bot.active or {}
        asked = self._now - _DAY * self._random.random()
        if key["activated_at"] < asked:
            key["checked_at"] = asked
        key["check_due_at"] = key["checked_at"] + _DAY
        if kind := self._what_is_wrong():
            self._find_wanting(bot, key, kind)
        self._seal(bot, key)
        self.book.keys.add(**key)
        if self._random.random() < 0.2:
            self._offer(key, key["activated_at"] - timedelta(seconds=3), settled_at=key["activated_at"])

    def _what_is_wrong(self) -> str:
        """With an active key; empty for most."""
        drawn = self._random.randrange(1000)
        for kind, share in wanting.SHARES.items():
            drawn -= share
            if drawn < 0 or self.book.is_first(f"active: {kind}"):
                return kind
        return ""

    def _find_wanting(self, bot: Life, key: dict[str, Any], kind: str) -> None:
        longest = 2.6 if kind == answers.WITHDRAW else 12.0  # days; none is left to be revoked by now
        since = max(key["activated_at"], self._now - _DAY * self._random.uniform(0.1, longest))
        at = Bot(bot_id=bot.bot_id, exchange=bot.exchange, market=bot.market)
        about = {"last_four": key["last_four"], "account": bot.account}
        found = wanting.find(kind, at, **about, since=since, day=_month(since))
        if found is None:
            return
        key |= found.key
        self.book.checks.add(
            key_id=key["id"], started_at=since - timedelta(seconds=1), finished_at=since, **found.check
        )
        if found.event and found.mail:
            facts = bot.facts | found.facts
            cause = f"api_problem:{key['id']}:{key['problem']}:{since}"
            self.book.mail(found.mail, since, bot.of, cause, facts)
            self.book.event(
                found.event,
                since,
                bot.of,
                key_id=key["id"],
                bot_id=bot.bot_id,
                last_four=key["last_four"],
                words=found.words,
            )

    def _submitted(self, bot: Life) -> dict[str, Any]:
        self.left -= 1
        key = {
            "id": self.book.uuid(),
            "bot_id": bot.pk,
            "exchange": bot.exchange,
            "status": KeyStatus.CHECKING,
            "last_four": "".join(self._random.choices(_LETTERS, k=4)),
            "fingerprint": f"{self._random.getrandbits(256):064x}",
            "submitted_at": bot.at,
        }
        self._event(Verb.KEY_SUBMITTED, bot, key, bot.at, by="customer")
        return key

    def _checked(self, bot: Life, key: dict[str, Any], found: Answer, at: datetime) -> None:
        report = found.report_json and found.report_json.replace(answers.ACCOUNT, bot.account)
        key["findings_json"] = found.findings_json
        if report:
            key |= {
                "report_json": report,
                "account_id": bot.account,
                "checked_at": at,
                "permanent": not found.ends,
                "expires_at": at + 90 * _DAY if found.ends else None,
            }
        self.book.checks.add(
            key_id=key["id"],
            started_at=bot.at + timedelta(seconds=1),
            finished_at=at,
            outcome=found.outcome.value,
            findings_json=found.findings_json,
            report_json=report,
            exchange_code=found.exchange_code,
        )

    def _end(self, key: dict[str, Any], status: KeyStatus, at: datetime) -> None:
        self.book.keys.add(**key | {"status": status, "ended_at": at})

    def _offer(self, key: dict[str, Any], at: datetime, settled_at: datetime | None = None) -> None:
        self.book.handovers.add(
            id=self.book.uuid(),
            kind=Handover.Kind.KEY,
            key_id=key["id"],
            envelope=self._stand_in.ciphertext,
            engine_key_id=self._stand_in.seal_id,
            created_at=at,
            fetched_at=settled_at,
            settled_at=settled_at,
            outcome=Handover.Outcome.ACKED if settled_at else "",
        )

    def _seal(self, bot: Life, key: dict[str, Any]) -> None:
        sealed = self._stand_in
        if self._sealed:
            random = self._random.getrandbits
            invented = Credentials(f"{random(240):060x}{key['last_four']}", f"{random(256):064x}")
            sealed = vault.seal(invented, key_id=key["id"], bot_id=bot.bot_id, exchange=bot.exchange)
        key |= {"sealed": sealed.ciphertext, "seal_id": sealed.seal_id}

    def _event(self, verb: Verb, bot: Life, key: dict[str, Any], at: datetime, by: str = "system") -> None:
        self.book.event(
            verb, at, bot.of, by=by, key_id=key["id"], bot_id=bot.bot_id, last_four=key["last_four"]
        )

    def _answer(self, bot: Life, kind: str) -> Answer:
        """Judged as of the first of the month, so that a few answers do for all keys."""
        return answers.answer(kind, bot.exchange, bot.market, _month(bot.at))


def _month(at: datetime) -> datetime:
    """Its first moment."""
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


_GOOD = (list(answers.GOOD), list(answers.GOOD.values()))
_BAD = (list(answers.BAD), list(answers.BAD.values()))
