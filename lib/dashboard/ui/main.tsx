import { type ComponentType, render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { startKeys } from './keys.js';
import { startLive } from './live.js';
import { Failures } from './pages/failures.js';
import { Job } from './pages/job.js';
import { Jobs } from './pages/jobs.js';
import { Overview } from './pages/overview.js';
import { QueuePage } from './pages/queue.js';
import { Workers } from './pages/workers.js';
import { Empty, Loading } from './parts.js';
import { place } from './router.js';
import { Shell } from './shell.js';
import { boot, troubles } from './state.js';
import { language, startLanguage, t } from './words.js';

/** The page's beginning: which of its pages is shown. Those that are opened rarely come in files of their own. */
function App() {
  void language.value;
  const { parts, query } = place.value;
  const [first = '', second] = parts;
  useEffect(() => {
    const bad = troubles.value.length;
    document.title = `${bad > 0 ? `(${bad}) ` : ''}${second ?? first ?? ''}${first ? ' · ' : ''}rq${boot.environment ? ` ${boot.environment}` : ''}`;
  });
  return <Shell>{pageOf(first, second ?? query.get('queue') ?? undefined)}</Shell>;
}

function pageOf(first: string, second: string | undefined) {
  switch (first) {
    case '':
      return <Overview />;
    case 'queues':
      return second === undefined ? <Overview /> : <QueuePage key={second} name={second} />;
    case 'jobs':
      return place.value.parts[1] === undefined ? (
        <Jobs />
      ) : (
        <Job key={place.value.parts[1]} id={place.value.parts[1]} />
      );
    case 'failures':
      return <Failures cause={place.value.parts[1]} />;
    case 'workers':
      return <Workers />;
    case 'schedules':
      return (
        <Later key={first} load={async () => (await import('./pages/schedules.js')).Schedules} />
      );
    case 'metrics':
      return <Later key={first} load={async () => (await import('./pages/metrics.js')).Metrics} />;
    case 'audit':
      return <Later key={first} load={async () => (await import('./pages/audit.js')).Audit} />;
    case 'redis':
      return <Later key={first} load={async () => (await import('./pages/redis.js')).RedisPage} />;
    default:
      return <Empty title={t('problem.missing')} />;
  }
}

function Later({ load }: { load: () => Promise<ComponentType> }) {
  const [Page, setPage] = useState<ComponentType | undefined>();
  useEffect(() => void load().then((page) => setPage(() => page)), []);
  return Page ? <Page /> : <Loading />;
}

await startLanguage();
startLive();
startKeys();
const app = document.getElementById('app');
if (app) render(<App />, app);
