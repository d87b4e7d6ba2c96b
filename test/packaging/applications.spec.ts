// The packed library works in every kind of application: NestJS 11 and 12, CommonJS and ES modules, on
// Express and Fastify, on every Node line that can be had, and for the compilers of its users.
import { jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { nodeVersions } from './node-versions.js';
import { packLibrary, type PackedLibrary } from './packed-library.js';
import { type ModuleKind, type Platform, ScratchProject } from './scratch-project.js';

// Above the limits of each single command, which tell what was too slow.
jest.setTimeout(300_000);

interface Kind {
  readonly format: string;
  readonly type: ModuleKind;
  readonly platform: Platform;
}

const kinds: Record<11 | 12, Kind[]> = {
  11: [
    { format: 'CommonJS', type: 'commonjs', platform: 'express' },
    { format: 'ES modules', type: 'module', platform: 'fastify' },
  ],
  12: [
    { format: 'CommonJS', type: 'commonjs', platform: 'fastify' },
    { format: 'ES modules', type: 'module', platform: 'express' },
  ],
};

// Here, not in beforeAll: the names of the tests say which versions they ran on.
const nodes = nodeVersions();

let folder: string;
let library: PackedLibrary;
let redis: RedisServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rq-packaging-'));
  library = await packLibrary(folder);
  redis = await startRedis();
});

afterAll(async () => {
  await redis?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

describe.each([11, 12] as const)('in an application of NestJS %i', (nest) => {
  let project: ScratchProject;
  let compilerSays: string;

  beforeAll(async () => {
    project = await ScratchProject.install(join(folder, `nest-${nest}`), nest, library.archive);
    compilerSays = await project.compile(kinds[nest].map(({ type }) => type));
  });

  describe.each(kinds[nest])('as $format on $platform', ({ type, platform }) => {
    it('the compiler accepts what is right and refuses what is wrong', () => {
      expect(compilerSays).toBe('');
    });

    it.each(nodes)('jobs run on Node $version', async (node) => {
      expect(await project.run(type, node, platform, redis.url)).toEqual({
        retried: { outcome: 'ImageUpload cat.jpg', attempts: 2 },
        denied: { outcome: expect.stringContaining('ForbiddenException'), attempts: 1 },
        invalid: { outcome: expect.stringContaining('BadRequestException'), attempts: 1 },
      });
    });
  });
});
