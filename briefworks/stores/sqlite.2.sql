-- Schema version 2: the account of an article, an entry for each request to the model.

create table account (
  project_id text not null,
  article_id text not null,
  entry_id   text not null,                          -- a ULID: they are read in this order
  entry      text not null,                          -- JSON
  primary key (project_id, article_id, entry_id)
) without rowid;
