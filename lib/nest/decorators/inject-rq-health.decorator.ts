import { Inject } from '@nestjs/common';
import { getRqHealthToken } from '../health/rq-health.js';
import { assertCalled } from './called-decorator.js';

/**
 * Injects the `RqHealth` of a root with a name; that of the root without one is injected by its class.
 *
 * @param root the `name` given to `RqModule.forRoot`
 */
export function InjectRqHealth(root?: string): PropertyDecorator & ParameterDecorator {
  const isBare = root !== undefined && typeof root !== 'string';
  assertCalled(isBare, 'InjectRqHealth', "@InjectRqHealth() or @InjectRqHealth('reports')");
  return Inject(getRqHealthToken(root));
}
