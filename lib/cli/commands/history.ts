import type { HistoryPoint, JobFigures } from '../../observe/index.js';
import { EXIT } from '../exit-codes.js';
import { type Piece, dim } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import { percent, time } from '../words.js';

/** `nestjs-rq history`: what became of a queue's jobs over time. */
export function addHistoryCommand(add: AddCommand, run: Runner): void {
  add('history', 'what became of a queue’s jobs: outcomes, durations, depth')
    .argument('<queue>')
    .option('--last <time>', 'how far back: 6h, 3d, up to 90d; default 1h')
    .option('--job <name>', 'only jobs of this name')
    .option('--by-job', 'one row per job name, of the whole time')
    .action((queue: string, flags: HistoryFlags) =>
      run(flags, (session) => history(session, queue, flags)),
    );
}

interface HistoryFlags extends CommonFlags {
  readonly last?: string;
  readonly job?: string;
  readonly byJob?: boolean;
}

async function history(session: Session, queue: string, flags: HistoryFlags): Promise<number> {
  const { inspector, output, json } = session;
  await assertKnownQueues(session, [queue]);
  const found = await inspector.history(queue, {
    ...(flags.last === undefined ? {} : { last: flags.last }),
    ...(flags.job === undefined ? {} : { job: flags.job }),
  });
  if (json) {
    output.json(found);
    return EXIT.done;
  }
  if (flags.byJob) {
    const rows = found.jobs.map((one): Piece[] => [one.name ?? '(others)', ...figures(one)]);
    output.table([{ title: 'JOB', most: 40 }, ...FIGURES], rows);
    return EXIT.done;
  }
  const points = joined(found.points, Math.ceil(found.points.length / MOST_ROWS));
  const rows = points.map(({ at, sample, ...one }): Piece[] => [
    at.toISOString().slice(0, 16).replace('T', ' '),
    ...figures(one),
    sample?.queued ?? '–',
    sample?.retrying ?? '–',
  ]);
  output.table([{ title: 'UTC' }, ...FIGURES, ...SAMPLES], rows);
  output.line(
    dim(`in all ${found.total.attempts} attempts, ${found.total.failed} failed for good`),
  );
  return EXIT.done;
}

function figures(one: JobFigures): Piece[] {
  const { finished, retrying, failed, stopped, attempts, run, wait } = one;
  const bad = retrying + failed + stopped;
  return [
    finished,
    retrying,
    failed,
    percent(bad, attempts),
    time(run.p50),
    time(run.p95),
    time(wait.p50),
    time(wait.p95),
  ];
}

/** A terminal has no room for hundreds of rows: every so many points are one, whose durations are those of the busiest. */
function joined(points: readonly HistoryPoint[], every: number): HistoryPoint[] {
  const rows: HistoryPoint[] = [];
  for (let at = 0; at < points.length; at += every) {
    const part = points.slice(at, at + every);
    const [first] = part;
    if (!first) continue;
    const busiest = part.reduce((one, other) => (other.attempts > one.attempts ? other : one));
    const sum = (name: Counted) => part.reduce((all, point) => all + point[name], 0);
    const counted = Object.fromEntries(COUNTED.map((name) => [name, sum(name)])) as Record<
      Counted,
      number
    >;
    rows.push({
      ...busiest,
      ...counted,
      at: first.at,
      sample: part.find(({ sample }) => sample)?.sample,
    });
  }
  return rows;
}

const COUNTED = ['finished', 'retrying', 'failed', 'stopped', 'canceled', 'attempts'] as const;
type Counted = (typeof COUNTED)[number];
const MOST_ROWS = 30;
const FIGURES = [
  'FINISHED',
  'RETRIED',
  'FAILED',
  'FAIL',
  'RUN P50',
  'RUN P95',
  'WAIT P50',
  'WAIT P95',
].map((title) => ({ title, right: true }));
const SAMPLES = ['WAITING', 'RETRY'].map((title) => ({ title, right: true }));
