"""What the page with the code box shows, wherever a mailed code is asked for."""

from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts import limits
from accounts.forms import CodeForm
from accounts.models import CodeAttempt, Purpose

_LEFT = {
    1: "One try is left.",
    2: "Two tries are left.",
    3: "Three tries are left.",
    4: "Four tries are left.",
}
_AGAIN = {
    Purpose.SIGN_IN: "accounts:code_again",
    Purpose.SET_PASSWORD: "accounts:help_code_again",
    Purpose.CONFIRM: "accounts:confirm_code_again",
}
_START = {
    Purpose.SIGN_IN: "accounts:sign_in",
    Purpose.SET_PASSWORD: "accounts:help",
    Purpose.CONFIRM: "accounts:confirm",
}


def wrong_code(tries_left: int) -> str:
    if not tries_left:
        return "The code is not right, and no try is left. Start again, and a new code is mailed."
    return f"The code is not right. {_LEFT[tries_left]}"


def context(form: CodeForm, attempt: CodeAttempt | None, purpose: Purpose) -> dict[str, Any]:
    """`attempt` is None once it has ended; the page then only leads back to the start."""
    found: dict[str, Any] = {
        "form": form,
        "purpose": purpose.value,
        "again_url": reverse(_AGAIN[purpose]),
        "start_url": reverse(_START[purpose]),
        "live_minutes": int(limits.CODE_LIFE.total_seconds()) // 60,
        "ended": attempt is None,
    }
    if attempt is None:
        return found
    found["to_microsoft"] = attempt.to_microsoft
    latest = attempt.codes.select_related("mail").latest("requested_at")
    again_at = latest.requested_at + limits.RESEND_PAUSE
    found["requested_at"] = latest.requested_at
    found["again_at"] = again_at if again_at > timezone.now() else None
    # Whether a mail went out would tell a stranger who is a customer, so only a right password shows it.
    shows_delivery = purpose is not Purpose.SET_PASSWORD and latest.mail is not None
    found["accepted_at"] = latest.mail.accepted_at if shows_delivery and latest.mail else None
    return found
