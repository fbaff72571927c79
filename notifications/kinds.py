"""Every mail the portal sends. A new one is a member here and a folder of three under templates/emails."""

from django.db.models import TextChoices


class MailKind(TextChoices):
    SIGN_IN_CODE = "sign_in_code", "Your code"
    WELCOME = "welcome", "Welcome"
    LETTER = "letter", "Letter from support"
    BOT_LAUNCHED = "bot_launched", "Bot launched"
    BOT_DECLINED = "bot_declined", "Bot not launched"
    API_CONNECTED = "api_connected", "API connected"
    API_REFRESH = "api_refresh", "API refresh"
    API_REFUSED = "api_refused", "API key refused"
    API_REJECTED = "api_rejected", "API key not taken over"
    API_REVOKED = "api_revoked", "API key revoked"
    API_EXPIRES = "api_expires", "API key ends soon"
    API_PROBLEM = "api_problem", "API key needs attention"
    API_WIDENED = "api_widened", "API key with a right too many"
    API_IN_ORDER = "api_in_order", "API key in order again"
    API_DISCONNECTED = "api_disconnected", "API key disconnected"
    PASSWORD_CHANGED = "password_changed", "Password changed"
    PASSWORD_ENDED = "password_ended", "Password ended"
    NEW_DEVICE = "new_device", "Sign-in with a new browser"
    FACTOR_CHANGED = "factor_changed", "Second factor changed"
    STAFF_START = "staff_start", "Your code for a first sign-in"
    ADDRESS_CHANGE_STARTED = "address_change_started", "Address change started"
    ADDRESS_CONFIRM_CODE = "address_confirm_code", "Code to confirm an address"
    ADDRESS_CHANGE_CONFIRMED = "address_change_confirmed", "New address confirmed"
    ADDRESS_CHANGED = "address_changed", "Address changed"
    ADDRESS_KEPT = "address_kept", "Address stays as it is"


# Of these nothing is kept but that they were sent.
CODE_KINDS = (MailKind.SIGN_IN_CODE, MailKind.STAFF_START, MailKind.ADDRESS_CONFIRM_CODE)
