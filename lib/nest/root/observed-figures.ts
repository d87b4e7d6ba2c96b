import type { FigureDefinition, TelemetryFigures } from '../../job/index.js';
import { METRICS, RqInspector, RqMetrics } from '../../observe/index.js';
import type { RqRoot } from './rq-root.js';

/** The figures of a root for its library of telemetry: those that Prometheus would get. Nothing is read until it asks. */
export function figuresOf(root: RqRoot): TelemetryFigures {
  const metrics = new RqMetrics({
    inspector: new RqInspector(root.store),
    figures: () => root.figures(),
    jobLabel: true,
    isCompatible: false,
  });
  return {
    definitions: METRICS.filter(isForAll),
    read: async (name) => {
      const definition = METRICS.find((one) => one.name === name);
      return definition ? metrics.samplesOf(definition) : [];
    },
  };
}

function isForAll(definition: (typeof METRICS)[number]): definition is ForAll {
  return definition.scope !== 'compat';
}

type ForAll = (typeof METRICS)[number] & FigureDefinition;
