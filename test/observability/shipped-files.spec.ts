// The board for Grafana and the rules for Prometheus: up to date, right by Prometheus's own check, and every metric that
// they ask for is exported by a real application.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { Job, RqModule } from 'nestjs-rq';
import { RqMetrics, RqMetricsModule } from 'nestjs-rq/metrics';
import { ALERT_RULES, METRICS } from '../../lib/observe/index.js';
import { Applications } from '../nest/support/applications.js';

const applications = Applications.forThisFile();
const root = fileURLToPath(new URL('../..', import.meta.url));
const shipped = (name: string) => readFileSync(join(root, 'observability', name), 'utf8');

@Injectable()
class Jobs {
  @Job('mail')
  send() {}
}

it('are up to date with the list of metrics', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/observability.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}, 90_000);

it('ask for nothing that a real application does not export', async () => {
  const { app } = await applications.start({
    imports: [RqModule.forRoot(applications.root()), RqMetricsModule.forRoot({ path: 'metrics' })],
    providers: [Jobs],
  });
  const text = await app.get(RqMetrics).text();
  const exported = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const asked = (file: string) => [
    ...new Set([...shipped(file).matchAll(/\brq_[a-z_]+/g)].map(([name]) => name)),
  ];
  const names = [...asked('grafana.json'), ...asked('rules.yml')];
  expect(names.length).toBeGreaterThan(10);
  const missing = names.filter((name) => {
    return !exported.has(name) && !exported.has(name.replace(/_(bucket|sum|count)$/, ''));
  });
  expect(missing).toEqual([]);
  // A board that hangs on a queue's ids or a worker's name grows without end.
  expect(shipped('grafana.json')).not.toMatch(/worker_name|job_id/);
});

it('each rule has an entry in docs/alerts.md that says what to do', () => {
  const docs = readFileSync(join(root, 'docs/alerts.md'), 'utf8');
  const rules = [...shipped('rules.yml').matchAll(/alert: (\w+)/g)].map(([, name]) => name ?? '');
  expect(rules.length).toBeGreaterThan(5);
  expect(rules.filter((name) => !docs.includes(`### ${name}\n`))).toEqual([]);
});

it('each rule of our own has an entry there, and a row with what holds without configuration', () => {
  const docs = readFileSync(join(root, 'docs/alerts.md'), 'utf8');
  const table = docs.slice(0, docs.indexOf('## At three in the morning\n'));
  const entries = docs.slice(docs.indexOf('## At three in the morning\n'));
  const inTable = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name ?? '');
  const inEntries = [...entries.matchAll(/^\((`\w+`(?:, `\w+`)*)\)/gm)].flatMap(([, names]) =>
    [...(names ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name ?? ''),
  );
  expect(inTable.toSorted()).toEqual([...ALERT_RULES].toSorted());
  expect(inEntries.toSorted()).toEqual([...ALERT_RULES].toSorted());
});

it('each metric has a row in docs/monitoring.md', () => {
  const docs = readFileSync(join(root, 'docs/monitoring.md'), 'utf8');
  const ours = METRICS.filter(({ scope }) => scope !== 'compat').map(({ name }) => name);
  expect(ours.filter((name) => !docs.includes(`\`${name}`))).toEqual([]);
});

const promtool = spawnSync('promtool', ['--version']).status === 0;

it('are right, and fire when they should, by promtool', () => {
  // The check installs it where it can, and says so loudly where it cannot.
  if (!promtool) return;
  const folder = mkdtempSync(join(tmpdir(), 'rq-rules-'));
  try {
    const rules = join(root, 'observability/rules.yml');
    const check = spawnSync('promtool', ['check', 'rules', rules], { encoding: 'utf8' });
    expect(check.stderr + check.stdout).toContain('SUCCESS');
    const file = join(folder, 'test.yml');
    const tests = readFileSync(join(root, 'test/observability/rules-test.yml'), 'utf8');
    writeFileSync(file, tests.replace('RULES', rules));
    const run = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
    expect(run.stdout + run.stderr).toContain('SUCCESS');
    expect(run.status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);
