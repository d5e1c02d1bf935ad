-- +goose Up
create table program_compat (
    only_row       integer primary key check (only_row = 1),
    oldest_version bigint not null -- the oldest schema version a program may know and still use this database
);
insert into program_compat (only_row, oldest_version) values (1, 1);

create table accounts (
    id           integer primary key autoincrement,
    plan         text not null check (plan in ('free', 'pro', 'team', 'enterprise')),
    limit_minute bigint not null default 0, -- 0: none; the three count on the enterprise plan alone
    limit_hour   bigint not null default 0,
    limit_month  bigint not null default 0,
    created_at   bigint not null
);

create table users (
    id                integer primary key autoincrement,
    account_id        bigint not null references accounts (id),
    username          text not null,
    email             text not null,
    email_key         text not null, -- in lower case
    email_verified_at bigint,
    display_name      text not null,
    name_key          text not null, -- display name folded for search
    bio               text not null,
    role              text not null check (role in ('member', 'admin')),
    time_zone         text not null,
    password_hash     text,
    suspended_at      bigint,
    created_at        bigint not null,
    updated_at        bigint not null
);
create unique index users_username on users (username);
create unique index users_email_key on users (email_key);
create index users_account on users (account_id);
create index users_admins on users (id) where role = 'admin';

create table api_keys (
    id             integer primary key autoincrement,
    user_id        bigint not null references users (id),
    name           text not null,
    description    text not null,
    scopes         text not null,
    hint           text not null,
    hash           blob not null,
    created_at     bigint not null,
    expires_at     bigint,
    revoked_at     bigint,
    revoked_reason text not null check (revoked_reason in ('', 'revoked', 'leaked')),
    leak_source    text not null,
    rotated_from   bigint not null default 0
);
create unique index api_keys_hash on api_keys (hash);
create index api_keys_user on api_keys (user_id, id);

-- Written every few seconds for many keys at once, so not part of the key's row.
create table key_usage (
    key_id          bigint primary key,
    last_used_at    bigint,
    last_used_ip    text not null,
    refused_count   bigint not null,
    last_refused_at bigint
);
create table key_usage_days (
    key_id   bigint not null,
    day      bigint not null, -- days since 1970-01-01 UTC
    requests bigint not null,
    refusals bigint not null,
    primary key (key_id, day)
);
create table account_usage_days (
    account_id bigint not null,
    day        bigint not null,
    requests   bigint not null,
    primary key (account_id, day)
);

create table stepsies (
    id            integer primary key autoincrement,
    user_id       bigint not null references users (id),
    slug          text not null,
    title         text not null,
    title_key     text not null, -- folded, for sorting
    description   text not null,
    category      text not null,
    status        text not null check (status in ('draft', 'published')),
    published_at  bigint,
    published_key bigint not null, -- for sorting: the same, or, of a draft, far below zero
    featured_at   bigint,
    steps_count   bigint not null,
    next_step_id  bigint not null,
    version       bigint not null,
    created_at    bigint not null,
    updated_at    bigint not null,
    deleted_at    bigint,
    steps         text not null -- one JSON value, last in the row so that lists never read it
);
create unique index stepsies_slug on stepsies (user_id, slug) where deleted_at is null;
-- Every index ends in the rowid, which is the id.
create index stepsies_created on stepsies (user_id, created_at) where deleted_at is null;
create index stepsies_updated on stepsies (user_id, updated_at) where deleted_at is null;
create index stepsies_published on stepsies (user_id, published_key) where deleted_at is null;
create index stepsies_title on stepsies (user_id, title_key) where deleted_at is null;
create index stepsies_deleted on stepsies (deleted_at) where deleted_at is not null;

create table stepsy_counts (
    stepsy_id   bigint primary key,
    views       bigint not null,
    completions bigint not null,
    ratings     bigint not null,
    stars       bigint not null
);
create table slug_history (
    user_id    bigint not null,
    slug       text not null,
    stepsy_id  bigint not null,
    created_at bigint not null,
    primary key (user_id, slug)
);
create index slug_history_stepsy on slug_history (stepsy_id);
-- Words come cut and folded; the ascii tokeniser takes them exactly as they are.
create virtual table stepsy_search using fts5 (words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');

create table idempotency_records (
    user_id    bigint not null, -- 0: the operator
    route      text not null,
    client_key text not null,
    body_hash  blob not null,
    result     text not null, -- '' while the first request runs
    created_at bigint not null,
    primary key (user_id, client_key, route)
);
create index idempotency_created on idempotency_records (created_at);

create table activity (
    id            integer primary key autoincrement,
    at            bigint not null,
    actor_kind    text not null check (actor_kind in ('key', 'session', 'operator', 'anonymous')),
    actor_user_id bigint not null,
    actor_name    text not null,
    key_id        bigint not null,
    key_name      text not null,
    ip            text not null,
    action        text not null,
    owner_id      bigint not null,
    target        text not null,
    target_id     bigint not null,
    target_name   text not null,
    detail        text not null
);
create index activity_owner on activity (owner_id, id);
create index activity_target on activity (target, target_id, id);

-- +goose Down
select 'a database is never taken back; restore a backup' as refused;
