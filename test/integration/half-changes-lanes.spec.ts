// Whatever Redis refuses in the middle of a script that touches jobs in lanes, no job is lost, runs twice or is in two
// places, and no slot is kept: when the obstacle is gone, the next calls and the sweep put everything where it belongs.
import type { Outcome } from '../../lib/job/index.js';
import type { ExchangeRequest, NewJob, RedisJobStore } from '../../lib/store/index.js';
import {
  control,
  empty,
  enqueue,
  exchange,
  limits,
  recover,
} from '../../lib/store/scripts/compiled.js';
import { type ClaimedJob, encodeGate, encodeLane } from '../../lib/wire/index.js';
import { Engine } from './support/engine.js';
import { FAILURE, newJob } from './support/graph.js';
import { LimitedUser } from './support/limited-user.js';

const engine = Engine.forThisFile();
const user = LimitedUser.forThisFile(engine);
const TOKEN = 'a'.repeat(16);
let limited: RedisJobStore;
let nextExecution = 0;
let nextCall = 0;

beforeAll(async () => {
  limited = await user.openStore();
});

const jobOf = (id: string, key: string, delay?: number): NewJob => ({
  ...newJob({ id, options: delay === undefined ? {} : { delay } }),
  lane: encodeLane('f', key),
});
/** Of key `a` one runs and one waits, of key `b` one runs. */
const JOBS = [jobOf('a1', 'a'), jobOf('a2', 'a'), jobOf('b1', 'b')];
const IDS = ['a1', 'a2', 'b1', 'c1'];
const none = { total: undefined, perKey: undefined, rate: undefined, keyRate: undefined };

async function exchangeOf(by: RedisJobStore, request: Partial<ExchangeRequest>) {
  nextExecution += 10;
  return by.exchange('jobs', {
    leaseMs: 60_000,
    worker: 'w',
    token: TOKEN,
    nextExecution,
    want: 0,
    suspects: { from: 99, takes: true, delay: 10 },
    woken: [],
    outcomes: [],
    call: { slot: 0, number: (nextCall += 1), isRepeated: false, renewsNotes: true },
    events: [],
    ...request,
  });
}

const claimBy = (by: RedisJobStore) => exchangeOf(by, { want: 5 });

/** A worker sends again what Redis could not write, until it can. */
async function settle(by: RedisJobStore, jobs: readonly ClaimedJob[], outcome: Outcome) {
  const outcomes = jobs.map((job) => ({ job, outcome, startedAt: 0, endedAt: 1 }));
  const { refused } = await exchangeOf(by, { outcomes });
  const again = refused.filter(({ status }) => status.startsWith('error '));
  if (again.length > 0) throw new Error(again[0]?.status);
}

async function waiting(): Promise<void> {
  const gates = new Map([['f', encodeGate({ ...none, total: 2, perKey: 1 }, { takesKeys: true })]]);
  await engine.store.limits.declare('jobs', { gates, plain: [], queue: undefined }, false);
  await engine.store.enqueue(JOBS, 'all');
}

async function running(): Promise<readonly ClaimedJob[]> {
  await waiting();
  return (await claimBy(engine.store)).claimed;
}

const finished: Outcome = { type: 'finished', result: '1' };
const failed: Outcome = { type: 'failed', failure: FAILURE };
const retrying: Outcome = {
  type: 'retrying',
  failure: FAILURE,
  delay: 0,
  front: false,
  policy: undefined,
  returned: true,
};
const end = { dependents: 'end' } as const;

/** All leases are over, and it is known that nobody was kept from renewing them. */
async function workersDie(): Promise<void> {
  for (const member of await engine.client.zrange('rq:wip:jobs', '0', '-1')) {
    await engine.client.zadd('rq:wip:jobs', '1', member);
  }
  await engine.client.del('rq:nrq:alive:jobs', 'rq:nrq:grace:jobs');
  await engine.client.zadd('rq:nrq:alive:jobs', Date.now(), '15000');
}

const look = (by: RedisJobStore) => by.recover('jobs', { maxCrashes: 99, leaseMs: 600_000 });

type Scenario = readonly [
  name: string,
  script: { readonly commands: readonly string[] },
  prepare: () => Promise<unknown>,
  act: (by: RedisJobStore, prepared: never) => Promise<unknown>,
];

const settling = (name: string, outcome: Outcome): Scenario => [
  name,
  exchange,
  running,
  (by, jobs: readonly ClaimedJob[]) => settle(by, jobs, outcome),
];

const SCENARIOS: readonly Scenario[] = [
  ['enqueued', enqueue, waiting, (by) => by.enqueue([jobOf('c1', 'a')], 'all')],
  ['claimed', exchange, waiting, claimBy],
  settling('finished', finished),
  settling('failed', failed),
  settling('retried', retrying),
  settling('given back', { type: 'released' }),
  settling('put off with their handler', {
    type: 'snoozed',
    delay: 5,
    scope: 'handler',
    name: 'f',
  }),
  [
    'due',
    exchange,
    async () => {
      await waiting();
      await engine.store.enqueue([jobOf('c1', 'a', 1000)], 'all');
      await engine.client.zadd('rq:scheduled:jobs', '1', 'c1');
    },
    claimBy,
  ],
  [
    'lost',
    recover,
    async () => {
      await running();
      await workersDie();
    },
    look,
  ],
  [
    'canceled while waiting',
    control,
    waiting,
    (by) => by.control('jobs', 'a2', { type: 'cancel', ...end }),
  ],
  [
    'canceled while running',
    control,
    running,
    (by) => by.control('jobs', 'a1', { type: 'cancel', ...end }),
  ],
  ['deleted', control, waiting, (by) => by.control('jobs', 'a1', { type: 'delete', ...end })],
  [
    'requeued',
    control,
    async () => settle(engine.store, await running(), failed),
    (by) => by.control('jobs', 'a1', { type: 'requeue', front: true }),
  ],
  ['emptied away', empty, waiting, (by) => by.empty('jobs')],
  [
    'limited otherwise',
    limits,
    waiting,
    (by) =>
      by.limits.set('jobs', { handler: 'f', key: undefined }, { ...none, total: 1 }, undefined),
  ],
];

/** What is wrong with the places of the jobs, with slots and counts. */
async function wrong(): Promise<string[]> {
  const problems: string[] = [];
  const { client } = engine;
  const held = await client.zrange('rq:nrq:held:jobs\tf', '0', '-1');
  const members = await client.zrange('rq:wip:jobs', '0', '-1');
  const lanes = await client.keys('rq:nrq:lane:jobs\t*');
  const inLanes = (await Promise.all(lanes.map((lane) => client.lrange(lane, 0, -1)))).flat();
  const inList = await client.lrange('rq:queue:jobs', 0, -1);
  for (const id of IDS) {
    const status = await client.hget(`rq:job:${id}`, 'status');
    const places = [
      // An id may stand there that is not to run any more, and one twice: whoever comes to it passes over it.
      ...(status === 'queued' && inLanes.includes(id) ? ['queued'] : []),
      ...inList.filter((one) => one === id).map(() => 'queued'),
      ...members.filter((one) => one.startsWith(`${id}:`)).map(() => 'started'),
    ];
    for (const registry of ['scheduled', 'finished', 'failed', 'canceled']) {
      if ((await client.zscore(`rq:${registry}:jobs`, id)) !== null) places.push(registry);
    }
    const should = status === null ? '' : status;
    if (places.join() !== should) problems.push(`${id}, ${status}, is in [${places.join()}]`);
  }
  const free = held.filter((one) => !members.includes(one.slice(one.indexOf('\t') + 1)));
  if (free.length > 0) problems.push(`slots of nobody: ${free.join()}`);
  const listed = await client.zrange('rq:nrq:lanes:jobs\tf', '0', '-1');
  // An empty lane that is listed is found by whoever serves it.
  const filled = lanes.map((lane) => lane.slice('rq:nrq:lane:jobs\tf\t'.length));
  const unlisted = filled.filter((key) => !listed.includes(key));
  if (unlisted.length > 0) problems.push(`lanes that nobody looks at: ${unlisted.join()}`);
  const isListed = (await client.zscore('rq:nrq:gates:jobs', 'f')) !== null;
  if (filled.length > 0 && !isListed) problems.push('the gate is not looked at');
  const count = Number((await client.hget('rq:nrq:flags:jobs', 'n')) ?? 0);
  if (count !== inLanes.length) problems.push(`${count} jobs in lanes, by the count`);
  return problems;
}

async function sweep(): Promise<void> {
  await engine.client.del('rq:nrq:swept:jobs');
  await look(engine.store);
}

/** Whoever worked is dead; everything that is left runs, and nothing of it stays. */
async function drain(): Promise<void> {
  await engine.client.zadd('rq:scheduled:jobs', 'XX', '1', 'c1');
  await workersDie();
  await sweep();
  for (let round = 0, idle = 0; round < 10 && idle < 2; round += 1) {
    const { claimed } = await claimBy(engine.store);
    if (claimed.length > 0) await settle(engine.store, claimed, finished);
    idle = claimed.length > 0 ? 0 : idle + 1;
  }
}

async function attempt([, , prepare, act]: Scenario, refused: string | undefined) {
  await engine.client.flushall();
  await user.mayAllBut();
  const prepared = (await prepare()) as never;
  if (refused !== undefined) await user.mayAllBut(refused);
  const isDone = await act(limited, prepared).then(
    () => true,
    () => false,
  );
  await user.mayAllBut();
  // Who was refused tries again, as workers do and users can.
  if (!isDone) await act(limited, prepared).catch(() => undefined);
  await exchangeOf(engine.store, {});
  await sweep();
  const problems = await wrong();
  // A handler that rests goes on.
  await new Promise((resolve) => setTimeout(resolve, 6));
  await drain();
  const rest = await wrong();
  const left = await engine.client.keys('rq:nrq:lane*');
  return [...problems, ...rest.map((one) => `at last: ${one}`), ...left];
}

describe('jobs in lanes are in their place, whatever is refused, when they are', () => {
  it.each(SCENARIOS.map((one) => [one[0], one] as const))(
    '%s',
    async (_, scenario) => {
      expect(await attempt(scenario, undefined)).toEqual([]);
      const found: object[] = [];
      for (const command of scenario[1].commands) {
        const problems = await attempt(scenario, command);
        if (problems.length > 0) found.push({ refused: command, problems });
      }
      expect(found).toEqual([]);
    },
    120_000,
  );
});
