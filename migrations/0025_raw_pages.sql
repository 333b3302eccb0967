-- Raw pages: what marketplaces answered, without customers, kept once. A page's transaction writes the row with the sealed page; no
-- run waits for S3. The sweep `raw_pages` moves the pages into objects and leaves the digest, by which a page that is read again is
-- recognised. shared/storage/README.md says what is kept and how it is queried.
set local role robnu_owner;
set local search_path = robnu;

create table raw_pages (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  marketplace_code text not null references marketplaces (code),
  -- The run that read it first, the page of that run, and the part of the page: some pages take several calls. There is no foreign key
  -- to the run, because it would cost every page an index.
  run_id uuid not null,
  kind text not null references run_kinds (code),
  page integer not null check (page > 0),
  part integer not null check (part > 0),
  fetched_at timestamptz not null,
  -- The date and the hour of it, in UTC: the folder of its object.
  time_folder text not null check (time_folder ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{2}$'),
  -- Keyed with the seller's data key, so that nobody can tell that two sellers have the same page.
  page_digest bytea not null check (length(page_digest) = 32),
  -- The page, compressed, under the seller's data key; null once it is in an object.
  page_enc bytea,
  -- The object that it goes into. Once a page has one, it keeps it, so that a repeated attempt writes the same object again.
  object_id uuid,
  leased_until timestamptz,
  stored_at timestamptz,
  last_seen_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, account_id, kind, page_digest),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  check ((page_enc is null) = (stored_at is not null)),
  check (stored_at is null or object_id is not null)
);
-- Ciphertext cannot be compressed, so nobody tries.
alter table raw_pages alter column page_enc set storage external;
create index raw_pages_waiting on raw_pages (seller_id, fetched_at, id) where stored_at is null;
create index raw_pages_by_age on raw_pages (last_seen_at);
call protect_tenant_table('raw_pages');
call require_right_to_read('raw_pages', 'ingest');
call require_right_to_write('raw_pages', 'ingest', 'insert', 'update');
grant select (seller_id, id, account_id, kind, page_digest, fetched_at, stored_at, last_seen_at),
  insert (seller_id, id, account_id, marketplace_code, run_id, kind, page, part, fetched_at, time_folder, page_digest, page_enc),
  update (last_seen_at)
  on raw_pages to robnu_tenant;

-- Across sellers the sweep sees that pages wait, and since when.
create policy sweep on raw_pages for select to robnu_system_sweep using (stored_at is null);
grant select (seller_id, fetched_at, stored_at) on raw_pages to robnu_system_sweep;

-- Leases the pages of one object, the oldest first: of one account and one hour, and no more than so many pages and bytes, but at least
-- one page. Returns no row when none is left, and when another call takes some at this moment. An object whose lease has ended is taken
-- again with the same pages, so that it is written again as it was. SECURITY DEFINER because nobody else may read what is inside a
-- page.
create function take_raw_pages(pages_at_most integer, bytes_at_most bigint)
returns table (object_id uuid, account_id uuid, marketplace_code text, time_folder text, id uuid, run_id uuid, kind text, page integer,
  part integer, fetched_at timestamptz, page_enc bytea)
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  seller constant uuid := app_current_seller_id();
  first record;
  pages uuid[];
begin
  if current_setting('app.actor_kind', true) is distinct from 'SYSTEM' then
    raise exception 'only sweeps store raw pages' using errcode = 'insufficient_privilege';
  end if;
  -- Two calls that share the pages of one object would each write a half of it.
  if not pg_try_advisory_xact_lock(hashtextextended('raw_pages/' || seller, 0)) then
    return;
  end if;
  select p.account_id, p.time_folder, p.object_id into first
  from raw_pages p
  where p.seller_id = seller and p.stored_at is null and coalesce(p.leased_until < now(), true)
  order by p.fetched_at, p.id
  limit 1;
  if not found then
    return;
  end if;
  pages := array(
    select b.id
    from (
      select w.id, w.object_id, row_number() over oldest as place, sum(octet_length(w.page_enc)) over oldest as bytes
      from raw_pages w
      where w.seller_id = seller and w.stored_at is null and w.account_id = first.account_id and w.time_folder = first.time_folder
        and w.object_id is not distinct from first.object_id
      window oldest as (order by w.fetched_at, w.id)
    ) b
    where b.object_id is not null or b.place = 1 or (b.place <= pages_at_most and b.bytes <= bytes_at_most));
  first.object_id := coalesce(first.object_id, uuidv7());
  return query
    update raw_pages p set object_id = first.object_id, leased_until = now() + interval '1 minute'
    where p.seller_id = seller and p.id = any (pages)
    returning p.object_id, p.account_id, p.marketplace_code, p.time_folder, p.id, p.run_id, p.kind, p.page, p.part, p.fetched_at, p.page_enc;
end $$;

-- Records that an object is stored, and empties its pages. Returns how many these were; 0 when another call has recorded it. SECURITY
-- DEFINER because the sweep may write neither table.
create function keep_raw_pages(object uuid, in_bucket text, bytes bigint, sha256 bytea, key_name text, version text) returns integer
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  seller constant uuid := app_current_seller_id();
  emptied integer;
begin
  if current_setting('app.actor_kind', true) is distinct from 'SYSTEM' then
    raise exception 'only sweeps store raw pages' using errcode = 'insufficient_privilege';
  end if;
  insert into storage_objects (seller_id, id, account_id, kind, marketplace_code, time_folder, bucket, content_type, size, checksum, kms_key,
    version_id, state, stored_at)
  select seller, object, p.account_id, 'RAW_PAGES', p.marketplace_code, p.time_folder, in_bucket, 'application/gzip', bytes, sha256, key_name,
    version, 'STORED', now()
  from raw_pages p
  where p.seller_id = seller and p.object_id = object and p.stored_at is null
  limit 1
  on conflict (seller_id, id) do nothing;
  update raw_pages p set page_enc = null, stored_at = now(), leased_until = null
  where p.seller_id = seller and p.object_id = object and p.stored_at is null;
  get diagnostics emptied = row_count;
  return emptied;
end $$;
grant execute on function take_raw_pages(integer, bigint), keep_raw_pages(uuid, text, bigint, bytea, text, text) to robnu_tenant_sweep;
