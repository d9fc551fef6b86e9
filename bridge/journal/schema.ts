import type { DatabaseSync } from 'node:sqlite';

/** A newer bridge wrote it, in a form that this one does not know. */
export class NewerJournalError extends Error {
  override readonly name = 'NewerJournalError';
}

/** Each step leads from the version of its index to the next. */
const steps = [
  `CREATE TABLE chats (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT,
    fingerprint TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    profile TEXT,
    instance TEXT,
    request TEXT,
    outcome TEXT,
    outcome_chars INTEGER
  ) STRICT;
  CREATE INDEX chats_by_key ON chats (scope, key) WHERE key IS NOT NULL;
  CREATE INDEX chats_by_finish ON chats (finished_at, outcome_chars);
  CREATE INDEX chats_by_creation ON chats (created_at);`,
  `ALTER TABLE chats RENAME COLUMN outcome_chars TO bytes;
  DROP INDEX chats_by_creation;`,
];

/** Brings an older journal up to date, in one piece. */
export function migrate(database: DatabaseSync): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > steps.length) {
    throw new NewerJournalError(
      'A newer version of the bridge wrote the journal. Update the bridge, or choose another folder with --state-dir.',
    );
  }
  if (version === steps.length) return;
  database.exec(`BEGIN; ${steps.slice(version).join('\n')} PRAGMA user_version = ${steps.length}; COMMIT;`);
}
