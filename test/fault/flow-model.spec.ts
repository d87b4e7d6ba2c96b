// Gates and lanes under random steps (see flow-model.ts): some seeds in the check, within half a minute.
// `RQ_MODEL_SEEDS=500 npm run jest -- test/fault/flow-model` is the long run, RQ_MODEL_FIRST its first seed. The scripts with a fault put in on purpose show that the model would find it.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { Connections } from '../../lib/redis/index.js';
import { Script } from '../../lib/redis/script.js';
import { control, enqueue, exchange, recover } from '../../lib/store/scripts/compiled.js';
import { CONTROL } from '../../lib/store/scripts/control.js';
import { ENQUEUE } from '../../lib/store/scripts/enqueue.js';
import { EXCHANGE } from '../../lib/store/scripts/exchange.js';
import { RECOVER } from '../../lib/store/scripts/recover.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { FlowModel } from './flow-model.js';

const SEEDS = Number(process.env['RQ_MODEL_SEEDS'] ?? 20);
const FIRST_SEED = Number(process.env['RQ_MODEL_FIRST'] ?? 1);
const STEPS = 200;
/** Of a seed in the check; the long run has more. */
const FEW_STEPS = process.env['RQ_MODEL_SEEDS'] === undefined ? 60 : STEPS;
/** They run side by side: mostly they wait for rates to let them go on. */
const SEEDS_AT_ONCE = 10;
const MOST_SEEDS = 200;
/** Milliseconds: each seed waits for rates and leases, ten share a processor, and a busy machine has others to serve. */
const TIME_LIMIT = 400_000;

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

/** What does not hold. @param endsEarly one is enough */
async function faultsOf(
  first: number,
  count: number,
  steps: number,
  endsEarly = false,
): Promise<string[]> {
  const faults: string[] = [];
  const end = new AbortController();
  const run = async (seed: number) => {
    try {
      await new FlowModel(client, connections, seed).run(steps, end.signal);
    } catch (error) {
      faults.push(String(error));
      if (endsEarly) end.abort();
    }
  };
  await Promise.all(Array.from({ length: count }, (_, index) => run(first + index)));
  return faults;
}

const blocks = Array.from({ length: Math.ceil(SEEDS / SEEDS_AT_ONCE) }, (_, index) => ({
  first: FIRST_SEED + index * SEEDS_AT_ONCE,
  count: Math.min(SEEDS_AT_ONCE, SEEDS - index * SEEDS_AT_ONCE),
}));

it.each(blocks)(
  'what holds of gates, lanes and levels holds whatever happens (seed $first and on)',
  async ({ first, count }) => {
    expect(await faultsOf(first, count, FEW_STEPS)).toEqual([]);
  },
  TIME_LIMIT,
);

describe('the model finds', () => {
  const scripts = {
    exchange: { script: EXCHANGE, original: exchange },
    enqueue: { script: ENQUEUE, original: enqueue },
    recover: { script: RECOVER, original: recover },
    control: { script: CONTROL, original: control },
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
    ['a list cut by what was asked for', 'exchange', 'taken == claims.asked', 'taken == wanted'],
    ['slots that are used ahead', 'exchange', 'asked - tonumber(', 'asked - 0 * tonumber('],
    [
      'a level forgotten on a retry',
      'exchange',
      'queue.levels[ARGV[place]] =',
      'local forgotten =',
    ],
    ['a level forgotten when due', 'exchange', 'note_level(queue, id, job[4])', ''],
    ['no bell', 'exchange', '\nring(queue)\n', '\n'],
    [
      'a retry at the end of its lane',
      'exchange',
      'RETRIES_FIRST = { front = true }',
      'RETRIES_FIRST = {}',
    ],
    ['ghosts that stay counted', 'exchange', 'lanes.left(taken)', 'lanes.left(claimed)'],
    ['a deleted job that stays counted', 'control', 'joined = joined - count', ''],
    [
      'a batch that is larger',
      'exchange',
      'math.min(gate.batch, sizes[gate.name])',
      'gate.batch + 2',
    ],
    ['a queue that is not paused', 'exchange', "want = 0\nstate = 'paused'", ''],
  ])(
    '%s',
    async (_, name, from, to) => {
      const { script, original } = scripts[name];
      const kept = { ...(script as object) };
      expect(original.text).toContain(from);
      const text = original.text.replaceAll(from, to);
      Object.assign(script, new Script({ ...original, text }));
      try {
        // Most are found by the first of them; what a seed does depends on the time, too.
        let faults: string[] = [];
        for (let first = 1; first <= MOST_SEEDS && faults.length === 0; first += SEEDS_AT_ONCE) {
          faults = await faultsOf(first, SEEDS_AT_ONCE, STEPS, true);
          await client.flushall();
        }
        expect(faults).not.toEqual([]);
        // It is found by what it does, not by a script that Redis refuses.
        expect(faults.join()).not.toMatch(/ERR |script|exchange failed/);
      } finally {
        Object.assign(script, kept);
      }
    },
    TIME_LIMIT,
  );
});
