//! One offence per way to break a rule. Each is made in a transaction on the migrated database, must be named by its rule, and
//! is rolled back.

/// Something that must not exist, and the sentence with which its rule reports it.
pub(crate) struct Offence {
    pub(crate) rule: &'static str,
    pub(crate) sql: &'static str,
    pub(crate) fault: &'static str,
}

const fn offence(rule: &'static str, sql: &'static str, fault: &'static str) -> Offence {
    Offence { rule, sql, fault }
}

pub(crate) const OFFENCES: &[Offence] = &[
    // Tenant tables
    offence(
        "tenant_tables",
        "create table public.stray (seller_id uuid not null)",
        "public.stray is outside the schema robnu",
    ),
    offence(
        "tenant_tables",
        "create materialized view robnu.totals as select seller_id from robnu.orders",
        "robnu.totals is a materialized view, which row level security does not reach",
    ),
    offence(
        "tenant_tables",
        "create foreign data wrapper w; create server s foreign data wrapper w;
         create foreign table robnu.remote (seller_id uuid not null) server s",
        "robnu.remote is a foreign table, which row level security does not reach",
    ),
    offence(
        "tenant_tables",
        "create table robnu.numbered (seller_id uuid not null, number bigint generated always as identity)",
        "robnu.numbered_number_seq is a sequence, which counts across sellers",
    ),
    offence(
        "tenant_tables",
        "create table robnu.notes (seller_id uuid)",
        "notes has no column seller_id uuid not null",
    ),
    offence(
        "tenant_tables",
        "create table robnu.notes (seller_id text not null)",
        "notes has no column seller_id uuid not null",
    ),
    offence(
        "tenant_tables",
        "create table robnu.notes (seller_id uuid not null)",
        "notes does not enable row level security",
    ),
    offence(
        "tenant_tables",
        "create table robnu.notes (seller_id uuid not null) partition by hash (seller_id);
         create table robnu.notes_0 partition of robnu.notes for values with (modulus 1, remainder 0)",
        "notes_0 does not enable row level security",
    ),
    offence(
        "tenant_tables",
        "alter table robnu.orders no force row level security",
        "orders does not force row level security on its owner",
    ),
    // The two policies of every tenant table
    offence(
        "tenant_policy",
        "drop policy tenant on robnu.orders",
        "orders has no policy `tenant` for all verbs that compares seller_id with the scope, on reading and writing",
    ),
    offence(
        "tenant_policy",
        "alter policy tenant on robnu.orders with check (true)",
        "orders has no policy `tenant` for all verbs that compares seller_id with the scope, on reading and writing",
    ),
    offence(
        "tenant_policy",
        "alter policy tenant on robnu.orders using (seller_id = robnu.app_current_seller_id())",
        "orders has no policy `tenant` for all verbs that compares seller_id with the scope, on reading and writing",
    ),
    offence(
        "tenant_policy",
        "drop policy tenant on robnu.orders;
         create policy tenant on robnu.orders for select to robnu_tenant using (seller_id = (select robnu.app_current_seller_id()))",
        "orders has no policy `tenant` for all verbs that compares seller_id with the scope, on reading and writing",
    ),
    offence(
        "tenant_policy",
        "drop policy owner on robnu.orders",
        "orders has no policy `owner` that shows robnu_owner every row",
    ),
    // Other policies
    offence(
        "other_policies",
        "create policy support on robnu.orders for select to robnu_tenant using (status = 'PENDING')",
        "orders: the policy support widens what robnu_tenant sees beyond `tenant`",
    ),
    offence(
        "other_policies",
        "create policy support on robnu.orders using (seller_id is not null)",
        "orders: the policy support widens what public sees beyond `tenant`",
    ),
    offence(
        "other_policies",
        "create policy support on robnu.orders for select to robnu_api using (status = 'PENDING')",
        "orders: the policy support is for robnu_api, which is not a scope's role",
    ),
    offence(
        "other_policies",
        "create policy everybody on robnu.members for select to robnu_person using (true)",
        "members: the policy everybody is true for robnu_person, which is not a system role",
    ),
    offence(
        "other_policies",
        "create policy everybody on robnu.people for insert to robnu_person with check (true)",
        "people: the policy everybody is true for robnu_person, which is not a system role",
    ),
    offence(
        "other_policies",
        "create policy everything on robnu.orders for select to robnu_tenant_sweep using (true)",
        "orders: the policy everything shows robnu_tenant_sweep more than one seller",
    ),
    offence(
        "other_policies",
        "alter policy sweep_marks on robnu.returns
           using (seller_id = (select robnu.app_current_seller_id()) or internal_status = 'EXPECTED')",
        "returns: the policy sweep_marks shows robnu_tenant_sweep more than one seller",
    ),
    offence(
        "other_policies",
        "alter policy sweep_makes on robnu.claims with check (status = 'PENDING')",
        "claims: the policy sweep_makes shows robnu_tenant_sweep more than one seller",
    ),
    offence(
        "other_policies",
        "create policy retention on robnu.request_counts for select to robnu_system_retention using (true)",
        "request_counts: the policy retention lets robnu_system_retention do more than delete old rows",
    ),
    offence(
        "other_policies",
        "create policy retention on robnu.request_counts to robnu_system_retention
           using (window_start < now() - interval '1 hour') with check (window_start < now())",
        "request_counts: the policy retention lets robnu_system_retention do more than delete old rows",
    ),
    offence(
        "other_policies",
        "alter policy staff_reads on robnu.impersonation_sessions using (true)",
        "impersonation_sessions: the policy staff_reads admits robnu_staff without being staff",
    ),
    offence(
        "other_policies",
        "alter policy staff on robnu.sellers with check ((select robnu.app_is_staff()) or name = 'a seller')",
        "sellers: the policy staff admits robnu_staff without being staff",
    ),
    // Keys
    offence("keys", "create table robnu.notes (seller_id uuid not null)", "notes has no primary key"),
    offence(
        "keys",
        "create table robnu.notes (id uuid, seller_id uuid not null, primary key (id, seller_id))",
        "notes: robnu.notes_pkey is unique and does not begin with seller_id",
    ),
    offence(
        "keys",
        "create unique index by_number on robnu.orders (external_order_id) where status = 'PENDING'",
        "orders: robnu.by_number is unique and does not begin with seller_id",
    ),
    offence(
        "keys",
        "create unique index by_number on robnu.orders (lower(external_order_id), seller_id)",
        "orders: robnu.by_number is unique and does not begin with seller_id",
    ),
    offence(
        "keys",
        "alter table robnu.orders add constraint one_a_time exclude (placed_at with =)",
        "orders: robnu.one_a_time is unique and does not begin with seller_id",
    ),
    offence(
        "keys",
        "create table robnu.notes (seller_id uuid not null, id uuid, order_id uuid, shop uuid, primary key (seller_id, id),
           constraint notes_order foreign key (order_id, shop) references robnu.orders (id, seller_id));
         ",
        "notes: notes_order refers to orders without pairing seller_id with seller_id first",
    ),
    offence(
        "keys",
        "alter table robnu.orders add constraint by_id unique (id);
         alter table robnu.shipments add constraint to_order foreign key (order_id) references robnu.orders (id)",
        "shipments: to_order refers to orders without pairing seller_id with seller_id first",
    ),
    // Foreign keys' actions
    offence(
        "foreign_key_actions",
        "alter table robnu.shipments add constraint to_order foreign key (seller_id, order_id)
           references robnu.orders (seller_id, id) on delete set null",
        "shipments: to_order sets seller_id itself when the parent goes; name the columns",
    ),
    offence(
        "foreign_key_actions",
        "alter table robnu.shipments add constraint to_order foreign key (seller_id, order_id)
           references robnu.orders (seller_id, id) on update cascade",
        "shipments: to_order rewrites the key when the parent's changes",
    ),
    offence(
        "foreign_key_actions",
        "alter table robnu.orders add column parent_id uuid, add constraint to_parent foreign key (seller_id, parent_id)
           references robnu.orders (seller_id, id) on delete cascade",
        "orders: to_parent has no index that begins with its columns, and the parent can be deleted",
    ),
    offence(
        "foreign_key_actions",
        "alter table robnu.shipments add column item_id uuid, add constraint to_item foreign key (seller_id, item_id)
           references robnu.order_items (seller_id, id)",
        "shipments: to_item has no index that begins with its columns, and the parent can be deleted",
    ),
    // Ownership
    offence("ownership", "create table robnu.notes (id uuid)", "robnu.notes is owned by postgres"),
    offence(
        "ownership",
        "create function robnu.one() returns integer language sql as 'select 1'",
        "robnu.one() is owned by postgres",
    ),
    offence("ownership", "alter schema robnu owner to robnu_api", "the schema robnu is owned by robnu_api"),
    offence("ownership", "create schema side", "the schema side is not ours"),
    // Grants
    offence("grants", "grant delete on robnu.members to robnu_tenant", "members: robnu_tenant holds delete"),
    offence(
        "functions",
        "create function robnu.one() returns integer language sql security definer return 1",
        "one() does not pin its search path with pg_temp last",
    ),
    offence(
        "grants",
        "grant truncate on robnu.orders to robnu_tenant",
        "orders: robnu_tenant holds truncate",
    ),
    offence(
        "grants",
        "grant references (id) on robnu.orders to robnu_tenant",
        "orders: robnu_tenant holds references",
    ),
    offence("grants", "grant all on robnu.orders to robnu_tenant", "orders: robnu_tenant holds trigger"),
    offence(
        "grants",
        "grant select on robnu.orders to robnu_tenant with grant option",
        "orders: robnu_tenant may hand select on",
    ),
    offence(
        "grants",
        "grant select on robnu.orders to public",
        "orders: public holds select and is not a scope's role",
    ),
    offence(
        "grants",
        "grant select (id) on robnu.orders to public",
        "orders.id: public holds select and is not a scope's role",
    ),
    offence(
        "grants",
        "grant select on robnu.marketplaces to robnu_api",
        "marketplaces: robnu_api holds select and is not a scope's role",
    ),
    offence(
        "grants",
        "grant select on robnu.orders to robnu_system_sweep",
        "orders: robnu_system_sweep holds select on columns yet to come; grant it by column",
    ),
    offence(
        "grants",
        "grant select on robnu.returns to robnu_tenant_sweep",
        "returns: robnu_tenant_sweep holds select on columns yet to come; grant it by column",
    ),
    offence(
        "grants",
        "grant select on robnu.idempotency_keys to robnu_system_retention",
        "idempotency_keys: robnu_system_retention holds select on columns yet to come; grant it by column",
    ),
    offence(
        "grants",
        "grant update on robnu.orders to robnu_tenant",
        "orders: robnu_tenant holds update on columns yet to come; grant it by column",
    ),
    offence(
        "grants",
        "create function robnu.one() returns integer language sql as 'select 1'",
        "one() may be executed by everybody",
    ),
    offence(
        "grants",
        "grant usage on schema robnu to public",
        "the schema robnu is open to everybody",
    ),
    offence("grants", "grant usage on schema public to public", "the schema public is open to everybody"),
    offence(
        "grants",
        "grant create on schema robnu to robnu_tenant",
        "scopes may create in the schema: robnu_tenant",
    ),
    offence(
        "grants",
        "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$",
        "the database is open to everybody: temporary",
    ),
    offence(
        "grants",
        "do $$ begin execute format('grant temporary on database %I to robnu_api', current_database()); end $$",
        "robnu_api may do more to the database than connect: temporary",
    ),
    // Roles
    offence("roles", "alter role robnu_sweep bypassrls", "robnu_sweep has bypassrls"),
    offence("roles", "alter role robnu_master superuser", "robnu_master has superuser"),
    offence("roles", "alter role robnu_api createrole", "robnu_api has createrole"),
    offence(
        "roles",
        "alter role robnu_tenant login",
        "robnu_tenant can log in and is not on the list of login roles",
    ),
    offence(
        "roles",
        "grant robnu_tenant to robnu_sweep with inherit true",
        "robnu_sweep inherits robnu_tenant",
    ),
    offence(
        "roles",
        "grant robnu_owner to robnu_api with inherit false",
        "robnu_api may become robnu_owner, which is not a scope's role",
    ),
    offence(
        "roles",
        "grant pg_read_all_data to robnu_api with inherit false",
        "robnu_api may become pg_read_all_data, which is not a scope's role",
    ),
    offence(
        "roles",
        "grant robnu_tenant to robnu_api with admin option",
        "robnu_api may make others a robnu_tenant",
    ),
    // Time-outs and search paths of login roles
    offence(
        "timeouts",
        "alter role robnu_api reset transaction_timeout",
        "robnu_api has no transaction_timeout",
    ),
    offence(
        "timeouts",
        "alter role robnu_sweep set idle_in_transaction_session_timeout = 0",
        "robnu_sweep has no idle_in_transaction_session_timeout",
    ),
    offence(
        "timeouts",
        "alter role robnu_api set search_path = public, robnu",
        "robnu_api has the search path search_path=public, robnu",
    ),
    // Views
    offence(
        "views",
        "create view robnu.open_orders as select seller_id, id from robnu.orders",
        "open_orders is a view without security_invoker",
    ),
    offence(
        "views",
        "create view robnu.open_orders with (security_invoker = false) as select seller_id, id from robnu.orders",
        "open_orders is a view without security_invoker",
    ),
    offence(
        "views",
        "create rule diverted as on insert to robnu.orders do also delete from robnu.shipments",
        "orders: the rewrite rule diverted runs with the owner's rights",
    ),
    // Functions
    offence(
        "functions",
        "create function robnu.one() returns integer language sql as 'select 1'",
        "one() does not pin its search path with pg_temp last",
    ),
    offence(
        "functions",
        "create function robnu.one() returns integer language sql set search_path = pg_catalog as 'select 1'",
        "one() does not pin its search path with pg_temp last",
    ),
    offence(
        "functions",
        "create function robnu.one() returns integer language sql security definer set search_path = robnu, pg_temp return 1",
        "one() runs with its owner's rights and is not on the reviewed list",
    ),
    offence(
        "functions",
        "create function public.one() returns integer language sql return 1",
        "one() is outside the schema robnu",
    ),
    // Types
    offence("types", "create type robnu.mood as enum ('GOOD')", "robnu.mood is an enum type"),
    offence(
        "types",
        "alter table robnu.orders add column weight double precision",
        "orders.weight is double precision and not on the reviewed list",
    ),
    offence(
        "types",
        "create domain robnu.share as real; alter table robnu.orders add column share robnu.share",
        "orders.share is robnu.share and not on the reviewed list",
    ),
    offence(
        "types",
        "alter table robnu.orders add column offers jsonb[]",
        "orders.offers is jsonb[] and not on the reviewed list",
    ),
    // Money
    offence(
        "money",
        "alter table robnu.payouts alter column stated_amount type double precision",
        "payouts.stated_amount is double precision, and money is numeric(14,4)",
    ),
    offence(
        "money",
        "alter table robnu.payout_lines add column shipping_fee bigint",
        "payout_lines.shipping_fee is bigint, and money is numeric(14,4)",
    ),
    offence(
        "money",
        "alter table robnu.listings add column floor numeric",
        "listings.floor is numeric, and money is numeric(14,4)",
    ),
    offence(
        "money",
        "alter table robnu.listings add column mrp_minor bigint",
        "listings.mrp_minor counts minor units and is not made of an amount: bigint, generated, stored",
    ),
    offence(
        "money",
        "alter table robnu.credential_events add column fee numeric(14, 4)",
        "credential_events holds money, and no currency stands in the row or in its parent's",
    ),
    // Ciphertext and side tables
    offence(
        "ciphertext",
        "alter table robnu.orders add column customer_name_enc bytea",
        "orders.customer_name_enc holds ciphertext outside the reviewed side tables",
    ),
    offence(
        "ciphertext",
        "alter table robnu.order_pii add column gift_note_enc text",
        "order_pii.gift_note_enc is called ciphertext and is text",
    ),
    offence(
        "ciphertext",
        "alter table robnu.orders add column customer bytea",
        "orders.customer holds bytes and is neither …_enc nor a digest",
    ),
    offence(
        "ciphertext",
        "grant select (record_enc) on robnu.quarantined_records to robnu_tenant",
        "quarantined_records.record_enc is read by robnu_tenant without being opened",
    ),
    offence(
        "ciphertext",
        "drop policy select_opened on robnu.ajio_account_details",
        "ajio_account_details.password_enc is read by robnu_tenant without being opened",
    ),
    offence(
        "side_tables",
        "alter table robnu.order_pii drop constraint order_pii_pkey, add column id uuid default uuidv7(), add primary key (seller_id, id)",
        "order_pii is not keyed by orders alone, or does not go with it",
    ),
    offence(
        "side_tables",
        "create table robnu.myntra_account_details (seller_id uuid not null, account_id uuid not null, primary key (seller_id, account_id),
           foreign key (seller_id, account_id) references robnu.marketplace_accounts (seller_id, id))",
        "myntra_account_details is not keyed by marketplace_accounts alone, or does not go with it",
    ),
    offence(
        "side_tables",
        "alter table robnu.orders add constraint of_ajio foreign key (seller_id, account_id) references robnu.ajio_account_details",
        "robnu.orders refers to ajio_account_details instead of marketplace_accounts",
    ),
    offence(
        "foreign_key_indexes",
        "drop index robnu.inventory_by_listing",
        "inventory: no index begins with the columns of inventory_seller_id_listing_id_fkey",
    ),
    offence(
        "foreign_key_indexes",
        "drop index robnu.account_authorizations_by_account;
         create index on robnu.account_authorizations (seller_id, account_id) where used_at is null",
        "account_authorizations: no index begins with the columns of account_authorizations_seller_id_account_id_fkey",
    ),
    offence(
        "audit",
        "drop trigger audit on robnu.members",
        "members may be written without an audit event",
    ),
    offence(
        "audit",
        "grant insert (seller_id, action) on robnu.audit_events to robnu_tenant",
        "audit_events may be written by robnu_tenant",
    ),
    offence(
        "audit",
        "grant execute on function robnu.write_audit_event(uuid, text, uuid, text[], jsonb) to robnu_tenant",
        "write_audit_event(uuid, text, uuid, text[], jsonb) lets robnu_tenant write audit events of its own making",
    ),
];
