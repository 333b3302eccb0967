-- Keeps what the marketplace answered, sealed, until it is in an object. A page that is known already is not kept again. It is noted that
-- it was seen, once a day and for 360 days: then it is forgotten and kept anew, before its object expires. While 20,000 pages of the
-- seller wait for an object, further ones are not kept.
-- $1 account, $2 run, $3 marketplace, $4 kind, $5 when it was read; $6 … arrays: ids, parts, digests (no digest twice), pages
with seen as (
  update robnu.raw_pages k set last_seen_at = now()
  where k.account_id = $1 and k.kind = $4 and k.page_digest = any ($8)
    and k.last_seen_at < now() - interval '1 day' and k.fetched_at > now() - interval '360 days'
), bound as (
  select exists (select from robnu.raw_pages w where w.stored_at is null order by w.fetched_at, w.id offset 20000) as is_full
), kept as (
  insert into robnu.raw_pages (seller_id, id, account_id, marketplace_code, run_id, kind, page, part, fetched_at, time_folder, page_digest,
    page_enc)
  select (select robnu.app_current_seller_id()), p.id, $1, $3, $2, $4,
    (select r.pages + 1 from robnu.sync_runs r where r.id = $2), p.part, $5, to_char($5 at time zone 'UTC', 'YYYY-MM-DD/HH24'),
    p.page_digest, p.page_enc
  from unnest($6::uuid[], $7::integer[], $8::bytea[], $9::bytea[]) as p (id, part, page_digest, page_enc)
  where not (select is_full from bound)
  order by p.page_digest
  on conflict (seller_id, account_id, kind, page_digest) do nothing
  returning id
)
select is_full, (select count(*)::integer from kept) as kept from bound
