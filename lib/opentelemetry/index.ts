/** Traces and metrics by OpenTelemetry: `nestjs-rq/opentelemetry`. What is not listed is internal and may change. */
export { type OtelOptions, otel } from './otel.js';
