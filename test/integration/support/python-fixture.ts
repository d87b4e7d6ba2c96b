// Keys as Python RQ 2.3 writes them with its JSONSerializer, byte for byte as MONITOR shows them:
// dates with microseconds and Z, zlib data, integers as text, empty fields, seconds as scores.
import type { Redis } from 'ioredis';

/** zlib.compress of Python 3.11, of the JSON that the names tell. */
export const DATA = {
  /** ["tasks.add", null, [1, 2], {}] */
  add: '789c8b562a492cce2ed64b4c4951d251c82bcdc9d1518836d451308ad551a8ae8d05009dbe0978',
  /** ["tasks.greet", null, [], {"name": "J\u00fcrgen", "count": NaN}] */
  greet:
    '789c8b562a492cce2ed64b2f4a4d2d51d251c82bcdc9d151888ed551a856ca4bcc4d55b25250f28a293530484b' +
    '2e4a4fcd03aa504ace2fcd2b018afb25fad5c602009c69143a',
};

/** zlib.compress(b'') */
export const NOTHING = Buffer.from('789c030000000001', 'hex');

/** base64.b64encode(zlib.compress(...)) of the traceback below. */
export const EXC_STRING =
  'eJxNzDEOwjAMRuE9p/iVqZUqOrB1hxMgdmO5wqpJIjsdenu6wfw9vYcTy4t4w/Cp0eHCUjqYzGAUfVwScFcT5JlamzvF' +
  'Fpd25AmmRXCdoAUrqZ0d4KQheJLtcnOvPuRSETu/sZ6PPKYfLfin9AUoySz/';
export const TRACEBACK =
  'Traceback (most recent call last):\n  File "/app/tasks.py", line 3, in fail\n' +
  '    raise ValueError("no such file")\nValueError: no such file\n';

/** A date as Python's utcformat writes it. */
export function pythonDate(date = new Date()): string {
  return date.toISOString().replace('Z', '417Z');
}

type Fields = Record<string, string | Buffer>;

/** All fields that RQ saves of a job of queue `tasks` that has not run yet. */
export function jobFields(data: keyof typeof DATA, fields: Fields = {}): Fields {
  return {
    created_at: '2026-01-02T03:04:05.678901Z',
    data: Buffer.from(DATA[data], 'hex'),
    success_callback_name: '',
    failure_callback_name: '',
    stopped_callback_name: '',
    started_at: '',
    ended_at: '',
    last_heartbeat: '',
    worker_name: '',
    group_id: '',
    origin: 'tasks',
    description: 'tasks.add(1, 2)',
    timeout: '180',
    status: 'queued',
    ...fields,
  };
}

/** `queue.enqueue(...)` */
export async function enqueueAsPython(
  redis: Redis,
  id: string,
  data: keyof typeof DATA,
  fields: Fields = {},
): Promise<void> {
  await redis
    .multi()
    .sadd('rq:queues', 'rq:queue:tasks')
    .hset(`rq:job:${id}`, 'status', 'queued')
    .hset(`rq:job:${id}`, jobFields(data, { enqueued_at: pythonDate(), ...fields }))
    .rpush('rq:queue:tasks', id)
    .exec();
}

/** `queue.enqueue_at(...)`: the registry first, in whole seconds, then the job. */
export async function scheduleAsPython(redis: Redis, id: string, due: number): Promise<void> {
  await redis.zadd('rq:scheduled:tasks', due, id);
  await redis
    .multi()
    .sadd('rq:queues', 'rq:queue:tasks')
    .hset(`rq:job:${id}`, jobFields('add', { status: 'scheduled' }))
    .exec();
}
