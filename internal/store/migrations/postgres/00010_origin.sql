-- +goose Up
-- The public URL under which the installation was first started: what its feeds call
-- things by is made of it, whatever the public URL becomes. '' until that start.
alter table installation add column origin text not null default '';

-- +goose Down
select 'a database is never taken back; restore a backup' as refused;
