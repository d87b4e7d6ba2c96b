import type { RedisAccess } from '../redis/access.js';
import type { Keyspace } from '../wire/keyspace.js';
import {
  decodeGate,
  decodeOverride,
  decodeQueueLimits,
  encodeOverride,
} from '../wire/limit-text.js';
import type {
  LimitChange,
  LimitDeclaration,
  LimitOverride,
  LimitStore,
  LimitTarget,
  StoredLane,
  StoredLimits,
  StoredUse,
  StoredWait,
} from './limit-store.js';
import { LANES, LANES_AT_ONCE, decodeLanes } from './scripts/lanes.js';
import { LIMIT_USES, USES_AT_ONCE, decodeUses, encodeTargets } from './scripts/limit-uses.js';
import { MAY_START } from './scripts/may-start.js';
import { LIMITS, decodeChanges, encodeDeclaration, encodeSetting } from './scripts/limits.js';
import { WAITS, decodeWait } from './scripts/waits.js';

/** Limits in Redis: fields of the queue's flags, and of a hash for those of single keys (see include/gates.lua). */
export class LimitRecords implements LimitStore {
  constructor(
    private readonly connections: RedisAccess,
    private readonly keys: Keyspace,
  ) {}

  async declare(
    queue: string,
    declaration: LimitDeclaration,
    isAgain: boolean,
  ): Promise<LimitChange[]> {
    const values = encodeDeclaration(this.keys, queue, declaration, isAgain);
    const { flags } = this.keys.queue(queue);
    return decodeChanges(
      await this.connections.run(`declare limits of queue "${queue}"`, (redis) =>
        LIMITS.run(redis, [flags], values),
      ),
    );
  }

  async set(
    queue: string,
    { handler, key }: LimitTarget,
    limits: LimitOverride | undefined,
    lasts: number | undefined,
  ): Promise<void> {
    const kind = handler === undefined ? 'queue' : key === undefined ? 'handler' : 'key';
    const text = limits ? encodeOverride(kind, limits, lasts) : '';
    const fields = { queue: 'oq', handler: `o:${handler}`, key: `k:${handler}\t${key}` };
    const setting = { ofKey: kind === 'key', field: fields[kind], text };
    const values = encodeSetting(this.keys, queue, setting);
    await this.connections.run(`set limits of queue "${queue}"`, (redis) =>
      LIMITS.run(redis, [this.keys.queue(queue).flags], values),
    );
  }

  async mayStart(queue: string): Promise<{ mayStart: boolean; opensAt: number | undefined }> {
    const { prefix, channels } = this.keys;
    const { list } = this.keys.queue(queue);
    const values = MAY_START.values({ prefix, channels, queue });
    const [mayStart, opensAt] = (await this.connections.run(`look at queue "${queue}"`, (redis) =>
      MAY_START.run(redis, [list], values),
    )) as [number, Buffer];
    return { mayStart: mayStart === 1, opensAt: Number(opensAt.toString()) || undefined };
  }

  async read(queue: string): Promise<StoredLimits> {
    const { flags, keyLimits } = this.keys.queue(queue);
    const [ofQueue, ofKeys, time] = await this.connections.run(
      `read limits of queue "${queue}"`,
      (redis) => Promise.all([redis.hgetall(flags), redis.hgetall(keyLimits), redis.time()]),
    );
    const now = Number(time[0]) * 1000;
    const limits: Writable = { declared: new Map(), set: [], resting: [] };
    for (const [field, text] of Object.entries(ofQueue)) readFlag(field, text, now, limits);
    for (const [field, text] of Object.entries(ofKeys)) readKeyLimit(field, text, now, limits);
    return limits;
  }

  async lanes(
    queue: string,
    { offset, limit }: { offset: number; limit: number },
  ): Promise<StoredLane[]> {
    const { prefix, channels } = this.keys;
    const { flags } = this.keys.queue(queue);
    const found: StoredLane[] = [];
    while (found.length < limit) {
      const most = Math.min(LANES_AT_ONCE, limit - found.length);
      const values = LANES.values({
        prefix,
        channels,
        queue,
        offset: offset + found.length,
        limit: most,
      });
      const page = decodeLanes(
        await this.connections.run(`list lanes of queue "${queue}"`, (redis) =>
          LANES.run(redis, [flags], values),
        ),
      );
      found.push(...page);
      if (page.length < most) break;
    }
    return found;
  }

  async uses(queue: string, targets: readonly LimitTarget[]): Promise<StoredUse[][]> {
    const { flags } = this.keys.queue(queue);
    const found: StoredUse[][] = [];
    for (let first = 0; first < targets.length; first += USES_AT_ONCE) {
      const slice = targets.slice(first, first + USES_AT_ONCE);
      const values = encodeTargets(this.keys, queue, slice);
      const reply = await this.connections.run(`read limits of queue "${queue}"`, (redis) =>
        LIMIT_USES.run(redis, [flags], values),
      );
      found.push(...decodeUses(reply));
    }
    return found;
  }

  async wait(queue: string, id: string): Promise<StoredWait | undefined> {
    const { prefix, channels } = this.keys;
    const { paused } = this.keys.queue(queue);
    const values = WAITS.values({ prefix, channels, queue, id });
    return decodeWait(
      await this.connections.run(`look why job "${id}" waits`, (redis) =>
        WAITS.run(redis, [paused], values),
      ),
    );
  }
}

interface Writable {
  readonly declared: Map<string | undefined, NonNullable<ReturnType<typeof decodeGate>>>;
  readonly set: StoredLimits['set'][number][];
  readonly resting: StoredLimits['resting'][number][];
}

function readFlag(field: string, text: string, now: number, limits: Writable): void {
  const whole = { handler: undefined, key: undefined };
  if (field === 'q') {
    limits.declared.set(undefined, { ...NO_KEYS, ...decodeQueueLimits(text) });
  } else if (field === 'oq') {
    addSetting(limits, whole, 'queue', text, now);
  } else if (field === 's') {
    addRest(limits, whole, text, now);
  } else {
    const [kind, handler] = [field.slice(0, 2), field.slice(2)];
    const gate = kind === 'g:' ? decodeGate(text) : undefined;
    if (gate) limits.declared.set(handler, gate);
    if (kind === 'o:') addSetting(limits, { handler, key: undefined }, 'handler', text, now);
    if (kind === 's:') addRest(limits, { handler, key: undefined }, text, now);
  }
}

function readKeyLimit(field: string, text: string, now: number, limits: Writable): void {
  const [handler = '', key = ''] = field.slice(2).split('\t');
  if (field.startsWith('k:')) addSetting(limits, { handler, key }, 'key', text, now);
  else addRest(limits, { handler, key }, text, now);
}

function addSetting(
  limits: Writable,
  target: LimitTarget,
  kind: 'queue' | 'handler' | 'key',
  text: string,
  now: number,
): void {
  const { override, until } = decodeOverride(kind, text);
  if (until === undefined || until > now) limits.set.push({ target, limits: override, until });
}

function addRest(limits: Writable, target: LimitTarget, text: string, now: number): void {
  const until = Number(text);
  if (until > now) limits.resting.push({ target, until });
}

const NO_KEYS = { perKey: undefined, keyRate: undefined };
