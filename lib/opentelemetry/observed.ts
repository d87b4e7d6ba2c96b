import type { Meter, Observable } from '@opentelemetry/api';
import type { FigureDefinition, ObservedFigure } from '../index.js';
import { observedAttributes, observedName, observedUnit } from './attributes.js';

/**
 * Has figures observed by a meter: they are read when the SDK collects, and only then.
 * @returns what ends it
 */
export function observeFigures(
  meter: Meter,
  definitions: readonly FigureDefinition[],
  read: (name: string) => Promise<readonly ObservedFigure[]>,
): () => void {
  const observed: { readonly name: string; readonly instrument: Observable }[] = [];
  for (const definition of definitions) {
    const name = observedName(definition);
    if (name === undefined) continue;
    const options = { description: definition.help, unit: observedUnit(definition) };
    const instrument =
      definition.type === 'counter'
        ? meter.createObservableCounter(name, options)
        : meter.createObservableGauge(name, options);
    observed.push({ name: definition.name, instrument });
  }
  const callback: Parameters<Meter['addBatchObservableCallback']>[0] = async (result) => {
    // What the process knows by itself is told even while Redis is away.
    const looks = await Promise.allSettled(
      observed.map(async ({ name, instrument }) => {
        for (const figure of await read(name)) {
          result.observe(instrument, figure.value, observedAttributes(figure));
        }
      }),
    );
    const failed = looks.find((look) => look.status === 'rejected');
    if (failed) throw failed.reason;
  };
  const instruments = observed.map(({ instrument }) => instrument);
  meter.addBatchObservableCallback(callback, instruments);
  return () => meter.removeBatchObservableCallback(callback, instruments);
}
