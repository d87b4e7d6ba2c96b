// Passwords that are changed while everything runs, as a rotation does it: a second one is added, new processes come with
// it, the first one is removed, and the links that were made with it are ended.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RqConnectionError } from '../../lib/index.js';
import { LATENESS } from '../support/timing.js';
import { eventually } from '../support/wait.js';
import { Load } from './load.js';
import { Scene } from './scene.js';

const connection = { commandTimeout: 1000, connectTimeout: 2000 };

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.open();
  await scene.client.acl('SETUSER', 'rq', 'on', '>first', '~*', '&*', '+@all');
});

afterEach(() => scene.close());

const urlWith = (password: string) => `redis://rq:${password}@127.0.0.1:${scene.redis.port}`;
const endLinks = () => scene.client.call('CLIENT', 'KILL', 'USER', 'rq');

describe('a password that is rotated', () => {
  it('costs no job, when processes with the new one come before the old one goes', async () => {
    const old = await scene.worker('old', { connection, url: urlWith('first'), lease: 0.7 });
    const load = new Load(scene.queue('work', { ...connection, url: urlWith('first') }), 4);
    await scene.when('finished', { worker: 'old', count: 20 });
    await scene.client.acl('SETUSER', 'rq', '>second');
    await scene.worker('new', { connection, url: urlWith('second'), lease: 0.7 });
    await scene.when('finished', { worker: 'new', count: 20 });
    // Nobody has to log in again by himself.
    await load.stop();
    await scene.client.acl('SETUSER', 'rq', '<first');
    await endLinks();

    const { message } = await scene.when('problem', { worker: 'old' });
    expect(message).toMatch(/WRONGPASS|password|connection/);
    expect(message).not.toContain('first');
    const late = await scene
      .queue('work', { ...connection, url: urlWith('second') })
      .enqueue('act', {}, { id: 'late' });
    expect(await late.result({ timeout: 10 })).toEqual({ worker: 'new', attempt: 1 });
    await scene.drained();
    // It does not hang, although it can say nothing to Redis any more.
    await old.stop();
    expect(load.surprises).toEqual([]);
    expect(await scene.audit([...load.acknowledged, { id: 'late' }])).toEqual([]);
  });

  it('refuses a producer with the old one in time, and takes it again when it is given back', async () => {
    const queue = scene.queue('work', { ...connection, url: urlWith('first') });
    await queue.enqueue('act', {}, { id: 'before' });
    await scene.client.acl('SETUSER', 'rq', 'resetpass', '>second');
    await endLinks();

    // The first call may still find the link that was ended.
    await eventually(
      async () => {
        const begun = performance.now();
        const error: unknown = await queue.enqueue('act', {}, { id: 'refused' }).catch((e) => e);
        expect(performance.now() - begun).toBeLessThan(connection.commandTimeout + LATENESS);
        expect(error).toBeInstanceOf(RqConnectionError);
        expect(String(error)).not.toContain('first');
        return /WRONGPASS|password/.test(String(error));
      },
      { what: 'an error that says what is wrong' },
    );
    await scene.client.acl('SETUSER', 'rq', '>first');
    await scene.worker('worker', { connection, url: urlWith('first') });
    const job = await queue.enqueue('act', {}, { id: 'after' });
    await job.result({ timeout: 10 });
    await scene.drained();
    expect(await scene.client.exists('rq:job:refused')).toBe(0);
    expect(await scene.audit([{ id: 'before' }, { id: 'after' }])).toEqual([]);
  });
});
