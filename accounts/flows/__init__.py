"""How a person gets in.

password ▶ sign_in.check_password ▶ attempt + code row ▶ (worker draws and mails the code)
code ▶ sign_in.enter_code ▶ session, or where there is a second factor: sign_in.enter_factor ▶ session
User ID + email ▶ set_password.ask ▶ attempt + code row ▶ (worker draws and mails the code)
code ▶ set_password.enter_code ▶ new password ▶ set_password.finish ▶ every session ended, mail
create_staff ▶ staff.create ▶ attempt + code row ▶ (worker draws and mails a long code)
long code ▶ staff.enter_code ▶ new password ▶ staff.set_up ▶ session ▶ factors.confirm_app, add_passkey ▶ desk
an hour later ▶ confirm.by_factor, confirm.by_code ▶ the session counts as proved anew

How the primary address changes.

desk ▶ change_address.start ▶ notice to the old address, code to the new one
User ID + new address + code ▶ change_address.confirm ▶ hold, notice to the old address
schedule, after the hold ▶ change_address.settle ▶ new address counts, every session ended, mail to both
old address's owner or desk ▶ change_address.cancel
"""
