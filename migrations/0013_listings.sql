-- Listings and inventory, as the marketplaces show them.
set local role robnu_owner;
set local search_path = robnu;

create table listings (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  external_listing_id text not null,
  -- The marketplace's product: an FSN, an ASIN, an EAN.
  external_product_id text,
  sku text not null,
  title text,
  size text,
  status text not null check (status in ('ACTIVE', 'INACTIVE', 'BLOCKED')),
  marketplace_status text not null,
  hsn text,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  mrp numeric(14, 4),
  selling_price numeric(14, 4),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, account_id, external_listing_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id)
);
create index listings_by_time on listings (seller_id, updated_at desc, id desc);
create index listings_by_account on listings (seller_id, account_id, updated_at desc, id desc);
create index listings_by_sku on listings (seller_id, sku text_pattern_ops);

create table inventory (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  listing_id uuid,
  sku text not null,
  -- The marketplace's id of the location; empty when it knows only one.
  location text not null default '',
  -- How many can still be sold there, and how many are set aside for open orders.
  available integer not null,
  reserved integer not null default 0 check (reserved >= 0),
  reported_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, account_id, sku, location),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  foreign key (seller_id, listing_id) references listings (seller_id, id)
);
create index inventory_by_available on inventory (seller_id, available, id);
create index inventory_by_time on inventory (seller_id, reported_at desc, id desc);
create index inventory_by_sku on inventory (seller_id, sku text_pattern_ops);
create index inventory_by_listing on inventory (seller_id, listing_id);

do $$
declare
  relation regclass;
begin
  foreach relation in array array['listings', 'inventory']::regclass[] loop
    call protect_tenant_table(relation);
    call require_right_to_read(relation, 'read', 'ingest');
    call require_right_to_write(relation, 'ingest', 'insert', 'update');
  end loop;
end $$;
grant select,
  insert (seller_id, account_id, external_listing_id, external_product_id, sku, title, size, status, marketplace_status, hsn,
    currency, mrp, selling_price),
  update (external_product_id, sku, title, size, status, marketplace_status, hsn, currency, mrp, selling_price, updated_at)
  on listings to robnu_tenant;
grant select,
  insert (seller_id, account_id, listing_id, sku, location, available, reserved, reported_at),
  update (listing_id, available, reserved, reported_at, updated_at)
  on inventory to robnu_tenant;
