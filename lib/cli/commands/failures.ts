import { EXIT } from '../exit-codes.js';
import { dim } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueue } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import { wholeNumber } from '../selection-flags.js';
import { ago } from '../words.js';

/** `nestjs-rq failures`: why jobs fail, by cause. */
export function addFailuresCommand(add: AddCommand, run: Runner): void {
  add('failures', 'failed jobs by their cause, the most frequent first')
    .argument('[queue]', 'default: all queues')
    .option('--name <job>', 'only jobs of this name')
    .option('--budget <number>', 'how many failed jobs are looked at at most; default 10000')
    .action((queue: string | undefined, flags: FailuresFlags) =>
      run(flags, (session) => failures(session, queue, flags)),
    );
}

interface FailuresFlags extends CommonFlags {
  readonly name?: string;
  readonly budget?: string;
}

async function failures(
  session: Session,
  queue: string | undefined,
  flags: FailuresFlags,
): Promise<number> {
  const { inspector, output, io, json } = session;
  if (queue !== undefined) await assertKnownQueue(inspector, queue);
  const found = await inspector.failures({
    signal: io.signal,
    ...(queue === undefined ? {} : { queue }),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.budget === undefined ? {} : { budget: wholeNumber(flags.budget, '--budget') }),
  });
  const { groups, looked, total, isComplete } = found;
  if (json) for (const group of groups) output.json(group);
  else if (groups.length === 0) output.note(dim('No job has failed.'));
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

const COLUMNS = [
  { title: 'CAUSE' },
  { title: 'JOBS', right: true },
  { title: 'QUEUE', most: 30 },
  { title: 'JOB', most: 40 },
  { title: 'FIRST', right: true },
  { title: 'LAST', right: true },
  { title: 'ERROR', most: 100 },
];
