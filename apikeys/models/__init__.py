"""Bots, keys, and what is handed over to the trading engine."""

from apikeys.models.day_figures import DayFigures
from apikeys.models.exchange_state import ExchangeState
from apikeys.models.handovers import EngineToken, Handover, Scope
from apikeys.models.jobs import ALONE_MAX, Job, JobItem
from apikeys.models.keys import ApiKey, Bot, KeyCheck
from apikeys.models.requests import BotRequest

__all__ = [
    "ALONE_MAX",
    "ApiKey",
    "Bot",
    "BotRequest",
    "DayFigures",
    "EngineToken",
    "ExchangeState",
    "Handover",
    "Job",
    "JobItem",
    "KeyCheck",
    "Scope",
]
