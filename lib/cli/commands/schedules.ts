import { audited } from '../audited.js';
import { CliError, EXIT } from '../exit-codes.js';
import { type Piece, dim, yellow } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import { ago } from '../words.js';

/** `nestjs-rq schedules`: what is enqueued by the clock; pauses it, or runs it now. */
export function addSchedulesCommand(add: AddCommand, run: Runner): void {
  add('schedules', 'what is enqueued by the clock')
    .argument('[queue]', 'default: all queues')
    .option('--pause <id>', 'it makes no job until it is resumed')
    .option('--resume <id>', 'it goes on with its next tick')
    .option('--run <id>', 'makes a job of it now, beside its ticks')
    .action((queue: string | undefined, flags: SchedulesFlags) =>
      run(flags, (session) => schedules(session, queue, flags)),
    );
}

interface SchedulesFlags extends CommonFlags {
  readonly pause?: string;
  readonly resume?: string;
  readonly run?: string;
}

async function schedules(
  session: Session,
  queue: string | undefined,
  flags: SchedulesFlags,
): Promise<number> {
  const { inspector, output, json } = session;
  const all = await inspector.schedules(queue);
  if (queue !== undefined && all.length === 0) await assertKnownQueues(session, [queue]);
  const { pause, resume, run } = flags;
  if ([pause, resume, run].some((id) => id !== undefined)) return change(session, all, flags);
  if (json) for (const schedule of all) output.json(schedule);
  else if (all.length === 0) output.note(dim('There are none.'));
  else {
    const now = new Date();
    output.table(
      COLUMNS,
      all.map((schedule) => rowOf(schedule, now)),
    );
  }
  return EXIT.done;
}

type Schedules = Awaited<ReturnType<Session['inspector']['schedules']>>;

async function change(
  session: Session,
  all: Schedules,
  { pause, resume, run }: SchedulesFlags,
): Promise<number> {
  const { output, json } = session;
  const given = [pause, resume, run].filter((id) => id !== undefined);
  if (given.length > 1) throw new CliError('Give one of --pause, --resume, --run.', EXIT.usage);
  const id = given[0] ?? '';
  const schedule = all.find((one) => one.id === id);
  if (!schedule) throw new CliError(`There is no schedule "${id}".`, EXIT.notFound);
  if (run !== undefined) {
    const deed = { action: 'schedule', queue: schedule.queue, what: `run ${id}` };
    const job = await audited(session, deed, () => schedule.runNow());
    if (json) output.json({ id, jobId: job.id });
    else output.line(`Enqueued as ${job.id}.`);
    return EXIT.done;
  }
  const what = `${pause === undefined ? 'resume' : 'pause'} ${id}`;
  await audited(session, { action: 'schedule', queue: schedule.queue, what }, () =>
    pause === undefined ? schedule.resume() : schedule.pause(),
  );
  if (json) output.json({ id, paused: pause !== undefined });
  else output.line(`${id} is ${pause === undefined ? 'not paused' : 'paused'} now.`);
  return EXIT.done;
}

function rowOf(schedule: Schedules[number], now: Date): Piece[] {
  const {
    id,
    queue,
    name = '(unreadable)',
    when,
    tz,
    next,
    last,
    missed,
    skipped,
    from,
  } = schedule;
  const time = when && ('cron' in when ? `${when.cron} (${tz ?? 'UTC'})` : `every ${when.every}s`);
  return [
    id,
    queue,
    name,
    time ?? '–',
    schedule.paused ? yellow('paused') : ago(next, now),
    ago(last, now),
    missed > 0 ? yellow(missed) : missed,
    skipped,
    from,
  ];
}

const COLUMNS = [
  { title: 'ID', most: 50 },
  { title: 'QUEUE', most: 30 },
  { title: 'JOB', most: 40 },
  { title: 'WHEN', most: 50 },
  { title: 'NEXT', right: true },
  { title: 'LAST', right: true },
  { title: 'MISSED', right: true },
  { title: 'SKIPPED', right: true },
  { title: 'FROM' },
];
