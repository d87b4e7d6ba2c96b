import { Inject } from '@nestjs/common';
import { assertCalled } from './called-decorator.js';
import { getRqServiceToken } from '../root/rq.service.js';

/**
 * Injects the `RqService` of a root with a name; that of the root without one is injected by its class.
 *
 * @param root the `name` given to `RqModule.forRoot`
 */
export function InjectRqService(root?: string): PropertyDecorator & ParameterDecorator {
  const isBare = root !== undefined && typeof root !== 'string';
  assertCalled(isBare, 'InjectRqService', "@InjectRqService() or @InjectRqService('reports')");
  return Inject(getRqServiceToken(root));
}
