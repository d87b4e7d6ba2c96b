import type { JobSummary } from '../../observe/index.js';
import { EXIT } from '../exit-codes.js';
import { type Piece, dim } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import {
  type SelectionFlags,
  selectionOf,
  wholeNumber,
  withSelectionFlags,
} from '../selection-flags.js';
import { ago } from '../words.js';

/** `nestjs-rq jobs`: lists jobs, and looks for some. */
export function addJobsCommand(add: AddCommand, run: Runner): void {
  const command = add('jobs', 'lists jobs of a queue, or of all')
    .argument('[queue]', 'default: all queues')
    .option('--in <place>', `where they stand: ${PLACES.join(', ')}; default queued`)
    .option('--status <place>', 'the same as --in')
    .option('--budget <number>', 'how many entries are looked at at most; default 10000');
  withSelectionFlags(command).action((queue: string | undefined, flags: JobsFlags) =>
    run(flags, (session) => jobs(session, queue, flags)),
  );
}

interface JobsFlags extends CommonFlags, SelectionFlags {
  readonly status?: string;
  readonly budget?: string;
}

async function jobs(
  session: Session,
  queue: string | undefined,
  flags: JobsFlags,
): Promise<number> {
  const { rq, inspector, output, io, json } = session;
  if (queue !== undefined) await assertKnownQueues(session, [queue]);
  const selection = selectionOf(rq, flags, flags.in ?? flags.status ?? 'queued');
  const { limit = json ? Infinity : SCREENFUL } = selection;
  const search = {
    ...selection,
    ...(queue === undefined ? {} : { queue }),
    ...(limit === Infinity ? {} : { limit: limit + (selection.limit === undefined ? 1 : 0) }),
  };
  const budget = flags.budget === undefined ? undefined : wholeNumber(flags.budget, '--budget');
  const found = inspector.search(search, {
    signal: io.signal,
    ...(budget === undefined ? {} : { budget }),
  });
  const rows: JobSummary[] = [];
  let isCut = false;
  for await (const job of found) {
    if (json) output.json(job);
    else if (rows.length >= limit) isCut = true;
    else rows.push(job);
  }
  if (!json && rows.length > 0) {
    const now = new Date();
    output.table(
      COLUMNS,
      rows.map((job) => rowOf(job, now)),
    );
  }
  if (isCut) output.note(dim(`The first ${limit} are shown: --limit shows more, --json all.`));
  else if (!found.isComplete && found.looked < found.total && selection.limit === undefined) {
    const how = `Searched ${found.looked} of ${found.total} entries: --budget searches more.`;
    output.note(dim(how));
  } else if (!json && rows.length === 0) output.note(dim('There are none.'));
  return EXIT.done;
}

function rowOf(job: JobSummary, now: Date): Piece[] {
  const { id, queue, name = '(pickle)', status, attempts, failure, reason, description } = job;
  const when = job.dueAt ?? job.endedAt ?? job.startedAt ?? job.enqueuedAt;
  return [
    id,
    queue,
    name,
    status,
    attempts,
    ago(when, now),
    failure ?? reason ?? description ?? '',
  ];
}

const PLACES = ['queued', 'started', 'scheduled', 'deferred', 'finished', 'failed', 'canceled'];
const SCREENFUL = 50;
const COLUMNS = [
  { title: 'ID', most: 50 },
  { title: 'QUEUE', most: 30 },
  { title: 'JOB', most: 40 },
  { title: 'STATUS' },
  { title: 'RUNS', right: true },
  { title: 'WHEN', right: true },
  { title: 'FAILURE', most: 80 },
];
