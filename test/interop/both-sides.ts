import type { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { NestSide } from './nest-side.js';
import { PythonRq } from './python-rq.js';

/** A Redis with a Python RQ and this library on it. */
export interface BothSides {
  readonly redis: RedisServer;
  /** For what a test looks up or prepares by hand. */
  readonly client: Redis;
  readonly python: PythonRq;
  readonly nest: NestSide;
}

/**
 * Starts both sides before the tests of a file, empties the Redis before each test and stops our workers after it.
 * The members are usable inside tests and hooks.
 */
export function useBothSides(): BothSides {
  const sides: { -readonly [Side in keyof BothSides]?: BothSides[Side] } = {};

  beforeAll(async () => {
    sides.redis = await startRedis();
    sides.client = sides.redis.client();
    sides.python = new PythonRq(sides.redis.url);
    sides.nest = await NestSide.connect(sides.redis.url);
  });

  beforeEach(async () => {
    await sides.client?.flushall();
  });

  afterEach(async () => {
    await sides.nest?.stopWorkers();
    await sides.python?.killWorkers();
  });

  afterAll(async () => {
    await sides.nest?.close();
    await sides.python?.close();
    await sides.redis?.stop();
  });

  return sides as BothSides;
}
