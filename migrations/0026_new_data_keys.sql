-- New data keys: a seller gets another one, everything that the older ones sealed is sealed anew, and then they are deleted. The
-- reseal sweep does it in its own scope of one seller (0017_sweeps.sql); here it gets the ciphertexts, and nothing else of the rows.
--
-- Two waits of half an hour make it safe beside work in progress, which reads the keys once and lasts at most a quarter of an hour:
-- nothing is sealed anew before everybody who opens knows the new key, and nothing seals with an older key after that.
set local role robnu_owner;
set local search_path = robnu;

grant select (created_at) on seller_keys to robnu_system_sweep;

-- The waiting time. It is longer than any invocation lasts (15 minutes).
create function data_key_wait() returns interval language sql immutable return interval '30 minutes';
grant execute on function data_key_wait() to robnu_system_sweep;

-- Gives the seller a data key after the present one, unless there is one already. It returns whether it did.
--
-- SECURITY DEFINER, as the others here, because no scope may add or delete data keys, or read or write a ciphertext at will.
create function add_data_key(present uuid, new_key uuid, wrapped bytea, wrapped_by text) returns boolean
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
begin
  -- One sweep at a time adds a key.
  perform from sellers where seller_id = app_current_seller_id() for no key update;
  if new_key <= present or not exists (select from seller_keys where seller_id = app_current_seller_id() and id = present)
    or exists (select from seller_keys where seller_id = app_current_seller_id() and id > present) then
    return false;
  end if;
  -- No lease: the key sweep may wrap it with another KMS key at once.
  insert into seller_keys (seller_id, id, wrapped_key, kms_key_id, lease_expires_at)
  values (app_current_seller_id(), new_key, wrapped, wrapped_by, now());
  perform write_audit_event(app_current_seller_id(), 'data_key.added', new_key, '{}', '{}');
  return true;
end $$;

-- The columns with ciphertexts of sellers, and the column that tells the rows of one seller apart.
create function sealed_columns() returns table (of_table text, of_column text, row_column text)
language sql stable
set search_path = robnu, pg_temp
as $$
  select c.relname::text, a.attname::text, k.attname::text
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and not a.attisdropped and a.attname ~ '_enc$'
  join pg_index i on i.indrelid = c.oid and i.indisprimary
  join pg_attribute k on k.attrelid = c.oid and k.attnum = any (i.indkey) and k.attname <> 'seller_id'
  where c.relnamespace = 'robnu'::regnamespace and c.relkind = 'r'
  order by 1, 2
$$;

-- The id of the data key that a ciphertext names in its head; null for a secret that was wiped.
create function data_key_of(ciphertext bytea) returns uuid
language sql immutable
return case when length(ciphertext) > 17 then encode(substring(ciphertext from 2 for 16), 'hex')::uuid end;

-- Returns ciphertexts of one column that another key than the newest sealed, after one row and at most so many. It returns none while
-- the newest key is too young.
create function sealed_by_older_keys(in_table text, in_column text, after uuid, at_most bigint)
returns table (id uuid, ciphertext bytea)
language plpgsql stable security definer
set search_path = robnu, pg_temp
as $$
declare
  newest seller_keys;
  found_in record;
begin
  select * into newest from seller_keys k where k.seller_id = app_current_seller_id() order by k.id desc limit 1;
  select * into found_in from sealed_columns() s where s.of_table = in_table and s.of_column = in_column;
  if found_in is null then
    raise exception 'no column with ciphertexts: %.%', in_table, in_column using errcode = 'undefined_column';
  end if;
  if newest.created_at > now() - data_key_wait() then
    return;
  end if;
  return query execute format(
    'select %2$I, %3$I from %1$I where seller_id = $1 and %2$I > $2 and data_key_of(%3$I) <> $3 order by %2$I limit $4',
    in_table, found_in.row_column, in_column)
  using app_current_seller_id(), after, newest.id, at_most;
end $$;

-- Replaces ciphertexts of one column, as far as nobody has written to them meanwhile, and returns how many. Nothing else of the rows
-- changes, not even updated_at: time counts on from the last real change.
create function seal_anew(in_table text, in_column text, ids uuid[], sealed_before bytea[], sealed_now bytea[]) returns bigint
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  found_in record;
  replaced bigint;
begin
  select * into found_in from sealed_columns() s where s.of_table = in_table and s.of_column = in_column;
  if found_in is null then
    raise exception 'no column with ciphertexts: %.%', in_table, in_column using errcode = 'undefined_column';
  end if;
  execute format(
    'update %1$I t set %3$I = s.sealed_now from unnest($2, $3, $4) as s (id, sealed_before, sealed_now)
     where t.seller_id = $1 and t.%2$I = s.id and t.%3$I = s.sealed_before', in_table, found_in.row_column, in_column)
  using app_current_seller_id(), ids, sealed_before, sealed_now;
  get diagnostics replaced = row_count;
  return replaced;
end $$;

-- The same for quarantined records, whose digests move to the new key with them. A record that was read again since then has a row
-- under the new digest; that row stays, and takes over what the older one knew.
create function seal_records_anew(ids uuid[], sealed_before bytea[], sealed_now bytea[], digests bytea[]) returns bigint
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  merged bigint;
  replaced bigint;
begin
  with older as (
    select q.*, s.digest
    from unnest(ids, sealed_before, digests) as s (id, sealed_before, digest)
    join quarantined_records q on q.seller_id = app_current_seller_id() and q.id = s.id and q.record_enc = s.sealed_before
  ), kept as (
    update quarantined_records k
    set seen = k.seen + o.seen, created_at = least(k.created_at, o.created_at),
      retry_requested_at = coalesce(k.retry_requested_at, o.retry_requested_at)
    from older o
    where k.seller_id = o.seller_id and k.account_id = o.account_id and k.record_digest = o.digest and k.id <> o.id
    returning o.id
  )
  delete from quarantined_records q using kept where q.seller_id = app_current_seller_id() and q.id = kept.id;
  get diagnostics merged = row_count;
  update quarantined_records q set record_enc = s.sealed_now, record_digest = s.digest
  from unnest(ids, sealed_before, sealed_now, digests) as s (id, sealed_before, sealed_now, digest)
  where q.seller_id = app_current_seller_id() and q.id = s.id and q.record_enc = s.sealed_before;
  get diagnostics replaced = row_count;
  return merged + replaced;
end $$;

-- Deletes a data key that has a successor and that no ciphertext of the seller names any more. It returns whether it did.
create function drop_data_key(old uuid) returns boolean
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  newest seller_keys;
  needed boolean;
  look text;
begin
  select * into newest from seller_keys k where k.seller_id = app_current_seller_id() order by k.id desc limit 1;
  if newest.id is not distinct from old or newest.created_at > now() - data_key_wait() then
    return false;
  end if;
  for look in
    select format('select exists (select from %I where seller_id = $1 and data_key_of(%I) = $2)', of_table, of_column) from sealed_columns()
  loop
    execute look into needed using app_current_seller_id(), old;
    if needed then
      return false;
    end if;
  end loop;
  -- Nobody may be wrapping it just now.
  delete from seller_keys where seller_id = app_current_seller_id() and id = old and lease_expires_at <= now();
  if found then
    perform write_audit_event(app_current_seller_id(), 'data_key.deleted', old, '{}', '{}');
  end if;
  return found;
end $$;
grant execute on function add_data_key(uuid, uuid, bytea, text), sealed_by_older_keys(text, text, uuid, bigint),
  seal_anew(text, text, uuid[], bytea[], bytea[]), seal_records_anew(uuid[], bytea[], bytea[], bytea[]), drop_data_key(uuid)
  to robnu_tenant_sweep;
