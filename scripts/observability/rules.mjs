// Rules for Prometheus: what nestjs-rq's own alerts say, for those who have them told by Prometheus, and that somebody is
// there at all. docs/alerts.md has an entry for each.
import { fleet, metric } from './metrics.mjs';

const mayStart = fleet('rq_queue_may_start');
const notPaused = `${fleet('rq_queue_paused')} == 0`;

/** Name, expression, for how long, severity, sentence. */
const RULES = [
  {
    name: 'RqNoWorker',
    expr: `(${mayStart} == 1) and on (queue) (${fleet('rq_queue_workers')} == 0) and on (queue) (${notPaused})`,
    for: '1m',
    severity: 'critical',
    summary: '{{ $labels.queue }}: jobs could run, and no worker serves it',
  },
  {
    name: 'RqBehind',
    expr: `${fleet('rq_queue_oldest_job_age_seconds')} > 600 and on (queue) (${notPaused})`,
    for: '1m',
    severity: 'warning',
    summary: '{{ $labels.queue }}: the oldest job that could run has waited for {{ $value | humanizeDuration }}',
  },
  {
    name: 'RqRetriesPileUp',
    expr: `${fleet('rq_retrying_jobs')} > 10000 and on (queue) (max by (queue) (deriv(${metric('rq_retrying_jobs')}[10m])) > 0)`,
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.queue }}: {{ $value }} jobs wait for a retry, and they become more',
  },
  {
    name: 'RqExhausted',
    expr: `sum by (queue, job) (increase(${metric('rq_job_attempts_total')}{outcome="failed"}[5m])) > 0`,
    for: '0m',
    severity: 'warning',
    summary: '{{ $labels.job }} of {{ $labels.queue }}: {{ $value | humanize }} jobs have failed for good',
  },
  {
    name: 'RqCriticalJobFailed',
    expr: `max by (queue, job) (${metric('rq_alert_firing')}{rule="critical"}) == 1`,
    for: '0m',
    severity: 'critical',
    summary: '{{ $labels.job }} of {{ $labels.queue }} is critical, and has failed for good',
  },
  {
    name: 'RqOverdue',
    expr: `${fleet('rq_scheduled_overdue_seconds')} > 60`,
    for: '1m',
    severity: 'warning',
    summary: '{{ $labels.queue }}: scheduled jobs are overdue by {{ $value | humanizeDuration }}, and nobody moves them',
  },
  {
    name: 'RqPausedLong',
    expr: `${fleet('rq_queue_paused')} == 1`,
    for: '24h',
    severity: 'warning',
    summary: '{{ $labels.queue }} has been paused for a day',
  },
  {
    name: 'RqStalled',
    expr: `(${mayStart} == 1) and on (queue) (${fleet('rq_queue_workers')} > 0) and on (queue) (${notPaused}) unless on (queue) (sum by (queue) (rate(${metric('rq_job_attempts_total')}[10m])) > 0) unless on (queue) (${fleet('rq_jobs', 'queue', '{status="started"}')} > 0)`,
    for: '10m',
    severity: 'critical',
    summary: '{{ $labels.queue }}: jobs could run and workers live, and nothing runs',
  },
  {
    name: 'RqLeasesLost',
    expr: `sum by (queue) (increase(${metric('rq_leases_lost_total')}[10m])) > 5`,
    for: '0m',
    severity: 'warning',
    summary: '{{ $labels.queue }}: runs have lost their leases, so that jobs ran twice',
  },
  {
    name: 'RqGone',
    expr: `absent(${metric('rq_build_info')})`,
    for: '5m',
    severity: 'critical',
    summary: 'no process with nestjs-rq is seen any more',
  },
];

export function rulesText() {
  const lines = [
    '# Made by scripts/observability.mjs: do not edit. Alerts of nestjs-rq for Prometheus; docs/alerts.md says what to do.',
    'groups:',
    '  - name: nestjs-rq',
    '    rules:',
  ];
  for (const rule of RULES) {
    lines.push(
      `      - alert: ${rule.name}`,
      `        expr: ${JSON.stringify(rule.expr)}`,
      `        for: ${rule.for}`,
      `        labels: { severity: ${rule.severity} }`,
      `        annotations:`,
      `          summary: ${JSON.stringify(rule.summary)}`,
      `          runbook_url: https://github.com/nestjs-rq/nestjs-rq/blob/main/docs/alerts.md#${rule.name.toLowerCase()}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
