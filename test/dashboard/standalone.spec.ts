// The dashboard as a program of its own: who gets in, and who does not.
import { connectInspector } from 'nestjs-rq';
import { serveDashboard } from '../../lib/dashboard/server/index.js';
import { commandLine } from '../cli/support/command-line.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { post, send } from './support/requests.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

it('is opened by an address that works once; a cookie says so from then on', async () => {
  const inspector = await connectInspector(redis.url);
  const served = await serveDashboard(inspector, { who: 'cli:ada' });
  const { origin } = new URL(served.url);
  const closed = await send(origin);
  expect([closed.status, closed.text]).toEqual([401, expect.stringContaining('it has been used')]);
  expect(closed.text).not.toContain('boot');
  // The page at the door has the looks of the others; these hold nothing of anybody.
  const [, style = ''] = /href="(assets\/style[^"]+)"/.exec(closed.text) ?? [];
  expect((await send(`${origin}/${style}`)).status).toBe(200);
  for (const path of ['/jobs', '/api/overview', '/nothing', '/?key=wrong']) {
    expect([path, (await send(origin + path)).status]).toEqual([path, 401]);
  }
  expect((await send(`${origin}/?key=wrong`)).status).toBe(401);
  const opened = await send(served.url);
  expect([opened.status, opened.headers['location']]).toEqual([303, './']);
  const [cookie = ''] = opened.headers['set-cookie'] as string[];
  expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
  expect((await send(served.url)).status).toBe(401);
  const known = { cookie: cookie.split(';')[0]! };
  for (const path of ['', '/jobs', '/jobs/abc', '/api/overview']) {
    expect([path, (await send(origin + path, { headers: known })).status]).toEqual([path, 200]);
  }
  expect((await send(`${origin}/nothing`, { headers: known })).status).toBe(404);
  const own = { ...known, 'sec-fetch-site': 'same-origin' };
  expect((await post(`${origin}/api/queue/pause`, { queue: 'q' }, own)).status).toBe(200);
  const foreign = { ...known, 'sec-fetch-site': 'cross-site' };
  expect((await post(`${origin}/api/queue/pause`, { queue: 'q' }, foreign)).status).toBe(403);
  const [entry] = await inspector.desk.audit.entries({ limit: 1 });
  expect(entry?.who).toBe('cli:ada');
  // A name of somebody else's that was made to point here.
  expect((await send(origin, { headers: { ...known, host: 'evil.example' } })).status).toBe(421);
  await served.close();
  await inspector.close();
});

it('asks those of other machines for a name and a password', async () => {
  const inspector = await connectInspector(redis.url);
  const login = { user: 'ada', password: 'päss:word' };
  const served = await serveDashboard(inspector, { who: 'cli', login, readOnly: true });
  const as = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
  expect((await send(served.url)).status).toBe(401);
  expect((await send(served.url, { headers: as('ada:wrong') })).status).toBe(401);
  expect((await send(served.url, { headers: as('ada:päss:word') })).status).toBe(200);
  const headers = { ...as('ada:päss:word'), 'sec-fetch-site': 'same-origin' };
  expect((await post(`${served.url}api/queue/pause`, { queue: 'q' }, headers)).status).toBe(404);
  await served.close();
  await inspector.close();
});

it('is a command, which ends with Ctrl-C, and lets nobody in from elsewhere without a password', async () => {
  const open = await commandLine(['dashboard', redis.url, '--host', '0.0.0.0']);
  expect([open.code, open.err]).toEqual([2, expect.stringContaining('needs --login')]);
  const interrupted = new AbortController();
  const run = await commandLine(['dashboard', redis.url], {
    signal: interrupted.signal,
    onOutput: () => interrupted.abort(),
  });
  expect(run.code).toBe(0);
  expect(run.out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?key=[\w-]{32}\n$/);
});
