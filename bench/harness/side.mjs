// The child process in which one side of one case is measured: `side.mjs ADAPTER CASE PORT PROXY_PORT QUICK`.

import { answer } from './children.mjs';
import { MeasuredSide } from './measured-side.mjs';

const [adapterName, caseName, port, proxyPort, quick] = process.argv.slice(2);
const adapter = await import(`../adapters/${adapterName}.mjs`);
const { default: benchmark } = await import(`../cases/${caseName}.mjs`);
const side = new MeasuredSide({
  adapter,
  port: Number(port),
  proxyPort: Number(proxyPort) || undefined,
  quick: quick === 'true',
});

answer(async ({ settings }) => {
  try {
    return { measures: await benchmark.run(side, settings) };
  } finally {
    await side.closeAll();
  }
});
