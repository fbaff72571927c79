"""A mail server that keeps what it accepts, shows it on a page, and can be told to misbehave.

`python -m tests.mail_sink --smtp-port N --http-port M` runs it by itself; tests start a
`MailSink` in a thread.
"""

from tests.mail_sink.letters import Letter
from tests.mail_sink.server import MailSink

__all__ = ["Letter", "MailSink"]
