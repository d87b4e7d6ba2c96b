import { Inject } from '@nestjs/common';
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
export const InjectQueue = (name: string, root?: string) => Inject(getQueueToken(name, root));
