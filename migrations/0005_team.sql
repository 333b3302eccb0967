-- Invitations. Only the mail holds the token; the table holds its hash.
set local role robnu_owner;
set local search_path = robnu;

create table invitations (
  seller_id uuid not null references sellers (seller_id),
  id uuid not null default uuidv7(),
  email text not null check (length(email) between 3 and 320),
  role text check (role in ('OWNER', 'ADMIN', 'OPERATOR', 'FINANCE', 'VIEWER')),
  scan_returns boolean not null default false,
  token_hash bytea not null check (length(token_hash) = 32),
  -- Who made the token, and when. The offer is valid only while that person has the right to make it.
  invited_by uuid,
  token_made_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '7 days',
  -- When the mail was handed to the mail service; null when that failed.
  sent_at timestamptz,
  -- When each mail was made, whether or not it could be handed over. Each token makes one.
  mailed_at timestamptz[] not null default '{}' constraint invitations_mails check (cardinality(mailed_at) <= 5),
  accepted_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (seller_id, id),
  check (role is not null or scan_returns)
);
create unique index invitations_one_open on invitations (seller_id, lower(email collate "C")) where accepted_at is null and revoked_at is null;
create index invitations_by_token on invitations (token_hash);
create index invitations_by_mail on invitations (seller_id, token_made_at);
call protect_tenant_table('invitations');
-- The same roles hold both permissions; a suspended seller's members keep only the second.
call require_right_to_read('invitations', 'members.manage', 'audit.read');
create function note_inviter() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  new.invited_by := coalesce(nullif(current_setting('app.actor_id', true), '')::uuid, new.invited_by);
  new.token_made_at := now();
  new.mailed_at := case when tg_op = 'UPDATE' then old.mailed_at else '{}' end || new.token_made_at;
  return new;
end $$;
create trigger note_inviter before insert or update of token_hash on invitations for each row execute function note_inviter();
-- When mails were made within a day: by a person over all their sellers, by a person or a seller to one mailbox, and by everybody
-- to one mailbox. The counts have a table of their own because invitations, sellers and memberships come and go. The keys are
-- digests, because counting does not need to know whom a stranger invites. No scope may read the table.
create table mail_counts (
  kind text not null check (kind in ('PERSON', 'PERSON_TO_MAILBOX', 'SELLER_TO_MAILBOX', 'MAILBOX')),
  key_hash bytea not null check (length(key_hash) = 32),
  mailed_at timestamptz[] not null,
  latest_at timestamptz not null default now(),
  primary key (kind, key_hash)
);
create index mail_counts_by_age on mail_counts (latest_at);
alter table mail_counts enable row level security;
alter table mail_counts force row level security;
create policy owner on mail_counts for all to robnu_owner using (true) with check (true);

-- Counts one mail and returns how many there are now; raises the named constraint when there were too many within a day. A
-- second transaction that counts under the same key waits until the first has ended.
create function count_mail(counted text, key bytea, most integer, broken text) returns integer
language plpgsql
set search_path = robnu, pg_temp
as $$
declare
  mails integer;
begin
  insert into mail_counts as known (kind, key_hash, mailed_at) values (counted, key, array[now()])
  on conflict (kind, key_hash) do update
  set mailed_at = array(select mail from unnest(known.mailed_at) as mail where mail > now() - interval '1 day') || now(),
    latest_at = greatest(known.latest_at, now())
  where (select count(*) from unnest(known.mailed_at) as mail where mail > now() - interval '1 day') < most
  returning cardinality(mailed_at) into mails;
  if mails is null then
    raise exception 'too many mails were made today' using errcode = 'check_violation', constraint = broken;
  end if;
  return mails;
end $$;

-- Bounds invitations, so that nobody mails the whole world through us, nor one person all the time. The bounds of a day cover
-- first mails and repeated ones: a seller sends 200, at most 5 of them to one mailbox; a person sends 100 over all their sellers,
-- at most 5 of them to one mailbox; one mailbox gets 10 from everybody. A person who has not mailed it within the day may go up
-- to 20, so that it takes a dozen accounts, and not two, to keep others from inviting somebody. The trigger fires before
-- note_inviter. SECURITY DEFINER because it counts what its caller must not see. Everybody locks the seller and the counts in
-- the same order, so that concurrent mails are counted against each other and never deadlock.
create function limit_mails() returns trigger
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  mailbox constant bytea := sha256(convert_to(fold_address(new.email), 'UTF8'));
  person constant bytea := sha256(convert_to(current_setting('app.current_subject', true), 'UTF8'));
  by_person integer;
begin
  -- Row security will refuse this row after the trigger, so nothing is read or locked for it.
  if not (app_may('members.manage') and new.seller_id = app_current_seller_id()) then
    return new;
  end if;
  perform from sellers where seller_id = new.seller_id for no key update;
  -- When an invitation's last mail is older than a day, all its mails are.
  if (
    select count(*) from invitations i cross join unnest(i.mailed_at) as mail
    where i.seller_id = new.seller_id and i.token_made_at > now() - interval '1 day' and mail > now() - interval '1 day') >= 200
  then
    raise exception 'the seller had too many mails sent today' using errcode = 'check_violation', constraint = 'invitations_mails_a_day';
  end if;
  perform count_mail('PERSON', person, 100, 'mail_counts_of_person');
  by_person := count_mail('PERSON_TO_MAILBOX', sha256(person || mailbox), 5, 'mail_counts_to_mailbox');
  perform count_mail('SELLER_TO_MAILBOX', sha256(uuid_send(new.seller_id) || mailbox), 5, 'mail_counts_to_mailbox');
  perform count_mail('MAILBOX', mailbox, case by_person when 1 then 20 else 10 end, 'mail_counts_to_mailbox');
  return new;
end $$;
create trigger limit_mails before insert or update of token_hash on invitations for each row execute function limit_mails();
-- As for members: an ADMIN can neither invite OWNER and ADMIN members nor change such invitations.
create policy insert_needs_right on invitations as restrictive for insert to robnu_tenant
  with check ((select app_may('members.all')) or ((select app_may('members.manage')) and coalesce(role, '') not in ('OWNER', 'ADMIN')));
create policy update_needs_right on invitations as restrictive for update to robnu_tenant
  using ((select app_may('members.all')) or ((select app_may('members.manage')) and coalesce(role, '') not in ('OWNER', 'ADMIN')))
  with check ((select app_may('members.all')) or ((select app_may('members.manage')) and coalesce(role, '') not in ('OWNER', 'ADMIN')));
call audit('invitations', 'insert or update of role, scan_returns, token_hash, accepted_at, revoked_at', 'invitation', 'id',
  'role', 'scan_returns', 'accepted_at', 'revoked_at');
-- The hash is never read back.
grant select (seller_id, id, email, role, scan_returns, invited_by, token_made_at, expires_at, sent_at, accepted_at, revoked_at, created_at),
  insert (seller_id, id, email, role, scan_returns, token_hash),
  update (token_hash, expires_at, sent_at, revoked_at)
  on invitations to robnu_tenant;

-- Accepts an invitation: the person of the scope becomes a member. SECURITY DEFINER because nobody may insert memberships. The
-- person must hold the token and have verified the invited address, and the inviter must still have the right to offer the role.
-- Returns the seller. Returns no row when the token is unknown, used, revoked, expired, for another address, or from an inviter
-- who may no longer offer the role; the caller cannot tell these apart.
create function accept_invitation(hash bytea, verified_email text) returns table (seller uuid, seller_name text, member_role text, scans boolean)
language plpgsql security definer
set search_path = robnu, pg_temp
as $$
declare
  offer invitations;
  person uuid;
begin
  select i.* into offer from invitations i
    where i.token_hash = hash and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
      -- Only ASCII letters are lowered, because others fold onto them.
      and lower(i.email collate "C") = lower(verified_email collate "C")
    for update of i;
  if not found then
    return;
  end if;
  -- Both rows are locked until the transaction ends, and read after the lock is granted. So a removal, a suspension or a lost
  -- role that was answered before is seen, and a later one waits.
  perform from members m
    where m.seller_id = offer.seller_id and m.person_id = offer.invited_by
      and (m.role = 'OWNER' or (m.role = 'ADMIN' and coalesce(offer.role, '') not in ('OWNER', 'ADMIN')))
    for key share;
  if not found then
    return;
  end if;
  perform from sellers s where s.seller_id = offer.seller_id and s.suspended_at is null for key share;
  if not found then
    return;
  end if;
  insert into people (subject, email) values (app_current_subject(), verified_email)
    on conflict (subject) do update set email = excluded.email where people.email <> excluded.email;
  select id into strict person from people where subject = app_current_subject();
  perform set_config('app.actor_id', person::text, true);
  update invitations set accepted_at = now() where seller_id = offer.seller_id and id = offer.id;
  -- An existing member stays as they are: an old invitation takes nothing away and gives nothing more.
  insert into members (seller_id, person_id, role, scan_returns)
    values (offer.seller_id, person, offer.role, offer.scan_returns)
    on conflict (seller_id, person_id) do nothing;
  return query
    select s.seller_id, s.name, m.role, m.scan_returns
    from sellers s join members m on m.seller_id = s.seller_id
    where s.seller_id = offer.seller_id and m.person_id = person;
end $$;
grant execute on function accept_invitation(bytea, text) to robnu_person;
