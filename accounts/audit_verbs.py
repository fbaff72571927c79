"""What can happen to a person or a key, in the words that the customer reads under Security history."""

from django.db.models import TextChoices


class Verb(TextChoices):
    IMPORTED = "imported", "Account created"
    SIGNED_IN = "signed_in", "Signed in with password and code{then}"
    SIGNED_OUT = "signed_out", "Signed out"
    SESSION_ENDED = "session_ended", "Session with {device} ended"
    OTHER_SESSIONS_ENDED = "other_sessions_ended", "Every other session ended"
    SESSIONS_ENDED = "sessions_ended", "Every session ended by Sequence"
    PASSWORD_ENDED = "password_ended", "Password ended by Sequence, for a new one to be set"
    UNLOCKED = "unlocked", "Limits on tries lifted by Sequence"
    MAIL_RESENT = "mail_resent", "Mail sent again: {mail}"
    CODES_USED_UP = "codes_used_up", "Five wrong codes: that attempt was ended"
    PASSWORD_SET = "password_set", "Password set with a mailed code"
    STAFF_ADDED = "staff_added", "Staff account made, role {role}"
    ROLE_CHANGED = "role_changed", "Role changed to {role}"
    STAFF_ENDED = "staff_ended", "Staff account ended"
    FACTOR_ADDED = "factor_added", "Second factor added: {factor}"
    FACTOR_REMOVED = "factor_removed", "Second factor removed: {factor}"
    FACTORS_RESET = "factors_reset", "Second factors removed by a lead of Sequence"
    FACTOR_TRIES_USED_UP = "factor_tries_used_up", "Ten wrong tries with your {factor} in an hour"
    RECOVERY_CODE_USED = "recovery_code_used", "Recovery code used, {left} left"
    RECOVERY_CODES_MADE = "recovery_codes_made", "New recovery codes made, earlier ones ended"
    KEY_SUBMITTED = "key_submitted", "Key {key} of {bot} handed over"
    KEY_ACCEPTED = "key_accepted", "Key {key} of {bot} checked and accepted"
    KEY_REFUSED = "key_refused", "Key {key} of {bot} refused"
    KEY_HELD = "key_held", "Key {key} of {bot} waits for support"
    ACCOUNT_CONFIRMED = "account_confirmed", "Key {key} of {bot}: another exchange account confirmed"
    ACCOUNT_TURNED_DOWN = "account_turned_down", "Key {key} of {bot}: another exchange account turned down"
    KEY_OFFERED = "key_offered", "Key {key} of {bot} offered to the bot"
    KEY_FETCHED = "key_fetched", "Key {key} of {bot} fetched by the bot"
    KEY_TAKEN_OVER = "key_taken_over", "Key {key} of {bot} taken over by the bot"
    KEY_REJECTED = "key_rejected", "Key {key} of {bot} could not be used by the bot"
    REVOCATION_FETCHED = "revocation_fetched", "The bot was told that key {key} of {bot} ended"
    REVOCATION_ACKED = "revocation_acked", "The bot has dropped key {key} of {bot}"
    KEY_ACTIVATED = "key_activated", "Key {key} of {bot} active"
    KEY_PROBLEM = "key_problem", "Key {key} of {bot} needs attention: {problem}"
    KEY_WIDENED = (
        "key_widened",
        "Key {key} of {bot} has a right that it must not have, to be disconnected {moment}",
    )
    KEY_RECOVERED = "key_recovered", "Key {key} of {bot} in order again"
    KEY_RETIRED = "key_retired", "Old key {key} of {bot} retired, secret wiped"
    KEYS_SEALED_ANEW = "keys_sealed_anew", "Stored secrets sealed anew under a newer seal key"
    KEY_REVOKED = "key_revoked", "Key {key} of {bot} disconnected, secret wiped"
    KEY_CHECK_ASKED = "key_check_asked", "Key {key} of {bot}: another check asked for by Sequence"
    KEYS_REVOKED = "keys_revoked", "All keys disconnected by Sequence"
    JOB_ASKED = "job_asked", "Asked for a second lead: {act}"
    JOB_TURNED_DOWN = "job_turned_down", "Turned down: {act}"
    JOB_STARTED = "job_started", "Started: {act}"
    JOB_STOPPED = "job_stopped", "Stopped: {act}"
    JOB_ENDED = "job_ended", "Ended: {act}"
    ADDRESS_CHANGE_STARTED = "address_change_started", "Change of the primary address started"
    ADDRESS_CONFIRMED = "address_confirmed", "New primary address confirmed with a mailed code, on hold"
    ADDRESS_HOLD_SHORTENED = "address_hold_shortened", "Hold of the new primary address ended early"
    ADDRESS_CHANGED = "address_changed", "New primary address counts, every session ended"
    ADDRESS_CHANGE_CANCELLED = "address_change_cancelled", "Change of the primary address cancelled"
    ADDRESS_CHANGE_EXPIRED = "address_change_expired", "Change of the primary address ended, never confirmed"
    ADDRESS_TAKEN = (
        "address_taken",
        "Change of the primary address ended, the new one is another account's",
    )
    MAILBOX_ASKED = "mailbox_asked", "Asked support to clear the Microsoft mailbox"
    MAILBOX_CLEARED = "mailbox_cleared", "Microsoft mailbox cleared"
    MAILBOX_KEPT = "mailbox_kept", "Microsoft mailbox not cleared"
    CUSTOMER_CLOSED = "customer_closed", "Account closed, personal data removed"
