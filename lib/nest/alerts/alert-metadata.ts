import {
  oneOf,
  optionTable,
  optional,
  otherwise,
  queueName,
  readOptions,
  unchecked,
} from '../../job/index.js';
import {
  ALERT_RULES,
  type AlertRule,
  type AlertSeverity,
  type RqAlert,
} from '../../observe/index.js';
import { markMethod, markedMethods, placeOf } from '../discovery/method-marks.js';
import { DEFAULT_ROOT } from '../tokens.js';

/**
 * What `@OnAlert` leaves on a method, and the one place that writes and reads it. The key is a registered symbol, so that
 * two copies of the package see each other's listeners.
 */
const ALERT_METADATA = Symbol.for('nestjs-rq:on-alert');

/** Which alerts a method hears of. */
export interface AlertListenerOptions {
  /** Only of this severity; default: all. */
  severity?: AlertSeverity;
  /** Only of this rule; default: all. */
  rule?: AlertRule;
  /** Only of this queue; default: all. */
  queue?: string;
  /** The `name` of the `RqModule.forRoot` whose Redis is meant; default: the one without a name. */
  root?: string;
}

export function addAlertListener(
  target: object,
  key: string | symbol,
  method: unknown,
  options: AlertListenerOptions,
): void {
  markMethod(ALERT_METADATA, placeOf('@OnAlert', target, key), target, key, method, options);
}

/** The methods of a class that `@OnAlert` made listeners, by name, with what each hears. */
export function alertListenersOf(prototype: object): Map<string, AlertListenerOptions[]> {
  return markedMethods(ALERT_METADATA, prototype);
}

/**
 * @param where the method, for errors
 * @throws InvalidOptionError
 */
export function readAlertListener(options: AlertListenerOptions, where: string) {
  return readOptions(options, OPTIONS, where);
}

const OPTIONS = optionTable<AlertListenerOptions>()({
  severity: optional(oneOf('warning', 'critical')),
  rule: optional(oneOf(...ALERT_RULES)),
  queue: optional(queueName),
  root: otherwise(DEFAULT_ROOT, unchecked<string>()),
});

/** An `@OnAlert` method, ready to be called. */
export interface FoundAlertListener {
  /** For messages: `@OnAlert on Pager.page in AppModule`. */
  readonly owner: string;
  readonly severity: AlertSeverity | undefined;
  readonly rule: AlertRule | undefined;
  readonly queue: string | undefined;
  run(alert: RqAlert): Promise<unknown>;
}

export function wants(listener: FoundAlertListener, alert: RqAlert): boolean {
  const { severity = alert.severity, rule = alert.rule, queue = alert.queue } = listener;
  return severity === alert.severity && rule === alert.rule && queue === alert.queue;
}
