import type { Overview } from '../observe/index.js';
import { type Column, type Piece, red, yellow } from './output.js';
import type { Session } from './run.js';
import { ago, oldestOf, time } from './words.js';

/** The tables of `top`, one per view. */

/** What a row of a view is about: what its keys act on. */
export interface About {
  readonly queue: string;
  /** Of failures. */
  readonly cause?: string;
  /** Of a queue. */
  readonly isPaused?: boolean;
}

export interface TopRow {
  readonly cells: readonly Piece[];
  /** Undefined: nothing can be done there. */
  readonly about: About | undefined;
}

export interface TopTable {
  readonly columns: readonly Column[];
  readonly rows: readonly TopRow[];
}

export const VIEWS = { q: 'queues', f: 'failures', w: 'workers', a: 'alerts' } as const;
export type View = (typeof VIEWS)[keyof typeof VIEWS];

/** What a view shows now. */
export function tableOf(session: Session, view: View, overview: Overview): Promise<TopTable> {
  return TABLES[view](session, overview);
}

const TABLES: Readonly<Record<View, (session: Session, overview: Overview) => Promise<TopTable>>> =
  {
    queues: (_, overview) => Promise.resolve(queues(overview)),
    workers: (_, overview) => Promise.resolve(workers(overview)),
    failures,
    alerts,
  };

function queues(overview: Overview): TopTable {
  const rows = overview.queues.map((state): TopRow => {
    const { queue, paused: isPaused } = state;
    const cells = [
      isPaused ? `${queue} (paused)` : state.suspended ? `${queue} (suspended)` : queue,
      state.queued,
      state.heldMs === undefined ? time(oldestOf(state)) : yellow(`${time(oldestOf(state))} HELD`),
      `${state.started}/${state.slots}`,
      state.retrying,
      state.scheduled,
      state.failed,
      state.workers === 0 && state.queued > 0 ? red('none') : state.workers,
    ];
    return { cells, about: { queue, isPaused } };
  });
  const titles = ['QUEUE', 'WAIT>', 'OLDEST>', 'RUN>', 'RETRY>', 'SCHED>', 'FAILED>', 'WORKERS>'];
  return { columns: columns(...titles), rows };
}

function workers({ workers: all }: Overview): TopTable {
  const rows = all.map((worker): TopRow => {
    const cells = [
      worker.name,
      worker.queues.join(','),
      worker.isAlive ? worker.state : red(`${worker.state}, silent`),
      `${worker.busy ?? '–'}/${worker.slots ?? '–'}`,
      worker.finished,
      worker.failed,
      time(worker.silentMs),
      time(worker.lagMs),
    ];
    return { cells, about: undefined };
  });
  const titles = ['WORKER', 'QUEUES', 'STATE', 'BUSY>', 'DONE>', 'FAILED>', 'SEEN>', 'LAG>'];
  return { columns: columns(...titles), rows };
}

async function failures({ inspector }: Session, { at }: Overview): Promise<TopTable> {
  const { groups } = await inspector.failures({ budget: FAILURES_SEEN });
  const rows = groups.map(({ cause, count, queue, name, last, error, message }): TopRow => {
    const job = name ?? '(pickle)';
    const cells = [cause, count, queue, job, ago(last, at), `${error}: ${message}`];
    return { cells, about: { queue, cause } };
  });
  return { columns: columns('CAUSE', 'JOBS>', 'QUEUE', 'JOB', 'LAST>', 'ERROR'), rows };
}

async function alerts({ inspector }: Session, { at }: Overview): Promise<TopTable> {
  const rows = (await inspector.alerts()).map(({ severity, since, sentence }): TopRow => {
    const word = severity === 'critical' ? red(severity) : yellow(severity);
    return { cells: [word, ago(since, at), sentence], about: undefined };
  });
  return { columns: columns('SEVERITY', 'SINCE>', 'WHAT'), rows };
}

/** `>`: figures, which stand at the right. */
function columns(...titles: readonly string[]): readonly Column[] {
  return titles.map((title) =>
    title.endsWith('>') ? { title: title.slice(0, -1), right: true } : { title, most: 60 },
  );
}

/** It is asked again each second. */
const FAILURES_SEEN = 2000;
