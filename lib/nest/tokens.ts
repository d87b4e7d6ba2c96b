import type { InjectionToken } from '@nestjs/common';
import { RqInspector } from '../observe/index.js';

/**
 * By which tokens Nest's container knows what an application asks us for. A root is one Redis: the one of
 * the `RqModule.forRoot` without a name, or of one with a name such as `reports`. The root's name comes
 * first in a token and cannot contain a colon, so that no two pairs of root and queue share a token.
 */

/** The root that is meant where none is named. */
export const DEFAULT_ROOT = 'default';

const ROOT_PREFIX = 'RqRoot:';

/**
 * The token under which a queue is injected; for tests and for factories.
 *
 * @param name the queue, as registered by `RqModule.registerQueue`
 * @param root the `name` of the `RqModule.forRoot` that the queue belongs to; default: the one without a name
 *
 * @example
 * Test.createTestingModule({ imports: [AppModule] })
 *   .overrideProvider(getQueueToken('images'))
 *   .useValue({ enqueue: jest.fn() });
 */
export function getQueueToken(name: string, root: string = DEFAULT_ROOT): string {
  return `RqQueue:${root}:${name}`;
}

/** The token of a root itself; internal. */
export function getRootToken(root: string): string {
  return `${ROOT_PREFIX}${root}`;
}

/** The root's name when the token is a root's; internal. */
export function rootOfToken(token: unknown): string | undefined {
  return typeof token === 'string' && token.startsWith(ROOT_PREFIX)
    ? token.slice(ROOT_PREFIX.length)
    : undefined;
}

/**
 * The token under which a root's `RqInspector` is injected: the class itself for the root without a name.
 *
 * @param root the `name` given to `RqModule.forRoot`
 */
export function getRqInspectorToken(root: string = DEFAULT_ROOT): InjectionToken<RqInspector> {
  return root === DEFAULT_ROOT ? RqInspector : `RqInspector:${root}`;
}
