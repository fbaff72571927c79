"""One context for each kind of mail, as the flows pass them."""

from datetime import UTC, datetime

from notifications.facts import Fact
from notifications.kinds import MailKind

USER_ID = "0x1A2 / JaneDoe"
BOT_ID = "0x1A2 / JaneDoe / BTC-1"
_AT = datetime(2026, 11, 22, 17, 46, 31, tzinfo=UTC)
_KEY: dict[str, Fact] = {
    "client_id": USER_ID,
    "bot_id": BOT_ID,
    "exchange_name": "Binance",
    "market": "spot",
    "key_page": "API Management",
}
_MOVE: dict[str, Fact] = {
    "client_id": USER_ID,
    "old_email": "jane@example.com",
    "new_email": "jane.doe@example.net",
}


def _finding(looked_at: str, needed: str, found: str, to_do: str) -> dict[str, Fact]:
    return {"looked_at": looked_at, "needed": needed, "found": found, "to_do": to_do}


CONTEXTS: dict[MailKind, dict[str, Fact]] = {
    MailKind.SIGN_IN_CODE: {"code": "493021", "purpose_words": "sign in"},
    MailKind.WELCOME: {"client_id": USER_ID, "bots": [BOT_ID, "0x1A2 / JaneDoe / ETH-2"]},
    MailKind.LETTER: {
        "client_id": USER_ID,
        "subject_line": "Your invoice for November",
        "lines": ["Dear Jane Doe,", "", "Your invoice is attached. It is due by 14 December.", "", "Lee"],
        "attached": "invoice-2026-11.pdf",
    },
    MailKind.BOT_LAUNCHED: {
        "client_id": USER_ID,
        "bot_id": BOT_ID,
        "exchange_name": "Binance",
        "market": "spot",
    },
    MailKind.BOT_DECLINED: {
        "client_id": USER_ID,
        "exchange_name": "Binance",
        "market": "spot",
        "answer": "Your plan has room for two bots. Write to us to change it.",
    },
    MailKind.API_CONNECTED: _KEY
    | {
        "new_last_four": "mB9x",
        "activated_at": _AT,
        "warnings": ["This key is bound to no address, so Binance may end it after 90 days."],
    },
    MailKind.API_REFRESH: _KEY | {"old_last_four": "7Q2f", "new_last_four": "mB9x", "activated_at": _AT},
    MailKind.API_REFUSED: _KEY
    | {
        "last_four": "mB9x",
        "keeps_last_four": "7Q2f",
        "not_your_doing": False,
        "findings": [
            _finding("Withdrawals", "Off", "On", "Untick Enable Withdrawals."),
            _finding("Addresses", "Ours only", "Any", "Choose Restrict access to trusted IPs only."),
        ],
    },
    MailKind.API_REJECTED: {**_KEY, "last_four": "mB9x", "keeps_last_four": "7Q2f"},
    MailKind.API_REVOKED: {**_KEY, "last_four": "mB9x", "keeps_last_four": "", "revoked_at": _AT},
    MailKind.API_EXPIRES: {**_KEY, "last_four": "mB9x", "ends": "Until 6 December 2026", "days": 14},
    MailKind.PASSWORD_ENDED: {"client_id": USER_ID, "ended_at": _AT},
    MailKind.API_PROBLEM: {
        **_KEY,
        "last_four": "mB9x",
        "problem": "this key refuses our addresses",
        "works": "The key ending …mB9x stays connected, but as long as Binance refuses it your bot cannot"
        " trade.",
        "to_come": "",
        "mend": "Change it at Binance on this same key: we look again by ourselves, usually within an hour"
        " or two, and tell you when it is in order. Or hand over a new key with Refresh key.",
        "findings": [
            _finding("Addresses", "Ours in the key's list", "Binance refuses our address", "Add them."),
        ],
        "freed": True,
    },
    MailKind.API_WIDENED: {
        **_KEY,
        "last_four": "mB9x",
        "problem": "this key has a right that it must not have",
        "works": "Your bot goes on trading with the key ending …mB9x.",
        "to_come": "We disconnect it on 25 November 2026 at 17:46 UTC, unless Binance tells us before then"
        " that the right is off.",
        "mend": "Change it at Binance on this same key: we look again by ourselves, usually within an hour"
        " or two, and tell you when it is in order. Or hand over a new key with Refresh key.",
        "findings": [_finding("Withdrawals", "Off", "On", "Switch off Enable Withdrawals.")],
        "freed": False,
    },
    MailKind.API_IN_ORDER: {**_KEY, "last_four": "mB9x", "freed": False},
    MailKind.API_DISCONNECTED: {
        **_KEY,
        "last_four": "mB9x",
        "reason": "The key ending …mB9x still had a right that it must not have, 72 hours after we told you"
        " of it.",
        "works": "This bot has no active key, so it does not trade until one is accepted.",
        "waiting_last_four": "",
    },
    MailKind.NEW_DEVICE: {
        "client_id": USER_ID,
        "signed_in_at": _AT,
        "device": "Firefox on Windows",
        "address": "198.51.100.7",
    },
    MailKind.FACTOR_CHANGED: {
        "what": "An authenticator app was added",
        "client_id": USER_ID,
        "at": _AT,
        "address": "198.51.100.7",
    },
    MailKind.STAFF_START: {"code": "k7qf-2mxp-9dra-w41c"},
    MailKind.PASSWORD_CHANGED: {"client_id": USER_ID, "changed_at": _AT, "address": "198.51.100.7"},
    MailKind.ADDRESS_CHANGE_STARTED: _MOVE,
    MailKind.ADDRESS_CONFIRM_CODE: {"code": "493021", "purpose_words": "confirm this address"},
    MailKind.ADDRESS_CHANGE_CONFIRMED: _MOVE | {"counts_from": _AT},
    MailKind.ADDRESS_CHANGED: _MOVE,
    MailKind.ADDRESS_KEPT: _MOVE | {"ended": "taken"},
}
