-- What a seller is told of its usage. Orders per Indian day are counted when they are stored (order_days in 0010_orders.sql), so no rollup
-- is ever behind. The nightly sweep `usage` notes the days that were above the free allowance, corrects its notes when such a day's count
-- changes, and mails the owners once a day at most. Nothing stops.
set local role robnu_owner;
set local search_path = robnu;

-- Orders a day that are free.
create function free_orders_a_day() returns integer
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return 25;
grant execute on function free_orders_a_day() to robnu_tenant;

-- The days above the free allowance, as the API shows them to the seller; mails follow. They stay when a correction takes a day below it again.
create table usage_notices (
  seller_id uuid not null references sellers (seller_id),
  day date not null,
  -- The day's orders when the sweep last looked.
  orders integer not null check (orders >= 0),
  noted_at timestamptz not null default now(),
  -- When a mail to the owners was made that covers this day: set once, before the mail, so that there are never two.
  mailed_at timestamptz,
  primary key (seller_id, day)
);
call protect_tenant_table('usage_notices');
call require_right_to_read('usage_notices', 'read');
grant select on usage_notices to robnu_tenant;

-- The days that are looked at: full ones, as far back as one request of the API reaches. Orders of an older day are counted, but it is no news.
create function usage_days(out first date, out last date)
language sql stable
set search_path = pg_catalog, pg_temp
return ((now() at time zone 'Asia/Kolkata')::date - 92, (now() at time zone 'Asia/Kolkata')::date - 1);

-- The days of a seller that are to be noted, or whose note is to be corrected.
create function usage_news(seller uuid) returns table (day date, orders integer)
language sql stable
set search_path = robnu, pg_temp
as $$
  select counted.day, counted.orders
  from (
    select d.day, sum(d.orders)::integer as orders
    from order_days d, usage_days() looked
    where d.seller_id = seller and d.day between looked.first and looked.last
    group by d.day
  ) counted
  left join usage_notices n on n.seller_id = seller and n.day = counted.day
  where (counted.orders > free_orders_a_day() or n.day is not null) and counted.orders is distinct from n.orders
$$;

-- Whether a seller has had its mail of the present Indian day.
create function usage_was_mailed_today(seller uuid) returns boolean
language sql stable
set search_path = robnu, pg_temp
as $$
  select exists (
    select from usage_notices n
    where n.seller_id = seller and (n.mailed_at at time zone 'Asia/Kolkata')::date = (now() at time zone 'Asia/Kolkata')::date)
$$;

-- The next sellers by their ids, and whether each has something to be told. SECURITY DEFINER because the sweep must not see how many orders
-- a seller has. Suspended sellers and those that are being closed rest.
create function find_usage(after_seller uuid, at_most bigint) returns table (seller_id uuid, has_news boolean)
language sql stable security definer
set search_path = robnu, pg_temp
as $$
  select s.seller_id, s.suspended_at is null and s.closing_step is null and (
      exists (select from usage_news(s.seller_id))
      or exists (
        select from usage_notices n
        where n.seller_id = s.seller_id and n.mailed_at is null and n.orders > free_orders_a_day())
        and not usage_was_mailed_today(s.seller_id))
  from sellers s
  where s.seller_id > after_seller
  order by s.seller_id
  limit at_most
$$;
grant execute on function find_usage(uuid, bigint) to robnu_system_sweep;

-- Notes the days of the scope's seller, and claims the mail about those that none has covered yet, unless there was a mail today. Returns how
-- many days were noted or corrected, and of the mail the addresses of the owners (none: no mail), the seller's name, how many days it is
-- about and the latest of them. A second call at the same time does nothing. SECURITY DEFINER because nobody may write notices of their own
-- making, and the sweep sees neither orders nor addresses.
create function note_usage(out noted bigint, out mail_to text[], out seller_name text, out days bigint, out latest date)
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  seller constant uuid := app_current_seller_id();
begin
  if current_setting('app.actor_kind', true) is distinct from 'SYSTEM' then
    raise exception 'only sweeps note usage' using errcode = 'insufficient_privilege';
  end if;
  noted := 0;
  mail_to := '{}';
  days := 0;
  if not pg_try_advisory_xact_lock(hashtextextended('usage/' || seller, 0)) then
    return;
  end if;
  insert into usage_notices as n (seller_id, day, orders)
  select seller, news.day, news.orders from usage_news(seller) news
  on conflict (seller_id, day) do update set orders = excluded.orders, noted_at = now();
  get diagnostics noted = row_count;
  if usage_was_mailed_today(seller) then
    return;
  end if;
  with mailed as (
    update usage_notices n set mailed_at = now() 
    where n.seller_id = seller and n.mailed_at is null and n.orders > free_orders_a_day()
    returning n.day
  )
  select count(*), max(day) into days, latest from mailed;
  if days > 0 then
    mail_to := array(
      select p.email from members m join people p on p.id = m.person_id where m.seller_id = seller and m.role = 'OWNER' order by p.email);
    select s.name into seller_name from sellers s where s.seller_id = seller;
  end if;
end $$;
grant execute on function note_usage() to robnu_tenant_sweep;
