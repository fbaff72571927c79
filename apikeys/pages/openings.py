"""How the page of a key begins: the state, the reason, and what goes on working."""

from datetime import datetime

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apikeys import attention
from apikeys.findings import FindingCode, Severity
from apikeys.models import ApiKey, ExchangeState, Handover
from apikeys.pages import verdict, words
from apikeys.status import KeyStatus


def opening(key: ApiKey, other: ApiKey | None, now: datetime) -> tuple[str, SafeString]:
    """Heading and first sentences."""
    match KeyStatus(key.status):
        case KeyStatus.CHECKING:
            return _opening_of_checking(key, other, now)
        case KeyStatus.READY:
            keep = SafeString(" <b>Keep the old key</b> until then.") if other else ""
            return "Accepted, waiting for your bot", format_html(
                "Your bot takes the new key over between two orders, usually within ten minutes.{}", keep
            )
        case KeyStatus.REFUSED:
            return _opening_of_refused(key, other)
        case KeyStatus.ACTIVE if key.problem:
            return "This key needs attention", _opening_of_wanting(key, now)
        case KeyStatus.ACTIVE:
            return "Your new key is active" if other else "Your key is active", format_html(
                "{} has traded with {} since {}.",
                words.name(key.bot.short_name),
                words.ending(key.last_four),
                words.when(key.activated_at or key.submitted_at, now),
            )
        case KeyStatus.RETIRED:
            return "This key is retired", format_html(
                "You can delete the key ending {} at {}, or let it expire. {}",
                words.ending(key.last_four),
                key.adapter.name,
                _what_works(other),
            )
        case KeyStatus.REVOKED if key.handovers.filter(outcome=Handover.Outcome.REJECTED).exists():
            return "Your bot could not take this key over", format_html(
                "You did nothing wrong, and our support sees it too. Its secret was wiped here {}. {}",
                words.moment(key.ended_at or key.submitted_at, now),
                _what_works(other),
            )
        case KeyStatus.REVOKED if attention.was_disconnected_for_a_right(key):
            return "This key is disconnected", format_html(
                "{} Its secret was wiped here {}. {}",
                words.marked(attention.why_disconnected(key)),
                words.moment(key.ended_at or key.submitted_at, now),
                _what_works(other),
            )
        case KeyStatus.REVOKED:
            return "This key is disconnected", format_html(
                "{}Its secret was wiped here {}. {}",
                "" if key.activated_at else "Your bot never traded with it. ",
                words.moment(key.ended_at or key.submitted_at, now),
                _what_works(other),
            )


def _what_works(other: ApiKey | None) -> SafeString:
    if other is None:
        return SafeString("Your bot does not trade until you connect a key.")
    return format_html("Your bot goes on trading with {}.", words.ending(other.last_four))


def _keep(other: ApiKey | None) -> SafeString:
    if other is None:
        return SafeString("")
    return format_html(
        " <b>Keep the old key</b>{}.", "" if other.problem else ": your bot goes on trading with it"
    )


def _opening_of_wanting(key: ApiKey, now: datetime) -> SafeString:
    problem = attention.problem_in_words(key.problem)
    seen = (
        format_html(" We first saw that {}.", words.moment(key.problem_since, now))
        if key.problem_since
        else ""
    )
    sentences = (attention.what_is_to_come(key), attention.what_works(key))
    told = [words.marked(sentence) for sentence in sentences if sentence]
    return format_html(
        "{}{}.{}{}", problem[0].upper(), problem[1:], seen, format_html(" {}" * len(told), *told)
    )


def _opening_of_checking(key: ApiKey, other: ApiKey | None, now: datetime) -> tuple[str, SafeString]:
    exchange = key.adapter.name
    if verdict.has(key, FindingCode.WRONG_ACCOUNT):
        return "Support looks at this key first", format_html(
            "{} A person looks at it before anything changes.{}",
            verdict.held_because(key),
            _keep(other),
        )
    if ExchangeState.objects.away(now).filter(exchange=key.adapter.id).exists():
        return "We are checking your new key", format_html(
            "{} is not answering at the moment, and we keep trying. That is not your doing, and there is"
            " nothing for you to do.{}",
            exchange,
            _keep(other),
        )
    if not key.failed_checks:
        return "We are checking your new key", format_html("Usually under a minute.{}", _keep(other))
    next_try = key.check_due_at
    again = words.moment(next_try, now) if next_try and next_try > now else "at this moment"
    hours = round(settings.CHECK_GIVE_UP.total_seconds() / 3600)
    return "We are checking your new key", format_html(
        "{exchange} has not answered yet. That is not your doing. We ask again {again}. "
        "After {hours} hours without an answer, {end}, we give up and tell you.{keep}",
        exchange=exchange,
        again=again,
        hours=hours,
        end=words.moment((key.failing_since or key.submitted_at) + settings.CHECK_GIVE_UP, now),
        keep=_keep(other),
    )


def _opening_of_refused(key: ApiKey, other: ApiKey | None) -> tuple[str, SafeString]:
    exchange = key.adapter.name
    works = (
        format_html(
            "Your bot goes on trading with the key ending {}. <b>Keep it.</b>", words.ending(other.last_four)
        )
        if other and not other.problem
        else ""
    )
    if verdict.never_answered(key):
        return "We could not check this key", format_html(
            "{} did not answer for 24 hours. That was not your doing. {}", exchange, works
        )
    wrong = sum(item.severity in (Severity.REFUSE, Severity.HOLD) for item in key.findings)
    things = "One thing needs" if wrong <= 1 else f"{words.number(wrong).capitalize()} things need"
    return "This key cannot be used yet", format_html("{} changing. {}", things, works)
