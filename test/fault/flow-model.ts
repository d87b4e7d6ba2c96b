// A model of gates, lanes and levels: random steps of producers, workers that claim ahead and crash, operators and Python,
// with what must hold checked after each. It talks to the store as workers do, and knows nothing of how the scripts work.
import type { Redis } from 'ioredis';
import { resolveDefaults } from '../../lib/job/index.js';
import { Connections } from '../../lib/redis/index.js';
import {
  RedisJobStore,
  type ControlAction,
  type ExchangeReply,
  type NewJob,
  type SettleRequest,
} from '../../lib/store/index.js';
import { encodeLane, encodeQueueLimits } from '../../lib/wire/index.js';
import type { ClaimedJob } from '../../lib/wire/index.js';
import {
  type ModelJob,
  type Start,
  faultIn,
  faultInClaims,
  faultInRates,
  slotsOf,
} from './flow-checks.js';
import { noMoves } from './flow-order.js';
import {
  GATES,
  LEVELS,
  LEVELS_IN_LANES,
  NAMES,
  QUEUE_TOTAL,
  TURNS_ROOM,
  keysOf,
  textOf,
} from './flow-settings.js';
import { type View, keysOfQueue, viewOf } from './flow-view.js';

const LEASE_MS = 300;

interface ModelWorker {
  readonly name: string;
  readonly token: string;
  readonly concurrency: number;
  /** How many jobs it claims beyond that, at most. */
  readonly prefetch: number;
  nextExecution: number;
  nextCall: number;
  held: ClaimedJob[];
}

export class FlowModel {
  private readonly store: RedisJobStore;
  private readonly queue: string;
  private readonly names: ReturnType<typeof keysOfQueue>;
  /** Of the queue as a whole; it has one in every other seed. */
  private readonly total: number | undefined;
  private readonly jobs = new Map<string, ModelJob>();
  private readonly starts: Start[] = [];
  private workers: ModelWorker[] = [];
  private python: string[] = [];
  private serial = 0;
  private state: number;
  private view!: View;
  private moves = noMoves();
  /** Ids whose leases somebody else took away, or whose worker is dead: their slots are freed by a sweep. */
  private readonly taken = new Set<string>();

  constructor(
    private readonly redis: Redis,
    connections: Connections,
    private readonly seed: number,
  ) {
    this.store = new RedisJobStore(connections);
    this.state = seed >>> 0 || 1;
    this.queue = `q${seed}`;
    this.names = keysOfQueue(this.queue);
    this.total = seed % 2 === 0 ? QUEUE_TOTAL : undefined;
  }

  /**
   * @param signal ends it early
   * @throws when something does not hold, naming seed and step
   */
  async run(steps: number, signal?: AbortSignal): Promise<void> {
    await this.declare();
    this.workers = [0, 1, 2, 3].map(() => this.newWorker());
    await this.check('at the start', -1);
    for (let step = 0; step < steps; step += 1) {
      if (signal?.aborted) return;
      const [name, act] = this.pick(STEPS);
      const [seconds, rest] = await this.redis.time();
      await act(this);
      // What had opened by then was noticed in this step, if it is one that looks.
      const lookedAt = LOOKS.has(name) ? Number(seconds) * 1e6 + Number(rest) : -1;
      await this.check(`step ${step}, ${name}`, lookedAt);
    }
    await this.drain(signal);
    await this.checkNothingIsLeft();
  }

  async declare(): Promise<void> {
    const gates = new Map(Object.keys(GATES).map((name) => [name, textOf(name)]));
    const queue = encodeQueueLimits({ total: this.total, rate: undefined });
    await this.store.limits.declare(this.queue, { gates, plain: [], queue }, false);
  }

  async enqueue(): Promise<void> {
    const jobs = Array.from({ length: 1 + this.below(12) }, (): NewJob => {
      const name = this.pick(NAMES);
      const isPlain = GATES[name] === undefined;
      return this.newJob(`${this.queue}-${(this.serial += 1)}`, {
        name,
        key: this.pick(keysOf(name)),
        level: this.pick(isPlain ? LEVELS : LEVELS_IN_LANES),
      });
    });
    await this.store.enqueue(jobs, 'all');
  }

  /** An id is enqueued again of which Python has deleted the job: where that waited, its id still stands. */
  async enqueueAgain(): Promise<void> {
    const gone = [...this.jobs].filter(([, { isDeleted }]) => isDeleted);
    if (gone.length === 0) return;
    const [id, { name, key, level }] = this.pick(gone);
    await this.store.enqueue([this.newJob(id, { name, key, level, isDouble: true })], 'all');
  }

  private newJob(id: string, job: Pick<ModelJob, 'name' | 'key' | 'level'> & Partial<ModelJob>) {
    const { name, key, level } = job;
    const atFront = this.below(5) === 0;
    const delay = this.below(5) === 0 ? 40 : 0;
    const isPlain = GATES[name] === undefined;
    this.jobs.set(id, { ...NEW, isPlain, goesFirst: atFront && delay > 0, ...job });
    const isAtHead = atFront || (!isPlain && level === 'high');
    if (delay === 0) this.moves.place.set(id, isAtHead ? 'head' : 'tail');
    this.moves.together.push(id);
    const lane = GATES[name]?.isKeyed ? encodeLane(name, key) : undefined;
    const data = `["${name}",null,[],{}]`;
    const options = { ...DEFAULTS.plainJob, resultTtl: 0, atFront, delay, level };
    return { queue: this.queue, id, check: 'once' as const, data, options, meta: undefined, lane };
  }

  /** Python knows no keys, and puts jobs of a level into its list. */
  async enqueueAsPython(): Promise<void> {
    const name = this.pick(NAMES);
    const level = this.pick(LEVELS);
    const id = `${this.queue}-${(this.serial += 1)}`;
    const isPlain = GATES[name] === undefined;
    const isUnsorted = !isPlain;
    this.jobs.set(id, { ...NEW, name, key: this.pick(keysOf(name)), level, isPlain, isUnsorted });
    this.moves.place.set(id, GATES[name] ? 'any' : 'tail');
    const origin = level === undefined ? this.queue : `${this.queue}!${level}`;
    const fields = { origin, status: 'queued', data: `["${name}",null,[],{}]`, result_ttl: '0' };
    await this.redis
      .multi()
      .hset(`rq:job:${id}`, fields)
      .rpush(this.names[level ?? 'list'], id)
      .exec();
  }

  async exchange(
    worker = this.pick(this.workers),
    woken: string[] = [],
    endsAll = false,
  ): Promise<void> {
    const ended = worker.held.splice(0, endsAll ? Infinity : this.below(worker.held.length + 1));
    const outcomes = ended.map((job) => this.outcomeOf(job, endsAll));
    // What has no slot runs in those that are free first.
    const used = slotsOf(worker.held);
    const slots = Math.max(woken.length, worker.concurrency - used);
    const waiting = Math.max(0, used - worker.concurrency);
    const ahead = Math.max(0, worker.prefetch - waiting);
    const want = slots + ahead;
    const reply = await this.store.exchange(this.queue, {
      leaseMs: LEASE_MS,
      worker: worker.name,
      token: worker.token,
      nextExecution: worker.nextExecution,
      want,
      ahead,
      rooms: [
        { name: 'turns', room: TURNS_ROOM, free: TURNS_ROOM },
        { name: 'bulk', room: want, free: Infinity, batch: 4 },
      ],
      suspects: { from: 2, takes: true, delay: 10 },
      woken,
      outcomes,
      call: { slot: 0, number: (worker.nextCall += 1), isRepeated: false, renewsNotes: false },
      events: [],
    });
    worker.nextExecution += 4 * want;
    Object.assign(this.moves, { want, isLimited: reply.limited, woken: new Set(woken) });
    this.noteOutcomes(outcomes, reply);
    const fault = faultInClaims(reply.claimed, { slots, want }, this.jobs);
    if (fault !== undefined) this.fail(fault);
    await this.checkStrictOrder(reply.claimed);
    if (reply.failure !== undefined) this.fail(`exchange failed: ${reply.failure}`);
    for (const job of reply.claimed) {
      const known = this.jobs.get(job.id) ?? this.fail(`claimed an unknown job ${job.id}`);
      if (known.hasEnded) this.fail(`claimed ${job.id} after its end`);
      known.isPutOff = false;
      known.hasRun = true;
      // A gate without keys knows it by its name.
      if (job.lane !== undefined) known.isUnsorted = false;
      this.moves.claimed.push(job.id);
      // One whose lane is not known yet is handed back unstarted.
      if (!known.isUnsorted) this.starts.push({ ...known, at: reply.now });
    }
    worker.held.push(...reply.claimed);
  }

  /** Where those go that have not ended. */
  private noteOutcomes(outcomes: readonly SettleRequest[], { refused }: ExchangeReply): void {
    for (const { index, status } of refused) {
      if (status.startsWith('error ')) this.fail(`outcome ${index}: ${status}`);
    }
    for (const [index, { job, outcome }] of outcomes.entries()) {
      const known = this.jobs.get(job.id);
      if (!known || refused.some((refusal) => refusal.index === index)) continue;
      const { type } = outcome;
      const isLater = 'delay' in outcome && outcome.delay > 0;
      const restsWithOthers = type === 'snoozed' && outcome.scope !== 'job';
      known.isPutOff = isLater && !restsWithOthers;
      if (type === 'sorted') {
        known.isUnsorted = false;
        this.moves.place.set(job.id, 'any');
      } else if (type === 'released' || restsWithOthers) {
        this.moves.place.set(job.id, 'head');
      } else if (type === 'retrying' && !isLater) {
        this.moves.place.set(job.id, known.isPlain ? 'tail' : 'head');
      }
    }
  }

  /** Nobody passes a job that waits for its retry. */
  private async checkStrictOrder(claimed: readonly ClaimedJob[]): Promise<void> {
    for (const { id } of claimed) {
      const { name, key, isUnsorted } = this.jobs.get(id) ?? NEW;
      if (name !== 'strict' || isUnsorted) continue;
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
    const { list, intermediate } = this.names;
    const id = await this.redis.lmove(list, intermediate, 'LEFT', 'RIGHT');
    if (id === null) return;
    if (this.below(7) === 0) {
      // Of what Python has put into a level, the bell alone said so, and that is lost with the worker.
      const isKnown = await this.redis.hexists(`rq:job:${id}`, 'nrq_level');
      if (isKnown === 0) this.change(id, { level: undefined, lostLevel: this.jobs.get(id)?.level });
      return;
    }
    await this.exchange(this.pick(this.workers), [id]);
  }

  crash(): void {
    const index = this.below(this.workers.length);
    for (const { id } of this.workers[index]?.held ?? []) this.taken.add(id);
    this.workers[index] = this.newWorker();
  }

  async recover(): Promise<void> {
    // Each look is one that takes its turn to sweep, and the machine of the test may be slow: that is no outage.
    const { alive, grace, swept } = this.names;
    await this.redis.multi().del(swept, grace).zadd(alive, Date.now(), String(LEASE_MS)).exec();
    await this.store.recover(this.queue, { maxCrashes: 1000, leaseMs: LEASE_MS });
  }

  async cancelAsPython(): Promise<void> {
    const id = this.pick([...this.jobs.keys(), '']);
    if (id === '' || (await this.statusOf(id)) !== 'queued') return;
    // Where else it stands it is a ghost, and may be requeued meanwhile.
    this.change(id, { isDouble: true });
    await this.redis
      .multi()
      .hset(`rq:job:${id}`, 'status', 'canceled')
      .lrem(this.names.list, 0, id)
      .zadd(`rq:canceled:${this.queue}`, '+inf', id)
      .exec();
  }

  async deleteAsPython(): Promise<void> {
    const id = this.pick([...this.jobs.keys(), '']);
    if (id === '') return;
    const isDeleted = ['queued', 'scheduled'].includes(await this.statusOf(id));
    this.change(id, { isDeleted });
    const { list, scheduled } = this.names;
    await this.redis.multi().lrem(list, 0, id).zrem(scheduled, id).del(`rq:job:${id}`).exec();
  }

  /** What an operator does to one job. */
  async control(): Promise<void> {
    const id = this.pick([...this.jobs.keys(), '']);
    const action = this.pick(ACTIONS);
    if (id === '') return;
    // Of one that runs, the slot is free when its worker hears of it.
    if (action.type === 'cancel' || action.type === 'delete') this.taken.add(id);
    const { answer } = await this.store.control(this.queue, id, action);
    const job = this.jobs.get(id);
    if (action.type !== 'requeue' || answer !== 'done' || !job) return;
    // Where Python has put it alone said its level, and it was taken out of there.
    const isKnown = (await this.redis.hexists(`rq:job:${id}`, 'nrq_level')) === 1;
    const level = isKnown ? job.level : undefined;
    const isAtHead = action.front || (!job.isPlain && level === 'high');
    this.change(id, { hasEnded: false, hasRun: false, isPutOff: false, level });
    this.moves.place.set(id, isAtHead ? 'head' : 'tail');
  }

  async pause(): Promise<void> {
    if (this.below(4) === 0) await this.store.pause(this.queue);
    else await this.store.resume(this.queue);
  }

  async override(): Promise<void> {
    const target = { handler: 'turns', key: this.below(2) === 0 ? 'a' : undefined };
    const none = { total: undefined, perKey: undefined, rate: undefined, keyRate: undefined };
    const limits = target.key === undefined ? { ...none, total: 1 } : { ...none, perKey: 0 };
    await this.store.limits.set(this.queue, target, this.below(2) === 0 ? limits : undefined, 30);
  }

  async takeAsPython(): Promise<void> {
    const id = await this.redis.lpop(this.names.list);
    if (id === null || (await this.statusOf(id)) !== 'queued') return;
    await this.redis.hset(`rq:job:${id}`, 'status', 'started');
    await this.redis.zadd(this.names.started, Date.now() / 1000 + 900, `${id}:python`);
    this.python.push(id);
  }

  async finishAsPython(): Promise<void> {
    const id = this.python.shift();
    if (id === undefined) return;
    const { started } = this.names;
    await this.redis.multi().zrem(started, `${id}:python`).del(`rq:job:${id}`).exec();
  }

  async renew(): Promise<void> {
    for (const { held } of this.workers) {
      const leases = held.map(({ id, execution }) => ({ id, execution }));
      if (leases.length > 0) await this.store.renew(this.queue, LEASE_MS, leases);
    }
  }

  async wait(): Promise<void> {
    const milliseconds = this.below(20);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }

  /** What must hold at any moment. */
  private async check(where: string, lookedAt: number): Promise<void> {
    const after = await viewOf(this.redis, this.queue, this.live);
    const before = this.view ?? after;
    const { moves } = this;
    this.view = after;
    this.moves = noMoves();
    for (const [id, job] of this.jobs) {
      const status = after.status.get(id);
      if (!job.hasEnded && (status === undefined || ENDED.has(status))) job.hasEnded = true;
      // It came back before anybody had silenced the bell.
      if (job.lostLevel !== undefined && after.bell?.id === id)
        this.change(id, { level: job.lostLevel, lostLevel: undefined });
      // What waited for a time or another chance comes where it belongs.
      if (!moves.place.has(id)) moves.place.set(id, this.placeOfReturn(id, job, before));
    }
    const fault = faultIn(before, after, moves, {
      jobs: this.jobs,
      taken: this.taken,
      python: this.python,
      total: this.total,
      lookedAt,
    });
    if (fault !== undefined) this.fail(`${where}: ${fault}`);
    const excess = moves.claimed.length > 0 ? faultInRates(this.starts) : undefined;
    if (excess !== undefined) this.fail(`${where}: ${excess}`);
  }

  /** Where a job comes into its line that was in none. */
  private placeOfReturn(id: string, job: ModelJob, before: View): 'head' | 'tail' | 'any' {
    const places = before.places.get(id) ?? [];
    if (places.length !== 1 || job.isUnsorted) return 'any';
    // Its worker has died, or the one that a blocking read had brought it to.
    if (places[0] === 'started' || places[0] === 'intermediate') return 'head';
    if (places[0] !== 'scheduled') return 'any';
    if (job.goesFirst) return 'head';
    if (job.isPlain) return 'tail';
    return job.hasRun || job.level === 'high' ? 'head' : 'tail';
  }

  private async drain(signal?: AbortSignal): Promise<void> {
    await this.store.resume(this.queue);
    for (const key of [undefined, 'a']) {
      await this.store.limits.set(this.queue, { handler: 'turns', key }, undefined, undefined);
    }
    while (this.python.length > 0) await this.finishAsPython();
    await this.check('at the end', -1);
    const deadline = Date.now() + 200_000;
    for (let turn = 0; this.live.length > 0; turn += 1) {
      if (signal?.aborted) return;
      const worker = this.workers[turn % this.workers.length] as ModelWorker;
      await this.exchange(worker, [], true);
      await this.check('at the end', -1);
      if (turn % 8 === 0) {
        await this.recover();
        await this.check('at the end', -1);
      }
      if (Date.now() > deadline) this.fail(`not drained: ${this.left()}`);
      // What is left waits for a time.
      if (worker.held.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    for (const worker of this.workers) await this.exchange(worker, [], true);
  }

  /** What could not be drained, for the message. */
  private left(): string {
    const some = this.live.slice(0, 5).map((id) => {
      const { name = '', level } = this.jobs.get(id) ?? {};
      const places = this.view.places.get(id)?.map((place) => JSON.stringify(place));
      return `${id} of ${name} ${level ?? ''} in [${places?.join()}]`;
    });
    return some.join();
  }

  /** Ids of jobs that have not ended, as far as is known. */
  private get live(): string[] {
    return [...this.jobs].flatMap(([id, { hasEnded }]) => (hasEnded ? [] : [id]));
  }

  private async checkNothingIsLeft(): Promise<void> {
    const deadline = Date.now() + 30_000;
    // Leases of workers that are dead end by themselves.
    for (let left = ['?']; left.length > 0; left = await this.keysLeft()) {
      if (Date.now() > deadline) this.fail(`left over: ${left.join()}`);
      await this.recover();
    }
    for (const id of this.jobs.keys()) {
      const status = await this.statusOf(id);
      if (status !== '' && !ENDED.has(status)) this.fail(`${id} is ${status} after its end`);
    }
  }

  private async keysLeft(): Promise<string[]> {
    const keys = await this.redis.keys(`rq:*${this.queue}*`);
    return keys.filter((key) => {
      const [name = ''] = key.split('\t');
      const isOurs = name.endsWith(`:${this.queue}`) || name.includes(`:${this.queue}!`);
      return isOurs && /:(gates|lanes?|held|gathers|strict|queue|wip|scheduled):/.test(key);
    });
  }

  private outcomeOf(job: ClaimedJob, ends: boolean): SettleRequest {
    const now = Date.now();
    const times = { startedAt: now, endedAt: now };
    const failure = { name: 'Error', message: '', stack: '' };
    const { name, key, isPlain, isUnsorted } = this.jobs.get(job.id) ?? NEW;
    if (isUnsorted) {
      return {
        job,
        outcome: { type: 'sorted', lane: encodeLane(name, key), gate: textOf(name) },
        ...times,
      };
    }
    const draw = ends ? 0 : name === 'strict' ? 5 + this.below(6) : this.below(11);
    if (draw < 6) return { job, outcome: { type: 'finished', result: undefined }, ...times };
    if (draw === 6) return { job, outcome: { type: 'failed', failure }, ...times };
    if (draw === 7) return { job, outcome: { type: 'released' }, ...times };
    if (draw === 8) {
      const scope = this.pick(isPlain ? SCOPES_OF_PLAIN : SCOPES);
      return { job, outcome: { type: 'snoozed', delay: 20, scope, name }, ...times };
    }
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
    const token = (this.seed * 1_000_000 + number).toString(16).padStart(32, '0');
    const concurrency = 1 + this.below(8);
    const prefetch = this.below(2) * this.below(8);
    const name = `${this.queue}w${number}`;
    return { name, token, concurrency, prefetch, nextExecution: 0, nextCall: 0, held: [] };
  }

  private async statusOf(id: string): Promise<string> {
    return (await this.redis.hget(`rq:job:${id}`, 'status')) ?? '';
  }

  private change(id: string, change: Partial<ModelJob>): void {
    const job = this.jobs.get(id);
    if (job) this.jobs.set(id, { ...job, ...change });
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

const NEW: ModelJob = {
  name: '',
  key: '',
  level: undefined,
  isPlain: false,
  isUnsorted: false,
  isDouble: false,
  isDeleted: false,
  goesFirst: false,
  hasRun: false,
  hasEnded: false,
  isPutOff: false,
};

const DEFAULTS = resolveDefaults(undefined);
const ENDED: ReadonlySet<string> = new Set(['canceled', 'failed']);
const LOOKS: ReadonlySet<string> = new Set(['enqueue', 'exchange', 'recover']);
const SCOPES = ['job', 'key', 'handler', 'queue'] as const;
const SCOPES_OF_PLAIN = ['job', 'job', 'queue'] as const;
const ACTIONS: readonly ControlAction[] = [
  { type: 'cancel', dependents: 'end' },
  { type: 'cancel', dependents: 'end' },
  { type: 'delete', dependents: 'end' },
  { type: 'promote' },
  { type: 'requeue', front: false },
  { type: 'requeue', front: true },
];

type Step = readonly [name: string, act: (model: FlowModel) => Promise<void> | void];

const WEIGHTS: readonly (readonly [weight: number, ...Step])[] = [
  [30, 'enqueue', (model) => model.enqueue()],
  [6, 'enqueue again', (model) => model.enqueueAgain()],
  [10, 'Python enqueues', (model) => model.enqueueAsPython()],
  [140, 'exchange', (model) => model.exchange()],
  [40, 'pop', (model) => model.pop()],
  [4, 'crash', (model) => model.crash()],
  [20, 'recover', (model) => model.recover()],
  [5, "Python's cancel", (model) => model.cancelAsPython()],
  [5, "Python's delete", (model) => model.deleteAsPython()],
  [20, 'control', (model) => model.control()],
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
