import type { Overview } from '../../observe/index.js';
import { CliError, EXIT } from '../exit-codes.js';
import { type Output, type Piece, bold, dim, red, yellow } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import type { CommonFlags, Session } from '../run.js';
import { Screen } from '../screen.js';
import { ago, time } from '../words.js';

/** `nestjs-rq top`: everything at a terminal, each second, until q. */
export function addTopCommand(add: AddCommand, run: Runner): void {
  add('top', 'queues, failures, workers and alerts at a terminal, each second').action(
    (flags: CommonFlags) => run(flags, top),
  );
}

const VIEWS = { q: 'queues', f: 'failures', w: 'workers', a: 'alerts' } as const;
type View = (typeof VIEWS)[keyof typeof VIEWS];

async function top(session: Session): Promise<number> {
  const { output, io } = session;
  if (!output.isTerminal)
    throw new CliError('top needs a terminal; info --watch does not.', EXIT.usage);
  const screen = new Screen(io);
  let view: View = 'queues';
  let filter = '';
  let isTyping = false;
  let isOver = false;
  screen.open((key) => {
    if (isTyping) {
      if (key === '\r' || key === '\u001B') isTyping = false;
      else if (key === '\u007F') filter = filter.slice(0, -1);
      else if (/^[\w.:/-]$/.test(key)) filter += key;
    } else if (key === '/') {
      isTyping = true;
      filter = '';
    } else if (key === 'x' || key === '\u0003' || key === '\u001B') isOver = true;
    else view = VIEWS[key as keyof typeof VIEWS] ?? view;
    screen.wake();
  });
  try {
    while (!isOver && !io.signal.aborted) {
      const lines = await linesOf(session, view, filter);
      const keys = Object.entries(VIEWS).map(([key, name]) => `${key} ${name}`);
      const search = isTyping || filter ? `  / ${filter}${isTyping ? '_' : ''}` : '  / filter';
      const bar = output.text([bold(view), dim(`   ${keys.join('  ')}${search}  x exit`)]);
      screen.draw([bar, ...lines]);
      await screen.pause(EVERY_MS);
    }
  } finally {
    screen.close();
  }
  return EXIT.done;
}

async function linesOf(session: Session, view: View, filter: string): Promise<string[]> {
  const { inspector, output } = session;
  try {
    const overview = await inspector.overview({ live: true });
    const troubles = overview.troubles.map(({ queue, sentence }) =>
      output.text([yellow('! '), bold(queue), ': ', sentence]),
    );
    const table = await tableOf(session, view, overview);
    const [header = '', ...rows] = output.tableLines(table.columns, table.rows);
    const plain = rows.filter((row) => row.includes(filter));
    return [...(view === 'queues' ? troubles : []), header, ...plain];
  } catch (error) {
    // The screen stays; it goes on when Redis is back.
    return [failureLine(output, error)];
  }
}

function failureLine(output: Output, error: unknown): string {
  return output.text([red(error instanceof Error ? error.message : String(error))]);
}

interface Table {
  readonly columns: readonly {
    readonly title: string;
    readonly right?: boolean;
    readonly most?: number;
  }[];
  readonly rows: readonly (readonly Piece[])[];
}

async function tableOf({ inspector }: Session, view: View, overview: Overview): Promise<Table> {
  const now = overview.at;
  if (view === 'failures') {
    const { groups } = await inspector.failures({ budget: 2000 });
    const rows = groups.map(({ cause, count, queue, name, last, error, message }): Piece[] => [
      cause,
      count,
      queue,
      name ?? '(pickle)',
      ago(last, now),
      `${error}: ${message}`,
    ]);
    return { columns: columns('CAUSE', 'JOBS>', 'QUEUE', 'JOB', 'LAST>', 'ERROR'), rows };
  }
  if (view === 'workers') {
    const rows = overview.workers.map((worker): Piece[] => [
      worker.name,
      worker.queues.join(','),
      worker.isAlive ? worker.state : red(`${worker.state}, silent`),
      `${worker.busy ?? '–'}/${worker.slots ?? '–'}`,
      worker.finished,
      worker.failed,
      time(worker.silentMs),
      time(worker.lagMs),
    ]);
    const titles = ['WORKER', 'QUEUES', 'STATE', 'BUSY>', 'DONE>', 'FAILED>', 'SEEN>', 'LAG>'];
    return { columns: columns(...titles), rows };
  }
  if (view === 'alerts') {
    const rows = (await inspector.alerts()).map(({ severity, since, sentence }): Piece[] => [
      severity === 'critical' ? red(severity) : yellow(severity),
      ago(since, now),
      sentence,
    ]);
    return { columns: columns('SEVERITY', 'SINCE>', 'WHAT'), rows };
  }
  const rows = overview.queues.map((state): Piece[] => [
    state.paused ? `${state.queue} (paused)` : state.queue,
    state.queued,
    time(state.oldestMs),
    `${state.started}/${state.slots}`,
    state.retrying,
    state.scheduled,
    state.failed,
    state.workers === 0 && state.queued > 0 ? red('none') : state.workers,
  ]);
  const titles = ['QUEUE', 'WAIT>', 'OLDEST>', 'RUN>', 'RETRY>', 'SCHED>', 'FAILED>', 'WORKERS>'];
  return { columns: columns(...titles), rows };
}

/** `>`: figures, which stand at the right. */
function columns(...titles: readonly string[]): Table['columns'] {
  return titles.map((title) =>
    title.endsWith('>') ? { title: title.slice(0, -1), right: true } : { title, most: 60 },
  );
}

const EVERY_MS = 1000;
