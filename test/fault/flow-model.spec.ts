// Gates and lanes under random steps (see flow-model.ts): some seeds in the check, within half a minute.
// `RQ_MODEL_SEEDS=500 npm run jest -- test/fault/flow-model` is the long run, RQ_MODEL_FIRST its first seed. The scripts with a fault put in on purpose show that the model would find it.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { Connections } from '../../lib/redis/index.js';
import { Script } from '../../lib/redis/script.js';
import { enqueue, exchange, recover } from '../../lib/store/scripts/compiled.js';
import { ENQUEUE } from '../../lib/store/scripts/enqueue.js';
import { EXCHANGE } from '../../lib/store/scripts/exchange.js';
import { RECOVER } from '../../lib/store/scripts/recover.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { FlowModel } from './flow-model.js';

const SEEDS = Number(process.env['RQ_MODEL_SEEDS'] ?? 20);
const FIRST_SEED = Number(process.env['RQ_MODEL_FIRST'] ?? 1);
const STEPS = 200;
/** They run side by side: mostly they wait for rates to let them go on. */
const SEEDS_AT_ONCE = 5;

let server: RedisServer;
let client: Redis;
let connections: Connections;

beforeAll(async () => {
  server = await startRedis();
  client = server.client();
  connections = new Connections(server.url);
  await connections.connect();
});

afterEach(async () => {
  await client.flushall();
});

afterAll(async () => {
  await connections.close();
  await server.stop();
});

/** What does not hold. */
async function faultsOf(first: number, count: number): Promise<string[]> {
  const runs = Array.from({ length: count }, (_, index) =>
    new FlowModel(client, connections, first + index).run(STEPS),
  );
  const ends = await Promise.allSettled(runs);
  return ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []));
}

const blocks = Array.from({ length: Math.ceil(SEEDS / SEEDS_AT_ONCE) }, (_, index) => ({
  first: FIRST_SEED + index * SEEDS_AT_ONCE,
  count: Math.min(SEEDS_AT_ONCE, SEEDS - index * SEEDS_AT_ONCE),
}));

it.each(blocks)(
  'what holds of gates, lanes and levels holds whatever happens (seed $first and on)',
  async ({ first, count }) => {
    expect(await faultsOf(first, count)).toEqual([]);
  },
  120_000,
);

describe('the model finds', () => {
  const scripts = {
    exchange: { script: EXCHANGE, original: exchange },
    enqueue: { script: ENQUEUE, original: enqueue },
    recover: { script: RECOVER, original: recover },
  };

  it.each<[string, keyof typeof scripts, string, string]>([
    ['a key that is not limited', 'exchange', 'if limits.per_key then', 'if false then'],
    ['a total that is not looked at', 'exchange', 'if gate.total then room', 'if false then room'],
    ['slots that are not freed', 'exchange', "batched('ZREM', gate.held, of.members)", ''],
    ['starts that are not noted', 'exchange', 'if starts and taken > 0 then', 'if false then'],
    [
      'sleepers that are not woken',
      'enqueue',
      "if call('EXISTS', queue.asleep) == 0 then return end",
      'do return end',
    ],
    ['jobs that are not counted', 'enqueue', 'joined = joined + #ids', ''],
    ['a retry that holds no key', 'exchange', 'lanes.hold_key(gate, key, id, is_put_off)', ''],
  ])(
    '%s',
    async (_, name, from, to) => {
      const { script, original } = scripts[name];
      const kept = { ...(script as object) };
      expect(original.text).toContain(from);
      const text = original.text.replaceAll(from, to);
      Object.assign(script, new Script({ ...original, text }));
      try {
        expect(await faultsOf(1, SEEDS_AT_ONCE)).not.toEqual([]);
      } finally {
        Object.assign(script, kept);
      }
    },
    120_000,
  );
});
