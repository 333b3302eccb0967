-- Marks an account whose credentials the marketplace refuses; sweeps then leave it alone, and lanes pause it. $1 account
update robnu.marketplace_accounts set status = 'NEEDS_RECONNECT', updated_at = now() where id = $1 and status = 'ACTIVE'
