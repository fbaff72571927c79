"""What can happen to a person or a key, in the words that the customer reads under Security history."""

from django.db.models import TextChoices


class Verb(TextChoices):
    IMPORTED = "imported", "Account created"
    SIGNED_IN = "signed_in", "Signed in with password and code"
    SIGNED_OUT = "signed_out", "Signed out"
    SESSION_ENDED = "session_ended", "Session with {device} ended"
    OTHER_SESSIONS_ENDED = "other_sessions_ended", "Every other session ended"
    CODES_USED_UP = "codes_used_up", "Five wrong codes: that attempt was ended"
    PASSWORD_SET = "password_set", "Password set with a mailed code"
    KEY_SUBMITTED = "key_submitted", "Key {key} of {bot} handed over"
    KEY_ACCEPTED = "key_accepted", "Key {key} of {bot} checked and accepted"
    KEY_REFUSED = "key_refused", "Key {key} of {bot} refused"
    KEY_HELD = "key_held", "Key {key} of {bot} waits for support"
    KEY_OFFERED = "key_offered", "Key {key} of {bot} offered to the bot"
    KEY_FETCHED = "key_fetched", "Key {key} of {bot} fetched by the bot"
    KEY_TAKEN_OVER = "key_taken_over", "Key {key} of {bot} taken over by the bot"
    KEY_REJECTED = "key_rejected", "Key {key} of {bot} could not be used by the bot"
    REVOCATION_FETCHED = "revocation_fetched", "The bot was told that key {key} of {bot} ended"
    REVOCATION_ACKED = "revocation_acked", "The bot has dropped key {key} of {bot}"
    KEY_ACTIVATED = "key_activated", "Key {key} of {bot} active"
    KEY_RETIRED = "key_retired", "Old key {key} of {bot} retired, secret wiped"
    KEY_REVOKED = "key_revoked", "Key {key} of {bot} disconnected, secret wiped"
