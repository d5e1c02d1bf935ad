-- +goose Up
create index stepsies_trash on stepsies (user_id, deleted_at) where deleted_at is not null;

-- +goose Down
select 'a database is never taken back; restore a backup' as refused;
