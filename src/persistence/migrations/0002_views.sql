-- For people with psql. Only here do the tables speak of issues, agents, runs and comments; nothing in the code reads
-- these views. Times are epoch milliseconds in the tables and timestamps here.

create function at_ms(ms bigint) returns timestamptz language sql immutable strict parallel safe
  as $$ select to_timestamp(ms / 1000.0) $$;

create view issues as
select a.id,
  a.head ->> 'identifier' as identifier,
  a.head ->> 'title' as title,
  a.state, a.substate,
  (array['critical', 'high', 'medium', 'low'])[a.priority + 1] as priority,
  a.assignee as assignee_agent_id,
  (a.snapshot #>> '{context,attempt}')::int as attempt,
  (a.snapshot #>> '{context,fence}')::bigint as fence,
  at_ms(a.due_at) as due_at,
  a.version,
  at_ms(a.updated_at) as updated_at,
  a.company_id, a.partition, a.ordinal, a.snapshot, a.head
from actors a where a.kind = 'issue';

create view agents as
select a.id,
  a.head ->> 'identifier' as identifier,
  a.snapshot #>> '{context,name}' as name,
  a.snapshot #>> '{context,adapterType}' as adapter_type,
  a.state as status,
  (a.snapshot #>> '{context,maxConcurrentRuns}')::int as max_concurrent_runs,
  a.version,
  at_ms(a.updated_at) as updated_at,
  a.company_id, a.partition, a.ordinal, a.snapshot, a.head
from actors a where a.kind = 'agent';

-- Ended runs; the one that is under way is in its issue's snapshot.
create view runs as
select r.id, r.actor_id as issue_id,
  r.record ->> 'agentId' as agent_id,
  r.record ->> 'status' as status,
  (r.record ->> 'attempt')::int as attempt,
  r.record ->> 'retryOfRunId' as retry_of_run_id,
  r.record ->> 'errorCode' as error_code,
  r.record ->> 'error' as error,
  at_ms((r.record ->> 'startedAt')::bigint) as started_at,
  at_ms((r.record ->> 'finishedAt')::bigint) as finished_at,
  r.company_id, r.partition, r.record
from records r where r.kind = 'run';

create view comments as
select r.id, r.actor_id as issue_id,
  r.record ->> 'body' as body,
  r.record #>> '{by,kind}' as by_kind,
  r.record #>> '{by,id}' as by_id,
  at_ms(r.at) as at,
  r.company_id, r.partition, r.record
from records r where r.kind = 'comment';
