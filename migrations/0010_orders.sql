-- Orders, lines and shipments: leaf tables that know accounts and nothing of any marketplace.
set local role robnu_owner;
set local search_path = robnu;

create table orders (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  external_order_id text not null,
  status text not null check (status in ('PENDING', 'CONFIRMED', 'PACKED', 'READY_TO_DISPATCH', 'PARTIALLY_SHIPPED',
    'SHIPPED', 'DELIVERED', 'UNDELIVERED', 'CANCELLED')),
  marketplace_status text not null,
  placed_at timestamptz not null,
  marketplace_updated_at timestamptz,
  dispatch_by timestamptz,
  fulfilled_by text check (fulfilled_by in ('SELLER', 'MARKETPLACE')),
  payment_method text,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  total_amount numeric(14, 4),
  ship_city text,
  ship_postal_code text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, account_id, external_order_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id)
);
create index orders_by_time on orders (seller_id, placed_at desc, id desc);

create table order_items (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  order_id uuid not null,
  external_item_id text not null,
  sku text,
  title text,
  size text,
  quantity integer not null check (quantity >= 0),
  quantity_cancelled integer not null default 0 check (quantity_cancelled >= 0),
  line_amount numeric(14, 4) not null,
  -- CUSTOMER: what the customer pays. PURCHASE: what the marketplace pays the seller, where it states no other.
  amount_basis text not null check (amount_basis in ('CUSTOMER', 'PURCHASE')),
  tax_amount numeric(14, 4),
  hsn text,
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, order_id, external_item_id),
  foreign key (seller_id, order_id) references orders (seller_id, id) on delete cascade
);

create table shipments (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  order_id uuid not null,
  external_shipment_id text not null,
  status text not null,
  marketplace_status text,
  carrier text,
  tracking_number text,
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, order_id, external_shipment_id),
  foreign key (seller_id, order_id) references orders (seller_id, id) on delete cascade
);
create index shipments_by_tracking_number on shipments (seller_id, tracking_number text_pattern_ops);

do $$
declare
  relation regclass;
begin
  foreach relation in array array['orders', 'order_items', 'shipments']::regclass[] loop
    call protect_tenant_table(relation);
    call require_right_to_read(relation, 'read', 'ingest');
    -- Only a job writes what a marketplace said.
    call require_right_to_write(relation, 'ingest', 'insert', 'update');
  end loop;
end $$;
call require_right_to_write('order_items', 'ingest', 'delete');

grant select,
  insert (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, marketplace_updated_at, dispatch_by,
    fulfilled_by, payment_method, currency, total_amount, ship_city, ship_postal_code),
  update (status, marketplace_status, placed_at, marketplace_updated_at, dispatch_by, fulfilled_by, payment_method, currency,
    total_amount, ship_city, ship_postal_code, updated_at)
  on orders to robnu_tenant;
grant select, delete,
  insert (seller_id, order_id, external_item_id, sku, title, size, quantity, quantity_cancelled, line_amount, amount_basis, tax_amount, hsn),
  update (sku, title, size, quantity, quantity_cancelled, line_amount, amount_basis, tax_amount, hsn, updated_at)
  on order_items to robnu_tenant;
grant select,
  insert (seller_id, order_id, external_shipment_id, status, marketplace_status, carrier, tracking_number),
  update (status, marketplace_status, carrier, tracking_number, updated_at)
  on shipments to robnu_tenant;
