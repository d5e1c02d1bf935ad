-- +goose Up
create index activity_actor on activity (actor_user_id, id);

-- +goose Down
select 'a database is never taken back; restore a backup' as refused;
