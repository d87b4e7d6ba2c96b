// A model of gates and lanes: random steps of producers, workers that crash, operators and Python, with what must hold
// checked after each. It talks to the store as workers do, and knows nothing of how the scripts work.
import type { Redis } from 'ioredis';
import { Connections } from '../../lib/redis/index.js';
import { RedisJobStore, type NewJob, type SettleRequest } from '../../lib/store/index.js';
import { encodeGate, encodeLane, encodeQueueLimits } from '../../lib/wire/index.js';
import type { ClaimedJob } from '../../lib/wire/index.js';
import { resolveDefaults } from '../../lib/job/index.js';

const QUEUE = 'q';
const LEASE_MS = 300;
const QUEUE_TOTAL = 20;
const TENANTS = ['a', 'b', 'c', 'd', 'e', ''];
/** Where jobs of one key have to meet. */
const FEW_TENANTS = ['a', 'b'];

interface GateSettings {
  readonly total?: number;
  readonly perKey?: number;
  readonly rate?: { readonly max: number; readonly per: number };
  readonly keyRate?: { readonly max: number; readonly per: number };
  readonly isKeyed: boolean;
  readonly batch?: { readonly size: number; readonly wait: number };
  readonly isStrict?: boolean;
}

const GATES: Readonly<Record<string, GateSettings>> = {
  work: { total: 6, perKey: 2, isKeyed: true },
  serial: { perKey: 1, isKeyed: true },
  rated: { keyRate: { max: 3, per: 150 }, isKeyed: true },
  turns: { isKeyed: true },
  solo: { total: 2, isKeyed: false },
  slow: { rate: { max: 4, per: 120 }, isKeyed: false },
  bulk: { total: 9, isKeyed: true, batch: { size: 4, wait: 30 } },
  strict: { perKey: 1, isKeyed: true, isStrict: true },
};

interface ModelJob {
  readonly name: string;
  readonly key: string;
  hasEnded: boolean;
  /** Its last run has put it off. */
  isPutOff: boolean;
}

interface ModelWorker {
  readonly name: string;
  readonly token: string;
  readonly concurrency: number;
  nextExecution: number;
  nextCall: number;
  held: ClaimedJob[];
}

export class FlowModel {
  private readonly store: RedisJobStore;
  private readonly jobs = new Map<string, ModelJob>();
  private readonly starts: { readonly name: string; readonly key: string; readonly at: number }[] =
    [];
  private workers: ModelWorker[] = [];
  private python: string[] = [];
  private serial = 0;
  /** Microseconds. */
  private lookedAt = -1;
  private state: number;
  /** Ids whose leases somebody else took away, or whose worker is dead: their slots are freed by a sweep. */
  private readonly taken = new Set<string>();

  constructor(
    private readonly redis: Redis,
    connections: Connections,
    private readonly seed: number,
  ) {
    this.store = new RedisJobStore(connections);
    this.state = seed >>> 0 || 1;
  }

  /** @throws when something does not hold, naming seed and step */
  async run(steps: number): Promise<void> {
    await this.declare();
    this.workers = [0, 1, 2, 3].map(() => this.newWorker());
    for (let step = 0; step < steps; step += 1) {
      const [name, act] = this.pick(STEPS);
      const [seconds, rest] = await this.redis.time();
      await act(this);
      // What had opened by then was noticed in this step, if it is one that looks.
      this.lookedAt = LOOKS.has(name) ? Number(seconds) * 1e6 + Number(rest) : -1;
      await this.check(`step ${step}, ${name}`);
    }
    await this.drain();
    this.checkRates();
    await this.checkNothingIsLeft();
  }

  async declare(): Promise<void> {
    const gates = new Map(
      Object.entries(GATES).map(([name, { total, perKey, rate, keyRate, batch, isStrict }]) => [
        name,
        encodeGate(
          { total, perKey, rate, keyRate },
          { takesKeys: false, batch, isStrict: isStrict === true },
        ),
      ]),
    );
    const queue = encodeQueueLimits({ total: QUEUE_TOTAL, rate: undefined });
    await this.store.limits.declare(QUEUE, { gates, plain: [], queue }, false);
  }

  async enqueue(): Promise<void> {
    const names = [...Object.keys(GATES), 'plain'];
    const jobs = Array.from({ length: 1 + this.below(12) }, (): NewJob => {
      const name = this.pick(names);
      const { isStrict, batch } = GATES[name] ?? {};
      const tenants = isStrict || batch ? FEW_TENANTS : TENANTS;
      const key = GATES[name]?.isKeyed ? this.pick(tenants) : '';
      const id = `j${(this.serial += 1)}`;
      this.jobs.set(id, { name, key, hasEnded: false, isPutOff: false });
      const options = {
        ...DEFAULTS.plainJob,
        resultTtl: 0,
        atFront: this.below(5) === 0,
        delay: this.below(5) === 0 ? 40 : 0,
      };
      const lane = GATES[name]?.isKeyed ? encodeLane(name, key) : undefined;
      const data = `["${name}",null,[],{}]`;
      return { queue: QUEUE, id, check: 'once', data, options, meta: undefined, lane };
    });
    await this.store.enqueue(jobs, 'all');
  }

  async exchange(
    worker = this.pick(this.workers),
    woken: string[] = [],
    endsAll = false,
  ): Promise<void> {
    const ended = worker.held.splice(0, endsAll ? Infinity : this.below(worker.held.length + 1));
    const outcomes = ended.map((job) => this.outcomeOf(job, endsAll));
    const want = Math.max(woken.length, worker.concurrency - slotsOf(worker.held));
    const reply = await this.store.exchange(QUEUE, {
      leaseMs: LEASE_MS,
      worker: worker.name,
      token: worker.token,
      nextExecution: worker.nextExecution,
      want,
      rooms: [
        { name: 'turns', room: 3, free: 3 },
        { name: 'bulk', room: want, free: Infinity, batch: 4 },
      ],
      suspects: { from: 2, takes: true, delay: 10 },
      woken,
      outcomes,
      call: {
        slot: 0,
        number: (worker.nextCall += 1),
        isRepeated: false,
        renewsNotes: false,
      },
      events: [],
    });
    worker.nextExecution += 4 * want;
    for (const [index, { job, outcome }] of outcomes.entries()) {
      const isRefused = reply.refused.some((refusal) => refusal.index === index);
      const known = this.jobs.get(job.id);
      const delay = 'delay' in outcome ? outcome.delay : 0;
      if (known && !isRefused) known.isPutOff = delay > 0;
    }
    await this.checkClaims(reply.claimed, want);
    if (reply.failure !== undefined) this.fail(`exchange failed: ${reply.failure}`);
    for (const { index, status } of reply.refused) {
      if (status.startsWith('error ')) this.fail(`outcome ${index}: ${status}`);
    }
    for (const job of reply.claimed) {
      const known = this.jobs.get(job.id) ?? this.fail(`claimed an unknown job ${job.id}`);
      if (known.hasEnded) this.fail(`claimed ${job.id} after its end`);
      known.isPutOff = false;
      this.starts.push({ ...known, at: reply.now });
    }
    worker.held.push(...reply.claimed);
  }

  /** Batches are of one key and take one slot; where order is strict, nobody passes a job that waits for its retry. */
  private async checkClaims(claimed: readonly ClaimedJob[], want: number): Promise<void> {
    if (slotsOf(claimed) > want) this.fail(`${slotsOf(claimed)} slots are used, ${want} were free`);
    for (const name of new Set(claimed.map(({ batch }) => batch))) {
      const jobs = name === undefined ? [] : claimed.filter(({ batch }) => batch === name);
      if (new Set(jobs.map(({ lane }) => lane)).size > 1) this.fail('a batch has several keys');
      if (jobs.length > (GATES['bulk']?.batch?.size ?? 0)) this.fail(`a batch of ${jobs.length}`);
    }
    for (const { id } of claimed) {
      const { name, key } = this.jobs.get(id) ?? {};
      if (name !== 'strict') continue;
      for (const [other, job] of this.jobs) {
        if (other === id || job.name !== name || job.key !== key || !job.isPutOff) continue;
        const status = await this.redis.hget(`rq:job:${other}`, 'status');
        if (status === 'scheduled')
          this.fail(`${id} has passed ${other}, which waits for its retry`);
      }
    }
  }

  /** A blocking read brings an id; its worker claims it, or dies before that. */
  async pop(): Promise<void> {
    const id = await this.redis.lmove(LIST, INTERMEDIATE, 'LEFT', 'RIGHT');
    if (id === null || this.below(7) === 0) return;
    await this.exchange(this.pick(this.workers), [id]);
  }

  crash(): void {
    const index = this.below(this.workers.length);
    for (const { id } of this.workers[index]?.held ?? []) this.taken.add(id);
    this.workers[index] = this.newWorker();
  }

  async recover(): Promise<void> {
    // Each look is one that takes its turn to sweep.
    await this.redis.del(`rq:nrq:swept:${QUEUE}`);
    await this.store.recover(QUEUE, { maxCrashes: 1000, leaseMs: LEASE_MS });
  }

  async cancelAsPython(): Promise<void> {
    const id = this.pick([...this.jobs.keys(), '']);
    if (id === '' || (await this.redis.hget(`rq:job:${id}`, 'status')) !== 'queued') return;
    await this.redis.hset(`rq:job:${id}`, 'status', 'canceled');
    await this.redis.lrem(LIST, 0, id);
  }

  async cancel(): Promise<void> {
    const id = this.pick([...this.jobs.keys(), '']);
    // Of one that runs, the slot is free when its worker hears of it.
    this.taken.add(id);
    if (id !== '') await this.store.control(QUEUE, id, { type: 'cancel', dependents: 'end' });
  }

  async deleteAsPython(): Promise<void> {
    const id = this.pick([...this.jobs.keys(), '']);
    if (id === '') return;
    await this.redis.multi().lrem(LIST, 0, id).zrem(SCHEDULED, id).del(`rq:job:${id}`).exec();
  }

  async pause(): Promise<void> {
    if (this.below(4) === 0) await this.store.pause(QUEUE);
    else await this.store.resume(QUEUE);
  }

  async override(): Promise<void> {
    const target = { handler: 'turns', key: this.below(2) === 0 ? 'a' : undefined };
    const none = { total: undefined, perKey: undefined, rate: undefined, keyRate: undefined };
    const limits = target.key === undefined ? { ...none, total: 1 } : { ...none, perKey: 0 };
    await this.store.limits.set(QUEUE, target, this.below(2) === 0 ? limits : undefined, 30);
  }

  async takeAsPython(): Promise<void> {
    const id = await this.redis.lpop(LIST);
    if (id === null || (await this.redis.hget(`rq:job:${id}`, 'status')) !== 'queued') return;
    await this.redis.hset(`rq:job:${id}`, 'status', 'started');
    await this.redis.zadd(STARTED, Date.now() / 1000 + 90, `${id}:python`);
    this.python.push(id);
  }

  async finishAsPython(): Promise<void> {
    const id = this.python.shift();
    if (id === undefined) return;
    await this.redis.multi().zrem(STARTED, `${id}:python`).del(`rq:job:${id}`).exec();
  }

  async renew(): Promise<void> {
    for (const { token, held } of this.workers) {
      const leases = held.map(({ id, execution }) => ({ id, execution }));
      if (leases.length > 0 && token !== '') await this.store.renew(QUEUE, LEASE_MS, leases);
    }
  }

  async wait(): Promise<void> {
    const milliseconds = this.below(20);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }

  /** What must hold at any moment. */
  private async check(where: string): Promise<void> {
    const fail = (what: string): never => this.fail(`${where}: ${what}`);
    const state = await this.look();
    for (const [gate, keys] of state.ofGate) {
      const isOpen = state.gates.has(gate);
      if (isOpen !== keys.length > 0)
        fail(
          `gate ${gate} has ${keys.length} lanes, and ${isOpen ? 'is' : 'is not'} among the gates`,
        );
      const waiting = [...state.lanes.keys()].filter((lane) => lane.startsWith(`${gate}\t`));
      const listed = keys.map((key) => `${gate}\t${key}`);
      if (waiting.toSorted().join() !== listed.toSorted().join())
        fail(`lanes of ${gate}: ${listed.join()} instead of ${waiting.join()}`);
    }
    const inLanes = [...state.lanes.values()].flat().length;
    if (inLanes !== state.count) fail(`${inLanes} jobs are in lanes, counted are ${state.count}`);
    this.checkLimits(state, fail);
    this.checkSleepers(state, fail);
    for (const [id, job] of this.jobs) {
      if (job.hasEnded) continue;
      const status = state.status.get(id);
      if (status === undefined || status === 'canceled') {
        job.hasEnded = true;
        continue;
      }
      const places = state.places.get(id) ?? [];
      const fits = { queued: QUEUED, started: ['started'], scheduled: ['scheduled'] }[status];
      if (places.length !== 1 || !fits?.includes(places[0] ?? ''))
        fail(`${status} job ${id} of ${job.name} is in [${places.join()}]`);
    }
  }

  private checkLimits(state: State, fail: (what: string) => never): void {
    const running = new Map<string, number>();
    const add = (name: string) => running.set(name, (running.get(name) ?? 0) + 1);
    let ours = 0;
    for (const id of state.started) {
      const job = this.jobs.get(id);
      if (!job || this.python.includes(id)) continue;
      ours += 1;
      add(job.name);
      add(`${job.name}\t${job.key}`);
    }
    if (ours > QUEUE_TOTAL) fail(`${ours} jobs of the queue run`);
    for (const [place, count] of running) {
      const [name = '', key] = place.split('\t');
      const limit = key === undefined ? GATES[name]?.total : GATES[name]?.perKey;
      if (limit !== undefined && count > limit) fail(`${count} jobs of ${place} run, ${limit} may`);
    }
    for (const [gate, holders] of state.held) {
      for (const { id, member } of holders) {
        if (state.leases.has(member) || this.taken.has(id)) continue;
        if (this.jobs.get(id)?.hasEnded === false)
          fail(`a slot of ${gate} is held by ${id}, which does not run`);
      }
    }
  }

  /** Nobody sleeps while there is something for it to do. */
  private checkSleepers(state: State, fail: (what: string) => never): void {
    if (state.isPaused || state.started.length >= QUEUE_TOTAL) return;
    for (const [gate, opensAt] of state.gates) {
      // The wake-ups of the model have no listeners: whoever is told is gone from the list.
      const sleepers = state.sleepers.filter((full) => !full.includes(`\t${gate}\t`));
      if (opensAt <= this.lookedAt && GATES[gate] && sleepers.length > 0)
        fail(`${gate} is open, and ${sleepers.length} workers sleep`);
    }
  }

  private async look(): Promise<State> {
    const keys = await this.redis.keys('rq:nrq:*');
    const lanes = new Map<string, string[]>();
    const places = new Map<string, string[]>();
    const put = (ids: readonly string[], place: string) => {
      for (const id of ids) places.set(id, [...(places.get(id) ?? []), place]);
    };
    const laneKeys = keys.filter((key) => key.startsWith(LANE));
    const gateNames = Object.keys(GATES);
    const batch = this.redis.multi().lrange(LIST, '0', '-1').lrange(INTERMEDIATE, '0', '-1');
    batch.zrange(STARTED, '0', '-1').zrange(SCHEDULED, '0', '-1').hget(FLAGS, 'n');
    batch
      .zrange(`rq:nrq:gates:${QUEUE}`, '0', '-1', 'WITHSCORES')
      .hgetall(`rq:nrq:asleep:${QUEUE}`);
    batch.exists(`rq:nrq:paused:${QUEUE}`);
    for (const key of laneKeys) batch.lrange(key, '0', '-1');
    for (const gate of gateNames) {
      batch
        .zrange(`rq:nrq:lanes:${QUEUE}\t${gate}`, '0', '-1')
        .zrange(`rq:nrq:held:${QUEUE}\t${gate}`, '0', '-1');
    }
    const live = [...this.jobs].flatMap(([id, { hasEnded }]) => (hasEnded ? [] : [id]));
    for (const id of live) batch.hget(`rq:job:${id}`, 'status');
    const replies = ((await batch.exec()) ?? []).map(([, reply]) => reply);
    const next = <T>() => replies.shift() as T;
    put(next(), 'list');
    put(next(), 'intermediate');
    const members = next<string[]>();
    const started = members.map((member) => member.slice(0, member.lastIndexOf(':')));
    put(started, 'started');
    put(next(), 'scheduled');
    const count = Number(next<string | null>() ?? 0);
    const scores = next<string[]>();
    const sleepers = Object.values(next<Record<string, string>>());
    const isPaused = next<number>() === 1;
    for (const key of laneKeys) {
      const ids = next<string[]>();
      lanes.set(key.slice(LANE.length), ids);
      put(ids, 'lane');
    }
    const ofGate = new Map<string, string[]>();
    const held: State['held'] = new Map();
    for (const gate of gateNames) {
      ofGate.set(gate, next());
      held.set(
        gate,
        next<string[]>().map((holder) => {
          const member = holder.slice(holder.lastIndexOf('\t') + 1);
          return { member, id: member.slice(0, member.lastIndexOf(':')) };
        }),
      );
    }
    const status = new Map<string, string>();
    for (const id of live) {
      const text = next<string | null>();
      if (text !== null) status.set(id, text);
    }
    const gates = new Map<string, number>();
    for (let at = 0; at < scores.length; at += 2)
      gates.set(scores[at] ?? '', Number(scores[at + 1]));
    const leases = new Set(members);
    return {
      lanes,
      ofGate,
      gates,
      held,
      places,
      started,
      leases,
      status,
      count,
      sleepers,
      isPaused,
    };
  }

  private async drain(): Promise<void> {
    await this.store.resume(QUEUE);
    for (const handler of [undefined, 'a']) {
      await this.store.limits.set(QUEUE, { handler: 'turns', key: handler }, undefined, undefined);
    }
    while (this.python.length > 0) await this.finishAsPython();
    const deadline = Date.now() + 20_000;
    for (;;) {
      for (const worker of this.workers) await this.exchange(worker, [], true);
      await this.recover();
      this.lookedAt = -1;
      await this.check('at the end');
      const live = [...this.jobs].filter(([, { hasEnded }]) => !hasEnded);
      if (live.length === 0) break;
      if (Date.now() > deadline)
        this.fail(
          `not drained: ${live
            .slice(0, 5)
            .map(([id]) => id)
            .join()}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const worker of this.workers) await this.exchange(worker, [], true);
  }

  /** No span of time holds more starts than its limit. */
  private checkRates(): void {
    for (const [name, { rate, keyRate }] of Object.entries(GATES)) {
      const limit = rate ?? keyRate;
      if (!limit) continue;
      const groups = new Map<string, number[]>();
      for (const start of this.starts) {
        if (start.name !== name) continue;
        const group = keyRate ? start.key : '';
        groups.set(group, [...(groups.get(group) ?? []), start.at]);
      }
      for (const times of groups.values()) {
        for (let at = limit.max; at < times.length; at += 1) {
          const span = (times[at] ?? 0) - (times[at - limit.max] ?? 0);
          if (span < limit.per - 1)
            this.fail(`${limit.max + 1} starts of ${name} within ${span} ms`);
        }
      }
    }
  }

  private async checkNothingIsLeft(): Promise<void> {
    await this.recover();
    const keys = await this.redis.keys('rq:nrq:*');
    const left = keys.filter((key) => /:(gates|lanes?|held|gathers|strict):/.test(key));
    if (left.length > 0) this.fail(`left over: ${left.join()}`);
    for (const id of this.jobs.keys()) {
      const status = await this.redis.hget(`rq:job:${id}`, 'status');
      if (status !== null && status !== 'canceled') this.fail(`${id} is ${status} after its end`);
    }
  }

  private outcomeOf(job: ClaimedJob, ends: boolean): SettleRequest {
    const now = Date.now();
    const isStrict = this.jobs.get(job.id)?.name === 'strict';
    const draw = ends ? 0 : isStrict ? 5 + this.below(5) : this.below(10);
    const times = { startedAt: now, endedAt: now };
    const failure = { name: 'Error', message: '', stack: '' };
    if (draw < 7) return { job, outcome: { type: 'finished', result: undefined }, ...times };
    if (draw === 7) return { job, outcome: { type: 'released' }, ...times };
    if (draw === 8) return { job, outcome: { type: 'snoozed', delay: 20 }, ...times };
    const delay = this.below(2) * 30;
    const policy = undefined;
    return {
      job,
      outcome: { type: 'retrying', failure, delay, front: false, policy, returned: true },
      ...times,
    };
  }

  private newWorker(): ModelWorker {
    const number = (this.serial += 1);
    const token = number.toString(16).padStart(32, '0');
    const concurrency = 1 + this.below(8);
    return { name: `w${number}`, token, concurrency, nextExecution: 0, nextCall: 0, held: [] };
  }

  private fail(what: string): never {
    throw new Error(`seed ${this.seed}: ${what}`);
  }

  private below(most: number): number {
    this.state = (Math.imul(this.state ^ (this.state >>> 15), 2246822519) + 3266489917) >>> 0;
    return Math.floor((this.state / 2 ** 32) * most);
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** How many slots of a worker they take. */
function slotsOf(jobs: readonly ClaimedJob[]): number {
  const batches = new Set(jobs.map(({ batch }) => batch).filter((batch) => batch !== undefined));
  return batches.size + jobs.filter(({ batch }) => batch === undefined).length;
}

interface State {
  readonly lanes: ReadonlyMap<string, readonly string[]>;
  readonly ofGate: ReadonlyMap<string, readonly string[]>;
  /** When each opens, microseconds. */
  readonly gates: ReadonlyMap<string, number>;
  readonly held: Map<string, { readonly id: string; readonly member: string }[]>;
  readonly places: ReadonlyMap<string, readonly string[]>;
  readonly started: readonly string[];
  readonly leases: ReadonlySet<string>;
  readonly status: ReadonlyMap<string, string>;
  readonly count: number;
  /** Of each worker that sleeps: the gates of which it takes no more, between tabs. */
  readonly sleepers: readonly string[];
  readonly isPaused: boolean;
}

const DEFAULTS = resolveDefaults(undefined);
const LIST = `rq:queue:${QUEUE}`;
const INTERMEDIATE = `${LIST}:intermediate`;
const STARTED = `rq:wip:${QUEUE}`;
const SCHEDULED = `rq:scheduled:${QUEUE}`;
const FLAGS = `rq:nrq:flags:${QUEUE}`;
const LANE = `rq:nrq:lane:${QUEUE}\t`;
const LOOKS: ReadonlySet<string> = new Set(['enqueue', 'exchange', 'recover']);
const QUEUED = ['list', 'intermediate', 'lane'];

type Step = readonly [name: string, act: (model: FlowModel) => Promise<void> | void];

const WEIGHTS: readonly (readonly [weight: number, ...Step])[] = [
  [30, 'enqueue', (model) => model.enqueue()],
  [140, 'exchange', (model) => model.exchange()],
  [40, 'pop', (model) => model.pop()],
  [4, 'crash', (model) => model.crash()],
  [20, 'recover', (model) => model.recover()],
  [5, "Python's cancel", (model) => model.cancelAsPython()],
  [5, 'cancel', (model) => model.cancel()],
  [3, "Python's delete", (model) => model.deleteAsPython()],
  [7, 'pause', (model) => model.pause()],
  [4, 'override', (model) => model.override()],
  [8, 'Python takes one', (model) => model.takeAsPython()],
  [8, 'Python ends one', (model) => model.finishAsPython()],
  [30, 'renew', (model) => model.renew()],
  [20, 'wait', (model) => model.wait()],
];

const STEPS: readonly Step[] = WEIGHTS.flatMap(([weight, name, act]) =>
  Array.from({ length: weight }, (): Step => [name, act]),
);
