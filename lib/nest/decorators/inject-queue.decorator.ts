import { Inject } from '@nestjs/common';
import { assertCalled } from './called-decorator.js';
import { getQueueToken } from '../tokens.js';

/**
 * Injects a queue that the module registered with `RqModule.registerQueue`.
 *
 * @param name the queue
 * @param root the `name` of the `RqModule.forRoot` the queue belongs to; default: the one without a name
 *
 * @example
 * constructor(@InjectQueue('images') private readonly images: Queue<ImageJobs>) {}
 */
export function InjectQueue(name: string, root?: string): PropertyDecorator & ParameterDecorator {
  assertCalled(typeof name !== 'string', 'InjectQueue', "@InjectQueue('images')");
  return Inject(getQueueToken(name, root));
}
