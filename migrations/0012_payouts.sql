-- Payouts: what a marketplace pays. A payout consists of entries, each an amount that the marketplace states as a whole, such as a row of
-- its report; an entry consists of lines, one for each component. What is announced and not paid yet are entries without a payout.
set local role robnu_owner;
set local search_path = robnu;

create table payouts (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  -- The marketplace's settlement, transfer or statement.
  external_payout_id text not null,
  -- What its entries were read from. Entries of a source with a lower rank do not count.
  source text not null check (source ~ '^[A-Z][A-Z_]{1,63}$'),
  source_rank smallint not null,
  -- The source that has just been replaced by a better one, until its entries are gone.
  replaced_source text,
  status text not null default 'PENDING' check (status in ('PENDING', 'RECONCILED', 'DISPUTED')),
  marketplace_status text,
  -- As the marketplace states them, in whatever order.
  period_start timestamptz,
  period_end timestamptz,
  -- When the payout was paid or, until then, when the marketplace closed it; as long as no source says that, when an entry of it was
  -- booked or read.
  settled_at timestamptz not null,
  paid_at timestamptz,
  bank_reference text,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  -- The total that the marketplace states, if it does; and the sum of the entries, which count_payout_entries keeps. Sums have room for any
  -- number of entries.
  stated_amount numeric(14, 4),
  net_amount numeric(20, 4) not null default 0,
  -- How many entries it has, and how many of these are not the sum of their lines.
  entries integer not null default 0,
  unbalanced_entries integer not null default 0,
  -- Minor units (paise), for filters and sorting: comparing numerics is not leakproof, so no index would serve a filter.
  net_minor bigint not null generated always as (round(net_amount * 100)::bigint) stored,
  -- 1, and one more for each later run that changed its entries; payout_changes has what these changed.
  revision integer not null default 1,
  -- The run that stored it first, and the last one that raised the revision.
  first_run_id uuid,
  changed_by_run_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, account_id, external_payout_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id)
);
create index payouts_by_time on payouts (seller_id, settled_at desc, id desc);
create index payouts_by_account on payouts (seller_id, account_id, settled_at desc, id desc);
create index payouts_by_amount on payouts (seller_id, net_minor desc, id desc);

create table payout_entries (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  -- What the source says together (a part), and the entry's place in it, from 1.
  external_part_id text not null check (length(external_part_id) between 1 and 500),
  number integer not null check (number > 0),
  -- The payout; null: announced, not paid yet.
  payout_id uuid,
  source text not null check (source ~ '^[A-Z][A-Z_]{1,63}$'),
  -- What an announcement and its payment have in common.
  subject text,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  -- When the marketplace expects to pay it.
  expected_at timestamptz,
  marketplace_type text not null,
  -- The marketplace's ids of the order and its line. Orders are found by them when they are read, whichever came first.
  external_order_id text,
  external_item_id text,
  sku text,
  quantity integer,
  posted_at timestamptz,
  -- The amount that the source states for the entry, if it does; the sum of its lines; and what they lack of the stated one.
  stated_amount numeric(14, 4),
  amount numeric(14, 4) not null,
  difference numeric(14, 4) not null generated always as (coalesce(stated_amount, amount) - amount) stored,
  is_unbalanced boolean not null generated always as (coalesce(stated_amount, amount) <> amount) stored,
  -- Where it stands in the source, such as a sheet and a row.
  place text,
  -- Filled columns of the source that nobody knows yet, by name, as they came.
  other jsonb not null default '{}',
  -- Which fields could not be read, and what was wrong with them; never their values.
  notes text[] not null default '{}',
  -- Of everything above that the source states, lines included: an entry that is read again is known by it.
  digest bytea not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, account_id, external_part_id, number),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  foreign key (seller_id, payout_id) references payouts (seller_id, id)
);
create index payout_entries_by_payout on payout_entries (seller_id, payout_id, id);
create index payout_entries_unbalanced on payout_entries (seller_id, payout_id, id) where is_unbalanced;
create index payout_entries_by_order on payout_entries (seller_id, external_order_id text_pattern_ops, account_id);
create index payout_entries_by_subject on payout_entries (seller_id, account_id, subject) where subject is not null;
create index payout_entries_announced on payout_entries (seller_id, id) where payout_id is null;

create table payout_lines (
  seller_id uuid not null,
  entry_id uuid not null,
  -- The line's place in its entry, from 1. Two lines of an entry may be equal in everything else.
  number integer not null check (number > 0),
  line_type text not null check (line_type in ('SALE', 'SALE_TAX', 'REFUND', 'REFUND_TAX', 'SHIPPING_CREDIT', 'PROMOTION', 'COMMISSION',
    'FIXED_FEE', 'COLLECTION_FEE', 'FULFILMENT_FEE', 'SHIPPING_FEE', 'REVERSE_SHIPPING_FEE', 'WEIGHT_ADJUSTMENT', 'STORAGE_FEE',
    'RETURN_FEE', 'PENALTY', 'ADS', 'SERVICE_FEE', 'OTHER_FEE', 'FEE_REBATE', 'FEE_TAX', 'TCS', 'TDS', 'PROTECTION_FUND', 'CLAIM',
    'COMPENSATION', 'RECOVERY', 'REFERRAL', 'RESERVE', 'TRANSFER', 'OTHER')),
  -- The marketplace's own words.
  marketplace_type text not null,
  -- Negative when it is taken from the seller. A TRANSFER is no part of the entry's sum.
  amount numeric(14, 4) not null,
  primary key (seller_id, entry_id, number),
  foreign key (seller_id, entry_id) references payout_entries (seller_id, id) on delete cascade
);

-- What is announced and not paid yet, of each account; count_payout_entries keeps it.
create table announced_amounts (
  seller_id uuid not null,
  account_id uuid not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  amount numeric(20, 4) not null,
  entries integer not null,
  primary key (seller_id, account_id, currency),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id)
);

-- What later runs changed in a payout: entries as they were and as they became.
create table payout_changes (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  -- The payout that the entry belonged to or, if it is new, belongs to.
  payout_id uuid not null,
  run_id uuid not null,
  external_part_id text not null,
  number integer not null,
  change text not null check (change in ('ADDED', 'CHANGED', 'REMOVED')),
  -- The entry with its lines; null before it was added and after it was removed.
  before jsonb,
  after jsonb,
  changed_at timestamptz not null default now(),
  primary key (seller_id, id),
  foreign key (seller_id, payout_id) references payouts (seller_id, id),
  check ((change = 'ADDED') = (before is null)),
  check ((change = 'REMOVED') = (after is null))
);
create index payout_changes_by_payout on payout_changes (seller_id, payout_id, id desc);

-- Keeps the sums of payouts and of what is announced, whoever writes entries.
create type payout_share as (seller_id uuid, payout_id uuid, account_id uuid, currency text, amount numeric, entries integer, unbalanced integer);
create function count_payout_entries() returns trigger
language plpgsql
set search_path = robnu, pg_temp
as $$
begin
  if tg_op = 'INSERT' then
    perform add_to_payouts((select array_agg(row(seller_id, payout_id, account_id, currency, amount, 1, is_unbalanced::int)::payout_share) from written));
  elsif tg_op = 'DELETE' then
    perform add_to_payouts((select array_agg(row(seller_id, payout_id, account_id, currency, -amount, -1, -is_unbalanced::int)::payout_share) from gone));
  else
    perform add_to_payouts((select array_agg(share) from (
      select row(seller_id, payout_id, account_id, currency, amount, 1, is_unbalanced::int)::payout_share as share from written
      union all
      select row(seller_id, payout_id, account_id, currency, -amount, -1, -is_unbalanced::int)::payout_share from gone
    ) shares));
  end if;
  return null;
end $$;
create function add_to_payouts(shares payout_share[]) returns void
language sql
set search_path = robnu, pg_temp
as $$
  update payouts p
  set net_amount = p.net_amount + s.amount, entries = p.entries + s.entries, unbalanced_entries = p.unbalanced_entries + s.unbalanced,
    updated_at = now()
  from (
    select seller_id, payout_id, sum(amount) as amount, sum(entries)::int as entries, sum(unbalanced)::int as unbalanced
    from unnest(shares) where payout_id is not null group by seller_id, payout_id
  ) s
  where p.seller_id = s.seller_id and p.id = s.payout_id and (s.amount, s.entries, s.unbalanced) is distinct from (0, 0, 0);

  insert into announced_amounts as a (seller_id, account_id, currency, amount, entries)
  select seller_id, account_id, currency, sum(amount), sum(entries)
  from unnest(shares) where payout_id is null
  group by seller_id, account_id, currency
  having (sum(amount), sum(entries)) is distinct from (0, 0)
  order by seller_id, account_id, currency
  on conflict (seller_id, account_id, currency) do update
  set amount = a.amount + excluded.amount, entries = a.entries + excluded.entries
$$;
create trigger count_inserted after insert on payout_entries referencing new table as written
  for each statement execute function count_payout_entries();
create trigger count_updated after update on payout_entries referencing old table as gone new table as written
  for each statement execute function count_payout_entries();
create trigger count_deleted after delete on payout_entries referencing old table as gone
  for each statement execute function count_payout_entries();

do $$
declare
  relation regclass;
begin
  foreach relation in array array['payouts', 'payout_entries', 'payout_lines', 'announced_amounts', 'payout_changes']::regclass[] loop
    call protect_tenant_table(relation);
    call require_right_to_read(relation, 'payouts.read', 'ingest');
    call require_right_to_write(relation, 'ingest', 'insert', 'update');
  end loop;
end $$;
grant select,
  insert (seller_id, account_id, external_payout_id, source, source_rank, marketplace_status, period_start, period_end, settled_at, paid_at,
    bank_reference, currency, stated_amount, first_run_id),
  update (source, source_rank, replaced_source, status, marketplace_status, period_start, period_end, settled_at, paid_at, bank_reference, currency,
    stated_amount, net_amount, entries, unbalanced_entries, revision, changed_by_run_id, updated_at)
  on payouts to robnu_tenant;
grant select,
  insert (seller_id, account_id, external_part_id, number, payout_id, source, subject, currency, expected_at, marketplace_type,
    external_order_id, external_item_id, sku, quantity, posted_at, stated_amount, amount, place, other, notes, digest),
  update (payout_id, source, subject, currency, expected_at, marketplace_type, external_order_id, external_item_id, sku, quantity, posted_at,
    stated_amount, amount, place, other, notes, digest, updated_at)
  on payout_entries to robnu_tenant;
grant select, insert (seller_id, entry_id, number, line_type, marketplace_type, amount), update (line_type, marketplace_type, amount)
  on payout_lines to robnu_tenant;
grant select, insert (seller_id, account_id, currency, amount, entries), update (amount, entries) on announced_amounts to robnu_tenant;
grant select, insert (seller_id, payout_id, run_id, external_part_id, number, change, before, after) on payout_changes to robnu_tenant;

-- An entry with its lines, as payout_changes keeps it. functions/adapter/src/store/payouts/columns.rs makes the same of an entry that is read.
create function payout_entry_content(entry uuid) returns jsonb
language sql stable
set search_path = robnu, pg_temp
return (
  select jsonb_strip_nulls(jsonb_build_object('external_payout_id', p.external_payout_id, 'marketplace_type', e.marketplace_type,
    'external_order_id', e.external_order_id, 'external_item_id', e.external_item_id, 'sku', e.sku, 'quantity', e.quantity,
    'stated_amount', trim_scale(e.stated_amount)::text, 'amount', trim_scale(e.amount)::text, 'place', e.place)) || jsonb_build_object('lines', (
      select coalesce(jsonb_agg(jsonb_build_object('line_type', l.line_type, 'marketplace_type', l.marketplace_type,
        'amount', trim_scale(l.amount)::text) order by l.number), '[]')
      from payout_lines l where l.seller_id = e.seller_id and l.entry_id = e.id))
  from payout_entries e
  left join payouts p on p.seller_id = e.seller_id and p.id = e.payout_id
  where e.seller_id = app_current_seller_id() and e.id = entry
);

-- Entries that a page does away with: those that its parts no longer have, announcements of what it says is paid, and those of a source
-- that counts less than the page's for the same payout. A part that is only announced does not take anything from a payout.
-- parts, counts and paid: the page's parts, how many entries each has, and whether it is in a payout; subjects: those that are paid;
-- payout_ids: of the page's payouts.
create function superseded_payout_entries(account uuid, parts text[], counts integer[], paid boolean[], subjects text[], payout_ids text[])
returns table (entry_id uuid)
language sql stable rows 20
set search_path = robnu, pg_temp
as $$
  select e.id
  from unnest(parts, counts, paid) as page (part, entries, is_paid)
  join payout_entries e on e.seller_id = app_current_seller_id() and e.account_id = account and e.external_part_id = page.part
    and e.number > page.entries and (page.is_paid or e.payout_id is null)
  union
  select e.id
  from payout_entries e
  where e.seller_id = app_current_seller_id() and e.account_id = account and e.subject = any (subjects) and e.payout_id is null
    and not exists (select from unnest(parts, paid) as page (part, is_paid) where page.part = e.external_part_id and page.is_paid)
  union
  select e.id
  from payouts p
  join payout_entries e on e.seller_id = p.seller_id and e.payout_id = p.id and e.source <> p.source
  where p.seller_id = app_current_seller_id() and p.account_id = account and p.external_payout_id = any (payout_ids)
    and p.replaced_source is not null
$$;

-- Removes these, and counts them. SECURITY DEFINER because nobody else may delete entries.
create function remove_superseded_payout_entries(account uuid, parts text[], counts integer[], paid boolean[], subjects text[], payout_ids text[])
returns integer
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  removed integer;
begin
  if not app_may('ingest') then
    raise exception 'only a job removes entries' using errcode = 'insufficient_privilege';
  end if;
  delete from payout_entries e
    using superseded_payout_entries(account, parts, counts, paid, subjects, payout_ids) as s
    where e.seller_id = app_current_seller_id() and e.id = s.entry_id;
  get diagnostics removed = row_count;
  update payouts set replaced_source = null
    where seller_id = app_current_seller_id() and account_id = account and external_payout_id = any (payout_ids) and replaced_source is not null;
  return removed;
end $$;

-- Removes lines that entries no longer have: those after a number. Only of entries that are stored as the page has them. SECURITY DEFINER because nobody else may delete lines.
create function remove_vanished_payout_lines(account uuid, parts text[], numbers integer[], digests bytea[], counts integer[]) returns integer
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  removed integer;
begin
  if not app_may('ingest') then
    raise exception 'only a job removes lines' using errcode = 'insufficient_privilege';
  end if;
  delete from payout_lines l
    using unnest(parts, numbers, digests, counts) as page (part, number, digest, lines), payout_entries e
    where e.seller_id = app_current_seller_id() and e.account_id = account and e.external_part_id = page.part and e.number = page.number
      and e.digest = page.digest and l.seller_id = e.seller_id and l.entry_id = e.id and l.number > page.lines;
  get diagnostics removed = row_count;
  return removed;
end $$;
grant execute on function add_to_payouts(payout_share[]), payout_entry_content(uuid),
  superseded_payout_entries(uuid, text[], integer[], boolean[], text[], text[]),
  remove_superseded_payout_entries(uuid, text[], integer[], boolean[], text[], text[]),
  remove_vanished_payout_lines(uuid, text[], integer[], bytea[], integer[]) to robnu_tenant;
