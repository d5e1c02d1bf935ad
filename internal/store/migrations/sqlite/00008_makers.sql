-- +goose Up
-- Who made a link, 0 for the operator and for what users ask for themselves: a link
-- works while its maker may make such a one.
alter table one_time_links add column maker_id bigint not null default 0;
alter table one_time_links add column email_key text not null default ''; -- the address in lower case
update one_time_links set email_key = lower(email);
-- The record of activity was written in the moment of the link.
update one_time_links set maker_id = coalesce((select max(a.actor_user_id) from activity a
        where a.target = 'user' and a.target_id = 0 and a.action = 'user.invite' and a.at = one_time_links.created_at and a.target_name = one_time_links.email), 0)
    where kind = 'invitation';
update one_time_links set maker_id = coalesce((select max(a.actor_user_id) from activity a
        where a.target = 'user' and a.target_id = one_time_links.user_id and a.action = 'user.password_link' and a.at = one_time_links.created_at), 0)
    where kind = 'password';
create index one_time_links_maker on one_time_links (maker_id) where maker_id <> 0;
-- One invitation for each address.
delete from one_time_links where kind = 'invitation' and email_key <> '' and id not in (
    select max(id) from one_time_links where kind = 'invitation' and email_key <> '' group by email_key);
create unique index one_time_links_invited on one_time_links (email_key) where kind = 'invitation' and email_key <> '';

-- Names of deleted users, which nobody gets for a while.
create table former_usernames (
    username   text primary key,
    kept_until bigint not null
);
create index former_usernames_kept_until on former_usernames (kept_until);

-- +goose Down
select 'a database is never taken back; restore a backup' as refused;
