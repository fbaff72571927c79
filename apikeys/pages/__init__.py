"""What each page shows, read from the models into small frozen objects, so that templates hold no logic."""

from apikeys.pages.bots import bot_cards, bots_lede
from apikeys.pages.exchanges import exchange_list, guide_page
from apikeys.pages.key import key_page
from apikeys.pages.key_form import key_form_page

__all__ = ["bot_cards", "bots_lede", "exchange_list", "guide_page", "key_form_page", "key_page"]
