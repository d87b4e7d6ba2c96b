import { Inject } from '@nestjs/common';
import { getRqInspectorToken } from '../tokens.js';
import { assertCalled } from './called-decorator.js';

/**
 * Injects the `RqInspector` of a root with a name; that of the root without one is injected by its class.
 *
 * @param root the `name` given to `RqModule.forRoot`
 */
export function InjectRqInspector(root?: string): PropertyDecorator & ParameterDecorator {
  const isBare = root !== undefined && typeof root !== 'string';
  assertCalled(
    isBare,
    'InjectRqInspector',
    "@InjectRqInspector() or @InjectRqInspector('reports')",
  );
  return Inject(getRqInspectorToken(root));
}
