import type { LimitUse } from '../../observe/index.js';
import { EXIT } from '../exit-codes.js';
import { type Piece, dim, yellow } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import { ago, time } from '../words.js';

/** `nestjs-rq limits`: what is used of what. */
export function addLimitsCommand(add: AddCommand, run: Runner): void {
  add('limits', 'what is used of the limits of queues, handlers and keys, and until when')
    .argument('[queues...]', 'only these')
    .action((queues: string[], flags: CommonFlags) =>
      run(flags, (session) => limits(session, queues)),
    );
}

async function limits(session: Session, queues: readonly string[]): Promise<number> {
  const { inspector, output, json } = session;
  await assertKnownQueues(session, queues);
  const uses = await inspector.limits(queues.length > 0 ? { queues } : {});
  if (json) for (const use of uses) output.json(use);
  else if (uses.length === 0) output.note(dim('Nothing limits these queues.'));
  else {
    const now = new Date();
    output.table(
      COLUMNS,
      uses.map((use) => rowOf(use, now)),
    );
  }
  return EXIT.done;
}

function rowOf(use: LimitUse, now: Date): Piece[] {
  const { queue, handler, key, limit, used, max, per, isUsedUp, opensAt, from, until } = use;
  const { waiting, since } = use;
  const rate = per === undefined ? '' : ` in ${time(per * 1000)}`;
  const part = `${used ?? '–'}/${max ?? '–'}${rate}`;
  const each = handler !== undefined && key === undefined && limit?.endsWith('perKey');
  const end = until ? `, ends ${ago(until, now)}` : '';
  return [
    queue,
    handler ?? dim('the queue'),
    each ? dim('each') : key === '' ? dim('no key') : (key ?? ''),
    limit ?? 'put off',
    isUsedUp ? yellow(limit === undefined ? '–' : part) : part,
    opensAt ? ago(opensAt, now) : '–',
    waiting,
    waiting > 0 && since ? time(now.getTime() - since.getTime()) : '–',
    from === 'declared' ? from : yellow(`${from.toUpperCase()}${end}`),
  ];
}

const COLUMNS = [
  { title: 'QUEUE', most: 40 },
  { title: 'HANDLER', most: 40 },
  { title: 'KEY', most: 40 },
  { title: 'LIMIT' },
  { title: 'USED', right: true },
  { title: 'OPENS', right: true },
  { title: 'WAIT', right: true },
  { title: 'OLDEST', right: true },
  { title: 'FROM' },
];
