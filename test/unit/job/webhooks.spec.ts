import { type WebhookOptions, allowedOrigins, readWebhooks } from '../../../lib/job/index.js';

const GOOD = { url: 'https://hooks.example.org/x?token=secret', on: 'finished' } as const;
const where = 'enqueue("f") on queue "jobs"';

function problemOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('It was taken');
}

describe('the webhooks of a new job', () => {
  it('are none when none are given', () => {
    expect(readWebhooks(undefined, where)).toBeUndefined();
    expect(readWebhooks([], where)).toBeUndefined();
  });

  it.each<[unknown, string]>([
    [GOOD, 'webhooks must be a list'],
    [[null], 'webhooks[0] must be an object with the keys url, on, method, headers, timeout'],
    [[GOOD, { ...GOOD, to: 1 }], 'webhooks[1].to is not an option here'],
    [[{ on: 'finished' }], 'webhooks[0].url must be a URL that begins with http://'],
    [[{ ...GOOD, url: 'https://user:secret@a.b/' }], 'webhooks[0].url must be a URL'],
    [[{ ...GOOD, url: 'ftp://a.b/secret' }], 'webhooks[0].url must be a URL'],
    [[{ ...GOOD, url: '/secret' }], 'webhooks[0].url must be a URL'],
    [[{ ...GOOD, url: new URL('https://a.b/secret') }], 'webhooks[0].url must be a URL'],
    [[{ ...GOOD, url: `https://a.b/${'x'.repeat(9000)}` }], 'webhooks[0].url must be a URL'],
    [[{ ...GOOD, on: 'stopped' }], "webhooks[0].on must be 'finished' or 'failed'"],
    [[{ ...GOOD, method: 'PUT' }], "webhooks[0].method must be 'GET' or 'POST'"],
    [[{ ...GOOD, headers: { a: 'secret\r\n' } }], 'webhooks[0].headers must be texts by name'],
    [[{ ...GOOD, headers: { Host: 'secret' } }], 'webhooks[0].headers must be texts by name'],
    [[{ ...GOOD, headers: { a: 7 } }], 'webhooks[0].headers must be texts by name'],
    [[{ ...GOOD, headers: null }], 'webhooks[0].headers must be texts by name'],
    [[{ ...GOOD, timeout: 0 }], 'webhooks[0].timeout must be from 1 to 60 seconds'],
    [[{ ...GOOD, timeout: '2m' }], 'webhooks[0].timeout must be from 1 to 60 seconds'],
    [[{ ...GOOD, timeout: 'soon' }], 'webhooks[0].timeout must be'],
    [Array.from({ length: 21 }, () => GOOD), 'webhooks must be at most 20'],
    [
      Array.from({ length: 10 }, () => ({ ...GOOD, headers: { a: 'x'.repeat(8000) } })),
      'webhooks must not be longer than 65536 characters',
    ],
  ])('are refused with the key and no secret: %#', (webhooks, problem) => {
    const message = problemOf(() => readWebhooks(webhooks, where));
    expect(message).toContain(`${where}: ${problem}`);
    expect(message).not.toContain('secret');
  });

  it('take a fraction of a second as a whole one', () => {
    const webhooks: WebhookOptions[] = [{ ...GOOD, timeout: '1500ms' }];
    expect(JSON.parse(readWebhooks(webhooks, where) ?? '')).toMatchObject([{ timeout: 2 }]);
  });
});

describe('allowed origins', () => {
  const read = (value: unknown) => allowedOrigins(value, 'webhooks.allow', where);

  it.each([
    ['https://hooks.example.org', 'https://hooks.example.org'],
    ['HTTPS://Hooks.Example.ORG:443/', 'https://hooks.example.org'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ])('%s', (given, origin) => {
    expect(read([given])).toEqual([origin]);
  });

  it.each([
    '*',
    'hooks.example.org',
    'https://hooks.example.org/path',
    'https://hooks.example.org/?a',
    'https://user:secret@hooks.example.org',
    'https://*',
    'https://*.example.org/x',
    'file:///',
    7,
  ])('%s is none', (given) => {
    const message = problemOf(() => read(['https://a.b', given]));
    expect(message).toContain("webhooks.allow[1] must be an origin such as 'https://hooks");
    expect(message).not.toContain('secret');
  });

  it('are none by default, and a list otherwise', () => {
    expect(read(undefined)).toEqual([]);
    expect(problemOf(() => read('https://a.b'))).toContain('must be a list of origins');
  });
});
