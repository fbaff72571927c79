"""Where a key is on its way, and which key works meanwhile."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from apikeys import attention
from apikeys.findings import FindingCode
from apikeys.models import ApiKey
from apikeys.pages import verdict, words
from apikeys.status import KeyStatus
from notifications.kinds import MailKind
from notifications.models import Mail

_SEALED = "Encrypted. Nobody can read it back, you and us included."
_STEP_WORDS = {"done": "Done", "now": "Now", "todo": "To come", "failed": "Ended"}


@dataclass(frozen=True, slots=True)
class Stage:
    """step: done, now, todo or failed; `step_word` says the same to those who do not see it."""

    step: str
    title: str
    text: SafeString | str = ""
    at: datetime | None = None

    @property
    def step_word(self) -> str:
        return _STEP_WORDS[self.step]


@dataclass(frozen=True, slots=True)
class Bar:
    """One key of the hand-over. now: works, soon, over or no."""

    now: str
    title: str
    last_four: str
    words: str


def stages(key: ApiKey, old: ApiKey | None, now: datetime) -> tuple[Stage, ...]:
    cut = "Spaces or invisible characters that came with the paste were cut off." if key.trimmed else ""
    begun = (
        Stage("done", "Received", cut, key.submitted_at),
        Stage("done", "Sealed", _SEALED, key.submitted_at),
    )
    match KeyStatus(key.status):
        case KeyStatus.CHECKING:
            return (*begun, _being_checked(key, now), Stage("todo", "Taken over by your bot"), *_to_come(old))
        case KeyStatus.READY:
            waiting = Stage(
                "now", "Waiting for your bot to take it over", "Nothing for you to do.", key.ready_at
            )
            return (*begun, _checked(key), waiting, *_to_come(old))
        case KeyStatus.REFUSED:
            return (*begun, _refused(key))
        case KeyStatus.ACTIVE:
            gone = (_may_be_deleted(key, now),) if old else ()
            return (*begun, *_taken_over(key), *gone, *_found_wanting(key))
        case KeyStatus.RETIRED:
            text = "The sealed secret was wiped in the same moment."
            return (*begun, *_taken_over(key), Stage("done", "Replaced and retired", text, key.ended_at))
        case KeyStatus.REVOKED:
            way = _taken_over(key) if key.activated_at else (_checked(key),) if key.ready_at else ()
            text = "The sealed secret was wiped in the same moment."
            return (*begun, *way, Stage("failed", "Disconnected", text, key.ended_at))


def _being_checked(key: ApiKey, now: datetime) -> Stage:
    exchange = key.adapter.name
    if verdict.has(key, FindingCode.WRONG_ACCOUNT):
        return Stage(
            "now", "Waiting for support", f"{exchange} answered; a person looks at it.", key.checked_at
        )
    text: SafeString | str = f"We ask {exchange} itself what this key may do."
    if key.failed_checks:
        asked = "once" if key.failed_checks == 1 else f"{words.number(key.failed_checks)} times"
        text = f"Asked {asked}, without an answer."
        if key.check_due_at and key.check_due_at > now:
            next_try = words.clock(key.check_due_at, now, seconds=True)
            text = format_html("{} Next try: {}.", text, next_try)
    return Stage("now", f"Being checked at {exchange}", text)


def _checked(key: ApiKey) -> Stage:
    # The report is the last one. Of a key that was found wanting later it does not say why it was accepted.
    found_since = key.activated_at and (key.problem or key.concern)
    because = "" if found_since else verdict.accepted_because(key)
    return Stage("done", f"Checked at {key.adapter.name}", because, key.ready_at)


def _found_wanting(key: ApiKey) -> tuple[Stage, ...]:
    if not key.problem:
        return ()
    problem = attention.problem_in_words(key.problem)
    found = Stage("now", "Needs attention", f"{problem[0].upper()}{problem[1:]}.", key.problem_since)
    if key.revoke_at is None:
        return (found,)
    return (found, Stage("todo", "To be disconnected", words.marked(attention.what_is_to_come(key))))


def _refused(key: ApiKey) -> Stage:
    exchange = key.adapter.name
    if verdict.never_answered(key):
        title = f"No answer from {exchange} for 24 hours"
    elif key.checked_at:
        title = f"Refused after the check at {exchange}"
    else:
        title = "Refused"
    return Stage("failed", title, "The sealed secret was wiped in the same moment.", key.ended_at)


def _taken_over(key: ApiKey) -> tuple[Stage, ...]:
    return (
        _checked(key),
        Stage("done", "Taken over by your bot", at=key.activated_at),
        Stage("done", "Active", at=key.activated_at),
    )


def _to_come(old: ApiKey | None) -> tuple[Stage, ...]:
    active = Stage("todo", "Active")
    if old is None:
        return (active,)
    return (active, Stage("todo", "Old key may be deleted", "Not yet. We tell you here and by mail."))


def _may_be_deleted(key: ApiKey, now: datetime) -> Stage:
    """The page and the mail say the same, so the page says whether the mail has gone out."""
    mail = Mail.objects.filter(cause=f"{MailKind.API_REFRESH.value}:{key.pk}").first()
    text: SafeString | str = "The mail “API refresh” says the same."
    if mail and mail.accepted_at:
        text = format_html("{} It went out {}.", text, words.moment(mail.accepted_at, now))
    return Stage("done", "Old key may be deleted", text, key.activated_at)


def bars(key: ApiKey, other: ApiKey | None) -> tuple[Bar, ...]:
    """other: the key that this one replaced or is to replace, or that works in its place by now."""
    this = _this_bar(key, other)
    if other is None:
        return (this,)
    if other.status != KeyStatus.ACTIVE:
        return (Bar("over", "Old key", other.last_four, "Retired, secret wiped here"), this)
    in_use = "Needs attention. Keep it for now." if other.problem else "In use. Keep it."
    if other.submitted_at < key.submitted_at:
        return (Bar("works", "Old key", other.last_four, in_use), this)
    return (this, Bar("works", "Key in use now", other.last_four, in_use))


def _this_bar(key: ApiKey, other: ApiKey | None) -> Bar:
    now, told = {
        KeyStatus.CHECKING: ("soon", "Being checked"),
        KeyStatus.READY: ("soon", "Accepted, not in use yet"),
        KeyStatus.REFUSED: ("no", "Refused, secret wiped here"),
        KeyStatus.ACTIVE: (
            "works" if attention.is_answered_to(key) else "no",
            "Needs attention" if key.problem else "In use",
        ),
        KeyStatus.RETIRED: ("over", "Retired, secret wiped here"),
        KeyStatus.REVOKED: ("no", "Disconnected, secret wiped here"),
    }[KeyStatus(key.status)]
    newer = other is not None and other.submitted_at < key.submitted_at
    return Bar(now, "New key" if newer else "This key", key.last_four, told)
