"""How a person gets in.

password ▶ sign_in.check_password ▶ attempt + code row ▶ (worker draws and mails the code)
code ▶ sign_in.enter_code ▶ session
User ID + email ▶ set_password.ask ▶ attempt + code row ▶ (worker draws and mails the code)
code ▶ set_password.enter_code ▶ new password ▶ set_password.finish ▶ every session ended, mail

How the primary address changes.

desk ▶ change_address.start ▶ notice to the old address, code to the new one
User ID + new address + code ▶ change_address.confirm ▶ hold, notice to the old address
schedule, after the hold ▶ change_address.settle ▶ new address counts, every session ended, mail to both
old address's owner or desk ▶ change_address.cancel
"""
