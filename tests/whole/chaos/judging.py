"""Waits until everything is over, then looks at every key, its bot, its history and its mails."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts import audit_chain
from accounts.models import AuditEvent
from apikeys import vault
from apikeys.models import ApiKey
from apikeys.status import KeyStatus
from notifications.models import Mail
from tests.mail_sink import MailSink
from tests.mail_sink.letters import Letter
from tests.whole.chaos.crowd import Planned, Sort
from tests.whole.chaos.faults import Faults

# Seconds in which nothing moved: longer than the claim of a check, and than a breaker that opened last.
STANDSTILL = 60.0
ACTIVE = ["key_submitted", "key_accepted", "key_activated"]
REFUSED = ["key_submitted", "key_refused"]


def unsettled() -> list[str]:
    """Wait until every key is decided, every mail accepted and every event in the chain, for as long as it
    goes on, however busy the machine is; what never was.
    """
    fewest, since = len(_unsettled()), time.monotonic()
    while found := _unsettled():
        if len(found) < fewest:
            fewest, since = len(found), time.monotonic()
        if time.monotonic() > since + STANDSTILL:
            break
        time.sleep(0.5)
    return found


def _unsettled() -> list[str]:
    keys = ApiKey.objects.waiting().values_list("bot__exchange", "check_due_at", "claimed_until")
    mails = Mail.objects.filter(status=Mail.Status.WAITING).values_list("kind", "due_at", "last_answer")
    found = [f"a key that waits: {facts}" for facts in keys]
    found += [f"a mail that waits: {facts}" for facts in mails]
    return found + ["an event that is not in the chain"] * audit_chain.waiting()


@dataclass
class Judge:
    """`wrong` tells each thing that is not as it must be; `counts` what there is."""

    planned: Sequence[Planned]
    keys: Mapping[int, UUID]
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rows = {key.pk: key for key in ApiKey.objects.select_related("bot")}
        self._verbs: dict[UUID | None, list[str]] = {}
        for key_id, verb in AuditEvent.objects.order_by("pk").values_list("key_id", "verb"):
            self._verbs.setdefault(key_id, []).append(verb)
        self._mails = {mail.cause: mail for mail in Mail.objects.all()}

    def judge(self) -> None:
        self._check(len(self._rows) == 2 * len(self.planned), f"{len(self._rows)} keys")
        for place, each in enumerate(self.planned):
            key, old = self._rows[self.keys[place]], self._rows[each.old.pk]
            told = f"a key, {each.sort.name}, of {each.bot.bot_id}"
            if each.sort is Sort.GOOD:
                self._judge_good(each, key, old, told)
            else:
                self._judge_bad(each, key, old, told)
            self.counts[key.status] += 1
        expected = len(self.planned)
        self._check(len(self._mails) == expected, f"{len(self._mails)} mails instead of {expected}")
        self.wrong += audit_chain.breaks(())

    def _judge_good(self, each: Planned, key: ApiKey, old: ApiKey, told: str) -> None:
        self._check(key.status == KeyStatus.ACTIVE, f"{told} is {key.status}: {_codes(key)}")
        self._check(old.status == KeyStatus.RETIRED, f"{told}: the old one is {old.status}")
        self._check(_api_key(key) == each.new.api_key, f"{told} holds something else")
        self._check(old.sealed is None and not old.seal_id, f"{told}: the old one still has its secret")
        self._check(self._verbs.get(key.pk) == ACTIVE, f"{told}: {self._verbs.get(key.pk)}")
        self._check(
            self._verbs.get(old.pk) == ["key_retired"], f"{told}, the old one: {self._verbs.get(old.pk)}"
        )
        self._check(f"api_refresh:{key.pk}" in self._mails, f"{told} has no mail")

    def _judge_bad(self, each: Planned, key: ApiKey, old: ApiKey, told: str) -> None:
        assert each.sort.value
        self._check(key.status == KeyStatus.REFUSED, f"{told} is {key.status}")
        self._check(each.sort.value in _codes(key), f"{told} was refused for {_codes(key)}")
        self._check(key.sealed is None and not key.seal_id, f"{told} still has its secret")
        self._check(old.status == KeyStatus.ACTIVE, f"{told}: the old one is {old.status}")
        self._check(_api_key(old) == _old_api_key(each), f"{told}: the old one holds something else")
        self._check(self._verbs.get(key.pk) == REFUSED, f"{told}: {self._verbs.get(key.pk)}")
        self._check(old.pk not in self._verbs, f"{told}, the old one: {self._verbs.get(old.pk)}")
        self._check(f"api_refused:{key.pk}" in self._mails, f"{told} has no mail")

    def judge_letters(self, sink: MailSink, faults: Faults) -> None:
        """One letter of each mail. Further copies are counted, and must be of the kind that SMTP brings."""
        host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
        letters: dict[str, list[Letter]] = {f"<{mail.pk}@{host}>": [] for mail in self._mails.values()}
        for letter in sink.messages:
            self._check(letter.message_id in letters, f"a letter {letter.subject!r} that no mail is")
            letters.setdefault(letter.message_id, []).append(letter)
        heard = sink.heard
        for mail in self._mails.values():
            copies = letters[f"<{mail.pk}@{host}>"]
            self._check(bool(copies), f"no letter of {mail.kind}")
            self._check(mail.status == Mail.Status.ACCEPTED, f"a mail {mail.kind} is {mail.status}")
            for copy, after in pairwise(copies):
                recorded = faults.acceptances(mail.pk)
                why = _why_again(copy, after, heard, faults.mail_killed, recorded)
                self._check(bool(why), f"{mail.kind} came twice, at {[letter.at for letter in copies]}")
                self.counts[f"second copy: {why}"] += 1

    def _check(self, is_right: bool, otherwise: str) -> None:
        if not is_right:
            self.wrong.append(otherwise)


def _why_again(copy: Letter, after: Letter, heard: set[int], killed: Sequence[float], recorded: int) -> str:
    """What came between the server's 250 and our record of it; empty where nothing did.

    recorded: how often a worker wrote that it had recorded the 250 of this mail. Twice would be a mail that
    was sent again though it was known to have gone.
    """
    if copy.number not in heard:
        return "nobody heard the 250"
    from_to = copy.at.timestamp(), after.at.timestamp()
    was_killed = any(from_to[0] <= kill <= from_to[1] for kill in killed)
    return "killed before it recorded the 250" if was_killed and recorded == 1 else ""


def _old_api_key(each: Planned) -> str:
    return _api_key(each.old)


def _codes(key: ApiKey) -> set[Any]:
    return {finding.code for finding in key.findings}


def _api_key(key: ApiKey) -> str:
    if key.sealed is None:
        return ""
    opened = vault.open_sealed(
        bytes(key.sealed), key.seal_id, key_id=key.pk, bot_id=key.bot.bot_id, exchange=key.bot.exchange
    )
    return opened.api_key
