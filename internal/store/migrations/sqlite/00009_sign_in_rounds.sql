-- +goose Up
-- Wrong passwords are counted by user and round. A new password begins a new round, and
-- so does the operator's unlocking, on every node at once.
alter table users add column sign_in_round bigint not null default 0;

-- +goose Down
select 'a database is never taken back; restore a backup' as refused;
