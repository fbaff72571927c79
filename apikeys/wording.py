"""What the customer reads when the exchange gave no report about a key, one entry per finding code."""

from dataclasses import replace

from apikeys.exchanges.adapter import Adapter
from apikeys.exchanges.base import Trouble
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import RETRIED, Finding, FindingCode, Severity

_CODE = FindingCode
# code: (looked at, needed, found, what to do). {name} is the exchange, {page} its page for keys.
_TROUBLE: dict[FindingCode, tuple[str, str, str, str]] = {
    _CODE.MALFORMED: (
        "The pasted values",
        "An API key and its secret",
        "Not of {name}'s form",
        "Copy both values again from {page} and paste them.",
    ),
    _CODE.WRONG_ENVIRONMENT: (
        "Kind of account",
        "A live account",
        "A key of {place}",
        "Make the key at {site}, signed in to your live account.",
    ),
    _CODE.WRONG_REGION: (
        "Region",
        "A key of {site}",
        "A key of {place}",
        "Make the key at {site}.{move}",
    ),
    _CODE.NOT_FOUND: (
        "The key",
        "Known at {name}",
        "{name} does not know it",
        "Look at {page}: a key that is not listed there was deleted. A demo or testnet key, or one of another"
        " {name} site, does not work either. Make a new key if need be.",
    ),
    _CODE.BAD_SIGNATURE: (
        "The secret",
        "Belongs to the API key",
        "It does not fit",
        "Paste the secret that {name} showed together with this API key, or make a new key.",
    ),
    _CODE.BAD_PASSPHRASE: (
        "The passphrase",
        "The one set for this key",
        "It does not fit",
        "Paste the API passphrase of this key. It is not your password at {name}.",
    ),
    _CODE.EXPIRED: (
        "Life of the key",
        "Still valid",
        "Expired",
        "Make a new key, and bind it to our addresses so that it lasts.",
    ),
    _CODE.ACCOUNT_RESTRICTED: (
        "Your account at {name}",
        "Allowed to trade by API",
        "Restricted by {name}",
        "Ask {name}'s support what is open on your account. We cannot see why.",
    ),
    _CODE.INVALID_CREDENTIALS: (
        "Key, secret and addresses",
        "Accepted by {name}",
        "Refused; {name} does not say which of them",
        "Check in this order: our addresses are in the key's list, the API key is complete, the secret is the"
        " one shown with it, reading is switched on. Or make a new key.",
    ),
    _CODE.IP_BLOCKED: (
        "Addresses",
        "Ours in the key's list",
        "{name} refuses our address",
        "Open the key at {page} and add our addresses to its list.",
    ),
    _CODE.APP_FOREIGN: (
        "Made for",
        "Your own use",
        "Another company's app",
        "Make a new key, and do not choose the path for third-party applications.",
    ),
    _CODE.MISSING_PERMISSION: (
        "Rights of the key",
        "May ask about itself",
        "{name} refuses the question",
        "Switch on reading and trading for the key at {page}.",
    ),
    _CODE.UNPROVEN_PERMISSION: (
        "{name}'s answer",
        "States what the key may do",
        "Could not be read",
        "We accept only what {name} states clearly. Paste the key again later; if this stays, write to"
        " support.",
    ),
    _CODE.CLOCK: (
        "Our clock",
        "The same as {name}'s",
        "Too far apart",
        "Nothing for you to do. We check again by ourselves.",
    ),
    _CODE.EXCHANGE_UNAVAILABLE: (
        "The check at {name}",
        "An answer",
        "None so far",
        "Nothing for you to do: we check again by ourselves.",
    ),
}

# What to do about a key that was accepted once and that the bot trades with: there is nothing to paste again.
_TO_DO_WHEN_ACTIVE: dict[FindingCode, str] = {
    _CODE.NOT_FOUND: "Look at {page}: a key that is not listed there was deleted. Make a new one, and hand it"
    " over with Refresh key.",
    _CODE.BAD_SIGNATURE: "Make a new key, and hand it over with Refresh key.",
    _CODE.BAD_PASSPHRASE: "Make a new key, and hand it over with Refresh key.",
    _CODE.EXPIRED: "Make a new key, bound to our addresses so that it lasts, and hand it over with Refresh"
    " key.",
    _CODE.INVALID_CREDENTIALS: "Look at {page}, in this order: the key is listed, our addresses are in its"
    " list, reading is switched on. If all is as it should be, make a new key and hand it over with Refresh"
    " key.",
    _CODE.UNPROVEN_PERMISSION: "Nothing. Sequence looks at it.",
}


def trouble_finding_of_active(trouble: Trouble, adapter: Adapter) -> Finding:
    finding = trouble_finding(trouble, adapter)
    to_do = _TO_DO_WHEN_ACTIVE.get(finding.code)
    return replace(finding, to_do=to_do.format(page=adapter.key_page)) if to_do else finding


def trouble_finding(trouble: Trouble, adapter: Adapter) -> Finding:
    words = _TROUBLE.get(trouble.code, _TROUBLE[_CODE.UNPROVEN_PERMISSION])
    is_a_test = trouble.code is _CODE.WRONG_ENVIRONMENT
    unnamed = "a demo or test system" if is_a_test else f"another {adapter.name} site"
    place = trouble.belongs_to or unnamed
    offered = any(place == other.name for other in EXCHANGES.values())
    move = f" If the bot is to trade at {place}, ask support to change its exchange." if offered else ""
    names = {"name": adapter.name, "page": adapter.key_page, "site": adapter.site}
    names |= {"place": place, "move": move}
    looked_at, needed, found, to_do = (text.format(**names) for text in words)
    severity = Severity.RETRY if trouble.code in RETRIED else Severity.REFUSE
    finding = Finding(trouble.code, severity, looked_at, needed, found, to_do)
    return in_its_words(finding, adapter, trouble.exchange_code)


def in_its_words(finding: Finding, adapter: Adapter, exchange_code: str = "") -> Finding:
    """A finding as the exchange's adapter words it, where it does."""
    words = adapter.words.get(exchange_code) or adapter.words.get(finding.code)
    if words is None or finding.severity is Severity.RETRY:
        return finding
    names = {"name": adapter.name, "page": adapter.key_page, "site": adapter.site}
    return replace(
        finding,
        looked_at=words.looked_at.format(**names) or finding.looked_at,
        needed=words.needed.format(**names) or finding.needed,
        found=words.found.format(**names) or finding.found,
        to_do=words.to_do.format(**names),
        step=words.step or finding.step,
    )


def gave_up_finding(adapter: Adapter) -> Finding:
    """After a day without an answer."""
    return Finding(
        _CODE.EXCHANGE_UNAVAILABLE,
        Severity.REFUSE,
        f"The check at {adapter.name}",
        "An answer within 24 hours",
        "None",
        f"When {adapter.name} is well again, paste the key once more.",
    )


def duplicate_finding() -> Finding:
    return Finding(
        _CODE.DUPLICATE,
        Severity.REFUSE,
        "The API key",
        "A key of its own for each bot",
        "In use elsewhere",
        "Make a new key for this bot, and paste that one.",
    )
