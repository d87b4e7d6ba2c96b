// A worker process that is killed at one point of all, for each way in which a job can end. First all of them die, each
// alone with its queue; then one worker that lives takes over. Nothing is lost, and nothing that was written is done again.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { within } from '../support/wait.js';
import { type Command, CommandProxy, type Moment } from './command-proxy.js';
import { type Act, Scene } from './scene.js';

/** Seconds: longer than it takes a busy machine to kill a process whose command is held. */
const LEASE = 2;

/** How a job ends, by its act. The worker that dies is called as the queue. */
const KINDS: Readonly<Record<string, (queue: string) => Act>> = {
  finished: () => ({}),
  retrying: () => ({ fails: 1 }),
  failed: () => ({ fails: 99 }),
  snoozed: (queue) => ({ snoozesOn: queue }),
  canceled: () => ({ cancels: true }),
  // Finished twice, by its options.
  repeating: () => ({}),
};
/** Of these, the jobs of a point are a group, which another job waits for. */
const IN_GROUP: ReadonlySet<string> = new Set(['finished', 'failed']);
const CLAIMED_AGAIN: ReadonlySet<string> = new Set(['retrying', 'repeating']);
const ALL = Object.keys(KINDS);
/** What becomes of it in the end; the others are finished. */
const STATUS: Readonly<Record<string, string>> = { failed: 'failed', canceled: 'canceled' };

interface Point {
  readonly name: string;
  readonly kinds: readonly string[];
  /** At which command it dies; undefined: while its jobs run. */
  readonly at?: { readonly moment: Moment; readonly command: string };
  /** The exchange takes an outcome along. */
  readonly settles?: boolean;
  /** It was told to stop. */
  readonly stops?: boolean;
  /** Its jobs run until then. */
  readonly waits?: boolean;
  /** As they are counted, of the runs of a kind: first those before the death, then the others. */
  readonly attempts: (kind: string) => readonly [number[], number[]];
}

const before = (command: string) => ({ moment: 'before it arrives', command }) as const;
const after = (command: string) => ({ moment: 'before its answer arrives', command }) as const;
/** The runs of one that is well from this attempt on. */
const from = (attempt: number, kind: string) =>
  kind === 'repeating' ? [attempt, attempt + 1] : [attempt];
/** It has never begun. */
const untouched = (kind: string): [number[], number[]] => [
  [],
  kind === 'retrying' ? [1, 2] : from(1, kind),
];
/** It has begun, and its end is not known. */
const begun = (kind: string): [number[], number[]] => [[1], from(2, kind)];

const POINTS: readonly Point[] = [
  { name: 'before it waits for jobs', at: before('blmove'), kinds: ALL, attempts: untouched },
  { name: 'between pop and claim', at: after('blmove'), kinds: ALL, attempts: untouched },
  { name: 'before its claim arrives', at: before('exchange'), kinds: ALL, attempts: untouched },
  {
    name: 'before the answer to its claim arrives',
    at: after('exchange'),
    kinds: ALL,
    // A crash: nobody can know that it had not begun.
    attempts: (kind) => [[], from(2, kind)],
  },
  { name: 'while its jobs run', kinds: ALL, waits: true, attempts: begun },
  {
    name: 'before a renewal arrives',
    at: before('renew'),
    kinds: ALL,
    waits: true,
    attempts: begun,
  },
  {
    name: 'before the answer to a renewal arrives',
    at: after('renew'),
    kinds: ALL,
    waits: true,
    attempts: begun,
  },
  ...ALL.flatMap((kind): Point[] => [
    {
      name: 'before its outcome arrives',
      at: before('exchange'),
      settles: true,
      kinds: [kind],
      attempts: begun,
    },
    {
      name: 'before the answer to its outcome arrives',
      at: after('exchange'),
      settles: true,
      kinds: [kind],
      // The call that settles a retry, or a round, claims it again at once, which nobody hears of: a crash more.
      attempts: () => [[1], CLAIMED_AGAIN.has(kind) ? [3] : kind === 'snoozed' ? [1] : []],
    },
  ]),
  {
    name: 'at its stop, before what it gives back arrives',
    at: before('exchange'),
    settles: true,
    stops: true,
    kinds: ['finished'],
    waits: true,
    attempts: () => [[1], [2]],
  },
  {
    name: 'at its stop, before the answer to what it gives back arrives',
    at: after('exchange'),
    settles: true,
    stops: true,
    kinds: ['finished'],
    waits: true,
    attempts: () => [[1], [1]],
  },
  {
    name: 'at its stop, before it has taken its leave',
    at: before('get'),
    stops: true,
    kinds: ['finished'],
    waits: true,
    attempts: () => [[1], [1]],
  },
];

const isGroup = ({ kinds }: Point) => kinds.some((kind) => IN_GROUP.has(kind));
const queueOf = (point: Point) => `point-${String(POINTS.indexOf(point)).padStart(2, '0')}`;
const idsOf = (point: Point) => point.kinds.map((kind) => `${queueOf(point)}-${kind}`);
/** Redis has been told of the end, and nobody else. */
const isUntold = ({ at, settles, kinds, stops }: Point) =>
  settles && at?.moment === 'before its answer arrives' && (stops || kinds[0] === 'snoozed');

let scene: Scene;
let proxy: CommandProxy;
const deaths = new Map<Point, Promise<void>>();

async function die(point: Point): Promise<void> {
  const { at, stops, waits = false } = point;
  const queue = queueOf(point);
  const isHere = ({ words }: Command) => words.some((word) => word.includes(queue));
  const blocks = proxy.pass((command) => command.name === 'blmove' && isHere(command));
  const caught =
    at &&
    proxy.hold(at.moment, (command) => {
      if (command.name !== at.command || !isHere(command)) return false;
      if (at.command !== 'exchange') return true;
      const brings = command.words.some((word) => word === 'one' || word === 'finished');
      return (
        brings === (point.settles ?? false) && command.words.some((w) => w.includes(`${queue}-`))
      );
    });
  const doomed = await scene.worker(queue, {
    url: proxy.url,
    queues: [queue],
    lease: LEASE,
    // A claim takes half of the slots: so all jobs of a point.
    concurrency: 2 * ALL.length,
    shutdownTimeout: 0.1,
  });
  await blocks;
  await scene.queue(queue).enqueueMany(
    point.kinds.map((kind) => ({
      name: 'act',
      data: { ...KINDS[kind]?.(queue), waits },
      options: {
        id: `${queue}-${kind}`,
        retry: kind === 'failed' ? undefined : { max: 3, interval: 0 },
        group: IN_GROUP.has(kind) ? queue : undefined,
        repeat: kind === 'repeating' ? { times: 1, interval: 0 } : undefined,
      },
    })),
  );
  await scene.queue('behind').enqueueMany(
    idsOf(point).map((id) => ({
      name: 'act',
      options: { id: `child-${id}`, dependsOn: { jobs: [id], ifFailed: 'run' as const } },
    })),
  );
  const dependsOn = { group: queue, ifFailed: 'run' } as const;
  if (isGroup(point)) {
    await scene.queue('behind').enqueue('act', {}, { id: `behind-${queue}`, dependsOn });
  }
  if (waits) await scene.when('run', { worker: queue, count: point.kinds.length });
  if (stops) doomed.stop().catch(() => undefined);
  if (caught) await within(caught, { what: `${point.name} (${point.kinds.join()})` });
  await doomed.kill();
}

beforeAll(async () => {
  scene = await Scene.open();
  proxy = await CommandProxy.start(scene.redis);
  // A few at a time: starting a process keeps a processor busy.
  for (let first = 0; first < POINTS.length; first += 4) {
    const some = POINTS.slice(first, first + 4);
    const dying = some.map((point) => die(point));
    for (const [index, point] of some.entries()) deaths.set(point, dying[index]!);
    await Promise.allSettled(dying);
  }
  const queues = POINTS.map(queueOf);
  const survivor = await scene.worker('survivor', { queues, lease: LEASE });
  survivor.go();
  await scene.drained({ queues, timeout: 60_000 });
}, 180_000);

afterAll(async () => {
  await scene.close();
  await proxy.close();
});

describe('a worker that is killed', () => {
  it.each(POINTS.map((point) => [point.name, point.kinds.join(', '), point] as const))(
    '%s (%s)',
    async (_, _kinds, point) => {
      await deaths.get(point);
      for (const kind of point.kinds) {
        const id = `${queueOf(point)}-${kind}`;
        const attemptsOf = (worker: string) =>
          scene.journal
            .of('run', { id, worker })
            .filter((entry) => entry.worker === worker)
            .map(({ attempt }) => attempt);
        const runs = [attemptsOf(queueOf(point)), attemptsOf('survivor')];
        expect({ kind, runs }).toEqual({ kind, runs: point.attempts(kind) });
        expect(await scene.client.hget(`rq:job:${id}`, 'status')).toBe(STATUS[kind] ?? 'finished');
      }
    },
  );

  it('and has run jobs that others wait for, by themselves or as a group: these are told, once', async () => {
    const points = POINTS.filter(isGroup);
    const behind = await scene.client.lrange('rq:queue:behind', 0, -1);
    const children = POINTS.flatMap(idsOf).map((id) => `child-${id}`);
    const ends = points.map((point) => `behind-${queueOf(point)}`);
    expect(behind.toSorted()).toEqual([...children, ...ends].toSorted());
    for (const point of points) {
      const failed = point.kinds.includes('failed') ? 1 : 0;
      const finished = point.kinds.includes('finished') ? 1 : 0;
      const { total, ...counts } = await scene.queue('behind').group(queueOf(point)).status();
      expect(counts).toEqual({ pending: 0, finished, failed, canceled: 0 });
      expect(total).toBe(failed + finished);
    }
    await scene.queue('behind').empty();
  });

  it('leaves everything in its place', async () => {
    const queues = POINTS.map(queueOf);
    const jobs = (points: readonly Point[]) =>
      points.flatMap(idsOf).map((id) => ({ id, retries: 3 }));
    const told = POINTS.filter((point) => !isUntold(point));
    expect(await scene.audit(jobs(told), { queues })).toEqual([]);
    // Their first run stands in the journal, and not that it was given back.
    expect(await scene.audit(jobs(POINTS.filter(isUntold)), { queues, journal: [] })).toEqual([]);
  });
});
