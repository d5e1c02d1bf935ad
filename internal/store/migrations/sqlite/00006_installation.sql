-- +goose Up
-- What an installation is called in its backups, so that a restore knows whether the
-- present database can tell what has ended since. Random, and made once.
create table installation (
    only_row integer primary key check (only_row = 1),
    id       text not null
);
insert into installation (only_row, id) values (1, lower(hex(randomblob(16))));

-- +goose Down
select 'a database is never taken back; restore a backup' as refused;
