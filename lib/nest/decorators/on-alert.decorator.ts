import { type AlertListenerOptions, addAlertListener } from '../alerts/alert-metadata.js';
import { assertCalled, assertOlderKind, isTarget } from './called-decorator.js';

/**
 * Makes a provider's method hear when an alert begins and when it is over (`alert.state`): see `alerts` of
 * `RqModule.forRoot`. Of all processes with such a method, one is called. It is an ordinary Nest method, as for `@OnJob`;
 * what it throws is logged and harms nothing.
 *
 * @param options of which alerts; default: all
 * @throws TypeError when it does not stand on an instance method with an ordinary name
 *
 * @example
 * @OnAlert({ severity: 'critical' })
 * async page(alert: RqAlert) {
 *   await this.pager.page(alert.id, alert.sentence);
 * }
 */
export function OnAlert(options?: AlertListenerOptions): OnAlertDecorator;
export function OnAlert(...given: [AlertListenerOptions?]): OnAlertDecorator {
  assertCalled(isTarget(given, 'object'), 'OnAlert', '@OnAlert()');
  const [options = {}] = given;
  return (target, key, descriptor) => {
    assertOlderKind(key, 'OnAlert');
    addAlertListener(target, key, descriptor.value, { ...options });
  };
}

/** A decorator of methods; on anything else it does not compile. */
export type OnAlertDecorator = <Method extends (...args: never[]) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;
