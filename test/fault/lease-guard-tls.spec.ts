// The lease guard connects from a thread of its own. What makes the application's connection safe must hold there too.
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { type Server, checkServerIdentity, createSecureContext, createServer } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import { Connections, HandlerRegistry, RedisJobStore, Worker } from '../../lib/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { certificate, key } from '../support/tls-certificate.js';
import { eventually } from '../support/wait.js';

const LEASE = 150;
const TOKEN = 'token';

let redis: RedisServer;
let proxy: Server;
let secure = 0;
let plain = 0;
const opened: Connections[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(async () => {
  secure = 0;
  plain = 0;
  proxy = createServer({ cert: certificate, key });
  proxy.on('secureConnection', (near) => {
    secure += 1;
    const far = connect(redis.port, redis.host);
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  // What does not begin with a handshake of TLS.
  proxy.on('tlsClientError', () => (plain += 1));
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connections) => connections.close()));
  proxy.close();
});
afterAll(() => redis.stop());

function open(tls: RedisOptions['tls']): RedisJobStore {
  const { port } = proxy.address() as AddressInfo;
  const connections = new Connections({ host: '127.0.0.1', port, tls });
  opened.push(connections);
  return new RedisJobStore(connections);
}

const score = async () => Number(await redis.client().zscore('rq:wip:jobs', `id:${TOKEN}1`));

/** A guard whose main thread does not move any more, with one job that runs. */
async function standStill(store: RedisJobStore) {
  await redis.client().zadd('rq:wip:jobs', 1, `id:${TOKEN}1`);
  const guard = store.leaseGuard(['jobs'], TOKEN, LEASE);
  // Its thread knows both from its beginning.
  guard.runsOf('jobs').add('long', performance.now() + 60_000);
  guard.beat();
  guard.start();
  return guard;
}

describe('the lease guard', () => {
  it.each<[string, RedisOptions['tls']]>([
    ['an authority', { ca: certificate, servername: 'localhost' }],
    ['an authority as bytes', { ca: [Buffer.from(certificate)], servername: 'localhost' }],
    ['no check', { rejectUnauthorized: false }],
  ])('connects by TLS when the application does: %s', async (_, tls) => {
    const guard = await standStill(open(tls));
    await eventually(async () => (await score()) > 1, { what: 'the lease to be renewed' });
    await guard.stop();
    expect({ secure, plain }).toEqual({ secure: 1, plain: 0 });
  });

  it('checks what the application checks', async () => {
    const guard = await standStill(open({ servername: 'localhost' }));
    // The certificate is nobody's that is trusted: the handshake is broken off.
    await eventually(() => plain > 0, { what: 'an attempt' });
    await guard.stop();
    expect(await score()).toBe(1);
  });

  it.each<[string, RedisOptions['tls']]>([
    ['tls.checkServerIdentity', { ca: certificate, checkServerIdentity }],
    ['tls.secureContext', { secureContext: createSecureContext({ ca: certificate }) }],
  ])('does not connect at all with %s, and says what follows', async (option, tls) => {
    const store = open({ servername: 'localhost', ...tls });
    const guard = await standStill(store);
    const end = performance.now() + 6 * LEASE;
    await eventually(() => performance.now() > end, { what: 'six leases' });
    await guard.stop();
    expect({ secure, plain }).toEqual({ secure: 0, plain: 0 });

    const handlers = new HandlerRegistry();
    handlers.register({ queue: 'jobs', name: 'f', owner: 'T.f', run: () => 1 });
    const problems: string[] = [];
    const observer = { problem: ({ message }: { message: string }) => void problems.push(message) };
    const worker = new Worker(store, handlers, {}, observer);
    await worker.start();
    await worker.stop();
    expect(problems.filter((message) => message.startsWith('leases'))).toEqual([
      expect.stringMatching(`^leases are not kept while .* connection.${option} cannot be handed`),
    ]);
    expect(plain).toBe(0);
  });
});
