-- The idempotency key under which lines of a run's log came, beside the last of them: a repeat is known for as long as one of
-- them is kept, and no two requests of a run have the same.
alter table run_logs add column key text collate "C";
create unique index run_logs_key on run_logs (partition, run_id, key) where key is not null;
