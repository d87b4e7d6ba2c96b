import type { JobSnapshot } from '../queue/index.js';
import { decodeCall, payloadOf } from '../wire/index.js';
import type { ControlledStore } from './controlled-store.js';

/** The jobs that the schedules of a queue make next, as they will be: nothing of them is stored yet. */
export async function nextTicks(
  store: ControlledStore,
  queue: string,
): Promise<(JobSnapshot & { readonly status: 'scheduled'; readonly dueAt: Date })[]> {
  const records = await store.schedules.all();
  return records.flatMap(({ id, definition, due }) => {
    if (!definition || due === undefined || definition.queue !== queue) return [];
    const { data, meta, options } = definition;
    const call = decodeCall(id, Buffer.from(data), store.maxPayloadBytes);
    const at = new Date(due);
    return {
      id: `${id}-${due}`,
      queue,
      name: call.name,
      data: payloadOf(call),
      args: call.args,
      kwargs: call.kwargs,
      status: 'scheduled' as const,
      attempts: 0,
      retriesLeft: options.retry?.max,
      repeatsLeft: options.repeat?.times,
      createdAt: undefined,
      enqueuedAt: undefined,
      startedAt: undefined,
      endedAt: undefined,
      worker: undefined,
      description: options.description,
      meta: meta === undefined ? {} : (JSON.parse(meta) as Record<string, unknown>),
      progress: undefined,
      waitsFor: undefined,
      reason: undefined,
      tick: { schedule: id, at },
      dueAt: at,
    };
  });
}
