-- +goose Up
-- What a user has asked to have as their address. It counts when it is confirmed, and
-- reserves nothing before: two may wait for the same one.
create table email_changes (
    user_id   bigint primary key,
    email     text not null,   -- '' where none waits
    email_key text not null,   -- in lower case
    asked_at  bigint not null, -- the last time
    began_at  bigint not null, -- when the count of changes began
    asked     bigint not null  -- how many since then
);
create index email_changes_asked on email_changes (asked_at);

-- +goose Down
select 'a database is never taken back; restore a backup' as refused;
