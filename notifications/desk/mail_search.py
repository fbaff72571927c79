"""What a term may say of a mail."""

from dataclasses import replace

from notifications.desk.indexes import SearchIndex
from notifications.desk.search import Match, Way, by, ways_of

INDEXES = (SearchIndex("mail_subject_inside", "notifications_mail", "upper(subject)", trigrams=True),)


def subject_ways(term: str) -> list[Way]:
    return [
        replace(way, newest_first_by="created_at", why="Subject")
        for way in ways_of(term, "Subject", "subject")
        if way.match is Match.INSIDE
    ]


def mail_ways(term: str, *, with_address: bool) -> list[Way]:
    """Of one person, by number or, for those who may see people, by address; or by subject."""
    ways = [by(Match.EXACT, "Address", "to", term)] if with_address else []
    # What a column of this size can hold.
    if term.isdecimal() and len(term) < 19:
        ways.append(Way(Match.EXACT, "Customer's number", lambda mails: mails.filter(owner_id=int(term))))
    return [*ways, *subject_ways(term)]
