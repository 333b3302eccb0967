-- Payouts: what a marketplace pays, and the lines that make it up.
set local role robnu_owner;
set local search_path = robnu;

create table payouts (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  account_id uuid not null,
  -- The marketplace's settlement, transfer or statement.
  external_payout_id text not null,
  status text not null check (status in ('PENDING', 'RECONCILED', 'DISPUTED')),
  marketplace_status text not null,
  period_start timestamptz,
  period_end timestamptz,
  -- When the payout was paid or, until then, when the marketplace closed it.
  settled_at timestamptz not null,
  paid_at timestamptz,
  bank_reference text,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  gross_amount numeric(14, 4),
  net_amount numeric(14, 4) not null,
  -- Minor units (paise), for filters and sorting: comparing numerics is not leakproof, so no index would serve a filter.
  net_minor bigint not null generated always as (round(net_amount * 100)::bigint) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, account_id, external_payout_id),
  foreign key (seller_id, account_id) references marketplace_accounts (seller_id, id),
  check (period_start <= period_end)
);
create index payouts_by_time on payouts (seller_id, settled_at desc, id desc);
create index payouts_by_account on payouts (seller_id, account_id, settled_at desc, id desc);
create index payouts_by_amount on payouts (seller_id, net_minor desc, id desc);

create table payout_lines (
  seller_id uuid not null,
  id uuid not null default uuidv7(),
  payout_id uuid not null,
  -- The marketplace's id of the line or, without one, an id made from the line's place in the source, so that equal lines stay apart.
  external_line_id text not null,
  line_type text not null check (line_type in ('SALE', 'REFUND', 'FEE', 'TAX', 'ADJUSTMENT', 'CLAIM', 'TRANSFER', 'OTHER')),
  marketplace_type text not null,
  description text,
  order_id uuid,
  external_order_id text,
  external_item_id text,
  sku text,
  quantity integer,
  posted_at timestamptz,
  gross_amount numeric(14, 4),
  -- Fees and withheld taxes are negative when they are taken from the seller.
  fee_amount numeric(14, 4),
  fee_tax_amount numeric(14, 4),
  tcs_amount numeric(14, 4),
  tds_amount numeric(14, 4),
  net_amount numeric(14, 4) not null,
  net_minor bigint not null generated always as (round(net_amount * 100)::bigint) stored,
  updated_at timestamptz not null default now(),
  primary key (seller_id, id),
  unique (seller_id, payout_id, external_line_id),
  foreign key (seller_id, payout_id) references payouts (seller_id, id) on delete cascade,
  foreign key (seller_id, order_id) references orders (seller_id, id)
);
create index payout_lines_by_payout on payout_lines (seller_id, payout_id, id);
create index payout_lines_by_order on payout_lines (seller_id, order_id);
create index payout_lines_by_external_order on payout_lines (seller_id, external_order_id text_pattern_ops);

do $$
declare
  relation regclass;
begin
  foreach relation in array array['payouts', 'payout_lines']::regclass[] loop
    call protect_tenant_table(relation);
    call require_right_to_read(relation, 'payouts.read', 'ingest');
    call require_right_to_write(relation, 'ingest', 'insert', 'update');
  end loop;
end $$;
grant select,
  insert (seller_id, account_id, external_payout_id, status, marketplace_status, period_start, period_end, settled_at, paid_at,
    bank_reference, currency, gross_amount, net_amount),
  update (status, marketplace_status, period_start, period_end, settled_at, paid_at, bank_reference, currency, gross_amount,
    net_amount, updated_at)
  on payouts to robnu_tenant;
grant select,
  insert (seller_id, payout_id, external_line_id, line_type, marketplace_type, description, order_id, external_order_id,
    external_item_id, sku, quantity, posted_at, gross_amount, fee_amount, fee_tax_amount, tcs_amount, tds_amount, net_amount),
  update (line_type, marketplace_type, description, order_id, external_order_id, external_item_id, sku, quantity, posted_at,
    gross_amount, fee_amount, fee_tax_amount, tcs_amount, tds_amount, net_amount, updated_at)
  on payout_lines to robnu_tenant;
