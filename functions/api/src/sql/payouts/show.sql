-- One payout. $1 payout
select p.id, p.account_id, a.marketplace_code, p.external_payout_id, p.status, p.marketplace_status, p.period_start, p.period_end,
  p.settled_at, p.paid_at, p.bank_reference, p.currency, p.stated_amount, p.net_amount, p.entries, p.unbalanced_entries, p.source,
  p.revision, p.net_minor
from robnu.payouts p join robnu.marketplace_accounts a on a.id = p.account_id
where p.id = $1
