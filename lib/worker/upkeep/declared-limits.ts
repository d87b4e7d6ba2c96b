import { isDeepStrictEqual } from 'node:util';
import type { LimitChange, LimitDeclaration, LimitStore } from '../../store/index.js';
import { encodeQueueLimits } from '../../wire/index.js';
import { textOfGate } from '../run/gate.js';
import type { HandlerRegistry } from '../run/handler-registry.js';
import type { OwnGate } from '../serve/own-rooms.js';

/**
 * Says in Redis what limits the jobs of this worker's handlers.
 *
 * 1. At the start, before any job is taken. What was said before by others is replaced: the newest version of the
 *    application counts.
 * 2. With each look for crashed workers, only what is not there any more: Redis may have lost its data.
 *
 * A queue of which nothing is limited costs one call at the start, which writes nothing.
 */
export class DeclaredLimits {
  constructor(
    private readonly store: { readonly limits: LimitStore },
    private readonly handlers: HandlerRegistry,
  ) {}

  /** Answers what was different before. @throws RqConnectionError */
  async declare(queue: string): Promise<LimitChange[]> {
    const changes = await this.store.limits.declare(queue, this.declaration(queue), false);
    return changes.filter(({ before, after }) => !isDeepStrictEqual(before, after));
  }

  /** @throws RqConnectionError */
  async declareAgain(queue: string): Promise<void> {
    const declaration = this.declaration(queue);
    if (declaration.gates.size === 0 && !declaration.queue) return;
    await this.store.limits.declare(queue, declaration, true);
  }

  private declaration(queue: string): LimitDeclaration {
    const gates = new Map<string, string>();
    for (const [name, gate] of this.handlers.gates(queue)) gates.set(name, textOfGate(gate));
    const own = this.handlers.limitsOf(queue);
    return {
      gates,
      plain: this.handlers.names(queue).filter((name) => !gates.has(name)),
      queue: own && encodeQueueLimits(own.limits),
    };
  }
}

/** The handlers of a queue that are limited within a worker, or take batches. */
export function ownGates(handlers: HandlerRegistry, queue: string): Map<string, OwnGate> {
  const gates = [...handlers.gates(queue)].filter(
    ([, { perWorker, batch }]) => perWorker < Infinity || batch,
  );
  return new Map(
    gates.map(([name, { perWorker, batch }]) => [name, { perWorker, batch: batch?.size }]),
  );
}
