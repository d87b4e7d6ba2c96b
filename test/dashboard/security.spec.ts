// Nobody sees or does in the dashboard what they may not: who gets in, what each may do, requests of other pages, headers,
// read-only, and who did what.
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { InvalidOptionError, type NewAuditEntry } from 'nestjs-rq';
import {
  OnAudit,
  PERMISSIONS,
  type PermissionContext,
  RqDashboardModule,
  type RqPermission,
} from 'nestjs-rq/dashboard';
import { ROUTES, type Route } from '../../lib/dashboard/server/routes.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { eventually } from '../support/wait.js';
import { post, send } from './support/requests.js';
import { type Site, startSite } from './support/site.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

type Role = 'none' | 'viewer' | 'auditor' | 'operator' | 'admin';

const MAY: Readonly<Record<Role, readonly RqPermission[]>> = {
  none: [],
  viewer: ['view'],
  auditor: ['view', 'audit'],
  operator: [
    'view',
    'view:data',
    'requeue',
    'cancel',
    'stop',
    'pause',
    'schedule',
    'limit',
    'enqueue',
    'mute',
  ],
  admin: PERMISSIONS,
};

interface User {
  readonly role: Role;
  readonly email: string;
}

@Injectable()
class RoleGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context
      .switchToHttp()
      .getRequest<{ headers: Record<string, string>; user?: User }>();
    const role = request.headers['x-role'] as Role | undefined;
    if (role !== undefined) request.user = { role, email: `${role}@example.com` };
    return role !== undefined;
  }
}

@Injectable()
class Policy {
  can(action: RqPermission, { user, queue }: PermissionContext<User>): boolean {
    return MAY[user.role].includes(action) && (queue !== 'secret' || user.role === 'admin');
  }
}

@Injectable()
class Forwarded {
  static readonly entries: NewAuditEntry[] = [];

  @OnAudit()
  note(entry: NewAuditEntry): void {
    Forwarded.entries.push(entry);
  }
}

const guarded = { guards: [RoleGuard], can: Policy } as const;

describe('without a guard', () => {
  it('the application does not start, unless it is told to let everybody in', () => {
    expect(() => RqDashboardModule.forRoot({})).toThrow(InvalidOptionError);
    expect(() => RqDashboardModule.forRoot({})).toThrow(/guards is missing/);
    expect(() => RqDashboardModule.forRoot({ guards: [] })).toThrow(/guards is missing/);
    expect(() => RqDashboardModule.forRoot({ guards: 'global' })).not.toThrow();
    expect(() => RqDashboardModule.forRoot({ allowAnonymous: true })).not.toThrow();
    expect(() => RqDashboardModule.forRoot({ allowAnonymous: true, path: ':x' })).toThrow(/path/);
    expect(() => RqDashboardModule.forRoot({ allowAnonymous: true, gaurds: [] } as never)).toThrow(
      /gaurds is no option/,
    );
  });
});

describe.each(['express', 'fastify'] as const)('who may do what (%s)', (platform) => {
  let site: Site;
  let ids: string[];
  let parent: string;
  beforeAll(async () => {
    site = await startSite(redis.url, {
      platform,
      dashboard: guarded as never,
      worker: false,
      providers: [Forwarded],
    });
    const secret = await site.inspector.queue('secret').enqueue('launch', { code: 42 });
    const counting = await site.inspector.queue('kept').enqueue('count', {});
    parent = counting.id;
    const child = await site.inspector
      .queue('secret')
      .enqueue('launch', {}, { dependsOn: counting });
    ids = [secret.id, child.id];
    const client = redis.client();
    await client.hset('rq:worker:both', {
      birth: new Date().toISOString(),
      last_heartbeat: new Date().toISOString(),
      queues: 'open,secret',
      state: 'busy',
      nrq_every: '3600000',
      nrq_running: JSON.stringify([[secret.id, 'secret', 'launch', Date.now()]]),
    });
    await client.sadd('rq:workers', 'rq:worker:both');
    const alert = { rule: 'backlog', queue: 'secret', state: 'firing', severity: 'warning' };
    const numbers = { value: 5, limit: 1, since: Date.now(), at: Date.now(), calm: 0 };
    await client.hset('rq:nrq:alerts', 'secret backlog', JSON.stringify({ ...alert, ...numbers }));
  });
  afterAll(() => site.close());

  const PATHS: Readonly<Record<string, string>> = {
    ':queue': 'open',
    ':id': 'nothing',
    ':cause': '0123456789',
    ':file': 'x',
  };
  const address = (route: Route) =>
    `${site.url}/${route.path.replace(/:\w+/g, (name) => PATHS[name] ?? 'x')}`.replace(/\/$/, '');

  it.each(ROUTES.map((route) => [`${route.kind} ${route.path || '/'}`, route] as const))(
    '%s is open to those with its permission, and closed to all others',
    async (_, route) => {
      for (const role of ['none', 'viewer', 'operator', 'admin'] as const) {
        const headers = { 'x-role': role, 'sec-fetch-site': 'same-origin' };
        const id = (await site.inspector.queue('open').enqueue('nobody', {})).id;
        const isOpen = route.needs === 'nothing' || MAY[role].includes(route.needs);
        if (route.kind === 'live' && isOpen) continue; // Of its own below: it does not end.
        const body = {
          id,
          ids: [id],
          in: 'queued',
          queue: 'open',
          name: 'x',
          worker: 'x',
          do: 'pause',
          data: {},
        };
        const query = `?queue=open&id=${id}`;
        const answer =
          route.kind === 'act'
            ? await post(
                address(route),
                route.path.includes('operation/cancel') ? { id: 'x' } : body,
                headers,
              )
            : await send(address(route) + query, { headers });
        expect([role, answer.status === 403]).toEqual([role, !isOpen]);
        expect(answer.status).not.toBe(500);
      }
    },
  );

  it('a queue that somebody may not see is nowhere in what they get, and no id leads there', async () => {
    const headers = { 'x-role': 'operator', 'sec-fetch-site': 'same-origin' };
    const [id = ''] = ids;
    for (const path of [
      '',
      '/jobs',
      '/api/overview',
      '/api/search?q=',
      '/api/failures',
      '/api/schedules',
      `/api/search?q=${id}`,
    ]) {
      const { text, status } = await send(site.url + path, { headers });
      expect(status).toBe(200);
      expect(text.replaceAll(`q=${id}`, '')).not.toMatch(/secret|launch/);
    }
    for (const path of [
      '/api/queue?queue=secret',
      '/api/list?queue=secret',
      '/api/history?queue=secret',
      `/api/job?id=${id}`,
    ]) {
      expect((await send(site.url + path, { headers })).status).toBe(403);
    }
    for (const [path, body] of [
      ['/api/queue/pause', { queue: 'secret' }],
      ['/api/job/cancel', { id }],
      ['/api/jobs/cancel', { queue: 'open', ids: [id] }],
      ['/api/jobs/cancel', { queue: 'secret', in: 'queued' }],
      ['/api/alert/mute', { id: 'secret backlog' }],
      ['/api/alert/mute', { id: 'secret backlog', queue: 'open' }],
    ] as const) {
      expect((await post(site.url + path, body, headers)).status).toBe(403);
    }
    expect(await site.inspector.queue('secret').job(id).status()).toBe('queued');
    expect((await site.inspector.alerts())[0]?.state).toBe('firing');
    // A worker of both, and a job that one of there waits for, are shown without it.
    const { set } = (await send(`${site.url}/api/overview`, { headers })).json<{
      set: Record<string, { queues?: string[] }>;
    }>();
    expect(set['worker:both']?.queues).toEqual(['open']);
    const { text } = await send(`${site.url}/api/job?id=${parent}`, { headers });
    expect(text).toContain('"dependents":[{"id"');
    expect(text).not.toMatch(/secret|launch/);
    // What was done there is not in what an auditor of all others reads.
    const admin = { 'x-role': 'admin', 'sec-fetch-site': 'same-origin' };
    await post(`${site.url}/api/queue/pause`, { queue: 'secret' }, admin);
    await post(`${site.url}/api/queue/resume`, { queue: 'secret' }, admin);
    const audit = await send(`${site.url}/api/audit`, { headers: { 'x-role': 'auditor' } });
    expect(audit.json<unknown[]>().length).toBeGreaterThan(0);
    expect(audit.text).not.toContain('"queue":"secret"');
  });

  it('without view:data nothing of data, results, logs and messages leaves the server', async () => {
    const job = await site.inspector.queue('open').enqueue('told', { word: 'zebra' });
    const seen = async (role: Role) =>
      (await send(`${site.url}/api/job?id=${job.id}`, { headers: { 'x-role': role } })).text;
    expect(await seen('operator')).toContain('zebra');
    expect(await seen('viewer')).not.toContain('zebra');
    const answer = await send(`${site.url}/api/search?q=data.word:zebra`, {
      headers: { 'x-role': 'viewer' },
    });
    expect(answer.status).toBe(403);
  });

  it('every action is in the audit, refused ones too, and is forwarded', async () => {
    Forwarded.entries.length = 0;
    const as = (role: Role) => ({ 'x-role': role, 'sec-fetch-site': 'same-origin' });
    await post(`${site.url}/api/queue/pause`, { queue: 'open' }, as('operator'));
    await post(`${site.url}/api/queue/empty`, { queue: 'open' }, as('operator'));
    const entries = await site.inspector.desk.audit.entries({ limit: 3 });
    const shown = entries.map(({ who, action, queue, result }) => ({ who, action, queue, result }));
    const who = 'operator@example.com';
    expect(shown).toEqual([
      { who, action: 'queue/empty', queue: 'open', result: 'refused' },
      { who, action: 'queue/pause', queue: 'open', result: 'done' },
      { who, action: 'queue/pause', queue: 'open', result: 'begun' },
    ]);
    expect(entries[0]?.ip).toMatch(/127\.0\.0\.1/);
    await eventually(() => Forwarded.entries.length === 3, { what: 'the entries to be forwarded' });
    expect(Forwarded.entries.map(({ result }) => result)).toEqual(['begun', 'done', 'refused']);
    await site.inspector.queue('open').resume();
    const listed = await send(`${site.url}/api/audit`, { headers: { 'x-role': 'admin' } });
    expect(listed.json<unknown[]>().length).toBeGreaterThan(2);
  });
});

describe('requests of other pages', () => {
  let site: Site;
  beforeAll(async () => {
    const prepare = (app: Site['app']) => app.enableCors({ origin: true, credentials: true });
    site = await startSite(redis.url, {
      worker: false,
      prepare,
      dashboard: { allowAnonymous: true, origins: ['https://ops.example.com'] },
    });
  });
  afterAll(() => site.close());

  const SITES = [undefined, 'same-origin', 'same-site', 'cross-site', 'none'] as const;
  const ORIGINS = [
    undefined,
    'own',
    'https://evil.example',
    'null',
    'https://ops.example.com',
  ] as const;
  const TYPES = [
    'application/json',
    'application/json; charset=utf-8',
    'text/plain',
    'application/x-www-form-urlencoded',
    undefined,
  ] as const;

  it('change nothing: Sec-Fetch-Site decides, else Origin, and only JSON is read', async () => {
    for (const fetchSite of SITES) {
      for (const origin of ORIGINS) {
        for (const type of TYPES) {
          const headers: Record<string, string> = {};
          if (fetchSite) headers['sec-fetch-site'] = fetchSite;
          if (origin) headers['origin'] = origin === 'own' ? site.origin : origin;
          if (type) headers['content-type'] = type;
          const isJson = type?.startsWith('application/json') === true;
          const isOurs =
            origin === 'https://ops.example.com' ||
            (fetchSite === undefined ? origin === 'own' : fetchSite === 'same-origin');
          const { status } = await send(`${site.url}/api/queue/pause`, {
            method: 'POST',
            headers,
            body: '{"queue":"q"}',
          });
          const expected = isJson ? (isOurs ? 200 : 403) : 415;
          expect([fetchSite, origin, type, status]).toEqual([fetchSite, origin, type, expected]);
        }
      }
    }
  });

  it('by GET nothing can be changed', async () => {
    for (const route of ROUTES.filter(({ kind }) => kind === 'act')) {
      expect((await send(`${site.url}/${route.path}`)).status).toBe(404);
    }
  });

  it('a body that is no object, or too large, is refused', async () => {
    const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
    const url = `${site.url}/api/queue/pause`;
    for (const body of ['[]', '"x"', '1', '{']) {
      expect((await send(url, { method: 'POST', headers, body })).status).toBe(400);
    }
    const long = JSON.stringify({ queue: 'x'.repeat(2_000_000) });
    expect((await send(url, { method: 'POST', headers, body: long })).status).toBe(413);
  });

  it('every answer has the headers that keep a page safe', async () => {
    for (const path of ['', '/jobs', '/api/overview', '/api/job?id=nothing', '/assets/nothing']) {
      const { headers } = await send(site.url + path);
      const policy = String(headers['content-security-policy']);
      expect(policy).toMatch(/default-src 'none'; script-src 'self'/);
      expect(policy).not.toMatch(/unsafe|nonce/);
      expect(headers['cache-control']).toContain('no-store');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('same-origin');
    }
    const page = await send(site.url);
    expect(page.text).not.toMatch(
      /<script(?! type="(module" src|application\/json))|<style| on\w+=/,
    );
  });
});

describe('read-only', () => {
  it('has no route that changes anything', async () => {
    const site = await startSite(redis.url, {
      worker: false,
      dashboard: { allowAnonymous: true, readOnly: true },
    });
    for (const route of ROUTES.filter(({ kind }) => kind === 'act')) {
      expect((await post(`${site.url}/${route.path}`, { queue: 'q' })).status).toBe(404);
    }
    const boot = await send(site.url);
    expect(boot.text).toContain('"readOnly":true');
    expect(boot.text).toContain('"may":["view","view:data","audit","export"]');
    await site.close();
  });
});

describe('global guards', () => {
  it('of the application keep the door too, and its decorators reach them', async () => {
    @Injectable()
    class Closed implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        return Reflect.getMetadata('public', context.getClass()) === true;
      }
    }
    const isPublic: ClassDecorator = (target) => Reflect.defineMetadata('public', true, target);
    const prepare = (app: Site['app']) => app.useGlobalGuards(new Closed());
    const closed = await startSite(redis.url, {
      worker: false,
      prepare,
      dashboard: { guards: 'global' },
    });
    expect((await send(closed.url)).status).toBe(403);
    await closed.close();
    const open = await startSite(redis.url, {
      worker: false,
      prepare,
      dashboard: { guards: 'global', decorators: [isPublic] },
    });
    expect((await send(open.url)).status).toBe(200);
    await open.close();
  });
});
