import type { BulkOperation, ControlReport, DryRun, JobSelection } from '../../observe/index.js';
import { audited } from '../audited.js';
import { confirm } from '../confirm.js';
import { CliError, EXIT } from '../exit-codes.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import {
  type SelectionFlags,
  narrows,
  selectionOf,
  wholeNumber,
  withSelectionFlags,
} from '../selection-flags.js';
import { jobs } from '../words.js';

/** `nestjs-rq requeue`, `cancel`, `delete`, `promote`: what is done to one job or many. */
export function addBulkCommands(add: AddCommand, run: Runner): void {
  for (const [name, { what, places, standard }] of Object.entries(ACTIONS)) {
    const command = add(name, what)
      .argument('<queue>')
      .argument('[ids...]', 'these jobs; otherwise those that the options select')
      .option(
        '--in <place>',
        `where they stand: ${places.join(', ')}${standard ? `; default ${standard}` : ''}`,
      )
      .option('--all', 'all that stand there')
      .option('--rate <number>', 'at most so many a second: 50, or 50/s')
      .option('--dry-run', 'only tells how many it would be')
      .option('-y, --yes', 'does not ask');
    if (name === 'delete') command.option('--for-good', 'they cannot be had back by undo');
    if (name === 'requeue') {
      command
        .option('--front', 'to the head of the queue')
        .option(
          '--fresh-retries',
          'with as many retries as at first; otherwise with what is left of them',
        )
        .option('--retries <number>', 'with so many retries');
    }
    withSelectionFlags(command).action((queue: string, ids: string[], flags: BulkFlags) =>
      run(flags, (session) => act(session, name as ActionName, queue, ids, flags)),
    );
  }
}

const ACTIONS = {
  requeue: {
    what: 'puts ended jobs back into their queue',
    places: ['failed', 'canceled', 'finished'],
    standard: 'failed',
  },
  cancel: {
    what: 'takes jobs out of their queue; running ones are told',
    places: ['queued', 'scheduled', 'deferred', 'started'],
    standard: undefined,
  },
  delete: {
    what: 'deletes jobs for good',
    places: ['queued', 'scheduled', 'deferred', 'started', 'failed', 'canceled', 'finished'],
    standard: undefined,
  },
  promote: {
    what: 'lets jobs run now that wait for their time or for others',
    places: ['scheduled', 'deferred'],
    standard: 'scheduled',
  },
} as const;

type ActionName = keyof typeof ACTIONS;

interface BulkFlags extends CommonFlags, SelectionFlags {
  readonly all?: boolean;
  readonly rate?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly front?: boolean;
  readonly freshRetries?: boolean;
  readonly retries?: string;
  readonly forGood?: boolean;
}

async function act(
  session: Session,
  name: ActionName,
  queue: string,
  ids: readonly string[],
  flags: BulkFlags,
): Promise<number> {
  const { output, json } = session;
  const selection = selected(session, name, ids, flags);
  const rate = rateOf(flags.rate);
  const retries = retriesOf(flags);
  await assertKnownQueues(session, [queue]);
  const action = actionOf(session, name);
  const { count } = await action(queue, selection, { dryRun: true });
  if (flags.dryRun || count === 0) {
    if (json) output.json({ count, dryRun: flags.dryRun === true });
    else output.line(count === 0 ? 'There are no such jobs.' : `It would be ${jobs(count)}.`);
    // Whoever names jobs wants to hear that they are not there.
    return count < ids.length ? EXIT.notFound : EXIT.done;
  }
  if (!(await confirm(session, `${VERBS[name]} ${jobs(count)} of ${queue}?`, flags))) {
    output.note('Nothing was done.');
    return EXIT.problem;
  }
  const options = {
    ...(rate === undefined ? {} : { rate }),
    ...(name === 'requeue' ? { front: flags.front === true, ...retries } : {}),
    ...(name === 'delete' ? { undoable: flags.forGood !== true } : {}),
  };
  const { report, undoId } = await audited(
    session,
    { action: name, queue, what: whatOf(ids, flags) },
    async () => {
      const operation = action(queue, selection, { ...options, dryRun: false });
      return { report: await follow(session, operation, count), undoId: operation.undoId };
    },
    (ended) => ended.report.done,
  );
  const { undoable = 0 } = report;
  if (json) output.json(undoable > 0 ? { ...report, undoId } : report);
  else for (const line of linesOf(name, report)) output.line(line);
  if (!json && undoable > 0 && undoId !== undefined) {
    output.note(`${undoable} can be had back for an hour: nestjs-rq undo ${queue} ${undoId}`);
  }
  if (session.io.signal.aborted) output.note('It was ended; what is done stays done.');
  return report.missing > 0 && ids.length > 0 && report.done === 0 ? EXIT.notFound : EXIT.done;
}

/** Which jobs, for the audit. */
function whatOf(ids: readonly string[], flags: BulkFlags): string {
  if (ids.length > 0) return ids.slice(0, 20).join(' ');
  const { in: place, name, cause, error, since, before, limit } = flags;
  const given = Object.entries({ in: place, name, cause, error, since, before, limit });
  return given.flatMap(([key, value]) => (value === undefined ? [] : `${key} ${value}`)).join(', ');
}

const VERBS = { requeue: 'Requeue', cancel: 'Cancel', delete: 'Delete', promote: 'Run' } as const;
const DONE = {
  requeue: 'requeued',
  cancel: 'canceled',
  delete: 'deleted',
  promote: 'put into the queue',
} as const;

/** @throws CliError when nothing says which jobs are meant: a word forgotten must not mean all */
function selected(
  { rq }: Session,
  name: ActionName,
  ids: readonly string[],
  flags: BulkFlags,
): JobSelection {
  const hasFlags = narrows(flags) || flags.all === true || flags.in !== undefined;
  if (ids.length > 0) {
    if (hasFlags)
      throw new CliError('Give ids, or options that select jobs, not both.', EXIT.usage);
    return ids;
  }
  const { places, standard } = ACTIONS[name];
  const place = flags.in ?? standard;
  if (place === undefined)
    throw new CliError(`Give ids, or --in ${places.join(' | ')}.`, EXIT.usage);
  if (!(places as readonly string[]).includes(place)) {
    throw new CliError(`--in must be one of ${places.join(', ')}.`, EXIT.usage);
  }
  if (!narrows(flags) && !flags.all) {
    throw new CliError(
      `Which jobs? Give ids, --name, --cause, --error, --since, --before, --limit, or --all.`,
      EXIT.usage,
    );
  }
  return selectionOf(rq, flags, place);
}

function rateOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rate = Number(/^(\d+(?:\.\d+)?)(?:\/s)?$/.exec(text)?.[1]);
  if (rate > 0) return rate;
  throw new CliError('--rate must be a number of jobs per second, such as 50/s', EXIT.usage);
}

function retriesOf({ freshRetries, retries }: BulkFlags): { retries?: 'fresh' | number } {
  if (freshRetries) return { retries: 'fresh' };
  return retries === undefined ? {} : { retries: wholeNumber(retries, '--retries') };
}

/** The four actions as one: where each is possible was checked above. */
interface AnyAction {
  (queue: string, selection: JobSelection, options: { dryRun: true }): Promise<DryRun>;
  (queue: string, selection: JobSelection, options: { dryRun: false }): BulkOperation;
}

function actionOf({ inspector }: Session, name: ActionName): AnyAction {
  return inspector[name].bind(inspector) as AnyAction;
}

/** Shows how far it is at a terminal, and ends it with Ctrl-C. */
async function follow(
  { io, rq }: Session,
  operation: BulkOperation,
  count: number,
): Promise<ControlReport> {
  const stop = () => operation.cancel();
  io.signal.addEventListener('abort', stop);
  const show = () => {
    io.stderr.write(`\r${operation.progress.done} of ${count} `);
  };
  const timer = io.stderr.isTTY ? rq.every(PROGRESS_MS, show) : undefined;
  try {
    return await operation.report();
  } finally {
    io.signal.removeEventListener('abort', stop);
    if (timer) {
      timer.cancel();
      io.stderr.write('\r\u001B[K');
    }
  }
}

function linesOf(name: ActionName, { done, skipped, missing }: ControlReport): string[] {
  const lines = [`${jobs(done)} ${DONE[name]}.`];
  if (skipped.running > 0) lines.push(`${jobs(skipped.running)} left, since they run.`);
  if (skipped.state > 0)
    lines.push(
      `${jobs(skipped.state)} left: their state does not allow it, or they are so already.`,
    );
  if (skipped.duplicate > 0)
    lines.push(`${jobs(skipped.duplicate)} left, since another job has their unique key.`);
  if (missing > 0) lines.push(`${missing} ids whose job is gone.`);
  return lines;
}

const PROGRESS_MS = 200;
