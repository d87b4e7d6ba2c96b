import { unprovidedClasses } from '../discovery/decorated-classes.js';
import { readHandlerOptions } from './handler-options.js';
import { jobHandlersOf } from './job-metadata.js';

/** A class with `@Job` methods that no module provides: nothing runs them. */
export interface UnprovidedHandlers {
  readonly type: string;
  readonly methods: readonly string[];
  readonly queues: readonly string[];
}

/**
 * The classes that somebody seems to have forgotten in `providers`: loaded, with handlers of this root for one of these
 * queues, and provided by no application of this process, nor any class that extends them. What another process may
 * well provide is left out by the choice of the queues.
 */
export function unprovidedHandlers(root: string, queues: readonly string[]): UnprovidedHandlers[] {
  return unprovidedClasses().flatMap((prototype) => {
    const { name: type } = prototype.constructor;
    const concerned = [...jobHandlersOf(prototype)].flatMap(([method, marks]) => {
      const owner = `${type}.${method}`;
      return marks.flatMap((mark) => {
        try {
          const read = readHandlerOptions(mark, method, prototype.constructor, owner);
          return read.root === root && queues.includes(read.queue) ? [{ method, ...read }] : [];
        } catch {
          // What is wrong with it matters when it is provided.
          return [];
        }
      });
    });
    if (concerned.length === 0) return [];
    const methods = [...new Set(concerned.map(({ method }) => method))];
    return [{ type, methods, queues: [...new Set(concerned.map(({ queue }) => queue))] }];
  });
}
