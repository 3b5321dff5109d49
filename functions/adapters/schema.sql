-- The embedded store of a folder. `version` is drawn from one counter for all tables, so that
-- of two rows the one with the lower version was written first.
create table if not exists counter (only integer primary key check (only = 1), version integer);
insert or ignore into counter values (1, 0);

create table if not exists captions (
    id text primary key,
    version integer not null,
    bucket text not null,
    name text not null,
    status text not null,
    md5 text not null,
    updated_at text not null,
    document text not null
);
create index if not exists captions_by_md5 on captions (md5);
create index if not exists captions_by_time on captions (updated_at desc, name desc, id desc);

create table if not exists records (
    kind text not null,
    key text not null,
    version integer not null,
    text text not null,
    expires_at text,
    primary key (kind, key)
);
create index if not exists records_by_expiry on records (expires_at) where expires_at is not null;

create index if not exists captions_by_status
    on captions (status, updated_at desc, name desc, id desc);
create index if not exists captions_to_review
    on captions (updated_at desc, name desc, id desc) where document ->> '$.review.needed';
create index if not exists captions_by_priority
    on captions (coalesce(document ->> '$.review.priority', -1) desc, updated_at desc, name desc, id desc)
    where document ->> '$.review.needed';
create index if not exists captions_by_name on captions (bucket, name);

-- The words, tags and reasons of documents, so that no search reads every document.
create table if not exists terms (
    field text not null,
    value text not null,
    id text not null,
    primary key (field, value, id)
) without rowid;
create index if not exists terms_by_id on terms (id);
create view if not exists document_terms as
    select 'tags' as field, value, captions.id as id from captions, json_each(document, '$.tags')
    union all
    select 'search_terms', value, captions.id from captions, json_each(document, '$.search_terms')
    union all
    select 'review.reasons', value, captions.id from captions, json_each(document, '$.review.reasons');
create trigger if not exists terms_of_created after insert on captions begin
    insert or ignore into terms select * from document_terms where id = new.id;
end;
create trigger if not exists terms_of_replaced after update of document on captions begin
    delete from terms where id = new.id;
    insert or ignore into terms select * from document_terms where id = new.id;
end;
create trigger if not exists terms_of_removed after delete on captions begin
    delete from terms where id = old.id;
end;

-- What was written for a place of an image in a page: captions/{image}/places/{key} of Firestore.
create table if not exists places (
    image text not null,
    key text not null,
    version integer not null,
    generation integer not null,
    text text not null,
    primary key (image, key)
) without rowid;

create table if not exists days (day text primary key, model_calls integer not null);

create table if not exists labels (
    name text primary key,
    generation integer not null,
    metageneration integer not null,
    metadata text not null
);
