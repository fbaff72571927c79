"""How the desk writes times where a page does not say it otherwise. They are UTC."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
