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

const SEEDS = Number(process.env['RQ_MODEL_SEEDS'] ?? 3);
const FIRST_SEED = Number(process.env['RQ_MODEL_FIRST'] ?? 1);
const STEPS = 250;

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

const run = (seed: number, steps = STEPS) => new FlowModel(client, connections, seed).run(steps);

it.each(Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index))(
  'what holds of gates and lanes holds whatever happens (seed %d)',
  async (seed) => {
    await expect(run(seed)).resolves.toBeUndefined();
  },
  60_000,
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
        const found: string[] = [];
        for (let seed = 1; seed <= 6 && found.length === 0; seed += 1) {
          await run(seed).catch((error: Error) => found.push(error.message));
          await client.flushall();
        }
        expect(found).toHaveLength(1);
      } finally {
        Object.assign(script, kept);
      }
    },
    60_000,
  );
});
