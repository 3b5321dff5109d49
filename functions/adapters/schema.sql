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

create table if not exists days (day text primary key, model_calls integer not null);

create table if not exists labels (
    name text primary key,
    generation integer not null,
    metageneration integer not null,
    metadata text not null
);
