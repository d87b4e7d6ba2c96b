// Rights that are taken from a worker while it works, one at a time, and given back. Each lane is a worker with a user, a
// queue and a part of the rights, so that the whole list takes no long time.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rightsOf } from '../../lib/store/rights.js';
import { Keyspace } from '../../lib/wire/index.js';
import { eventually } from '../support/wait.js';
import { type Act, Scene } from './scene.js';

const LANES = 6;
/** Nothing is late here: what a worker says is about its rights. */
const connection = { commandTimeout: 10_000, connectTimeout: 10_000 };

const { commands, keys, channels } = rightsOf('worker', new Keyspace());
const RIGHTS = [
  ...commands.map((command) => `+${command}`),
  ...keys.map((pattern) => `~${pattern}`),
  ...channels.map((pattern) => `&${pattern}`),
];

let scene: Scene;
const phases = new Map<string, Promise<Phase>>();
const acknowledged: { id: string; retries: number }[] = [];
const queues = Array.from({ length: LANES }, (_, lane) => `lane-${lane}`);

interface Phase {
  /** What the worker said while the right was missing. */
  readonly problems: readonly string[];
}

/** One job for each way to end, some after a while. */
const JOBS: Readonly<Record<string, Act>> = {
  quick: {},
  long: { takes: 300 },
  retrying: { fails: 1 },
  failed: { fails: 99 },
  canceled: { cancels: true },
  later: {},
};

async function enqueue(lane: string, phase: number): Promise<string[]> {
  const jobs = Object.entries(JOBS).map(([kind, data]) => ({
    name: 'act',
    data,
    options: {
      id: `${lane}-${phase}-${kind}`,
      delay: kind === 'later' ? 0.05 : undefined,
      retry: kind === 'retrying' ? { max: 3, interval: 0.05 } : undefined,
    },
  }));
  const ids = jobs.map(({ options }) => options.id);
  await scene.queue(lane).enqueueMany(jobs);
  // Python's: its result goes to a stream.
  const python = `${lane}-${phase}-python`;
  const data = '["act", null, [{}], {}]';
  await scene.client.hset(`rq:job:${python}`, {
    status: 'queued',
    data,
    success_callback_name: '',
  });
  await scene.client.rpush(`rq:queue:${lane}`, python);
  ids.push(python);
  acknowledged.push(...ids.map((id) => ({ id, retries: 3 })));
  return ids;
}

async function withRights(user: string, rights: readonly string[]): Promise<void> {
  const all = ['reset', 'on', '>password', '+client|setname', '+hello', '+quit'];
  await scene.client.acl('SETUSER', user, ...all, ...rights);
}

async function without(lane: string, right: string, phase: number): Promise<Phase> {
  const before = scene.journal.of('problem', { worker: lane }).length;
  const problems = () => scene.journal.of('problem', { worker: lane }).slice(before);
  await withRights(
    lane,
    RIGHTS.filter((one) => one !== right),
  );
  const ids = await enqueue(lane, phase);
  const isOver = async () => {
    const statuses = await Promise.all(
      ids.map((id) => scene.client.hget(`rq:job:${id}`, 'status')),
    );
    return statuses.every((status) => /finished|failed|canceled/.test(status ?? ''));
  };
  // What is kept for ever without `expire` is counted in the end: there all jobs are to have ended without it.
  const mayWait = right !== '+expire';
  await eventually(async () => (mayWait && problems().length > 0) || (await isOver()), {
    what: `${right} to be missed, or not`,
  });
  await withRights(lane, RIGHTS);
  await eventually(isOver, { what: `all to be well without ${right}` });
  return { problems: problems().map(({ message }) => String(message)) };
}

beforeAll(async () => {
  scene = await Scene.open();
  await Promise.all(
    queues.map(async (lane, number) => {
      await withRights(lane, RIGHTS);
      const url = `redis://${lane}:password@127.0.0.1:${scene.redis.port}`;
      await scene.worker(lane, { url, connection, queues: [lane], lease: 0.7 });
      for (const [index, right] of RIGHTS.entries()) {
        if (index % LANES !== number) continue;
        phases.set(right, without(lane, right, index));
        await phases.get(right)?.catch(() => undefined);
      }
    }),
  );
}, 120_000);

afterAll(() => scene.close());

describe('a right that is taken from a running worker and given back', () => {
  it.each(RIGHTS)(
    '%s: jobs end all the same, or the worker says what it may not',
    async (right) => {
      const phase = await phases.get(right);
      expect(phase?.problems.length).toBeLessThan(10);
      for (const problem of phase?.problems ?? []) {
        expect(problem).toMatch(/NOPERM|can't run this command|can't access|can't publish/);
      }
    },
  );

  it('leaves no half change', async () => {
    await scene.drained({ queues });
    // What may not be given an end is kept: the job, and with it its results.
    const phase = RIGHTS.indexOf('+expire');
    const kept = `rq:results:lane-${phase % LANES}-${phase}-python`;
    expect(await scene.audit(acknowledged, { queues })).toEqual([
      `I2 "${kept}": results kept for ever`,
    ]);
  });
});
