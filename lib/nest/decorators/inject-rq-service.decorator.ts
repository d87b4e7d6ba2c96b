import { Inject } from '@nestjs/common';
import { getRqServiceToken } from '../root/rq.service.js';

/**
 * Injects the `RqService` of a root with a name; that of the root without one is injected by its class.
 *
 * @param root the `name` given to `RqModule.forRoot`
 */
export const InjectRqService = (root?: string) => Inject(getRqServiceToken(root));
