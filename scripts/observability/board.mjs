// The board for Grafana. What describes Redis is taken once (`max`), however many processes export it.
import { fleet, metric } from './metrics.mjs';

const Q = '{queue=~"$queue"}';
const QJ = '{queue=~"$queue",job=~"$job"}';
const attempts = metric('rq_job_attempts_total');
const rate = (outcome) => `sum(rate(${attempts}{queue=~"$queue",job=~"$job",outcome="${outcome}"}[$__rate_interval])) * 60`;
const quantile = (q, histogram, labels) =>
  `histogram_quantile(${q}, sum by (le) (rate(${metric(`${histogram}_bucket`)}${labels}[$__rate_interval])))`;
const OUTCOMES = ['finished', 'retrying', 'failed', 'stopped', 'canceled', 'snoozed', 'released', 'lost'];
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** Rows of panels: title, width of 24, unit, expressions with legends. */
const ROWS = [
  ['What needs a human', [
    stat('Oldest job that could run', 's', [600, 3600], fleet('rq_queue_oldest_job_age_seconds', 'queue', Q)),
    stat('Jobs that wait for a retry', 'short', [1000, 10000], fleet('rq_retrying_jobs', 'queue', Q)),
    stat('Failed for good, per minute', 'short', [0.1, 1], `sum by (queue) (rate(${attempts}{queue=~"$queue",outcome="failed"}[5m])) * 60`),
    stat('Queues without a worker', 'short', [1, 1], `count((${fleet('rq_queue_may_start', 'queue', Q)} == 1) and on (queue) (${fleet('rq_queue_workers', 'queue', Q)} == 0)) or vector(0)`),
  ]],
  ['Throughput', [
    graph('Attempts per minute, by outcome', 12, 'short', OUTCOMES.map((outcome) => [rate(outcome), outcome]), true),
    graph('Wait before a job starts', 6, 's', [0.5, 0.95, 0.99].map((q) => [quantile(q, 'rq_job_wait_seconds', Q), `p${q * 100}`])),
    heatmap('How long handlers run', 6, `sum by (le) (increase(${metric('rq_job_duration_seconds_bucket')}${QJ}[$__rate_interval]))`),
  ]],
  ['Queues', [
    graph('Waiting', 8, 'short', [[fleet('rq_jobs', 'queue', '{queue=~"$queue",status="queued"}'), '{{queue}}']]),
    graph('Retries that wait', 8, 'short', [[fleet('rq_retrying_jobs', 'queue', Q), '{{queue}}']]),
    graph('Age of the oldest', 8, 's', [[fleet('rq_queue_oldest_job_age_seconds', 'queue', Q), '{{queue}}']]),
  ]],
  ['Jobs', [
    table('By job', [
      ['Attempts/min', `sum by (queue, job) (rate(${attempts}${QJ}[$__rate_interval])) * 60`],
      ['Failing', `sum by (queue, job) (rate(${attempts}{queue=~"$queue",job=~"$job",outcome=~"failed|retrying|stopped"}[$__rate_interval])) / sum by (queue, job) (rate(${attempts}${QJ}[$__rate_interval]))`],
      ['p95', `histogram_quantile(0.95, sum by (queue, job, le) (rate(${metric('rq_job_duration_seconds_bucket')}${QJ}[$__rate_interval])))`],
    ]),
  ]],
  ['Workers and Redis', [
    graph('Slots', 6, 'short', [[`sum(${metric('rq_worker_busy_slots')})`, 'busy'], [`sum(${metric('rq_worker_slots')})`, 'all']]),
    graph('Leases lost', 6, 'short', [[`sum by (queue) (increase(${metric('rq_leases_lost_total')}${Q}[5m]))`, '{{queue}}']]),
    graph('Jobs of dead workers', 6, 'short', [[`sum(increase(${metric('rq_jobs_recovered_total')}[5m]))`, 'recovered']]),
    graph('Links to Redis that broke', 6, 'short', [[`sum(increase(${metric('rq_redis_errors_total')}[5m]))`, 'lost']]),
  ]],
];

function targets(expressions) {
  return expressions.map(([expr, legendFormat], index) => ({
    datasource: DATASOURCE,
    refId: String.fromCharCode(65 + index),
    expr,
    legendFormat,
  }));
}

function stat(title, unit, [amber, red], expr) {
  return {
    title,
    type: 'stat',
    width: 6,
    height: 5,
    targets: targets([[expr, '{{queue}}']]),
    fieldConfig: {
      defaults: {
        unit,
        thresholds: {
          mode: 'absolute',
          steps: [
            { color: 'text', value: null },
            { color: 'orange', value: amber },
            { color: 'red', value: red },
          ],
        },
      },
      overrides: [],
    },
    options: { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: 'value' },
  };
}

function graph(title, width, unit, expressions, isStacked = false) {
  const custom = { lineWidth: 1, fillOpacity: isStacked ? 40 : 5, stacking: { mode: isStacked ? 'normal' : 'none' } };
  return {
    title,
    type: 'timeseries',
    width,
    height: 8,
    targets: targets(expressions),
    fieldConfig: { defaults: { unit, min: 0, custom }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

function heatmap(title, width, expr) {
  const [target] = targets([[expr, '{{le}}']]);
  return {
    title,
    type: 'heatmap',
    width,
    height: 8,
    targets: [{ ...target, format: 'heatmap' }],
    fieldConfig: { defaults: {}, overrides: [] },
    options: { calculate: false, yAxis: { unit: 's' }, color: { scheme: 'Oranges', steps: 32 } },
  };
}

function table(title, columns) {
  return {
    title,
    type: 'table',
    width: 24,
    height: 8,
    targets: targets(columns.map(([, expr]) => [expr, ''])).map((target) => ({ ...target, format: 'table', instant: true })),
    transformations: [
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true },
          renameByName: Object.fromEntries(columns.map(([name], index) => [`Value #${String.fromCharCode(65 + index)}`, name])),
        },
      },
    ],
    fieldConfig: { defaults: {}, overrides: [] },
    options: { showHeader: true },
  };
}

function variable(name, label) {
  return {
    name,
    type: 'query',
    datasource: DATASOURCE,
    query: { query: label, refId: name },
    definition: label,
    includeAll: true,
    multi: true,
    allValue: '.*',
    current: { selected: true, text: ['All'], value: ['$__all'] },
    refresh: 2,
  };
}

export function boardText() {
  const panels = [];
  let y = 0;
  for (const [title, row] of ROWS) {
    panels.push({ id: panels.length + 1, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] });
    y += 1;
    let x = 0;
    for (const { width, height, ...panel } of row) {
      panels.push({ id: panels.length + 1, datasource: DATASOURCE, ...panel, gridPos: { x, y, w: width, h: height } });
      x += width;
    }
    y += Math.max(...row.map(({ height }) => height));
  }
  const board = {
    title: 'nestjs-rq',
    uid: 'nestjs-rq',
    tags: ['nestjs-rq', 'rq'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', current: {} },
        variable('queue', `label_values(${metric('rq_jobs')}, queue)`),
        variable('job', `label_values(${attempts}{queue=~"$queue"}, job)`),
      ],
    },
    annotations: {
      list: [
        {
          name: 'Alerts',
          datasource: DATASOURCE,
          enable: true,
          iconColor: 'red',
          expr: `max by (queue, rule) (${metric('rq_alert_firing')}${Q}) == 1`,
          titleFormat: '{{queue}}: {{rule}}',
        },
        {
          name: 'Deploys',
          datasource: DATASOURCE,
          enable: true,
          iconColor: 'purple',
          expr: `changes(${metric('rq_build_info')}[$__interval]) > 0`,
          titleFormat: '{{version}}',
        },
      ],
    },
    panels,
  };
  return `${JSON.stringify(board, null, 2)}\n`;
}
