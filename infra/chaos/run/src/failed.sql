-- Runs that failed although no fault explains it. A run ends when its marketplace sends pages again and again, or nothing sensible in
-- twenty attempts, or refuses a new token; a check ends after five.
-- A dead letter is handled again unless a newer run has done its work meanwhile.
select r.kind || ' runs of ' || a.external_account_id || ' failed with ' || r.error_code || ': ' || count(*)
from robnu.sync_runs r
join robnu.marketplace_accounts a on a.seller_id = r.seller_id and a.id = r.account_id and a.display_name = a.external_account_id
where r.state = 'FAILED' and r.kind <> 'CREDENTIAL_CHECK' and r.error_code not in ('page_repeated', 'not_permitted', 'superseded')
  and not (r.error_code = 'gave_up' and a.external_account_id = 'DV9DEAD')
group by r.kind, a.external_account_id, r.error_code
