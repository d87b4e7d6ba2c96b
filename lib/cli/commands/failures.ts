import { EXIT } from '../exit-codes.js';
import { dim } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import { wholeNumber } from '../selection-flags.js';
import { ago, jobs } from '../words.js';

/** `nestjs-rq failures`: why jobs fail, by cause. */
export function addFailuresCommand(add: AddCommand, run: Runner): void {
  add('failures', 'failed jobs by their cause, the most frequent first')
    .argument('[queue]', 'default: all queues')
    .option('--name <job>', 'only jobs of this name')
    .option('--retrying', 'why jobs wait for a retry, instead of why they failed for good')
    .option('--budget <number>', 'how many failed jobs are looked at at most; default 10000')
    .action((queue: string | undefined, flags: FailuresFlags) =>
      run(flags, (session) => failures(session, queue, flags)),
    );
}

interface FailuresFlags extends CommonFlags {
  readonly name?: string;
  readonly retrying?: boolean;
  readonly budget?: string;
}

async function failures(
  session: Session,
  queue: string | undefined,
  flags: FailuresFlags,
): Promise<number> {
  const { inspector, output, io, json } = session;
  if (queue !== undefined) await assertKnownQueues(session, [queue]);
  const found = await inspector.failures({
    signal: io.signal,
    retrying: flags.retrying === true,
    ...(queue === undefined ? {} : { queue }),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.budget === undefined ? {} : { budget: wholeNumber(flags.budget, '--budget') }),
  });
  const { groups, looked, total, isComplete } = found;
  if (json) for (const group of groups) output.json(group);
  else if (groups.length === 0) output.note(dim(await nothing(session, queue, flags)));
  else {
    const now = new Date();
    output.table(
      COLUMNS,
      groups.map(({ cause, count, name, error, message, queue: where, first, last }) => [
        cause,
        count,
        where,
        name ?? '(pickle)',
        ago(first, now),
        ago(last, now),
        `${error}: ${message}`,
      ]),
    );
  }
  if (!isComplete)
    output.note(dim(`Searched the newest ${looked} of ${total}: --budget searches more.`));
  return EXIT.done;
}

/** Jobs that fail again and again have not failed for good. */
async function nothing(
  { inspector }: Session,
  queue: string | undefined,
  { retrying: asked }: FailuresFlags,
): Promise<string> {
  if (asked) return 'No job waits for a retry.';
  const { queues } = await inspector.overview(queue === undefined ? {} : { queues: [queue] });
  const retrying = queues.reduce((sum, state) => sum + state.retrying, 0);
  if (retrying === 0) return 'No job has failed.';
  return `No job has failed for good; ${jobs(retrying)} wait for a retry: --retrying shows why.`;
}

const COLUMNS = [
  { title: 'CAUSE' },
  { title: 'JOBS', right: true },
  { title: 'QUEUE', most: 30 },
  { title: 'JOB', most: 40 },
  { title: 'FIRST', right: true },
  { title: 'LAST', right: true },
  { title: 'ERROR', most: 100 },
];
