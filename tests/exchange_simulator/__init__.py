"""A small server that answers like the exchanges do. `make run` and the tests talk to it over HTTP.

forms of calls          GET  /sapi/v1/account/apiRestrictions (Binance), GET /v5/user/query-api (Bybit)
signatures are checked  as the exchanges document them; unknown keys get the exchange's own error
control                 POST and GET under /_control/, see `server`
"""
