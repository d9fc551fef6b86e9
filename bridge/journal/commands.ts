import type { HistoryTask } from '../command-line/tasks.ts';
import { commandName } from '../command-name.ts';
import { withoutPrefix } from '../id-prefix.ts';
import { SetupError } from '../setup-error.ts';
import { openHistory, type History } from './history.ts';
import type { JournalRow } from './row.ts';
import { outcomeOf } from './results.ts';
import { isSqlite } from './store.ts';
import { readTranscript } from './transcript.ts';

/** How many are listed, and how much of each. */
const listed = 100;
const firstWords = 60;

/**
 * `history …` on the command line. What programs may want to read goes to `print`, what people should know to `tell`.
 * Rejects with `SetupError` and what opening the journal throws.
 */
export async function runHistoryTask(
  task: HistoryTask,
  options: { folder: string; print: (line: string) => void; tell: (line: string) => void },
): Promise<void> {
  const { folder, tell } = options;
  const print = (text: string) => options.print(harmless(text));
  let history: History | null = null;
  try {
    history = await openHistory(folder);
    switch (task.type) {
      case 'list_history': {
        const rows = history?.latest(listed) ?? [];
        for (const row of rows) print(listLine(row));
        if (rows.length === 0) tell('Nothing is kept. What is asked is, while the bridge runs with --history.');
        return;
      }
      case 'show_history': {
        const row = history?.find(withoutPrefix(task.id));
        if (!row)
          throw new SetupError(`No request has this id, or none has any more. “${commandName} history” lists them.`);
        return print(describe(row));
      }
      case 'clear_history':
        history?.clear();
        return tell('Nothing of what was asked and answered is on disk any more.');
    }
  } catch (error) {
    if (!isSqlite(error)) throw error;
    throw new SetupError(
      `The journal in ${folder} cannot be read (${error.message}). Try again; one that is damaged is put aside by the bridge as it starts.`,
      { cause: error },
    );
  } finally {
    history?.close();
  }
}

function listLine(row: JournalRow): string {
  const { model = null, messages = [] } = readTranscript(row.request) ?? {};
  const words = messages.findLast(({ role }) => role === 'user')?.text ?? '';
  const facts = [row.id, timeOf(row), stateOf(row), model ?? 'default'];
  return [...facts.map(oneLine), oneLine(words).slice(0, firstWords)].join('  ');
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');

function describe(row: JournalRow): string {
  const asked = readTranscript(row.request);
  const head = `${row.id}, asked ${timeOf(row)}, model ${oneLine(asked?.model ?? 'default')}`;
  const messages = asked?.messages ?? [{ role: 'asked', text: 'What was asked is not kept.' }];
  return [head, ...messages.map(({ role, text }) => `${role}:\n${text}`), `${stateOf(row)}:\n${answerOf(row)}`].join(
    '\n\n',
  );
}

function stateOf(row: JournalRow): string {
  const outcome = outcomeOf(row);
  if (!outcome) return 'open';
  return outcome.status === 'success' ? 'answered' : outcome.error.code;
}

function answerOf(row: JournalRow): string {
  const outcome = outcomeOf(row);
  if (!outcome) return 'No answer yet.';
  if (outcome.status === 'error') return outcome.error.message;
  const { text, refusal, toolCalls } = outcome.answer;
  const calls = toolCalls.map((call) => `[calls ${call.name} ${call.arguments}]`);
  return [text, refusal ?? '', ...calls].filter(Boolean).join('\n');
}

const timeOf = ({ createdAt }: JournalRow): string =>
  new Date(createdAt).toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'short' });

/** Words of models and of other people's pages give the terminal no orders. */
const harmless = (text: string): string => text.replace(/[^\P{C}\n\t]/gu, '');
