-- Notes a seller's days above the free allowance and claims the mail about them.
select noted, mail_to, seller_name, days, latest from robnu.note_usage()
