/** Figures for Prometheus in a Nest application: `nestjs-rq/metrics`. What is not listed is internal and may change. */
export { RqMetricsModule, type RqMetricsOptions } from '../nest/metrics/rq-metrics.module.js';
export {
  type MetricRegistry,
  RqMetrics,
  getRqMetricsToken,
} from '../nest/metrics/rq-metrics.module.js';
