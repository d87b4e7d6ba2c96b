// The results for people: one table in the terminal, the same as Markdown.

/** @param {{ machine: object, settings: object, cases: object[] }} results */
export function toMarkdown({ machine, settings, cases }) {
  return [
    '# Benchmark: nestjs-rq and BullMQ',
    '',
    describe(machine, settings),
    '',
    'Medians of all rounds, in brackets the lowest and the highest round; the ratio is nestjs-rq to BullMQ, in brackets',
    'that of single rounds. Every run was checked for exact delivery. How it is measured: [README.md](README.md).',
    'Repeat it with `npm run build && npm run bench`.',
    ...cases.flatMap((result) => ['', `## ${heading(result)}`, '', ...caseTable(result)]),
    '',
    '## Void runs',
    '',
    ...voidRuns(cases),
    '',
  ].join('\n');
}

export function toTerminal({ machine, settings, cases }) {
  const tables = cases.flatMap((result) => ['', heading(result), ...aligned(caseCells(result))]);
  return [describe(machine, settings), ...tables, '', 'Void runs:', ...voidRuns(cases)].join('\n');
}

/** One line for a run that has just ended. */
export function runLine(benchmark, run) {
  const place = `${benchmark.name} ${run.variant} #${run.round + 1} ${run.side}`;
  if (run.void) return `${place}: VOID, ${run.void}`;
  const measures = Object.entries(run.measures)
    .filter(([, value]) => !Array.isArray(value))
    .map(([name, value]) => `${name} ${number(value)}`);
  return `${place}: ${measures.join(', ') || 'samples taken'}`;
}

function describe(machine, settings) {
  const libraries = ['nestjs-rq', 'bullmq', 'ioredis'].map((name) => `${name} ${machine[name]}`);
  return (
    `${machine.date}. ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGigabytes} GB, ${machine.platform}. ` +
    `Node ${machine.node}, Redis ${machine.redis}, ${libraries.join(', ')}. ` +
    `Took ${settings.minutes} minutes${settings.quick ? ', quick (small sizes: for orientation only)' : ''}.`
  );
}

const heading = ({ title, rounds }) => `${title} (${rounds} ${rounds === 1 ? 'round' : 'rounds'})`;

function caseTable(result) {
  const [head, ...rows] = caseCells(result);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

function caseCells({ rows, verdicts }) {
  return [
    ['', 'nestjs-rq', 'BullMQ', 'ratio', 'goal', 'met'],
    ...rows.map((row) => [
      row.label,
      figure(row.own, row.unit),
      figure(row.other, row.unit),
      ratio(row),
      row.goal ?? '',
      verdict(row.met),
    ]),
    ...verdicts.map(({ label, value, goal, met }) => [label, value, '', '', goal, verdict(met)]),
  ];
}

function figure(figures, unit) {
  if (!figures) return '–';
  const [lowest, highest] = figures.range;
  return `${number(figures.median)} ${unit} (${number(lowest)} … ${number(highest)})`.replace(
    '  ',
    ' ',
  );
}

function ratio({ ratio: value, ratioRange }) {
  if (value === undefined) return '–';
  const range = ratioRange ? ` (${ratioRange.map((end) => end.toFixed(2)).join(' … ')})` : '';
  return `${value.toFixed(2)}${range}`;
}

const verdict = (met) => (met === undefined ? '' : met ? 'yes' : '**no**');

function number(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function voidRuns(cases) {
  const lines = cases.flatMap(({ name, voidRuns: runs }) =>
    runs.map((run) => `- ${name} ${run.variant}, round ${run.round + 1}, ${run.side}: ${run.void}`),
  );
  return lines.length > 0 ? lines : ['None.'];
}

function aligned(table) {
  const widths = table[0].map((_, column) =>
    Math.max(...table.map((cells) => cells[column].length)),
  );
  return table.map((cells) =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd(),
  );
}
