import { setTimeout as pause } from 'node:timers/promises';
import type {
  JobFigures,
  Overview,
  QueueHistory,
  QueueOverview,
  RqAlert,
  ServerState,
} from '../../observe/index.js';
import { CliError, EXIT } from '../exit-codes.js';
import { type Output, type Piece, bold, dim, red, yellow } from '../output.js';
import type { AddCommand, Runner } from '../program.js';
import { assertKnownQueues } from '../queue-names.js';
import type { CommonFlags, Session } from '../run.js';
import { bytes, oldestOf, percent, short, sparkline, time } from '../words.js';

/** `nestjs-rq info`: how everything stands, at a glance. */
export function addInfoCommand(add: AddCommand, run: Runner): void {
  add('info', 'how queues stand, who serves them, what needs a human')
    .argument('[queues...]', 'only these')
    .option('-w, --watch', 'again and again, until Ctrl-C')
    .option('-i, --interval <seconds>', 'with --watch; default 2')
    .option('--check', 'exit code 1 when something needs a human')
    .action((queues: string[], flags: InfoFlags) =>
      run(flags, (session) => info(session, queues, flags)),
    );
}

interface InfoFlags extends CommonFlags {
  readonly watch?: boolean;
  readonly interval?: string;
  readonly check?: boolean;
}

async function info(
  session: Session,
  queues: readonly string[],
  flags: InfoFlags,
): Promise<number> {
  const { output, io, json } = session;
  await assertKnownQueues(session, queues);
  const seconds = Number(flags.interval ?? 2);
  if (!(seconds >= 0.5 && seconds <= 3600)) {
    throw new CliError('--interval must be a number from 0.5 to 3600', EXIT.usage);
  }
  for (;;) {
    const view = await look(session, queues, flags.watch === true);
    if (json) output.json(shown(view));
    else {
      if (flags.watch && output.isTerminal) io.stdout.write(CLEAR);
      print(output, view);
    }
    if (!flags.watch)
      return flags.check && view.overview.troubles.length > 0 ? EXIT.problem : EXIT.done;
    await pause(seconds * 1000, undefined, { signal: io.signal }).catch(() => undefined);
    if (io.signal.aborted) return EXIT.done;
  }
}

interface View {
  readonly server: ServerState;
  readonly overview: Overview;
  readonly alerts: readonly RqAlert[];
  /** Of the last hour, by queue. */
  readonly histories: ReadonlyMap<string, QueueHistory>;
}

async function look(session: Session, queues: readonly string[], live: boolean): Promise<View> {
  const { inspector } = session;
  const only = queues.length > 0 ? { queues } : {};
  const [server, overview, alerts] = await Promise.all([
    inspector.server(),
    inspector.overview({ ...only, live }),
    inspector.alerts(),
  ]);
  const histories = new Map<string, QueueHistory>();
  for (const { queue } of overview.queues.slice(0, MOST_HISTORIES)) {
    histories.set(queue, await inspector.history(queue, { last: '1h' }));
  }
  return { server, overview, alerts, histories };
}

function shown({ server, overview, alerts, histories }: View) {
  const queues = overview.queues.map((queue) => ({
    ...queue,
    lastHour: histories.get(queue.queue)?.total,
  }));
  return { ...overview, queues, alerts, server };
}

function print(output: Output, { server, overview, alerts, histories }: View): void {
  output.line(...serverLine(server));
  for (const { queue, sentence } of overview.troubles)
    output.line(yellow('! '), bold(queue), ': ', sentence);
  for (const { severity, state, sentence } of alerts) {
    if (state === 'firing') output.line(red(`alert (${severity}) `), sentence);
  }
  for (const state of overview.queues) printFailing(output, state, histories.get(state.queue));
  if (overview.queues.length === 0) {
    output.line(dim('No queues: nobody has put a job into this Redis, and no worker serves one.'));
    return;
  }
  output.table(
    COLUMNS,
    overview.queues.map((queue) => row(queue, histories.get(queue.queue))),
  );
}

/** Most attempts of the last five minutes have failed. */
function printFailing(
  output: Output,
  { queue, retrying }: QueueOverview,
  history: QueueHistory | undefined,
): void {
  const lately = history?.points.slice(-6) ?? [];
  const attempts = lately.reduce((sum, point) => sum + point.attempts, 0);
  const bad = lately.reduce((sum, point) => sum + badOf(point), 0);
  if (attempts < FEW || bad < attempts / 2) return;
  const sentence = `${percent(bad, attempts)} of ${short(attempts)} attempts of the last minutes failed`;
  const look = `nestjs-rq failures ${queue}${retrying > 0 ? ' --retrying' : ''}`;
  output.line(yellow('! '), bold(queue), ': ', sentence, dim(` → ${look}`));
}

function badOf({ failed, retrying, stopped }: JobFigures): number {
  return failed + retrying + stopped;
}

function serverLine(server: ServerState): Piece[] {
  const { version = '?', role, usedMemory, maxMemory, evictionPolicy, appendsToFile } = server;
  const used = usedMemory === undefined ? '' : ` · ${bytes(usedMemory)}`;
  const most = maxMemory ? ` of ${bytes(maxMemory)}` : '';
  const isSafe = evictionPolicy === undefined || evictionPolicy === 'noeviction';
  const policy = evictionPolicy ?? 'eviction unknown';
  return [
    dim(`redis ${version}${used}${most} · `),
    isSafe ? dim(policy) : red(`${policy}: it may delete jobs`),
    dim(appendsToFile ? ' · AOF' : ' · no AOF'),
    role === 'slave' ? red(' · a replica') : '',
  ];
}

function row(state: QueueOverview, history: QueueHistory | undefined): Piece[] {
  const { queue, queued, heldMs, started, slots, retrying, scheduled, failed, workers } = state;
  const oldestMs = oldestOf(state);
  const total = history?.total;
  const points = history?.points ?? [];
  const lately = points.slice(-6, -1).reduce((sum, point) => sum + point.attempts, 0);
  const bad = total ? badOf(total) : 0;
  const isLonely = workers === 0 && queued > 0;
  const name = state.paused
    ? `${queue} (paused)`
    : state.suspended
      ? `${queue} (suspended)`
      : queue;
  return [
    name,
    queued,
    oldestMs !== undefined && oldestMs > BEHIND_MS ? yellow(time(oldestMs)) : time(oldestMs),
    heldMs === undefined ? '' : yellow('HELD'),
    `${started}/${slots}`,
    retrying,
    scheduled,
    failed,
    total ? short(lately / 5) : '–',
    total ? percent(bad, total.attempts) : '–',
    time(total?.run.p95),
    isLonely ? red('none') : workers === 0 ? 'none' : workers,
    sparkline(everyFive(points.map(({ attempts }) => attempts))),
  ];
}

/** Sums of five minutes each: twelve for an hour. */
function everyFive(values: readonly number[]): number[] {
  const sums: number[] = [];
  for (let at = Math.max(0, values.length - 60); at < values.length; at += 5) {
    sums.push(values.slice(at, at + 5).reduce((sum, value) => sum + value, 0));
  }
  return sums;
}

const COLUMNS = [
  { title: 'QUEUE', most: 40 },
  ...['WAIT', 'OLDEST'].map((title) => ({ title, right: true })),
  { title: '' },
  ...['RUN', 'RETRY', 'SCHED', 'FAILED', '/MIN', 'FAIL', 'P95'].map((title) => ({
    title,
    right: true,
  })),
  { title: 'WORKERS', right: true },
  { title: 'LAST HOUR' },
];

/** Each costs sixty small reads. */
const MOST_HISTORIES = 50;
const BEHIND_MS = 60_000;
/** Of so few attempts a share says nothing. */
const FEW = 10;
const CLEAR = '\u001B[H\u001B[J';
