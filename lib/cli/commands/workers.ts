import type { WorkerState } from '../../observe/index.js';
import { EXIT } from '../exit-codes.js';
import { type Piece, dim, red, yellow } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import type { CommonFlags, Session } from '../run.js';
import { bytes, time } from '../words.js';

/** `nestjs-rq workers`: who is there, and what runs. */
export function addWorkersCommand(add: AddCommand, run: Runner): void {
  add('workers', 'all workers that show themselves, Python’s too, and what they run')
    .option('--runs', 'the jobs that run, the oldest of each worker first')
    .action((flags: WorkersFlags) => run(flags, (session) => workers(session, flags)));
}

interface WorkersFlags extends CommonFlags {
  readonly runs?: boolean;
}

async function workers({ inspector, output, json }: Session, flags: WorkersFlags): Promise<number> {
  const { at, workers: all } = await inspector.overview({ queues: [] });
  if (json) {
    for (const worker of all) output.json(worker);
    return EXIT.done;
  }
  if (all.length === 0) {
    output.note(dim('No worker shows itself.'));
    return EXIT.done;
  }
  if (flags.runs) {
    const rows = all.flatMap(({ name, running }) =>
      running.map((job): Piece[] => [name, job.queue, job.name, job.id, sinceText(job.since, at)]),
    );
    output.table(RUN_COLUMNS, rows);
  } else {
    output.table(COLUMNS, all.map(rowOf));
  }
  return EXIT.done;
}

function sinceText(since: number, now: Date): string {
  return Number.isFinite(since) ? time(Math.max(0, now.getTime() - since)) : '–';
}

function rowOf(worker: WorkerState): Piece[] {
  const { name, queues, state, isAlive, busy, slots, silentMs, lagMs, rss, kind, version } = worker;
  return [
    name,
    queues.join(','),
    isAlive ? state : red(`${state}, silent`),
    `${busy ?? '–'}/${slots ?? '–'}`,
    worker.finished,
    worker.failed,
    isAlive ? time(silentMs) : red(time(silentMs)),
    lagMs !== undefined && lagMs > LATE_MS ? yellow(time(lagMs)) : time(lagMs),
    rss === undefined ? '–' : bytes(rss),
    `${worker.host ?? '?'}:${worker.pid ?? '?'}`,
    kind === 'python' ? `python rq ${version ?? ''}` : (version ?? ''),
  ];
}

const LATE_MS = 1000;
const COLUMNS = [
  { title: 'WORKER', most: 40 },
  { title: 'QUEUES', most: 40 },
  { title: 'STATE', most: 20 },
  { title: 'BUSY', right: true },
  { title: 'DONE', right: true },
  { title: 'FAILED', right: true },
  { title: 'SEEN', right: true },
  { title: 'LAG', right: true },
  { title: 'MEMORY', right: true },
  { title: 'PROCESS', most: 40 },
  { title: 'VERSION', most: 20 },
];
const RUN_COLUMNS = [
  { title: 'WORKER', most: 40 },
  { title: 'QUEUE', most: 30 },
  { title: 'JOB', most: 40 },
  { title: 'ID', most: 50 },
  { title: 'FOR', right: true },
];
