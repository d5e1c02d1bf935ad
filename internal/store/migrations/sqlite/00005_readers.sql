-- +goose Up
-- Who reads: a mark for each thing that a reader does on a day, so that it counts
-- once. Readers are hashes keyed with a salt of the day; both go when the day is over.
create table reader_salts (
    day  bigint primary key, -- days since 1970-01-01 UTC
    salt blob not null
);
create table reader_marks (
    day       bigint not null,
    stepsy_id bigint not null,
    reader    bigint not null,
    mark      bigint not null, -- 0: a view, -1: a completion, above: the id of a step that was reached
    primary key (day, stepsy_id, reader, mark)
) without rowid;

create table stepsy_days (
    stepsy_id   bigint not null,
    day         bigint not null,
    views       bigint not null,
    completions bigint not null,
    primary key (stepsy_id, day)
) without rowid;
create table step_reaches (
    stepsy_id bigint not null,
    step_id   bigint not null,
    readers   bigint not null, -- how many reached the step while following
    primary key (stepsy_id, step_id)
) without rowid;

create table ratings (
    id         integer primary key autoincrement,
    stepsy_id  bigint not null,
    reader     blob not null, -- a hash of what the reader's browser keeps, or of who is signed in
    stars      bigint not null check (stars between 1 and 5),
    comment    text not null, -- to the author alone
    created_at bigint not null,
    updated_at bigint not null
);
create unique index ratings_reader on ratings (stepsy_id, reader);
create index ratings_updated on ratings (stepsy_id, updated_at);

-- What lists of everyone's stepsies are ordered by.
alter table stepsy_counts add column rated double precision; -- a mean that few ratings move little; null without one
alter table stepsy_counts add column lately double precision; -- completions that fade with time, see Store.RecordReading; null without one
create index stepsy_counts_rated on stepsy_counts (rated, stepsy_id) where rated is not null;
create index stepsy_counts_lately on stepsy_counts (lately, stepsy_id) where lately is not null;
update stepsy_counts set rated = (stars + 17.5) / (ratings + 5) where ratings > 0;
create index stepsies_public on stepsies (published_key) where status = 'published' and deleted_at is null;
create index stepsies_public_category on stepsies (category, published_key) where status = 'published' and deleted_at is null;
-- An author's page: what is featured first.
create index stepsies_author on stepsies (user_id, (case when featured_at is null then 0 else 1 end), published_key)
    where status = 'published' and deleted_at is null;
-- The words that stepsies are found by, in order. It stores nothing of its own.
create virtual table stepsy_search_terms using fts5vocab(stepsy_search, 'instance');

-- One address at which a draft can be read by whoever knows it.
create table preview_links (
    stepsy_id  bigint primary key,
    token_hash blob not null,
    created_at bigint not null
);
create unique index preview_links_token on preview_links (token_hash);

-- +goose Down
select 'a database is never taken back; restore a backup' as refused;
