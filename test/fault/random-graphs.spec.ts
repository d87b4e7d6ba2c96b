// Graphs of jobs at random over several queues, with jobs that fail, are canceled, deleted and requeued, while workers are
// killed. When all is quiet each job has the end that the graph says.
// `GRAPHS=500 npm run jest -- test/fault/random-graphs` is the long round; `GRAPHS_SEED=7` begins with another seed. In every
// second round a Python worker takes its share, where there is one. In the others of the long round Redis is killed, too:
// what an `rq worker` ran then would be missed for 90 seconds.
import { fileURLToPath } from 'node:url';
import { resolveDefaults, resolveJobOptions } from '../../lib/job/index.js';
import { Connections } from '../../lib/redis/index.js';
import { type NewJob, RedisJobStore } from '../../lib/store/index.js';
import { PythonRq, newestRq } from '../interop/python-rq.js';
import { eventually } from '../support/wait.js';
import {
  type Deed,
  type Facts,
  type GraphNode,
  QUEUES,
  graphOf,
  judge,
  randomOf,
} from './random-graphs.js';
import { type ActingWorker, Scene } from './scene.js';

const GRAPHS = Number(process.env['GRAPHS'] ?? 8);
const isLong = process.env['GRAPHS'] !== undefined;
const AT_ONCE = isLong ? 25 : GRAPHS / 2;
// The short round takes the same graphs each time, so that a failure of it is one of the change that was made.
const ANY_SEED = isLong ? 1 + (Date.now() % 1_000_000) : 1;
const FIRST_SEED = Number(process.env['GRAPHS_SEED'] ?? ANY_SEED);
const SEEDS = Array.from({ length: Math.ceil(GRAPHS / AT_ONCE) }, (_, at) => FIRST_SEED + at);
const KILLS = 3;
/** As Python finds it, in graph_tasks.py. */
const ACT = 'graph_tasks.act';
const WORKER = { queues: QUEUES, lease: 0.7, maxCrashes: 99, handler: { name: ACT } };
const HERE = fileURLToPath(new URL('.', import.meta.url));
const RQ = newestRq();
const isMixed = (seed: number) => RQ !== undefined && seed % 2 === 0;

let scene: Scene;
let store: RedisJobStore;
let python: PythonRq | undefined;

beforeEach(async () => {
  scene = await Scene.open(
    isLong ? { appendonly: true, args: ['--appendfsync', 'always'] } : undefined,
  );
  const connections = new Connections(scene.redis.url);
  await connections.connect();
  store = new RedisJobStore(connections);
  // Nothing is put right by looking for it.
  for (const queue of QUEUES) await scene.client.set(`rq:nrq:swept:${queue}`, '1', 'EX', 3600);
});

afterEach(async () => {
  await python?.close();
  python = undefined;
  await store.connections.close();
  await scene.close();
});

function newJob({ id, queue, parents, ifFailed, fails, takes, retries }: GraphNode): NewJob {
  const retry = retries > 0 ? { max: retries, interval: 0 } : undefined;
  return {
    queue,
    id,
    check: 'new',
    data: JSON.stringify([ACT, null, [{ fails, takes }], {}]),
    options: resolveJobOptions({ retry }, resolveDefaults(undefined)),
    meta: undefined,
    ...(parents.length > 0 && { waitsFor: { jobs: parents, ifFailed } }),
  };
}

class Round {
  readonly nodes: readonly GraphNode[];
  private readonly graphs: readonly (readonly GraphNode[])[];
  readonly deeds = new Map<string, Deed[]>();
  private readonly random: () => number;

  constructor(seed: number, graphs: number) {
    this.random = randomOf(seed);
    this.graphs = Array.from({ length: graphs }, (_, at) => graphOf(`s${seed}g${at}`, this.random));
    this.nodes = this.graphs.flat();
  }

  async enqueue(): Promise<void> {
    for (const nodes of this.graphs) await store.enqueue(nodes.map(newJob), 'all');
  }

  /** Somebody does something to one of the jobs, wherever it stands. */
  async act(): Promise<void> {
    const { id, queue } = this.nodes[Math.floor(this.random() * this.nodes.length)]!;
    const which = this.random();
    if (which < 0.4) {
      for (const failed of await scene.client.zrange(`rq:failed:${queue}`, '0', '2')) {
        await this.do(failed, 'requeue', () =>
          store.control(queue, failed, { type: 'requeue', front: this.random() < 0.5 }),
        );
      }
    } else if (which < 0.6) {
      await this.do(id, 'cancel', () =>
        store.control(queue, id, { type: 'cancel', dependents: 'end' }),
      );
    } else if (which < 0.75) {
      await this.do(id, 'release', () =>
        store.control(queue, id, { type: 'cancel', dependents: 'release' }),
      );
    } else {
      const dependents = which < 0.9 ? 'end' : 'delete';
      await this.do(id, dependents === 'end' ? 'delete' : 'delete all', () =>
        store.control(queue, id, { type: 'delete', dependents }),
      );
    }
  }

  async facts(): Promise<Facts> {
    const read = this.nodes.map(async ({ id }) => {
      return [id, (await scene.client.hget(`rq:job:${id}`, 'status')) ?? 'missing'] as const;
    });
    const status = new Map(await Promise.all(read));
    const journal = scene.journal.entries();
    const ended = [...this.deeds].filter(([, deeds]) => deeds.some((deed) => deed !== 'requeue'));
    const unsure = ended.map(([id]) => id).filter((id) => inPython().has(id));
    return { nodes: this.nodes, deeds: this.deeds, status, journal, unsure: new Set(unsure) };
  }

  /**
   * A Python worker of several queues takes a job without a trace, and may leave the entry of a run that is over in the
   * started registry, until the sweep finds it: its status alone tells.
   */
  async waitsForWorkers(): Promise<boolean> {
    const look = scene.client.multi();
    for (const { id } of this.nodes) look.hget(`rq:job:${id}`, 'status');
    const found = (await look.exec()) ?? [];
    return found.some(([, status]) => ['queued', 'started', 'scheduled'].includes(String(status)));
  }

  private async do(id: string, deed: Deed, act: () => Promise<{ answer: string }>): Promise<void> {
    if ((await act()).answer === 'done') this.deeds.set(id, [...(this.deeds.get(id) ?? []), deed]);
  }
}

/** Jobs that a Python worker has begun. */
function inPython(): Set<string | undefined> {
  return new Set(scene.journal.of('run', { worker: 'python' }).map(({ id }) => id));
}

/** One that is in its stride before any other worker is there: it would hardly get a job. */
async function startPython(): Promise<void> {
  python = new PythonRq(scene.redis.url, HERE, RQ);
  await scene.client.set('test:journal', scene.journal.path);
  const args = ['--worker-class', 'rq.SimpleWorker'];
  await python.worker(QUEUES, { name: 'python', args });
}

/** The round, up to when no job waits for a worker or runs. */
async function run(seed: number, graphs: number): Promise<Round> {
  const round = new Round(seed, graphs);
  const start = () => Promise.all(['first', 'second'].map((one) => scene.worker(one, WORKER)));
  let workers: ActingWorker[];
  if (isMixed(seed)) {
    await startPython();
    await round.enqueue();
    await scene.when('run', { worker: 'python' });
    workers = await start();
  } else {
    workers = await start();
    await round.enqueue();
  }
  const ran = () => scene.journal.of('run').length;
  const hasSettled = async () => (await scene.unsettled(QUEUES)) === 0;
  const isDrained = async () =>
    isMixed(seed) ? !(await round.waitsForWorkers()) : await hasSettled();
  const share = Math.max(1, Math.floor(round.nodes.length / (KILLS * 8)));
  for (let kill = 1; kill <= KILLS; kill += 1) {
    for (let deed = 0; deed < 6; deed += 1) {
      const target = ran() + share;
      await eventually(async () => ran() >= target || (await isDrained()), {
        what: 'some jobs to run',
        timeout: 20_000,
        every: 5,
      });
      await round.act();
    }
    const [doomed, other] = workers as [ActingWorker, ActingWorker];
    await doomed.kill();
    if (isLong && !isMixed(seed)) {
      await scene.redis.kill();
      await scene.redis.restart();
      await store.connections.ready(10_000);
    }
    workers = [other, await scene.worker(`next-${kill}`, WORKER)];
  }
  const rest = { what: 'all jobs to be settled', timeout: 20_000, every: 20 };
  await eventually(isDrained, rest);
  // Python tells nobody of its failures, and forgets some of its runs: that is what the sweep is for.
  const isAtRest = async () => (await isDrained()) && (await hasSettled());
  if (isMixed(seed)) await eventually(async () => !(await sweep()) && isAtRest(), rest);
  return round;
}

/** One turn of the sweep in each queue. Answers whether a job has stopped waiting for it. */
async function sweep(): Promise<boolean> {
  const waiting = () =>
    Promise.all(QUEUES.map((queue) => scene.client.zcard(`rq:deferred:${queue}`)));
  const before = await waiting();
  for (const queue of QUEUES) {
    await scene.client.del(`rq:nrq:swept:${queue}`);
    await store.recover(queue, { maxCrashes: 99, leaseMs: 700 });
  }
  return String(await waiting()) !== String(before);
}

it.each(SEEDS)(
  'each job has the end that its graph says (seed %d)',
  async (seed) => {
    const round = await run(seed, Math.min(GRAPHS, AT_ONCE));
    const facts = await round.facts();
    expect(judge(facts)).toEqual([]);
    const { status } = facts;
    const settled = [...status].filter(([, is]) => is !== 'missing' && is !== 'deferred');
    // Runs in Python are counted by nobody.
    const byPython = inPython();
    for (const ranInPython of [false, true]) {
      const jobs = settled.filter(([id]) => byPython.has(id) === ranInPython);
      const journal = ranInPython ? { journal: [] } : {};
      const found = await scene.audit(
        jobs.map(([id]) => ({ id })),
        { queues: QUEUES, planted: facts.unsure, ...journal },
      );
      // Python sets no time to live for the entry of a failure.
      const isPythons = (line: string) =>
        byPython.has(/^I2 "rq:results:(.*)": results kept for ever$/.exec(line)?.[1]);
      expect(found.filter((line) => !isPythons(line))).toEqual([]);
    }
    // Nobody is left in a set of whom nobody will be told any more.
    const sets = await scene.client.keys('rq:job:*:dependents');
    const over = sets.filter((key) => {
      const id = key.split(':')[2]!;
      return ['missing', 'finished'].includes(status.get(id) ?? 'missing') && !byPython.has(id);
    });
    expect(over).toEqual([]);
    expect(await scene.client.keys('rq:nrq:[eu]n*')).toEqual([]);

    // The judge sees what is wrong: here a job that was never released.
    const waited = round.nodes.find(
      ({ id, parents }) =>
        status.get(id) === 'finished' &&
        parents.length > 0 &&
        ![id, ...parents].some((one) => facts.unsure.has(one)),
    );
    const tampered = new Map(status).set(waited!.id, 'deferred');
    expect(judge({ ...facts, status: tampered })).toContainEqual(
      expect.stringContaining(`${waited!.id} `),
    );
  },
  120_000,
);
