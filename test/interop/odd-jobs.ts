import type { BothSides } from './both-sides.js';
import type { NestSide } from './nest-side.js';

/** Jobs that no queue of ours and no ordinary Python program would write, and a worker that meets them. */
export class OddJobs {
  constructor(private readonly sides: BothSides) {}

  /** Puts a job of name `note` into the queue, written by hand, as any program may write one. */
  async write(id: string, fields: Record<string, string | Buffer>): Promise<void> {
    const { client } = this.sides;
    await client.hset(`rq:job:${id}`, {
      data: '["note",null,["odd"],{}]',
      origin: 'shared',
      status: 'queued',
      created_at: '2026-01-01T00:00:00.000000Z',
      timeout: '180',
      ...fields,
    });
    await client.sadd('rq:queues', 'rq:queue:shared');
    await client.rpush('rq:queue:shared', id);
  }

  /** Runs all that waits, and an ordinary job behind it: nothing has stopped the worker. Gives what `note` got. */
  async runAll(handlers: Parameters<NestSide['worker']>[0] = {}): Promise<unknown[]> {
    const ran: unknown[] = [];
    const note = (data: unknown) => void ran.push(data);
    await this.sides.nest.worker({ note, ...handlers }, { concurrency: 1 });
    const ordinary = await this.sides.nest.queue().enqueue('note', 'ordinary');
    await ordinary.result({ timeout: '10s' });
    return ran;
  }
}
