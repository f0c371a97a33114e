-- One file holds everything of an embedded Factwatch: state, cursor, alerts, labels, dead letters.
-- Every micro-batch is one transaction over all of them.
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE cursors (source TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (
  source TEXT NOT NULL, outcome TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (source, outcome)
) WITHOUT ROWID;
-- Ids of recent events, a line each, one row a batch: bounded by `RecentIds`.
CREATE TABLE recent_ids (batch INTEGER PRIMARY KEY, n INTEGER NOT NULL, ids TEXT NOT NULL);

-- Keys are 63-bit digests of the name that the state carries; a row is rewritten whole.
CREATE TABLE pages (id INTEGER PRIMARY KEY, last_time REAL NOT NULL, state BLOB NOT NULL);
CREATE TABLE page_words (id INTEGER PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE performers (id INTEGER PRIMARY KEY, last_time REAL NOT NULL, state BLOB NOT NULL);
-- States of pages and performers that are not yet in their tables, one row a batch, newest last.
CREATE TABLE state_journal (batch INTEGER PRIMARY KEY, states BLOB NOT NULL);
CREATE TABLE episodes (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, deadline REAL, state BLOB NOT NULL
);

-- Every edit scored, in the order it was; `label` is NULL until the wiki's community has said.
CREATE TABLE edits (
  row INTEGER PRIMARY KEY, page INTEGER NOT NULL, rev_id INTEGER NOT NULL, event_time REAL NOT NULL,
  risk REAL NOT NULL, model_risk REAL, flags INTEGER NOT NULL, label TEXT, labelled_time REAL,
  reverted_by INTEGER, evidence TEXT, challenger_risk REAL
);

-- How often a wiki's own edits were reverted, by day and the model's log-odds. `risk` above is shifted by it;
-- `model_risk` is what the model alone gave, NULL where that is the same.
CREATE TABLE own_edits (
  wiki TEXT NOT NULL, day INTEGER NOT NULL, model TEXT NOT NULL, cells BLOB NOT NULL,
  PRIMARY KEY (wiki, day)
) WITHOUT ROWID;

-- What the model knew of a sample of these edits when it scored them: what a later model learns from, once
-- the edit has its label. `features`: float32 by `FEATURE_NAMES`, missing ones at the end left out; `weight`:
-- how many edits it stands for; `label`: of an edit that has left the log, which has it until then.
CREATE TABLE training_rows (
  row INTEGER PRIMARY KEY, wiki TEXT NOT NULL, page INTEGER NOT NULL, event_time REAL NOT NULL,
  risk REAL NOT NULL, flags INTEGER NOT NULL, weight REAL NOT NULL, model TEXT NOT NULL,
  feature_set TEXT NOT NULL, features BLOB NOT NULL, label TEXT
);
-- What people said of edits that alerted; of several the newest counts, and it comes before any label.
CREATE TABLE verdicts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, verdict_id TEXT NOT NULL, row INTEGER NOT NULL,
  verdict TEXT NOT NULL, alert_id TEXT NOT NULL, given_by TEXT NOT NULL, given_time REAL NOT NULL,
  note TEXT NOT NULL, UNIQUE (verdict_id, row)
);
CREATE INDEX verdicts_of_row ON verdicts (row, seq);

CREATE TABLE alerts (
  seq INTEGER PRIMARY KEY, alert_id TEXT NOT NULL, ce_id TEXT NOT NULL UNIQUE, body BLOB NOT NULL
);
CREATE INDEX alerts_of_id ON alerts (alert_id, seq);
-- The latest state change of each alert, with what it can be asked by.
CREATE TABLE alerts_now (
  alert_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL,
  wiki TEXT NOT NULL, title TEXT NOT NULL, event_time REAL NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX alerts_now_by_seq ON alerts_now (seq);
CREATE TABLE sink_cursors (sink TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;

-- What posts are held against, by page; and how far each fact spreads, by its hot_id.
CREATE TABLE hot_pages (id INTEGER PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE spreads (hot_id TEXT PRIMARY KEY, deadline REAL, state BLOB NOT NULL) WITHOUT ROWID;
-- Posts that bear on a hot fact. Whatever is stored of a post goes with its row, the alerts that name
-- it included.
CREATE TABLE posts (
  id INTEGER PRIMARY KEY, author INTEGER NOT NULL, event_time REAL NOT NULL, body BLOB NOT NULL
);
CREATE INDEX posts_by_author ON posts (author);
CREATE INDEX posts_by_time ON posts (event_time);
CREATE TABLE alert_posts (
  post INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (post, seq)
) WITHOUT ROWID;
-- Posts that were handed in and not worked on yet.
CREATE TABLE post_inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, raw BLOB NOT NULL);

CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, stage TEXT NOT NULL, reason TEXT NOT NULL,
  message TEXT NOT NULL, position TEXT NOT NULL, time REAL NOT NULL, requeued INTEGER NOT NULL DEFAULT 0,
  raw BLOB NOT NULL
);
CREATE INDEX dead_letters_requeued ON dead_letters (id) WHERE requeued = 1;
