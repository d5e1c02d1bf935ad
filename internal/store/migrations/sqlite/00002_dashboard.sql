-- +goose Up
create table sessions (
    id           integer primary key autoincrement,
    user_id      bigint not null references users (id),
    token_hash   blob not null,
    ip           text not null,
    user_agent   text not null,
    created_at   bigint not null,
    last_seen_at bigint not null,
    expires_at   bigint not null
);
create unique index sessions_token on sessions (token_hash);
create index sessions_user on sessions (user_id, id);
create index sessions_expires on sessions (expires_at);

-- Links that work once: to become the first admin, to accept an invitation, to
-- set a forgotten password, to prove an e-mail address.
create table one_time_links (
    id         integer primary key autoincrement,
    kind       text not null check (kind in ('first_admin', 'invitation', 'password', 'email')),
    token_hash blob not null,
    user_id    bigint not null, -- 0 where nobody is meant yet
    email      text not null,
    role       text not null,
    created_at bigint not null,
    expires_at bigint not null
);
create unique index one_time_links_token on one_time_links (token_hash);
create index one_time_links_expires on one_time_links (expires_at);

-- +goose Down
select 'a database is never taken back; restore a backup' as refused;
