"""The invented people of the demo, and bots."""

CLIENT_ID = "0x1A2 / JaneDoe"
NAME = "Jane Doe"
EMAIL = "jane.doe@example.com"
# BOT ID, exchange, market. The first one trades with an old key from the start.
BOTS = (
    (f"{CLIENT_ID} / BTC-1", "binance", "spot"),
    (f"{CLIENT_ID} / ETH-2", "bybit", "derivatives"),
)

# A lead: the role that may do most.
STAFF_EMAIL = "lee.lead@sequence.example"
