-- The runtime's tables (ARCHITECTURE.md, "Where the data goes"). Nothing here knows a domain word; the views of 0002 do.
-- Every key begins with the partition, so that the tables can be distributed by it.

create table nodes (
  id       text collate "C" primary key,
  seen_at  timestamptz not null,
  locked   boolean not null -- its process holds an advisory lock: the lock free means the process is gone
) with (fillfactor = 50);

-- Ownership is the epoch and nothing else. All 4,096 rows are here for ever; each commit locks those it touches.
create table partitions (
  partition  smallint primary key check (partition between 0 and 4095),
  epoch      bigint not null default 0,
  owner      text collate "C"
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

insert into partitions (partition) select generate_series(0, 4095);

create table companies (
  partition   smallint not null,
  created_at  bigint not null,
  id          text collate "C" not null,
  name        text not null,
  prefix      text collate "C" not null unique, -- across partitions: the one key that is not by partition
  primary key (partition, id)
);
create index companies_created on companies (created_at, id);

create table api_keys (
  partition   smallint not null,
  created_at  bigint not null,
  revoked_at  bigint,
  id          text collate "C" not null,
  company_id  text collate "C" not null,
  role        text collate "C" not null,
  agent_id    text collate "C",
  name        text,
  hash        text collate "C" not null,
  created_by  text not null,
  revoked_by  text,
  primary key (partition, id)
);
create index api_keys_company on api_keys (partition, company_id, created_at, id);

create table run_logs (
  partition  smallint not null,
  "offset"   int not null,
  at         bigint not null,
  run_id     text collate "C" not null,
  stream     text not null,
  text       text not null,
  primary key (partition, run_id, "offset")
);

-- One row an actor, rewritten by each turn that changes it. Room is left on each page, so that a rewrite that touches
-- no indexed column stays on its page and in no index (HOT); dead versions go early (decision 0004 has the figures).
create table actors (
  rank             bigint,
  due_at           bigint,
  updated_at       bigint not null,
  ordinal          int not null,
  version          int not null,
  machine_version  int not null,
  partition        smallint not null,
  priority         smallint not null,
  holds            boolean not null,
  id               text collate "C" not null,
  company_id       text collate "C" not null,
  kind             text collate "C" not null,
  state            text collate "C" not null,
  substate         text collate "C",
  assignee         text collate "C",
  pool             text collate "C",
  snapshot         json not null,
  head             json,
  primary key (partition, id)
) with (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0
);
-- Lists and numbering: a company's actors of a kind, in order.
create unique index actors_ordinal on actors (partition, company_id, kind, ordinal);
-- Recovery: what wants or holds a slot.
create index actors_live on actors (partition, id) where pool is not null;
-- Timers of all partitions in one order: a node that owns many reads one range, not one each.
create index actors_due on actors (due_at, id) where due_at is not null;

-- "head not null" cannot be a column constraint: a batch carries null for an unchanged head, and column constraints are
-- checked before the conflict is seen. This one looks at rows that were truly inserted.
create function actor_without_head() returns trigger language plpgsql as $$
begin
  raise exception 'actor % is new and has no head', new.id using errcode = 'not_null_violation';
end $$;
create trigger actor_without_head after insert on actors
  for each row when (new.head is null) execute function actor_without_head();

-- Append only; read by company in order of seq, or by actor in order of version.
create table journal (
  seq         bigint not null,
  epoch       bigint not null,
  at          bigint not null,
  version     int not null,
  partition   smallint not null,
  company_id  text collate "C" not null,
  actor_id    text collate "C" not null,
  entry       json not null,
  primary key (partition, company_id, seq),
  constraint journal_version unique (partition, actor_id, version)
) with (autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.2);

-- What is finished, inserted once in the commit that ends it.
create table records (
  at          bigint not null,
  partition   smallint not null,
  company_id  text collate "C" not null,
  actor_id    text collate "C" not null,
  kind        text collate "C" not null,
  id          text collate "C" not null,
  record      json not null,
  primary key (partition, actor_id, kind, id)
) with (autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.2);
